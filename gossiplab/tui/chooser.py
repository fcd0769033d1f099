"""The chooser: a list of files with a preview, and a line for any other file. Imports session and text."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from gossiplab.errors import GossiplabError
from gossiplab.text import visible
from gossiplab.tui.modal import Modal
from gossiplab.tui.options import Options
from gossiplab.tui.session import Session

_LONGEST = 2000  # characters of a preview


class Chooser(Modal[Session | None]):
    """Choose a file, and open it.

    preview: says what is in a file; open: makes a session of it. Both may raise GossiplabError, which is shown.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Close")]

    def __init__(
        self, title: str, files: Sequence[Path], preview: Callable[[Path], str], open_file: Callable[[Path], Session]
    ) -> None:  # fmt: skip
        super().__init__()
        self._title = title
        self._files = files
        self._preview = preview
        self._open_file = open_file

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(self._title), classes="title")
            yield Options(*(Option(Content(visible(file.name, 60))) for file in self._files), id="files")
            yield Input(placeholder="or the path of another file", id="path", compact=True)
            with VerticalScroll(id="preview", can_focus=False):
                yield Static(id="contents")
            yield Static(Content("Enter opens, tab goes to the line for a path, Esc closes."))

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        self._look(self._files[event.option_index])

    @on(Input.Changed)
    def _writes(self, event: Input.Changed) -> None:
        files = self.query_one(OptionList)
        if event.value.strip():
            self._say("Enter opens the file of that path.")
        elif files.highlighted is not None:
            self._look(self._files[files.highlighted])

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self._take(self._files[event.option_index])

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        if text:
            try:
                self._take(Path(text).expanduser())
            except RuntimeError:  # it begins with ~ and a name
                self._say(f"there is no user {text.partition('/')[0][1:]} here: give the path from / on.")

    def _look(self, path: Path) -> None:
        try:
            text = self._preview(path)
        except GossiplabError as error:
            text = str(error)
        self._say(text)

    def _take(self, path: Path) -> None:
        try:
            session = self._open_file(path)
        except GossiplabError as error:
            self._say(str(error))
        else:
            self.dismiss(session)

    def _say(self, text: str) -> None:
        lines = [visible(line, 200) for line in text[:_LONGEST].splitlines()]
        self.query_one("#contents", Static).update(Content("\n".join(lines)))
