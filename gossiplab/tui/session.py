"""What the screen shows, live or recorded, behind one interface. Imports player, recording and world.

A session has a view (a World and its instant), which a person moves through time, and an end: the last
instant there is. What a person asks for and cannot have raises a GossiplabError that says why.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from gossiplab.commands import AnyCommand
from gossiplab.content import load_recorded
from gossiplab.errors import GossiplabError, UserError
from gossiplab.events import AnyEvent, Header
from gossiplab.plan import roster_of
from gossiplab.protocol import Protocol
from gossiplab.recording.reader import Recording, open_recording
from gossiplab.roster import Roster
from gossiplab.text import visible
from gossiplab.tui.player import Player
from gossiplab.world.world import World

SPEEDS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, float("inf"))
"""Virtual seconds in a real second; the last: as fast as it goes."""


class Headline(NamedTuple):
    """Where the view is in time: a glyph, and words for it."""

    glyph: str
    text: str


_WHY_ENDED = {
    "converged": "everybody knows",
    "quiescent": "nobody spreads any more",
    "time": "the time is up",
    "limit": "the limit is reached",
}


def why_ended(why: str) -> str:
    """Why a run is over, for people. A recording may give any reason; it is made safe to show."""
    return _WHY_ENDED.get(why) or visible(why, 40)


class Session(ABC):
    """A run on the screen.

    header: what is run. trouble: a sentence about what is wrong with the recording, empty when nothing is.
    """

    def __init__(self, header: Header, path: Path) -> None:
        self.header = header
        self.path = path
        self.trouble = ""

    @abstractmethod
    def start(self, on_failure: Callable[[BaseException], None]) -> None:
        """Begin, in the running asyncio loop. on_failure: told when the lab breaks down, which is our fault."""

    @abstractmethod
    def stop(self) -> None:
        """Let nothing more happen from here on."""

    @abstractmethod
    async def close(self) -> None:
        """End: files are closed when this returns. May be called twice. Raises StorageError."""

    def give_way(self) -> None:  # noqa: B027  # a recording has nothing to do that could be in the way
        """A person has pressed a key: let the screen answer before anything else is done."""

    @property
    @abstractmethod
    def world(self) -> World:
        """The World to draw. It may change in place until the next frame."""

    @property
    @abstractmethod
    def t(self) -> float:
        """The instant to draw, in seconds: that of the World's last event, or between it and the next."""

    @property
    @abstractmethod
    def latest(self) -> World:
        """The World at the end."""

    def events(self, start: int = 0, stop: int | None = None) -> Iterator[AnyEvent]:
        """The events number `start` up to `stop`, counted from 0, as recorded so far. Raises GossiplabError."""
        return self.recording().read(start, stop)

    def at(self, t: float) -> World:
        """The World at the instant `t`, in seconds, apart from the view. Raises GossiplabError."""
        return self.recording().at(t)

    @property
    @abstractmethod
    def end(self) -> float:
        """The last instant there is, in seconds."""

    @property
    @abstractmethod
    def growing(self) -> bool:
        """Whether the end still moves."""

    @property
    @abstractmethod
    def running(self) -> bool:
        """Whether time passes in the view."""

    @property
    @abstractmethod
    def headline(self) -> Headline:
        """Where the view is in time."""

    @property
    @abstractmethod
    def speed(self) -> float:
        """Virtual seconds in a real second."""

    @speed.setter
    @abstractmethod
    def speed(self, speed: float) -> None: ...

    @abstractmethod
    def advance(self, seconds: float) -> None:
        """So many real seconds have passed since the last frame."""

    @abstractmethod
    def toggle(self) -> None:
        """Pause or go on."""

    @abstractmethod
    def step(self, events: int) -> None:
        """One event on (1) or back (-1)."""

    @abstractmethod
    def seek(self, t: float) -> None:
        """Look at the instant `t`, in seconds; the end when it lies beyond."""

    @abstractmethod
    def go_live(self) -> None:
        """Look at the end."""

    @property
    @abstractmethod
    def present(self) -> bool:
        """Whether this is the present of a lab that runs. Elsewhere, to act is to begin another future."""

    @property
    def repeating(self) -> bool:
        """Whether a lab executes again what happened up to where another future begins, and cannot be acted on yet."""
        return False

    @abstractmethod
    def act(self, *commands: AnyCommand) -> None:
        """Do something to the lab, in the present and at one instant.

        Raises UserError when one of it cannot be done or would change nothing.
        """

    @abstractmethod
    def recording(self) -> Recording:
        """What is recorded so far. Raises GossiplabError."""

    @property
    @abstractmethod
    def protocol(self) -> type[Protocol]:
        """What the nodes run. Raises UserError when there is no such protocol here."""

    @abstractmethod
    def go_on(self) -> None:
        """A person has read what went wrong: time may pass again, if it was that which stopped it."""

    def roster(self) -> Roster:
        """The nodes that a command may name. Random ones follow from the place of the command among those before the instant in view."""
        return roster_of(self.header.experiment, f"live/{len(self.world.deeds)}")

    def change_speed(self, steps: int) -> None:
        """Go so many steps up or down the ladder of speeds."""
        if steps > 0:
            self.speed = next((speed for speed in SPEEDS if speed > self.speed), SPEEDS[-1])
        else:
            self.speed = next((speed for speed in reversed(SPEEDS) if speed < self.speed), SPEEDS[0])


