"""Where nodes stand: from a graph to points in a unit square, and from there to cells. Imports networkx when asked.

- Rings (a Watts-Strogatz graph is one), complete graphs and dense ones: a circle, n0 at the top, clockwise.
- Two complete halves: two circles. A grid: a grid. A small tree: its levels; a large one: rings of levels.
- Everything else: the spring layout of networkx (Fruchterman and Reingold 1991).
- Beyond `MOST_POINTS` nodes there is no graph to be seen: see `field`.

The shapes are ours because a terminal's cells are: evenly spaced means evenly spaced in cells. networkx and
numpy, which its layouts need, are imported only for a graph that has none of these shapes.
"""

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple

Point = tuple[float, float]
Cell = tuple[int, int]
Edges = tuple[tuple[int, int], ...]

MOST_POINTS = 400
_ASPECT = 2.0  # a cell is about twice as high as it is wide
_WIDE = 3.5  # columns for each row of a usual stage
_STEPS = 3600  # of a circle
_LEVELS = 40  # nodes up to which a tree is drawn as levels


class Layout(NamedTuple):
    """Points in the unit square, x to the right, y down; none: a field.

    shape: "round" or "halves" (two of them), where names had better stand on the outside; "rows"; or
    "loose", where the exact place of a node says little and may give way to names.
    """

    points: tuple[Point, ...]
    shape: Literal["round", "halves", "rows", "loose"] = "round"


def lay_out(nodes: int, edges: Edges | None, seed: int) -> Layout:
    """Points for nodes 0 .. nodes-1, linked by `edges` (None: complete). The same for the same arguments."""
    if nodes > MOST_POINTS:
        return Layout(())
    if nodes < 3 or not edges:
        return Layout(_circle(nodes))
    if _two_halves(nodes, edges):
        return Layout(_two_circles(nodes), "halves")
    columns = _grid_columns(nodes, edges)
    if columns:
        return Layout(_grid(nodes, columns), "rows")
    if 6 * len(edges) >= nodes * nodes or sum(b - a in (1, nodes - 1) for a, b in edges) >= 0.6 * nodes:
        return Layout(_circle(nodes))
    depths = _depths(nodes, edges)
    if len(edges) == nodes - 1 and max(depths) < nodes:
        levels = nodes <= _LEVELS
        return Layout(_tree(depths, edges, levels), "rows" if levels else "round")
    return Layout(_springs(nodes, edges, seed), "loose")


# shapes -----------------------------------------------------------------------------------------------------


def _circle(
    nodes: int, middle: float = 0.5, radius: float = 0.5, first: int = 0, turn: float = 0.0
) -> tuple[Point, ...]:
    """Node `first` at `turn` full turns from the top, the others clockwise. radius: to the sides; upright it is a half.

    Not at equal angles: at equal distances on a terminal, or else they crowd where the ellipse is steep.
    """
    if nodes == 1:
        return ((middle, 0.5),)
    ring = [2 * math.pi * (turn + step / _STEPS) for step in range(_STEPS + 1)]
    path = [(middle + radius * math.sin(angle), 0.5 - 0.5 * math.cos(angle)) for angle in ring]
    walked = [0.0]
    for (x0, y0), (x1, y1) in pairwise(path):
        walked.append(walked[-1] + math.hypot((x1 - x0) * _WIDE / _ASPECT, y1 - y0))
    return tuple(
        path[bisect_left(walked, walked[-1] * ((node - first) % nodes) / nodes)] for node in range(nodes)
    )


def _two_halves(nodes: int, edges: Edges) -> bool:
    """Whether two complete halves are joined by a bridge or two."""
    half = nodes // 2
    across = sum(a < half <= b for a, b in edges)
    complete = (half * (half - 1) + (nodes - half) * (nodes - half - 1)) // 2
    return half > 2 and 0 < across <= 2 and len(edges) == complete + across


def _two_circles(nodes: int) -> tuple[Point, ...]:
    """Two circles; the last node of the one and the first of the other, which is where the bridge is, face each other."""
    half = nodes // 2
    left = _circle(half, middle=0.22, radius=0.22, first=half - 1, turn=0.25)
    right = _circle(nodes - half, middle=0.78, radius=0.22, turn=0.75)
    return left + right


def _grid_columns(nodes: int, edges: Edges) -> int:
    """How many columns a grid has whose nodes are numbered row by row; 0 when it is none."""
    steps = {b - a for a, b in edges}
    columns = max(steps, default=0)
    if columns < 2 or steps - {1, columns} or columns * columns < nodes:
        return 0
    return 0 if any(b - a == 1 and b % columns == 0 for a, b in edges) else columns


