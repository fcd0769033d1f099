"""What each fault does: pauses, holds, clocks, flapping, churn, single messages; and that any of it verifies to the byte."""

import itertools
import re
import statistics

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from gossiplab import Message, Protocol, every, param
from gossiplab.commands import parse_command
from gossiplab.engine.kernel import COMMAND
from gossiplab.engine.lab import run_lab
from gossiplab.errors import UserError
from gossiplab.events import (
    AnyEvent,
    Calmed,
    Commanded,
    Delayed,
    Delivered,
    Departed,
    Dropped,
    Duplicated,
    Ended,
    Injected,
    Killed,
    Paused,
    Rejoined,
    Resumed,
    Sent,
    Severed,
    Shown,
    Skewed,
)
from gossiplab.recording.verify import verify
from gossiplab.topology import build_edges
from gossiplab.world.world import new_world
from tests.helpers import bytes_of, events_of, header_of, lab_of, only, recording_of, run_of, specimen


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


# pause and resume ----------------------------------------------------------------------------------


def test_a_paused_node_does_nothing_and_then_all_that_came_due():
    events = clockwork("1.5 pause n1", "4.5 resume n1")
    # n0 sends at 1, 2, 3 ...: notes 2, 3 and 4 arrive at the frozen node, in this order
    assert [(round(t, 6), int(bytes(v))) for t, v in shown(events, 1, "note")] == [
        (1.1, 1), (4.5, 2), (4.5, 3), (4.5, 4), (5.1, 5),
    ]  # fmt: skip
    # one round for the three that were missed, and then the beat that it always had
    assert instants(events, 1, "beat") == [1, 4.5, 5, 6]
    assert instants(events, 0, "beat") == [1, 2, 3, 4, 5, 6]
    assert [type(e) for e in events if isinstance(e, Paused | Resumed | Killed | Dropped)] == [
        Paused,
        Resumed,
    ]


def test_what_was_due_happens_in_the_order_in_which_it_was_due():
    events = clockwork("1.2 pause n1", "2.7 resume n1")
    late = [(e.name, e.t) for e in only(events, Shown) if e.node == 1 and e.t == 2.7]
    # the timer of note 1 at 1.35, the round at 2, note 2 at 2.1; its timer runs from when it was handled
    assert late == [("tick", 2.7), ("beat", 2.7), ("note", 2.7)]
    assert instants(events, 1, "tick")[:2] == [2.7, 2.95]


class Request(Message):
    """Asks for an answer."""


class Answer(Message):
    """Answers."""


class Impatient(Protocol):
    """Asks n1 once and waits for the answer: with a timer, and as a task with a timeout."""

    def setup(self):
        """Ask."""
        self.answered = trio.Event()
        if self.id == 0:
            self.after(1.0, self.ask)

    def ask(self):
        """At 1 s; the answer comes at 1.2 s."""
        self.send(1, Request())
        self.after(0.25, self.give_up, 1)
        self.after(0.5, self.give_up, 2)

    def give_up(self, which):
        """The timer is over."""
        self.show("timer", [which, self.answered.is_set()])

    async def run(self):
        """Wait for the answer until 1.4 s."""
        with trio.move_on_after(1.4) as scope:
            await self.answered.wait()
        self.show("task", scope.cancelled_caught)

    def on_request(self, sender, request):
        """Answer."""
        self.send(sender, Answer())

    def on_answer(self, sender, answer):
        """There it is."""
        self.answered.set()
        self.show("answer", None)


@pytest.mark.parametrize(
    "resume, expected",
    [
        # nothing had expired: the answer is in time
        ("1.22", ["answer null", "task false", "timer [1,true]", "timer [2,true]"]),
        # whatever had expired comes before the answer, although that was there first; the rest comes in its time
        ("1.3", ["timer [1,false]", "answer null", "task false", "timer [2,true]"]),
        ("1.45", ["task true", "timer [1,false]", "answer null", "timer [2,true]"]),
        ("3", ["task true", "timer [1,false]", "timer [2,false]", "answer null"]),
    ],
)
def test_timers_that_have_expired_come_before_messages_that_wait(resume, expected, tmp_path):
    fields = {
        "nodes": 2,
        "until": 5,
        "at": ["1.1 pause n0", f"{resume} resume n0"],
        "link": {"latency": "0.1"},
    }
    events = run_of(Impatient, **fields)
    assert [f"{e.name} {bytes(e.value).decode()}" for e in only(events, Shown) if e.node == 0] == expected
    assert replays(header_of(Impatient, **fields), tmp_path, Impatient)


