"""The dense field: where nodes stand when they are too many for a picture of their links. Imports layout.

One cell a node, in rows and in groups of ten, each row headed by its first node; in the order of their
numbers, or so that linked nodes stand close together. Where there are more nodes than cells, a cell stands for
as many nodes as it must, the same number in each.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import product

from gossiplab.tui.layout import Cell, Edges, Seats

_GROUP = 10


def field(order: Sequence[int], width: int, height: int) -> Seats:
    """Cells for nodes in an order, on `width` by `height` cells, spread over as much as they can fill."""
    nodes = len(order)
    if not nodes or width < 1 or height < 1:
        return Seats([(0, 0)] * nodes, {}, dense=True, order=order)
    head = len(f"n{nodes - 1}") + 1
    if _slots(1, head, width, height) is None:  # not even one group fits beside its head
        share = math.ceil(nodes / (width * height))
        cells = [(rank // share % width, rank // share // width) for rank in range(nodes)]
        return Seats(_by_node(cells, order), {}, dense=True, order=order, share=share)
    share = next(each for each in _shares() if _slots(math.ceil(nodes / each), head, width, height))
    slots = _slots(math.ceil(nodes / share), head, width, height)
    assert slots is not None
    places, in_row, gaps = slots
    cells = [places[rank // share] for rank in range(nodes)]
    names = {
        order[first * share]: (places[first][0] - head, places[first][1])
        for first in range(0, len(places), in_row)
    }
    return Seats(_by_node(cells, order), names, dense=True, order=order, share=share, gaps=gaps)


def _shares() -> Iterator[int]:
    """Nodes a cell: 1, 2, 5, 10 ..., so that a person can reckon with it."""
    scale = 1
    while True:
        yield from (scale, 2 * scale, 5 * scale)
        scale *= 10


def _by_node(cells: list[Cell], order: Sequence[int]) -> list[Cell]:
    """From cells in the order of the field to the cell of each node."""
    seats: list[Cell] = [(0, 0)] * len(cells)
    for cell, node in zip(cells, order, strict=True):
        seats[node] = cell
    return seats


def _slots(blocks: int, head: int, width: int, height: int) -> tuple[list[Cell], int, bool] | None:
    """A cell for each block, how many of them make a row, and whether they stand apart; None: no room."""
    best: tuple[bool, int, int, int, int] | None = None
    for across, down in product((1, 2, 3, 4), (1, 2, 3)):
        group = _GROUP * across + (across > 1) + 1
        groups = max(0, (width - head + 1) // group)
        rows = math.ceil(blocks / max(1, _GROUP * groups))
        if groups and 1 + (rows - 1) * down <= height:
            used = min(groups, math.ceil(blocks / _GROUP)) * group * (1 + (rows - 1) * down)
            # three columns apart, what stands beside a node is seen to be its own
            choice = across > 2, used, across, down, groups
            best = max(best or choice, choice)
    if best is None:
        return None
    _, _, across, down, groups = best
    in_row, gap = _GROUP * groups, 1 + (across > 1)
    rows = math.ceil(blocks / in_row)
    left = (width - head - in_row * across - (groups - 1) * gap) // 2
    top = (height - 1 - (rows - 1) * down) // 2
    places = [
        (left + head + block % in_row * across + block % in_row // _GROUP * gap, top + block // in_row * down)
        for block in range(blocks)
    ]
    return places, in_row, across > 1


def by_links(nodes: int, edges: Edges | None) -> tuple[int, ...]:
    """Nodes in an order in which linked ones are close together: breadth first from n0, few links first.

    Cuthill and McKee 1969, without the reversal. None, everybody linked with everybody: by number.
    """
    if edges is None:
        return tuple(range(nodes))
    neighbours: list[list[int]] = [[] for _ in range(nodes)]
    for a, b in edges:
        neighbours[a].append(b)
        neighbours[b].append(a)
    ranked: list[list[int]] = [[] for _ in range(nodes)]
    for node in sorted(range(nodes), key=lambda node: len(neighbours[node])):
        for other in neighbours[node]:
            ranked[other].append(node)
    found = [False] * nodes
    order: list[int] = []
    looked = 0
    for start in range(nodes):
        if not found[start]:
            found[start] = True
            order.append(start)
        while looked < len(order):
            node = order[looked]
            looked += 1
            for other in ranked[node]:
                if not found[other]:
                    found[other] = True
                    order.append(other)
    return tuple(order)
