"""Carries vector clocks in its messages, as Fidge and Mattern wrote them, and shows the clock of every event it counts."""

from gossiplab import Message, Protocol, every, param
from gossiplab.replica.vector import VectorClock


class Word(Message):
    """A message with the clock of its sending."""

    clock: VectorClock


class Witness(Protocol):
    """Tells others now and then, and answers some."""

    period = param(0.5, low=0.001, doc="seconds between rounds")

    def setup(self):
        """Have seen nothing."""
        self.clock = VectorClock()

    def happen(self):
        """An event: local, a sending, or a delivery."""
        self.clock = self.clock.tick(self.id)
        self.show("clock", self.clock)

    @every("period")
    def tell(self):
        """Something happens here, or somebody is told."""
        self.happen()
        if self.random.random() < 0.7:
            for peer in self.sample(1):
                self.send(peer, Word(self.clock))

    def on_word(self, sender, word):
        """Know what the sender knew."""
        self.clock = self.clock.merge(word.clock)
        self.happen()
        if self.random.random() < 0.3:
            self.happen()
            self.send(sender, Word(self.clock))
