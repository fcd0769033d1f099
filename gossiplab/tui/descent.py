"""The descent of a repair as a picture: what each side has found, level by level, and where tree nodes stand.

Imports the World's replicas. Both replicas' trees have one shape, so one layout serves both. A tree that fits is drawn
as a whole; of a larger one only what was opened: the children of nodes that differ.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from gossiplab.world.replicas import Repair


class Found(IntEnum):
    """What one side knows of a tree node. Of several in one cell the greatest counts."""

    EQUAL = 0
    UNKNOWN = 1
    MENDED = 2
    DIFFERS = 3


class Cell(NamedTuple):
    """One or several tree nodes of a level, in column `x`. above: the column of the parent of the first of them."""

    x: int
    nodes: tuple[int, ...]
    above: int


class Descent(NamedTuple):
    """What a repair has found so far.

    levels: by level that was compared the nodes that differ, ascending; sets: the same as sets. seen: by replica the
    deepest level of which it knows, -1 for none. keyed: whether keys have been compared, or were sent.
    """

    levels: dict[int, tuple[int, ...]]
    sets: dict[int, frozenset[int]]
    seen: dict[int, int]
    keyed: bool

    @property
    def deepest(self) -> int:
        """The deepest level that was compared; -1: none."""
        return max(self.levels, default=-1)

    def judge(self, repair: Repair, node: int, level: int, cell: Sequence[int]) -> Found:
        """What a replica knows of these nodes of a level."""
        return max(self._judge(repair, node, level, each) for each in cell)

    def _judge(self, repair: Repair, node: int, level: int, index: int) -> Found:
        seen = self.seen.get(node, -1)
        for above in range(min(level, seen) + 1):
            if index // repair.fanout ** (level - above) not in self.sets.get(above, ()):
                return Found.EQUAL  # whatever lies below equal nodes is equal
        if level > seen:
            return Found.UNKNOWN
        return Found.MENDED if repair.ended is not None else Found.DIFFERS


def follow(repair: Repair) -> Descent:
    """What the steps of a repair so far have found."""
    levels = {step.level: step.differing for step in repair.steps if step.level >= 0}
    keyed = any(step.level < 0 for step in repair.steps) and repair.depth in levels
    deepest = max(levels, default=-1)
    seen: dict[int, int] = {}
    for step in repair.steps:
        # what comes after the comparison of hashes has been opened by somebody who knew all of it
        seen[step.node] = max(seen.get(step.node, -1), step.level if step.level >= 0 else deepest)
    return Descent(levels, {level: frozenset(nodes) for level, nodes in levels.items()}, seen, keyed)


def lay_out(repair: Repair, levels: dict[int, tuple[int, ...]], width: int) -> list[list[Cell]]:
    """The cells of each level, from the root, in so many columns. A level of which nothing is opened has none."""
    fanout, depth = repair.fanout, repair.depth
    if fanout**depth <= width:
        pitch = (width + 1) // fanout**depth  # columns from a leaf to the next
        start = (width - pitch * fanout**depth + pitch - 1) // 2

        def column(level: int, index: int) -> int:
            """In the middle of the leaves below it."""
            below = fanout ** (depth - level)
            return start + (2 * index * below + below - 1) * pitch // 2

        return [
            [
                Cell(column(level, i), (i,), column(max(0, level - 1), i // fanout))
                for i in range(fanout**level)
            ]
            for level in range(depth + 1)
        ]
    middle = width // 2
    rows = [[Cell(middle, (0,), middle)]]
    for level in range(1, depth + 1):
        places = {index: cell.x for cell in rows[-1] for index in cell.nodes}
        parents = [index for index in levels.get(level - 1, ()) if index in places]
        rows.append(_row(parents, places, fanout, levels.get(level), width) if parents else [])
    return rows


def _row(
    parents: list[int], places: dict[int, int], fanout: int, differing: tuple[int, ...] | None, width: int
) -> list[Cell]:
    """One level of a tree that is too large: all children of opened nodes, or those that differ, or blocks of them."""
    families = [tuple(range(each * fanout, (each + 1) * fanout)) for each in parents]
    room = width - len(parents) * fanout
    if room < 0:
        if differing is None:
            return []
        families = [(each,) for each in differing if each // fanout in places]
        room = width - len(families)
    if room < 0:
        tall = -(-len(families) // width)  # nodes to a cell
        blocks = [
            tuple(each for family in families[at : at + tall] for each in family)
            for at in range(0, len(families), tall)
        ]
        return [Cell(x, block, places[block[0] // fanout]) for x, block in enumerate(blocks)]
    gap = 1 if room >= len(families) - 1 else 0
    centres = [places[family[0] // fanout] for family in families]
    cells: list[Cell] = []
    for start, family, above in zip(
        _pack([len(family) for family in families], centres, gap, width), families, centres, strict=True
    ):
        cells += [Cell(start + offset, (index,), above) for offset, index in enumerate(family)]
    return cells


def _pack(sizes: list[int], centres: list[int], gap: int, width: int) -> list[int]:
    """Where groups begin that shall stand around their centres, in order and without touching."""
    starts: list[int] = []
    free = 0
    for size, centre in zip(sizes, centres, strict=True):
        starts.append(max(free, centre - size // 2))
        free = starts[-1] + size + gap
    limit = width
    for at in reversed(range(len(sizes))):
        starts[at] = min(starts[at], limit - sizes[at])
        limit = starts[at] - gap
    return starts
