"""The infection tree on the stage: along which links a rumor first came to everybody. Imports provenance and canvas.

The stage draws the tree in place of its links, with arrows; the way to the selected node lies thick over it, so that no colour is
needed to tell it from the others.
"""

from collections.abc import Sequence
from typing import NamedTuple

from gossiplab.tui.canvas import BRAILLE, Canvas, line_cells
from gossiplab.tui.symbols import ARROWS, Role
from gossiplab.world.provenance import chain_to, infection_tree
from gossiplab.world.world import World

_HEADS = frozenset(ARROWS.values())
Edge = tuple[int, int]
"""Who told, and who was told."""


class Ways(NamedTuple):
    """Links to be drawn. tree: all by which somebody was told first; path: those that led to the selected node."""

    tree: tuple[Edge, ...]
    path: tuple[Edge, ...]


def ways(world: World, rumor: int, selected: int | None) -> Ways:
    """The ways of a rumor; none when there is no such rumor."""
    if not 0 <= rumor < len(world.rumors):
        return Ways((), ())
    tree = infection_tree(world.rumors[rumor])
    edges = tuple((parent, node) for node, parent in tree.parents.items() if parent is not None)
    hops = () if selected is None else chain_to(world.rumors[rumor], selected).hops
    path = tuple((hop.sender, hop.node) for hop in hops if hop.sender is not None)
    return Ways(edges, path)


def draw_path(canvas: Canvas, cells: Sequence[tuple[int, int]], path: Sequence[Edge]) -> None:
    """Draw links between nodes at `cells` as thick lines, around the names."""
    for a, b in path:
        for x, y, bits in zip(*line_cells(cells[a], cells[b]), strict=True):
            glyph = canvas.glyphs[y][x]
            if not glyph.isalnum():
                canvas.put(x, y, glyph if glyph in _HEADS else _THICK[bits], Role.SELECTED)


def _thick(bits: int) -> int:
    """The dots of a cell and those beside and below them."""
    for pair in (0x09, 0x12, 0x24, 0xC0):
        bits |= pair if bits & pair else 0
    for above, below in ((0x24, 0xC0), (0x12, 0x24), (0x09, 0x12)):
        bits |= below if bits & above else 0
    return bits


_THICK = "".join(BRAILLE[_thick(bits)] for bits in range(256))
