"""How a stretch of a run is drawn as a space-time diagram: where everything goes, and in which shape.

Time runs to the right in whole columns, so that the picture moves as one when it scrolls; each node has a row.
Imports history, causality, canvas and marks; knows no session, no widget and no style.
"""

from collections.abc import Iterable, Sequence
from math import ceil, floor, inf
from typing import NamedTuple

from gossiplab.events import Crashed, Departed, Injected, Killed, Learned, Rejoined, Retired
from gossiplab.tui.canvas import BRAILLE, Canvas, line_cells
from gossiplab.tui.marks import DOTTED, SHAPES, SOLID, Mark
from gossiplab.world.causality import Cone
from gossiplab.world.history import AWARE, SILENT, UNAWARE, History, Message, Step
from gossiplab.world.parts import ALIVE, PAUSED

_MOST_STEPS = 2500  # sendings and deliveries that are drawn; of more, every second, third ... of each row is
_MOST_LINES = 1000  # messages that are drawn as lines
_WIDEST = 3  # rows of cells that a node gets at most: few nodes are not spread over a large screen
_LONG = 300  # columns; of a longer message only the part in sight is worked out
_LIVES = {ALIVE: None, PAUSED: Mark.PAUSED}  # every other is down
_MINDS = {UNAWARE: Mark.UNAWARE, AWARE: Mark.AWARE, SILENT: Mark.SILENT}
_EVENTS: dict[type, Mark] = {
    Learned: Mark.LEARNED, Injected: Mark.LEARNED, Retired: Mark.RETIRED, Killed: Mark.DEAD, Departed: Mark.LEFT,
    Crashed: Mark.CRASHED, Rejoined: Mark.REJOINED,
}  # fmt: skip


class Place(NamedTuple):
    """Which instants and nodes are in sight, and where.

    left: the number of the first column, counted from the instant 0; scale: seconds in a column. gutter: columns
    for names. nodes: those in sight, from the top; gap: rows of cells for each.
    """

    left: int
    scale: float
    gutter: int
    width: int
    height: int
    nodes: tuple[int, ...]
    gap: int

    @property
    def columns(self) -> int:
        return self.width - self.gutter

    @property
    def start(self) -> float:
        """The first instant in sight, in seconds."""
        return self.left * self.scale

    @property
    def stop(self) -> float:
        return (self.left + self.columns) * self.scale

    def x(self, t: float) -> int:
        """The column of cells of an instant."""
        return self.gutter + floor(t / self.scale + 1e-9) - self.left

    def y(self, index: int) -> int:
        """The row of cells of the node at this place."""
        return self.gap // 2 + index * self.gap

    def row_at(self, y: int) -> int | None:
        """Which node is nearest to a row of cells."""
        index = y // self.gap
        return index if 0 <= index < len(self.nodes) and y < self.height else None


