"""The tabs: the names of the views and their number keys, in one row. Imports views. A click presses the key."""

from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from gossiplab.tui.views import VIEWS


class Tabs(Widget):
    """All views by their names. current: the number of the one that is shown, from 0."""

    current: reactive[int] = reactive(0)

    def render(self) -> Content:
        whole = Content(" ").join([self._tab(number) for number in range(len(VIEWS))])
        if whole.cell_length <= self.content_size.width:
            return whole
        return Content(" ").join(
            [self._tab(number, short=number != self.current) for number in range(len(VIEWS))]
        )

    async def on_click(self, event: events.Click) -> None:
        if action := event.style.meta.get("key"):
            await self.screen.run_action(action)

    def _tab(self, number: int, short: bool = False) -> Content:
        title = "" if short else VIEWS[number].title
        chosen = number == self.current
        # brackets, because a terminal may show neither colour nor reverse
        text = (
            f"[{number + 1} {title}]" if chosen else f" {number + 1} {title} " if title else f"{number + 1}"
        )
        return Content.styled(text, "bold reverse" if chosen else "$text-muted").stylize(
            Style.from_meta({"key": f"view({number})"})
        )
