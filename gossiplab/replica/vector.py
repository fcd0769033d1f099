"""Vector clocks: exactly the happened-before relation. Pure. Imports nothing of the lab.

Fidge 1988, "Timestamps in message-passing systems that preserve the partial ordering"; Mattern 1989, "Virtual time and
global states of distributed systems". Every replica counts its own events and carries along what it knows of the
counts of others. Event a happened before event b iff every entry of a's clock is at most b's, and one is smaller; if
neither is so of the two, they are concurrent. That needs an entry for each replica: Charron-Bost 1991 showed that
less cannot do.

An entry that is missing is 0. Clocks are values: never change their entries.
"""

import msgspec

EQUAL, BEFORE, AFTER, CONCURRENT = "equal", "before", "after", "concurrent"
"""What `compare` can say."""


class VectorClock(msgspec.Struct, frozen=True, array_like=True):
    """How many events of each replica are known. entries: by replica, in ascending order, without zeros."""

    entries: dict[int, int] = {}

    def of(self, replica: int) -> int:
        """How many events of that replica are known."""
        return self.entries.get(replica, 0)

    def tick(self, replica: int) -> "VectorClock":
        """The clock of this replica's next event: a local one, or sending a message that carries it."""
        return VectorClock(most(self.entries, {replica: self.of(replica) + 1}))

    def merge(self, other: "VectorClock") -> "VectorClock":
        """What both together know. Receiving a message is `clock.merge(message).tick(me)`."""
        return VectorClock(most(self.entries, other.entries))

    def descends(self, other: "VectorClock") -> bool:
        """Whether everything that `other` knows is known here, too: `other` is equal or before."""
        mine = self.entries
        return all(mine.get(replica, 0) >= count for replica, count in other.entries.items())

    def compare(self, other: "VectorClock") -> str:
        """How this stands to `other`: EQUAL, BEFORE (this happened before `other`), AFTER, or CONCURRENT."""
        after, before = self.descends(other), other.descends(self)
        if after:
            return EQUAL if before else AFTER
        return BEFORE if before else CONCURRENT


def most(a: dict[int, int], b: dict[int, int]) -> dict[int, int]:
    """The greater count of each replica, in ascending order of replicas, without zeros: one state, one encoding."""
    both = {**a, **b}
    return {
        replica: max(a.get(replica, 0), b.get(replica, 0))
        for replica in sorted(both)
        if a.get(replica) or b.get(replica)
    }
