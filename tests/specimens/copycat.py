"""Keeps a store, pushes all of it to a random peer in every round, and answers clients at once."""

from gossiplab import Message, Protocol, every, param
from gossiplab.replica.hybrid import Hybrid
from gossiplab.replica.store import State


class Push(Message):
    """All that a node holds."""

    states: dict[str, State]


class Copycat(Protocol):
    """Full push."""

    period = param(1.0, unit="s", doc="between two pushes")
    conflict = param("siblings", choices=("lww", "siblings"), doc="of the store")

    def setup(self):
        """A disk, and a number for its dots that no life before has used."""
        self.store = self.open_store(self.conflict)
        self.clock = Hybrid(0.0, 0, self.id)
        self.replica = self.id + (1000 * round(self.now * 1000) if self.now else 0)

    @every("period")
    def gossip(self):
        """Push."""
        for peer in self.sample(1):
            self.send(peer, Push({key: self.store.get(key) for key in self.store}))

    def on_push(self, sender, push):
        """Take it over."""
        for key, state in push.states.items():
            self.store.merge(key, state)

    def on_write(self, write):
        """Knowing all that is here."""
        self.clock = self.clock.tick(self.now)
        context = self.store.read(write.key)[1]
        delta = self.store.put(
            write.key, write.value, replica=self.replica, stamp=self.clock, context=context
        )
        self.answer(write.id, delta)

    def on_read(self, read):
        """Whatever is here."""
        self.answer(read.id, self.store.get(read.key))
