"""A lab or a recording on a screen that nobody sees, and a hand on its keys. Nothing here waits for a wall clock:
`until` turns the event loop until something is so.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, Generic, TypeVar

from textual.events import Key, Paste
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Static

from gossiplab.commands import parse_command
from gossiplab.tui.app import GossipApp
from gossiplab.tui.lab_screen import LabScreen
from gossiplab.tui.live import LiveLab
from gossiplab.tui.log import Lines
from gossiplab.tui.session import Replay, Session
from gossiplab.tui.views import VIEWS
from tests.helpers import header_of, specimen

SMALL, LARGE = (80, 24), (160, 48)
_PATIENCE = (
    300.0  # s of real time after which something that never comes fails its test, on however busy a machine
)

_NAMED = {  # keys that are no letters, as a terminal sends them: their names and characters
    " ": ("space", " "), ":": ("colon", ":"), "/": ("slash", "/"), "?": ("question_mark", "?"),
    "\t": ("tab", None), "\n": ("enter", None), "\x1b": ("escape", None), "\b": ("backspace", None),
}  # fmt: skip

S = TypeVar("S", bound=Session)


class Hand(Generic[S]):
    """Drives the app of a session."""

    def __init__(self, pilot: Pilot[None], app: GossipApp, session: S) -> None:
        self.pilot = pilot
        self.app = app
        self.session = session

    @property
    def screen(self) -> LabScreen:
        (screen,) = (each for each in self.app.screen_stack if isinstance(each, LabScreen))
        return screen

    @property
    def said(self) -> str:
        """What the user was told last."""
        return self.screen.notice.said

    def shown(self, id: str) -> str:
        """The text of a widget, as it stands on the screen."""
        widget = self.screen.query_one(f"#{id}")
        return "\n".join(widget.render_line(y).text.rstrip() for y in range(widget.size.height))

    def text_of(self, widget: Widget) -> list[str]:
        """The lines of a widget, as they stand on the screen."""
        return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]

    def seen(self, widget: Widget) -> list[str]:
        """The lines of a widget and all that lies in it, as they stand on the screen."""
        x, y, width, height = widget.region
        rows = [strip.text for strip in self.screen._compositor.render_strips()]
        return [row[x : x + width].rstrip() for row in rows[y : y + height]]

    def lines(self) -> list[str]:
        """The lines of the log that hold something."""
        return [line for line in self.text_of(self.screen.view.query_one(Lines)) if line]

    def state(self) -> str:
        """What the log says about itself."""
        return str(self.screen.view.query_one(Static).content)

    async def open(self, view: str) -> None:
        """Show a view, by its title."""
        titles = [each.title for each in VIEWS]
        await self.press(str(titles.index(view) + 1))
        await self.draw()

    async def until_drawn(self, what: Callable[[], object]) -> None:
        """Draw until something is so."""
        give_up = perf_counter() + _PATIENCE
        while not what():
            assert perf_counter() < give_up, "it never came"
            await self.draw()

    async def press(self, *keys: str) -> None:
        """Press keys. Not the pilot's own way, which waits after each until the process has nothing to do."""
        for key in keys:
            self.app.simulate_key(key)
            await self.settle()
            await self.until(lambda: not self.app._keys)
            await self.settle()

    def at_once(self, text: str) -> None:
        """Type as fast as a machine does: every key is there before the first has been looked at."""
        for letter in text:
            self.app.post_message(Key(*_NAMED.get(letter, (letter, letter))))

    async def type(self, text: str) -> None:
        """Write into whatever has the focus, as fast as a paste."""
        self.app.post_message(Paste(text))
        await self.settle()

    async def settle(self) -> None:
        """Let all messages that are under way within the app arrive."""
        for _ in range(2):
            await self.pilot.pause(0)

    async def until(self, what: Callable[[], object]) -> None:
        give_up = perf_counter() + _PATIENCE
        while not what():
            assert perf_counter() < give_up, "it never came"
            await self.pilot.pause(0)

    async def draw(self) -> None:
        self.screen.draw()
        await self.settle()


class LiveHand(Hand[LiveLab]):
    """Drives a live lab."""

    async def run_to(self, t: float) -> None:
        """Let a paused lab go on to the instant `t`, and pause there."""
        clock = self.session.lab.clock
        assert clock.paused
        self.session.run_to(t)
        await self.until(lambda: clock.paused and clock.now >= t)
        assert self.session.end == t
        await self.draw()

    async def happened(self, verb: str, count: int = 1) -> None:
        """Wait until a command of this verb has taken effect for the `count`-th time."""
        await self.until(
            lambda: sum(deed.command.split()[0] == verb for deed in self.session.latest.deeds) >= count
        )
        await self.draw()

    async def select(self, node: int) -> None:
        self.screen.stage.selected = node
        await self.settle()


@asynccontextmanager
async def live(
    path: Path, protocol: str = "chatter", *, size: tuple[int, int] = SMALL, speed: float = 1.0, paused: bool = True,
    posts: Iterable[tuple[float, str]] = (), stop: float | None = None, plain: bool = False, **fields: Any,
) -> AsyncIterator[LiveHand]:  # fmt: skip
    """A lab on the screen, paused right after its instant 0 unless told otherwise."""
    header = header_of(protocol, **{"nodes": 12, "until": "stopped", **fields})
    session = LiveLab(header, specimen(protocol), path, speed, paused)
    for t, command in posts:
        session.lab.post(parse_command(command, header.experiment.nodes), at=t)
    if stop is not None:
        session.lab.stop(at=stop)
    app = GossipApp(session, plain=plain)
    async with app.run_test(size=size) as pilot:
        hand = LiveHand(pilot, app, session)
        await hand.until(lambda: session.latest.events)
        await hand.draw()
        yield hand


@asynccontextmanager
async def replay(path: Path, *, size: tuple[int, int] = SMALL) -> AsyncIterator[Hand[Replay]]:
    """A recording on the screen, paused at its beginning."""
    session = Replay(path)
    session.toggle()
    app = GossipApp(session)
    async with app.run_test(size=size) as pilot:
        hand = Hand(pilot, app, session)
        await hand.draw()
        yield hand