def test_messages_that_wait_keep_their_order_among_themselves():
    events = clockwork("1.5 pause n1", "6.5 resume n1", until=7)
    assert [int(bytes(v)) for _, v in shown(events, 1, "note")] == [1, 2, 3, 4, 5, 6]


def test_a_pause_in_which_nothing_came_due_changes_nothing():
    calm, paused = clockwork(kind=Sleeper), clockwork("1.42 pause n0-n1", "1.5 resume n0-n1", kind=Sleeper)
    mine = [e for e in paused if not isinstance(e, Commanded | Paused | Resumed)]
    assert mine == calm


def test_tasks_are_frozen_as_well():
    events = clockwork("1.5 pause n1", "4.5 resume n1", kind=Sleeper)
    slept = instants(events, 1, "slept")
    # 1.6 is late, once; and the sleep after it is a whole one
    assert slept[:6] == [0.4, 0.8, 1.2, 4.5, 4.9, 5.3]
    assert instants(events, 0, "slept") == pytest.approx([0.4 * k for k in range(1, 15)])
    # the timeout that began with the note at 1.1 passed at 2.6, in the pause: it is over, with the same outcome
    heard = [(round(t, 6), b"true" in bytes(v)) for t, v in shown(events, 1, "listened")]
    assert heard[:3] == [(1.1, False), (4.5, True), (4.5, False)]


def test_a_paused_node_that_is_killed_is_dead_and_what_waited_is_lost():
    events = clockwork("1.5 pause n1", "4.5 kill n1", "5.5 rejoin n1", kind=Sleeper)
    assert [(e.t, e.why) for e in only(events, Dropped)] == [(4.5, "down")] * 3 + [(5.1, "down")]
    assert instants(events, 1, "note") == [1.1]
    assert instants(events, 1, "beat") == [1, 6]
    assert all(t <= 1.5 or t >= 5.5 for t in instants(events, 1, "slept"))
    assert only(events, Rejoined)


def test_a_message_that_has_reached_a_paused_node_is_beyond_any_cut():
    events = clockwork("1.5 pause n1", "2.5 partition n0", "4.5 resume n1")
    assert [int(bytes(v)) for _, v in shown(events, 1, "note")] == [1, 2]
    assert {e.why for e in only(events, Dropped)} == {"cut"}


def test_a_frozen_node_neither_leaves_nor_hears_a_rumor():
    events = events_of(header_of("chatter", nodes=3, until=3, at=["1 pause n1", "2 leave n1", "2 inject n1"]))
    assert not only(events, Departed)
    assert not only(events, Injected)
    assert len(only(events, Paused)) == 1


def test_pausing_twice_is_pausing_once():
    once = clockwork("1.5 pause n1", "4.5 resume n1")
    twice = clockwork("1.5 pause n1", "2 pause n1", "4.5 resume n1", "5 resume n1")
    assert [e for e in twice if not isinstance(e, Commanded)] == [
        e for e in once if not isinstance(e, Commanded)
    ]


def test_a_run_waits_for_a_paused_node_as_long_as_it_may():
    fields = {"nodes": 3, "until": "converged", "limit": 50, "params": {"period": 0.5}}
    stuck = events_of(header_of("chatter", **fields, at=["0 pause n2", "0 inject n0"]))
    assert (stuck[-1].why, stuck[-1].t) == ("limit", 50)
    freed = events_of(header_of("chatter", **fields, at=["0 pause n2", "0 inject n0", "7 resume n2"]))
    assert freed[-1].why == "converged"
    assert freed[-1].t >= 7


# clocks --------------------------------------------------------------------------------------------


def test_a_fast_clock_has_shorter_periods_and_timers():
    events = clockwork("0 skew n1 2", until=4)
    assert instants(events, 1, "beat") == [0.5 * k for k in range(1, 9)]
    assert [float(bytes(v)) for _, v in shown(events, 1, "beat")] == pytest.approx(list(range(1, 9)))
    assert [
        t - s for s, t in zip(instants(events, 1, "note"), instants(events, 1, "tick"), strict=False)
    ] == (pytest.approx([0.125] * 3))
    assert instants(events, 0, "beat") == [1, 2, 3, 4]


