"""The repair view: two replicas' trees side by side, the descent through them, and the keys that stream across.

Imports descent, view and canvas. Everything comes from the World: the steps of a repair, and the messages in flight
between its two replicas.
"""

from typing import ClassVar, NamedTuple

from rich.style import Style
from textual.actions import SkipAction
from textual.binding import Binding, BindingType

from gossiplab.events import Sent
from gossiplab.text import many
from gossiplab.tui.canvas import Canvas, Dots
from gossiplab.tui.canvas_view import CanvasView
from gossiplab.tui.descent import Cell, Descent, Found, follow, lay_out
from gossiplab.tui.view import Scene, Sign
from gossiplab.world.replicas import Repair, Step
from gossiplab.world.world import World

_SHAPES: dict[Found, tuple[str, str]] = {
    Found.UNKNOWN: ("○", "not compared yet"),
    Found.EQUAL: ("·", "equal, with all below"),
    Found.DIFFERS: ("◆", "differs, is opened"),
    Found.MENDED: ("●", "differed, is mended"),
}
_STYLES = (
    "equal", "unknown", "mended", "differs", "line", "open", "flow", "title", "word", "faint", "bar", "copy",
)  # fmt: skip
_LINE, _OPEN, _FLOW, _TITLE, _WORD, _FAINT, _BAR, _COPY = range(5, len(_STYLES) + 1)
_STYLE_OF = {Found.EQUAL: 1, Found.UNKNOWN: 2, Found.MENDED: 3, Found.DIFFERS: 4}
_HEAD, _KEYS, _FOOT = 2, 3, 3  # lines above the trees, for keys under them, and below
_LIST = 7  # lines of the list of repairs, where there is room
_ROOMY = 30  # lines from which there is
_MOST_LINES = 400  # from parents to children


class _Place(NamedTuple):
    """Where the trees stand. top: the line of the first level that is drawn. pitch: lines from a level to the next."""

    left: int
    right: int
    width: int
    top: int
    pitch: int
    first: int
    last: int

    def y(self, level: int) -> int:
        return self.top + (level - self.first) * self.pitch


