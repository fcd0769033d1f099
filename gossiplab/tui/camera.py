"""Pictures of a recording's screen, taken without a terminal. Imports app, lab_screen and session.

The app runs unseen on a screen of the asked size and is moved from instant to instant; between two pictures its
messages are let settle, so that a picture depends on the recording, the instant and the size alone.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console
from textual.pilot import Pilot
from textual.strip import Strip

from gossiplab.errors import UserError
from gossiplab.tui.app import GossipApp
from gossiplab.tui.lab_screen import LEAST_HEIGHT, LEAST_WIDTH, LabScreen
from gossiplab.tui.session import Replay

WIDTH, HEIGHT = 160, 48  # cells, unless the user asks for others
MOST_WIDTH, MOST_HEIGHT = 500, 200  # cells; beyond, a picture takes minutes and nobody can read it


class Camera:
    """Looks at a recording, first at its beginning. end: the last instant there is, in virtual seconds."""

    def __init__(self, app: GossipApp, pilot: Pilot[None], session: "_Still") -> None:
        self._app = app
        self._pilot = pilot
        self._session = session
        self._console = Console(force_terminal=True, color_system="truecolor", legacy_windows=False)
        self.end = session.end

    async def go(self, t: float) -> None:
        """Look at the instant `t`, in virtual seconds; the end when it lies beyond."""
        self._session.seek(t)
        (screen,) = (each for each in self._app.screen_stack if isinstance(each, LabScreen))
        screen.draw()
        for _ in range(2):  # what drawing posts, and what that posts
            await self._pilot.pause(0)

    def svg(self, title: str) -> str:
        """The screen as an SVG picture."""
        return self._app.export_screenshot(title=title, simplify=True)

    def rows(self) -> list[Strip]:
        """The screen row by row."""
        strips: list[Strip] = self._app.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]  # what App.export_screenshot draws from; there is no public way to it
        return [strip.simplify().discard_meta() for strip in strips]

    def change(self, before: list[Strip], after: list[Strip]) -> str:
        """What to write to a terminal that shows `before` for it to show `after`: the changed part of each row."""
        parts: list[str] = []
        for y, (old, new) in enumerate(zip(before, after, strict=True), start=1):
            if old != new:
                start, stop = _unlike(old, new)
                parts.append(f"\x1b[{y};{start + 1}H{new.crop(start, stop).render(self._console)}")
        return "".join(parts)


def _unlike(old: Strip, new: Strip) -> tuple[int, int]:
    """The cells from which on and up to which two rows differ, at the borders of segments."""
    first, second = list(old), list(new)
    left = right = 0
    while first and second and first[0] == second[0]:
        left += first.pop(0).cell_length
        second.pop(0)
    if old.cell_length == new.cell_length:
        while first and second and first[-1] == second[-1]:
            right += first.pop().cell_length
            second.pop()
    return left, new.cell_length - right


class _Still(Replay):
    """A replay that moves when it is told to and not with the clock on the wall."""

    def advance(self, seconds: float) -> None:
        pass

    @property
    def running(self) -> bool:
        """False, also where it looks as if it played: nothing shall linger from one frame to the next."""
        return False


@asynccontextmanager
async def camera(path: Path, width: int, height: int, *, playing: bool) -> AsyncGenerator[Camera]:
    """Set a camera up before a recording, on a screen of so many cells. playing: show it as it looks while it plays.

    Raises UserError when the screen would be too small or too large, RecordingError when the file cannot be used.
    """
    if not (LEAST_WIDTH <= width <= MOST_WIDTH and LEAST_HEIGHT <= height <= MOST_HEIGHT):
        raise UserError(
            f"a screen of {width} by {height} cells cannot be drawn: give --width {LEAST_WIDTH} to {MOST_WIDTH} "
            f"and --height {LEAST_HEIGHT} to {MOST_HEIGHT}."
        )
    session = _Still(path)
    if not playing:
        session.toggle()
    app = GossipApp(session)
    async with app.run_test(size=(width, height)) as pilot:
        await pilot.pause(0)
        for screen in app.screen_stack:
            if isinstance(screen, LabScreen):
                screen.beat.stop()  # what fades from frame to frame would fade with the clock on the wall
        yield Camera(app, pilot, session)
