"""Whether cuts part a network: whether because of them some node can send nothing to some other, by whatever way.

Counted are nodes that are up: the dead need no news, and hand on none. A cut of one link among many parts nobody, and
neither does one where no link leads, or between nodes that nothing led between before. A cut in one direction parts
those behind it, because nothing from the others reaches them. Imports nodeset and parts.
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


def parted(up: Iterable[bool], cuts: Iterable[CutSet], links: Links) -> bool:
    """Whether `cuts` part a network with these `links`. up: whether each node is."""
    cuts = tuple(cuts)
    return bool(cuts) and _parted("".join("01"[each] for each in up), cuts, _Once(links))


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
def _parted(up: str, cuts: tuple[CutSet, ...], once: _Once) -> bool:
    nodes, living = len(up), int(up[::-1] or "0", 2)
    there = [_Cut(_bits(parse_nodes(a, nodes)), _bits(parse_nodes(b, nodes))) for a, b, _ in cuts]
    back = [_Cut(b, a) for (a, b), cut in zip(there, cuts, strict=True) if cut.both]
    forward = [*there, *back]
    backward = [_Cut(b, a) for a, b in forward]
    near = _neighbours(nodes, once.links)
    while living:
        # it hangs together when one node reaches all and, against every direction, all reach it
        whole = _reached(living, near, [])
        if any(_reached(whole, near, way) != whole for way in (forward, backward)):
            return True
        living ^= whole
    return False


def _bits(which: Iterable[int]) -> _Bits:
    return sum(1 << each for each in set(which))


def _neighbours(nodes: int, links: Links) -> Callable[[int], _Bits] | None:
    """The neighbours of each node; None where everybody is."""
    if links is None:
        return None
    near: list[list[int]] = [[] for _ in range(nodes)]
    for a, b in links:
        near[a].append(b)
        near[b].append(a)
    return lambda node: _bits(near[node])


def _reached(nodes: _Bits, near: Callable[[int], _Bits] | None, cuts: list[_Cut]) -> _Bits:
    """Those of some nodes that the first of them reaches, itself included, by way of them."""
    fringe = nodes & -nodes
    left = nodes ^ fringe
    while left and fringe:
        node = fringe.bit_length() - 1
        # without links, nodes that all cuts treat alike reach the same
        alike = 1 << node if near else fringe
        found = near(node) & left if near else left
        for src, dst in cuts:
            if src >> node & 1:
                alike &= src
                found &= ~dst
            else:
                alike &= ~src
        left ^= found
        fringe = fringe & ~alike | found
    return nodes ^ left
