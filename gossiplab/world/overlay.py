"""Figures of the overlay in a World: its shape, and what a broadcast over it costs. Imports world.

The overlay is a directed graph of the live nodes: a -> b when a keeps b in its active view. What is said of it
as a network (clustering, path length, connected) is about the links without their directions, along which
messages can go both ways once there is a first one.
"""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import msgspec

from gossiplab.events import View
from gossiplab.world.parts import ALIVE, Rumor
from gossiplab.world.world import World

Links = tuple[tuple[int, int], ...]
_MOST_STEPS = 5_000_000  # along links, in the search for shortest paths: about a second


class Spread(msgspec.Struct, frozen=True):
    """How a number is spread over the live nodes. sd: standard deviation."""

    min: int
    mean: float
    max: int
    sd: float


class BroadcastFigures(msgspec.Struct, frozen=True):
    """One rumor as a broadcast, after Leitao et al. 2007 (Plumtree, section 4.1).

    payloads: messages that carried it. redundancy: payloads / (reached - 1) - 1, 0 when nobody got it twice, None
    when it reached nobody but its source. last_delivery_hop: links along the longest of the ways on which nodes
    heard it first.
    """

    rumor: int
    payloads: int
    redundancy: float | None
    last_delivery_hop: int


class OverlayFigures(msgspec.Struct, frozen=True):
    """The overlay in figures.

    nodes: live ones. in_degree, out_degree: None where nobody lives. symmetric: the share of links that go both
    ways; None without links. clustering: mean over the nodes of the share of pairs of neighbours that are linked
    (Watts and Strogatz 1998; 0 below two neighbours). path_length: mean number of links between two nodes, over
    all pairs that have a path, or those from evenly chosen nodes in large labs; None when no pair has one.
    components: the parts of the overlay, connected when there is one at most. payloads_per_broadcast, redundancy,
    last_delivery_hop: of the newest broadcast, None before the first; all of them are in `broadcasts`.
    """

    nodes: int
    in_degree: Spread | None
    out_degree: Spread | None
    symmetric: float | None
    clustering: float | None
    path_length: float | None
    components: int
    connected: bool
    payloads_per_broadcast: int | None
    redundancy: float | None
    last_delivery_hop: int | None
    broadcasts: list[BroadcastFigures]


class DrawnLinks(NamedTuple):
    """Links to draw, as sorted pairs (low, high): those that are used, and those in reserve.

    own, passive: of one node, those that it uses, and those to the nodes in its passive view.
    """

    strong: Links
    faint: Links
    own: Links = ()
    passive: Links = ()


def overlay_figures(world: World) -> OverlayFigures | None:
    """The figures of the overlay; None where no node has ever said whom it keeps."""
    if not world.overlay:
        return None
    alive = [node for node, each in enumerate(world.nodes) if each.status == ALIVE]
    active = {node: _live_peers(world, node, "active") for node in alive}
    into = dict.fromkeys(alive, 0)
    around: dict[int, set[int]] = {node: set() for node in alive}
    mutual = 0
    for node, peers in active.items():
        for peer in peers:
            into[peer] += 1
            around[node].add(peer)
            around[peer].add(node)
            mutual += node in active[peer]
    links = sum(into.values())
    components = _components(around)
    broadcasts = [_broadcast(id, rumor) for id, rumor in enumerate(world.rumors)]
    newest = broadcasts[-1] if broadcasts else None
    return OverlayFigures(
        nodes=len(alive),
        in_degree=_spread(list(into.values())),
        out_degree=_spread([len(peers) for peers in active.values()]),
        symmetric=mutual / links if links else None,
        clustering=_clustering(around),
        path_length=_path_length(around),
        components=components,
        connected=components <= 1,
        payloads_per_broadcast=newest.payloads if newest else None,
        redundancy=newest.redundancy if newest else None,
        last_delivery_hop=newest.last_delivery_hop if newest else None,
        broadcasts=broadcasts,
    )


def drawn_links(world: World, of: int | None = None) -> DrawnLinks | None:
    """The overlay's links as a picture wants them, and those `of` one node apart; None where there is no overlay.

    Where nodes tell eager from lazy links, the eager ones are strong and the lazy ones faint; else the active ones
    are strong. Passive views are no links of the overlay. A link is there as long as a live node at one of its ends keeps it,
    dead as the other may be: that is what that node believes.
    """
    if not world.overlay:
        return None
    strong: set[tuple[int, int]] = set()
    faint: set[tuple[int, int]] = set()
    own: Links = ()
    passive: Links = ()
    for node, views in enumerate(world.overlay):
        if world.nodes[node].status == ALIVE:
            used = _pairs(node, views.get("eager" if "eager" in views or "lazy" in views else "active", ()))
            strong.update(used)
            faint.update(_pairs(node, views.get("lazy", ())))
            if node == of:
                own, passive = used, _pairs(node, views.get("passive", ()))
    return DrawnLinks(tuple(sorted(strong)), tuple(sorted(faint - strong)), own, passive)


def _pairs(node: int, peers: Sequence[int]) -> Links:
    return tuple(sorted((node, peer) if node < peer else (peer, node) for peer in peers))


def _live_peers(world: World, node: int, view: View) -> set[int]:
    return {peer for peer in world.overlay[node].get(view, ()) if world.nodes[peer].status == ALIVE}


def _spread(numbers: list[int]) -> Spread | None:
    if not numbers:
        return None
    mean = sum(numbers) / len(numbers)
    return Spread(
        min(numbers), mean, max(numbers), sqrt(sum((each - mean) ** 2 for each in numbers) / len(numbers))
    )


def _components(around: dict[int, set[int]]) -> int:
    """How many parts there are that have no link between them."""
    count = 0
    unseen = set(around)
    while unseen:
        count += 1
        front = {unseen.pop()}
        while front:
            front = set[int]().union(*(around[node] for node in front)) & unseen
            unseen -= front
    return count


def _clustering(around: dict[int, set[int]]) -> float | None:
    if not around:
        return None
    total = 0.0
    for peers in around.values():
        k = len(peers)
        if k > 1:
            # every link between two neighbours is found twice
            total += sum(len(peers & around[peer]) for peer in peers) / (k * (k - 1))
    return total / len(around)


def _path_length(around: dict[int, set[int]]) -> float | None:
    """Mean links between two nodes that have a path, by breadth-first search from as many nodes as there is time for."""
    nodes = sorted(around)
    steps = sum(map(len, around.values())) + len(nodes)
    every = max(1, len(nodes) * steps // _MOST_STEPS)
    total = pairs = 0
    for source in nodes[::every]:
        seen = {source}
        front = {source}
        distance = 0
        while front:
            distance += 1
            front = set[int]().union(*(around[node] for node in front)) - seen
            seen |= front
            total += distance * len(front)
            pairs += len(front)
    return total / pairs if pairs else None


def _broadcast(id: int, rumor: Rumor) -> BroadcastFigures:
    # who was told by whom comes after that one, at one instant in the order of the messages
    first = sorted(
        {**rumor.arrivals, **rumor.forgotten}.items(),
        key=lambda each: (each[1].t, -1 if each[1].message is None else each[1].message),
    )
    hops: dict[int, int] = {}
    for node, arrival in first:
        hops[node] = 0 if arrival.sender is None else hops.get(arrival.sender, 0) + 1
    others = len(first) - 1
    return BroadcastFigures(
        rumor=id,
        payloads=rumor.updates,
        redundancy=rumor.updates / others - 1 if others > 0 else None,
        last_delivery_hop=max(hops.values(), default=0),
    )
