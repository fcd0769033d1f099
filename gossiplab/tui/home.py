"""Home: what there is to open, in a column beside the demo, which runs on meanwhile. Imports nothing of ours."""

from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from gossiplab.tui.modal import Modal
from gossiplab.tui.options import Options


class Way(NamedTuple):
    """One way on from home: how it is called, and a sentence about it."""

    id: str
    title: str
    doc: str


WAYS = (
    Way("demo", "Watch the demo", "Half a minute: a rumor spreads, the network is cut in two and healed, nodes die and come back."),
    Way("new", "Start a lab", "Choose a protocol, how many nodes, how they are linked, and every parameter."),
    Way("experiment", "Open an experiment", "A .toml file that says what to run and what befalls it."),
    Way("recording", "Open a recording", "A run that was recorded, yours or one of those that come along: see it again, or act differently."),
)  # fmt: skip


class Home(Modal[str]):
    """Says which way a person chose."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f2", "dismiss('demo')", "Close"),
        Binding("q", "app.quit", "Quit"),
    ]

    def compose(self) -> ComposeResult:
        with Vertical(id="home"):
            yield Static(Content("gossiplab"), classes="title")
            yield Static(Content("A laboratory for gossip protocols."))
            yield Options(*(Option(Content(way.title), id=way.id) for way in WAYS), id="ways")
            yield Static(id="way")
            yield Static(
                Content(
                    "Enter chooses, Esc goes to what you see, q quits. F2 comes back here, ? explains the keys."
                )
            )

    @on(OptionList.OptionHighlighted)
    def _explain(self, event: OptionList.OptionHighlighted) -> None:
        self.query_one("#way", Static).update(Content(WAYS[event.option_index].doc))

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)