def test_a_clock_that_jumps_moves_what_is_aligned_to_it_and_no_interval():
    events = clockwork("1.5 skew n1 +0.3", until=4)
    # aligned rounds go by what the clock shows: it shows 2 at 1.7
    assert instants(events, 1, "beat") == pytest.approx([1, 1.7, 2.7, 3.7])
    assert only(events, Skewed) == [Skewed(1.5, 1, 1.0, pytest.approx(0.3))]
    calm = clockwork(until=4, params={"phase": "random"})
    jumps = clockwork("1.5 skew n1 +0.3", until=4, params={"phase": "random"})
    assert instants(jumps, 1, "beat") == pytest.approx(instants(calm, 1, "beat"))
    assert instants(jumps, 1, "tick") == pytest.approx(instants(calm, 1, "tick"))


def test_a_clock_that_jumps_back_does_not_repeat_rounds_without_end():
    events = clockwork("2.5 skew n1 -10", until=4)
    assert instants(events, 1, "beat") == [1, 2, 3, 4]
    assert [float(bytes(v)) for _, v in shown(events, 1, "beat")] == pytest.approx([1, 2, -7, -6])


def test_a_clock_can_be_set_right():
    events = clockwork("0 skew n1 1.25", "2 skew n1 +5", "3.5 skew n1 off", until=6)
    assert instants(events, 1, "beat")[-3:] == [4, 5, 6]
    assert float(bytes(shown(events, 1, "beat")[-1][1])) == 6
    last = only(events, Skewed)[-1]
    assert (last.rate, last.offset) == (1, 0)


def test_changing_the_rate_keeps_what_has_passed_of_a_round():
    random = {"phase": "random", "period": 2.0}
    calm = instants(clockwork(params=random, until=8), 1, "beat")
    first = calm[0]
    t = round(first + 1, 6)  # half of the round has passed
    events = clockwork(f"{t} skew n1 4", params=random, until=8)
    assert instants(events, 1, "beat")[:3] == pytest.approx([first, t + 0.25, t + 0.75], abs=1e-5)


def test_a_clock_goes_on_through_death_and_pause():
    events = clockwork(
        "0 skew n1 2", "1.2 kill n1", "2.2 rejoin n1", "3.3 pause n1", "4.2 resume n1", until=5
    )
    assert instants(events, 1, "beat") == pytest.approx([0.5, 1, 2.5, 3, 4.2, 4.5, 5])


# holding, and single messages ----------------------------------------------------------------------


def test_held_messages_wait_and_arrive_in_order():
    events = clockwork("1.05 hold", "3.5 release", until=5)
    assert instants(events, 1, "note") == [3.5, 3.5, 3.5, 4.1]
    assert [int(bytes(v)) for _, v in shown(events, 1, "note")] == [1, 2, 3, 4]
    assert instants(events, 1, "beat") == [1, 2, 3, 4, 5]  # the node itself goes on


def test_holding_what_is_sent_to_one_node():
    events = events_of(header_of("chatter", nodes=4, until=4, at=["0 hold n2", "0 inject n0"]))
    to = {e.id: e.dst for e in only(events, Sent)}
    reached = {to[e.id] for e in only(events, Delivered)}
    assert reached == {0, 1, 3}
    assert 2 in to.values()


def test_a_cut_finds_held_messages():
    events = clockwork("1.05 hold", "3.5 partition n0", "3.6 release", until=5)
    assert not only(events, Delivered)
    assert {e.why for e in only(events, Dropped)} == {"cut"}


def test_one_message_is_dropped():
    events = clockwork("2.05 drop m1", until=5)
    assert [int(bytes(v)) for _, v in shown(events, 1, "note")] == [1, 3, 4]
    assert only(events, Dropped) == [Dropped(2.05, 1, "command")]


def test_one_message_is_delayed():
    events = clockwork("2.05 delay m1 1.5", until=5)
    assert only(events, Delayed) == [Delayed(2.05, 1, pytest.approx(3.6))]
    assert [(round(t, 6), int(bytes(v))) for t, v in shown(events, 1, "note")] == [
        (1.1, 1),
        (3.1, 3),
        (3.6, 2),
        (4.1, 4),
    ]


def test_one_message_is_duplicated():
    events = clockwork("2.05 duplicate m1", until=2.5)
    (copy,) = only(events, Duplicated)
    assert (copy.of, copy.due) == (1, pytest.approx(2.15))
    assert [int(bytes(v)) for _, v in shown(events, 1, "note")] == [1, 2, 2]


