"""The events a diagram needs, read a little each frame. Imports session and history.

A Reel keeps a History that covers the instants on the screen: going on it reads only what is new, jumping it
starts anew from the World there. It never holds a frame for long and never holds more than it may: of
instants with more events than that it keeps the latest.
"""

from collections.abc import Iterator
from itertools import islice
from math import inf
from time import perf_counter

from gossiplab.errors import GossiplabError
from gossiplab.events import AnyEvent
from gossiplab.tui.session import Session
from gossiplab.world.history import History
from gossiplab.world.world import new_world

MOST_STEPS = 60_000  # kept; some 30 MB
_BUDGET = (
    0.012  # s of real time that reading may take of a frame; the lab, which shares the thread, waits so long
)
_SLACK = 1000  # steps more than that before the oldest are forgotten, a few at a time
_PIECE = 512  # events between two looks at the wall
_LEAP = 20_000  # events that are read on through; beyond, starting anew at a keyframe is sooner done


class Reel:
    """What is read of a session. trouble: a sentence about why no more can be read, else empty."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.trouble = ""
        self.history = History(new_world(session.header), -inf)
        self._ahead: Iterator[AnyEvent] = iter(())
        self._full: tuple[float, float] | None = (
            None  # start and length of instants that were too full to keep
        )

    def cover(self, start: float, stop: float) -> bool:
        """Read some more of what happened from `start` to `stop`. Whether there is no more of it to read."""
        if self._lacks(start, stop - start) or self._is_far(start - (stop - start)):
            self._full = None
            # a little more to the left, so that the next step there costs nothing
            self.history = self._open(start - (stop - start))
        self._read(stop)
        self._trim(start, stop - start)
        return self._done(stop)

    def _done(self, stop: float) -> bool:
        history = self.history
        return bool(self.trouble) or history.t > stop or history.next >= self._session.latest.events

    def _lacks(self, start: float, length: float) -> bool:
        """Whether what is kept begins too late, and not because there is too much of it."""
        if self.history.since < start or self.history.first == 0:
            return False
        return self._full is None or start < self._full[0] or length < 0.99 * self._full[1]

    def _is_far(self, start: float) -> bool:
        """Whether the instant `start` is far ahead of what has been read."""
        history = self.history
        return history.t < start and self._session.world.events - history.next > _LEAP

    def _open(self, t: float) -> History:
        """A history that begins at the instant `t`."""
        self.trouble = ""
        try:
            world = self._session.at(max(t, -1.0))
        except GossiplabError as error:
            self.trouble = str(error)
            return self.history
        self._ahead = iter(())
        return History(world, t if t >= 0 else -inf)

    def _read(self, stop: float) -> None:
        history, until = self.history, perf_counter() + _BUDGET
        try:
            while not self._done(stop) and perf_counter() < until:
                before = history.next
                history.take(islice(self._ahead, _PIECE))
                if history.next == before:  # the end of what there was when it was asked for
                    self._ahead = self._session.events(before)
                    history.take(islice(self._ahead, _PIECE))
                    if history.next == before:
                        return
        except GossiplabError as error:
            self.trouble = str(error)
        except LookupError:
            self.trouble = (
                f"what follows event {history.next} cannot have happened: it is not shown; check the recording "
                "with gossiplab verify."
            )

    def _trim(self, start: float, length: float) -> None:
        steps = self.history.steps
        if len(steps) > MOST_STEPS + _SLACK:
            until = steps[-MOST_STEPS].t
            if until > start:
                self._full = start, length
            self.history.forget(until)
