"""How far a lab without rumors has come: against counting all pairs, live and from keyframes."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossiplab.recording.possible import possible_world
from gossiplab.replica.membership import ALIVE, SUSPECTED
from gossiplab.world.accuracy import accuracy
from gossiplab.world.agreement import agreement
from gossiplab.world.series import MOST_BINS, Series
from gossiplab.world.world import World, new_world
from tests.helpers import events_of, header_of
from tests.protocols.figures import world_of

UNREST = [
    (3.0, "kill n1"), (4.0, "leave n2"), (6.0, "pause n3-n4"), (9.0, "partition n5-n7"), (15.0, "rejoin n1 fresh"),
    (17.0, "resume n3-n4"), (19.0, "heal"), (22.0, "rejoin n2"), (23.0, "kill n5-n6"),
]  # fmt: skip


def world_after(protocol, schedule=(), **fields):
    return world_of(protocol, at=[f"{t} {text}" for t, text in schedule], **fields)


def right_pairs(world):
    """The share of right beliefs, pair by pair."""
    up = [node.up for node in world.nodes]
    pairs = [(a, b) for a in range(len(up)) for b in range(len(up)) if up[a] and a != b]
    right = [
        (world.membership.belief(a, b) == ALIVE) if up[b]
        else world.membership.belief(a, b) not in (ALIVE, SUSPECTED)
        for a, b in pairs
    ]  # fmt: skip
    return sum(right) / len(pairs)


@pytest.mark.parametrize("protocol", ["swim", "heartbeat"])
def test_it_is_the_share_of_right_beliefs(protocol):
    header = header_of(protocol, nodes=12, until=60.0)
    events = events_of(header, UNREST)
    world, once = new_world(header), new_world(header)
    seen = set()
    for start in range(0, len(events), 7):
        world.apply(events[start : start + 7])
        if world.membership.beliefs:
            seen.add(world.agreed)
            assert world.agreed == pytest.approx(right_pairs(world), abs=5e-5)
    assert min(seen) <= 0.5
    assert max(seen) == 1.0
    course = agreement(world)
    assert course.what == "right beliefs"
    assert course.at(-1) is None
    assert course.at(1.0) == 1.0
    once.apply(events)
    assert once == world
    half = new_world(header)
    half.apply(events[: len(events) // 2])
    assert agreement(half).at(half.t) == pytest.approx(right_pairs(half), abs=5e-5)


def test_all_know_again_is_a_notable_instant():
    world = world_after("swim", [(5.0, "kill n3")], nodes=10, until=40.0)
    (failure,) = world.membership.failures
    assert world.converged == [failure.known]
    assert world.notable() == [5.0, failure.known]
    course = agreement(world)
    width = world.series.width
    assert course.at(5.0 + width) < 1 == course.at(failure.known + width)


def test_a_keyframe_keeps_it_and_says_nothing_where_there_is_nothing():
    world = world_after("swim", UNREST, nodes=8, until=30.0)
    again = msgspec.json.decode(msgspec.json.encode(world), type=World)
    assert again == world
    assert possible_world(again, 8)
    for wrong in ([1.5], [0.5], [0.5] * MOST_BINS, [float("nan")] * len(again.series.bins)):
        again.series.shares = wrong
        assert not possible_world(again, 8)
    assert b"shares" not in msgspec.json.encode(world_of("rumor", nodes=5))


@given(st.data())
def test_the_accuracy_of_an_overlay_is_the_mean_share_of_living_neighbours(data):
    n = data.draw(st.integers(1, 6))
    up = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    overlay = [
        {"active": tuple(sorted(data.draw(st.sets(st.integers(0, n - 1)) if n > 1 else st.just(set()))))}
        for _ in range(n)
    ]
    shares = [
        sum(up[peer] for peer in views["active"]) / max(1, len(views["active"]))
        for node, views in enumerate(overlay)
        if up[node]
    ]
    want = sum(shares) / len(shares) if shares else 1.0
    assert accuracy(overlay, up) == pytest.approx(want)


def test_replicas_and_estimates_have_a_course_too():
    data = world_after(
        "merkle_repair",
        [(1.0, "write n0 k a"), (1.0, "partition n3-n5"), (30.0, "heal")],
        nodes=6,
        until=60.0,
    )
    course = agreement(data)
    assert course.what == "keys alike on all nodes"
    assert {0.0, 1.0} <= set(course.shares)
    assert course.at(0.5) is None  # there are no keys yet
    course = agreement(world_of("push_sum", nodes=20, until=30.0))
    assert course.what == "estimates closed in"
    assert course.at(1.0) == 0.0
    assert course.at(30.0) > 0.99
    assert agreement(world_of("rumor", nodes=5)) is None


def test_in_an_overlay_it_is_there_beside_the_rumors():
    world = world_of("cyclon", nodes=20, at=["20 kill n0-n9"], until=30.0)
    course = agreement(world)
    assert world.rumors
    assert course.what == "living neighbours, 0 where none"
    assert course.at(19.5) == 1.0
    assert course.at(20.5) == pytest.approx(0.5, abs=0.2)


@given(st.lists(st.tuples(st.floats(0.001, 300), st.none() | st.floats(0, 1)), max_size=300))
def test_what_is_kept_is_what_was_so_at_the_ends_of_the_bins(steps):
    series, t, history = Series(), 0.0, []
    for seconds, share in steps:
        t += seconds
        series.close((), t, share)
        history.append((t, share))
    shares = series.shares or []
    assert len(shares) == (len(series.bins) if series.shares else 0)
    for number, share in enumerate(shares):
        edge = (number + 1) * series.width
        assert share == next(each for t, each in history if t >= edge)
