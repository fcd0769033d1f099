"""The belief matrix: who believes what of whom. Imports nodeset, world, replica's states, view and canvas.

A row is a node that believes, a column a node that is believed something of; on the two edges stands what is
so. One cell a belief where there is room; the overview of a large lab shows blocks, each by the worst belief in it.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import ClassVar, NamedTuple

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.reactive import reactive

from gossiplab.nodeset import format_nodes
from gossiplab.tui.canvas import Canvas, fitting
from gossiplab.tui.canvas_view import CanvasView
from gossiplab.tui.view import Scene
from gossiplab.world.membership import DOWN
from gossiplab.world.parts import ALIVE, CRASHED, DEAD, LEFT, PAUSED
from gossiplab.world.world import World

_MOST_SINGLE = 64  # nodes up to which every belief has a cell of its own unless an overview is asked for


class Verdict(IntEnum):
    """A belief held against what is so, from nothing to the worst. A block of beliefs shows its worst."""

    NOTHING = 0
    ALIVE = 1
    LEFT = 2
    DEAD = 3
    SUSPECTED = 4
    STALE = 5
    GONE = 6
    DOUBTED = 7
    BURIED = 8
    SELF = 9


class Sign(NamedTuple):
    """How a verdict looks, and its meaning."""

    glyph: str
    meaning: str


SIGNS: dict[Verdict, Sign] = {
    Verdict.NOTHING: Sign(" ", "unknown"),
    Verdict.ALIVE: Sign("·", "right: alive"),
    Verdict.DEAD: Sign("†", "right: dead"),
    Verdict.LEFT: Sign("◌", "right: left"),
    Verdict.SUSPECTED: Sign("?", "suspected, down"),
    Verdict.STALE: Sign("○", "alive, though down"),
    Verdict.GONE: Sign("◍", "left, though up"),
    Verdict.DOUBTED: Sign("‽", "suspected, though up"),
    Verdict.BURIED: Sign("╳", "dead, though up"),
    Verdict.SELF: Sign("\\", ""),
}
_TRUTH = {ALIVE: "●", PAUSED: "‖", DEAD: "†", LEFT: "◌", CRASHED: "‼"}

_STYLES = ("right", "wrong", "on-the-way", "edge", "cursor", "word", "faint")
_RIGHT, _WRONG, _WAY, _EDGE, _CURSOR, _WORD, _FAINT = range(1, len(_STYLES) + 1)
_STYLE_OF = {
    Verdict.NOTHING: _FAINT, Verdict.ALIVE: _RIGHT, Verdict.LEFT: _RIGHT, Verdict.DEAD: _RIGHT, Verdict.SUSPECTED: _WAY,
    Verdict.STALE: _WAY, Verdict.GONE: _WRONG, Verdict.DOUBTED: _WRONG, Verdict.BURIED: _WRONG, Verdict.SELF: _FAINT,
}  # fmt: skip


class BeliefMatrix(CanvasView):
    """Who believes what of whom. cursor: the believer and the believed that are spelled out below."""

    title = "beliefs"
    about = (
        "A row is a node that believes, a column a node that is believed something of; the edges say what is so. A dot "
        "is a right belief. Rings and question marks are beliefs on their way: a node is down and not everybody knows. "
        "Reversed signs are wrong: a node is up and is suspected, or believed dead. The arrows or a click choose a "
        "belief, which is spelled out below; z changes between every belief and an overview."
    )
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(0, -1)", show=False),
        Binding("right", "move(0, 1)", show=False),
        Binding("up", "move(-1, 0)", show=False),
        Binding("down", "move(1, 0)", show=False),
        Binding("z", "zoom", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"beliefs--{name}" for name in _STYLES}
    DEFAULT_CSS = """
    BeliefMatrix {
        background: $background;
        color: $foreground;
        & > .beliefs--right { color: $foreground 60%; }
        & > .beliefs--wrong { color: $text-error; text-style: bold reverse; }
        & > .beliefs--on-the-way { color: $text-warning; text-style: bold; }
        & > .beliefs--edge { color: $text-accent; }
        & > .beliefs--cursor { color: $text-primary; text-style: bold reverse; }
        & > .beliefs--word { color: $foreground; }
        & > .beliefs--faint { color: $foreground 30%; }
    }
    """

    overview: reactive[bool | None] = reactive[bool | None](None, repaint=False)

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.cursor = (0, 0)
        self._world = World()
        self._tall = self._wide = 1  # nodes that a cell stands for
        self._indent = 4  # columns to the left of the matrix: a name, a sign and a blank
        self._above = 1  # lines above the matrix
        self._pitch = 1  # cells from one column to the next
        self._top = self._left = 0  # the first row and column in sight, in cells

    # what the screen and a person do -----------------------------------------------------------

    def show(self, scene: Scene) -> None:
        self._world = scene.world
        if scene.words or self._drawn is None:
            self._paint()

    def action_move(self, rows: int, columns: int) -> None:
        self._go(self.cursor[0] + rows * self._tall, self.cursor[1] + columns * self._wide)

    def action_zoom(self) -> None:
        """Change between every belief and the overview."""
        self.overview = self._single()
        self._repaint()

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is not None and at.x >= self._indent and at.y >= self._above:
            row, column = at.y - self._above + self._top, (at.x - self._indent) // self._pitch + self._left
            self._go(row * self._tall, column * self._wide)

    def _go(self, row: int, column: int) -> None:
        last = len(self._world.nodes) - 1
        if last >= 0:
            self.cursor = (max(0, min(last, row)), max(0, min(last, column)))
            self.post_message(self.Selected(self.cursor[1]))
            self._repaint()

    def _single(self) -> bool:
        """Whether every belief has a cell of its own."""
        return len(self._world.nodes) <= _MOST_SINGLE if self.overview is None else not self.overview

    # drawing -----------------------------------------------------------------------------------

    def _nodes_of(self, row: int) -> str:
        """The nodes that a row of the matrix stands for."""
        return format_nodes(range(row * self._tall, min((row + 1) * self._tall, len(self._world.nodes))))

    def _paint(self) -> None:
        world, (width, height) = self._world, self.size
        if not self.is_mounted or width < self._indent + 2 or height < 4:  # an edge, a row, two lines
            return
        rows = [row.states for row in world.membership.beliefs]
        drawn = (width, height, self.cursor, rows, [node.status for node in world.nodes])
        if drawn == self._drawn:
            return
        self._drawn = drawn
        self._canvas = Canvas(width, height)
        if any(rows):
            self._draw_matrix(world, height)
        else:
            self._canvas.put(1, 1, "no node here has said what it believes of another: swim does", _WORD)
        self._strips = self._canvas.strips(self._colours())
        self.refresh()

    def _draw_matrix(self, world: World, height: int) -> None:
        n, single = len(world.nodes), self._single()
        self._tall = 1 if single else -(-n // (height - 3))
        last = (n - 1) // self._tall  # which may be shorter than the one before it
        self._indent = max(len(self._nodes_of(row)) for row in {last, max(0, last - 1)}) + 2
        width = max(1, self._canvas.width - self._indent)
        # a blank between two columns, or room for their names
        pitches = (len(str(n - 1)) + 1, 2) if single else ()
        self._pitch = next((pitch for pitch in pitches if pitch * n <= width), 1)
        # names of columns above, where they fit and there is room; two lines of words below
        self._above = 2 if self._pitch > 1 and n <= 100 and n + 4 <= height else 1
        height -= self._above + 2
        columns = width // self._pitch
        self._wide = 1 if single else -(-n // columns)
        verdicts = judge(world, with_self=single)
        blocks = _worst(verdicts, self._tall, self._wide)
        row, column = self.cursor[0] // self._tall, self.cursor[1] // self._wide
        self._top = _scroll(self._top, row, height, len(blocks))
        self._left = _scroll(self._left, column, columns, len(blocks[0]))
        seen = [line[self._left : self._left + columns] for line in blocks[self._top : self._top + height]]
        for y, line in enumerate(seen, self._above):
            for x, verdict in enumerate(line):
                self._put(x, y, SIGNS[Verdict(verdict)].glyph, _STYLE_OF[Verdict(verdict)])
        self._draw_edges(world, len(seen), len(seen[0]))
        whole = len(seen) == len(blocks) and len(seen[0]) == len(blocks[0])
        self._draw_counts(
            verdicts, world, "" if whole else f"rows {self._top}-{self._top + len(seen) - 1} of {n}"
        )
        x, y = column - self._left, row - self._top + self._above
        self._put(x, y, SIGNS[Verdict(blocks[row][column])].glyph, _CURSOR)

    def _put(self, x: int, y: int, glyph: str, style: int) -> None:
        self._canvas.put(self._indent + self._pitch * x, y, glyph, style)

    def _draw_edges(self, world: World, height: int, width: int) -> None:
        """What is so, and the names of the rows."""
        signs = [_TRUTH[node.status] for node in world.nodes]
        for x in range(width):
            these = signs[(self._left + x) * self._wide : (self._left + x + 1) * self._wide]
            self._put(x, self._above - 1, _odd(these), _EDGE)
            if self._above > 1:
                column = self._left + x
                chosen = column == self.cursor[1]
                if len(str(column)) < self._pitch or column % 2 == 0 or chosen:  # others would run together
                    self._put(x, 0, str(column), _CURSOR if chosen else _WORD)
        for y in range(height):
            node = (self._top + y) * self._tall
            name = self._nodes_of(self._top + y).rjust(self._indent - 2)
            self._canvas.put(
                0, y + self._above, name, _CURSOR if self._at(node, self.cursor[0], self._tall) else _WORD
            )
            self._canvas.put(self._indent - 2, y + self._above, _odd(signs[node : node + self._tall]), _EDGE)

    @staticmethod
    def _at(node: int, cursor: int, size: int) -> bool:
        return node <= cursor < node + size

    def _draw_counts(self, verdicts: list[bytes], world: World, part: str) -> None:
        """The last two lines: the belief under the cursor in words, and how many beliefs are wrong.

        part: what of the matrix is in sight, if not all.
        """
        canvas, (who, about) = self._canvas, self.cursor
        counts = {verdict: sum(row.count(verdict) for row in verdicts) for verdict in Verdict}
        words = [
            f"{SIGNS[verdict].glyph} {SIGNS[verdict].meaning} {count:,}"
            for verdict, count in counts.items()
            if count and SIGNS[verdict].meaning and verdict != Verdict.NOTHING
        ]
        said = fitting(reversed(words), "  ", canvas.width) or "nothing is believed"
        canvas.put(0, canvas.height - 1, said, _WORD)
        row = world.membership.beliefs[who]
        belief = "itself" if who == about else f"n{about} {row.state(about)}"
        incarnation = f", incarnation {row.incarnation_of(about)}" if row.states else ""
        block = f"a cell: {self._tall} x {self._wide} beliefs, the worst of them" if self._tall > 1 else part
        truth = world.nodes[about].status
        said = f"n{who} believes {belief}{incarnation}; n{about} is {'up' if truth == ALIVE else truth}"
        canvas.put(0, canvas.height - 2, fitting((said, block), "   ", canvas.width), _WORD)

    def _colours(self) -> list[Style]:
        if not self._palette:
            plain = [self.get_component_rich_style(f"beliefs--{name}") for name in _STYLES]
            self._palette = [self.rich_style, *plain]
        return self._palette


def judge(world: World, with_self: bool = True) -> list[bytes]:
    """A Verdict for every belief, one a byte: a row for each node that believes, all it may believe something of in it.

    What is believed by a node that is down is held to be nothing. with_self: mark what a node believes of itself.
    """
    n = len(world.nodes)
    statuses = [node.status for node in world.nodes]
    # a whole row at a time: each belief as if all were up, as if all had left, as if all had failed, and of each
    # of the three what is so
    up = _mask(status not in DOWN for status in statuses)
    left = _mask(status == LEFT for status in statuses)
    failed = _mask(status in DOWN and status != LEFT for status in statuses)
    rows: list[bytes] = []
    for id, (node, row) in enumerate(zip(world.nodes, world.membership.beliefs, strict=True)):
        if node.status in DOWN or not row.states:
            rows.append(bytes(n))
            continue
        letters = row.states.encode("ascii")
        merged = sum(
            int.from_bytes(letters.translate(table)) & mask
            for table, mask in ((_IF_UP, up), (_IF_LEFT, left), (_IF_FAILED, failed))
        )
        verdicts = bytearray(merged.to_bytes(n))
        verdicts[id] = Verdict.SELF if with_self else Verdict.NOTHING
        rows.append(bytes(verdicts))
    return rows


def _mask(so: Iterable[bool]) -> int:
    return int.from_bytes(bytes(255 * each for each in so))


def _table(alive: Verdict, suspected: Verdict, dead: Verdict, left: Verdict) -> bytes:
    """What a letter of belief is worth, for `bytes.translate`."""
    table = bytearray(256)
    for letter, verdict in zip("asdl", (alive, suspected, dead, left), strict=True):
        table[ord(letter)] = verdict
    return bytes(table)


_IF_UP = _table(Verdict.ALIVE, Verdict.DOUBTED, Verdict.BURIED, Verdict.GONE)
_IF_FAILED = _table(Verdict.STALE, Verdict.SUSPECTED, Verdict.DEAD, Verdict.DEAD)
_IF_LEFT = _table(Verdict.STALE, Verdict.SUSPECTED, Verdict.DEAD, Verdict.LEFT)


def _worst(rows: list[bytes], tall: int, wide: int) -> list[bytes]:
    """Blocks of `tall` by `wide` beliefs, each by its worst."""
    if tall > 1:
        rows = [bytes(map(max, *rows[y : y + tall], bytes(len(rows)))) for y in range(0, len(rows), tall)]
    if wide > 1:
        rows = [bytes(max(row[x : x + wide]) for x in range(0, len(row), wide)) for row in rows]
    return rows


def _scroll(first: int, cursor: int, room: int, total: int) -> int:
    """The first of `total` lines to show in `room`, moved no further than the cursor asks for."""
    first = min(first, cursor, max(0, total - room))
    return max(first, cursor - room + 1)


def _odd(signs: list[str]) -> str:
    """The sign that stands for several nodes: of one that is not up, if any is."""
    return next((sign for sign in signs if sign != _TRUTH[ALIVE]), signs[0])
