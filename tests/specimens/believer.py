"""Nodes that say what they believe of one another, rightly and wrongly, so that a view has something to draw."""

from gossiplab import Protocol, every, param


class Believer(Protocol):
    """In every round each node doubts, buries or revives somebody; after `settle` seconds all believe what is so."""

    settle = param(3.0, unit="s", doc="when everybody stops being wrong")

    def setup(self) -> None:
        """Begin with everybody alive."""
        self.believe(range(1 + len(self.peers)), "alive", 1)

    @every(0.5)
    def waver(self) -> None:
        """Change a belief."""
        if self.now < self.settle:
            for peer in self.sample(1):
                self.believe(peer, self.random.choice(("alive", "suspected", "dead", "left")), 2)
        else:
            for peer in self.peers:
                self.believe(peer, "alive", 3)
