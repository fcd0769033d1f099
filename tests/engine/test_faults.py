"""What each fault does: holds, single messages, flapping, churn, drawn sets; and that any of it verifies to the byte."""

import itertools
import re
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossiplab.commands import parse_command
from gossiplab.engine.kernel import COMMAND
from gossiplab.engine.run import run_lab
from gossiplab.errors import UserError
from gossiplab.events import (
    AnyEvent,
    Calmed,
    Commanded,
    Delayed,
    Delivered,
    Dropped,
    Duplicated,
    Ended,
    Killed,
    Paused,
    Rejoined,
    Sent,
    Severed,
)
from gossiplab.topology import build_edges
from gossiplab.world.world import new_world
from tests.engine.clockwork import clockwork, instants, replays, shown
from tests.helpers import bytes_of, events_of, header_of, lab_of, only

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


def test_nobody_dies_at_the_instant_at_which_flapping_ends():
    events = clockwork("1 flap n1 up=2 down=0.5 for=5", until=12)
    assert [event.t for event in only(events, Killed)] == [1.0, 3.5]
    assert [event.t for event in only(events, Rejoined)] == [1.5, 4.0]


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
