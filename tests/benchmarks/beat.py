"""The benchmark's protocol: every 0.2 s a message to a random peer, which does nothing with it."""

from gossiplab import Message, Protocol, every


class Ping(Message):
    """A small message."""

    n: int


class Beat(Protocol):
    """One message a round."""

    @every(0.2)
    def beat(self) -> None:
        """Send it."""
        for peer in self.sample(1):
            self.send(peer, Ping(1))

    def on_ping(self, sender: int, ping: Ping) -> None:
        """Take it."""
