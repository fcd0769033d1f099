"""The help: what is seen, and what every key does, for somebody who sees the lab for the first time."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from gossiplab.commands import VERBS
from gossiplab.tui.keys import strokes
from gossiplab.tui.symbols import SYMBOLS

_SEEN = (
    Content(
        "Every sign on the stage is a node: a small program with a memory of its own. Nobody tells all of them "
        "anything; each talks to a few others at a time, and that is how a rumor gets around. The dots that "
        "move along the lines are messages on their way. A node changes its shape when it learns the rumor.\n"
    ),
    Content(
        "The numbers at the top count messages: sent, delivered, dropped (lost on the way, cut off, or sent to a "
        "node that is down), and in flight. The word on the right says how the rumor is doing: spreading, "
        "converged (every node that is up knows it), quiescent (nobody spreads it any more) or partitioned.\n"
    ),
    Content(
        "At the bottom is the timeline, the whole run so far: the curve is the fraction of nodes that know the "
        "newest rumor, a letter marks each time somebody pressed that key. Click or drag on it to look back. "
        "Looking back holds only your view: the lab goes on and everything is recorded.\n"
    ),
)
_ACTING = (
    "kill, rejoin, leave and partition act on the marked nodes or, if none is marked, on the selected one; "
    "afterwards the marks are gone. All this is possible only in a live lab and in the present: in a recording, "
    "or while you look back, nothing can be changed."
)
_NODES = "NODES is n3, n0-n7, n1,n4 or all."


class HelpScreen(ModalScreen[None]):
    """What is seen, and every key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter,space", "dismiss", "Close"),
    ]

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help"):
            yield Static(_text())


def _text() -> Content:
    parts = [_title("What you see"), *_SEEN]
    parts += [_row(symbol.glyph, symbol.meaning) for symbol in SYMBOLS.values() if symbol.meaning]
    parts += [Content(), _title("Keys"), *(_row(each.cap, each.doc) for each in strokes())]
    parts += [Content(), Content(_ACTING), Content()]
    parts += [
        _title("Commands, after :"),
        *(_row("", f"{kind.usage}: {kind.doc}") for kind, _ in VERBS.values()),
    ]
    parts += [_row("", _NODES), Content(), Content.styled("Esc closes this.", "italic")]
    return Content("\n").join(parts)


def _title(text: str) -> Content:
    return Content.styled(f"{text}\n", "bold $accent")


def _row(cap: str, text: str) -> Content:
    return Content.assemble((f"{cap:>10}", "bold"), f"  {text}")