class RepairView(CanvasView):
    """How two replicas find what differs, and exchange it. chosen: the number of the repair, None for the newest."""

    title = "repair"
    about = (
        "Two replicas compare their Merkle trees: to the left that of the one who began, to the right its peer's. "
        "They take turns, and each turn is a message between the trees with its bytes. Equal hashes fade: whatever is "
        "below them is equal, too, and is never looked at. Diamonds differ, and are opened: the hashes of their "
        "children are sent, level by level, down to the leaves, which hold keys. Then only the keys that differ "
        "stream across, both ways, and the diamonds become dots: mended. Of a large tree only what was "
        "opened is drawn, and where that is too much, only what differs, several nodes to a sign. "
        "The bars compare the bytes of this repair with those of a full copy, which a repair without trees would send. "
        "The newest repair that has found a difference is shown; up and down choose another, Esc goes back to the newest, "
        "Enter looks at the instant at which the chosen one began, and from there you watch it again, slowly (-) or step by step (.)."
    )
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", "The repair before", show=False),
        Binding("down", "choose(1)", "The next repair", show=False),
        Binding("enter", "seek", "Look at the instant at which it began", show=False),
        Binding("escape", "let_go", "Show the newest again", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"repair--{name}" for name in _STYLES}
    DEFAULT_CSS = """
    RepairView {
        background: $background;
        color: $foreground;
        & > .repair--equal { color: $foreground 30%; }
        & > .repair--unknown { color: $foreground 60%; }
        & > .repair--mended { color: $text-success; text-style: bold; }
        & > .repair--differs { color: $text-warning; text-style: bold; }
        & > .repair--line { color: $foreground 20%; }
        & > .repair--open { color: $text-warning 70%; }
        & > .repair--flow { color: $text-accent; text-style: bold; }
        & > .repair--title { color: $foreground; text-style: bold; }
        & > .repair--word { color: $foreground 80%; }
        & > .repair--faint { color: $foreground 70%; }
        & > .repair--bar { color: $text-accent; }
        & > .repair--copy { color: $foreground 40%; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.chosen: int | None = None
        self._scene: Scene | None = None
        self._followed: tuple[object, Descent] | None = None

    # what the screen and a person do -----------------------------------------------------------

    def show(self, scene: Scene) -> None:
        if self._scene is not None and self._scene.session is not scene.session:
            self.chosen = None
        self._scene = scene
        self._paint()

    def signs(self) -> tuple[Sign, ...]:
        names = dict(enumerate(_STYLES, 1))
        return tuple(
            Sign(glyph, f"repair--{names[_STYLE_OF[found]]}", meaning)
            for found, (glyph, meaning) in _SHAPES.items()
        )

    def action_choose(self, step: int) -> None:
        """Show the repair before (-1) or the next one (1), of those that found something."""
        if self._scene is None:
            return
        repairs = _worth(self._scene.world)
        shown = self._shown(self._scene.world)
        if shown is None or not repairs:  # none has found anything, and the newest is shown
            return
        at = next((place for place, each in enumerate(repairs) if each.id == shown.id), len(repairs) - 1)
        self.chosen = repairs[max(0, min(len(repairs) - 1, at + step))].id
        self._repaint()

    def action_seek(self) -> None:
        """Look at the instant at which the shown repair began."""
        shown = None if self._scene is None else self._shown(self._scene.world)
        if shown is None:
            raise SkipAction
        self.chosen = shown.id
        self.post_message(self.Sought(shown.t))

    def action_let_go(self) -> None:
        """Show the newest again."""
        if self.chosen is None:
            raise SkipAction
        self.chosen = None
        self._repaint()

    def _shown(self, world: World) -> Repair | None:
        """The repair to be drawn: the chosen one, or else the newest that has found a difference, or else the newest."""
        repairs = world.replicas.repairs if world.replicas else []
        if self.chosen is not None:
            for repair in repairs:
                if repair.id == self.chosen:
                    return repair
        return next((each for each in reversed(repairs) if each.found), repairs[-1] if repairs else None)

    # drawing -----------------------------------------------------------------------------------

    def _paint(self) -> None:
        scene, (width, height) = self._scene, self.size
        if scene is None or not self.is_mounted or width < 24 or height < 8:
            return
        repair = self._shown(scene.world)
        flights = [] if repair is None or repair.ended is not None else _flights(scene.world, repair)
        moving = [(each.id, int(_way(each, scene.t) * width)) for each in flights]
        state = (
            None
            if repair is None
            else (repair.id, repair.messages, len(repair.steps), repair.ended, repair.t <= scene.t)
        )
        count = len(scene.world.replicas.repairs) if scene.world.replicas else 0
        drawn = (width, height, self.chosen, state, moving, count)
        if drawn == self._drawn:
            return
        self._drawn = drawn
        self._canvas = Canvas(width, height)
        if repair is None:
            self._say_how(scene.world, height // 2 - 1)
        else:
            self._draw(scene, repair, flights)
        self._strips = self._canvas.strips(self._colours())
        self.refresh()

    def _say_how(self, world: World, y: int) -> None:
        words = "nothing has been repaired here yet"
        if not world.replicas:
            words += ": open a lab of merkle_repair with --workload keys=200 and write wipe n1."
        for line, text in enumerate(_wrap(words, self._canvas.width - 2)):
            self._canvas.put(1, y + line, text, _WORD)

    def _draw(self, scene: Scene, repair: Repair, flights: list[Sent]) -> None:
        canvas, descent = self._canvas, self._follow(repair)
        listed = _LIST if canvas.height >= _ROOMY else 0
        place = _arrange(repair, descent, canvas.width, canvas.height - listed)
        self._draw_head(scene.world, repair, place)
        if repair.steps and repair.depth + repair.fanout:
            cells = lay_out(repair, descent.levels, place.width)
            for node, x in ((repair.a, place.left), (repair.b, place.right)):
                self._draw_tree(repair, descent, node, cells, place, x)
        self._draw_turns(scene, repair, descent, flights, place)
        self._draw_bars(scene, repair, canvas.height - listed - _FOOT)
        if listed:
            self._draw_list(scene.world, repair, canvas.height - listed)

    def _follow(self, repair: Repair) -> Descent:
        key = repair.id, len(repair.steps), repair.t
        if self._followed is None or self._followed[0] != key:
            self._followed = key, follow(repair)
        return self._followed[1]

    def _draw_head(self, world: World, repair: Repair, place: _Place) -> None:
        canvas, worth = self._canvas, _worth(world)
        shape = f"fan-out {repair.fanout}, depth {repair.depth}" if repair.fanout else "no trees"
        canvas.put(0, 0, f"repair {repair.id}, begun at {repair.t:.3f} s", _TITLE)
        at = next((number for number, each in enumerate(worth, 1) if each.id == repair.id), 0)
        right = (
            f"{at} of {len(worth)} that found something ↑↓"
            if at
            else f"it has found no difference{'' if repair.ended is not None else ' yet'}"
        )
        if canvas.width >= 100:
            right = f"{shape}   {right}"
        canvas.put(canvas.width - len(right), 0, right, _FAINT)
        cut = "" if repair.fanout else "no trees"
        if place.first or place.last < repair.depth:
            cut = f"levels {place.first} - {place.last}"
        middle = place.left + place.width
        canvas.put(middle + max(0, (place.right - middle - len(cut)) // 2), 1, cut, _FAINT)
        for node, x, role in ((repair.a, place.left, "began"), (repair.b, place.right, "its peer")):
            text = f"n{node}, {role}"
            canvas.put(x + max(0, (place.width - len(text)) // 2), 1, text, _WORD)

    def _draw_tree(
        self, repair: Repair, descent: Descent, node: int, rows: list[list[Cell]], place: _Place, x: int
    ) -> None:
        """One replica's tree: what that replica knows of it."""
        canvas, seen = self._canvas, descent.seen.get(node, -1)
        whole = repair.fanout**repair.depth <= place.width
        last = place.last if whole else min(place.last, seen + 1)
        verdicts = {
            level: [descent.judge(repair, node, level, cell.nodes) for cell in rows[level]]
            for level in range(place.first, last + 1)
        }
        for level in range(place.first + 1, last + 1):
            for found in (Found.EQUAL, Found.DIFFERS):
                self._draw_lines(rows[level], verdicts[level], found, place, level, x)
        for level, row in verdicts.items():
            for cell, found in zip(rows[level], row, strict=True):
                canvas.put(x + cell.x, place.y(level), _SHAPES[found][0], _STYLE_OF[found])

    def _draw_lines(
        self, cells: list[Cell], verdicts: list[Found], found: Found, place: _Place, level: int, x: int
    ) -> None:
        """From parents to their children, those to children that differ last and bright."""
        bright = found == Found.DIFFERS
        chosen = [
            cell
            for cell, verdict in zip(cells, verdicts, strict=True)
            if (verdict in (Found.DIFFERS, Found.MENDED)) == bright
        ]
        if place.pitch < 2 or (not bright and len(cells) > place.width // 2):
            return
        dots = Dots(place.width, place.pitch + 1)
        for cell in chosen[:_MOST_LINES]:
            dots.line((cell.above, 0), (cell.x, place.pitch))
        for y in range(1, place.pitch):
            for column, glyph in enumerate(dots.text(y)):
                if glyph != " ":
                    self._canvas.put(x + column, place.y(level - 1) + y, glyph, _OPEN if bright else _LINE)

    def _draw_turns(
        self, scene: Scene, repair: Repair, descent: Descent, flights: list[Sent], place: _Place
    ) -> None:
        """Between the trees: every message by the level that it was about, and below them the keys."""
        low, high = place.left + place.width + 1, place.right - 1
        keys_y = place.y(place.last) + 2
        for step in repair.steps:
            if place.first <= step.level <= place.last:
                y = place.y(step.level)
                self._arrow(low, high, y, step.node == repair.b, _bytes(step.size))
                found = f"{len(step.differing):,} {'differs' if len(step.differing) == 1 else 'differ'}"
                if place.pitch > 1 and step.level < repair.depth:
                    self._canvas.put(
                        low + max(0, (high - low - len(found)) // 2), y + 1, found[: high - low], _WORD
                    )
        names = next((step for step in repair.steps if step.level < 0), None)
        if names is not None and descent.keyed and repair.fanout:
            size = _bytes(names.size)
            what = f"{size} of names" if high - low > len(size) + 13 else size
            self._arrow(low, high, keys_y - 1, names.node == repair.b, what)
        streamed = [step for step in repair.steps if step.keys]
        for line, (node, x) in enumerate(((repair.b, place.right), (repair.a, place.left))):
            keys = sum(step.keys for step in streamed if step.node == node)
            if keys:
                what = f"{keys:,} key{'s' * (keys != 1)}"
                self._arrow(low, high, keys_y + line, node == repair.b, what)
                blocks = max(1, round(min(1.0, keys / max(1, repair.keys)) * place.width))
                start = x if node == repair.b else x + place.width - blocks
                self._canvas.put(start, keys_y + line, "▪" * blocks, _STYLE_OF[Found.MENDED])
        for flight in flights:
            if descent.keyed:
                y, glyphs = keys_y + (flight.dst == repair.a), "▪▪▪"
            else:
                y = place.y(max(place.first, min(descent.deepest + 1, place.last)))
                glyphs = "●"
                if descent.deepest >= repair.depth:
                    y, glyphs = keys_y, "●"
            far = _way(flight, scene.t)
            far = far if flight.dst == repair.b else 1 - far
            self._canvas.put(low + int(far * max(0, high - low - len(glyphs))), y, glyphs, _FLOW)

    def _arrow(self, low: int, high: int, y: int, right: bool, what: str) -> None:
        """A message between the trees: its direction, and a word on it."""
        room = high - low - 1
        line = f" {what} ".center(room, "─")[:room]
        self._canvas.put(low, y, f"{line}▶" if right else f"◀{line}", _FLOW)

    def _draw_bars(self, scene: Scene, repair: Repair, y: int) -> None:
        """Bytes so far against those of a full copy, and what has become of it."""
        canvas = self._canvas
        most = max(repair.bytes, repair.full, 1)
        sizes = [_bytes(repair.bytes), _bytes(repair.full)]
        label = max(map(len, sizes))
        trips = many(repair.round_trips, "round trip")
        room = max(8, canvas.width - 14 - label - 2 - 24)
        share = f"{100 * repair.bytes / repair.full:.3g} % of it" if repair.full else ""
        for line, (name, size, style, note) in enumerate(
            (
                ("this repair", repair.bytes, _BAR, share),
                ("a full copy", repair.full, _COPY, many(repair.keys, "key")),
            )
        ):
            canvas.put(0, y + line, name, _WORD)
            canvas.put(13, y + line, _bar(size / most, room), style)
            canvas.put(14 + room, y + line, f"{sizes[line]:>{label}}  {note}", _WORD)
        streamed = f"{many(repair.streamed, 'value')} streamed"
        canvas.put(0, y + 2, f"{trips}, {streamed}; {_state(repair, scene)}", _WORD)

    def _draw_list(self, world: World, shown: Repair, y: int) -> None:
        """The repairs that found something, around the shown one."""
        worth = _worth(world)
        at = next((place for place, each in enumerate(worth) if each.id == shown.id), len(worth) - 1)
        first = max(0, min(at - (_LIST - 2) // 2, len(worth) - (_LIST - 1)))
        for line, each in enumerate(worth[first : first + _LIST - 1], y + 1):
            here = each.id == shown.id
            differ = (
                "         unfinished" if each.differing is None else f"{each.differing:>7,} keys differed"
            )
            text = (
                f"{'▶' if here else ' '} {each.id:>4}  {f'n{each.a} – n{each.b}':<12} {each.t:>10.3f} s  {differ:<19}"
                f"  {each.round_trips:>3} round trips  {_bytes(each.bytes):>9} of {_bytes(each.full):>9}"
            )
            self._canvas.put(0, line, text, _TITLE if here else _FAINT)

    def _colours(self) -> list[Style]:
        if not self._palette:
            plain = [self.get_component_rich_style(f"repair--{name}") for name in _STYLES]
            self._palette = [self.rich_style, *plain]
        return self._palette


def _arrange(repair: Repair, descent: Descent, width: int, height: int) -> _Place:
    """Where the trees stand, and which levels there is room for: the deepest that were opened."""
    between = max(14, min(26, width // 4 - 2))
    tree = (width - between) // 2
    room = max(1, height - _HEAD - _KEYS - _FOOT)
    levels = repair.depth + 1
    pitch = max(1, min(max(2, tree // 7), (room - 1) // max(1, repair.depth)))
    first = 0
    if levels > room:
        first = max(0, min(levels - room, descent.deepest + 2 - room))
    last = min(repair.depth, first + room - 1)
    return _Place(0, width - tree, tree, _HEAD, pitch, first, last)


def _worth(world: World) -> list[Repair]:
    """The repairs that found something, oldest first."""
    return [each for each in world.replicas.repairs if each.found] if world.replicas else []


def _flights(world: World, repair: Repair) -> list[Sent]:
    """The messages that are under way between its two replicas."""
    pair = {repair.a, repair.b}
    return [each for each in world.flights.values() if {each.src, each.dst} == pair and each.t >= repair.t]


def _way(flight: Sent, t: float) -> float:
    """Which part of its way a message has behind it."""
    return max(0.0, min(1.0, (t - flight.t) / (flight.due - flight.t))) if flight.due > flight.t else 1.0


def _state(repair: Repair, scene: Scene) -> str:
    """What has become of a repair, in words."""
    if repair.ended is not None:
        differed = "nothing differed" if not repair.differing else f"{repair.differing:,} differed"
        return f"{differed}, over after {repair.ended - repair.t:.3f} s"
    last: Step | None = repair.steps[-1] if repair.steps else None
    if last is None:
        return "begun" if not repair.messages else "its steps are not kept: press Enter to look at it again"
    silent = scene.t - last.t
    return "under way" if silent < 1 else f"nothing has come for {silent:.0f} s"


def _bytes(size: int) -> str:
    """A number of bytes for people, in three digits or so."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}" if size < 1000 * factor else f"{size / factor:,.0f} {unit}"
    return f"{size} B"


def _bar(share: float, room: int) -> str:
    """A bar, in eighths of a cell, that is never quite empty."""
    eighths = max(1 if share > 0 else 0, round(share * room * 8))
    full, rest = divmod(eighths, 8)
    return "█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")


def _wrap(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) + 1 > width and lines[-1]:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return lines
