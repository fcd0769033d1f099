"""A protocol that shows what it does and when, and how to read it: for tests of what faults do to a node's time."""

import trio

from gossiplab import Message, Protocol, every, param
from gossiplab.events import Shown
from gossiplab.recording.verify import verify
from tests.helpers import bytes_of, only, recording_of, run_of, specimen


class Note(Message):
    """Says when it was sent."""

    number: int


class Clockwork(Protocol):
    """Shows what it does and when: rounds, timers, what arrives, and what its tasks do."""

    period = param(1.0, unit="s", doc="time between rounds")
    phase = param("aligned", choices=("aligned", "random"), doc="when rounds begin")

    def setup(self):
        """Nothing yet."""
        self.number = 0
        self.heard = trio.Event()

    @every("period", phase="phase")
    def beat(self):
        """Tell the next node."""
        self.show("beat", self.now)
        self.number += 1
        if self.id == 0:
            self.send(1, Note(self.number))

    def on_note(self, sender, note):
        """Show it, and something later."""
        self.show("note", note.number)
        self.heard.set()
        self.heard = trio.Event()
        self.after(0.25, self.tick, note.number)

    def tick(self, number):
        """Later."""
        self.show("tick", number)


class Sleeper(Clockwork):
    """Has tasks, too."""

    async def run(self):
        """Sleep, and wait for notes with a timeout."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.listen)
            while True:
                await trio.sleep(0.4)
                self.show("slept", trio.current_time())

    async def listen(self):
        """Wait for a note, for 1.5 s at most."""
        while True:
            with trio.move_on_after(1.5) as scope:
                await self.heard.wait()
            self.show("listened", [trio.current_time(), scope.cancelled_caught])


def shown(events, node, name):
    """When a node showed what under a name."""
    return [(e.t, e.value) for e in only(events, Shown) if e.node == node and e.name == name]


def instants(events, node, name):
    return [round(t, 6) for t, _ in shown(events, node, name)]


def clockwork(*at, kind=Clockwork, until=6, nodes=2, **fields):
    return run_of(kind, nodes=nodes, until=until, at=at, link={"latency": "0.1"}, **fields)


def replays(header, tmp_path, kind=None):
    recording = recording_of(tmp_path / "x.gossip", bytes_of(header, kind=kind))
    try:
        return verify(recording, kind or specimen(header.experiment.protocol)) is None
    finally:
        recording.close()
