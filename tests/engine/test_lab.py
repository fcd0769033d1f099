"""A run as a whole: what comes before what, when it ends, and what cannot make it hang."""

from pathlib import Path

import pytest
import trio
import trio.lowlevel
from hypothesis import given, settings
from hypothesis import strategies as st

from gossiplab import Message, Protocol, every, param
from gossiplab.commands import Inject, Kill
from gossiplab.engine.lab import Lab
from gossiplab.engine.run import run_lab
from gossiplab.errors import UserError
from gossiplab.events import (
    Commanded,
    Crashed,
    Delivered,
    Ended,
    Injected,
    Killed,
    Learned,
    Sent,
    Shown,
    Wired,
)
from gossiplab.topology import TOPOLOGIES
from gossiplab.world.world import new_world
from tests.helpers import events_of, header_of, lab_of, only, run_of


class Tick(Message):
    """A tick."""


class Clockwork(Protocol):
    """Everything happens at whole seconds: rounds, timers, sleeps and deliveries."""

    def setup(self):
        for second in range(1, 6):
            self.after(second, self.timer)

    async def run(self):
        while True:
            await trio.sleep(1)
            self.show("woke", True)

    @every(1.0, phase="aligned")
    def beat(self):
        self.show("beat", True)
        for peer in self.peers:
            self.send(peer, Tick())

    def timer(self):
        self.show("timer", True)

    def on_tick(self, sender, tick):
        self.show("tick", sender)


def test_a_command_comes_after_everything_else_that_is_due():
    events = run_of(Clockwork, nodes=3, link={"latency": "1"}, at=["3 kill n1", "3 kill n2"], until=5)
    at = [i for i, e in enumerate(events) if e.t == 3]
    commands = [i for i in at if isinstance(events[i], Commanded | Killed)]
    assert commands == at[-4:]
    assert {e.name for i, e in enumerate(events) if i in at and isinstance(e, Shown)} == {
        "woke", "beat", "timer", "tick",
    }  # fmt: skip
    assert [e.command for e in only(events, Commanded)] == [
        "kill n1",
        "kill n2",
    ]  # in the order of the schedule


def test_the_end_comes_after_everything_else_even_after_commands():
    events = run_of(Clockwork, nodes=2, link={"latency": "1"}, at=["5 kill n1"], until=5)
    assert [type(e) for e in events[-3:]] == [Commanded, Killed, Ended]
    assert len([e for e in only(events, Shown) if e.t == 5 and e.name == "tick"]) == 2


def test_what_commands_set_off_at_their_instant_happens_at_their_instant():
    events = run_of(
        Clockwork, nodes=2, link={"latency": "0"}, at=["1.5 rejoin n1", "2 kill n1", "2 rejoin n1"], until=4
    )
    assert [e.t for e in events] == sorted(e.t for e in events)


def test_posted_commands_take_effect_at_their_instant():
    header = header_of("chatter", nodes=4, until=10)
    for t in (0.0, 1.0, 3.25, 10.0):
        events = events_of(header, [(t, "kill n2"), (t, "rejoin n2 fresh")])
        assert [(e.t, e.command) for e in only(events, Commanded)][-2:] == [
            (t, "kill n2"),
            (t, "rejoin n2 fresh"),
        ]


def test_posting_in_the_past_is_posting_now():
    header = header_of("chatter", nodes=4, until=10)
    events = []

    def sink(batch):
        events.extend(batch)
        if not posted and events[-1].t > 5:
            posted.append(lab.post(Kill((1,)), at=1.0))

    posted = []
    lab = lab_of(header, sink)
    run_lab(lab)
    (t,) = posted
    assert t > 5
    assert [e.t for e in only(events, Killed)] == [t]
    assert [e.t for e in events] == sorted(e.t for e in events)


def test_a_command_without_meaning_is_refused_and_changes_nothing():
    header = header_of("sequences", nodes=4, until=2)
    lab = lab_of(header, [].extend)
    with pytest.raises(UserError, match="spreads no rumors"):
        lab.post(Inject(0))


