"""A node's async part: its tasks in virtual time, and how they end when the node is killed, leaves or fails."""

import pytest
import trio

from gossiplab import Message, Protocol, every
from gossiplab.engine.lab import Lab
from gossiplab.engine.run import run_lab
from gossiplab.events import (
    Crashed,
    Ended,
    Killed,
    Learned,
    Rejoined,
    Sent,
    Shown,
)
from tests.helpers import header_of, only, run_of


class Note(Message):
    """A word."""

    text: str = ""


def shown(events, name):
    """What was shown under a name: (t, node, value) each."""
    return [(e.t, e.node, bytes(e.value)) for e in only(events, Shown) if e.name == name]


# async parts ---------------------------------------------------------------------------------------


class Worker(Protocol):
    """Works, and has something to say when it is stopped."""

    async def run(self):
        try:
            for second in range(100):
                self.show("work", second)
                await trio.sleep(1)
        except trio.Cancelled:
            self.show("cancelled", True)
            self.send(0, Note("cancelled"))
            raise
        finally:
            self.show("finally", True)
            self.send(0, Note("finally"))
            self.after(0.2, self.late)
            CLEANED.append(self.id)

    def late(self):
        self.show("late", True)

    def on_note(self, sender, note):
        self.show("note", note.text)


CLEANED: list[int] = []


def test_a_kill_cancels_the_task_whose_finally_blocks_run_unheard():
    CLEANED.clear()
    events = run_of(Worker, nodes=2, at=["2.5 kill n1"], until=5)
    assert CLEANED == [1, 0]  # n1 at the kill, n0 at the end of the run
    assert [t for t, node, _ in shown(events, "work") if node == 1] == [0, 1, 2]
    assert [t for t, node, _ in shown(events, "work") if node == 0] == [0, 1, 2, 3, 4, 5]
    assert not only(events, Sent)
    assert not [e for e in only(events, Shown) if e.name != "work"]
    assert isinstance(events[-1], Ended)


@pytest.mark.parametrize("how", ["rejoin n1", "rejoin n1 fresh"])
def test_timers_of_an_earlier_life_never_fire_even_those_set_while_it_ended(how):
    events = run_of(Worker, nodes=2, at=["2.5 kill n1", f"2.5 {how}"], until=5)
    assert [t for t, node, _ in shown(events, "work") if node == 1] == [0, 1, 2, 2.5, 3.5, 4.5]
    assert not shown(events, "late")


class Shielded(Protocol):
    """Takes its time to die."""

    def setup(self):
        self.born = self.now

    async def run(self):
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(2)
                self.show("ghost", True)
                self.send(0, Note("ghost"))
                self.after(0.1, self.haunt)
                self.learn(0)
                self.retire(0)

    def haunt(self):
        self.show("haunted", True)

    def on_note(self, sender, note):
        self.show("note", note.text)

    @every(0.5, phase="aligned")
    def beat(self):
        self.show("alive", True)
        self.send(0, Note("alive"))

    def on_inject(self, rumor):
        pass


@pytest.mark.parametrize("how", ["rejoin n1", "rejoin n1 fresh"])
def test_a_task_that_shields_itself_does_nothing_in_the_next_life(how):
    events = run_of(Shielded, nodes=2, at=["0 inject n0", "1.2 kill n1", f"2.2 {how}"], until=6)
    assert not shown(events, "ghost")
    assert not shown(events, "haunted")
    assert [e for e in only(events, Learned) if e.node == 1] == []
    assert {bytes(e.body) for e in only(events, Sent)} == {b'{"text":"alive"}'}
    assert len([t for t, node, _ in shown(events, "alive") if node == 1 and t > 4]) == 4


def test_a_run_that_is_over_waits_for_nobody():
    """The shielded sleep of every node at the end takes no time and leaves no events."""
    events = run_of(Shielded, nodes=3, at=["0 inject n0"], until=1)
    assert isinstance(events[-1], Ended)
    assert events[-1].t == 1


class Clumsy(Protocol):
    """Fails while it is being stopped."""

    async def run(self):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.child)
            try:
                await trio.sleep_forever()
            finally:
                raise RuntimeError("while stopping")

    async def child(self):
        await trio.sleep_forever()


@pytest.mark.parametrize("command", ["kill n1", "leave n1"])
def test_failing_while_stopped_is_not_a_crash(command):
    events = run_of(Clumsy, nodes=3, at=[f"1 {command}", "2 rejoin n1"], until=3)
    assert not only(events, Crashed)
    assert only(events, Rejoined)
    assert isinstance(events[-1], Ended)
    assert events[-1].t == 3


class Twins(Protocol):
    """One task a life."""

    def setup(self):
        self.tasks = 0

    async def run(self):
        self.tasks += 1
        self.show("tasks", self.tasks)
        try:
            await trio.sleep_forever()
        finally:
            self.tasks -= 1


@pytest.mark.parametrize("how", ["", " fresh"])
def test_kill_and_rejoin_at_one_instant_again_and_again(how):
    at = ["1 kill n0", f"1 rejoin n0{how}"] * 5 + [f"1 rejoin n0{how}", "1 kill n0", "1 kill n0"]
    events = run_of(Twins, nodes=1, at=at, until=2)
    assert len(only(events, Killed)) == 6
    assert len(only(events, Rejoined)) == 5
    assert {value for _, _, value in shown(events, "tasks")} == {b"1"}


class Stillborn(Protocol):
    """Fails in setup while its task is about to start."""

    def setup(self):
        self.show("setup", True)
        raise RuntimeError("no")

    async def run(self):
        RAN.append(self.id)
        await trio.sleep_forever()


RAN: list[int] = []


def test_what_fails_in_setup_never_runs():
    RAN.clear()
    events = run_of(Stillborn, nodes=2, at=["1 rejoin n0 fresh"], until=2)
    assert len(only(events, Crashed)) == 3
    assert RAN == []


class Returns(Protocol):
    """Its async part is over soon; its rounds go on."""

    async def run(self):
        await trio.sleep(0.5)

    @every(1.0, phase="aligned")
    def beat(self):
        self.show("beat", True)


def test_a_node_outlives_its_async_part():
    assert [t for t, _, _ in shown(run_of(Returns, nodes=1, until=3), "beat")] == [1, 2, 3]


class Counts(Protocol):
    """Sees virtual time from inside tasks."""

    async def run(self):
        with trio.move_on_after(1.5):
            await trio.sleep_forever()
        self.show("after", [trio.current_time(), self.now])
        with trio.fail_after(10):
            await trio.sleep_until(3)
        self.show("until", [trio.current_time(), self.now])


def test_tasks_live_in_virtual_time():
    events = run_of(Counts, nodes=1, until=5)
    assert shown(events, "after") == [(1.5, 0, b"[1.5,1.5]")]
    assert shown(events, "until") == [(3.0, 0, b"[3.0,3.0]")]


class OnlyShows(Protocol):
    """Sleeps and shows: nothing of it ever goes through the heap."""

    async def run(self):
        while True:
            await trio.sleep(1)
            self.show("tick", self.now)


def test_what_tasks_do_is_handed_on_at_once():
    """A lab whose tasks only sleep hands on every event before the next instant comes."""
    batches: list[list] = []
    header = header_of(OnlyShows, nodes=1, until=50)
    run_lab(Lab(header, OnlyShows, lambda batch: batches.append(list(batch))))
    assert len(batches) >= 50
    assert all(len({event.t for event in batch}) == 1 for batch in batches)