def _grid(nodes: int, columns: int) -> tuple[Point, ...]:
    rows = math.ceil(nodes / columns)
    return tuple(
        (node % columns / max(1, columns - 1), node // columns / max(1, rows - 1)) for node in range(nodes)
    )


def _tree(depth: list[int], edges: Edges, levels: bool) -> tuple[Point, ...]:
    """Node 0 as the root; the leaves evenly spaced, every parent in the middle of its children."""
    nodes = len(depth)
    children: list[list[int]] = [[] for _ in range(nodes)]
    for a, b in edges:
        parent, child = (a, b) if depth[a] < depth[b] else (b, a)
        children[parent].append(child)
    place = [0.0] * nodes
    leaves = 0
    for node in _from_the_leaves(children):
        if children[node]:
            place[node] = sum(place[child] for child in children[node]) / len(children[node])
        else:
            place[node] = leaves
            leaves += 1
    deepest = max(1, *depth)
    if levels:
        return tuple((place[node] / max(1, leaves - 1), depth[node] / deepest) for node in range(nodes))
    return tuple(
        (
            0.5 + 0.5 * depth[node] / deepest * math.sin(2 * math.pi * place[node] / leaves),
            0.5 - 0.5 * depth[node] / deepest * math.cos(2 * math.pi * place[node] / leaves),
        )
        for node in range(nodes)
    )


def _from_the_leaves(children: list[list[int]]) -> list[int]:
    """All nodes below node 0, every one after its children, the leaves from left to right."""
    order: list[int] = []
    stack = [0]
    while stack:
        node = stack.pop()
        order.append(node)
        stack += children[node]
    return order[::-1]


# loose ------------------------------------------------------------------------------------------------------


def _depths(nodes: int, edges: Edges) -> list[int]:
    """Links between node 0 and each node along the shortest way; `nodes` where there is none."""
    neighbours: list[list[int]] = [[] for _ in range(nodes)]
    for a, b in edges:
        neighbours[a].append(b)
        neighbours[b].append(a)
    depth = [0, *[nodes] * (nodes - 1)]
    line = [0]
    for node in line:
        for other in neighbours[node]:
            if depth[other] == nodes:
                depth[other] = depth[node] + 1
                line.append(other)
    return depth


def _springs(nodes: int, edges: Edges, seed: int) -> tuple[Point, ...]:
    import networkx as nx

    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(nodes))
    graph.add_edges_from(edges)
    places: Mapping[int, Any] = nx.spring_layout(graph, seed=seed % 2**32, method="force")
    return _fill(_turn([(float(places[node][0]), float(places[node][1])) for node in range(nodes)]))


def _turn(points: list[Point]) -> list[Point]:
    """Turned so that they are widest from left to right, because terminals are."""
    n = len(points)
    mx, my = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    xx = sum((x - mx) ** 2 for x, _ in points)
    yy = sum((y - my) ** 2 for _, y in points)
    xy = sum((x - mx) * (y - my) for x, y in points)
    angle = 0.5 * math.atan2(2 * xy, xx - yy)
    cos, sin = math.cos(angle), math.sin(angle)
    return [((x - mx) * cos + (y - my) * sin, (y - my) * cos - (x - mx) * sin) for x, y in points]


def _fill(points: list[Point]) -> tuple[Point, ...]:
    """Stretched over the unit square; half way to even spacing, so that a crowded middle gets more room."""
    xs, ys = _even([x for x, _ in points]), _even([y for _, y in points])
    return tuple(zip(xs, ys, strict=True))


def _even(values: list[float]) -> list[float]:
    low, high = min(values), max(values)
    rank = {index: place for place, index in enumerate(sorted(range(len(values)), key=values.__getitem__))}
    last = max(1, len(values) - 1)
    return [
        0.5 * (value - low) / ((high - low) or 1.0) + 0.5 * rank[index] / last
        for index, value in enumerate(values)
    ]


# cells ------------------------------------------------------------------------------------------------------


class Seats(NamedTuple):
    """Where nodes are. cells: of each node, as (column, row). names: nodes whose name has room, and where it begins.

    dense: whether it is a field, in which `order` tells the nodes one after the other. share: nodes in a cell.
    gaps: whether the cell to the right of each is free.
    """

    cells: list[Cell]
    names: dict[int, Cell]
    dense: bool = False
    order: Sequence[int] = ()
    share: int = 1
    gaps: bool = False


def has_room(nodes: int, width: int, height: int) -> bool:
    """Whether so many nodes can stand where a layout says, and links between them be seen."""
    return nodes <= MOST_POINTS and width * height >= 7 * nodes


