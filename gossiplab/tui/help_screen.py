"""The help: what is seen, and what every key does, for somebody who sees the lab for the first time."""

from collections.abc import Iterable
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from gossiplab.commands import VERBS
from gossiplab.tui.ascii import is_plain
from gossiplab.tui.keys import strokes
from gossiplab.tui.modal import Modal
from gossiplab.tui.symbols import symbols
from gossiplab.tui.views import VIEWS

_SEEN = (
    (
        "Every sign on the stage is a node: a small program with a memory of its own. Nobody tells all of them "
        "anything; each talks to a few others at a time, and that is how a rumor gets around. The small signs "
        "that move along the lines are messages on their way, in two shapes for each type: with the rumor, and without "
        "it. One that is too fast for the eye leaves its way behind for a moment. A node changes its shape when it learns the rumor."
    ),
    (
        "The numbers at the top count messages: sent, delivered, dropped (lost on the way, cut off, or sent to a "
        "node that is down), and in flight. The word on the right says how the rumor is doing: spreading, "
        "converged (every node that is up knows it), quiescent (nobody spreads it any more) or partitioned. Where nodes keep data, it says how many keys are not the "
        "same everywhere."
    ),
    (
        "At the bottom is the timeline, the whole run so far: the curve is the fraction of nodes that have heard the "
        "newest rumor, letters mark what was done to the lab (F1 there lists them), † a node lost, ✓ that all know. Click or drag on it to look back. "
        "Looking back holds only your view: the lab goes on and everything is recorded."
    ),
)
_ACTING = (
    "kill, rejoin, leave and partition act on the marked nodes or, if none is marked, on the selected one; "
    "afterwards the marks are gone. The form for faults (f) has everything else that can be done. In a recording, or "
    "while you look back, acting begins another future from that instant; the old one stays beside it."
)
_CLOSING = "NODES is n3, n0-n7, n1,n4 or all. Esc closes this help."


class HelpScreen(Modal[None]):
    """What is seen, and every key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter,space", "dismiss", "Close"),
    ]

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help"):
            yield _title("What you see")
            for paragraph in _SEEN:
                yield Static(Content(paragraph), classes="paragraph")
            signs = symbols(is_plain(self.get_line_filters())).values()
            yield Static(_table((each.glyph, each.meaning) for each in signs if each.meaning))
            yield _title("Keys")
            yield Static(_table((each.cap, each.doc) for each in strokes()))
            yield Static(Content(_ACTING), classes="paragraph")
            yield _title("Views")
            yield Static(
                _table((f"{number} {view.title}", view.about) for number, view in enumerate(VIEWS, 1))
            )
            yield _title("Commands, after :")
            yield Static(_table((kind.usage, kind.doc) for kind, _ in VERBS.values()))
            yield Static(Content(_CLOSING), classes="paragraph")


def _title(text: str) -> Static:
    return Static(Content(text), classes="title")


def _table(rows: Iterable[tuple[str, str]]) -> Table:
    """Two columns: what to press or to write, and what it does."""
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(justify="right", style="bold", max_width=34)
    table.add_column(ratio=1)
    for left, right in rows:
        table.add_row(Text(left), Text(right))
    return table
