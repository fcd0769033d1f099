"""The stage: nodes, links and messages on their way, drawn from a World. Imports what it is made of, and textual.

It draws a World and nothing but a World: what is live, paused, rewound or replayed looks the same. The
`ground` stays, `traffic` and `crowd` are drawn on it in every frame; see `canvas`.
"""

from collections.abc import Collection, Sequence
from math import hypot
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.filter import LineFilter
from textual.geometry import Offset, Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from gossiplab.tui.ascii import is_plain
from gossiplab.tui.crowd import draw_crowd, draw_signs, roles_of
from gossiplab.tui.ground import TINTS, Arrangement, Ground, Net
from gossiplab.tui.kinds import kind_word
from gossiplab.tui.layout import Cell, Edges
from gossiplab.tui.selection import PickedLink
from gossiplab.tui.symbols import LINKS, SHARES, SYMBOLS, Role, Symbol, symbols
from gossiplab.tui.traffic import Traffic
from gossiplab.tui.tree import draw_path
from gossiplab.tui.view import Scene, Sign, View
from gossiplab.world.overlay import drawn_links
from gossiplab.world.world import World

_LINGER = 30  # frames for which the legend names what is out of sight
_NEAR = 2  # columns, of which a row is worth two, by which a click may miss


class Entry(NamedTuple):
    """One thing in sight, for the legend. number: how many of it, None where that says little.

    kind: the type of message, empty for everything else. muted: whether that is not drawn.
    """

    glyph: str
    word: str
    role: Role
    number: int | None = None
    kind: str = ""
    muted: bool = False


