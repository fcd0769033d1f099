"""Versioned key-value store: one state per key, merged by the rule that is chosen for conflicts. Imports errors only.

What two writes of one key that do not know of each other become is the choice of `conflict`:

    lww       the one with the later stamp; the other is lost (Demers et al. 1987). State: LwwRegister.
    siblings  both, until a write that has read both (Dynamo, DeCandia et al. 2007). State: Siblings.
    crdt      what the type of the key says (Shapiro et al. 2011). State: any CRDT; a key has one type for ever.

States are values that merge, so a store does not care where they come from: a write makes a delta, which is merged
here and sent there, and a repair sends whole states. Merging is idempotent, hence nothing that arrives twice, late or
in another order does harm. A deletion in lww and siblings is a state too, and stays until `drop`.

A store keeps the fingerprint of every key, their checksum and, if given one, a Merkle tree up to date with each write.
"""

from collections.abc import Callable, Iterator
from typing import Any, cast

from gossiplab.errors import ProtocolError, UserError
from gossiplab.replica.counters import GCounter, PnCounter
from gossiplab.replica.digest import Digest, encoding, key_bytes, print_of, term
from gossiplab.replica.dots import Context
from gossiplab.replica.hybrid import Hybrid
from gossiplab.replica.lww_register import LwwRegister
from gossiplab.replica.merkle import MerkleTree
from gossiplab.replica.mv_register import MvRegister
from gossiplab.replica.or_map import OrMap
from gossiplab.replica.or_set import OrSet
from gossiplab.replica.siblings import Siblings

Crdt = LwwRegister | MvRegister | GCounter | PnCounter | OrSet | OrMap
"""What a key may hold with conflict=crdt."""

State = Crdt | Siblings
"""What a key may hold; as the type of a message's field it decodes to the right one."""

CONFLICTS: dict[str, tuple[type[State], ...]] = {
    "lww": (LwwRegister,),
    "siblings": (Siblings,),
    "crdt": (LwwRegister, MvRegister, GCounter, PnCounter, OrSet, OrMap),
}
"""Which states a store holds, by its rule for conflicts."""

LARGEST = 2**20
"""Bytes of a value, at most."""


