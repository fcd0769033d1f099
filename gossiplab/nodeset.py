"""Sets of nodes as people write them: `n3`, `n0-n7`, `n1,n4`, `all`, `none`. Imports only errors.

Nodes are the integers 0 .. n-1 everywhere in the code; `n3` is how a person reads and writes 3.
"""

import re
from collections.abc import Iterable

from gossiplab.errors import UserError

_RANGE = re.compile(r"n(\d{1,9})(?:-n?(\d{1,9}))?", re.ASCII)


def parse_nodes(text: str, total: int) -> tuple[int, ...]:
    """Read `text` as a sorted tuple of distinct nodes of a lab that has `total` nodes.

    Raises UserError when the text is not a set of nodes, or names a node the lab does not have.
    """
    if text == "all":
        return tuple(range(total))
    if text == "none":
        return ()
    nodes: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise UserError(f"{part!r} names no node: write n3, n0-n7, n1,n4 or all.")
        low = int(match[1])
        high = low if match[2] is None else int(match[2])
        if high < low:
            raise UserError(f"the range {part} runs backwards: write n{high}-n{low}.")
        if high >= total:
            there = f"nodes n0 to n{total - 1}" if total else "no nodes at all"
            raise UserError(f"there is no node n{high}: this lab has {there}.")
        nodes.update(range(low, high + 1))
    return tuple(sorted(nodes))


def format_nodes(nodes: Iterable[int]) -> str:
    """Write nodes the shortest way `parse_nodes` reads back: (0, 1, 2, 5) is "n0-n2,n5", () is "none"."""
    runs: list[list[int]] = []
    for node in sorted(set(nodes)):
        if runs and node == runs[-1][1] + 1:
            runs[-1][1] = node
        else:
            runs.append([node, node])
    return ",".join(f"n{low}" if low == high else f"n{low}-n{high}" for low, high in runs) or "none"
