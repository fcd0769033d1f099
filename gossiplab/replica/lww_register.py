"""Last-writer-wins register: one value, the latest stamp's. Pure. Imports nothing of the lab.

Johnson and Thomas 1975, RFC 677; as a CRDT in Shapiro, Preguica, Baquero, Zawirski 2011, "A comprehensive study of
convergent and commutative replicated data types", specification 8. Of two concurrent writes one is lost without a
word, and with stamps from clocks that disagree even one that came later. State and delta are the same.

A deletion is a value, too: the death certificate of Demers et al. 1987. Without it a replica that slept through the
deletion would bring the old value back.
"""

import msgspec

from gossiplab.replica.hybrid import Hybrid


class LwwRegister(msgspec.Struct, frozen=True, tag="lww"):
    """One write, the last. stamp: when. value: what; None for a deletion."""

    stamp: Hybrid
    value: str | None = None

    @property
    def values(self) -> tuple[str, ...]:
        """The value that a read returns; none when it is deleted."""
        return () if self.value is None else (self.value,)

    def merge(self, other: "LwwRegister") -> "LwwRegister":
        """The later write. With equal stamps the larger value, and any value rather than a deletion."""
        return max(self, other, key=lambda write: (write.stamp, write.value is not None, write.value or ""))
