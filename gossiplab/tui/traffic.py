"""Messages on the stage: where they are, what is left of those that are gone. Imports kinds, canvas and world.

A message is drawn at the place that its instant gives it, in the shape of its type. What arrives faster than
the eye can follow, as most does at usual latencies, leaves its way behind for a moment of real time: a line
without a head, which shrinks towards the receiver. In a dense field there are no ways to be seen: there a
message stands beside its sender for the first half of its flight and beside its receiver for the second.
"""

from collections import Counter
from itertools import islice
from typing import NamedTuple

from gossiplab.events import Sent
from gossiplab.tui.canvas import BRAILLE, Canvas, line_cells
from gossiplab.tui.ground import Ground, line_dots
from gossiplab.tui.kinds import Kinds
from gossiplab.tui.layout import Cell
from gossiplab.tui.symbols import GLYPHS, SELECTED, Role
from gossiplab.world.parts import Loss
from gossiplab.world.world import World

_MOST_IN_USE = 2000  # cells of links that are drawn because they are in use
_MOST_MESSAGES = 2000  # drawn at once; of more, every second, third ... is
_MOST_LOSSES = 500
_FRESH, _FADING = 0.4, 0.9  # virtual seconds for which a lost message is a bright, then a faint cross
_DOOR = 0.85  # of its way: where a message waits that is held, or whose receiver is paused
_TAIL = 2  # cells behind a message that carries the rumor
_WAKE = 9  # frames for which the way of a message that has arrived is seen
_SEEN = 10  # frames in which a message that flies has been seen well enough, and needs no wake
_MOST_WAKES = 150  # begun in one frame; of more, nobody sees anything


class Wake(NamedTuple):
    """The way of a message that has arrived."""

    src: int
    dst: int
    carrying: bool


Spot = tuple[int, int, str, int]
"""A message on the stage: its column, row, glyph and number."""


