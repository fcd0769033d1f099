"""The banner: what is wrong, and what can be done about it, above the timeline. Imports world.

It takes no room while nothing is. Escape closes it until something else goes wrong.
"""

from textual import events
from textual.content import Content
from textual.style import Style
from textual.widgets import Static

from gossiplab.text import visible
from gossiplab.world.parts import Crash
from gossiplab.world.world import World

_LINES = 3  # for the sentence, at most


class Banner(Static):
    """What is wrong. crash: the crash that it tells of, if it does."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.crash: Crash | None = None
        self._said: tuple[str, int] = "", 0
        self._dismissed = ""

    def show(self, trouble: str, world: World) -> None:
        """Say what is wrong with the recording, or which node crashed last."""
        self.crash = world.crashes[-1] if world.crashes and not trouble else None
        text = trouble or (_tell(self.crash, len(world.crashes) - 1) if self.crash else "")
        width = max(self.screen.size.width - 2, 20)
        if (text, width) != self._said:
            self._said = text, width
            sentence = Content(f"⚠ {visible(text, _LINES * width - 20)}")
            self.update(Content("\n").join([sentence, _choices(self.crash)]) if self.crash else sentence)
        self.display = bool(text) and text != self._dismissed

    def close(self) -> bool:
        """Take the message away. Whether there was one."""
        shown = self.display
        self._dismissed = self._said[0]
        self.display = False
        return shown

    async def on_click(self, event: events.Click) -> None:
        if action := event.style.meta.get("key"):
            await self.screen.run_action(action)


def _tell(crash: Crash, before: int) -> str:
    place = f"{crash.file}, line {crash.line}" if crash.line else crash.file
    others = f" ({before} crashed before it)" if before else ""
    return (
        f"n{crash.node} was stopped by its own protocol at {crash.t:.3f} s, in {place}: "
        f"{crash.error.rstrip('.')}{others}."
    )


def _choices(crash: Crash) -> Content:
    """What to do; a click does what the key does."""
    choices = (
        ("esc", "go on without it", "clear"),
        ("R", "restart it fresh", "restart"),
        ("E", f"open {visible(crash.file, 24)}", "app.edit"),
    )
    return Content("   ").join(
        [
            Content.assemble((cap, "reverse"), f" {words}").stylize(Style.from_meta({"key": action}))
            for cap, words, action in choices
        ]
    )
