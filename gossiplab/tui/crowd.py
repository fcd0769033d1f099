"""The nodes on the stage: what each of them looks like, alone or as one of many in a cell. Imports world and ground.

The same few roles for every node, in the network and in the field. Where a cell stands for several nodes it
shows which share of the live ones knows the rumor, or, if at least half of them are down, how most of those are.
"""

from collections.abc import Collection

from gossiplab.tui.canvas import Canvas
from gossiplab.tui.ground import ROLES, TINTS, Ground
from gossiplab.tui.layout import Cell, beside
from gossiplab.tui.symbols import GLYPHS, MARKED, SELECTED, SELECTED_AND_MARKED, SHARES, Role
from gossiplab.world.parts import ALIVE, CRASHED, DEAD, LEFT, PAUSED
from gossiplab.world.world import World

# Styles are numbered: the roles, the roles on each tint, all of them again underlined, and two for nodes in a field
# that has no room for signs.
BUSY = ROLES * (TINTS + 1)
CHOSEN = 2 * BUSY
PICKED = CHOSEN + 1

FLASH = 0.3  # virtual seconds for which a node that has just learned is a star
_BACK = 1.0  # virtual seconds for which a node that has just rejoined shows it
_STATUS = {DEAD: Role.DEAD, LEFT: Role.LEFT, CRASHED: Role.CRASHED, PAUSED: Role.PAUSED}
_DOWN = (Role.DEAD, Role.LEFT, Role.CRASHED)
_KNOWING = (Role.LEARNED, Role.INFECTIVE, Role.REMOVED)


def roles_of(world: World, t: float, rumor: int, suspected: Collection[int] = ()) -> bytearray:
    """The role of each node at the instant `t`. rumor: the one that is shown, -1 for none."""
    roles = bytearray([Role.SUSCEPTIBLE if rumor >= 0 else Role.UP]) * len(world.nodes)
    if rumor >= 0:
        told = world.rumors[rumor]
        for id in told.arrivals:
            roles[id] = Role.INFECTIVE
        for id in told.retired:
            roles[id] = Role.REMOVED
        for id, arrival in reversed(told.arrivals.items()):
            if arrival.t < t - FLASH:
                break
            roles[id] = Role.LEARNED
    for id in suspected:
        roles[id] = Role.SUSPECTED
    for id, node in enumerate(world.nodes):
        if node.status != ALIVE:
            roles[id] = _STATUS[node.status]
        elif node.lives > 1 and t - node.since < _BACK:
            roles[id] = Role.REJOINED
    return roles


def draw_crowd(ground: Ground, roles: bytearray, busy: Collection[Cell]) -> None:
    """Draw all nodes. busy: cells that are underlined."""
    canvas, seats = ground.canvas, ground.seats
    glyphs, styles, tints = canvas.glyphs, canvas.styles, canvas.tints
    if seats.share == 1:
        shapes = [GLYPHS.get(role, "") for role in Role]
        for (x, y), role in zip(seats.cells, roles, strict=True):
            glyphs[y][x] = shapes[role]
            styles[y][x] = role + tints[y][x]
    else:
        ranked = bytes([roles[node] for node in seats.order])
        for first in range(0, len(ranked), seats.share):
            x, y = seats.cells[seats.order[first]]
            glyphs[y][x], role = _block(ranked[first : first + seats.share])
            styles[y][x] = role + tints[y][x]
    for x, y in busy:
        styles[y][x] += BUSY


def _block(roles: bytes) -> tuple[str, Role]:
    """How nodes look that share a cell."""
    down = sum(roles.count(role) for role in _DOWN)
    if 2 * down >= len(roles):
        role = max(_DOWN, key=roles.count)
        return GLYPHS[role], role
    known = sum(roles.count(role) for role in _KNOWING)
    # the lowest bar is nobody and the highest everybody, so that neither is mistaken for nearly so
    level = (
        -(-(len(SHARES) - 2) * known // (len(roles) - down)) if known < len(roles) - down else len(SHARES) - 1
    )
    return SHARES[level], Role.INFECTIVE if known else Role.SUSCEPTIBLE


def draw_signs(ground: Ground, selected: int | None, marked: Collection[int]) -> None:
    """Draw what stands beside the nodes that a person has selected and marked, and the selected one's name."""
    cells = ground.seats.cells
    for node in marked:
        if node < len(cells):
            _embrace(ground, node, MARKED, Role.MARKED, PICKED)
    if selected is not None and selected < len(cells):
        both = selected in marked
        _embrace(ground, selected, SELECTED_AND_MARKED if both else SELECTED, Role.SELECTED, CHOSEN)
        _spell(ground, selected)


def _embrace(ground: Ground, node: int, signs: str, role: Role, reverse: int) -> None:
    """Put a sign on either side of a node. In a dense field there may be no room: there it is reversed, too."""
    x, y = ground.seats.cells[node]
    dense = ground.seats.dense
    for column, sign in ((x - 1, signs[0]), (x + 1, signs[1])):
        if not dense or (column, y) not in ground.taken:
            ground.canvas.put(column, y, sign, role)
    if dense:
        ground.canvas.styles[y][x] = reverse


def _spell(ground: Ground, node: int) -> None:
    """Write the name of the selected node, beside it if it has no place of its own."""
    seats, name, canvas = ground.seats, f"n{node}", ground.canvas
    places = [seats.names[node]] if node in seats.names else beside(seats.cells[node], len(name))
    for x, y in places:
        if _inside(canvas, x, y, len(name)) and ground.taken.isdisjoint(
            (column, y) for column in range(x, x + len(name))
        ):
            canvas.put(x, y, name, Role.SELECTED)
            break


def _inside(canvas: Canvas, x: int, y: int, size: int) -> bool:
    return x >= 0 and x + size <= canvas.width and 0 <= y < canvas.height
