"""Joining a SWIM cluster, one at a time and all at once, through seeds that live and seeds that do not."""

import pytest

from tests.protocols.membership import run_swim as run


@pytest.mark.parametrize("nodes", [1, 2, 3, 30])
def test_joining_through_a_seed(nodes):
    happened = run(nodes, 60, seed=nodes, start="join")
    assert happened.matrix() == ["a" * nodes] * nodes
    assert happened.crashes() == []


@pytest.mark.parametrize("seeds", [2, 4, 8])
def test_many_seeds_are_one_cluster(seeds):
    for seed in range(4):
        assert run(20, 60, seed=seed, start="join", seeds=seeds, keep=False).matrix() == ["a" * 20] * 20


@pytest.mark.slow
def test_two_hundred_join_at_once():
    happened = run(200, 10, start="join", keep=False)
    assert sum(row.count("a") for row in happened.matrix()) > 0.999 * 200**2
    happened = run(200, 40, start="join", keep=False, push_pull=5)  # what gossip missed
    assert happened.matrix() == ["a" * 200] * 200
    assert (happened.figures.false_suspicions, happened.world.crashes) == (0, [])


def test_joining_through_dead_seeds_waits_for_one():
    at = ("0 kill n0-n2", "10 rejoin n2 fresh")
    alone = run(8, 9, *at, start="join")
    assert all(row.count("a") == 1 for row in alone.matrix(range(3, 8)))
    happened = run(8, 40, *at, start="join")
    assert all(row[2:] == "a" * 6 for row in happened.matrix(range(2, 8)))


def test_all_seeds_die_later():
    happened = run(8, 120, "60 kill n0-n2", start="join", forget=1000)
    assert happened.matrix(range(3, 8)) == ["dddaaaaa"] * 5


def test_a_fresh_member_joins_whoever_is_there():
    happened = run(8, 60, "10 kill n0", "12 rejoin n0 fresh", start="join")
    assert happened.matrix() == ["a" * 8] * 8
