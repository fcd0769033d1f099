"""Dots and causal contexts: which single writes have been seen. Pure. Imports nothing of the lab.

A dot names one write: (replica, n), the n-th of that replica. A set of dots that has no gaps is a version vector, but
when updates are lost, reordered or sent one by one there are gaps: then a vector alone would claim what was never seen. A
causal context is therefore a version vector and a cloud of single dots beyond it, as in Almeida, Shoker, Baquero 2018,
"Delta state replicated data types". Where the cloud touches the vector it is absorbed, so equal sets have
equal forms, and in the long run the cloud is empty.

From that the dot stores below take their one rule of merging. A dot that one side has and the other has not is either
news or was removed there; the other side's context tells which: in it, removed; not in it, news. So removal needs no
tombstone.

A replica must never use a dot twice. One that lost its disk comes back under another number.
"""

from bisect import bisect_left
from collections.abc import Iterable

import msgspec

from gossiplab.replica.vector import most

Dot = tuple[int, int]
"""One write: the replica, and which of its writes, from 1."""

Dots = tuple[Dot, ...]
"""A dot store: a set of dots, ascending."""

Values = tuple[tuple[int, int, str], ...]
"""A dot store: values by dot, as (replica, n, value), ascending."""


class Context(msgspec.Struct, frozen=True, array_like=True):
    """A set of dots. Made by `context` and the methods, so that its form is the shortest. A value: never change it.

    clock: by replica, up to which of its writes all are in the set. cloud: the dots beyond, ascending.
    """

    clock: dict[int, int] = {}
    cloud: Dots = ()

    def __contains__(self, dot: Dot) -> bool:
        if dot[1] <= self.clock.get(dot[0], 0):
            return True
        place = bisect_left(self.cloud, dot)
        return place < len(self.cloud) and self.cloud[place] == dot

    def next(self, replica: int) -> Dot:
        """The dot of that replica's next write."""
        beyond = (n for by, n in self.cloud if by == replica)
        return replica, max(self.clock.get(replica, 0), max(beyond, default=0)) + 1

    def add(self, dots: Iterable[Dot]) -> "Context":
        """With these dots as well."""
        return context((*self.cloud, *dots), self.clock)

    def merge(self, other: "Context") -> "Context":
        """Union."""
        if self == other:
            return self
        return context((*self.cloud, *other.cloud), most(self.clock, other.clock))

    def covers(self, other: "Context") -> bool:
        """Whether all of the other's dots are here."""
        return self.merge(other) == self


def context(dots: Iterable[Dot] = (), clock: dict[int, int] | None = None) -> Context:
    """The context of these dots, and of all that a version vector `clock` stands for."""
    entries = dict(clock or {})
    cloud: list[Dot] = []
    for replica, n in sorted(set(dots)):
        top = entries.get(replica, 0)
        if n == top + 1:
            entries[replica] = n
        elif n > top:
            cloud.append((replica, n))
    return Context(most(entries, {}), tuple(cloud))


def join_dots(a: Dots, seen_a: Context, b: Dots, seen_b: Context) -> Dots:
    """What is left of two sets of dots: what both have, and what one has and the other has not seen."""
    if a == b:
        return a
    there, here = set(b), set(a)
    left = [dot for dot in a if dot in there or dot not in seen_b]
    left += [dot for dot in b if dot not in here and dot not in seen_a]
    return tuple(sorted(left))


def join_values(a: Values, seen_a: Context, b: Values, seen_b: Context) -> Values:
    """The same for values by dot. One dot with two values is damage, not a write: the larger stands, on both sides."""
    if a == b:
        return a
    mine, theirs = {value[:2]: value for value in a}, {value[:2]: value for value in b}
    left: list[tuple[int, int, str]] = []
    for dot, value in mine.items():
        if dot in theirs:
            left.append(max(value, theirs[dot]))
        elif dot not in seen_b:
            left.append(value)
    left += [value for dot, value in theirs.items() if dot not in mine and dot not in seen_a]
    return tuple(sorted(left))


def join_sets(a: dict[str, Dots], seen_a: Context, b: dict[str, Dots], seen_b: Context) -> dict[str, Dots]:
    """The same for sets of dots by name. What is empty is gone; names ascend."""
    joined = (
        (name, join_dots(a.get(name, ()), seen_a, b.get(name, ()), seen_b)) for name in sorted({**a, **b})
    )
    return {name: dots for name, dots in joined if dots}
