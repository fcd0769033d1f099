"""The key bar: the keys that matter most, and one word about each, at the bottom. Imports keys. A click presses the key."""

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from gossiplab.tui.keys import NODES, SCRUB, TIME, Hint, Stroke


class KeyBar(Widget):
    """The keys on one line where all fit, else on two with as many as fit.

    scrubbing: whether the arrows move through time, because the timeline has the focus.
    """

    scrubbing: reactive[bool] = reactive(False)

    def render(self) -> Content:
        width = self.size.width
        nodes = (SCRUB, *NODES[1:]) if self.scrubbing else NODES
        if self._one_line(width):
            return Content.assemble(_line(nodes, width), "   ", _line(TIME, width))
        return Content("\n").join([_line(nodes, width), _line(TIME, width)])

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return 1 if self._one_line(width) else 2

    async def on_click(self, event: events.Click) -> None:
        if action := event.style.meta.get("key"):
            await self.screen.run_action(action)

    def _one_line(self, width: int) -> bool:
        return _row(TIME).cell_length + _row(NODES).cell_length + 3 <= width


def _line(hints: tuple[Hint, ...], width: int) -> Content:
    """As many of some hints, from the first on, as fit."""
    while _row(hints).cell_length > width:
        hints = hints[:-1]
    return _row(hints)


def _row(hints: tuple[Hint, ...]) -> Content:
    return Content("  ").join([_hint(hint) for hint in hints])


def _hint(hint: Hint) -> Content:
    caps: list[Content] = []
    for stroke in hint.strokes:
        gap = " " if caps and len(stroke.cap) > 1 else ""
        caps += [Content(gap), Content(stroke.cap).stylize("bold $text-accent").stylize(_click(stroke))]
    return Content.assemble(*caps, Content(f" {hint.word}").stylize(_click(hint.strokes[-1])))


def _click(stroke: Stroke) -> Style:
    """A click does what the key does. Not Textual's @click: that would draw all of it as links."""
    return Style.from_meta({"key": stroke.action})