class Stage(View):
    """The network: nodes, nodes' links, messages on their way.

    selected: the node that keys act on. marked: nodes to be split off. rumor: the one whose progress is
    shown, None for the newest. chosen: the number of the message that is pointed at. muted: types of messages that
    are not drawn. trace: links to draw strong instead of the lab's own, as the tree that a rumor took; None for
    those. path: links to draw thick over them. arrangement: how the nodes stand, None as it suits their number and the room.
    """

    title = "stage"
    about = (
        "Every sign is a node and every moving one a message, in the shape of its type. A node changes its shape when "
        "it learns the rumor; the legend says what each shape means. Arrows, tab or a click select a node, d shows or "
        "hides all that is known of it, m marks it; w draws who told whom. A click on a message, or n, pauses and offers "
        "what can be done to it; a click on a link, or e, shows what is known of that. y mutes types of messages, a changes how the nodes stand. Lines are links, and where "
        "nodes keep neighbours of their own they are those; of two sorts the bright ones carry rumors, and the faint, "
        "dotted ones only announce them. Those of the selected node stand out, with the nodes that it has in reserve at "
        "the end of dotted ones."
    )
    ALLOW_SELECT = False  # a drag on the stage selects no text
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(role.component for role in Role),
        *(f"stage--side-{side}" for side in range(1, TINTS + 1)),
    }
    DEFAULT_CSS = """
    Stage {
        background: $background;
        color: $foreground;
        & > .stage--faint { color: $foreground 16%; }
        & > .stage--edge { color: $foreground 22%; }
        & > .stage--eager { color: $foreground 50%; }
        & > .stage--cut { color: $text-error 60%; }
        & > .stage--strong { color: $text-primary; text-style: bold; }
        & > .stage--wall { color: $text-error 70%; }
        & > .stage--one-way { color: $text-error; text-style: bold; }
        & > .stage--label { color: $foreground 70%; }
        & > .stage--up { color: $text-success; }
        & > .stage--susceptible { color: $foreground 75%; }
        & > .stage--learned { color: $text-warning; text-style: bold reverse; }
        & > .stage--infective { color: $text-warning; text-style: bold; }
        & > .stage--removed { color: $text-success; text-style: bold; }
        & > .stage--rejoined { color: $text-success; text-style: bold; }
        & > .stage--suspected { color: $text-warning; text-style: bold; }
        & > .stage--paused { color: $text-primary; text-style: bold; }
        & > .stage--dead { color: $text-error; text-style: bold; }
        & > .stage--left { color: $foreground 45%; }
        & > .stage--crashed { color: $text-error; text-style: bold; }
        & > .stage--carrying { color: $text-accent; text-style: bold; }
        & > .stage--trail { color: $text-accent 65%; }
        & > .stage--other { color: $foreground 85%; text-style: bold; }
        & > .stage--wake { color: $foreground 50%; }
        & > .stage--lost { color: $text-error; text-style: bold; }
        & > .stage--faded { color: $text-error 50%; }
        & > .stage--selected { color: $text-primary; text-style: bold; }
        & > .stage--marked { color: $text-primary; text-style: bold; }
        & > .stage--side-1 { background: $error 14%; }
        & > .stage--side-2 { background: $primary 22%; }
        & > .stage--side-3 { background: $success 16%; }
    }
    """

    selected: reactive[int | None] = reactive[int | None](None, repaint=False)
    marked: reactive[frozenset[int]] = reactive(frozenset[int](), repaint=False)
    rumor: reactive[int | None] = reactive[int | None](None, repaint=False)
    chosen: reactive[int | None] = reactive[int | None](None, repaint=False)
    muted: reactive[frozenset[str]] = reactive(frozenset[str](), repaint=False)
    trace: reactive[Edges | None] = reactive[Edges | None](None, repaint=False)
    path: reactive[Edges] = reactive[Edges]((), repaint=False)
    arrangement: reactive[Arrangement | None] = reactive[Arrangement | None](None, repaint=False)

    class Pointed(Message):
        """A person points at message `id`."""

        def __init__(self, id: int) -> None:
            super().__init__()
            self.id = id

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._net = Net(0, (), 0)
        self._ground: Ground | None = None
        self._traffic = Traffic()
        self._strips: list[Strip] = []
        self._palette: list[Style] = []
        self._plain = False
        self._world: World | None = None
        self._t = 0.0
        self._link: PickedLink | None = None  # the one that is looked at
        self._sight: dict[
            Role | str, int
        ] = {}  # roles and types of messages, and frames since they were seen
        self._count: dict[Role, int] = {}

    # what the app calls -------------------------------------------------------------------------------------

    def open(self, nodes: int, edges: tuple[tuple[int, int], ...] | None, seed: int) -> None:
        """Lay out a network of `nodes` nodes, linked by `edges` (None: everybody with everybody)."""
        self._net = Net(nodes, edges, seed)
        self._ground = None
        self._traffic = Traffic()
        self._world = None
        self._strips = []
        self.selected = self.chosen = self.trace = self.arrangement = None
        self.path = ()
        self.marked, self.muted = frozenset(), frozenset()
        self.refresh()

    def show(self, scene: Scene) -> None:
        for kind in scene.session.latest.kinds:  # in the order of the run, wherever in it the view is
            self._traffic.kinds[kind]
        picked = scene.picked
        self._link = picked if isinstance(picked, PickedLink) and max(picked) < self._net.nodes else None
        self.draw(scene.world, scene.t, moving=scene.session.running)

    def draw(self, world: World, t: float, moving: bool = False) -> None:
        """Draw `world` as it is at the instant `t`, which is not before `world.t`.

        moving: whether time passes, so that messages may leave their ways behind for a moment.
        """
        self._world, self._t = world, t
        self._paint(moving)

    def rearrange(self) -> Arrangement:
        """Let the nodes stand in the next of the ways that there is room for. Returns which."""
        ways = self._net.arrangements(*self.size)
        self.arrangement = ways[(ways.index(self._arrangement()) + 1) % len(ways)]
        return self.arrangement

    def select_towards(self, dx: int, dy: int) -> None:
        """Select the nearest node to the left (-1, 0), right (1, 0), up (0, -1) or down (0, 1)."""
        cells = self._cells
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
        total = self._net.nodes
        if total:
            self._choose(
                (self.selected + step) % total if self.selected is not None else min(0, step) % total
            )

    def point_next(self, step: int) -> bool:
        """Point at the next message to or from the selected node, of all if none is selected. Whether there is one."""
        flights = self._world.flights.values() if self._world else ()
        node = self.selected
        # what arrives last comes first: there is most to be done to it
        order = [
            flight.id
            for flight in sorted(flights, key=lambda flight: (-flight.due, flight.id))
            if flight.kind not in self.muted and (node is None or node in (flight.src, flight.dst))
        ]
        if not order:
            return False
        place = order.index(self.chosen) if self.chosen in order else -1 if step > 0 else 0
        self.post_message(self.Pointed(order[(place + step) % len(order)]))
        return True

    def next_link(self, after: PickedLink | None) -> PickedLink | None:
        """The next link of the selected node: one of the overlay where there is one, else of the lab's; None without any."""
        node, world = self.selected, self._world
        if node is None or world is None:
            return None
        drawn = drawn_links(world, node)
        if drawn is not None:
            links = [*drawn.own, *drawn.passive]
        elif self._net.edges is not None:
            links = [(a, b) for a, b in self._net.edges if node in (a, b)]
        else:
            links = [(node, other) for other in range(self._net.nodes) if other != node]
        others = sorted({a + b - node for a, b in links})
        if not others:
            return None
        before = after.a + after.b - node if after and node in after else -1
        return PickedLink(node, next((each for each in others if each > before), others[0]))

    def place(self, message: int) -> Offset | None:
        """The cell on the stage where a message is seen, if it is."""
        cell = self._traffic.place(message)
        return None if cell is None else Offset(*cell)

    def legend(self) -> list[Entry]:
        """What is in sight, and the types of messages that are muted."""
        entries = [
            Entry(symbol.glyph, symbol.word, role, self._count.get(role))
            for role, symbol in SYMBOLS.items()
            if role in self._sight and symbol.word and role not in (Role.CARRYING, Role.OTHER)
        ]
        entries += [Entry(glyph, word, role) for role, (glyph, word, _) in self._links()]
        if self._ground and self._ground.crowded:
            entries.append(Entry("", "too many neighbours to draw: only links in use", Role.LABEL))
        rumors = self._world is not None and bool(self._world.rumors)
        dense, sight = self._dense, self._traffic.sight
        if (share := self._share) > 1:
            bars = Entry(f"{SHARES[0]}{SHARES[3]}{SHARES[-1]}", f"of {share} nodes know", Role.INFECTIVE)
            entries.insert(0, bars)
        for kind in sorted({*(each for each in self._sight if not isinstance(each, Role)), *self.muted}):
            shape, muted = self._traffic.kinds[kind], kind in self.muted
            count = sight[kind] if dense and not muted else None
            glyphs, role = shape.other, Role.OTHER
            if rumors:
                glyphs, role = f"{shape.carrying}{shape.other}", Role.CARRYING
            entries.append(Entry(glyphs, kind_word(kind), role, count, kind, muted))
        return entries

    def _links(self) -> list[tuple[Role, Symbol]]:
        """The sorts of links that are drawn, where there is more to say of them than that they are links."""
        inks = self._ground.inks if self._ground else set[Role]()
        return [(role, symbol) for role, symbol in LINKS.items() if role in inks]

    def signs(self) -> tuple[Sign, ...]:
        sight = {role for role in self._sight if isinstance(role, Role)}
        if len(sight) < len(self._sight):  # there are messages of some type
            carried = self._world is not None and self._world.rumors
            sight |= {Role.CARRYING, Role.OTHER} if carried else {Role.OTHER}
        table = symbols(self._plain)
        shown = [(role, symbol) for role, symbol in table.items() if symbol.meaning and role in sight]
        return tuple(
            Sign(symbol.glyph, role.component, symbol.meaning) for role, symbol in (*shown, *self._links())
        )

    def style_of(self, role: Role) -> Style:
        """The colour of a role, as the terminal can show it."""
        return self._colours()[role]

    # what a person does -------------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        """Select the node that was clicked, or else point at the message there; whichever is nearest. Else pick the link."""
        at = event.get_content_offset(self)
        if at is None or self._ground is None:
            return
        nodes = ((_apart(cell, at), 0, node) for node, cell in enumerate(self._cells))
        messages = ((_apart(cell, at), 1, id) for cell, id in self._traffic.spots.items())
        miss, what, which = min((*nodes, *messages), default=(_NEAR + 1, 0, 0))
        if miss <= _NEAR:
            if what:
                self.post_message(self.Pointed(which))
            else:
                self._choose(which)
        elif (link := self._link_at(at)) is not None:
            self.post_message(self.Picked(link))

    def _link_at(self, at: Offset) -> PickedLink | None:
        """The link that is seen nearest to a cell: of those that are drawn, or where there are too many, of those in use."""
        if self._ground is None or self._world is None or self._dense:
            return None
        links = self._ground.links
        if links is None:
            links = tuple((flight.src, flight.dst) for flight in self._world.flights.values())
        cells = self._cells
        misses = ((_beside(cells[a], cells[b], at), a, b) for a, b in links)
        miss, a, b = min(misses, default=(_NEAR + 1.0, 0, 0))
        return PickedLink(a, b) if miss <= _NEAR else None

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

    def watch_chosen(self) -> None:
        self._paint()

    def watch_muted(self) -> None:
        self._paint()

    def watch_trace(self) -> None:
        self._paint()

    def watch_path(self) -> None:
        self._paint()

    def watch_arrangement(self) -> None:
        self._ground = None
        self._paint()

    def on_resize(self) -> None:
        self._paint()

    def notify_style_update(self) -> None:
        """Part of Widget: the theme or the stylesheet changed."""
        super().notify_style_update()
        self._palette = []
        if self._ground:
            self._ground.canvas.forget()
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
        """Part of Widget: none, because NO_COLOR, ASCII and the like are done here, once for all frames."""
        return ()

    # drawing ------------------------------------------------------------------------------------------------

    def _paint(self, moving: bool = False) -> None:
        """Draw a frame from the World shown last."""
        world = self._world
        if world is None or len(world.nodes) != self._net.nodes or not self.is_mounted or not self.size:
            return
        width, height = self.size
        ground = self._ground
        if ground is None or (width, height) != (ground.canvas.width, ground.canvas.height):
            ground = self._ground = Ground(self._net, self._arrangement(), width, height)
        ground.draw(world.cuts, self.trace, drawn_links(world, self.selected))
        ground.canvas.begin()
        newest = len(world.rumors) - 1
        rumor = newest if self.rumor is None or self.rumor > newest else self.rumor
        seen: set[Role] = set()
        traffic = self._traffic
        traffic.muted, traffic.chosen = self.muted, self.chosen
        path = self.path if self._link is None or ground.seats.dense else (*self.path, self._link)
        if path:
            draw_path(ground.canvas, self._cells, path)
        traffic.draw(ground, world, self._t, rumor, moving, seen)
        roles = roles_of(world, self._t, rumor, _suspected(world))
        draw_crowd(ground, roles, traffic.busy)
        draw_signs(ground, self.selected, self.marked)
        self._look(ground, roles, seen, moving)
        palette = self._colours()
        self._strips = ground.canvas.strips(palette, self._plain)
        self.refresh()

    def _look(self, ground: Ground, roles: bytearray, seen: set[Role], moving: bool) -> None:
        """What is in sight, or was a moment ago: a legend that flickers cannot be read. In a field, how many."""
        count = {Role(role): roles.count(role) for role in set(roles)}
        self._count = count if ground.seats.dense else {}
        sides = ground.sides
        walls = {Role.WALL if sides.both(*pair) else Role.ONE_WAY for pair in sides.apart}
        old = self._sight.items() if moving else ()
        self._sight = {
            **{each: age + 1 for each, age in old if age < _LINGER},
            **dict.fromkeys((*count, *seen, *walls, *self._traffic.sight), 0),
        }

    def _arrangement(self) -> Arrangement:
        """How the nodes stand: as a person wants it, if there is room."""
        ways = self._net.arrangements(*self.size)
        return self.arrangement if self.arrangement and self.arrangement in ways else ways[0]

    @property
    def _cells(self) -> list[Cell]:
        return self._ground.seats.cells if self._ground else []

    @property
    def _dense(self) -> bool:
        return self._ground is not None and self._ground.seats.dense

    @property
    def _share(self) -> int:
        return self._ground.seats.share if self._ground else 1

    def _colours(self) -> list[Style]:
        """The style of every role, then on each other side of a partition, all of them underlined, and two; see `crowd`."""
        if not self._palette:
            plain = [self.get_component_rich_style(role.component) for role in Role]
            names = [f"stage--side-{side}" for side in range(1, TINTS + 1)]
            tints = [Style(bgcolor=self.get_component_rich_style(name).bgcolor) for name in names]
            tinted = [*plain, *(style + tint for tint in tints for style in plain)]
            styles = [
                *tinted,
                *(style + Style(underline=True) for style in tinted),
                plain[Role.SELECTED] + Style(reverse=True),
                plain[Role.MARKED] + Style(reverse=True),
            ]
            segments = [Segment(" ", style) for style in styles]
            filters = super().get_line_filters()
            for line_filter in filters:
                segments = line_filter.apply(segments, self.background_colors[1])
            self._palette = [segment.style or Style.null() for segment in segments]
            self._plain = is_plain(filters)
        return self._palette


def _suspected(world: World) -> Collection[int]:
    """The nodes that others think may be dead."""
    return [node for node, standing in enumerate(world.membership.standings) if standing.suspected]


def _beside(start: Cell, end: Cell, at: Offset) -> float:
    """How far a cell is from the line between two others, in columns, of which a row is worth two."""
    x, y, dx, dy = at.x - start[0], 2 * (at.y - start[1]), end[0] - start[0], 2 * (end[1] - start[1])
    along = max(0.0, min(1.0, (x * dx + y * dy) / (dx * dx + dy * dy))) if dx or dy else 0.0
    return hypot(x - along * dx, y - along * dy)


def _apart(cell: Cell, at: Offset) -> int:
    return abs(cell[0] - at.x) + 2 * abs(cell[1] - at.y)