@pytest.mark.parametrize(
    "command", ["drop m0", "delay m0 1", "duplicate m0", "drop m9", "release", "resume n0", "calm"]
)
def test_what_cannot_be_done_changes_nothing(command):
    assert [e for e in clockwork(f"2.5 {command}") if not isinstance(e, Commanded)] == clockwork()


@pytest.mark.parametrize("waiting", ["1.05 hold", "1.05 pause n1"])
def test_messages_that_wait_can_be_acted_on(waiting):
    at = (waiting, "3.3 drop m0", "3.3 delay m1 1", "3.3 duplicate m2", "3.5 release", "3.5 resume n1")
    events = clockwork(*at, until=5)
    assert [(round(t, 6), int(bytes(v))) for t, v in shown(events, 1, "note")] == [
        (3.5, 3),
        (3.5, 3),
        (4.1, 4),
        (4.3, 2),
    ]


def test_links_in_one_direction():
    fields = {"nodes": 2, "until": 20, "params": {"period": 0.5}}
    events = events_of(header_of("chatter", **fields, at=["0 link n0 to n1 loss=1"]))
    from_ = {e.id: e.src for e in only(events, Sent)}
    assert {from_[e.id] for e in only(events, Dropped)} == {0}
    assert {from_[e.id] for e in only(events, Delivered)} == {1}


# flapping and churn --------------------------------------------------------------------------------


def test_flapping():
    events = clockwork("1 flap n1 up=2 down=0.5", "8 calm", until=12)
    assert [e.t for e in only(events, Killed)] == [1, 3.5, 6]
    assert [e.t for e in only(events, Rejoined)] == [1.5, 4, 6.5]
    assert not any(e.fresh for e in only(events, Rejoined))


@pytest.mark.parametrize("end", ["flap n1 up=2 down=0.5 for=5.2", "flap n1 up=2 down=0.5"])
def test_the_end_of_flapping_brings_everybody_back(end):
    events = clockwork(f"1 {end}", "6.2 calm", until=12)
    assert [e.t for e in only(events, Killed)] == [1, 3.5, 6]
    assert [e.t for e in only(events, Rejoined)] == [1.5, 4, pytest.approx(6.2)]
    assert [e.t for e in only(events, Calmed)] == [pytest.approx(6.2)]


def test_flapping_leaves_alone_what_a_person_has_done():
    events = clockwork("1 flap n0-n1 up=2 down=1", "1.5 rejoin n0", "1.6 kill n0", until=3)
    assert [(e.t, e.node) for e in only(events, Rejoined)] == [(1.5, 0), (2, 1)]


def test_churn_is_as_frequent_as_it_says():
    header = header_of("chatter", nodes=50, until=201, at=["1 churn 2 down=3"], params={"fanout": 0})
    events = events_of(header)
    deaths = [e.t for e in only(events, Killed)]
    assert 2 * 200 - 4 * 20 < len(deaths) < 2 * 200 + 4 * 20  # Poisson: sd = sqrt(400) = 20
    gaps = [b - a for a, b in itertools.pairwise(deaths)]
    assert statistics.stdev(gaps) == pytest.approx(
        statistics.mean(gaps), rel=0.25
    )  # as exponential ones have it
    died, away = {}, []
    for e in events:
        if isinstance(e, Killed):
            died[e.node] = e.t
        elif isinstance(e, Rejoined):
            away.append(e.t - died.pop(e.node))
    assert statistics.mean(away) == pytest.approx(3, rel=0.25)
    assert len({e.node for e in only(events, Killed)}) > 40


def test_churn_ends_and_everybody_is_back():
    events = events_of(
        header_of("chatter", nodes=9, until="converged", at=["0 inject n0", "1 churn 4 for=6 fresh"])
    )
    assert [e.t for e in only(events, Calmed)] == [7]
    assert max(e.t for e in only(events, Killed)) < 7
    assert len(only(events, Killed)) == len(only(events, Rejoined))
    assert all(e.fresh for e in only(events, Rejoined))
    assert isinstance(events[-1], Ended)
    assert events[-1].t >= 7


