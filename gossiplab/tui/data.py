"""The data view: which version of every key each node holds, and all about the one that is chosen. Imports versions.

A row is a key, a column a node. One cell a copy where there is room; the overview of many keys shows blocks, each by
the worst copy in it. Draws only the World's replicas; where there are none, the estimates that nodes show.
"""

from typing import ClassVar

from msgspec import UNSET
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType

from gossiplab.errors import GossiplabError
from gossiplab.text import many
from gossiplab.tui.both_sides import concurrent_writes
from gossiplab.tui.canvas import Canvas, fitting
from gossiplab.tui.canvas_view import CanvasView
from gossiplab.tui.closing import SCALES, draw_closing
from gossiplab.tui.copies import (
    CURSOR,
    CURVE,
    EDGE,
    FAINT,
    MEANINGS,
    OLDER,
    PENS,
    TITLE,
    WORD,
    Span,
    key_lines,
    narrow,
    sign_of,
    wrapped,
)
from gossiplab.tui.key_list import KeyList
from gossiplab.tui.view import Scene, Sign
from gossiplab.workload import seed_index
from gossiplab.world.parts import ALIVE, CRASHED, DEAD, LEFT, PAUSED
from gossiplab.world.replicas import Replicas
from gossiplab.world.versions import Copies, Sight, Standing
from gossiplab.world.world import World

_MOST_SINGLE = 64  # keys up to which every copy has a cell of its own unless an overview is asked for
_MOST_AT_ONCE = 20_000  # copies in an overview that are looked at ten times a second
_NAME = 10  # columns for the name of a key
_SHARE = 5  # columns for how many agree
_BESIDE = 96  # columns from which the chosen key is told beside the matrix, and not below it
_TELLING = 10  # rows from which there is room to tell of the chosen key below the matrix
_BLOCKS = " ▁▂▃▄▅▆▇█"
_STATUS = {ALIVE: " ", PAUSED: "‖", DEAD: "†", LEFT: "◌", CRASHED: "‼"}


