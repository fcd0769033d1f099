"""SWIM against its paper's formulas and memberlist's figures."""

import math
from collections import defaultdict
from itertools import pairwise
from statistics import mean

import msgspec
import pytest

from gossiplab import SUSPECTED
from gossiplab.errors import UserError
from gossiplab.events import Sent
from tests.helpers import header_of, only
from tests.protocols.membership import run_swim as run

# the paper ------------------------------------------------------------------------------------------


def periods_to_first_detection(nodes, seed, until=7):
    """Which period after the crash is the first in which somebody probes the dead member, counted from 1."""
    figures = run(
        nodes, until, "1 kill n0", seed=seed, keep=False, profile="paper", target="random", period=1
    ).figures
    first = figures.failures[0].first_suspected  # at the end of that period, which lasts 1 s
    return first or periods_to_first_detection(nodes, seed, 10 * until)  # one run in 400 takes longer


def within_5_percent(nodes, runs):
    expected = 1 / (1 - (1 - 1 / (nodes - 1)) ** (nodes - 1))
    measured = mean(periods_to_first_detection(nodes, seed) for seed in range(runs))
    return abs(measured / expected - 1) < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("nodes, runs", [(5, 600), (10, 500)])
def test_first_detection_takes_as_long_as_the_paper_says(nodes, runs):
    assert within_5_percent(nodes, runs)


@pytest.mark.soak
@pytest.mark.parametrize("nodes", [5, 10, 50, 100])
def test_first_detection_takes_as_long_as_the_paper_says_for_all_sizes(nodes):
    assert within_5_percent(nodes, 1500)


@pytest.mark.parametrize("nodes", [2, 3, 8, 21])
def test_round_robin_never_makes_a_member_wait_2n_periods(nodes):
    happened = run(nodes, 5.0 * nodes, seed=nodes)
    last, longest = defaultdict(lambda: -1.0), 0.0
    for ping in (event for event in only(happened.events, Sent) if event.kind == "Ping"):
        pair = ping.src, ping.dst
        if last[pair] >= 0:
            longest = max(longest, ping.t - last[pair])
        last[pair] = ping.t
    assert len(last) == nodes * (nodes - 1)
    assert longest <= 2 * nodes - 1 + 1e-9
    assert nodes < 8 or longest > nodes  # it is shuffled, after all


@pytest.mark.slow
@pytest.mark.parametrize("nodes", [8, 32, 128, 512])
@pytest.mark.parametrize("profile", ["paper", "lan"])
def test_the_load_of_a_member_does_not_grow(nodes, profile):
    figures = run(nodes, 16, keep=False, profile=profile, push_pull=0).figures
    assert figures.messages_per_member_period == pytest.approx(2, rel=0.15)


# memberlist -----------------------------------------------------------------------------------------


def detection(nodes, seed):
    """From the first suspicion, in seconds: when a third accuser is named, and the first death; from then until all know."""
    happened = run(nodes, 45, f"{5 + (seed * 0.37) % 1} kill n{seed % nodes}", seed=seed)
    (failure,) = happened.figures.failures
    assert (happened.figures.false_suspicions, happened.figures.false_deaths) == (0, 0)
    return (
        third_accuser(happened.events, seed % nodes) - failure.at - failure.first_suspected,
        failure.first_declared - failure.first_suspected,
        failure.last_to_know - failure.first_declared,
    )


def third_accuser(events, member):
    """When a third member is first named that has found `member` silent itself: then its two confirmations are there."""
    accusers = set()
    for event in only(events, Sent):
        for about, state, _, by in msgspec.json.decode(event.body).get("news", ()):
            if (about, state) == (member, SUSPECTED):
                accusers.add(by)
                if len(accusers) == 3:
                    return event.t
    return math.inf


def check_detection(nodes, runs):
    minimum, exhausted_in_time = 4 * max(1.0, math.log10(nodes)), 0
    for seed in range(runs):
        third, declared, known = detection(nodes, seed)
        assert minimum - 0.01 <= declared <= max(minimum, third) + 1
        assert known <= 1
        exhausted_in_time += third <= minimum
    assert exhausted_in_time > runs / 2  # else it would be the confirmations that are measured


@pytest.mark.slow
@pytest.mark.parametrize("nodes, runs", [(10, 8), (16, 6), (50, 3), (100, 2)])
def test_lan_detects_as_fast_as_memberlist(nodes, runs):
    check_detection(nodes, runs)


@pytest.mark.soak
@pytest.mark.parametrize("nodes", [10, 16, 50, 100])
def test_lan_detects_as_fast_as_memberlist_on_many_seeds(nodes):
    check_detection(nodes, 60)


def test_a_profile_fills_in_what_is_not_given():
    def params(**given):
        return header_of("swim", params=given).experiment.params

    lan, paper, mixed = params(), params(profile="paper"), params(profile="wan", period=2, lifeguard="off")
    assert (lan["period"], lan["timeout"], lan["helpers"], lan["lifeguard"]) == (1.0, 0.5, 3, "memberlist")
    assert (paper["precedence"], paper["lifeguard"], paper["gossip_nodes"]) == ("swim", "off", 0)
    assert (mixed["period"], mixed["timeout"], mixed["lifeguard"]) == (2.0, 3.0, "off")
    for complete in (lan, paper, mixed):
        assert params(**complete) == complete  # what a recording's header holds says itself again


def test_the_push_pull_interval_grows_with_the_cluster():
    for nodes, interval in ((32, 30), (33, 60), (65, 90)):
        happened = run(nodes, 200, push_pull=30)
        pulls = defaultdict(list)
        for event in only(happened.events, Sent):
            if event.kind == "PushPull":
                pulls[event.src].append(event.t)
        gaps = {round(b - a, 6) for times in pulls.values() for a, b in pairwise(times)}
        assert gaps == {interval}


@pytest.mark.parametrize(
    "name, value", [("period", -0.5), ("period", 0), ("gossip_interval", 0), ("timeout", -0.25)]
)
def test_figures_with_which_nobody_could_run_are_refused_before_they_do(name, value):
    with pytest.raises(UserError, match=f"the parameter {name} cannot be {value}"):
        header_of("swim", nodes=3, params={name: value})