def test_churn_draws_from_a_stream_of_its_own():
    def deaths(**fields):
        events = events_of(header_of("chatter", nodes=20, until=10, **fields))
        return [(e.t, e.node) for e in only(events, Killed)]

    plain = deaths(at=["1 churn 2"])
    assert deaths(at=["1 churn 2"], params={"fanout": 5}) == plain
    assert deaths(at=["1 churn 2"], seed=1) != plain
    assert deaths(at=["1 churn 2", "1 churn 2"])[: len(plain)] != plain


# sets that are drawn -------------------------------------------------------------------------------


def test_random_nodes_are_named_in_the_header_and_in_the_recording(tmp_path):
    open_ = header_of(
        "chatter", nodes=30, until=5, at=["1 kill random 10%", "2 pause random 4", "3 rejoin all fresh"]
    )
    kill, pause = open_.experiment.at[1:3]
    assert re.fullmatch(r"1 kill n\d+(-n\d+|,n\d+)*", kill)
    explicit = header_of("chatter", nodes=30, until=5, at=open_.experiment.at)
    assert explicit == open_
    assert bytes_of(explicit) == bytes_of(open_)
    events = events_of(open_)
    assert len(only(events, Killed)) == 3
    assert kill == f"1 {only(events, Commanded)[1].command}"
    assert len(only(events, Paused)) == 4 - len({e.node for e in only(events, Killed)} & _nodes(pause))
    assert replays(open_, tmp_path)


def _nodes(text):
    return {int(each) for each in re.findall(r"n(\d+)", text)}


def test_random_nodes_follow_from_seed_and_place():
    def drawn(*at, seed=0):
        return header_of("chatter", nodes=100, until=5, seed=seed, at=at).experiment.at[-1].split(" ", 1)[1]

    assert drawn("1 kill random 20") == drawn("3 kill random 20")
    assert drawn("1 kill random 20") != drawn("1 kill random 20", seed=1)
    assert drawn("1 kill random 20") != drawn("1 heal", "1 kill random 20")
    assert drawn("1 kill n4", "1 kill random 20") == drawn("2 pause n5", "1 kill random 20")


@pytest.mark.parametrize("total, text, k", [
    (30, "10%", 3), (30, "1%", 1), (30, "0%", 0), (30, "100%", 30), (25, "10%", 3), (24, "10%", 2), (7, "50%", 4),
    (200, "2.5%", 5), (30, "3", 3), (30, "0", 0),
])  # fmt: skip
def test_how_many(total, text, k):
    command = header_of("chatter", nodes=total, until=5, at=[f"1 kill random {text}"]).experiment.at[-1]
    events = events_of(header_of("chatter", nodes=total, until=2, at=[command]))
    assert len(only(events, Killed)) == k


# partitions by the topology's own lines ------------------------------------------------------------


def severed(topology, what, nodes=12, seed=0):
    header = header_of(
        "chatter", nodes=nodes, until=1, topology=topology, seed=seed, at=[f"0 partition {what}"]
    )
    (event,) = only(events_of(header), Severed)
    return event.a, event.b


def test_half_cluster_and_bridge_of_two_clusters():
    assert severed("two-clusters", "half") == severed("two-clusters", "cluster") == ("n0-n5", "n6-n11")
    assert severed("two-clusters", "bridge") == ("n5", "n6")


def test_cluster_and_bridge_of_a_tree():
    # of 15 nodes the root's two branches have seven each
    assert severed("tree", "cluster", nodes=15) == ("n1,n3-n4,n7-n10", "n0,n2,n5-n6,n11-n14")
    assert severed("tree", "bridge", nodes=15) == ("n0", "n1")
    assert severed("tree(r=3)", "cluster", nodes=13) == ("n1,n4-n6", "n0,n2-n3,n7-n12")


@given(st.integers(2, 25), st.integers(0, 50), st.sampled_from([0.05, 0.1, 0.2, 0.3]))
@settings(max_examples=60, deadline=None)
def test_the_bridge_is_the_link_that_splits_most_evenly(nodes, seed, p):
    topology = f"erdos-renyi(p={p})"
    edges = build_edges(topology, nodes, seed)

    def reach(start, without):
        seen, todo = {start}, [start]
        while todo:
            at = todo.pop()
            for edge in edges:
                if edge != without and at in edge:
                    (other,) = set(edge) - {at}
                    if other not in seen:
                        seen.add(other)
                        todo.append(other)
        return seen

    evenness = {
        (a, b): min(len(reach(a, (a, b))), len(reach(b, (a, b))))
        for a, b in edges
        if b not in reach(a, (a, b))
    }
    if evenness:
        a, b = severed(topology, "bridge", nodes, seed)
        assert evenness[int(a[1:]), int(b[1:])] == max(evenness.values())
    else:
        with pytest.raises(UserError, match="has no bridge to cut: write partition n0"):
            severed(topology, "bridge", nodes, seed)


