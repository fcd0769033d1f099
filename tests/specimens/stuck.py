"""A protocol that does not give its turn back wherever it is told to, in the way it is told to."""

import time

import trio

from gossiplab import Message, Protocol, every, param

PLACES = ("nowhere", "setup", "round", "handler", "timer", "run", "child", "inject", "leave", "rejoin")
WAYS = ("loop", "sleep", "catch", "catch-all", "finally", "send", "tell", "recurse", "spin")


class Note(Message):
    """Something harmless."""

    text: str = ""


class Stuck(Protocol):
    """Blocks, on the nodes from `first` on, at `where`."""

    where = param("nowhere", choices=PLACES, doc="what blocks")
    way = param("loop", choices=WAYS, doc="how")
    first = param(0, low=0, doc="the first node that blocks")

    def maybe(self, place):
        """Block, if this is the node and the place."""
        if self.where == place and self.id >= self.first:
            getattr(self, f"by_{self.way.replace('-', '_')}")()

    def by_loop(self):
        """Turn round and round."""
        while True:
            self.count += 1

    def by_sleep(self):
        """Wait in real time."""
        time.sleep(3600)

    def by_catch(self):
        """Let no Exception end it."""
        while True:
            try:  # noqa: SIM105
                time.sleep(0.001)
            except Exception:  # noqa: BLE001, S110
                pass

    def by_catch_all(self):
        """Let nothing at all end it."""
        while True:
            try:  # noqa: SIM105
                time.sleep(3600)
            except:  # noqa: E722, S110
                pass

    def by_finally(self):
        """Begin again when it is ended."""
        try:
            self.by_loop()
        finally:
            for peer in self.sample(1):
                self.send(peer, Note("not heard"))
            self.by_sleep()

    def by_send(self):
        """Send and send."""
        while True:
            for peer in self.sample(2):
                self.send(peer, Note("again"), carries=(0,))

    def by_tell(self):
        """Learn, retire, show and set timers, and some more each time round."""
        self.learn(0)
        self.retire(0)
        while True:
            self.count += 1
            self.show("count", self.count)
            self.after(self.random.random(), self.tick)

    def by_recurse(self):
        """Go down and up again for ever."""

        def down(n):
            return n and down(n - 1)

        while True:
            down(100)

    def by_spin(self):
        """Come back at once, for ever: not a step too long but too many of them."""
        self.after(0, self.by_spin)

    def setup(self):
        """Block, or not."""
        self.count = 0
        self.maybe("setup")

    async def run(self):
        """Block, or not."""
        await trio.sleep(1.25)
        self.maybe("run")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.child)
            await trio.sleep(100)

    async def child(self):
        """Block in a nursery of one's own, or not."""
        await trio.sleep(0.25)
        self.maybe("child")

    @every(1.0, phase="aligned")
    def beat(self):
        """Block, or not."""
        self.count += 1
        for peer in self.sample(1):
            self.send(peer, Note("hello"))
        self.show("random", self.random.random())
        if self.count == 2:
            self.after(0.25, self.tick)
            self.maybe("round")

    def tick(self):
        """Block, or not."""
        self.maybe("timer")

    def on_note(self, sender, note):
        """Block, or not."""
        self.maybe("handler")

    def on_inject(self, rumor):
        """Block, or not."""
        self.maybe("inject")

    def leave(self):
        """Block, or not."""
        self.maybe("leave")

    def rejoin(self):
        """Block, or not."""
        self.maybe("rejoin")