class Replay(Session):
    """A recording that is played from its beginning. Raises RecordingError when it cannot be used.

    protocol: what it ran; a built-in one if None.
    """

    def __init__(self, path: Path, speed: float = 1.0, protocol: type[Protocol] | None = None) -> None:
        recording = open_recording(path)
        super().__init__(recording.header, path)
        self._recording = recording
        self._protocol = protocol
        self._speed = speed
        self._closed = False
        self._latest = recording.at_event(recording.length)
        self._player = Player(recording)
        self._player.seek(0.0)
        self._player.playing = True
        if recording.torn:
            self.trouble = (
                f"this recording ends early after event {recording.length}: the run was cut off there or goes on, "
                "and all before it is here."
            )

    def start(self, on_failure: Callable[[BaseException], None]) -> None:
        pass  # the player stands ready

    def stop(self) -> None:
        self._player.playing = False

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._recording.close()

    @property
    def world(self) -> World:
        return self._player.world

    @property
    def t(self) -> float:
        return self._player.t

    @property
    def latest(self) -> World:
        return self._latest

    @property
    def end(self) -> float:
        return self._recording.end

    @property
    def growing(self) -> bool:
        return False

    @property
    def running(self) -> bool:
        return self._player.playing

    @property
    def headline(self) -> Headline:
        if self._player.playing:
            return Headline("▶", f"replay {self.t:.3f} s of {self.end:.3f} s")
        if self._player.at_end and self.t >= self.end:
            why = f": {why_ended(self._latest.ended)}" if self._latest.ended else ""
            return Headline("■", f"the end, {self.end:.3f} s{why}")
        return Headline("‖", f"paused at {self.t:.3f} s of {self.end:.3f} s")

    @property
    def speed(self) -> float:
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._speed = speed

    def advance(self, seconds: float) -> None:
        player = self._player
        if player.playing and seconds:
            try:
                player.advance(seconds * self._speed)
            except GossiplabError as error:
                player.playing, self.trouble = False, str(error)
            if player.at_end and player.t >= self.end:
                player.playing = False

    def toggle(self) -> None:
        player = self._player
        if not player.playing and player.at_end and player.t >= self.end:
            player.seek(0.0)
        player.playing = not player.playing

    def step(self, events: int) -> None:
        player = self._player
        player.playing = False
        _check_step(player.world, events, player.at_end)
        player.step(events)

    def seek(self, t: float) -> None:
        self._player.seek(min(max(t, 0.0), self.end))

    def go_live(self) -> None:
        self._player.playing = False
        self._player.seek(self.end)

    @property
    def present(self) -> bool:
        return False

    def act(self, *commands: AnyCommand) -> None:
        raise UserError("this is a recording, and what has happened cannot be changed.")

    def go_on(self) -> None:
        pass  # nothing stops what has happened

    def recording(self) -> Recording:
        return self._recording

    @property
    def protocol(self) -> type[Protocol]:
        if self._protocol is None:
            self._protocol = load_recorded(self.header.experiment.protocol, self.header.own)
        return self._protocol


def _check_step(world: World, events: int, at_end: bool) -> None:
    if events > 0 and at_end:
        raise UserError("this is the end: nothing happened after it.")
    if events < 0 and not world.events:
        raise UserError("this is the beginning: nothing happened before it.")
