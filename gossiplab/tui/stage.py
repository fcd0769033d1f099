"""The stage: nodes, links and messages on their way, drawn from a World. Imports world and textual.

It draws a World and nothing but a World: what is live, paused, rewound or replayed looks the same. What
stays (links, names, walls of a partition) is drawn once for a layout and a size, what moves is put on top
of it each frame; see `canvas`.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.filter import LineFilter
from textual.geometry import Region
from textual.reactive import reactive
from textual.strip import Strip

from gossiplab.events import Sent
from gossiplab.tui.canvas import BRAILLE, Canvas, Dots, line_cells
from gossiplab.tui.layout import Cell, Edges, Layout, Seats, beside, lay_out, name_nodes, seat
from gossiplab.tui.sides import Sides, regions, split, walls
from gossiplab.tui.symbols import MARKED, PLAIN_INK, SELECTED, SELECTED_AND_MARKED, SYMBOLS, Role
from gossiplab.tui.view import Scene, View
from gossiplab.world.world import ALIVE, CRASHED, DEAD, LEFT, PAUSED, CutSet, World

_DOOR = 0.85  # of its way: where a message waits that is held, or whose receiver is paused
_DOWN = {PAUSED: Role.PAUSED, DEAD: Role.DEAD, LEFT: Role.LEFT, CRASHED: Role.CRASHED}
_MOST_LINKED = 60  # nodes up to which a complete graph may show its links
_INK = 0.5  # of all dots: what links may cover; if they would cover more, only those in use are drawn
_STUMPS = 0.5  # of a link that is cut: what is left at its two ends
_MOST_IN_USE = 2000  # cells of links that are drawn because they are in use
_MOST_MESSAGES = 2000  # drawn at once; of more, every second, third ... is
_MOST_LOSSES = 500
_FRESH, _FADING = 0.4, 0.9  # virtual seconds for which a lost message is a bright, then a faint cross
_TAIL = 2  # cells behind a message that carries the rumor
_LONGEST_WALL = (
    3  # half perimeters of the stage; beyond, the sides are intermingled: every node gets an island
)
_ISLAND = 5  # columns from a node to the shore of its island
_TINTS = 3  # that tell the sides of a partition apart

# Styles are numbered: the roles, the roles on each tint, and two for nodes in a field that has no room for signs.
_ROLES = len(Role)
_CHOSEN = _ROLES * (_TINTS + 1)
_PICKED = _CHOSEN + 1


class Stage(View):
    """The network: nodes, nodes' links, messages on their way.

    selected: the node that keys act on. marked: nodes to be split off. rumor: the one whose progress is
    shown, None for the newest. flash: virtual seconds for which a node that has just learned is a star.
    """

    title = "stage"
    about = (
        "Every sign is a node and every moving dot a message. A node changes its shape when it learns the rumor; "
        "the legend says what each shape means. Arrows, tab or a click select a node, m marks it."
    )
    ALLOW_SELECT = False  # a drag on the stage selects no text
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(role.component for role in Role),
        *(f"stage--side-{side}" for side in range(1, _TINTS + 1)),
    }
    DEFAULT_CSS = """
    Stage {
        background: $background;
        color: $foreground;
        & > .stage--edge { color: $foreground 22%; }
        & > .stage--cut { color: $error 60%; }
        & > .stage--wall { color: $error 70%; }
        & > .stage--label { color: $foreground 55%; }
        & > .stage--susceptible { color: $foreground 75%; }
        & > .stage--learned { color: $warning; text-style: bold reverse; }
        & > .stage--infective { color: $warning; text-style: bold; }
        & > .stage--removed { color: $success; text-style: bold; }
        & > .stage--paused { color: $warning; text-style: bold; }
        & > .stage--dead { color: $error; text-style: bold; }
        & > .stage--left { color: $foreground 45%; }
        & > .stage--crashed { color: $error; text-style: bold; }
        & > .stage--carrying { color: $accent; text-style: bold; }
        & > .stage--trail { color: $accent 65%; }
        & > .stage--other { color: $foreground 85%; text-style: bold; }
        & > .stage--lost { color: $error; text-style: bold; }
        & > .stage--faded { color: $error 50%; }
        & > .stage--selected { color: $primary; text-style: bold; }
        & > .stage--marked { color: $primary; text-style: bold; }
        & > .stage--side-1 { background: $error 14%; }
        & > .stage--side-2 { background: $primary 22%; }
        & > .stage--side-3 { background: $success 16%; }
    }
    """

    selected: reactive[int | None] = reactive[int | None](None, repaint=False)
    marked: reactive[frozenset[int]] = reactive(frozenset[int](), repaint=False)
    rumor: reactive[int | None] = reactive[int | None](None, repaint=False)

    def __init__(self, *, plain: bool = False, id: str | None = None, classes: str | None = None) -> None:
        """`plain`: draw with ASCII alone."""
        super().__init__(id=id, classes=classes)
        self.flash = 0.3
        self._glyphs = {role: symbol.plain if plain else symbol.glyph for role, symbol in SYMBOLS.items()}
        self._ink = PLAIN_INK if plain else BRAILLE
        self._total = 0
        self._edges: Edges | None = ()
        self._layout = Layout(())
        self._seats = Seats([], {})
        self._taken: frozenset[Cell] = frozenset()
        self._sides = Sides([])
        self._links: Edges | None = None  # those that are drawn; None: there are too many
        self._cuts: list[CutSet] = []
        self._canvas = Canvas(0, 0)
        self._strips: list[Strip] = []
        self._palette: list[Style] = []
        self._world: World | None = None
        self._t = 0.0
        self._seen: frozenset[Role] = frozenset()
        self._legend: tuple[frozenset[Role], Text] | None = None

    # what the app calls -------------------------------------------------------------------------------------

    def open(self, nodes: int, edges: tuple[tuple[int, int], ...] | None, seed: int) -> None:
        """Lay out a network of `nodes` nodes, linked by `edges` (None: everybody with everybody)."""
        self._total = nodes
        self._edges = edges
        self._layout = lay_out(nodes, edges, seed)
        self._world = None
        self.selected = None
        self.marked = frozenset()
        self._canvas = Canvas(0, 0)
        self._strips = []
        self.refresh()

    def show(self, scene: Scene) -> None:
        self.draw(scene.world, scene.t)

    def draw(self, world: World, t: float) -> None:
        """Draw `world` as it is at the instant `t`, which is not before `world.t`."""
        self._world, self._t = world, t
        self._paint()

    def select_towards(self, dx: int, dy: int) -> None:
        """Select the nearest node to the left (-1, 0), right (1, 0), up (0, -1) or down (0, 1)."""
        cells = self._seats.cells
        if not cells:
            return
        if self.selected is None:
            self._choose(0)
            return
        x, y = cells[self.selected]
        best: tuple[float, int] | None = None
        for node, (column, row) in enumerate(cells):
            ahead = (column - x) * dx + 2 * (row - y) * dy
            aside = abs((column - x) * dy) + abs(2 * (row - y) * dx)
            if ahead > 0:
                # aside counts three times: tried on all topologies, so every node can be reached by arrows
                best = min(best or (float("inf"), 0), (ahead + 3 * aside, node))
        if best is not None:
            self._choose(best[1])

    def select_next(self, step: int) -> None:
        """Select the node whose number is `step` further on, and begin again after the last."""
        if self._total:
            self._choose(
                (self.selected + step) % self._total
                if self.selected is not None
                else min(0, step) % self._total
            )

    def legend(self) -> Text:
        """The glyphs in sight and what they mean, on one line. The same object until other glyphs come into sight."""
        if self._legend is None or self._legend[0] != self._seen:
            palette = self._colours()
            text = Text(no_wrap=True, overflow="ellipsis")
            for role, symbol in SYMBOLS.items():
                if role in self._seen and symbol.word:
                    text.append("  " if text else "")
                    text.append(self._glyphs[role], palette[role])
                    text.append(f" {symbol.word}", palette[Role.LABEL])
            self._legend = self._seen, text
        return self._legend[1]

    # what a person does -------------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        """Select the node that was clicked, or was nearly."""
        at = event.get_content_offset(self)
        near = (
            min((abs(x - at.x) + 2 * abs(y - at.y), node) for node, (x, y) in enumerate(self._seats.cells))
            if at is not None and self._seats.cells
            else (9, 0)
        )
        if near[0] <= 2:
            self._choose(near[1])

    def _choose(self, node: int) -> None:
        if node != self.selected:
            self.selected = node
            self.post_message(self.Selected(node))

    # when to draw -------------------------------------------------------------------------------------------

    def watch_selected(self) -> None:
        self._paint()

    def watch_marked(self) -> None:
        self._paint()

    def watch_rumor(self) -> None:
        self._paint()

    def on_resize(self) -> None:
        self._paint()

    def notify_style_update(self) -> None:
        """Part of Widget: the theme or the stylesheet changed."""
        super().notify_style_update()
        self._palette = []
        self._legend = None
        self._canvas.forget()
        self.call_later(self._paint)  # by then the component classes have been brought up to date too

    def render_line(self, y: int) -> Strip:
        """Part of Widget."""
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Part of Widget: without the detour that would add borders and padding, where there are none."""
        if self.gutter or len(self._strips) < crop.bottom:
            return super().render_lines(crop)
        strips = self._strips[crop.y : crop.bottom]
        start, end = crop.column_span
        return (
            strips if (start, end) == (0, self.size.width) else [strip.crop(start, end) for strip in strips]
        )

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Part of Widget: none, because NO_COLOR and the like have been done to the palette, once for all frames."""
        return ()

    # drawing ------------------------------------------------------------------------------------------------

    def _paint(self) -> None:
        """Draw a frame from the World shown last."""
        world = self._world
        if world is None or len(world.nodes) != self._total or not self.is_mounted or not self.size:
            return
        width, height = self.size
        if (width, height) != (self._canvas.width, self._canvas.height):
            self._arrange(width, height)
            self._draw_base(world.cuts)
        elif world.cuts != self._cuts:
            self._draw_base(world.cuts)
        self._canvas.begin()
        seen = {Role.WALL} if self._sides.apart else set[Role]()
        if not self._seats.dense:
            self._draw_losses(world, seen)
            self._draw_messages(world, seen)
        self._draw_nodes(world, seen)
        self._seen = frozenset(seen)
        self._strips = self._canvas.strips(self._colours())
        self.refresh()

    def _arrange(self, width: int, height: int) -> None:
        """Find places for nodes and names, and out whether there is room for links."""
        self._canvas = Canvas(width, height)
        seats = seat(self._layout, self._total, width, height)
        edges = self._edges
        if edges is None and self._total <= _MOST_LINKED:
            edges = tuple((a, b) for b in range(self._total) for a in range(b))
        ink = 0
        for a, b in edges or ():
            (x0, y0), (x1, y1) = seats.cells[a], seats.cells[b]
            ink += max(abs(2 * (x1 - x0)), abs(4 * (y1 - y0)))
        room = not seats.dense and ink <= _INK * 8 * width * height
        self._links = edges if room else None
        dots = Dots(width, height)
        for a, b in self._links or ():
            dots.line(seats.cells[a], seats.cells[b])
        names = seats.names if seats.dense else name_nodes(seats, self._layout, dots.bits)
        self._seats = seats._replace(names=names)
        self._taken = frozenset(seats.cells)

    def _draw_base(self, cuts: list[CutSet]) -> None:
        """Draw what stays: links, the walls between sides that are cut off from one another, names."""
        width, height, cells = self._canvas.width, self._canvas.height, self._seats.cells
        canvas = self._canvas = Canvas(width, height)
        self._cuts = list(cuts)
        sides = self._sides = split(self._total, cuts)
        wall: list[Cell] = []
        if sides.apart:
            ground = regions(cells, sides.of, width, height)
            wall = walls(ground, sides.apart)
            if len(wall) > _LONGEST_WALL * (width + height):
                ground = regions(cells, sides.of, width, height, _ISLAND)
                wall = walls(ground, sides.apart)
            canvas.tint(
                [bytes((side and 1 + (side - 1) % _TINTS) * _ROLES for side in row) for row in ground]
            )
        whole, broken = Dots(width, height), Dots(width, height)
        for a, b in self._links or ():
            if (sides.of[a], sides.of[b]) in sides.apart:
                broken.line(cells[a], cells[b], _STUMPS)
            else:
                whole.line(cells[a], cells[b])
        for dots, role in ((whole, Role.EDGE), (broken, Role.CUT)):
            for y in range(height):
                for x, glyph in enumerate(dots.text(y, self._ink)):
                    if glyph != " ":
                        canvas.put(x, y, glyph, role)
        for x, y in wall:
            canvas.put(x, y, self._glyphs[Role.WALL], Role.WALL)
        for node, (x, y) in self._seats.names.items():
            canvas.put(x, y, f"n{node}", Role.LABEL)
        canvas.keep()

    def _draw_messages(self, world: World, seen: set[Role]) -> None:
        flights = world.flights.values()
        every = len(flights) // _MOST_MESSAGES + 1
        t, cells, rumor = self._t, self._seats.cells, self._rumor(world)
        glyphs, styles, tints = self._canvas.glyphs, self._canvas.styles, self._canvas.tints
        carrying, other, trail = (
            self._glyphs[Role.CARRYING],
            self._glyphs[Role.OTHER],
            self._glyphs[Role.TRAIL],
        )
        heads: list[tuple[int, int]] = []
        if self._links is None:
            self._draw_links_in_use(flights)
        for flight in flights:
            if every > 1 and flight.id % every:
                continue
            x0, y0 = cells[flight.src]
            x1, y1 = cells[flight.dst]
            way = (t - flight.t) / (flight.due - flight.t) if flight.due > flight.t else 1.0
            way = 0.0 if way < 0.0 else way if way <= 1.0 else _DOOR
            dx, dy = x1 - x0, y1 - y0
            x, y = int(x0 + dx * way + 0.5), int(y0 + dy * way + 0.5)
            if rumor in flight.carries:
                heads.append((x, y))
                steps = max(abs(dx), 2 * abs(dy)) or 1
                for back in range(1, _TAIL + 1):
                    behind = way - back / steps
                    if behind > 0:
                        u, v = int(x0 + dx * behind + 0.5), int(y0 + dy * behind + 0.5)
                        if glyphs[v][u] == " ":
                            glyphs[v][u] = trail
                        elif glyphs[v][u] < BRAILLE[0]:
                            continue  # a name
                        styles[v][u] = Role.TRAIL + tints[v][u]
            else:
                glyphs[y][x] = other
                styles[y][x] = Role.OTHER + tints[y][x]
                seen.add(Role.OTHER)
        for x, y in heads:
            glyphs[y][x] = carrying
            styles[y][x] = Role.CARRYING + tints[y][x]
        if heads:
            seen.add(Role.CARRYING)

    def _draw_links_in_use(self, flights: Iterable[Sent]) -> None:
        canvas, cells = self._canvas, self._seats.cells
        glyphs, styles, tints = canvas.glyphs, canvas.styles, canvas.tints
        ink, room = self._ink, _MOST_IN_USE
        for flight in flights:
            path = line_cells(cells[flight.src], cells[flight.dst])
            room -= len(path.bits)
            if room < 0:
                break
            for x, y, bits in zip(*path, strict=True):
                if glyphs[y][x] == " ":
                    glyphs[y][x] = ink[bits]
                    styles[y][x] = Role.EDGE + tints[y][x]

    def _draw_losses(self, world: World, seen: set[Role]) -> None:
        """Crosses where messages were lost: half way where a link or a cut took them, at the end where nobody was there."""
        t, cells, canvas = self._t, self._seats.cells, self._canvas
        for loss in world.lost[-_MOST_LOSSES:]:
            message = loss.message
            # a link decides about a message when it is sent; what a person sees is that it does not get through
            at_once = loss.t <= message.t
            died, way = ((message.t + message.due) / 2, 0.5) if at_once else (loss.t, 0.85)
            age = t - died
            if age > _FADING:
                continue
            (x0, y0), (x1, y1) = cells[message.src], cells[message.dst]
            role = Role.LOST if age < _FRESH else Role.FADED
            if age < 0:
                way *= max(0.0, (t - message.t) / (died - message.t))
                role = Role.CARRYING if self._rumor(world) in message.carries else Role.OTHER
            canvas.put(round(x0 + (x1 - x0) * way), round(y0 + (y1 - y0) * way), self._glyphs[role], role)
            seen.add(Role.LOST if role is Role.FADED else role)

    def _draw_nodes(self, world: World, seen: set[Role]) -> None:
        rumor = self._rumor(world)
        arrivals = world.rumors[rumor].arrivals if rumor >= 0 else {}
        retired = world.rumors[rumor].retired if rumor >= 0 else {}
        recent = self._t - self.flash
        shapes, cells, canvas = self._glyphs, self._seats.cells, self._canvas
        glyphs, styles, tints = canvas.glyphs, canvas.styles, canvas.tints
        for id, (node, (x, y)) in enumerate(zip(world.nodes, cells, strict=True)):
            if node.status != ALIVE:
                role = _DOWN[node.status]
            elif id not in arrivals:
                role = Role.SUSCEPTIBLE
            elif arrivals[id].t >= recent:
                role = Role.LEARNED
            elif id in retired:
                role = Role.REMOVED
            else:
                role = Role.INFECTIVE
            seen.add(role)
            glyphs[y][x] = shapes[role]
            styles[y][x] = role + tints[y][x]
        for node in self.marked:
            if node < len(cells):
                self._embrace(node, MARKED, Role.MARKED, _PICKED)
        if self.selected is not None and self.selected < len(cells):
            both = self.selected in self.marked
            signs = SELECTED_AND_MARKED if both else SELECTED
            self._embrace(self.selected, signs, Role.SELECTED, _CHOSEN)
            self._spell(self.selected)

    def _embrace(self, node: int, signs: str, role: Role, reverse: int) -> None:
        """Put a sign on either side of a node. In a dense field there may be no room: there it is reversed, too."""
        x, y = self._seats.cells[node]
        dense = self._seats.dense
        for column, sign in ((x - 1, signs[0]), (x + 1, signs[1])):
            if not dense or (column, y) not in self._taken:
                self._canvas.put(column, y, sign, role)
        if dense:
            self._canvas.styles[y][x] = reverse

    def _spell(self, node: int) -> None:
        """Write the name of the selected node, beside it if it has no place of its own."""
        cells, name, canvas = self._seats.cells, f"n{node}", self._canvas
        places = [self._seats.names[node]] if node in self._seats.names else beside(cells[node], len(name))
        for x, y in places:
            inside = x >= 0 and x + len(name) <= canvas.width and 0 <= y < canvas.height
            if inside and self._taken.isdisjoint((column, y) for column in range(x, x + len(name))):
                canvas.put(x, y, name, Role.SELECTED)
                break

    def _rumor(self, world: World) -> int:
        """The rumor that is shown; -1 while there is none."""
        newest = len(world.rumors) - 1
        return newest if self.rumor is None or self.rumor > newest else self.rumor

    def _colours(self) -> list[Style]:
        """The style of every role, then on each other side of a partition, then `_CHOSEN` and `_PICKED`."""
        if not self._palette:
            plain = [self.get_component_rich_style(role.component) for role in Role]
            names = [f"stage--side-{side}" for side in range(1, _TINTS + 1)]
            tints = [Style(bgcolor=self.get_component_rich_style(name).bgcolor) for name in names]
            styles = [
                *plain,
                *(style + tint for tint in tints for style in plain),
                plain[Role.SELECTED] + Style(reverse=True),
                plain[Role.MARKED] + Style(reverse=True),
            ]
            segments = [Segment(" ", style) for style in styles]
            for line_filter in super().get_line_filters():
                segments = line_filter.apply(segments, self.background_colors[1])
            self._palette = [segment.style or Style.null() for segment in segments]
        return self._palette
