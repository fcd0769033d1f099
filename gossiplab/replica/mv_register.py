"""Multi-value register: all values that were written concurrently. Pure. Imports nothing of the lab.

Shapiro et al. 2011, specification 10, in the form of Almeida, Shoker, Baquero 2018, "Delta state replicated data
types": values by dot and a causal context. A write replaces all values its replica knows; concurrent ones
stay side by side until somebody writes again. It keeps what `Siblings` keeps, with one context for all values
instead of a past for each: shorter, but a version no longer tells its own history, and writes are based on the state
of the replica, not on a client's read.
"""

import msgspec

from gossiplab.replica.dots import Context, Values, context, join_values


class MvRegister(msgspec.Struct, frozen=True, tag="mv-register"):
    """One register. held: values by dot. seen: all writes that are known, those overwritten included."""

    held: Values = ()
    seen: Context = Context()

    @property
    def values(self) -> tuple[str, ...]:
        """The concurrent values, by dot."""
        return tuple(value for _, _, value in self.held)

    def put(self, replica: int, value: str) -> "MvRegister":
        """The delta of writing `value` over all that is known here."""
        dot = self.seen.next(replica)
        return MvRegister(((*dot, value),), context([dot, *(held[:2] for held in self.held)]))

    def clear(self) -> "MvRegister":
        """The delta of removing all values that are known here."""
        return MvRegister((), context(held[:2] for held in self.held))

    def merge(self, other: "MvRegister") -> "MvRegister":
        """What both together know."""
        return MvRegister(
            join_values(self.held, self.seen, other.held, other.seen), self.seen.merge(other.seen)
        )
