"""Hybrid logical clocks: stamps that respect causality and stay close to physical time. Pure: time is handed in.

Kulkarni, Demirbas, Madappa, Avva, Leone 2014, "Logical physical clocks". A stamp is (l, c): l is the greatest physical
time that this event can have heard of, c counts events while l stands still. What it promises:

- if a happened before b, then a < b, whatever the physical clocks say;
- l is never below the physical time of its replica, and above it only as far as some other clock runs ahead: with
  clocks that agree within epsilon, l - pt <= epsilon;
- c returns to 0 as soon as the physical clock overtakes l.

Two older clocks are its borders. Handed the same physical time for ever it is a Lamport clock, with c as the counter.
And `Hybrid(now, 0, replica)` without `receive` is the plain timestamp of Demers et al. 1987, which a clock that runs
ahead or behind turns into lost writes.
"""

import math

import msgspec

from gossiplab.errors import ProtocolError


class Hybrid(msgspec.Struct, frozen=True, order=True, array_like=True):
    """The time of one replica's last event; as a whole, a unique stamp of that event, totally ordered.

    time: l, in the seconds of the physical clock. count: c. replica: whose event it is; breaks ties.
    A replica begins with `Hybrid(0.0, 0, replica)`.
    """

    time: float
    count: int
    replica: int

    def tick(self, now: float) -> "Hybrid":
        """The stamp of this replica's next event: a local one, or sending a message that carries it.

        now: what the physical clock of this replica shows, in seconds; it may stand still or run backwards.
        """
        now = _finite(now)
        if now > self.time:
            return Hybrid(now, 0, self.replica)
        return Hybrid(self.time, self.count + 1, self.replica)

    def receive(self, other: "Hybrid", now: float, drift: float = math.inf) -> "Hybrid":
        """The stamp of receiving a message that carries `other`: above both.

        drift: seconds. A stamp further ahead of `now` than this comes from a broken clock and is not followed (the
        paper's remedy for corrupted clocks): the event then counts as a local one, and is not above `other`.
        """
        now = _finite(now)
        if other.time - now > drift:
            return self.tick(now)
        time = max(self.time, other.time, now)
        if time == self.time:
            count = max(self.count, other.count) if time == other.time else self.count
        elif time == other.time:
            count = other.count
        else:
            return Hybrid(time, 0, self.replica)
        return Hybrid(time, count + 1, self.replica)


def _finite(now: float) -> float:
    """As a float, or the same stamp would have two encodings. NaN would be neither above nor below anything."""
    if not math.isfinite(now):
        raise ProtocolError(f"a clock cannot show {now}: hand a hybrid clock a finite number of seconds.")
    return float(now)
