"""Lifeguard: who is slow itself is slower to accuse others, and detects true failures as fast."""

from functools import cache
from itertools import pairwise
from random import Random
from statistics import mean

import msgspec
import pytest

from gossiplab import DEAD
from gossiplab.content import content_folder
from gossiplab.events import Sent, Shown
from gossiplab.experiment import load_experiment
from tests.protocols.membership import Run
from tests.protocols.membership import run_swim as run


def slow_members(nodes, seed, until):
    """A tenth of all members is slow for random stretches: what they are sent and what they send takes seconds."""
    chance = Random(f"slow/{seed}")
    for node in range(nodes // 10):
        t = 5 + chance.uniform(1, 5)
        while t < until:
            stretch = chance.uniform(10, 30)
            yield f"{t:.3f} link n{node} all latency={chance.uniform(3, 5):.2f}"
            yield f"{t + stretch:.3f} link n{node} all"
            t += stretch + chance.uniform(1, 5)


@cache
def with_slow_members(lifeguard, seed, nodes=40):
    """How often somebody believed a member dead that was neither slow nor killed, and how fast the killed one was."""
    at = [*slow_members(nodes, seed, 80), f"60 kill n{nodes - 1}"]
    happened = run(nodes, 100, *at, seed=seed, lifeguard=lifeguard)
    healthy = range(nodes // 10, nodes - 1)
    deaths = sum(state == DEAD and about in healthy for _, _, about, state, _ in happened.beliefs())
    return deaths, happened.figures.failures[0].first_declared


@cache
def detection_in_a_calm_cluster(seed):
    happened = run(40, 40, "20 kill n39", seed=seed, lifeguard="off", keep=False)
    return happened.figures.failures[0].first_declared


def check_lifeguard(lifeguard, seeds):
    off = [with_slow_members("off", seed) for seed in seeds]
    on = [with_slow_members(lifeguard, seed) for seed in seeds]
    assert sum(deaths for deaths, _ in off) >= 10 * max(1, sum(deaths for deaths, _ in on))
    assert mean(after for _, after in on) <= 2 * mean(map(detection_in_a_calm_cluster, seeds))


STRETCH, MOMENT = (5, 20), (0.01, 0.2)  # s that a starved member stands still, and that it runs in between


def pauses(nodes, seed, until, stretch, moment):
    """A tenth of all members is starved, as in the paper's interval experiment: it runs for moments only, now and then."""
    chance = Random(f"pauses/{seed}")
    for node in range(nodes // 10):
        t = 5 + chance.uniform(0, 5)
        while t < until:
            still = chance.uniform(*stretch)
            yield f"{t:.3f} pause n{node}"
            yield f"{t + still:.3f} resume n{node}"
            t += still + chance.uniform(*moment)


@cache
def with_paused_members(lifeguard, seed, stretch, moment, nodes=40):
    """False deaths of healthy members, raised by anybody (the paper's FP), and how fast a true one was noticed."""
    at = [*pauses(nodes, seed, 100, stretch, moment), f"60 kill n{nodes - 1}"]
    figures = run(nodes, 100, *at, seed=seed, keep=False, lifeguard=lifeguard).figures
    return figures.false_deaths_of_healthy, figures.failures[0].first_declared


def check_pauses(lifeguard, seeds, stretch=STRETCH, moment=MOMENT):
    off = [with_paused_members("off", seed, stretch, moment) for seed in seeds]
    on = [with_paused_members(lifeguard, seed, stretch, moment) for seed in seeds]
    assert sum(deaths for deaths, _ in off) >= 10 * max(1, sum(deaths for deaths, _ in on))
    assert mean(after for _, after in on) <= 2 * mean(after for _, after in off)


@pytest.mark.slow
@pytest.mark.parametrize("lifeguard", ["paper", "memberlist"])
def test_lifeguard_keeps_paused_members_from_accusing_healthy_ones(lifeguard):
    check_pauses(lifeguard, range(4))


@pytest.mark.soak
@pytest.mark.parametrize(
    "stretch, moment, runs",
    [
        (STRETCH, MOMENT, 30),
        ((8, 8), (0.001, 0.001), 6),
        ((8, 8), (0.064, 0.064), 6),
        ((16, 16), (0.016, 0.016), 6),
    ],
)
@pytest.mark.parametrize("lifeguard", ["paper", "memberlist"])
def test_lifeguard_keeps_paused_members_from_accusing_healthy_ones_on_many_seeds(
    lifeguard, stretch, moment, runs
):
    """As long as they run for less than a message there and back takes; docs/membership.md has what is beyond."""
    check_pauses(lifeguard, range(runs), stretch, moment)


@pytest.mark.slow
@pytest.mark.parametrize("lifeguard", ["paper", "memberlist"])
def test_the_experiment_that_comes_along_shows_it_on_other_seeds(lifeguard):
    fields = load_experiment(content_folder("recordings") / "slow-members.toml")

    def figures(lifeguard, seed):
        params = {**fields["params"], "lifeguard": lifeguard}
        return Run(**{**fields, "seed": seed, "params": params, "keep": False}).figures

    off, on = [[figures(each, seed) for seed in (2, 3, 4)] for each in ("off", lifeguard)]
    assert sum(run.false_deaths_of_healthy for run in off) >= 10 * max(
        1, sum(run.false_deaths_of_healthy for run in on)
    )
    assert mean(run.failures[0].first_declared for run in on) <= 2 * mean(
        run.failures[0].first_declared for run in off
    )


def test_a_paused_member_that_is_held_for_dead_is_no_healthy_one():
    figures = run(24, 60, "10 pause n6", "30 resume n6").figures
    assert (figures.false_deaths, figures.false_deaths_of_healthy) == (1, 0)


@pytest.mark.soak
@pytest.mark.parametrize("lifeguard", ["paper", "memberlist"])
def test_lifeguard_keeps_slow_members_from_accusing_healthy_ones_on_many_seeds(lifeguard):
    check_lifeguard(lifeguard, range(20))


@pytest.mark.parametrize("lifeguard", ["off", "paper", "memberlist"])
def test_how_far_apart_probes_are_while_local_health_is_bad(lifeguard):
    """The paper multiplies the period by health + 1; memberlist the time for an ack, so an acked one does not matter."""
    happened = run(2, 60, "5 pause n1", "9.5 resume n1", lifeguard=lifeguard, push_pull=0)
    health, probes = 0, []
    for event in happened.events:
        if isinstance(event, Shown) and (event.node, event.name) == (0, "health"):
            health = msgspec.json.decode(event.value)
        elif isinstance(event, Sent) and (event.src, event.kind) == (0, "Ping"):
            probes.append((event.t, health))
    assert (max(health for _, health in probes) > 0) == (lifeguard != "off")
    after = [(then - t, health) for (t, health), (then, _) in pairwise(probes) if t > 9.5]
    assert any(health for _, health in after) == (lifeguard != "off")
    if lifeguard == "paper":
        assert all(gap == pytest.approx(1 + health) for gap, health in after)
    else:
        assert all(gap <= 1.000001 for gap, _ in after)  # shorter for one that fell due meanwhile
