"""Whether cuts part a network: whether some node can send nothing to some other, not even by way of third ones.

A cut of one link among many parts nobody, and neither does one where no link leads. A cut in one direction parts those
behind it, because nothing from the others reaches them. Imports nodeset and parts.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from gossiplab.nodeset import parse_nodes
from gossiplab.world.parts import CutSet

Links = tuple[tuple[int, int], ...] | None
"""Pairs of linked nodes; None when everybody is linked with everybody."""

_Bits = int
"""A set of nodes, a bit for each: with thousands of nodes a set operation takes a microsecond."""


def parted(nodes: int, cuts: Iterable[CutSet], links: Links) -> bool:
    """Whether a network of so many `nodes` with these `links` is in parts for as long as `cuts` are in force."""
    cuts = tuple(cuts)
    return bool(cuts) and nodes > 1 and _parted(nodes, cuts, _Once(links))


class _Once:
    """Links that equal only themselves: comparing millions of pairs on every frame would take longer than drawing."""

    def __init__(self, links: Links) -> None:
        self.links = links

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Once) and self.links is other.links

    def __hash__(self) -> int:
        return id(self.links)


class _Cut(NamedTuple):
    """From every node of one set nothing gets to any node of the other."""

    src: _Bits
    dst: _Bits


@lru_cache(maxsize=16)
def _parted(nodes: int, cuts: tuple[CutSet, ...], once: _Once) -> bool:
    there = [_Cut(_bits(parse_nodes(a, nodes)), _bits(parse_nodes(b, nodes))) for a, b, _ in cuts]
    back = [_Cut(b, a) for (a, b), cut in zip(there, cuts, strict=True) if cut.both]
    cut = [*there, *back]
    near = _neighbours(nodes, once.links)
    # all hangs together when the first node reaches all and, against every direction, all reach it
    return not (_spans(nodes, near, cut) and _spans(nodes, near, [_Cut(b, a) for a, b in cut]))


def _bits(which: Iterable[int]) -> _Bits:
    return sum(1 << each for each in set(which))


def _neighbours(nodes: int, links: Links) -> Callable[[int], _Bits]:
    if links is None:
        everybody = (1 << nodes) - 1
        return lambda _: everybody
    near: list[list[int]] = [[] for _ in range(nodes)]
    for a, b in links:
        near[a].append(b)
        near[b].append(a)
    return lambda node: _bits(near[node])


def _spans(nodes: int, near: Callable[[int], _Bits], cuts: list[_Cut]) -> bool:
    """Whether the first node reaches all others."""
    left = (1 << nodes) - 2  # all but the first
    fringe: _Bits = 1
    while left and fringe:
        node = fringe.bit_length() - 1
        fringe ^= 1 << node
        found = near(node) & left
        for src, dst in cuts:
            if src >> node & 1:
                found &= ~dst
        left ^= found
        fringe |= found
    return not left
