"""The tracks: a run and the other futures that were forked from it. Imports live, session, again and what the timeline shows.

Acting on the past begins another future: the lab executes again, up to the instant in view, from the
recorded seed and commands, does the new thing there, and goes on. What had happened instead stays as a track
of its own. Only one lab runs at a time; the others are recordings.
"""

from collections.abc import Callable, Mapping
from itertools import zip_longest
from typing import NamedTuple

from gossiplab.commands import AnyCommand
from gossiplab.errors import UserError
from gossiplab.events import AnyEvent, Sent
from gossiplab.library import default_path
from gossiplab.plan import check_command
from gossiplab.recording.again import fork
from gossiplab.tui.idle import why_idle
from gossiplab.tui.live import LiveLab
from gossiplab.tui.session import Replay, Session
from gossiplab.tui.timeline import Second


class Track(NamedTuple):
    """A future: its letter, its session, the number of the track it was forked from, and events before that."""

    letter: str
    session: Session
    parent: int | None = None
    events: int = 0


class Parting(NamedTuple):
    """Where two tracks part: how many events they share, and the first of each that differs, None at an end.

    flights: the messages that were under way until then, by their numbers.
    """

    events: int
    first: AnyEvent | None
    second: AnyEvent | None
    flights: Mapping[int, Sent]


class Tracks:
    """All futures, in the order of their making. current: the number of the one that is shown."""

    def __init__(self, session: Session) -> None:
        self.all = [Track("A", session)]
        self.current = 0

    @property
    def session(self) -> Session:
        """The one that is shown."""
        return self.all[self.current].session

    @property
    def other(self) -> Track | None:
        """The one to compare with: the track that this was forked from, or else the newest other."""
        parent = self.all[self.current].parent
        if parent is not None:
            return self.all[parent]
        return next((track for track in reversed(self.all) if track is not self.all[self.current]), None)

    @property
    def second(self) -> Second | None:
        """The other one, as the timeline shows it."""
        other = self.other
        if other is None:
            return None
        track = self.all[self.current]
        parent = track.session.header.parent or other.session.header.parent
        return Second(
            track.letter, other.letter, other.session.latest, other.session.end, parent.t if parent else 0.0
        )

    async def fork(
        self, command: AnyCommand, on_failure: Callable[[BaseException], None], *others: AnyCommand
    ) -> None:
        """Begin another future with a command, or several, at the instant in view, and show it.

        Raises RecordingError when the run cannot be executed again, UserError when the command has no
        meaning, StorageError when the disk refuses; then nothing has changed.
        """
        past = self.session
        t, speed = past.t, past.speed
        recording, protocol = past.recording(), past.protocol
        for each in (command, *others):
            check_command(each, protocol)
            if why := why_idle(each, past.world, past.header.experiment.link):
                raise UserError(why)
        again = fork(recording, protocol, t, command)
        assert again.header.parent is not None
        path = default_path(again.header.experiment.protocol)
        new = LiveLab(again.header, protocol, path, speed)
        for instant, each in again.commands:
            new.lab.post(each, at=instant)
        for each in others:
            new.lab.post(each, at=t)
        await self._put_by()
        letter = chr(ord("A") + len(self.all) % 26)
        self.all.append(Track(letter, new, self.current, again.header.parent.events))
        self.current = len(self.all) - 1
        new.start(on_failure)
        new.execute_to(t)

    async def turn(self) -> None:
        """Show the next track."""
        await self._put_by()
        self.current = (self.current + 1) % len(self.all)

    async def _put_by(self) -> None:
        """Make a recording of the lab that runs, if one does."""
        for number, track in enumerate(self.all):
            if isinstance(track.session, LiveLab):
                # asked for beforehand: what ends a lab lets its clock run as fast as it goes
                t, speed = track.session.t, track.session.speed
                await track.session.close()
                replay = Replay(track.session.path, speed, track.session.protocol)
                replay.stop()
                replay.seek(t)
                self.all[number] = track._replace(session=replay)

    async def close(self) -> None:
        """End all. May be called twice. Raises StorageError."""
        for track in self.all:
            await track.session.close()

    def part(self, one: int, two: int) -> Parting:
        """Where two tracks part. Raises RecordingError when a recording is corrupted."""
        count = self._shared(one, two)
        events = (self.all[each].session.events(count) for each in (one, two))
        for first, second in zip_longest(*events):
            if first != second:
                return Parting(
                    count, first, second, self.all[one].session.recording().at_event(count).flights
                )
            count += 1
        return Parting(count, None, None, {})

    def _shared(self, one: int, two: int) -> int:
        """How many events two tracks share at least, because one was forked from the other or both from a third."""
        events: list[int] = []
        while one != two:
            younger = max(one, two)
            track = self.all[younger]
            if track.parent is None:
                return 0
            events.append(track.events)
            one, two = min(one, two), track.parent
        return min(events, default=0)
