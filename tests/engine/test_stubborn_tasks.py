"""Tasks that do not end when their node does: they hang neither the lab nor its end."""

import threading
from contextlib import suppress

import pytest
import trio

from gossiplab import Protocol, every
from gossiplab.engine import lab as lab_module
from gossiplab.engine import tasks
from gossiplab.engine.lab import Lab
from gossiplab.engine.run import run_lab
from gossiplab.events import Crashed, Ended, Killed, Rejoined, Shown
from tests.helpers import header_of, only

STEPS = 2_000  # at one instant, here: reaching the lab's own budget takes a second


class Stubborn(Protocol):
    """Beats, whatever its tasks do."""

    @every(1.0, phase="aligned")
    def beat(self):
        """Be alive."""
        self.show("beat", self.now)


class Swallows(Stubborn):
    """Takes a Cancelled for something to be got over."""

    async def run(self):
        while True:
            try:
                await trio.sleep(0.5)
            except trio.Cancelled:
                self.show("cancelled", True)


class SwallowsAll(Stubborn):
    """Takes everything for something to be got over, longer than anybody asks it to end."""

    async def run(self):
        for _ in range(5 * STEPS):
            with suppress(BaseException):
                await trio.sleep(0.5)


class Shields(Stubborn):
    """Waits for ever where nothing reaches it."""

    async def run(self):
        with trio.CancelScope(shield=True):
            await trio.sleep_forever()


class ShieldsMany(Stubborn):
    """Waits in nurseries within nurseries, each shielded, on things that never come."""

    async def run(self):
        send, receive = trio.open_memory_channel(0)
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as outer, trio.open_nursery() as inner:
                outer.start_soon(trio.Event().wait)
                inner.start_soon(receive.receive)
                inner.start_soon(self.swallow)
                await trio.sleep_forever()
        send.close()

    async def swallow(self):
        """Go on."""
        while True:
            try:
                await trio.sleep(0.3)
            except trio.Cancelled:
                await trio.lowlevel.checkpoint()


class Polite(Stubborn):
    """Shields its goodbye, which ends."""

    async def run(self):
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(60)


@pytest.fixture(autouse=True)
def _nothing_kept():
    """Let go of what could not be closed: at the end of the process it would complain."""
    yield
    for coroutine in tasks._kept:
        coroutine.close()  # outside of trio none of its waits lasts
    tasks._kept.clear()


@pytest.mark.parametrize(
    "at", [(), ("1.2 kill n0",), ("1.2 pause n0", "1.4 kill n0"), ("1.2 pause n0",)], ids=str
)
@pytest.mark.parametrize("kind", [Swallows, SwallowsAll, Shields, ShieldsMany, Polite])
def test_the_lab_ends_all_the_same(kind, at, monkeypatch):
    monkeypatch.setattr(lab_module, "_STEPS_PER_INSTANT", STEPS)
    events = []
    lab = Lab(header_of(kind, nodes=2, until=3, at=at), kind, events.extend)
    run_lab(lab)
    assert isinstance(events[-1], Ended)
    assert [e.t for e in only(events, Shown) if e.node == 1 and e.name == "beat"] == [1, 2, 3]
    assert len(only(events, Killed)) == sum("kill" in each for each in at)
    assert lab.abandoned == (set() if kind is Polite else {0, 1})


def test_a_node_whose_task_would_not_end_lives_again(monkeypatch):
    monkeypatch.setattr(lab_module, "_STEPS_PER_INSTANT", STEPS)
    events = []
    lab = Lab(
        header_of(Swallows, nodes=1, until=5, at=["1.2 kill n0", "2.2 rejoin n0"]), Swallows, events.extend
    )
    run_lab(lab)
    assert only(events, Rejoined)
    assert [e.t for e in only(events, Shown)] == [1, 3, 4, 5]
    assert lab.abandoned == {0}