class Traffic:
    """Messages of one lab.

    kinds: their shapes. muted: types that are not drawn. chosen: the number of the message that is pointed at.
    sight: how many messages of each type there are that are not muted. busy: in a field
    without gaps, the cells beside which a message would stand.
    """

    def __init__(self) -> None:
        self.kinds = Kinds()
        self.muted: frozenset[str] = frozenset()
        self.chosen: int | None = None
        self.sight: Counter[str] = Counter()
        self.busy: set[Cell] = set()
        self._others: list[Spot] = []
        self._heads: list[Spot] = []  # of those that carry the rumor
        self._t = 0.0
        self._before: dict[int, Sent] = {}
        self._wakes: list[tuple[int, Wake]] = []  # with the frames they have been seen

    def draw(self, ground: Ground, world: World, t: float, rumor: int, moving: bool, seen: set[Role]) -> None:
        """Draw all of them. moving: whether time passes, so that messages leave their ways behind."""
        self._others.clear()
        self._heads.clear()
        self.sight.clear()
        self.busy.clear()
        flights = self._audible(world)
        if ground.seats.dense:
            self._wakes.clear()
            self._draw_beside(ground, flights, t, rumor, seen)
        else:
            self._remember(world, t, rumor, moving)
            if ground.links is None:
                self._draw_links_in_use(ground, flights)
            self._draw_wakes(ground)
            self._draw_losses(ground, world, t, rumor, seen)
            self._draw_flying(ground, flights, t, rumor, seen)
        self._t = t

    @property
    def spots(self) -> dict[Cell, int]:
        """The message that is seen on a cell. Asked for when a person points at one, and so not kept up frame by frame."""
        return {(x, y): id for x, y, _, id in (*self._others, *self._heads)}

    def place(self, id: int) -> Cell | None:
        """Where message `id` is seen, if it is."""
        return next((cell for cell, other in self.spots.items() if other == id), None)

    def _audible(self, world: World) -> list[Sent]:
        """The messages that are drawn."""
        flights = world.flights.values()
        if self.muted:
            muted = self.muted
            drawn = [flight for flight in flights if flight.kind not in muted]
        else:
            drawn = list(flights)
        self.sight.update(flight.kind for flight in drawn)
        every = len(drawn) // _MOST_MESSAGES + 1
        return drawn if every == 1 else [flight for flight in drawn if flight.id % every == 0]

    # flying ---------------------------------------------------------------------------------------------------

    def _draw_flying(
        self, ground: Ground, flights: list[Sent], t: float, rumor: int, seen: set[Role]
    ) -> None:
        canvas, cells, kinds, chosen = ground.canvas, ground.seats.cells, self.kinds, self.chosen
        glyphs, styles, tints = canvas.glyphs, canvas.styles, canvas.tints
        trail, dot = Role.TRAIL, GLYPHS[Role.TRAIL]  # looked up once: in an enumeration that takes long
        others, heads = self._others, self._heads
        pointed: tuple[Sent, Spot] | None = None
        for flight in flights:
            x0, y0 = cells[flight.src]
            x1, y1 = cells[flight.dst]
            way = (t - flight.t) / (flight.due - flight.t) if flight.due > flight.t else 1.0
            way = 0.0 if way < 0.0 else way if way <= 1.0 else _DOOR
            dx, dy = x1 - x0, y1 - y0
            x, y = int(x0 + dx * way + 0.5), int(y0 + dy * way + 0.5)
            shape = kinds[flight.kind]
            carrying = rumor in flight.carries
            if flight.id == chosen:
                pointed = flight, (x, y, shape.carrying if carrying else shape.other, flight.id)
            elif carrying:
                heads.append((x, y, shape.carrying, flight.id))
                steps = max(abs(dx), 2 * abs(dy)) or 1
                for back in range(1, _TAIL + 1):
                    behind = way - back / steps
                    if behind > 0:
                        u, v = int(x0 + dx * behind + 0.5), int(y0 + dy * behind + 0.5)
                        if glyphs[v][u] == " ":
                            glyphs[v][u] = dot
                        elif glyphs[v][u] < BRAILLE[0]:
                            continue  # a name
                        styles[v][u] = trail + tints[v][u]
            else:
                others.append((x, y, shape.other, flight.id))
        _put(canvas, others, Role.OTHER, seen)
        _put(canvas, heads, Role.CARRYING, seen)  # what carries the rumor stands over what does not
        if pointed:
            self._point(ground, *pointed)

    def _point(self, ground: Ground, flight: Sent, spot: Spot) -> None:
        """Draw the message that is chosen, over all others: its way, and signs on both sides of it."""
        cells, (x, y, glyph, _) = ground.seats.cells, spot
        path = line_cells(cells[flight.src], cells[flight.dst])
        line_dots(ground.canvas, list(zip(*path, strict=True)), Role.STRONG)
        ground.canvas.put(x - 1, y, f"{SELECTED[0]}{glyph}{SELECTED[1]}", Role.SELECTED)
        self._heads.append(spot)

    def _draw_links_in_use(self, ground: Ground, flights: list[Sent]) -> None:
        canvas, cells = ground.canvas, ground.seats.cells
        glyphs, styles, tints, edge = canvas.glyphs, canvas.styles, canvas.tints, Role.EDGE
        room = _MOST_IN_USE
        for flight in flights:
            path = line_cells(cells[flight.src], cells[flight.dst])
            room -= len(path.bits)
            if room < 0:
                break
            for x, y, bits in zip(*path, strict=True):
                if glyphs[y][x] == " ":
                    glyphs[y][x] = BRAILLE[bits]
                    styles[y][x] = edge + tints[y][x]

    # gone -----------------------------------------------------------------------------------------------------

    def _remember(self, world: World, t: float, rumor: int, moving: bool) -> None:
        """Begin a wake for every message that was there in the frame before, or infected somebody since, and is gone."""
        before, self._before = self._before, dict(world.flights) if moving else {}
        if not moving or t <= self._t:
            self._wakes.clear()
            return
        wakes = [(age + 1, wake) for age, wake in self._wakes if age + 1 < _WAKE]
        gone = [flight for id, flight in before.items() if id not in world.flights]
        lost = (
            {loss.message.id for loss in islice(reversed(world.lost), _MOST_LOSSES)} if gone else set[int]()
        )
        fresh = [
            Wake(flight.src, flight.dst, rumor in flight.carries)
            for flight in gone
            if flight.due - flight.t < _SEEN * (t - self._t)
            and flight.kind not in self.muted
            and flight.id not in lost
        ]
        if rumor >= 0 and not self.muted:
            # what was sent and taken between two frames has been in no World that was drawn
            for node, arrival in reversed(world.rumors[rumor].arrivals.items()):
                if arrival.t <= self._t:
                    break
                if arrival.sender is not None and arrival.message not in before:
                    fresh.append(Wake(arrival.sender, node, carrying=True))
        self._wakes = wakes + [(0, wake) for wake in fresh[:_MOST_WAKES]]

    def _draw_wakes(self, ground: Ground) -> None:
        """A line from where the message would still be on its way, the shorter the longer ago, to its receiver."""
        cells = ground.seats.cells
        for carrying in (False, True):
            for age, wake in self._wakes:
                if wake.carrying == carrying:
                    path = list(zip(*line_cells(cells[wake.src], cells[wake.dst]), strict=True))
                    role = Role.TRAIL if carrying else Role.WAKE
                    line_dots(ground.canvas, path[len(path) * age // _WAKE :], role)

    def _draw_losses(self, ground: Ground, world: World, t: float, rumor: int, seen: set[Role]) -> None:
        """Crosses where messages were lost: half way where a link or a cut took them, at the end where nobody was there."""
        cells, canvas = ground.seats.cells, ground.canvas
        for loss in world.lost[-_MOST_LOSSES:]:
            message = loss.message
            died, way = _end(loss)
            age = t - died
            if age > _FADING or message.kind in self.muted:
                continue
            (x0, y0), (x1, y1) = cells[message.src], cells[message.dst]
            role = Role.LOST if age < _FRESH else Role.FADED
            glyph = GLYPHS[role]
            if age < 0:
                way *= max(0.0, (t - message.t) / (died - message.t))
                shape = self.kinds[message.kind]
                carrying = rumor in message.carries
                role = Role.CARRYING if carrying else Role.OTHER
                glyph = shape.carrying if carrying else shape.other
                self.sight[message.kind] += 1
            canvas.put(round(x0 + (x1 - x0) * way), round(y0 + (y1 - y0) * way), glyph, role)
            seen.add(Role.LOST if role is Role.FADED else role)

    # a field --------------------------------------------------------------------------------------------------

    def _draw_beside(
        self, ground: Ground, flights: list[Sent], t: float, rumor: int, seen: set[Role]
    ) -> None:
        """Every message beside its sender, then beside its receiver; where there is no room the node is underlined."""
        seats, cells, kinds = ground.seats, ground.seats.cells, self.kinds
        if not seats.gaps:
            self.busy.update(
                cells[flight.src if 2 * t < flight.t + flight.due else flight.dst]
                for flight in flights
                if rumor < 0 or rumor in flight.carries
            )
            return
        others, heads = self._others, self._heads
        for flight in flights:
            x, y = cells[flight.src if 2 * t < flight.t + flight.due else flight.dst]
            if rumor in flight.carries:
                heads.append((x + 1, y, kinds[flight.kind].carrying, flight.id))
            else:
                others.append((x + 1, y, kinds[flight.kind].other, flight.id))
        _put(ground.canvas, others, Role.OTHER, seen)
        _put(ground.canvas, heads, Role.CARRYING, seen)


def _put(canvas: Canvas, spots: list[Spot], role: Role, seen: set[Role]) -> None:
    """Draw messages."""
    glyphs, styles, tints = canvas.glyphs, canvas.styles, canvas.tints
    for x, y, glyph, _ in spots:
        glyphs[y][x] = glyph
        styles[y][x] = role + tints[y][x]
    if spots:
        seen.add(role)


def _end(loss: Loss) -> tuple[float, float]:
    """When a lost message is seen to die, and after which part of its way.

    A link decides about a message when it is sent; what a person sees is that it does not get through.
    """
    message = loss.message
    if loss.why == "command" and message.due > message.t:
        return loss.t, min(0.85, (loss.t - message.t) / (message.due - message.t))
    return ((message.t + message.due) / 2, 0.5) if loss.t <= message.t else (loss.t, 0.85)
