"""Counters that replicas count on without asking each other. Pure. Imports errors only.

Shapiro et al. 2011, "A comprehensive study of convergent and commutative replicated data types", specifications 6 and
7. Every replica counts for itself; the counter is the sum, and merging takes the greater count of each replica. So an
increment counts once, however often it arrives. Counting down needs a second such counter: a maximum would swallow it.

`add` returns a delta (Almeida, Shoker, Baquero 2018): a counter with one entry. Merge it, and send it.
"""

import msgspec

from gossiplab.errors import ProtocolError
from gossiplab.replica.vector import most


class GCounter(msgspec.Struct, frozen=True, tag="g-counter"):
    """Only grows. counts: by replica, ascending, without zeros; never change them."""

    counts: dict[int, int] = {}

    @property
    def value(self) -> int:
        """All increments that are known here."""
        return sum(self.counts.values())

    def add(self, replica: int, amount: int = 1) -> "GCounter":
        """The delta of adding `amount`, at least 0."""
        if amount < 0:
            raise ProtocolError(f"a G-Counter cannot add {amount}, it only grows: use a PN-Counter.")
        return GCounter(most({replica: self.counts.get(replica, 0) + amount}, {}))

    def merge(self, other: "GCounter") -> "GCounter":
        """What both together know."""
        return GCounter(most(self.counts, other.counts))


class PnCounter(msgspec.Struct, frozen=True, tag="pn-counter"):
    """Grows and shrinks. ups, downs: by replica, ascending, without zeros; never change them."""

    ups: dict[int, int] = {}
    downs: dict[int, int] = {}

    @property
    def value(self) -> int:
        """All increments less all decrements that are known here."""
        return sum(self.ups.values()) - sum(self.downs.values())

    def add(self, replica: int, amount: int = 1) -> "PnCounter":
        """The delta of adding `amount`, of either sign."""
        if amount < 0:
            return PnCounter(downs={replica: self.downs.get(replica, 0) - amount})
        return PnCounter(ups=most({replica: self.ups.get(replica, 0) + amount}, {}))

    def merge(self, other: "PnCounter") -> "PnCounter":
        """What both together know."""
        return PnCounter(most(self.ups, other.ups), most(self.downs, other.downs))