def gap_for(nodes: int, height: int) -> int:
    """Rows of cells a node gets where there are `height` for all."""
    return max(1, min(_WIDEST, height // nodes)) if nodes else 1


def mark_of(step: Step, rumor: int) -> Mark:
    """The mark of what happened at a node; VOID for what has none, such as news of another rumor than is shown."""
    message = step.message
    if message is not None:
        return Mark.RECEIVED if message.got == step.number else Mark.SENT
    event = step.event
    if isinstance(event, Learned | Injected | Retired) and event.rumor != rumor:
        return Mark.VOID
    return _EVENTS.get(event.__class__, Mark.VOID)


class Picture:
    """One frame: draws what a history knows of the instants and nodes of a place on a canvas.

    end: up to this instant, in seconds, things have happened. rumor: the one that is shown, -1 for none. cone: of the
    chosen step, None while there is none. thinned: every how manieth sending and delivery was drawn.
    """

    def __init__(
        self, canvas: Canvas, place: Place, history: History, end: float, rumor: int, cone: Cone | None
    ) -> None:
        self._canvas = canvas
        self._place = place
        self._history = history
        self._end = end
        self._rumor = rumor
        self._cone = cone
        self._rows = {node: place.y(index) for index, node in enumerate(place.nodes)}
        self.thinned = 1

    def draw(self) -> None:
        """Draw rows, messages and marks."""
        since = max(self._place.start, self._history.since)
        steps = [self._history.between(node, since, self._place.stop) for node in self._place.nodes]
        for node in self._place.nodes:
            self._draw_life(node)
        self._draw_messages(self._messages(steps))
        self._draw_marks(steps)

    def glyph(self, mark: Mark, below: bool = False) -> str:
        """The character for a mark; `below`: the message comes from or goes to a node further down."""
        return SHAPES[mark].glyph[-1 if below else 0]

    # rows --------------------------------------------------------------------------------------

    def _draw_life(self, node: int) -> None:
        """A node's row: what it is at each instant, and what is concurrent with the chosen step faint."""
        place, history, y = self._place, self._history, self._rows[node]
        begin = max(place.gutter, place.x(max(history.since, 0.0)))
        stop = min(place.width, place.x(self._end) + 1)
        glyphs, styles = self._canvas.glyphs[y], self._canvas.styles[y]
        for first, last, mark in _spans(place, history, node, self._rumor):
            glyph = self.glyph(mark)
            for x in range(max(first, begin), min(last, stop)):
                glyphs[x], styles[x] = glyph, mark
        if self._cone is not None:
            bright = self._bright_columns(node, self._cone)
            faint = self.glyph(Mark.FAINT)
            for x in range(max(begin, bright[0] + 1), min(stop, bright[1])):
                if styles[x] not in (Mark.DOWN, Mark.PAUSED):  # thinner, for a terminal may show no colours
                    glyphs[x] = faint if (x + place.left) % 2 else " "
                styles[x] = Mark.FAINT

    def _bright_columns(self, node: int, cone: Cone) -> tuple[int, int]:
        """Up to which column a node's row is in the causal past, and from which in the future."""
        last, first = cone.last.get(node), cone.first.get(node)
        before = -1 if last is None else self._place.x(last.t)
        return before, self._place.width if first is None else self._place.x(first.t)

    # messages ----------------------------------------------------------------------------------

    def _messages(self, steps: Sequence[list[Step]]) -> list[Message]:
        """The messages between nodes in sight at the instants in sight."""
        place, rows, history = self._place, self._rows, self._history
        found: list[Message] = []
        for node, row in zip(place.nodes, steps, strict=True):
            # what was sent a while ago may still be under way: as long ago as the longest flight took
            begun = history.between(node, place.start - max(history.longest, place.scale), place.start)
            for step in (*begun, *row):
                message = step.message
                if message is None or message.dst not in rows or message.src not in rows:
                    continue  # in a large lab most
                if message.got != step.number:
                    copy: Message | None = message
                    while copy is not None:
                        found.append(copy)
                        copy = copy.twin
                elif message.t < place.start - history.longest or message.sent < history.first:
                    found.append(message)  # its sending is not here any more
        every = ceil(len(found) / _MOST_LINES)
        if every > 1:
            self.thinned = max(self.thinned, every)
            held = self._cone
            found = [
                each
                for each in found
                if each.id % every == 0 or (held is not None and held.step.message is each)
            ]
        return found

    def _draw_messages(self, messages: Iterable[Message]) -> None:
        lines: list[tuple[int, Message]] = []
        for message in messages:
            if self._cone is not None and not self._cone.holds(message):
                lines.append((0, message))
            else:
                lines.append((2 if self._rumor in message.carries else 1, message))
        lines.sort(key=lambda line: line[0])  # the stronger over the weaker
        for strength, message in lines:
            self._draw_message(message, strength)

    def _draw_message(self, message: Message, strength: int) -> None:
        """One line. strength: 0 concurrent with what is chosen, 1 any, 2 with the rumor."""
        place, glyphs, styles = self._place, self._canvas.glyphs, self._canvas.styles
        y0, y1 = self._rows[message.src], self._rows[message.dst]
        arrival = message.due if message.end is None or message.fate != "delivered" else message.end
        x0, x1 = place.x(message.t), place.x(max(arrival, message.t))
        left, right = place.gutter, place.width
        lost = message.end is not None and message.fate != "delivered"
        if lost:
            # a link decides when a message is sent; what a person sees is that it does not get through
            on_the_way = message.end is not None and message.end <= message.t and arrival > message.t
            if message.fate != "down":
                way = 0.5 if on_the_way else 0.85
                x1, y1 = round(x0 + (x1 - x0) * way), round(y0 + (y1 - y0) * way)
        if message.end is None or (lost and x1 > place.x(self._end)):
            right = min(right, place.x(self._end) + 1)  # nobody knows yet what becomes of it
        if x1 < left or x0 >= right:
            return
        mark = (Mark.FAINT, Mark.OTHER, Mark.CARRYING)[strength]
        thin, every = SOLID if strength == 2 else DOTTED, 1 if strength else 3
        for x, y, bits in _cells(x0, y0, x1, y1, left, right):
            if left <= x < right and (x - x0) % every == 0 and styles[y][x] <= mark:
                before = glyphs[y][x]
                # what crosses here already stays
                also = ord(before) & 0xFF if "\u2800" <= before <= "\u28ff" else 0
                glyphs[y][x] = BRAILLE[thin[bits] | also]
                styles[y][x] = mark
        if lost and left <= x1 < right:
            self._put(x1, y1, self.glyph(Mark.LOST), Mark.LOST if strength else Mark.FAINT)
        elif message.end is None and strength and x0 < right <= x1:
            x = right - 1
            y = round(y0 + (y1 - y0) * (x - x0) / max(1, x1 - x0))
            self._put(x, y, self.glyph(mark), mark)

    # marks -------------------------------------------------------------------------------------

    def _draw_marks(self, steps: Sequence[list[Step]]) -> None:
        """What happened, the more telling over the less telling where there is no room for both."""
        place, cone = self._place, self._cone
        glyphs = {mark: shape.glyph for mark, shape in SHAPES.items()}
        every = max(1, ceil(sum(map(len, steps)) / _MOST_STEPS))
        self.thinned = max(self.thinned, every)
        for node, row in zip(place.nodes, steps, strict=True):
            y, filled = self._rows[node], -1
            # of what is left out, what changes a node stays
            turns = self._history.turns[node] if every > 1 else ()
            for step in (*row[::every], *(step for step in turns if place.start <= step.t <= place.stop)):
                x, message = place.x(step.t), step.message
                if message is not None and x == filled:
                    continue  # there is one in this cell already
                mark = mark_of(step, self._rumor)
                if not mark:
                    continue
                below = False
                if message is not None:
                    filled = x if mark is Mark.RECEIVED else -1
                    other = message.src if mark is Mark.RECEIVED else message.dst
                    below = self._rows.get(other, -1 if other < node else place.height) > y
                glyph = glyphs[mark][-1 if below else 0]
                if cone is not None and not (
                    cone.is_before(node, step.number) or cone.is_after(node, step.number)
                ):
                    # concurrent: a small mark, except where its shape is all that tells what happened
                    glyph = glyphs[Mark.FAINT] if mark <= Mark.RECEIVED else glyph
                    mark = Mark.FAINT
                    filled = -1
                self._put(x, y, glyph, mark)
        if cone is not None and cone.step.node in self._rows:
            self._draw_chosen(cone.step)

    def _draw_chosen(self, step: Step) -> None:
        x, y = self._place.x(step.t), self._rows[step.node]
        place, canvas = self._place, self._canvas
        message = step.message
        if place.gutter <= x < place.width:
            mark = mark_of(step, self._rumor)
            below = (
                message is not None
                and self._rows.get(message.src if mark is Mark.RECEIVED else message.dst, -1) > y
            )
            canvas.put(x, y, self.glyph(mark, below) if mark else canvas.glyphs[y][x], Mark.CHOSEN)
        for column, glyph in ((x - 1, SHAPES[Mark.CHOSEN].glyph[0]), (x + 1, SHAPES[Mark.CHOSEN].glyph[1])):
            if place.gutter - 1 <= column < place.width:
                canvas.put(column, y, glyph, Mark.CHOSEN)

    def _put(self, x: int, y: int, glyph: str, mark: Mark) -> None:
        if self._place.gutter <= x < self._place.width and 0 <= y < self._canvas.height:
            styles = self._canvas.styles[y]
            if styles[x] <= mark:
                self._canvas.glyphs[y][x], styles[x] = glyph, mark


def _spans(place: Place, history: History, node: int, rumor: int) -> list[tuple[int, int, Mark]]:
    """What a node's row shows, as columns from, to, and a mark; of two that meet in a column the later wins."""
    minds = [(t, _MINDS[mind]) for t, mind in history.minds(node, rumor)]
    downs = [(t, _LIVES.get(life, Mark.DOWN)) for t, life in history.lives(node)]
    spans: list[tuple[int, int, Mark]] = []
    for changes in ([(-inf, Mark.UNAWARE), *minds], downs):
        for index, (t, mark) in enumerate(changes):
            until = changes[index + 1][0] if index + 1 < len(changes) else inf
            if mark is not None and until > place.start and t < place.stop:
                first = place.gutter if t <= place.start else place.x(t)
                spans.append((first, place.width if until >= place.stop else place.x(until), mark))
    return spans


def _cells(x0: int, y0: int, x1: int, y1: int, left: int, right: int) -> Iterable[tuple[int, int, int]]:
    """The cells of a line, as column, row and dots. Lines of one shape are worked out once, wherever they begin."""
    if x1 - x0 > _LONG:
        start, stop = max(x0, left - 1), min(x1, right)
        slope = (y1 - y0) / (x1 - x0)
        y0, y1 = round(y0 + slope * (start - x0)), round(y0 + slope * (stop - x0))
        x0, x1 = start, stop
    path = line_cells((0, y0), (x1 - x0, y1))
    return zip((x + x0 for x in path.xs), path.ys, path.bits, strict=True)
