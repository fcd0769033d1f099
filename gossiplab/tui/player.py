"""A recording as it is played: the World at an instant that a person moves. Imports recording and world.

Going somewhere folds from the keyframe before (at most some 40 ms); playing on folds only what comes
next. A corrupted line met on the way raises RecordingError and leaves the player where it was.
"""

from collections.abc import Iterator
from time import perf_counter

from gossiplab.errors import GossiplabError, RecordingError
from gossiplab.events import AnyEvent
from gossiplab.recording.reader import Recording

_PIECE = 256  # events between two looks at the wall
_BUDGET = 0.008  # s of real time that folding may take of a frame; beyond, the picture lags behind its speed


class Player:
    """The instant `t` of a recording and the World there; at first before its first event.

    playing: whether `advance` moves it. Raises RecordingError when the recording is corrupted.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.playing = False
        self.go(0)

    @property
    def at_end(self) -> bool:
        """Whether nothing is recorded after this."""
        return self.world.events >= self.recording.length

    def seek(self, t: float) -> None:
        """Go to the instant `t`, in seconds."""
        if t > self.recording.end:
            self.recording.refresh()
        self.world, self.t = self.recording.at(t), t
        self._forget()

    def go(self, event: int) -> None:
        """Go to the instant right after so many events."""
        if event > self.recording.length:
            self.recording.refresh()
        self.world = self.recording.at_event(event)
        self.t = self.world.t
        self._forget()

    def step(self, events: int) -> None:
        """Go so many events on; back if negative."""
        if events == 1 and (event := self._peek()):
            self._take()
            self._apply([event])
            self.t = event.t
        else:
            self.go(max(0, self.world.events + events))

    def advance(self, seconds: float) -> None:
        """Play so many virtual seconds on, or as many as a frame has time for."""
        target, until = self.t + seconds, perf_counter() + _BUDGET
        while (event := self._peek()) and event.t <= target:
            piece: list[AnyEvent] = []
            while event and event.t <= target and len(piece) < _PIECE:
                piece.append(event)
                self._take()
                event = self._peek()
            self._apply(piece)
            self.t = piece[-1].t
            if perf_counter() > until:
                return
        self.t = max(self.t, min(target, self.recording.end))

    def _peek(self) -> AnyEvent | None:
        """The next event, if any is recorded by now."""
        if self._next is None:
            self._next = next(self._ahead, None)
        if self._next is None:
            self.recording.refresh()
            if self._taken < self.recording.length:
                self._ahead = self.recording.read(self._taken)
                self._next = next(self._ahead, None)
        return self._next

    def _take(self) -> None:
        """What `_peek` gave is used."""
        self._next = None
        self._taken += 1

    def _apply(self, events: list[AnyEvent]) -> None:
        try:
            self.world.apply(events)
        except (LookupError, GossiplabError, StopIteration, TypeError):
            raise RecordingError(
                f"{self.recording.path} is corrupted after event {self.world.events}: "
                "what it says there cannot have happened; take an undamaged copy of it."
            ) from None

    def _forget(self) -> None:
        """What was read ahead is not what comes next any more."""
        self._taken = self.world.events
        self._ahead: Iterator[AnyEvent] = self.recording.read(self._taken)
        self._next: AnyEvent | None = None