class DataView(CanvasView):
    """Which node holds which version of which key. cursor: the place of a key in the list, and a node."""

    title = "data"
    about = (
        "A row is a key, a column a node. A disc is the newest version; where writes are concurrent, each of the newest "
        "has a shape of its own, and a digit is a node that holds so many siblings. A ring is an older version, a dot "
        "nothing, a cross a deletion, and an unequal sign a value that nobody wrote. The percentage says how many of the "
        "nodes that are up agree. The arrows or a click choose a key at a node: its versions stand in the order in which "
        "their writers knew of one another, with their vector clocks, and its way there. Enter writes, x deletes, v reads, "
        "b writes on both sides of a partition at once. z changes between every copy and an overview, u between "
        "all keys and those somebody has written. Under a protocol that aggregates, as push_sum: the estimates of all "
        "nodes over time and now, with the truth as a line; z changes their scale."
    )
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(0, -1)", show=False),
        Binding("right", "move(0, 1)", show=False),
        Binding("up", "move(-1, 0)", show=False),
        Binding("down", "move(1, 0)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("enter", "app.write", show=False),
        Binding("x,delete", "ask('delete')", show=False),
        Binding("v", "ask('read')", show=False),
        Binding("b", "both", show=False),
        Binding("z", "zoom", show=False),
        Binding("u", "written", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"data--{name}" for name in PENS}
    DEFAULT_CSS = """
    DataView {
        background: $background;
        color: $foreground;
        & > .data--word { color: $foreground; }
        & > .data--faint { color: $foreground 70%; }
        & > .data--title { color: $foreground; text-style: bold; }
        & > .data--cursor { color: $text-primary; text-style: bold reverse; }
        & > .data--edge { color: $text-accent; }
        & > .data--right { color: $text-success 75%; }
        & > .data--older { color: $text-warning; text-style: bold; }
        & > .data--siblings { color: $text-warning; text-style: bold reverse; }
        & > .data--corrupt { color: $text-error; text-style: bold reverse; }
        & > .data--curve { color: $text-warning; }
        & > .data--newest-0 { color: $text-success; text-style: bold; }
        & > .data--newest-1 { color: $text-primary; text-style: bold; }
        & > .data--newest-2 { color: $text-secondary; text-style: bold; }
        & > .data--newest-3 { color: $text-accent; text-style: bold; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.cursor = (0, 0)
        self._scene: Scene | None = None
        self._overview: bool | None = None  # whether one is asked for; None: as there are keys
        self._written = False  # whether only keys are listed that somebody has written
        self._list = KeyList(None, False)
        self._scale = 0  # of estimates, among SCALES
        self._tall = self._wide = self._pitch = (
            1  # keys and nodes that a cell stands for; columns from one to the next
        )
        self._top = self._left = 0  # the first row and column in sight, in cells
        self._rows = self._columns = 1  # in sight
        self._late = 0  # pictures to wait for the next one

    # what the screen and a person do -----------------------------------------------------------

    def show(self, scene: Scene) -> None:
        self._scene = scene
        self._late -= scene.words
        if self._drawn is None or (scene.words and (self._late < 0 or not scene.session.running)):
            self._paint()
            # a field of many copies takes long to look through: not at every word
            self._late = len(self._list) * len(scene.world.nodes) // _MOST_AT_ONCE if self._tall > 1 else 0

    def signs(self) -> tuple[Sign, ...]:
        if self._estimating:
            return (
                Sign("●", "data--right", "a node's estimate"),
                Sign("░", "data--curve", "where they were"),
            )
        return tuple(Sign(glyph, f"data--{PENS[style]}", meaning) for glyph, style, meaning in MEANINGS)

    @property
    def key(self) -> str:
        """The chosen key; one to begin with where there is none."""
        return self._list.name(self.cursor[0]) if len(self._list) else "k0"

    def action_move(self, rows: int, columns: int) -> None:
        self._go(self.cursor[0] + rows * self._tall, self.cursor[1] + columns * self._wide)

    def action_page(self, pages: int) -> None:
        self._go(self.cursor[0] + pages * self._rows * self._tall, self.cursor[1])

    def action_zoom(self) -> None:
        """Change between every copy and the overview."""
        if self._estimating:
            self._scale = (self._scale + 1) % len(SCALES)
        else:
            self._overview = self._tall == 1
        self._repaint()

    def action_written(self) -> None:
        """List all keys, or those that somebody has written."""
        name, self._written = self.key, not self._written
        self._fold_list()
        self.cursor = (self._list.place(name), self.cursor[1])
        self._repaint()

    def action_ask(self, what: str) -> None:
        """Delete or read the chosen key at the chosen node."""
        self.post_message(self.Acted(f"{what} n{self.cursor[1]} {self.key}"))

    def action_both(self) -> None:
        """Write the chosen key on two sides at one instant."""
        if self._scene is not None and len(self._scene.world.nodes) > 1:
            self.post_message(self.Acted(*concurrent_writes(self._scene, self.key, self.cursor[1])))

    def on_click(self, event: events.Click) -> None:
        at = event.get_content_offset(self)
        if at is not None and self._above <= at.y < self._above + self._rows and at.x >= self._margin:
            row, column = at.y - self._above + self._top, (at.x - self._margin) // self._pitch + self._left
            self._go(row * self._tall, column * self._wide)

    def _go(self, row: int, column: int) -> None:
        keys, nodes = len(self._list), len(self._scene.world.nodes) if self._scene else 0
        if nodes and (keys or self._estimating):
            self.cursor = (max(0, min(max(0, keys - 1), row)), max(0, min(nodes - 1, column)))
            self.post_message(self.Selected(self.cursor[1]))
            self._repaint()

    @property
    def _estimating(self) -> bool:
        """Whether there is no data, but estimates."""
        world = self._scene.world if self._scene else World()
        return not world.replicas and world.estimates is not UNSET

    # drawing -----------------------------------------------------------------------------------

    _margin = _NAME + _SHARE + 1
    _above = 3  # lines: how it stands, the numbers of the nodes, what is not up

    def _fold_list(self) -> None:
        world = self._scene.world if self._scene else World()
        self._list = KeyList(world.replicas or None, self._written)

    def _paint(self) -> None:
        scene, (width, height) = self._scene, self.size
        if scene is None or not self.is_mounted or width < self._margin + 4 or height < 4:
            return
        world, latest = scene.world, scene.session.latest
        drawn = (
            width,
            height,
            self.cursor,
            self._overview,
            self._written,
            id(scene.session),
            scene.t,
            latest.events,
        )
        if drawn == self._drawn:
            return
        self._drawn = drawn
        self._canvas = Canvas(width, height)
        self._fold_list()
        replicas = world.replicas
        if not replicas and world.estimates is not UNSET and world.nodes:
            self.cursor = (0, min(self.cursor[1], len(world.nodes) - 1))
            draw_closing(self._canvas, scene, self.cursor[1], SCALES[self._scale])
            said = "left and right choose a node; z changes the scale: the whole run, now, or the error"
            self._canvas.put(0, height - 1, said, FAINT)
        elif replicas and len(self._list) and world.nodes:
            self.cursor = (
                min(self.cursor[0], len(self._list) - 1),
                min(self.cursor[1], len(world.nodes) - 1),
            )
            self._draw_data(scene, replicas)
        else:
            for y, spans in enumerate(wrapped([(self._missing(scene), WORD)], width - 2), 1):
                _put(self._canvas, 1, y, spans)
        self._strips = self._canvas.strips(self._colours())
        self.refresh()

    def _missing(self, scene: Scene) -> str:
        """What would show something here."""
        if self._written and scene.world.replicas:
            return "no key has been written yet: press u for those of the beginning, Enter to write one."
        if self._stores(scene):
            return "no key has been written yet: press Enter to write one, or b to write one at two nodes at once."
        name = narrow(scene.session.header.experiment.protocol, 20)
        return f"{name} stores no keys: a protocol that does shows them here, as dynamo and merkle_repair do."

    def _stores(self, scene: Scene) -> bool:
        try:
            return scene.session.protocol.stores_keys
        except GossiplabError:
            return bool(scene.world.replicas)

    def _draw_data(self, scene: Scene, replicas: Replicas) -> None:
        canvas, world = self._canvas, scene.world
        beside = canvas.width >= _BESIDE
        width = canvas.width * 11 // 20 if beside else canvas.width
        foot = 1 if beside or canvas.height < _TELLING else (canvas.height - self._above) // 2 + 1
        keys, nodes = len(self._list), len(world.nodes)
        self._rows = max(1, canvas.height - self._above - foot)
        single = keys <= _MOST_SINGLE if self._overview is None else not self._overview
        room = width - self._margin - 1
        self._pitch = next((pitch for pitch in (3, 2) if pitch * nodes <= room), 1)
        self._columns = max(1, room // self._pitch)
        self._tall = 1 if single else -(-keys // self._rows)
        self._wide = 1 if single else -(-nodes // self._columns)
        row, column = self.cursor[0] // self._tall, self.cursor[1] // self._wide
        self._top = _scroll(self._top, row, self._rows, -(-keys // self._tall))
        self._left = _scroll(self._left, column, self._columns, -(-nodes // self._wide))
        self._draw_summary(scene, replicas)
        self._draw_nodes(world, room)
        if self._tall == self._wide == 1:
            self._draw_copies(world, replicas)
        else:
            self._draw_blocks(replicas, nodes)
        copies = Copies(replicas, self.key)
        lines = key_lines(
            replicas, copies, self.cursor[1], canvas.width - width - 3 if beside else canvas.width - 2
        )
        x, y = (width + 2, 1) if beside else (1, self._above + min(self._rows, -(-keys // self._tall)) + 1)
        if beside:
            for each in range(1, canvas.height - 1):
                canvas.put(width, each, "│", FAINT)
        for spans in lines[: canvas.height - 1 - y]:
            _put(canvas, x, y, spans)
            y += 1
        self._draw_hints(scene)

    def _draw_summary(self, scene: Scene, replicas: Replicas) -> None:
        """How many keys differ, and how many did over the whole run."""
        curve, latest = replicas.curve, scene.session.latest.replicas
        now = curve[-1][1] if curve else 0
        said = f"{many(replicas.total, 'key')}, {now:,} divergent"
        if self._tall > 1 or self._wide > 1:
            said += f"; a cell: {many(self._tall, 'key')} x {many(self._wide, 'node')}, the worst of them"
        elif self._written:
            said += "; only those that were written (u: all)"
        self._canvas.put(0, 0, said, TITLE)
        x = len(said) + 3
        room = min(60, self._canvas.width - x - 22)
        if room >= 10 and latest:
            end = max(scene.session.end, 1e-3)
            levels = _levels(latest.curve, end, room)
            most = max(levels, default=0)
            self._canvas.put(x, 0, "divergent keys ", FAINT)
            x += 15
            cursor = min(room - 1, int(scene.t / end * room))
            for column, level in enumerate(levels):
                block = _BLOCKS[0 if not level else max(1, round(level / most * 8))]
                self._canvas.put(x + column, 0, block if level else "▁", CURVE if level else FAINT)
            self._canvas.put(x + cursor, 0, self._canvas.glyphs[0][x + cursor], CURSOR)
            self._canvas.put(x + room + 1, 0, f"max {most:,}", FAINT)

    def _draw_nodes(self, world: World, room: int) -> None:
        """Numbers of nodes, as many as there is room for, and who is not up."""
        self._canvas.put(0, 1, "key", FAINT)
        self._canvas.put(_NAME, 1, "agree", FAINT)
        last = -1
        for x in range(min(self._columns, -(-len(world.nodes) // self._wide) - self._left)):
            first = (self._left + x) * self._wide
            chosen = first <= self.cursor[1] < first + self._wide
            name, at = str(first), self._margin + x * self._pitch
            if at > last or chosen:
                self._canvas.put(at, 1, name, CURSOR if chosen else WORD)
                last = at + len(name)
            these = [_STATUS[node.status] for node in world.nodes[first : first + self._wide]]
            self._canvas.put(at, 2, next((sign for sign in these if sign != " "), " "), EDGE)

    def _draw_name(self, y: int, place: int, share: float | None) -> None:
        chosen = place <= self.cursor[0] < place + self._tall
        name = narrow(self._list.name(place), _NAME - 1)
        self._canvas.put(0, y, f"{'>' if chosen else ' '}{name:<{_NAME - 1}}", CURSOR if chosen else WORD)
        if share is not None:
            self._canvas.put(_NAME, y, f"{_percent(share):>4}", FAINT if share == 1 else OLDER)

    def _draw_copies(self, world: World, replicas: Replicas) -> None:
        """A cell for each copy."""
        down = [not node.up for node in world.nodes]
        for y in range(min(self._rows, len(self._list) - self._top)):
            place = self._top + y
            copies = Copies(replicas, self._list.name(place))
            self._draw_name(self._above + y, place, copies.share)
            alone = len(copies.newest) == 1
            for x, sight in enumerate(copies.sights[self._left : self._left + self._columns]):
                node = self._left + x
                glyph, style = sign_of(sight, alone)
                if (place, node) == self.cursor:
                    style = CURSOR
                elif sight.standing == Standing.AWAY:
                    continue
                elif down[node]:
                    style = FAINT
                self._canvas.put(self._margin + x * self._pitch, self._above + y, glyph, style)

    def _draw_blocks(self, replicas: Replicas, nodes: int) -> None:
        """A cell for so many copies, by the worst."""
        rows = range(self._top, min(self._top + self._rows, -(-len(self._list) // self._tall)))
        worst = {row: [Sight(Standing.AWAY)] * nodes for row in rows}
        untouched = {row: self._list.seeded(row * self._tall, self._tall) for row in rows}
        for name in replicas.keys:
            row = self._list.place(name) // self._tall
            if row in worst:
                worst[row] = list(map(max, worst[row], Copies(replicas, name).sights))
                untouched[row] -= seed_index(name) < replicas.space
        for row in rows:  # what nobody has written is there or not
            if untouched[row] > 0:
                there = [Sight(Standing.NEWEST if count else Standing.NONE) for count in replicas.seeded]
                worst[row] = list(map(max, worst[row], there))
        for y, (number, row) in enumerate(worst.items(), self._above):
            self._draw_name(y, number * self._tall, None)
            for x in range(min(self._columns, -(-nodes // self._wide) - self._left)):
                node = (self._left + x) * self._wide
                glyph, style = sign_of(max(row[node : node + self._wide]), True)
                here = (number, node // self._wide) == (
                    self.cursor[0] // self._tall,
                    self.cursor[1] // self._wide,
                )
                self._canvas.put(self._margin + x * self._pitch, y, glyph, CURSOR if here else style)

    def _draw_hints(self, scene: Scene) -> None:
        """The keys that are this view's own, or why they do nothing."""
        if not self._stores(scene):
            said = ["nothing can be written here: its protocol is not known or stores no keys"]
        elif scene.session.present:
            said = [
                "Enter write",
                "x delete",
                "v read",
                "b write on two sides",
                "z overview",
                "u written only",
            ]
        else:
            said = ["to act here begins another future: Enter write", "x delete", "v read", "b on two sides"]
        canvas = self._canvas
        canvas.put(0, canvas.height - 1, fitting(said, "  ", canvas.width), FAINT)

    def _colours(self) -> list[Style]:
        if not self._palette:
            self._palette = [
                self.rich_style,
                *(self.get_component_rich_style(f"data--{name}") for name in PENS[1:]),
            ]
        return self._palette


def _put(canvas: Canvas, x: int, y: int, spans: list[Span]) -> None:
    """Write spans one after the other; what does not fit ends in an ellipsis."""
    for text, style in spans:
        canvas.put(x, y, text, style)
        x += len(text)
    if x > canvas.width:
        canvas.put(canvas.width - 1, y, "…", spans[-1][1])


def _levels(curve: list[tuple[float, int]], end: float, room: int) -> list[int]:
    """The most keys that were divergent in each of `room` stretches of the run."""
    levels, index, level = [0] * room, 0, 0
    for column in range(room):
        edge = (column + 1) / room * end
        levels[column] = level
        while index < len(curve) and curve[index][0] <= edge:
            level = curve[index][1]
            levels[column] = max(levels[column], level)
            index += 1
    return levels


def _percent(share: float) -> str:
    return "100%" if share == 1 else f"{min(99, round(100 * share))}%"


def _scroll(first: int, cursor: int, room: int, total: int) -> int:
    """The first of `total` lines to show in `room`, moved no further than the cursor asks for."""
    first = min(first, cursor, max(0, total - room))
    return max(first, cursor - room + 1)