# the end -------------------------------------------------------------------------------------------


def ending(events):
    """Why and when a run ended: the last event and no other."""
    assert [type(e) for e in events].count(Ended) == 1
    assert isinstance(events[-1], Ended)
    return events[-1].why, events[-1].t


@pytest.mark.parametrize("until", [0, 1e-9, 1, 2.5, 100])
def test_until_seconds(until):
    assert ending(events_of(header_of("chatter", nodes=3, until=until))) == ("time", until)


def test_until_converged_ends_with_the_last_to_learn():
    events = events_of(header_of("chatter", nodes=20, until="converged"))
    why, t = ending(events)
    assert why == "converged"
    learned = only(events, Learned)
    assert len(learned) == 20
    assert t == learned[-1].t


def test_until_converged_waits_for_scheduled_commands():
    events = events_of(header_of("chatter", nodes=5, until="converged", at=["0 inject n0", "50 inject n1"]))
    assert ending(events)[0] == "converged"
    assert ending(events)[1] > 50
    assert len(only(events, Learned)) == 10


def test_until_converged_counts_the_living():
    at = ["0 kill n1-n18", "0 inject n0"]
    why, t = ending(events_of(header_of("chatter", nodes=20, until="converged", at=at)))
    assert why == "converged"
    assert t < 200


def test_until_quiescent():
    header = header_of("chatter", nodes=8, until="quiescent", params={"retire_after": 4})
    events = events_of(header)
    why, t = ending(events)
    assert why == "quiescent"
    assert 4 < t < 10
    # with nobody interested and no update in flight, and not a moment before
    world = new_world(header)
    for event in events[:-1]:
        world.apply([event])
    assert world.infective(0) == 0
    assert not any(flight.carries for flight in world.flights.values())


def test_what_never_converges_ends_at_the_limit():
    at = ["0 inject n0", "0 partition n0"]
    assert ending(events_of(header_of("chatter", nodes=4, limit=30, at=at))) == ("limit", 30)


class Flood(Protocol):
    """Tells everybody at once, when it hears something new: then nothing happens any more."""

    def on_inject(self, rumor):
        self.tell(rumor)

    def tell(self, rumor):
        for peer in self.peers:
            self.send(peer, News(rumor), carries=(rumor,))

    def on_news(self, sender, news):
        if self.learn(news.rumor):
            self.tell(news.rumor)


class News(Message):
    """A rumor."""

    rumor: int


def test_where_nothing_more_can_happen_the_run_ends_at_once():
    events = run_of(Flood, nodes=5, topology="ring", at=["0 inject n0", "0 kill n2"], until="converged")
    why, t = ending(events)
    assert (why, t < 2) == ("converged", True)
    # n2 cuts the ring at one place and n4 at another: n3 never hears
    events = run_of(Flood, nodes=5, topology="ring", at=["0 inject n0", "0 kill n2,n4"], until="converged")
    why, t = ending(events)
    assert (why, t < 2) == ("quiescent", True)
    assert run_of(Flood, nodes=4, until="quiescent")[-1].why == "quiescent"


@pytest.mark.parametrize("nodes", [0, 1, 2])
@pytest.mark.parametrize("until", ["converged", "quiescent", 3])
@pytest.mark.parametrize("protocol", ["chatter", "sequences", "rumor", "epidemic"])
def test_few_nodes_are_legal_and_terminate(nodes, until, protocol):
    for topology in TOPOLOGIES if protocol != "sequences" else ("complete", "tree"):
        events = events_of(header_of(protocol, nodes=nodes, topology=topology, until=until, limit=10))
        assert isinstance(events[0], Wired)
        why, t = ending(events)
        assert t <= 10
        if (
            until == "converged"
            and nodes
            and protocol in ("chatter", "epidemic")
            and topology != "erdos-renyi"
        ):
            assert why == "converged"


