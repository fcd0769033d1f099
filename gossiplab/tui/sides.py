"""The sides of a partition: which nodes are on which, and where one ends on the stage. Imports nodeset and world.

A partition is made of cuts, each between two sets of nodes. Nodes that all cuts treat alike make up one
side; on the stage the ground around them is theirs, and where they are cut off from their neighbours
there stands a wall.
"""

import math
from collections import Counter
from functools import lru_cache
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from gossiplab.nodeset import parse_nodes
from gossiplab.tui.layout import Cell
from gossiplab.world.parts import CutSet


class Sides(NamedTuple):
    """What cuts make of the nodes. of: the side of each, 0 for those that look as if nothing had happened.

    severed: pairs of sides from the first of which nothing gets to the second.
    apart: the same pairs, both ways round.
    """

    of: list[int]
    severed: frozenset[tuple[int, int]] = frozenset()
    apart: frozenset[tuple[int, int]] = frozenset()

    def both(self, one: int, other: int) -> bool:
        """Whether nothing gets through in either direction."""
        return (one, other) in self.severed and (other, one) in self.severed


Wall = tuple[Cell, tuple[int, int] | None]
"""A cell where two sides meet; and, if messages get through in one direction, which: columns and rows to go."""


def split(nodes: int, cuts: list[CutSet]) -> Sides:
    """Nodes that all cuts treat alike are one side."""
    if not cuts:
        return Sides([0] * nodes)
    sets = [(_members(cut.a, nodes), _members(cut.b, nodes)) for cut in cuts]
    signs = [tuple((node in a) - (node in b) for a, b in sets) for node in range(nodes)]
    sizes = Counter(signs)
    # first what no cut touches, then the larger sides, and of equal ones (-1 before 1) the one that others left
    order = sorted(sizes, key=lambda sign: (any(sign), -sizes[sign], sign))
    number = {sign: side for side, sign in enumerate(order)}
    severed = {
        (number[one], number[other])
        for one in order
        for other in order
        if any((a > 0 > b) or (a < 0 < b and cut.both) for cut, a, b in zip(cuts, one, other, strict=True))
    }
    apart = severed | {(other, one) for one, other in severed}
    return Sides([number[sign] for sign in signs], frozenset(severed), frozenset(apart))


@lru_cache(maxsize=64)
def _members(text: str, nodes: int) -> frozenset[int]:
    return frozenset(parse_nodes(text, nodes))


def regions(
    cells: list[Cell], sides: list[int], width: int, height: int, reach: float = math.inf
) -> list[list[int]]:
    """For every cell the side of the node nearest to it, found by growing outwards from all nodes at once.

    reach: columns from a node after which it is nobody's, which counts as side 0.
    """
    region = [[-1] * width for _ in range(height)]
    near = [(0.0, node, x, y) for node, (x, y) in enumerate(cells)]
    heapify(near)
    while near:
        distance, node, x, y = heappop(near)
        if region[y][x] >= 0 or distance > reach:
            continue
        region[y][x] = sides[node]
        x0, y0 = cells[node]
        for u, v in ((x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)):
            if 0 <= u < width and 0 <= v < height and region[v][u] < 0:
                heappush(near, (math.hypot(u - x0, 2 * (v - y0)), node, u, v))
    return [[max(0, side) for side in row] for row in region]


def walls(regions: list[list[int]], sides: Sides) -> list[Wall]:
    """The cells to the right of which, or below which, a side begins that theirs is cut off from."""
    found: list[Wall] = []
    apart, severed = sides.apart, sides.severed
    width, last = len(regions[0]) if regions else 0, len(regions) - 1
    for y, row in enumerate(regions):
        below = regions[min(y + 1, last)]
        for x, side in enumerate(row):
            right = row[min(x + 1, width - 1)]
            for other, way in ((right, 1), (below[x], 0)):
                if (side, other) in apart:
                    step = way, 1 - way
                    back = -way, way - 1
                    if sides.both(side, other):
                        found.append(((x, y), None))
                    else:
                        found.append(((x, y), back if (side, other) in severed else step))
                    break
    return found