@pytest.mark.parametrize("topology, what, says", [
    ("complete", "bridge", "has no bridge to cut: write partition n0-n5 from n7-n11, which leaves n6"),
    ("ring", "bridge", "the topology ring has no bridge"), ("ring", "cluster", "the topology ring has no clusters: write half"),
    ("complete", "cluster", "has no clusters"),
])  # fmt: skip
def test_where_there_is_none(topology, what, says):
    with pytest.raises(UserError, match=says) as caught:
        severed(topology, what)
    assert str(caught.value).endswith(".")


# all together --------------------------------------------------------------------------------------

EVERYTHING = (
    "pause n1", "pause random 30%", "resume all", "kill n2", "kill random 2", "rejoin all", "rejoin all fresh", "leave n4",
    "hold", "hold half", "release", "drop m7", "delay m9 0.5", "duplicate m11", "skew half 1.2", "skew n0 -0.4", "skew all off",
    "flap n3 up=0.5 down=0.4", "churn 2 down=0.5 for=2", "churn 1 fresh", "calm", "partition half", "cut n0 to all but n0",
    "heal", "link n3 all loss=0.5", "link n0 to n1 latency=0.5",
)  # fmt: skip
schedules = st.lists(
    st.tuples(st.sampled_from([0.0, 0.3, 1.0, 1.0, 2.0, 2.5]), st.sampled_from(EVERYTHING)), max_size=14
)


@given(schedules, st.integers(0, 9), st.sampled_from(["chatter", "sequences"]))
@settings(max_examples=60, deadline=None)
def test_any_schedule_verifies_to_the_byte(tmp_path_factory, schedule, seed, protocol):
    header = header_of(
        protocol, nodes=6, until=4, seed=seed, at=[f"{t} {command}" for t, command in schedule],
        link={"duplicate": 0.1, "loss": 0.1, "latency": "0.05..0.4"},
    )  # fmt: skip
    assert replays(header, tmp_path_factory.mktemp("any"))


@given(schedules, st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_what_a_person_does_is_what_a_schedule_does(schedule, seed):
    """The recorded commands, given by hand at their instants, make the same events."""
    fields = {"nodes": 6, "until": 4, "seed": seed, "topology": "two-clusters"}
    scheduled = header_of(
        "chatter", **fields, at=["0 inject n0", *(f"{t} {command}" for t, command in schedule)]
    )
    events = events_of(scheduled)
    commands = [(e.t, e.command) for e in only(events, Commanded)][1:]
    assert events_of(header_of("chatter", **fields, at=["0 inject n0"]), commands) == events


def test_a_world_says_what_is_wrong():
    header = header_of(
        "chatter", nodes=5, until=2, at=["1 pause n1", "1 hold n2", "1 skew n3 1.1", "1 churn 1"]
    )
    world = new_world(header)
    lab = lab_of(header, world.apply)
    run_lab(lab)
    assert world.nodes[1].status == "paused"
    assert world.held == "n2"
    assert world.clocks[3].ahead(2.0) == pytest.approx(0.1)
    assert world.unrest == ["churn 1"]
    assert any(world.waits(flight) for flight in world.flights.values() if flight.dst in (1, 2))
    assert not any(world.waits(flight) for flight in world.flights.values() if flight.dst in (0, 3, 4))


def test_the_end_of_a_churn_comes_before_a_command_of_its_instant_whenever_that_was_given():
    header = header_of("chatter", nodes=9, until=8.0, at=["4.5 churn 3 down=0.3 for=1"])
    early = events_of(header, [(5.5, "leave n3")])
    events: list[AnyEvent] = []
    lab = lab_of(header, events.extend)
    lab.kernel.after_all(5.0, COMMAND, lambda: lab.post(parse_command("leave n3", 9), at=5.5))
    run_lab(lab)
    assert events == early
    at_once = [event for event in events if event.t == 5.5 and isinstance(event, Calmed | Commanded)]
    assert [type(event) for event in at_once] == [Calmed, Commanded]
