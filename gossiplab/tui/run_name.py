"""The run's name: the line that gives this run again, to be read and to be copied. Imports session."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from gossiplab.content import own_folder
from gossiplab.errors import GossiplabError
from gossiplab.recording.export.line import line_of
from gossiplab.text import visible
from gossiplab.tui.modal import Modal
from gossiplab.tui.session import Session

MOST_COPIED = 50_000  # characters; terminals drop a longer OSC 52 without a word
_ABOUT = (
    "Pasted into a shell, this line gives the same events, headless and on every machine. What you did to the lab "
    "stands in it as if it had been scheduled; where the lab still runs, it ends where the recording now does."
)


class RunName(Modal[None]):
    """Shows the line, and copies it.

    line: as a shell wants it, which may hold whatever a recording holds. copy: hands text to the terminal.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,g,q", "dismiss", "Close"),
        Binding("c,enter", "copy", "Copy"),
    ]

    def __init__(self, line: str, copy: Callable[[str], None]) -> None:
        super().__init__()
        self._copy = copy
        self._line = line

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="explanation"):
            yield Static(Content("This run, as one line for a shell"), classes="title")
            yield Static(Content(visible(self._line, MOST_COPIED)), id="line")
            yield Static(Content(_ABOUT))
            yield Static(id="copied")
            with Horizontal(id="buttons"):
                yield Button("Copy", id="copy", variant="primary", compact=True)
                yield Static(Content("  c copies, Esc closes."))

    def on_button_pressed(self) -> None:
        self.action_copy()

    def action_copy(self) -> None:
        """Hand the line to the terminal, if it is one that a terminal and a shell can have."""
        if why := unfit(self._line):
            said = f"not copied: {why}"
        else:
            self._copy(self._line)
            said = "handed to your terminal's clipboard; where it takes none (OSC 52), mark the line with shift and the mouse."
        self.query_one("#copied", Static).update(Content(said))


def line_for(session: Session) -> str:
    """The line that gives this run again, as far as it is recorded. Raises GossiplabError where there is none."""
    try:
        protocol = session.protocol
    except GossiplabError:
        protocol = None  # not here: every parameter is written, and the folder is for the user to add
    folder = None if protocol is None else own_folder(protocol)
    return line_of(session.recording(), protocol, () if folder is None else (folder,))


def unfit(line: str) -> str | None:
    """Why a line should be pasted into no shell, if it should not: beyond printable ASCII it is not what it looks like."""
    if not (line.isascii() and line.isprintable()):
        return "it holds characters that are not printable ASCII: use gossiplab export FILE --to experiment."
    if len(line) > MOST_COPIED:
        return f"it has more than {MOST_COPIED} characters: use gossiplab export FILE --to experiment."
    return None
