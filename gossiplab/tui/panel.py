"""The panel beside the view: what is picked, or the run when nothing is, and what the shapes mean.

Imports session, inspect, recent and view. All it knows it reads from a World and the events before it.
"""

from textual.content import Content
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from gossiplab.events import Header, Sent
from gossiplab.text import many, visible
from gossiplab.tui.inspect import LINE, link_lines, message_lines, node_lines, param_text, title
from gossiplab.tui.recent import Recent
from gossiplab.tui.selection import PickedLink, PickedMessage, PickedNode, Selection
from gossiplab.tui.session import Session
from gossiplab.tui.view import Sign, View
from gossiplab.world.world import World


class Panel(Widget):
    """Details."""

    content: reactive[Content] = reactive(Content())

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: View | None = None
        self._signs: tuple[Sign, ...] = ()
        self._lines: list[Content] = []  # the legend, until the theme changes
        self._recent = Recent()
        self._message: Sent | None = None  # the picked message as it was sent, from when it was last seen

    def notify_style_update(self) -> None:
        """Part of Widget: the theme or the stylesheet changed."""
        super().notify_style_update()
        self._lines = []

    def show(self, session: Session, picked: Selection | None, view: View) -> None:
        """Draw what is picked in the World in view, or the run if nothing is, and the legend of a view."""
        signs = view.signs()
        if view is not self._view or signs != self._signs:
            self._view, self._signs, self._lines = view, signs, []
        self._lines = self._lines or _legend(view)
        lines = self._picked(session, picked) if picked else _run(session.header, session.world)
        self.content = Content("\n").join([*lines, Content(), *self._lines])

    def render(self) -> Content:
        return self.content

    def _picked(self, session: Session, picked: Selection) -> list[Content]:
        header, world, recent = session.header, session.world, self._recent
        n = len(world.nodes)
        match picked:
            case PickedNode(node) if node < n:
                recent.look(session, picked)
                return node_lines(header, world, node, recent.entries)
            case PickedLink(a, b) if a < n and b < n:
                recent.look(session, picked)
                return link_lines(header, world, a, b, recent.entries)
            case PickedMessage(id):
                recent.look(session, picked)
                return message_lines(world, session.t, id, self._sending(world, id), list(recent.entries))
            case _:
                return _run(header, world)

    def _sending(self, world: World, id: int) -> Sent | None:
        """A message as it was sent: from what is under way, from its last events, or as it was known before."""
        if self._message is not None and self._message.id != id:
            self._message = None
        known = world.flights.get(id) or next(
            (each.message for each in self._recent.entries if each.message), None
        )
        if known is not None and known.id == id:
            self._message = known
        return known or self._message


def _legend(view: View) -> list[Content]:
    """What the view's shapes mean, in the view's colours."""
    lines = [title("legend")] if view.signs() else []
    for glyph, component, meaning in view.signs():
        style = Style.from_rich_style(view.get_component_rich_style(component))
        lines.append(Content.assemble((glyph, style), f"  {meaning}"))
    return lines


def _run(header: Header, world: World) -> list[Content]:
    experiment = header.experiment
    link = experiment.link
    facts = [
        f"{many(experiment.nodes, 'node')}, {visible(experiment.topology, 60)}",
        f"seed {experiment.seed}",
        f"latency {visible(link.latency, 20)} s",
        *(
            f"{name} {getattr(link, name):g}"
            for name in ("jitter", "loss", "duplicate", "reorder", "bandwidth")
            if getattr(link, name)
        ),
        *(
            visible(f"{name[:LINE]} {param_text(value)[:LINE]}", LINE)
            for name, value in experiment.params.items()
        ),
        *(
            visible(f"link {a} {'' if both else 'to '}{b} {' '.join(each[:80] for each in settings[:8])}", 80)
            for a, b, settings, both in world.shapes[-3:]
        ),
        *(visible(f"cut {a} {'from' if both else 'to'} {b}", 80) for a, b, both in world.cuts[-3:]),
        *([] if world.held == "none" else [visible(f"held: messages to {world.held}", 80)]),
        *(visible(fault, 80) for fault in world.unrest[-3:]),
        *([visible(f"forked at {parent.t:g} s from {parent.name}", 80)] if (parent := header.parent) else []),
    ]
    return [
        title(visible(experiment.protocol, LINE)),
        *map(Content, facts),
        Content(),
        Content.styled("tab or a click selects a node", "italic $text-muted"),
    ]
