"""The banner: one or two lines about what is wrong, between the stage and the timeline. Imports world.

It takes no room while nothing is. Escape closes it until something else goes wrong.
"""

from textual.content import Content
from textual.widgets import Static

from gossiplab.text import visible
from gossiplab.world.world import Crash, World

_MOST = 300  # characters


class Banner(Static):
    """What is wrong."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._said = ""
        self._dismissed = ""

    def show(self, trouble: str, world: World) -> None:
        """Say what is wrong with the recording, or which node crashed last."""
        text = trouble or (_crash(world.crashes) if world.crashes else "")
        if text != self._said:
            self._said = text
            self.update(Content(f"⚠ {visible(text, _MOST)}"))
        self.display = bool(text) and text != self._dismissed

    def close(self) -> bool:
        """Take the message away. Whether there was one."""
        shown = self.display
        self._dismissed = self._said
        self.display = False
        return shown


def _crash(crashes: list[Crash]) -> str:
    last = crashes[-1]
    place = f"{last.file}, line {last.line}" if last.line else last.file
    others = f" ({len(crashes) - 1} crashed before it)" if len(crashes) > 1 else ""
    return (
        f"n{last.node} was stopped by its own protocol at {last.t:.3f} s, in {place}: {last.error.rstrip('.')}"
        f"{others}. The others go on; mend the file, or press r on the node to start it again."
    )
