"""Shows every recording of a folder in the terminal that it is started in: each in all views and dialogs, then leaves.

Run by test_hostile.py in a pty. Keys are pressed from within, so that nothing depends on how fast the machine is.
"""

import asyncio
import sys
from pathlib import Path

from textual.widgets import OptionList

from gossiplab.errors import GossiplabError
from gossiplab.library import recording_files
from gossiplab.tui import app as app_module
from gossiplab.tui import lab_screen
from gossiplab.tui.app import GossipApp
from gossiplab.tui.lab_screen import LabScreen
from gossiplab.tui.selection import PickedLink, PickedMessage
from gossiplab.tui.session import Replay
from gossiplab.tui.tracks import Track
from gossiplab.tui.views import VIEWS

lab_screen.FRAME = 3600.0  # pictures are drawn when there is something to see, and not all the time
_PASSES = 60  # of the event loop; a dialog needs some thirty from its key to its picture


class Show(GossipApp):
    """Goes through the files by itself."""

    CSS_PATH = Path(app_module.__file__).with_name("gossiplab.tcss")

    def __init__(self, paths: list[Path]) -> None:
        self.sessions = []
        for path in paths:
            try:
                self.sessions.append(Replay(path))
            except GossiplabError:
                continue  # refused as a whole: the chooser says why
        super().__init__(self.sessions[0])
        self._paths = paths

    def on_ready(self) -> None:
        self.run_worker(self._go_through())

    async def _go_through(self) -> None:
        await self._choose_each()
        for number, session in enumerate(self.sessions):
            if number:
                self.screen.leave()
                await self._replace(self.screen, session)
            await self._settle()
            await self._look_at(self.screen)
        self.leave(0)

    async def _settle(self) -> None:
        """Draw, let all messages that are under way arrive, and write what they have changed."""
        if isinstance(self.screen, LabScreen):
            self.screen.draw()
        for _ in range(_PASSES):
            await asyncio.sleep(0)
        self.screen._on_timer_update()

    async def _press(self, *keys: str) -> None:
        for key in keys:
            self.simulate_key(key)
            await self._settle()

    async def _choose_each(self) -> None:
        """Home, and the preview of every file."""
        self.screen.session.stop()
        await self._press("f2", "down", "down", "down", "enter")
        files = self.screen.query_one(OptionList)
        for number in range(len(recording_files())):
            files.highlighted = number
            await self._settle()
        await self._press("escape", "escape")

    async def _look_at(self, screen: LabScreen) -> None:
        session = screen.session
        session.stop()
        session.seek(session.end)
        nodes = len(session.world.nodes)
        for number in range(len(VIEWS)):
            await self._press(str(number + 1))
            await self._settle()
        await self._press("slash", "k", "enter", "escape", "2")
        # beside a view that has little to draw
        for picked in (*map(PickedMessage, range(session.world.sent)), PickedLink(0, 1)):
            screen._picked = picked
            await self._settle()
        screen._picked = None
        for node in range(nodes):
            screen.stage.selected = node
            await self._settle()
        await self._press(
            "1",
            "f1",
            "escape",
            "question_mark",
            "escape",
            "n",
            "i",
            "escape",
            "escape",
            "y",
            "down",
            "escape",
        )
        await self._press("f", "enter", "enter", "escape", "escape", "g", "escape")
        await self._press("colon", "k", "escape", "escape", "k")
        self.tracks.all.append(Track("B", Replay(session.path), 0, 0))
        await self._press("c", "escape")
        await self._press("home", *["full_stop"] * 2, "end")
        await self.tracks.all.pop().session.close()


if __name__ == "__main__":
    app = Show(sorted(Path(sys.argv[1]).glob("*.gossip")))
    asyncio.run(app.run_async())
    sys.exit(app.code)
