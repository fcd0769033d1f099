"""The ground of the stage: what stays while messages move. Imports canvas, layout, field and sides.

Places for nodes, their names, the links between them, and the regions and walls of a partition are drawn once
for a layout, a size and a set of cuts; see `canvas`.
"""

from enum import StrEnum
from functools import cached_property

from gossiplab.tui.canvas import BRAILLE, Canvas, Dots
from gossiplab.tui.field import by_links, field
from gossiplab.tui.layout import Cell, Edges, Layout, Seats, has_room, lay_out, name_nodes, seat
from gossiplab.tui.sides import Sides, Wall, regions, split, walls
from gossiplab.tui.symbols import ARROWS, GLYPHS, Role
from gossiplab.world.overlay import DrawnLinks
from gossiplab.world.parts import CutSet

TINTS = 3  # that tell the sides of a partition apart
ROLES = len(Role)
MOST_PICTURED = 150  # nodes up to which the network is drawn unless a person wants the field
_MOST_LINKED = 60  # nodes up to which a complete graph may show its links
_INK = 0.5  # of all dots: what links may cover; if they would cover more, only those in use are drawn
_HEAD = 0.75  # of a link by which a rumor came: where the arrow stands
_STUMP = 0.25  # of a link that is cut: what is left at an end
_LONGEST_WALL = (
    3  # half perimeters of the stage; beyond, the sides are intermingled: every node gets an island
)
_ISLAND = 5  # columns from a node to the shore of its island


class Arrangement(StrEnum):
    """How the nodes stand."""

    NETWORK = "a picture of the network"
    LINKED = "a field, linked nodes close together"
    NUMBERED = "a field, by number"


class Net:
    """Nodes and their links, laid out once. edges: None when everybody is linked with everybody."""

    def __init__(self, nodes: int, edges: Edges | None, seed: int) -> None:
        self.nodes = nodes
        self.edges = edges
        self._seed = seed

    # both are made when they are needed: most labs do without one of them, and springs take their time

    @cached_property
    def layout(self) -> Layout:
        """Points for a picture of the network."""
        return lay_out(self.nodes, self.edges, self._seed)

    @cached_property
    def linked(self) -> tuple[int, ...]:
        """Nodes in an order in which linked ones are close together."""
        return by_links(self.nodes, self.edges)

    def arrangements(self, width: int, height: int) -> list[Arrangement]:
        """Those that there is room and reason for; the one to begin with comes first."""
        fields = [Arrangement.NUMBERED] if self.edges is None else [Arrangement.NUMBERED, Arrangement.LINKED]
        if not has_room(self.nodes, width, height):
            return fields
        return (
            [Arrangement.NETWORK, *fields] if self.nodes <= MOST_PICTURED else [*fields, Arrangement.NETWORK]
        )

    def seats(self, arrangement: Arrangement, width: int, height: int) -> Seats:
        """Cells for all nodes."""
        if arrangement is Arrangement.NETWORK:
            return seat(self.layout, self.nodes, width, height)
        return field(self.linked if arrangement is Arrangement.LINKED else range(self.nodes), width, height)


