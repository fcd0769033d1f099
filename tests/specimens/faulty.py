"""A protocol that fails wherever it is told to."""

# pyright: reportArgumentType=false
# being wrong is what it is for

import trio

from gossiplab import Message, Protocol, every, param


class Note(Message):
    """Something harmless."""

    text: str = ""


class Unheard(Message):
    """A message for which there is no handler."""


class Strict(Message):
    """A message whose field is not what its type says."""

    number: int


PLACES = (
    "nowhere", "setup", "round", "handler", "timer", "run", "child", "inject", "leave", "rejoin",
    "unknown-peer", "negative-peer", "odd-peer", "unhandled", "undecodable", "unencodable", "no-message",
    "bad-timer", "bad-show", "bad-show-name", "unknown-rumor", "odd-rumor", "unknown-carries", "odd-carries",
    "bad-sample", "long-error", "odd-error", "mute-error", "address", "exit", "group",
)  # fmt: skip


class MuteError(Exception):
    """An error that cannot even say what it is."""

    def __str__(self):
        raise ValueError("no words")


class Faulty(Protocol):
    """Fails, on the nodes from `first` on, at `where`."""

    where = param("nowhere", choices=PLACES, doc="what fails")
    first = param(0, low=0, doc="the first node that fails")

    def fails(self, place):
        """Whether this is the node and the place."""
        return self.where == place and self.id >= self.first

    def setup(self):
        """Fail, or not."""
        self.count = 0
        if self.fails("setup"):
            raise RuntimeError("in setup")

    async def run(self):
        """Fail, or not."""
        await trio.sleep(1.25)
        if self.fails("run"):
            raise RuntimeError("in run")
        if self.fails("child"):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep, 10)
                nursery.start_soon(self.child)

    async def child(self):
        """Fail in a nursery of one's own."""
        await trio.sleep(0.25)
        raise RuntimeError("in child")

    @every(1.0, phase="aligned")
    def beat(self):
        """Fail, or not."""
        self.count += 1
        for peer in self.sample(1):
            self.send(peer, Note("hello"))
        if self.count == 2:
            self.after(0.25, self.tick)
            self.fail()

    def fail(self):  # noqa: C901  # one fault after the other
        """Do whatever cannot be done."""
        if self.fails("round"):
            raise RuntimeError("in round")
        if self.fails("unknown-peer"):
            self.send(10_000, Note())
        if self.fails("negative-peer"):
            self.send(-1, Note())
        if self.fails("odd-peer"):
            self.send(True, Note())
        if self.fails("unhandled"):
            self.send(0, Unheard())
        if self.fails("undecodable"):
            self.send(0, Strict("three"))
        if self.fails("unencodable"):
            self.send(0, Note(object()))
        if self.fails("no-message"):
            self.send(0, {"not": "a message"})
        if self.fails("bad-timer"):
            self.after(float("nan"), self.tick)
        if self.fails("bad-show"):
            self.show("object", object())
        if self.fails("bad-show-name"):
            self.show("\ud800", 1)
        if self.fails("unknown-rumor"):
            self.learn(7)
        if self.fails("odd-rumor"):
            self.learn("rumor")
        if self.fails("unknown-carries"):
            self.send(0, Note(), carries=(5,))
        if self.fails("odd-carries"):
            self.send(0, Note(), carries=("x",))
        if self.fails("bad-sample"):
            self.sample(-1)
        if self.fails("long-error"):
            raise RuntimeError("x" * 5_000_000)
        if self.fails("odd-error"):
            raise RuntimeError("\x1b[2J\ud800\nsecond line")
        if self.fails("mute-error"):
            raise MuteError
        if self.fails("address"):
            raise RuntimeError(f"{object()} failed")
        if self.fails("exit"):
            raise SystemExit(7)
        if self.fails("group"):
            raise ExceptionGroup("two", [RuntimeError("one"), ValueError("two")])

    def tick(self):
        """Fail, or not."""
        if self.fails("timer"):
            raise RuntimeError("in timer")

    def on_note(self, sender, note):
        """Fail, or not."""
        if self.fails("handler"):
            raise RuntimeError("in handler")

    def on_strict(self, sender, strict):
        """Never called."""

    def on_inject(self, rumor):
        """Fail, or not."""
        if self.fails("inject"):
            raise RuntimeError("in inject")

    def leave(self):
        """Fail, or not."""
        if self.fails("leave"):
            raise RuntimeError("in leave")

    def rejoin(self):
        """Fail, or not."""
        if self.fails("rejoin"):
            raise RuntimeError("in rejoin")
