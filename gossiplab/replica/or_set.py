"""Observed-remove set: add wins, and no tombstones. Pure. Imports nothing of the lab.

Bieniusa et al. 2012, "An optimized conflict-free replicated set"; with deltas as in Almeida, Shoker, Baquero 2018
(its add-wins set). Every add is a dot. A remove takes away the dots of the element that its replica has
observed; an add that is concurrent has a dot of its own, so it wins. What was removed leaves nothing behind but its
place in the causal context, which is a number per replica and does not grow with the removals.
"""

import msgspec

from gossiplab.replica.dots import Context, Dots, context, join_sets


class OrSet(msgspec.Struct, frozen=True, tag="or-set"):
    """A set of strings. dots: the adds of each element that stand. seen: all adds that are known."""

    dots: dict[str, Dots] = {}
    seen: Context = Context()

    def __contains__(self, element: str) -> bool:
        return element in self.dots

    @property
    def values(self) -> tuple[str, ...]:
        """The elements, ascending by code point."""
        return tuple(sorted(self.dots))

    def add(self, replica: int, element: str) -> "OrSet":
        """The delta of adding an element. It replaces the adds that are known, so that dots do not pile up."""
        dot = self.seen.next(replica)
        return OrSet({element: (dot,)}, context([dot, *self.dots.get(element, ())]))

    def remove(self, element: str) -> "OrSet":
        """The delta of removing an element; of one that is not there, nothing."""
        return OrSet({}, context(self.dots.get(element, ())))

    def merge(self, other: "OrSet") -> "OrSet":
        """What both together know."""
        return OrSet(join_sets(self.dots, self.seen, other.dots, other.seen), self.seen.merge(other.seen))