class Ground:
    """A stage of `width` by `height` cells without messages.

    seats: where the nodes are. taken: their cells. links: those that are drawn; None: there are too many.
    inks: the roles of links that are drawn. sides: of the partition. canvas: with the ground as its base.
    """

    def __init__(self, net: Net, arrangement: Arrangement, width: int, height: int) -> None:
        self.canvas = Canvas(width, height)
        self.sides = Sides([0] * net.nodes)
        self.crowded = False  # whether neighbours that nodes keep are too many to be drawn
        self.cuts: list[CutSet] | None = None
        self.strong: Edges | None = None
        self._overlay: DrawnLinks | None = None
        self.inks: set[Role] = set()
        self._nodes = net.nodes
        seats = net.seats(arrangement, width, height)
        edges = net.edges
        if edges is None and net.nodes <= _MOST_LINKED:
            edges = tuple((a, b) for b in range(net.nodes) for a in range(b))
        self.links = self._own = edges if not seats.dense and self._light(edges or (), seats) else None
        if not seats.dense:
            dots = Dots(width, height)
            for a, b in self.links or ():
                dots.line(seats.cells[a], seats.cells[b])
            seats = seats._replace(names=name_nodes(seats, net.layout, dots.bits))
        self.seats = seats
        self.taken = frozenset(seats.cells)

    def draw(self, cuts: list[CutSet], strong: Edges | None, overlay: DrawnLinks | None = None) -> None:
        """Draw it anew, if it has changed.

        strong: links to draw instead of all others, if not None. overlay: those that nodes keep, which are drawn in
        place of the lab's own; the nodes stay where they are.
        """
        if cuts == self.cuts and strong == self.strong and overlay == self._overlay:
            return
        self.cuts, self.strong, self._overlay = list(cuts), strong, overlay
        if overlay is not None:
            fits = not self.seats.dense and self._light(overlay.strong, self.seats)
            self.links = overlay.strong if fits else None
            self.crowded = not (fits or self.seats.dense)
        else:
            self.links = self._own
            self.crowded = False
        width, height, cells = self.canvas.width, self.canvas.height, self.seats.cells
        canvas = self.canvas = Canvas(width, height)
        sides = self.sides = split(self._nodes, cuts)
        wall: list[Wall] = []
        if sides.apart:
            ground = regions(cells, sides.of, width, height)
            wall = walls(ground, sides)
            if len(wall) > _LONGEST_WALL * (width + height):
                ground = regions(cells, sides.of, width, height, _ISLAND)
                wall = walls(ground, sides)
            canvas.tint([bytes((side and 1 + (side - 1) % TINTS) * ROLES for side in row) for row in ground])
        self._draw_links(canvas, strong)
        for (x, y), way in wall:
            role = Role.ONE_WAY if way else Role.WALL
            canvas.put(x, y, ARROWS[way] if way else GLYPHS[role], role)
        for node, (x, y) in self.seats.names.items():
            canvas.put(x, y, f"n{node}", Role.LABEL)
        canvas.keep()

    def _draw_links(self, canvas: Canvas, strong: Edges | None) -> None:
        """Whole links; cut ones as stumps; those that are cut one way broken on the side that nothing leaves."""
        cells, sides = self.seats.cells, self.sides
        reserve = strong is None and self._draw_reserve(canvas)
        chosen = self._overlay if strong is None and not self.seats.dense else None
        if chosen:
            # dotted, for it does not talk to them
            self._put(canvas, self._whole(chosen.passive), Role.EDGE, every=3)
        whole, broken = Dots(canvas.width, canvas.height), Dots(canvas.width, canvas.height)
        arrows: list[tuple[Cell, str]] = []
        heads: list[tuple[Cell, str]] = []
        drawn = self.links if strong is None else strong if self._light(strong, self.seats) else ()
        for a, b in drawn or ():
            pair = sides.of[a], sides.of[b]
            if strong is not None or pair not in sides.apart:
                whole.line(cells[a], cells[b])
            elif sides.both(*pair):
                broken.line(cells[a], cells[b], (_STUMP, 1 - _STUMP))
            else:
                mute, free = (a, b) if pair in sides.severed else (b, a)
                broken.line(cells[mute], cells[free], (_STUMP, 0.5))
                (x0, y0), (x1, y1) = cells[mute], cells[free]
                way = (_STUMP + 0.5) / 2
                middle = int(x0 + (x1 - x0) * way + 0.5), int(y0 + (y1 - y0) * way + 0.5)
                arrows.append((middle, _arrow(x0 - x1, y0 - y1)))
            if strong is not None:
                (x0, y0), (x1, y1) = cells[a], cells[b]
                near = int(x0 + (x1 - x0) * _HEAD + 0.5), int(y0 + (y1 - y0) * _HEAD + 0.5)
                heads.append((near, _arrow(x1 - x0, y1 - y0)))
        eager = self._overlay is not None and self._overlay.faint  # there are lazy ones to tell them from
        ink = Role.STRONG if strong is not None else Role.EAGER if eager else Role.EDGE
        self.inks = {*({ink} if drawn else ()), *({Role.FAINT} if reserve else ())}
        self._put(canvas, whole, ink)
        self._put(canvas, broken, Role.CUT)
        if chosen:
            self._put(canvas, self._whole(chosen.own), Role.STRONG)
        for role, found in ((Role.STRONG, heads), (Role.ONE_WAY, arrows)):
            for (x, y), arrow in found:
                if (x, y) not in self.taken:
                    canvas.put(x, y, arrow, role)

    def _draw_reserve(self, canvas: Canvas) -> bool:
        """The links of an overlay that are kept in reserve, thinly dotted. Whether there was room for them as well."""
        faint = self._overlay.faint if self._overlay and self.links is not None else ()
        if not faint or not self._light((*faint, *(self.links or ())), self.seats):
            return False
        self._put(canvas, self._whole(faint), Role.FAINT, every=3)
        return True

    def _whole(self, links: Edges) -> Dots:
        """The lines of links that are not cut."""
        cells, of, dots = self.seats.cells, self.sides.of, Dots(self.canvas.width, self.canvas.height)
        for a, b in links:
            if (of[a], of[b]) not in self.sides.apart:
                dots.line(cells[a], cells[b])
        return dots

    @staticmethod
    def _put(canvas: Canvas, dots: Dots, role: Role, every: int = 1) -> None:
        """Lines, or with `every` 3 a third of their cells."""
        for y in range(canvas.height):
            for x, glyph in enumerate(dots.text(y)):
                if glyph != " " and (x + y) % every == 0:
                    canvas.put(x, y, glyph, role)

    def _light(self, edges: Edges, seats: Seats) -> bool:
        """Whether links leave room between them for something else to be seen."""
        ink = 0
        for a, b in edges:
            (x0, y0), (x1, y1) = seats.cells[a], seats.cells[b]
            ink += max(abs(2 * (x1 - x0)), abs(4 * (y1 - y0)))
        return ink <= _INK * 8 * self.canvas.width * self.canvas.height


def _arrow(dx: int, dy: int) -> str:
    """The arrow that comes nearest to a way of so many columns and rows."""
    if abs(dx) >= 2 * abs(dy):
        return ARROWS[1 if dx > 0 else -1, 0]
    return ARROWS[0, 1 if dy > 0 else -1]


def line_dots(canvas: Canvas, cells: list[tuple[int, int, int]], role: Role) -> None:
    """Put dots of a line, as (column, row, bits), where nothing stands, and give its colour to dots that stand there."""
    glyphs, styles, tints = canvas.glyphs, canvas.styles, canvas.tints
    for x, y, bits in cells:
        glyph = glyphs[y][x]
        if glyph == " ":
            glyphs[y][x] = BRAILLE[bits]
        elif glyph < BRAILLE[0]:
            continue  # a name, a wall
        styles[y][x] = role + tints[y][x]
