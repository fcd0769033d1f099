"""The explanation: a few sentences about one part of the screen. Imports nothing of ours."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from gossiplab.tui.modal import Modal


class Explain(Modal[None]):
    """What a part of the screen shows and what can be done there."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,q,enter,space", "dismiss", "Close")]

    def __init__(self, title: str, about: str) -> None:
        super().__init__()
        self._title = title
        self._about = about

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="explanation"):
            yield Static(Content(self._title), classes="title")
            yield Static(Content(self._about))
            yield Static(Content("Esc closes this."), classes="paragraph")
