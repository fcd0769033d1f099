"""Gossiped heartbeats: the phi formulas against the distributions they stand for, and who is found dead when."""

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossiplab import ALIVE, DEAD
from gossiplab.content import load_protocol
from tests.protocols.membership import Run

MODULE = sys.modules[load_protocol("heartbeat").__module__]


def run(nodes, until, *at, seed=0, **params):
    return Run("heartbeat", nodes=nodes, until=until, at=at, seed=seed, params=params)


@given(st.floats(-4, 5), st.floats(0.1, 50), st.floats(0.05, 10))
def test_phi_is_the_tail_of_a_normal_distribution(y, mean, sd):
    tail = 0.5 * math.erfc(y / math.sqrt(2))
    # the logistic approximation of the distribution is right to 0.00014; far out only the exponent counts
    phi = MODULE.phi_normal(mean + y * sd, mean, sd)
    if y < 3:
        assert abs(10**-phi - tail) < 0.0002
    else:
        assert phi == pytest.approx(-math.log10(tail), rel=0.15)


def test_phi_at_published_points():
    # the distribution function at 0.6, 1.5, 2, 2.5 and 3.5 standard deviations, from tables
    for y, below in ((0.6, 0.7257), (1.5, 0.9332), (2.0, 0.97725), (2.5, 0.99379), (3.5, 0.9998)):
        assert MODULE.phi_normal(10 + y * 2, 10, 2) == pytest.approx(-math.log10(1 - below), abs=0.1)
    assert MODULE.phi_normal(10, 10, 2) == pytest.approx(-math.log10(0.5))
    assert MODULE.phi_normal(1e6, 10, 0.1) > 300  # where a float of the probability is 0
    assert MODULE.phi_normal(0, 1e6, 0.1) == 0


@given(st.lists(st.floats(0, 100), min_size=2, max_size=2), st.floats(0.5, 20), st.floats(0.1, 5))
def test_phi_grows_with_silence(silences, mean, sd):
    shorter, longer = sorted(silences)
    assert MODULE.phi_normal(shorter, mean, sd) <= MODULE.phi_normal(longer, mean, sd) + 1e-12
    assert MODULE.phi_exponential(shorter, mean) <= MODULE.phi_exponential(longer, mean)


@given(st.floats(0.01, 100), st.floats(0, 500))
def test_the_exponential_form(mean, silence):
    assert 10 ** -MODULE.phi_exponential(silence, mean) == pytest.approx(math.exp(-silence / mean), abs=1e-12)
    assert MODULE.phi_exponential(18.43 * mean, mean) > 8 > MODULE.phi_exponential(18.41 * mean, mean)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20))
def test_mean_and_deviation(intervals):
    mean, sd = MODULE.mean_and_sd(intervals)
    assert mean == pytest.approx(math.fsum(intervals) / len(intervals))
    assert sd**2 == pytest.approx(math.fsum(x * x for x in intervals) / len(intervals) - mean**2, abs=1e-6)


@pytest.mark.parametrize("nodes", [2, 8, 30])
def test_a_timeout_finds_the_dead_and_nobody_else(nodes):
    happened = run(nodes, 150, "50 kill n0", seed=nodes, cleanup=1000)
    figures = happened.figures
    (failure,) = figures.failures
    # the last rise was heard a few rounds after it was made, and the silence is looked at once a period
    assert 18 <= failure.first_declared <= 26
    assert failure.last_to_know <= 20 + 1 + 5 * math.log2(nodes) + 5
    assert failure.first_suspected is None
    assert figures.false_deaths == 0
    assert figures.messages_per_member_period == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("detector", ["phi", "phi-exponential"])
def test_phi_finds_the_dead(detector):
    happened = run(12, 300, "100 kill n0", detector=detector, cleanup=1000)
    (failure,) = happened.figures.failures
    assert failure.first_declared is not None
    assert happened.matrix(range(1, 12)) == ["d" + "a" * 11] * 11
    if detector == "phi-exponential":
        assert 20 < failure.first_declared < 60  # 18.42 mean intervals of 1 to 3 s
        assert happened.figures.false_deaths == 0


def comes_back(cleanup, seed):
    """Whether somebody believes a dead member alive again."""
    happened = run(16, 200, "50 kill n0", seed=seed, cleanup=cleanup)
    state = {}
    back = False
    for t, node, about, believed, _ in happened.beliefs():
        if about == 0:
            back |= t > 50 and believed == ALIVE and state.get(node) != ALIVE
            state[node] = believed
    return back


def test_cleanup_keeps_the_dead_from_coming_back():
    assert not any(comes_back(2, seed) for seed in range(5))  # twice the time to fail, as in the paper
    assert any(comes_back(1.025, seed) for seed in range(5))


@pytest.mark.parametrize("params", [{"fail_after": 60}, {"detector": "phi-exponential", "period": 5}])
def test_the_dead_stay_dead_however_long_a_verdict_takes(params):
    happened = run(20, 600, "50 kill n3", **params)
    (failure,) = happened.figures.failures
    assert failure.last_to_know < 2 * failure.first_declared
    assert happened.matrix([0]) == ["aaa?" + "a" * 16]


@pytest.mark.parametrize("memory", ["", " fresh"])
@pytest.mark.parametrize("away", [5, 60, 200])
def test_coming_back(memory, away):
    happened = run(10, 400, "50 kill n3", f"{50 + away} rejoin n3{memory}")
    assert happened.matrix() == ["a" * 10] * 10


def test_leaving_and_coming_back():
    happened = run(10, 70, "50 leave n3", cleanup=1000)
    assert {row[3] for node, row in enumerate(happened.matrix()) if node != 3} == {"l"}
    assert happened.figures.failures == []
    happened = run(10, 200, "50 leave n3", "80 rejoin n3 fresh", cleanup=1000)
    assert happened.matrix() == ["a" * 10] * 10


@pytest.mark.parametrize("nodes", [0, 1, 2, 3, 40])
def test_joining_at_once(nodes):
    happened = run(nodes, 60, start="join", seed=nodes)
    assert happened.crashes() == []
    if nodes:
        assert happened.matrix() == ["a" * nodes] * nodes


@pytest.mark.parametrize("seed", range(6))
def test_many_seeds_are_one_cluster(seed):
    assert run(20, 100, start="join", seeds=8, seed=seed).matrix() == ["a" * 20] * 20


def test_everybody_leaves_or_dies():
    for at in ("50 leave all", "50 kill all", "50 kill n1-n5"):
        happened = run(6, 200, at)
        assert happened.crashes() == []
    assert happened.matrix([0]) == ["a?????"]
    assert all(failure.last_to_know is not None for failure in happened.figures.failures)


def test_partitions():
    short = run(10, 300, "50 partition n0-n4", "80 heal")
    assert short.figures.false_deaths > 0
    assert short.matrix() == ["a" * 10] * 10
    long = run(10, 400, "50 partition n0-n4", "200 heal")
    assert long.matrix() == ["aaaaa?????"] * 5 + ["?????aaaaa"] * 5


def test_only_silence_is_death():
    happened = run(12, 120, "20 link all all loss=0.3", "50 kill n0", cleanup=1000, fail_after=30)
    assert {about for _, _, about, state, _ in happened.beliefs() if state == DEAD} == {0}
