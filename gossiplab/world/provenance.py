"""Who told whom: how a rumor or a value came to a node, and the whole infection tree. Imports world and replicas.

A World keeps how every node learned a rumor: when, from which message, sent by whom. Following the senders
leads back to the source. Messages are numbered in the order of their birth, and whoever sends a rumor had
learned it from a message that was sent before: along a chain the numbers fall, so every chain ends.
"""

from typing import NamedTuple

from gossiplab.world.parts import Arrival, Rumor
from gossiplab.world.replicas import Copy, Key


class Hop(NamedTuple):
    """A node and how it learned the rumor: when, from which message (None: from none), sent by whom."""

    node: int
    t: float
    message: int | None
    sender: int | None


class Chain(NamedTuple):
    """How a node learned a rumor: the node first, then who told it, and so on. whole: back to the source."""

    hops: tuple[Hop, ...]
    whole: bool

    @property
    def length(self) -> int:
        """Deliveries from the last known node, the source if it is whole, to the node."""
        return len(self.hops) - 1


class Tree(NamedTuple):
    """Along which way the rumor first came to every node.

    parents: who told it first; None: nobody did, as at the source, or it is not known. depth: deliveries from there.
    """

    parents: dict[int, int | None]
    depth: dict[int, int]


def chain_to(rumor: Rumor, node: int) -> Chain:
    """How `node` learned what it knows of a rumor; no hops when it does not know it.

    A node that rejoined fresh and learned again has two arrivals; a chain goes through the last one before it
    told. Of a node that has forgotten more than once a World keeps only the first arrival and the present one.
    """
    hops: list[Hop] = []
    arrival = rumor.arrivals.get(node)
    while arrival is not None:
        hops.append(Hop(node, arrival.t, arrival.message, arrival.sender))
        if arrival.message is None or arrival.sender is None:
            break
        node, arrival = arrival.sender, _known_by(rumor, arrival.sender, arrival.t, arrival.message)
    return Chain(tuple(hops), bool(hops) and hops[-1].message is None and hops[-1].node == rumor.source)


def copy_chain(key: Key, node: int) -> Chain:
    """How what `node` holds of a key came there: its last change, that of who sent it, and so on; no hops if never.

    It goes on while the sender still holds what it sent, or part of it: what it held before, a World does not know.
    whole: back to where it was written.
    """
    hops: list[Hop] = []
    copy = key.copies.get(node)
    while copy is not None:
        if _made(key, node, copy):  # whatever message it was at which its writer made up its mind
            return Chain((*hops, Hop(node, copy.t, None, None)), whole=True)
        hops.append(Hop(node, copy.t, copy.by, copy.sender))
        before = key.copies.get(copy.sender) if copy.sender is not None else None
        if before is None or not set(before.versions) & set(copy.versions) or not _earlier(before, copy):
            break
        node, copy = copy.sender or 0, before
    return Chain(tuple(hops), bool(hops) and hops[-1].message is None)


def _made(key: Key, node: int, copy: Copy) -> bool:
    """Whether a node holds this copy since it made one of its versions itself."""
    made = [key.versions[version] for version in copy.versions if version in key.versions]
    return any(version.node == node and version.t == copy.t for version in made)


def _earlier(one: Copy, other: Copy) -> bool:
    """Whether one copy was there before the message was sent that brought the other: so every chain ends."""
    return one.t <= other.t and (one.by is None or (other.by is not None and one.by < other.by))


def infection_tree(rumor: Rumor) -> Tree:
    """The tree of first arrivals, also of those that have forgotten the rumor since."""
    first = {**rumor.arrivals, **rumor.forgotten}
    parents: dict[int, int | None] = {}
    depth: dict[int, int] = {}
    for node, arrival in sorted(first.items(), key=_birth):
        known = arrival.message is not None and arrival.sender in depth
        parents[node] = arrival.sender if known else None
        depth[node] = depth[arrival.sender] + 1 if known and arrival.sender is not None else 0
    return Tree(parents, depth)


def _known_by(rumor: Rumor, node: int, t: float, message: int) -> Arrival | None:
    """How a node had last learned the rumor that it then told with `message`, which was heard at `t`."""
    known = [each[node] for each in (rumor.forgotten, rumor.arrivals) if node in each]
    before = [each for each in known if each.t <= t and (each.message is None or each.message < message)]
    return max(before, key=lambda each: each.t, default=None)


def _birth(item: tuple[int, Arrival]) -> tuple[int, int]:
    """The number of the message a node learned from: parents come before their children."""
    node, arrival = item
    return (-1 if arrival.message is None else arrival.message), node
