"""The form for a write: a key, a value and the node that a client asks. Imports outlook.

What is written goes to the lab screen as a command, as it does from the form for faults.
"""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button, Input, Static

from gossiplab.tui.modal import Modal
from gossiplab.tui.outlook import outlook
from gossiplab.tui.session import Session

_LOOK = 0.5  # s of real time between two looks at a lab that goes on meanwhile
_SIGNS = {"does": "→", "idle": "○", "wrong": "✗"}
_FIELDS = (("key", "key", "a word"), ("value", "value", "any text"), ("node", "at node", "such as n3"))


class WriteForm(Modal[str | None]):
    """Gives a write command, or None. session: asked again and again, since another future may take its place.

    key, node: what to begin with.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Close")]

    def __init__(self, session: Callable[[], Session], key: str, node: int) -> None:
        super().__init__()
        self._session = session
        self._begin = {"key": key, "value": "", "node": f"n{node}"}

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -short"):
            yield Static(Content("Write"), classes="title")
            for name, label, hint in _FIELDS:
                with Horizontal(classes="row"):
                    yield Static(Content(label), classes="name")
                    yield Input(self._begin[name], placeholder=hint, id=f"write-{name}", compact=True)
            yield Static(id="outlook")
            with Horizontal(id="buttons"):
                yield Button("Write", id="do", variant="primary", compact=True)
                yield Static(Content("  Enter writes, tab goes on, Esc closes."))

    def on_mount(self) -> None:
        self.set_focus(self.query_one("#write-value", Input))
        self.set_interval(_LOOK, self._foresee)
        self._foresee()

    def action_close(self) -> None:
        """Write nothing."""
        self.dismiss(None)

    @on(Input.Changed)
    def _foresee(self) -> None:
        """Say below the fields what would come of it."""
        how, sentence = self._outlook()
        said = self.query_one("#outlook", Static)
        said.set_class(how == "wrong", "-wrong")
        said.set_class(how == "idle", "-idle")
        said.update(Content(f"{_SIGNS[how]} {sentence}"))

    @on(Input.Submitted)
    @on(Button.Pressed)
    def _do(self) -> None:
        if self._outlook()[0] == "does" and self._text:
            self.dismiss(self._text)
        else:
            self._foresee()

    @property
    def _text(self) -> str:
        """The command, empty while a field is."""
        key, value, node = (self.query_one(f"#write-{name}", Input).value.strip() for name, *_ in _FIELDS)
        return f"write {node} {key} {value}" if key and value and node else ""

    def _outlook(self) -> tuple[str, str]:
        key = self.query_one("#write-key", Input).value.strip()
        if len(key.split()) > 1:
            return "wrong", "a key is one word: write it without spaces."
        if not self._text:
            return "idle", "give a key, a value and a node."
        return outlook(self._text, self._session())[:2]
