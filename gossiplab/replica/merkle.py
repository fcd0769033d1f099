"""Merkle tree over a key space: two replicas find their few differing keys without listing all. Imports errors only.

Merkle 1987, "A digital signature based on a conventional encryption function"; for replicas in Dynamo (DeCandia et al.
2007, section 4.7), Cassandra and Riak. A key belongs to the leaf that its own hash names, so that the shape of the
tree depends on fan-out and depth alone, and equal contents have equal trees in whatever order they came. Two replicas
compare roots, then only children of nodes that differ, then keys and fingerprints of leaves that differ: for d
differing keys at most d nodes of every level are opened, however many keys there are.

- A leaf hashes the sum of its keys' terms (see digest), not their list: a write costs the same in a full leaf. An
  empty subtree has the hash ZERO, and is not stored.
- An inner node hashes its children's hashes, which it holds side by side: that is what a descent sends.
- A write hashes one path again, depth + 1 nodes; nothing is ever rebuilt. Cassandra builds its trees for a repair and
  throws them away; Riak (`hashtree`) marks dirty leaves and hashes them before a repair. A tree that is always
  true costs a dozen microseconds a write and lets a run be looked at at any instant.

Leaves by key ranges were rejected: keys as people write them crowd in a few ranges.
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

import msgspec

from gossiplab.errors import ProtocolError, UserError
from gossiplab.replica.digest import HASH, Difference, Digest, difference, key_bytes, term

ZERO = bytes(HASH)
"""The hash of a subtree that holds nothing."""

_SUM = 2**128


class Hashes(msgspec.Struct, frozen=True, tag="hashes"):
    """Opened inner nodes. level: theirs, 0 for the root. nodes: ascending. hashes: of all children, in order."""

    level: int
    nodes: tuple[int, ...]
    hashes: bytes


class Items(msgspec.Struct, frozen=True, tag="items"):
    """Opened leaves. nodes: which, ascending. digest: the fingerprints of all their keys."""

    nodes: tuple[int, ...]
    digest: Digest


Part = Hashes | Items
"""What one replica sends of its tree."""


class Step(msgspec.Struct, frozen=True):
    """One message of a descent. part: the message. size: its bytes. differing: children (or keys) found to differ."""

    part: Part
    size: int
    differing: int


class MerkleTree:
    """A tree of `depth` levels of inner nodes, each with `fanout` children, over fanout ** depth leaves.

    A node is (level, index): the root is (0, 0), the children of (l, i) are (l + 1, fanout * i) and on; leaves are at
    level `depth`. fanout: 2 to 256. depth: 0 (one leaf) and up, as long as there are at most 2 ** 32 leaves.
    hashed: how many node hashes were computed so far. Raises UserError.
    """

    __slots__ = ("fanout", "depth", "hashed", "_leaves", "_buckets", "_sums", "_bodies", "_root")

    def __init__(self, fanout: int = 16, depth: int = 4) -> None:
        if not 2 <= fanout <= 256:
            raise UserError(f"a Merkle tree cannot have a fan-out of {fanout}: give 2 to 256.")
        if depth < 0 or fanout ** min(depth, 33) > 2**32:
            raise UserError(
                f"a Merkle tree of fan-out {fanout} cannot have a depth of {depth}: give 0 or more, up to 2^32 leaves."
            )
        self.fanout = fanout
        self.depth = depth
        self.hashed = 0
        self._leaves = fanout**depth
        self._buckets: dict[int, Digest] = {}  # by leaf: the fingerprints of its keys
        self._sums: dict[int, int] = {}  # by leaf: of the terms of its keys
        self._bodies: list[dict[int, bytearray]] = [
            {} for _ in range(depth)
        ]  # by level and index: child hashes
        self._root = ZERO

    @classmethod
    def build(cls, digest: Mapping[str, bytes], fanout: int = 16, depth: int = 4) -> "MerkleTree":
        """The tree of many keys at once, with every node hashed once."""
        tree = cls(fanout, depth)
        for key, state in digest.items():
            data = key_bytes(key)
            leaf = tree._place(data)
            tree._buckets.setdefault(leaf, {})[key] = _checked(state)
            tree._sums[leaf] = (tree._sums.get(leaf, 0) + term(data, state)) % _SUM
        level = {leaf: tree._leaf_hash(leaf) for leaf in tree._buckets}
        for bodies in reversed(tree._bodies):
            for index, node in level.items():
                parent, child = divmod(index, fanout)
                body = bodies.get(parent)
                if body is None:
                    body = bodies[parent] = bytearray(fanout * HASH)
                body[child * HASH : child * HASH + HASH] = node
            level = {index: _hash(body) for index, body in bodies.items()}
            tree.hashed += len(level)
        tree._root = level.get(0, ZERO)
        return tree

    @property
    def root(self) -> bytes:
        """The hash of everything: equal to another's iff the contents are equal."""
        return self._root

    def place(self, key: str) -> int:
        """The leaf to which a key belongs, whether it is there or not."""
        return self._place(key_bytes(key))

    def node(self, level: int, index: int) -> bytes:
        """The hash of one node."""
        if not level:
            return self._root
        parent, child = divmod(index, self.fanout)
        body = self._bodies[level - 1].get(parent)
        return ZERO if body is None else bytes(body[child * HASH : child * HASH + HASH])

    def put(self, key: str, state: bytes) -> None:
        """A key has this fingerprint from now on."""
        data = key_bytes(key)
        leaf = self._place(data)
        bucket = self._buckets.setdefault(leaf, {})
        total = self._sums.get(leaf, 0) + term(data, _checked(state))
        if key in bucket:
            total -= term(data, bucket[key])
        bucket[key] = state
        self._sums[leaf] = total % _SUM
        self._climb(leaf, self._leaf_hash(leaf))

    def remove(self, key: str) -> None:
        """A key is not there any more; nothing if it was not."""
        data = key_bytes(key)
        leaf = self._place(data)
        bucket = self._buckets.get(leaf, {})
        state = bucket.pop(key, None)
        if state is None:
            return
        if bucket:
            self._sums[leaf] = (self._sums[leaf] - term(data, state)) % _SUM
            self._climb(leaf, self._leaf_hash(leaf))
        else:
            del self._buckets[leaf], self._sums[leaf]
            self._climb(leaf, ZERO)

    def take(self, other: "MerkleTree") -> None:
        """Hold what another tree of this shape holds, without hashing. Raises ProtocolError."""
        if (other.fanout, other.depth) != (self.fanout, self.depth):
            raise self._misfit()
        self._buckets = {leaf: dict(bucket) for leaf, bucket in other._buckets.items()}
        self._sums = dict(other._sums)
        self._bodies = [
            {index: bytearray(body) for index, body in bodies.items()} for bodies in other._bodies
        ]
        self._root = other._root

    def open(self, level: int, nodes: Sequence[int]) -> Part:
        """What another replica needs to go on below these nodes of one level, which it has found to differ."""
        if not 0 <= level <= self.depth:
            raise self._misfit()
        if level == self.depth:
            digest = {key: state for leaf in nodes for key, state in self._buckets.get(leaf, {}).items()}
            return Items(tuple(nodes), {key: digest[key] for key in sorted(digest)})
        bodies, empty = self._bodies[level], bytes(self.fanout * HASH)
        return Hashes(level, tuple(nodes), b"".join([bodies.get(index, empty) for index in nodes]))

    def differing(self, part: Hashes) -> tuple[int, ...]:
        """Which children of another replica's opened nodes differ from the ones here: nodes of the next level."""
        width = self.fanout * HASH
        if not 0 <= part.level < self.depth or len(part.hashes) != width * len(part.nodes):
            raise self._misfit()
        bodies, empty, found = self._bodies[part.level], bytes(width), list[int]()
        for place, index in enumerate(part.nodes):
            mine, theirs = bodies.get(index, empty), part.hashes[place * width : place * width + width]
            if mine != theirs:
                found += [
                    index * self.fanout + at // HASH
                    for at in range(0, width, HASH)
                    if mine[at : at + HASH] != theirs[at : at + HASH]
                ]
        return tuple(found)

    def difference(self, part: Items) -> Difference:
        """Which keys of another replica's opened leaves differ from the ones here."""
        here = {key: state for leaf in part.nodes for key, state in self._buckets.get(leaf, {}).items()}
        return difference(here, part.digest)

    def _place(self, data: bytes) -> int:
        return int.from_bytes(blake2b(data, digest_size=HASH).digest(), "big") % self._leaves

    def _leaf_hash(self, leaf: int) -> bytes:
        self.hashed += 1
        return _hash(self._sums[leaf].to_bytes(16, "big"))

    def _climb(self, index: int, node: bytes) -> None:
        """A leaf has this hash from now on: hash the path above it again."""
        fanout = self.fanout
        for bodies in reversed(self._bodies):
            parent, child = divmod(index, fanout)
            body = bodies.get(parent)
            if body is None:
                body = bodies[parent] = bytearray(fanout * HASH)
            body[child * HASH : child * HASH + HASH] = node
            if node == ZERO and not any(body):
                del bodies[parent]
            else:
                node = _hash(body)
                self.hashed += 1
            index = parent
        self._root = node

    def _misfit(self) -> ProtocolError:
        return ProtocolError(
            f"a part of another Merkle tree does not fit one of fan-out {self.fanout} and depth {self.depth}: "
            "give both replicas the same."
        )


def descend(a: MerkleTree, b: MerkleTree) -> Iterator[Step]:
    """The messages with which two replicas find what differs; nothing when the roots, sent before, are equal.

    They take turns, b first: each answers the nodes it has found to differ, opened. The last message holds items.
    """
    if a.root == b.root:
        return
    level, nodes = 0, (0,)
    sender, receiver = b, a
    while True:
        part = sender.open(level, nodes)
        size = len(msgspec.json.encode(part))
        if isinstance(part, Items):
            found = receiver.difference(part)
            yield Step(part, size, len(found.here) + len(found.there) + len(found.unequal))
            return
        nodes = receiver.differing(part)
        yield Step(part, size, len(nodes))
        level += 1
        sender, receiver = receiver, sender


def _hash(content: bytes | bytearray) -> bytes:
    return blake2b(content, digest_size=HASH).digest()


def _checked(state: bytes) -> bytes:
    if len(state) != HASH:
        raise ProtocolError(
            f"a fingerprint has {HASH} bytes and not {len(state)}: take the one of `fingerprint`."
        )
    return state