def test_nobody_is_done_at_once():
    assert ending(events_of(header_of("chatter", nodes=0))) == ("quiescent", 0)
    assert ending(events_of(header_of("chatter", nodes=0, at=["7 heal"]))) == ("quiescent", 7)
    assert ending(events_of(header_of("chatter", nodes=0, until=3))) == ("time", 3)


@pytest.mark.parametrize("protocol", ["chatter", "epidemic", "rumor"])
@pytest.mark.parametrize("until", ["converged", "quiescent"])
def test_all_dead_terminates(protocol, until):
    events = events_of(header_of(protocol, nodes=6, until=until, at=["0 inject n0", "0.5 kill all"]))
    assert ending(events) == ("quiescent", 0.5)


@pytest.mark.parametrize("protocol", ["chatter", "epidemic", "rumor"])
@pytest.mark.parametrize("until", ["converged", "quiescent", 20])
def test_total_loss_terminates(protocol, until):
    events = events_of(header_of(protocol, nodes=6, until=until, limit=50, link={"loss": 1.0}))
    assert ending(events)[1] <= 50
    assert not only(events, Delivered)
    assert len(only(events, Learned)) == 1


def test_an_injection_into_a_dead_node_is_none():
    events = events_of(header_of("chatter", nodes=3, at=["0 kill n0", "1 inject n0"], limit=10))
    assert not only(events, Injected)
    assert ending(events) == ("limit", 10)


# what never lets time pass -------------------------------------------------------------------------


class PingPong(Protocol):
    """Answers at once, for ever."""

    kind = param("message", choices=("message", "timer", "round", "checkpoint", "sleep", "tasks", "none"))

    def setup(self):
        self.event = trio.Event()
        if self.kind == "message" and self.id == 0:
            self.send(1, Tick())
        if self.kind == "timer" and self.id == 1:
            self.again()

    async def run(self):
        await trio.sleep(1)
        if self.id == 1 and self.kind == "checkpoint":
            while True:
                await trio.lowlevel.checkpoint()
        if self.id == 1 and self.kind == "sleep":
            while True:  # noqa: ASYNC110  # as people write it
                await trio.sleep(0)  # noqa: ASYNC115  # the same
        if self.id == 1 and self.kind == "tasks":
            send, receive = trio.open_memory_channel(0)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.give, send)
                nursery.start_soon(self.take, receive)

    async def give(self, channel):
        while True:
            await channel.send(1)

    async def take(self, channel):
        while True:
            await channel.receive()

    def again(self):
        self.after(0, self.again)

    def on_tick(self, sender, tick):
        self.send(sender, Tick())

    @every(1.0)
    def beat(self):
        self.show("beat", True)


@pytest.mark.parametrize("kind", ["message", "timer", "checkpoint", "sleep", "tasks"])
def test_what_never_lets_time_pass_is_stopped_and_the_run_goes_on(kind, monkeypatch):
    monkeypatch.setattr("gossiplab.engine.lab._STEPS_PER_INSTANT", 3000)
    events = run_of(PingPong, nodes=3, link={"latency": "0"}, until=4, params={"kind": kind})
    assert ending(events) == ("time", 4)
    (crash,) = only(events, Crashed)
    assert crash.node in (0, 1)
    assert "no virtual time passes" in crash.error
    assert crash.file == "test_lab.py"
    line = Path(__file__).read_text().splitlines()[crash.line - 1]
    expected = {
        "message": "def on_tick",
        "timer": "def again",
        "checkpoint": "checkpoint()",
        "sleep": "sleep(0)",
    }
    assert expected.get(kind, "await channel.") in line
    others = {0, 1, 2} - {crash.node}
    assert {e.node for e in only(events, Shown) if e.t > 2} == others
    again = run_of(PingPong, nodes=3, link={"latency": "0"}, until=4, params={"kind": kind})
    assert again == events


class Hurry(Protocol):
    """Rounds so short that adding them to the time changes nothing."""

    @every(1e-20)
    def beat(self):
        pass


def test_rounds_too_short_for_a_float_are_stopped():
    events = run_of(Hurry, nodes=1, until=2)
    assert ending(events) == ("time", 2)
    (crash,) = only(events, Crashed)
    assert "the period of beat is 1e-20 s" in crash.error
    assert crash.line