class Store:
    """What one replica holds. conflict: a key of CONFLICTS. tree: an empty MerkleTree to be kept up to date, or None.

    len, in: keys, deleted ones included. checksum: equal to another's iff the contents are equal (128 bits).
    bytes: of all keys and their states as JSON, which is what a copy of them costs.
    changed: called after every change with the key, its state before and its state now, None for none.
    """

    __slots__ = ("conflict", "tree", "checksum", "bytes", "changed", "_states", "_digest", "_sizes")

    def __init__(self, conflict: str, tree: MerkleTree | None = None) -> None:
        if conflict not in CONFLICTS:
            raise UserError(f"conflicts cannot be resolved by {conflict!r}: give {' or '.join(CONFLICTS)}.")
        self.conflict = conflict
        self.tree = tree
        self.checksum = self.bytes = 0
        self.changed: Callable[[str, State | None, State | None], None] | None = None
        self._states: dict[str, State] = {}
        self._digest: Digest = {}
        self._sizes: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._states)

    def __contains__(self, key: str) -> bool:
        return key in self._states

    def __iter__(self) -> Iterator[str]:
        """Keys, ascending by code point."""
        return iter(sorted(self._states))

    def get(self, key: str) -> State | None:
        """The state of a key; None when there is none. A value: never change it."""
        return self._states.get(key)

    def size(self, key: str) -> int:
        """Bytes of a key and its state as JSON; 0 when there is none."""
        return self._sizes.get(key, 0)

    def read(self, key: str) -> tuple[tuple[str, ...], Context]:
        """The values of a key, several when they are concurrent, and the context to be handed to the next `put`.

        A counter reads as its number. The context is empty except with conflict=siblings, which alone needs it.
        """
        state = self._states.get(key)
        if state is None:
            return (), Context()
        if isinstance(state, Siblings):
            return state.values, state.context
        if isinstance(state, GCounter | PnCounter):
            return (str(state.value),), Context()
        return state.names() if isinstance(state, OrMap) else state.values, Context()

    def put(
        self,
        key: str,
        value: str | None,
        *,
        replica: int = 0,
        stamp: Hybrid | None = None,
        context: Context | None = None,
    ) -> State:
        """Write a value, and return the delta to send to others. None deletes.

        lww takes a stamp; siblings the replica that takes the write, and the context of the read it is based on (None:
        a blind write). With conflict=crdt make a delta with the type's own methods and `merge` it.
        """
        if value is not None and len(value) * 4 > LARGEST and len(value.encode(errors="replace")) > LARGEST:
            raise UserError(
                f"the value for {key!r} is larger than 1 MiB, the most a store takes: write less."
            )
        if self.conflict == "siblings":
            known = cast("Siblings | None", self._states.get(key)) or Siblings()
            delta: State = known.put(replica, value, context)
        elif self.conflict == "lww" and stamp is not None:
            delta = LwwRegister(stamp, value)
        else:
            lacks = "a stamp" if self.conflict == "lww" else "a type"
            raise ProtocolError(
                f"writing {key!r} with conflict={self.conflict} lacks {lacks}: pass a stamp, or merge a CRDT's delta."
            )
        self.merge(key, delta)
        return delta

    def merge(self, key: str, state: State) -> bool:
        """Take over what a delta or another replica's state adds. True when that changed anything here."""
        old = self._states.get(key)
        if not isinstance(state, CONFLICTS[self.conflict]) or (
            old is not None and type(old) is not type(state)
        ):
            held = self.conflict if old is None else type(old).__name__
            raise ProtocolError(
                f"the key {key!r} ({held}) cannot take {type(state).__name__}: give every key one type on all replicas."
            )
        new = state if old is None else cast(State, cast(Any, old).merge(state))
        if new == old:
            return False
        self.replace(key, new)
        return True

    def replace(self, key: str, state: State) -> None:
        """Put a state in the place of another without merging. No protocol does so: this is how disks are damaged."""
        data, encoded = key_bytes(key), encoding(state)
        print_, size = print_of(encoded), len(data) + len(encoded)
        old = self._digest.get(key)
        if old is not None:
            self.checksum -= term(data, old)
        self.checksum = (self.checksum + term(data, print_)) % 2**128
        before = self._states.get(key)
        self._states[key] = state
        self._digest[key] = print_
        self.bytes += size - self._sizes.get(key, 0)
        self._sizes[key] = size
        if self.tree is not None:
            self.tree.put(key, print_)
        if self.changed is not None:
            self.changed(key, before, state)

    def drop(self, key: str) -> None:
        """Forget a key and all that is known of it; nothing if there is none. Others may bring it back."""
        before = self._states.pop(key, None)
        if before is None:
            return
        self.checksum = (self.checksum - term(key_bytes(key), self._digest.pop(key))) % 2**128
        self.bytes -= self._sizes.pop(key)
        if self.tree is not None:
            self.tree.remove(key)
        if self.changed is not None:
            self.changed(key, before, None)

    def take(self, other: "Store") -> None:
        """Hold what another store of the same kind holds, and nothing else, without merging. Says no changes.

        Costs a copy of its index and, when the trees have one shape, nothing is hashed anew.
        """
        self.checksum, self.bytes = other.checksum, other.bytes
        self._sizes = dict(other._sizes)
        self._states = dict(other._states)
        self._digest = dict(other._digest)
        if self.tree is not None:
            shape = self.tree.fanout, self.tree.depth
            if other.tree is not None and (other.tree.fanout, other.tree.depth) == shape:
                self.tree.take(other.tree)
            else:
                self.tree.take(MerkleTree.build(self._digest, *shape))

    def digest(self) -> Digest:
        """The fingerprint of every key, keys ascending."""
        return {key: self._digest[key] for key in sorted(self._digest)}
