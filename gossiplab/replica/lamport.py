"""Lamport clocks: numbers that never contradict causality. Pure. Imports nothing of the lab.

Lamport 1978, "Time, clocks, and the ordering of events in a distributed system". Every event raises the counter of its
replica; an event that receives a message raises it above the message's. So if a happened before b, then a < b. The
converse does not hold: a < b says nothing about causality (a vector clock does). With the replica as tie-break the
order is total, and that is what most use it for.
"""

import msgspec


class Lamport(msgspec.Struct, frozen=True, order=True, array_like=True):
    """The time of one replica's last event; as a whole, a unique stamp of that event.

    count: events on the longest causal chain that ends here. replica: whose event it is. A replica begins with
    `Lamport(0, replica)`, which stamps nothing.
    """

    count: int
    replica: int

    def tick(self) -> "Lamport":
        """The stamp of this replica's next event: a local one, or sending a message that carries it."""
        return Lamport(self.count + 1, self.replica)

    def receive(self, other: "Lamport") -> "Lamport":
        """The stamp of receiving a message that carries `other`: above both."""
        return Lamport(max(self.count, other.count) + 1, self.replica)
