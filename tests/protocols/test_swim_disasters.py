"""SWIM where everything goes wrong at once: tiny clusters, everybody gone, long partitions, anything."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossiplab import ALIVE, DEAD, LEFT, SUSPECTED, UNKNOWN
from gossiplab.events import Delivered
from tests.helpers import only
from tests.protocols.membership import run_swim as run


@pytest.mark.parametrize("nodes", [0, 1, 2, 3])
@pytest.mark.parametrize("profile", ["paper", "lan"])
@pytest.mark.parametrize("lifeguard", ["off", "paper", "memberlist"])
def test_very_small_clusters(nodes, profile, lifeguard):
    at = ["10 kill n0", "40 rejoin n0", "60 leave n0", "80 rejoin n0 fresh"] if nodes else []
    happened = run(nodes, 300, *at, profile=profile, lifeguard=lifeguard)
    assert happened.crashes() == []
    if nodes:
        assert happened.matrix() == ["a" * nodes] * nodes
    if nodes > 1:
        assert happened.figures.failures[0].first_declared is not None


@pytest.mark.parametrize("profile", ["paper", "lan"])
def test_everybody_leaves(profile):
    happened = run(12, 120, "10 leave all", profile=profile)
    assert happened.crashes() == []
    assert happened.world.alive == 0
    happened = run(12, 120, *(f"{10 + node} leave n{node}" for node in range(11)), profile=profile)
    assert happened.matrix([11])[0][11] == "a"
    assert happened.matrix([11])[0].strip("?") in ("a", "la")


def test_everybody_dies_but_one():
    happened = run(12, 200, "10 kill n1-n11", forget=1000)
    assert happened.matrix([0]) == ["a" + "d" * 11]
    assert all(failure.last_to_know is not None for failure in happened.figures.failures)


def split(precedence, until, reconnect=0, forget=30, heal=40, seed=1):
    at = ("5 partition n0-n4", f"{heal} heal")
    return run(10, until, *at, seed=seed, precedence=precedence, reconnect=reconnect, forget=forget)


@pytest.mark.parametrize("precedence", ["swim", "memberlist"])
def test_a_partition_shorter_than_a_suspicion_leaves_no_trace(precedence):
    happened = split(precedence, 40, heal=8)
    assert happened.figures.false_deaths == 0
    assert happened.matrix() == ["a" * 10] * 10


@pytest.mark.parametrize("precedence", ["swim", "memberlist"])
def test_a_partition_longer_than_memory_leaves_two_clusters(precedence):
    happened = split(precedence, 200, heal=120)
    assert happened.matrix() == ["aaaaa?????"] * 5 + ["?????aaaaa"] * 5
    assert happened.figures.false_deaths == 10


@pytest.mark.parametrize("precedence", ["swim", "memberlist"])
def test_two_clusters_become_one_when_somebody_rejoins(precedence):
    at = ("5 partition n0-n4", "120 heal", "130 kill n9", "140 rejoin n9 fresh")
    happened = run(10, 300, *at, precedence=precedence)
    assert happened.matrix([0, 9]) == ["aaaaa????a"] * 2 or happened.matrix() == ["a" * 10] * 10


def test_reconnecting_heals_a_partition_in_memberlist():
    assert split("memberlist", 120, heal=30).matrix() != ["a" * 10] * 10
    assert split("memberlist", 120, reconnect=5, heal=30).matrix() == ["a" * 10] * 10


@settings(max_examples=15)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 60),
            st.sampled_from(
                ["kill n1", "kill n2-n4", "rejoin all", "rejoin all fresh", "leave n5", "partition n0-n2", "heal",
                 "cut n0 to n1-n6", "link all all loss=0.4", "link all all loss=0 latency=0.9"]
            ),
        ),
        max_size=8,
    ),
    st.sampled_from(["paper", "lan"]),
    st.sampled_from(["off", "paper", "memberlist"]),
    st.sampled_from(["known", "join"]),
    st.integers(0, 3),
)  # fmt: skip
def test_nothing_makes_it_crash(schedule, profile, lifeguard, start, seed):
    at = [f"{t} {command}" for t, command in schedule]
    happened = run(
        7, 90, *at, seed=seed, profile=profile, lifeguard=lifeguard, start=start, reconnect=7, push_pull=9,
        forget=15, link={"latency": "0.01..0.4", "loss": 0.05, "duplicate": 0.05},
    )  # fmt: skip
    assert happened.crashes() == []
    states = {state for _, _, _, state, _ in happened.beliefs()}
    assert states <= {ALIVE, SUSPECTED, DEAD, LEFT, UNKNOWN}
    for node in range(7):
        if happened.world.nodes[node].status == "alive":
            assert happened.world.membership.belief(node, node) == ALIVE


def test_duplicates_and_lost_messages_change_little():
    happened = run(
        20, 60, "10 kill n3", link={"latency": "0.01..0.05", "loss": 0.05, "duplicate": 0.2}, forget=1000
    )
    assert happened.figures.failures[0].last_to_know is not None
    assert len(only(happened.events, Delivered)) > 1000
    assert happened.figures.false_deaths == 0
