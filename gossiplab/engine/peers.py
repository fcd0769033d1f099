"""Whom a node is linked with. Imports nothing of the lab."""

from collections.abc import Sequence
from typing import Any


class Others(Sequence[int]):
    """Everybody but one, of n nodes: the peers in a complete graph, without a list of them."""

    __slots__ = ("_one", "_length")

    def __init__(self, n: int, one: int) -> None:
        self._one = one
        self._length = n - 1

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._length))]
        if not -self._length <= index < self._length:
            raise IndexError(index)
        index %= self._length
        return index + (index >= self._one)


def peers_of_all(n: int, edges: tuple[tuple[int, int], ...] | None) -> list[Sequence[int]]:
    """The peers of each of n nodes, ascending. edges: pairs of linked nodes; None: everybody is linked with everybody."""
    if edges is None:
        return [Others(n, id) for id in range(n)]
    neighbours: list[list[int]] = [[] for _ in range(n)]
    for a, b in edges:
        neighbours[a].append(b)
        neighbours[b].append(a)
    return [tuple(sorted(each)) for each in neighbours]
