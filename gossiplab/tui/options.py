"""A list to choose from. Imports Textual."""

from contextlib import suppress

from textual import events
from textual.widgets import OptionList


class Options(OptionList):
    """Textual's list, where what is asked of it may come late, or before there is room for it."""

    def on_click(self, event: events.Click) -> None:
        """Part of Widget: what was clicked may have gone from the list since it was drawn."""
        option: int | None = event.style.meta.get("option")
        if option is not None and option >= self.option_count:
            event.prevent_default()

    def action_page_up(self) -> None:
        """Part of OptionList: which knows no lines before it has been laid out."""
        with suppress(LookupError):
            super().action_page_up()

    def action_page_down(self) -> None:
        """Part of OptionList."""
        with suppress(LookupError):
            super().action_page_down()
