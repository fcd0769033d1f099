"""The panel beside the stage: the selected node, or the run when none is, and what the shapes mean.

Imports world, symbols and text. All it knows it reads from a World.
"""

from textual.content import Content
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from gossiplab.events import Header
from gossiplab.experiment import Value
from gossiplab.text import visible
from gossiplab.tui.selection import PickedNode, Selection
from gossiplab.tui.session import Session
from gossiplab.tui.stage import Stage
from gossiplab.tui.symbols import SYMBOLS
from gossiplab.world.world import CRASHED, DEAD, LEFT, PAUSED, World

_STATUS = {PAUSED: "paused", DEAD: "dead", LEFT: "away: it left", CRASHED: "crashed"}
_LINE = 28  # cells of a line
_MOST_RUMORS = 6


class Panel(Widget):
    """Details."""

    content: reactive[Content] = reactive(Content())

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: list[Content] = []  # the legend, until the theme changes

    def notify_style_update(self) -> None:
        """Part of Widget: the theme or the stylesheet changed."""
        super().notify_style_update()
        self._lines = []

    def show(self, session: Session, picked: Selection | None) -> None:
        """Draw a node of the World in view, or the run if no node is selected."""
        world = session.world
        known = isinstance(picked, PickedNode) and picked.node < len(world.nodes)
        lines = _node(world, picked.node) if known else _run(session.header, world)
        self.content = Content("\n").join([*lines, Content(), *self._legend()])

    def render(self) -> Content:
        return self.content

    def _legend(self) -> list[Content]:
        """What the stage's shapes mean, in the stage's colours."""
        if not self._lines:
            stage = self.screen.query_one(Stage)
            self._lines = [_title("legend")]
            for role, symbol in SYMBOLS.items():
                if symbol.meaning:
                    style = Style.from_rich_style(stage.get_component_rich_style(role.component))
                    self._lines.append(Content.assemble((symbol.glyph, style), f"  {symbol.meaning}"))
        return self._lines


def _node(world: World, id: int) -> list[Content]:
    node = world.nodes[id]
    status = _STATUS.get(node.status, "up") + (f" since {node.since:.2f} s" if node.since else "")
    lines = [
        _title(f"n{id}"),
        Content(status),
        Content(f"sent {node.sent:,}, received {node.received:,}"),
    ]
    if id in world.clocks:
        clock = world.clocks[id]
        lines.append(Content(f"its clock: {clock.ahead(world.t):+.3f} s, {clock.rate:g}x"))
    if node.lives > 1:
        lines.append(Content(f"started {node.lives} times"))
    for rumor in range(len(world.rumors))[-_MOST_RUMORS:]:
        lines += [Content(), *_rumor(world, id, rumor)]
    if node.shown:
        lines += [Content(), _title("it shows")]
        lines += [Content(visible(f"{name}: {value}", _LINE)) for name, value in node.shown.items()]
    return lines


def _rumor(world: World, id: int, number: int) -> list[Content]:
    """How a node came to know a rumor."""
    rumor = world.rumors[number]
    arrival = rumor.arrivals.get(id)
    title = _title(f"rumor {number}" if len(world.rumors) > 1 else "the rumor")
    if arrival is None:
        return [title, Content("not heard yet")]
    if arrival.message is None:
        lines = [title, Content("its source")]
    else:
        sender = "a message" if arrival.sender is None else f"n{arrival.sender}"
        lines = [title, Content(f"heard from {sender}")]
    lines.append(Content(f"at {arrival.t:.3f} s{_cycles(world, rumor.t, arrival.t)}"))
    if id in rumor.retired:
        lines.append(Content(f"silent since {rumor.retired[id]:.3f} s"))
    return lines


def _cycles(world: World, start: float, t: float) -> str:
    return f", cycle {world.cycle.count(start, t)}" if world.cycle else ""


def _run(header: Header, world: World) -> list[Content]:
    experiment = header.experiment
    link = experiment.link
    facts = [
        f"{experiment.nodes} nodes, {visible(experiment.topology, 60)}",
        f"seed {experiment.seed}",
        f"latency {visible(link.latency, 20)} s",
        *(
            f"{name} {getattr(link, name):g}"
            for name in ("jitter", "loss", "duplicate", "reorder", "bandwidth")
            if getattr(link, name)
        ),
        *(visible(f"{name} {_value(value)}", _LINE) for name, value in experiment.params.items()),
        *(
            visible(f"link {a} {'' if both else 'to '}{b} {' '.join(settings)}", 80)
            for a, b, settings, both in world.shapes[-3:]
        ),
        *(visible(f"cut {a} {'from' if both else 'to'} {b}", 80) for a, b, both in world.cuts[-3:]),
        *([] if world.held == "none" else [visible(f"held: messages to {world.held}", 80)]),
        *(visible(fault, 80) for fault in world.unrest[-3:]),
        *([visible(f"forked at {parent.t:g} s from {parent.name}", 80)] if (parent := header.parent) else []),
    ]
    return [
        _title(visible(experiment.protocol, _LINE)),
        *map(Content, facts),
        Content(),
        Content.styled("tab or a click selects a node", "italic $text-muted"),
    ]


def _value(value: Value) -> str:
    """A parameter's value as people write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _title(text: str) -> Content:
    return Content.styled(text, "bold")
