"""The status: two lines at the top that say when it is, what runs, how far the rumor got and at what price.

Imports session and world. Fits 80 columns; with less room it says less, and never wraps.
"""

import math

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from gossiplab.experiment import Experiment
from gossiplab.text import many, visible
from gossiplab.tui.session import Session
from gossiplab.world.world import World

_WORD_STYLE = {
    "spreading": "bold $text-accent",
    "converged": "bold $text-success",
    "quiescent": "bold $text-secondary",
    "partitioned": "bold $text-error",
}


class Status(Widget):
    """When and how far."""

    content: reactive[Content] = reactive(Content())

    def show(self, session: Session) -> None:
        """Draw a session's present view."""
        width = self.size.width
        glyph, text = session.headline
        head = Content.assemble((f"{glyph} {visible(text)}", "bold"), f"  {speed_text(session.speed)}")
        first = _spread(head, _describe(session.header.experiment, width - head.cell_length - 3), width)
        word = _word(session.world)
        counts = next(
            (line for line in _counts(session.world) if line.cell_length + len(word) + 2 <= width),
            Content(),
        )
        second = _spread(counts, Content.styled(word, _WORD_STYLE.get(word, "bold $text-warning")), width)
        self.content = Content("\n").join([first, second])

    def render(self) -> Content:
        return self.content


def _word(world: World) -> str:
    """The state of the whole; where there are no rumors, whether anybody is under suspicion, or nothing."""
    word = world.word()
    if word != "quiescent" or world.rumors:
        return word
    if world.replicas:
        differ = world.replicas.differ
        return (
            f"{differ:,} key{'' if differ == 1 else 's'} differ{'s' if differ == 1 else ''}"
            if differ
            else "replicas equal"
        )
    suspected = sum(1 for standing in world.membership.standings if standing.suspected)
    return f"{suspected} suspected" if suspected else ""


def speed_text(speed: float) -> str:
    """A speed for people: "1/20x", "5x", "as fast as it goes"."""
    if speed == math.inf:
        return "as fast as it goes"
    return f"1/{1 / speed:.3g}x" if speed < 1 else f"{speed:.3g}x"


def knowing_text(world: World) -> str:
    """How many live nodes know the newest rumor: "23/30 know"."""
    if not world.nodes:
        return "no nodes"
    if not world.rumors:
        return f"{world.alive}/{len(world.nodes)} up"
    newest = len(world.rumors) - 1
    which = f" rumor {newest}" if newest else ""
    return f"{world.knowing(newest)}/{world.alive} know{which}"


def _counts(world: World) -> list[Content]:
    """The second line, from the longest form to the shortest."""
    numbers = [_number(each) for each in (world.sent, world.delivered, world.dropped, len(world.flights))]
    lines: list[Content] = []
    for words in (("sent", "delivered", "dropped", "in flight"), ("sent", "deliv", "drop", "fly")):
        parts = [
            (knowing_text(world), "bold"),
            *(f"  {word} {n}" for word, n in zip(words, numbers, strict=True)),
        ]
        lines.append(Content.assemble(*parts))
    return [*lines, Content.assemble((knowing_text(world), "bold")), Content()]


def _number(n: int) -> str:
    """A count in at most six places: "12,345", "123k", "4.5M"."""
    if n < 100_000:
        return f"{n:,}"
    return f"{n // 1000}k" if n < 1_000_000 else f"{n / 1e6:.1f}M"


def _describe(experiment: Experiment, room: int) -> Content:
    """What runs, in as many words as there is room for."""
    parts = [
        visible(experiment.protocol, 30),
        many(experiment.nodes, "node"),
        visible(experiment.topology, 40),
        f"seed {experiment.seed}",
    ]
    while parts and len(", ".join(parts)) > room:
        parts.pop()
    return Content.styled(", ".join(parts), "$text-muted")


def _spread(left: Content, right: Content, width: int) -> Content:
    """One thing at each end of a line."""
    if left.cell_length > width:
        left = left.truncate(max(width, 0), ellipsis=True)
    gap = width - left.cell_length - right.cell_length
    return left if gap < 1 else Content.assemble(left, " " * gap, right)
