"""The chosen event of a space-time diagram: which one it is, which are next to it, and what it has to do with the rest.

Imports history, causality, saying and diagram; knows no session and no widget.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from gossiplab.text import visible
from gossiplab.tui.diagram import Place, mark_of
from gossiplab.world.causality import Cone
from gossiplab.world.history import History, Step
from gossiplab.world.saying import say_event

_NEAR = 3  # columns from a click within which an event is meant; a row counts as three
_LONGEST = 24  # characters of what a recording gives as the reason for a loss


class Choice:
    """One event of a history, or none. cone: its causal past and future; None until it has been read."""

    def __init__(self) -> None:
        self.step: Step | None = None
        self.cone: Cone | None = None
        self._history: History | None = None  # what the cone was found in

    def take(self, step: Step | None) -> None:
        """Choose an event, or none."""
        self.step, self.cone = step, None

    def follow(self, history: History) -> None:
        """Take in what has been read since."""
        if self.step is None:
            return
        if self.cone is None or self._history is not history:
            if history.step(self.step.number) is not None:
                self.cone, self._history = Cone(history, self.step), history
        else:
            self.cone.follow(history)

    # what is next to it ------------------------------------------------------------------------

    def along(self, history: History, way: int) -> Step | None:
        """The next event at the node of the chosen one (1), or the one before (-1)."""
        if self.step is None:
            return None
        row = history.rows[self.step.node]
        index = bisect_left(row, self.step.number, key=lambda step: step.number) + way
        return row[index] if 0 <= index < len(row) else None

    def across(self, history: History, order: Sequence[int], way: int) -> Step | None:
        """The other end of the message if it is there, else the nearest event in the next row up (-1) or down (1).

        order: the nodes as their rows stand, from the top.
        """
        here = self.step
        if here is None:
            return None
        place = {node: index for index, node in enumerate(order)}
        message = here.message
        if message is not None:
            other = history.step(message.sent if message.got == here.number else message.got)
            if other is not None and (place.get(other.node, -1) - place.get(here.node, -1)) * way > 0:
                return other
        index = place.get(here.node, 0) + way
        while 0 <= index < len(order):
            row = history.rows[order[index]]
            if row:
                return min(row, key=lambda step: abs(step.t - here.t))
            index += way
        return None

    # in words ----------------------------------------------------------------------------------

    def words(self, history: History, growing: bool, width: int) -> str:
        """A line of at most `width` characters about the chosen event. growing: whether more may come."""
        step, cone = self.step, self.cone
        if step is None:
            return ""
        if cone is None:
            counts = "too much has happened since to say what came of it"
        else:
            # what is older than the history was not counted, and what has not happened yet cannot be
            older, newer = "+" if history.first else "", "+" if growing else ""
            counts = (
                f"{cone.before:,}{older} before, {cone.after:,}{newer} after, {cone.concurrent:,} concurrent"
            )
        message, lost = step.message, ""
        if message is not None and message.end is not None and message.got < 0:
            lost = f", lost ({visible(message.fate, _LONGEST)})"
        head, event = f"{step.t:.3f} s{lost}: ", say_event(step.event, message)
        room = max(1, width - len(counts) - 2)
        # what stands in brackets, and behind a comma, matters less
        forms = [f"{head}{each}" for each in (event, event.partition(" (")[0], event.partition(", ")[0])]
        return f"{visible(next((form for form in forms if len(form) <= room), forms[-1]), room)}; {counts}"


def first_choice(history: History, place: Place, nodes: Sequence[int], t: float) -> Step | None:
    """An event to begin with: of the first of `nodes` with any in sight the last up to the instant `t`."""
    for node in nodes:
        steps = history.between(node, place.start, place.stop)
        if steps:
            return steps[max(0, bisect_right(steps, t, key=lambda step: step.t) - 1)]
    return None


def nearest(history: History, place: Place, rumor: int, x: int, y: int) -> Step | None:
    """The event that a click on a cell means, if there is one close to it: the more telling of two."""
    index = place.row_at(y)
    if index is None:
        return None
    near: list[tuple[int, int, int, Step]] = []
    t = (place.left + x - place.gutter) * place.scale
    for other in range(max(0, index - 1), min(len(place.nodes), index + 2)):
        for step in history.between(place.nodes[other], t - 2 * place.scale, t + 3 * place.scale):
            away = abs(place.x(step.t) - x) + 3 * abs(place.y(other) - y)
            near.append((away, -mark_of(step, rumor), step.number, step))
    away, _, _, step = min(near, default=(_NEAR + 1, 0, 0, None))
    return step if away <= _NEAR else None