def seat(layout: Layout, nodes: int, width: int, height: int) -> Seats:
    """Cells for the nodes of a layout on `width` by `height` cells that have room for it: each its own."""
    if not nodes or width < 1 or height < 1:
        return Seats([(0, 0)] * nodes, {})
    name = len(f"n{nodes - 1}")
    roomy = width * height >= 24 * nodes  # labels will fit
    margin = min(name + 2, width // 4) if roomy else 1
    gap = name + 2 if roomy and layout.shape == "loose" else 1
    across, down = max(0, width - 1 - 2 * margin), max(0, height - 1 - 2 * (height > 8))
    taken: set[Cell] = set()
    cells: list[Cell] = []
    for x, y in layout.points:
        wanted = margin + round(x * across), (height > 8) + round(y * down)
        cell = _free(wanted, taken, width, height)
        taken.update((cell[0] + side, cell[1]) for side in range(-gap, gap + 1))
        cells.append(cell)
    return Seats(cells, {})


def _free(wanted: Cell, taken: set[Cell], width: int, height: int) -> Cell:
    """The free cell nearest to the one that is wanted; the wanted one when all are taken."""
    if wanted not in taken:
        return wanted
    column, row = wanted
    for radius in range(1, width + height):
        ring: list[tuple[float, Cell]] = []
        for down in range(-(radius // 2) - 1, radius // 2 + 2):
            for side in (-radius, radius) if abs(down) * 2 < radius - 1 else range(-radius, radius + 1):
                x, y = column + side, row + down
                if 0 <= x < width and 0 <= y < height and (x, y) not in taken:
                    ring.append((side * side + (_ASPECT * down) ** 2, (x, y)))
        if ring:
            return min(ring)[1]
    return wanted


def name_nodes(seats: Seats, layout: Layout, ink: Sequence[Sequence[int]]) -> dict[int, Cell]:
    """Where names of nodes begin that have room for theirs, on cells with little ink under them.

    ink: one number a cell, not 0 where a line runs. Where nodes stand in order and there is no room for all
    names, every second, fifth or tenth is enough.
    """
    cells, names = seats.cells, dict[int, Cell]()
    halves = layout.shape == "halves"
    ends = (0, len(cells) // 2, len(cells)) if halves else (0, len(cells))
    middles = [_middle(cells[start:end]) for start, end in pairwise(ends) for _ in range(start, end)]
    for step in (1,) if layout.shape == "loose" else (1, 2, 5, 10):
        nodes = range(0, len(cells), step)
        names = _names(cells, nodes, middles if layout.shape in {"round", "halves"} else cells, ink)
        if len(names) == len(nodes):
            break
    return names


def beside(cell: Cell, size: int) -> Iterator[Cell]:
    """Where a name of `size` characters may begin: to the right of a node, to the left, above, below, askew."""
    x, y = cell
    yield x + 2, y
    yield x - 1 - size, y
    yield x - size // 2, y - 1
    yield x - size // 2, y + 1
    yield x + 1, y + 1
    yield x + 1, y - 1


def _middle(cells: list[Cell]) -> Point:
    count = max(1, len(cells))
    return sum(x for x, _ in cells) / count, sum(y for _, y in cells) / count


def _names(
    cells: list[Cell], nodes: range, inside: Sequence[Point], ink: Sequence[Sequence[int]]
) -> dict[int, Cell]:
    """Names for some nodes, each on the side of its node that is away from the point `inside`."""
    height, width = len(ink), len(ink[0]) if ink else 0
    taken = {(x + side, y) for x, y in cells for side in (-1, 0, 1)}
    names: dict[int, Cell] = {}
    for node in nodes:
        x, y = cells[node]
        out_x, out_y = x - inside[node][0], _ASPECT * (y - inside[node][1])
        out = math.hypot(out_x, out_y) or 1.0
        size = len(f"n{node}")
        choices: list[tuple[float, int, Cell]] = []
        for rank, (left, row) in enumerate(beside((x, y), size)):
            span = [(column, row) for column in range(left, left + size)]
            if left < 0 or left + size > width or not 0 <= row < height or not taken.isdisjoint(span):
                continue
            cost = sum(ink[row][column] != 0 for column, _ in span)
            side_x, side_y = left + (size - 1) / 2 - x, _ASPECT * (row - y)
            outward = (side_x * out_x + side_y * out_y) / (out * math.hypot(side_x, side_y))
            choices.append((cost - size * outward, rank, (left, row)))
        if choices:
            left, row = names[node] = min(choices)[2]
            taken.update((column, row) for column in range(left - 1, left + size + 1))
    return names
