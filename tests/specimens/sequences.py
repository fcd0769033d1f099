"""What waits: sleeps, timeouts, nurseries, events and channels, with as many ties as can be arranged."""

import trio

from gossiplab import Message, Protocol, every, param


class Ping(Message):
    """Are you there?"""

    number: int


class Ack(Message):
    """I am."""

    number: int


class Sequences(Protocol):
    """Probes with timeouts, workers that share channels, sleepers that wake at the same instants."""

    step = param(0.1, low=0.001, unit="s", doc="what all sleepers sleep")
    period = param(0.5, low=0.001, unit="s", doc="time between rounds")

    def setup(self):
        """No probe under way."""
        self.acks = {}
        self.number = 0
        self.note = trio.Event()

    async def run(self):
        """Many things at once."""
        send, receive = trio.open_memory_channel(3)
        try:
            async with trio.open_nursery() as nursery:
                for worker in range(3):
                    nursery.start_soon(self.sleeper, worker, send.clone())
                    nursery.start_soon(self.consumer, worker, receive.clone())
                nursery.start_soon(self.prober)
                nursery.start_soon(self.watcher)
        finally:
            self.show("ended", True)  # after a kill nobody hears it
            if self.peers:
                self.send(self.peers[0], Ping(-1))

    async def sleeper(self, worker, channel):
        """Sleep as long as everybody else, then tell a consumer."""
        for turn in range(1000):
            await trio.sleep(self.step)
            await channel.send((worker, turn, self.random.randrange(10)))

    async def consumer(self, worker, channel):
        """Show what arrives, and who got it."""
        async for item in channel:
            self.show(f"worker{worker}", list(item))
            if item[2] == 0:
                await trio.lowlevel.checkpoint()
                self.note.set()
                self.note = trio.Event()

    async def watcher(self):
        """Wait for whichever comes first."""
        for turn in range(1000):
            with trio.move_on_after(self.step * 3) as scope:
                await self.note.wait()
            self.show("watched", [turn, scope.cancelled_caught])

    async def prober(self):
        """Ping one peer, with a timeout; when it is silent ask two others at once."""
        while self.peers:
            (peer,) = self.sample(1)
            if not await self.probe(peer):
                async with trio.open_nursery() as nursery:
                    for helper in self.sample(2):
                        nursery.start_soon(self.probe, helper)
            await trio.sleep(self.step)

    async def probe(self, peer):
        """Ping, and wait for the answer."""
        self.number += 1
        number, self.acks[self.number] = self.number, trio.Event()
        self.send(peer, Ping(number))
        with trio.move_on_after(self.step * 2):
            await self.acks[number].wait()
        answered = self.acks.pop(number).is_set()
        self.show("probe", [peer, number, answered])
        return answered

    @every("period", phase="aligned")
    def beat(self):
        """A round at instants at which tasks wake, too."""
        self.show("beat", round(self.now, 9))
        for peer in self.sample(1):
            self.send(peer, Ping(0))

    def on_ping(self, sender, ping):
        """Answer."""
        if ping.number:
            self.send(sender, Ack(ping.number))

    def on_ack(self, sender, ack):
        """Wake the probe that waits."""
        if ack.number in self.acks:
            self.acks[ack.number].set()
