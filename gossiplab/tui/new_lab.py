"""The form for a new lab: protocol, nodes, topology, seed and every parameter. Imports content, plan and live."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Select, Static

from gossiplab.content import load_protocol, protocol_files
from gossiplab.errors import GossiplabError, UserError
from gossiplab.experiment import make_experiment
from gossiplab.library import default_path
from gossiplab.link import Link
from gossiplab.plan import plan
from gossiplab.protocol import Param
from gossiplab.text import visible
from gossiplab.topology import TOPOLOGIES
from gossiplab.tui.live import LiveLab
from gossiplab.tui.modal import Modal
from gossiplab.tui.session import Session
from gossiplab.workload import parse_workload

_FIRST = "epidemic"
_WATCHED = "0.2..0.5"  # s in flight: long enough to be seen; who waits for answers would take them for lost
_FIELDS = (
    ("nodes", "30", "how many, from 0 to 100000"),
    ("topology", "complete", f"who is linked with whom: {', '.join(TOPOLOGIES)}"),
    ("seed", "0", "a whole number from which everything random follows"),
    ("latency", _WATCHED, "seconds in flight: 0.03, 0.01..0.05 or lognormal(0.03,0.5)"),
    ("loss", "0", "probability that a message is lost"),
)
_CLIENTS = "keys=20 rate=2"
_WORKLOAD = "what clients do, as keys=20 rate=2 reads=0.5 writers=3; empty: nothing, and no keys"


class NewLab(Modal[Session | None]):
    """Start a lab."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close"),
        Binding("ctrl+s", "start", "Start", priority=True),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._proposed = _WATCHED  # the latency that was proposed last

    def compose(self) -> ComposeResult:
        names = sorted(protocol_files())
        with Vertical(classes="dialog"):
            yield Static(Content("Start a lab"), classes="title")
            with VerticalScroll(id="form", can_focus=False):
                choice = Select(
                    [(name, name) for name in names], value=_FIRST, allow_blank=False, compact=True
                )
                yield _row("protocol", choice, "", "protocol")
                yield from (
                    _row(name, Input(default, compact=True), doc, name) for name, default, doc in _FIELDS
                )
                yield Vertical(id="params")
            yield Static(id="wrong")
            with Horizontal(id="buttons"):
                yield Button("Start", id="start", variant="primary", compact=True)
                yield Static(Content("  ctrl+s starts, and Enter on a line; tab goes on, Esc closes."))

    @on(Select.Changed, "#protocol")
    async def _protocol_chosen(self) -> None:
        """Show the parameters of the protocol."""
        self._say("")
        box = self.query_one("#params", Vertical)
        await box.remove_children()
        try:
            protocol = load_protocol(self._protocol())
        except GossiplabError as error:
            self._say(str(error))
            return
        latency = self.query_one("#latency", Input)
        proposed = Link().latency if "timeout" in protocol.params else _WATCHED
        if latency.value == self._proposed:  # else somebody has written another
            latency.value = proposed
        self._proposed = proposed
        summary = Static(
            Content(visible((protocol.__doc__ or "").strip().partition("\n")[0], 200)), classes="summary"
        )
        workload = [_row("workload", Input(_CLIENTS, compact=True), _WORKLOAD, "workload")]
        await box.mount(summary, *(workload if protocol.stores_keys else ()), *_rows(protocol.params))

    @on(Input.Submitted)
    @on(Button.Pressed)
    def action_start(self) -> None:
        """Start the lab that the form asks for, or say what is wrong with it."""
        try:
            self.dismiss(self._lab())
        except GossiplabError as error:
            self._say(str(error))
            if field := self._field_in(str(error)):
                self.set_focus(field)

    def _lab(self) -> LiveLab:
        values = {name: self.query_one(f"#{name}", Input).value.strip() for name, _, _ in _FIELDS}
        protocol = load_protocol(self._protocol())
        params: dict[str, Any] = {name: self._value(f"#param-{name}") for name in protocol.params}
        workload = self._value("#workload").split() if protocol.stores_keys else []
        experiment = make_experiment(
            {
                "protocol": self._protocol(),
                "nodes": _whole("nodes", values["nodes"]),
                "topology": values["topology"],
                "seed": _whole("seed", values["seed"]),
                "link": {"latency": values["latency"], "loss": _number("loss", values["loss"])},
                "params": params,
                "until": "stopped",
                **({"workload": parse_workload(workload)} if workload else {}),
            }
        )
        header = plan(experiment, protocol)
        return LiveLab(header, protocol, default_path(experiment.protocol))

    def _protocol(self) -> str:
        return self._value("#protocol")

    def _value(self, selector: str) -> str:
        widget: Any = self.query_one(selector)  # an Input or a Select, both have a value
        return str(widget.value)

    def _field_in(self, text: str) -> Widget | None:
        """The field that a message names first, if it names one; of two with one name that of a parameter if it speaks of one."""
        fields = {str(field.id): field for field in self.query("#form Input, #form Select").results(Widget)}
        kinds = ("param-", "") if "parameter" in text else ("", "param-")
        ids = (f"{kind}{word}" for word in re.findall(r"\w+", text) for kind in kinds)
        return next((fields[id] for id in ids if id in fields), None)

    def _say(self, text: str) -> None:
        self.query_one("#wrong", Static).update(Content(visible(text, 400)))


def _rows(params: dict[str, Param]) -> Iterator[Widget]:
    for name, each in params.items():
        default = str(each.default).lower() if isinstance(each.default, bool) else str(each.default)
        choices = ("true", "false") if isinstance(each.default, bool) else each.choices
        field = (
            Select([(choice, choice) for choice in choices], value=default, allow_blank=False, compact=True)
            if choices
            else Input(default, compact=True)
        )
        unit = f" {each.unit}" if each.unit else ""
        domain = "" if choices else f" ({each.domain()}{unit})"
        yield _row(name, field, f"{each.doc}{domain}", f"param-{name}")


def _row(name: str, field: Widget, doc: str, id: str) -> Horizontal:
    field.id = id
    return Horizontal(
        Static(Content(visible(name, 20)), classes="name"),
        field,
        Static(Content(visible(doc, 200)), classes="doc"),
        classes="row",
    )


def _whole(name: str, text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 40:
        raise UserError(f"{name} cannot be {text!r}: give a whole number from 0 up.")
    return int(text)


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UserError(f"{name} cannot be {text!r}: give a number.") from None
