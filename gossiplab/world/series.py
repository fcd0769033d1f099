"""A series: what was counted in each stretch of virtual time, in few bins. Imports nothing of ours.

A World holds one, so that a chart of the whole run needs no event read again, live or replayed, and it stands
in every keyframe, so it must stay small: when there are MOST_BINS bins, each two become one, twice as wide.
Bins begin at 0, and their edges are multiples of a power of two, which floats hold exactly; which bins there
are depends on the events' instants alone, and not on how the events came.
"""

import math

import msgspec

FIRST_WIDTH = 1 / 64  # s
MOST_BINS = 256  # enough for a column each on a wide terminal; a power of two, so that pairs come out even

Counts = tuple[int, ...]
"""Counters in a fixed order, to which later ones are added at the end. What is missing there is 0."""


class Series(msgspec.Struct):
    """Counters over time.

    width: seconds of a bin. bins: what was counted in each closed bin, [i * width, (i + 1) * width).
    before: the counters when the last of them was closed. shares: what was so at the end of each closed bin, from 0
    to 1, None while there was nothing to tell; unset as long as there never was.
    """

    width: float = FIRST_WIDTH
    bins: list[Counts] = []
    before: Counts = ()
    shares: list[float | None] | msgspec.UnsetType = msgspec.UNSET

    @property
    def edge(self) -> float:
        """The instant at which the open bin ends, in seconds. What happens then belongs to the next one."""
        return (len(self.bins) + 1) * self.width

    def close(self, counts: Counts, t: float, share: float | None = None) -> None:
        """Close all bins that end at or before `t`: since the last event the counters are `counts` and `share` is so."""
        if share is not None and self.shares is msgspec.UNSET:
            self.shares = list[float | None]([None] * len(self.bins))
        while self.edge <= t:
            self.bins.append(_trimmed(minus(counts, self.before)))
            self.before = counts
            if self.shares is not msgspec.UNSET:
                self.shares.append(share)
            if len(self.bins) == MOST_BINS:
                pairs = zip(self.bins[::2], self.bins[1::2], strict=True)
                self.bins, self.width = [plus(a, b) for a, b in pairs], 2 * self.width
                if self.shares is not msgspec.UNSET:
                    self.shares = self.shares[1::2]

    def counted(self, now: Counts) -> list[Counts]:
        """All bins, the open one too, when the counters are `now`."""
        return [*self.bins, minus(now, self.before)]

    def possible(self) -> bool:
        """Whether a run can have led to this: recordings come from strangers."""
        exponent = math.log2(self.width / FIRST_WIDTH) if 0 < self.width < math.inf else -1.0
        return (
            exponent.is_integer()
            and 0 <= exponent <= 64
            and len(self.bins) < MOST_BINS
            and (self.shares is msgspec.UNSET or len(self.shares) == len(self.bins))
            and all(share is None or 0 <= share <= 1 for share in self.shares or ())
            and all(0 <= count < 2**63 for each in (*self.bins, self.before) for count in each)
        )


def plus(a: Counts, b: Counts) -> Counts:
    """The sum, place by place."""
    short, long = sorted((a, b), key=len)
    return (*map(int.__add__, short, long), *long[len(short) :])


def minus(after: Counts, before: Counts) -> Counts:
    """What was added since. `before` is not longer than `after`."""
    return (*map(int.__sub__, after, before), *after[len(before) :])


def _trimmed(counts: Counts) -> Counts:
    """Without the zeros at the end, so that times in which nothing happens take no room."""
    length = len(counts)
    while length and not counts[length - 1]:
        length -= 1
    return counts[:length]