def test_a_lab_can_be_hurried():
    """What a second SIGTERM does: the end waits for nobody, also not for a goodbye that would end by itself."""

    def sink(batch):
        if batch[-1].t > 1:
            lab.hurry()

    lab = Lab(header_of(Polite, nodes=2, until=50), Polite, sink)
    run_lab(lab)
    assert lab.clock.now < 3
    assert lab.abandoned == {0, 1}


class Nests(Stubborn):
    """Opens nurseries within nurseries, on n1, and never gets to the end of them."""

    async def run(self):
        if self.id:
            await self.deeper()

    async def deeper(self):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.deeper)


def test_nurseries_within_nurseries_without_end_are_ended():
    """Some 300 of them, and trio itself would fail when it cancels them."""
    events = []
    lab = Lab(header_of(Nests, nodes=2, until=3), Nests, events.extend)
    run_lab(lab)
    (crash,) = only(events, Crashed)
    assert (crash.node, crash.t) == (1, 0)
    assert "nurseries within nurseries" in crash.error
    assert [e.t for e in only(events, Shown) if e.name == "beat"] == [1, 2, 3]


def test_fifty_nurseries_within_one_another_are_nobodys_fault():
    class Deep(Stubborn):
        async def run(self):
            await self.deeper(50)

        async def deeper(self, more):
            async with trio.open_nursery() as nursery:
                if more:
                    nursery.start_soon(self.deeper, more - 1)
                await trio.sleep(1.5)

    events = []
    run_lab(Lab(header_of(Deep, nodes=1, until=3, at=["1 kill n0", "2 rejoin n0"]), Deep, events.extend))
    assert not only(events, Crashed)
    assert only(events, Rejoined)


class Threads(Stubborn):
    """Wants a thread, on n0, that would take the time of the machine."""

    async def run(self):
        if self.id == 0:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.to_thread.run_sync, threading.Event().wait)
        self.show("went on", True)


def test_there_are_no_threads_in_a_lab():
    """How long one takes is a matter of the machine; and one that does not return would hold the end of the run."""
    events = []
    lab = Lab(header_of(Threads, nodes=2, until=3), Threads, events.extend)
    run_lab(lab)
    assert [(e.node, e.t) for e in only(events, Shown) if e.name == "went on"] == [(1, 0)]
    assert lab.threaded == {0}
    assert not lab.abandoned


class Bombs(Stubborn):
    """Starts tasks that start tasks, on n1, and none of them ever waits."""

    many = 1
    waits = False

    async def run(self):
        if self.id == 0:
            return
        await trio.sleep(1.5)
        async with trio.open_nursery() as nursery:

            async def again():
                for _ in range(self.many):
                    nursery.start_soon(again)
                if self.waits:
                    await trio.lowlevel.checkpoint()

            nursery.start_soon(again)


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("many", [1, 2])
def test_tasks_that_start_tasks_without_end_are_ended(many, waits, monkeypatch):
    """To be cancelled stops nothing that never comes to a checkpoint, and nothing that comes there having started two."""
    monkeypatch.setattr(lab_module, "_STEPS_PER_INSTANT", STEPS)
    kind = type("Bombs", (Bombs,), {"many": many, "waits": waits})
    events = []
    run_lab(Lab(header_of(kind, nodes=2, until=4, at=["2 rejoin n1"]), kind, events.extend))
    first, second = only(events, Crashed)  # it does so again in its next life
    assert (first.node, first.t, second.node, second.t) == (1, 1.5, 1, 3.5)
    assert isinstance(events[-1], Ended)
    assert [e.t for e in only(events, Shown) if e.node == 0] == [1, 2, 3, 4]


class Deaf(Stubborn):
    """Waits in a way that cannot be cancelled, for what never comes."""

    async def run(self):
        await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)


def test_who_cannot_be_cancelled_is_ended_all_the_same():
    events = []
    lab = Lab(header_of(Deaf, nodes=2, until=3, at=["1.5 kill n0"]), Deaf, events.extend)
    run_lab(lab)
    assert [e.t for e in only(events, Shown) if e.node == 1] == [1, 2, 3]
    assert lab.abandoned == {0, 1}