def test_a_flood_at_one_instant_is_honest():
    """Everybody tells everybody at once: n squared messages at one instant."""
    # of which 100,000 is the budget in a small lab
    events = run_of(
        Flood, nodes=320, link={"latency": "0"}, until="converged", at=["0 inject n0", "0 inject n1"]
    )
    assert not only(events, Crashed)
    assert len(only(events, Delivered)) > 100_000


# counting ------------------------------------------------------------------------------------------

COMMANDS = (
    "kill n1", "kill n0,n2", "rejoin all", "rejoin n1 fresh", "leave n3", "partition n0-n1", "heal", "inject n0",
    "inject n4", "cut n0 to n4", "link all all loss=0.5 duplicate=0.5", "rejoin all fresh", "kill all",
    "pause n1", "pause n0,n3", "resume all", "pause all", "hold", "hold n2-n3", "release", "release n2", "drop m3",
    "delay m5 0.7", "duplicate m2", "duplicate m9", "delay m12 0", "drop m20", "skew n1 1.5", "skew all 0.7",
    "skew n0-n2 +0.3", "skew n0 -0.9", "skew all off", "flap n2 up=0.4 down=0.3", "flap n0,n4 up=1 down=0.5 for=2",
    "churn 1.5 down=0.5", "churn 2 for=1.5 fresh", "calm", "link n1 to all loss=1",
)  # fmt: skip

schedules = st.lists(
    st.tuples(st.sampled_from([0.0, 0.5, 1.0, 1.0, 2.0, 3.3]), st.sampled_from(COMMANDS)), max_size=12
)


@given(schedules, st.integers(0, 5), st.sampled_from(["converged", "quiescent", 5]), st.sampled_from([0, 3]))
@settings(max_examples=80)
def test_the_labs_own_counters_agree_with_the_world(schedule, seed, until, retire):
    header = header_of(
        "chatter", nodes=5, until=until, seed=seed, limit=15, params={"retire_after": retire, "period": 0.5},
        at=[f"{t} {command}" for t, command in schedule], link={"duplicate": 0.1, "loss": 0.1},
    )  # fmt: skip
    world = new_world(header)

    def sink(batch):
        world.apply(batch)
        network = lab.network
        assert network.sent == world.sent
        assert network.delivered == world.delivered
        assert network.dropped == world.dropped
        assert network.duplicated == world.duplicated
        assert network.carrying == sum(bool(flight.carries) for flight in world.flights.values())
        assert world.sent + world.duplicated == world.delivered + world.dropped + len(world.flights)
        for node, seen in zip(lab.nodes, world.nodes, strict=True):
            assert node.up == seen.up or lab.ended
            assert (node.late is not None) == (seen.status == "paused") or lab.ended
            assert len(node.known) == sum(node.id in rumor.arrivals for rumor in world.rumors)
        reached = (
            world.rumors
            and world.alive
            and all(world.knowing(rumor) == world.alive for rumor in range(len(world.rumors)))
        )
        if world.ended == "converged":
            assert reached
        if world.ended == "quiescent":
            assert not any(world.infective(rumor) for rumor in range(len(world.rumors)))
            assert not network.carrying

    lab = Lab(header, lab_of(header)._protocol, sink)
    run_lab(lab)
    assert world.ended == lab.ended


def test_a_lab_without_a_sink_runs_the_same():
    header = header_of("chatter", nodes=6, until="converged", seed=2)
    events = events_of(header)
    lab = lab_of(header)
    run_lab(lab)
    assert lab.ended == events[-1].why
    assert lab.clock.now == events[-1].t
    assert lab.network.sent == len(only(events, Sent))


def test_what_a_sink_raises_ends_the_run_and_comes_out():
    def sink(batch):
        if batch[-1].t > 2:
            raise OSError(28, "full")

    with pytest.raises(OSError, match="full"):
        run_lab(lab_of(header_of("sequences", nodes=4, until=100), sink))
