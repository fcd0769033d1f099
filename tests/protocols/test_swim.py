"""SWIM against its paper's formulas and memberlist's figures, and where everything goes wrong at once."""

import math
from collections import defaultdict
from functools import cache
from itertools import pairwise
from random import Random
from statistics import mean

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossiplab import ALIVE, DEAD, LEFT, SUSPECTED, UNKNOWN
from gossiplab.content import content_folder
from gossiplab.events import Believed, Delivered, Sent
from gossiplab.experiment import load_experiment
from gossiplab.replica.broadcasts import PACKET, SIZE, Broadcasts
from gossiplab.replica.suspicion import Suspicion, suspicion_minimum
from tests.helpers import header_of, only
from tests.protocols.membership import Run


def run(nodes, until, *at, seed=0, keep=True, link=None, **params):
    fields = {"link": link} if link else {}
    return Run("swim", nodes=nodes, until=until, at=at, seed=seed, params=params, keep=keep, **fields)


# the paper ------------------------------------------------------------------------------------------


def periods_to_first_detection(nodes, seed):
    """Which period after the crash is the first in which somebody probes the dead member, counted from 1."""
    figures = run(
        nodes, 14, "1 kill n0", seed=seed, keep=False, profile="paper", target="random", period=1
    ).figures
    return figures.failures[0].first_suspected  # at the end of that period, which lasts 1 s


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


@given(st.lists(st.integers(0, 60), max_size=150), st.integers(1, 8))
@settings(max_examples=40)
def test_news_is_sent_least_sent_first_and_so_often_and_no_more(abouts, limit):
    broadcasts, sent = Broadcasts(), defaultdict(int)
    for number, about in enumerate(abouts):
        broadcasts.put((about, ALIVE, number, 0))
    newest = {about: number for number, about in enumerate(abouts)}
    while broadcasts:
        packet = broadcasts.take(limit)
        assert sum(SIZE[state] for _, state, _, _ in packet) <= PACKET
        counts = [sent[about] for about, *_ in packet]
        assert counts == sorted(counts)
        assert all(sent[about] <= min(sent[other] for other in newest) + 1 for about, *_ in packet)
        for about, _, number, _ in packet:
            sent[about] += 1
            assert number == newest[about]
    assert sent == dict.fromkeys(newest, limit)


def test_news_replaces_older_news_about_the_same():
    broadcasts = Broadcasts()
    broadcasts.put((1, SUSPECTED, 0, 2))
    assert broadcasts.take(3) == [(1, SUSPECTED, 0, 2)]
    broadcasts.put((1, ALIVE, 1, 1))
    assert [broadcasts.take(3) for _ in range(4)] == [[(1, ALIVE, 1, 1)]] * 3 + [[]]
    assert not broadcasts


# memberlist -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "nodes, confirmations, expected, seconds",
    [  # K = 2 as in lan; minimum 4 s for n = 10, maximum 24 s; log 2 / log 3 = 0.6309
        (10, 0, 2, 24.0), (10, 1, 2, 11.381), (10, 2, 2, 4.0), (10, 0, 0, 4.0), (100, 0, 2, 48.0), (100, 2, 2, 8.0),
    ],
)  # fmt: skip
def test_a_suspicion_shrinks_with_confirmations(nodes, confirmations, expected, seconds):
    low = suspicion_minimum(4, nodes, 1.0)
    suspicion = Suspicion(99, 5.0, expected, low, 6 * low)
    for by in range(confirmations):
        assert not suspicion.confirm(99)  # who began it does not confirm it
        assert suspicion.confirm(by)
        assert not suspicion.confirm(by)
    assert suspicion.lasts == pytest.approx(seconds, abs=1e-9)
    assert suspicion.ends == 5.0 + suspicion.lasts
    assert not suspicion.confirm(50) or confirmations < expected


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


# lifeguard ------------------------------------------------------------------------------------------


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


def pauses(nodes, seed, until):
    """A tenth of all members is starved, as in the paper's interval experiment: it runs for moments only, now and then."""
    chance = Random(f"pauses/{seed}")
    for node in range(nodes // 10):
        t = 5 + chance.uniform(0, 5)
        while t < until:
            stretch = chance.uniform(5, 20)
            yield f"{t:.3f} pause n{node}"
            yield f"{t + stretch:.3f} resume n{node}"
            t += stretch + chance.uniform(0.01, 0.2)


@cache
def with_paused_members(lifeguard, seed, nodes=40):
    """False deaths of healthy members, raised by anybody (the paper's FP), and how fast a true one was noticed."""
    at = [*pauses(nodes, seed, 100), f"60 kill n{nodes - 1}"]
    figures = run(nodes, 100, *at, seed=seed, keep=False, lifeguard=lifeguard).figures
    return figures.false_deaths_of_healthy, figures.failures[0].first_declared


def check_pauses(lifeguard, seeds):
    off = [with_paused_members("off", seed) for seed in seeds]
    on = [with_paused_members(lifeguard, seed) for seed in seeds]
    assert sum(deaths for deaths, _ in off) >= 10 * max(1, sum(deaths for deaths, _ in on))
    assert mean(after for _, after in on) <= 2 * mean(after for _, after in off)


@pytest.mark.slow
@pytest.mark.parametrize("lifeguard", ["paper", "memberlist"])
def test_lifeguard_keeps_paused_members_from_accusing_healthy_ones(lifeguard):
    check_pauses(lifeguard, range(4))


@pytest.mark.soak
@pytest.mark.parametrize("lifeguard", ["paper", "memberlist"])
def test_lifeguard_keeps_paused_members_from_accusing_healthy_ones_on_many_seeds(lifeguard):
    check_pauses(lifeguard, range(30))


def test_a_paused_member_that_is_held_for_dead_is_no_healthy_one():
    figures = run(24, 60, "10 pause n6", "30 resume n6").figures
    assert (figures.false_deaths, figures.false_deaths_of_healthy) == (1, 0)


@pytest.mark.soak
@pytest.mark.parametrize("lifeguard", ["paper", "memberlist"])
def test_lifeguard_keeps_slow_members_from_accusing_healthy_ones_on_many_seeds(lifeguard):
    check_lifeguard(lifeguard, range(20))


# what members believe -------------------------------------------------------------------------------


def test_a_false_suspicion_is_refuted():
    happened = run(8, 40, "5 link n3 all loss=1", "7.5 link n3 all loss=0", lifeguard="memberlist")
    figures = happened.figures
    assert figures.false_suspicions >= 1
    assert figures.refutations >= 1
    assert figures.false_deaths == 0
    assert happened.matrix() == ["a" * 8] * 8
    assert all(row.incarnation_of(3) >= 2 for row in happened.world.membership.beliefs)
    for t, node, about, _, incarnation in happened.beliefs():
        assert (
            t == 0
            or node == about
            or incarnation <= happened.world.membership.beliefs[about].incarnation_of(about)
        )


@pytest.mark.parametrize("lifeguard", ["off", "paper", "memberlist"])
def test_a_paused_member_is_suspected_and_refutes_when_it_goes_on(lifeguard):
    happened = run(24, 40, "10 pause n6", "14.5 resume n6", lifeguard=lifeguard)
    assert [(t > 10, about) for t, _, about, state, _ in happened.beliefs() if state == SUSPECTED]
    assert happened.figures.refutations >= 1
    assert happened.figures.false_deaths == 0
    assert happened.figures.failures == []  # it was up all along
    assert happened.matrix() == ["a" * 24] * 24


def test_a_member_that_is_paused_for_too_long_is_held_for_dead_and_comes_back():
    happened = run(24, 60, "10 pause n6", "30 resume n6")
    assert happened.figures.false_deaths == 1
    assert happened.matrix() == ["a" * 24] * 24


def test_only_a_member_raises_its_own_incarnation():
    happened = run(10, 60, "5 partition n0-n3", "12 heal", "20 kill n4", "22 rejoin n4 fresh", seed=4)
    highest = defaultdict(lambda: 1)
    for _, node, about, _, incarnation in happened.beliefs():
        assert incarnation <= highest[about] or node == about
        highest[about] = max(highest[about], incarnation)


@pytest.mark.parametrize("profile", ["paper", "lan", "wan", "local"])
def test_leaving(profile):
    happened = run(12, 60, "20 leave n5", seed=2, profile=profile, forget=1000)
    assert {row[5] for node, row in enumerate(happened.matrix()) if node != 5} == {"l"}
    assert happened.figures.failures == []
    assert happened.figures.false_deaths == 0


def test_a_leave_that_races_with_a_suspicion():
    for seed in range(8):
        happened = run(
            8, 30, "4 link n5 all loss=1", "6.2 link n5 all loss=0", "6.2 leave n5", seed=seed, forget=1000
        )
        assert happened.figures.false_suspicions
        assert {row[5] for node, row in enumerate(happened.matrix()) if node != 5} == {"l"}


def test_a_leave_that_everybody_misses_is_a_death():
    happened = run(8, 60, "4 link n5 all loss=1", "4 leave n5", forget=1000)
    assert {row[5] for node, row in enumerate(happened.matrix()) if node != 5} == {"d"}


@pytest.mark.parametrize("memory", ["", " fresh"])
def test_the_dead_come_back_in_memberlist(memory):
    happened = run(9, 60, "5 kill n4", f"25 rejoin n4{memory}")
    assert happened.figures.failures[0].last_to_know is not None
    assert happened.matrix() == ["a" * 9] * 9
    assert happened.world.membership.beliefs[0].incarnation_of(4) == 2
    assert happened.figures.refutations == 1


@pytest.mark.parametrize("memory", ["", " fresh"])
def test_the_dead_stay_dead_in_the_paper_until_they_are_forgotten(memory):
    at = ("5 kill n4", f"40 rejoin n4{memory}")
    happened = run(9, 60, *at, profile="paper")
    assert {row[4] for node, row in enumerate(happened.matrix()) if node != 4} == {"d"}
    again = run(9, 200, *at, profile="paper")
    assert again.matrix() == ["a" * 9] * 9


def revived(precedence):
    """Of a shipped experiment: who was told of the second death, and who believed n7 alive again, after it died."""
    fields = load_experiment(content_folder("recordings") / "the-dead-come-back.toml")
    fields["params"]["precedence"] = precedence
    happened = Run(fields.pop("protocol"), **fields)
    sent, believed = {}, {}
    told, back = set(), set()
    for event in happened.events:
        if isinstance(event, Sent):
            sent[event.id] = event
        elif isinstance(event, Delivered):
            message = sent[event.id]
            for about, state, incarnation, _ in msgspec.json.decode(message.body).get("news", []):
                knew = believed.get(message.dst)
                if (
                    (about, state) == (7, DEAD)
                    and knew is not None
                    and (knew.state, knew.incarnation) == (DEAD, 1)
                ):
                    told |= {message.dst} if incarnation > 1 else set()
        elif isinstance(event, Believed) and event.about == 7 != event.node:
            knew = believed.get(event.node)
            if knew is not None and (knew.state, event.state) == (DEAD, ALIVE) and event.t > 10:
                assert (knew.incarnation, event.incarnation) == (1, 2)
                back.add(event.node)
            believed[event.node] = event
    return told, back


def test_the_revival_hole():
    told, back = revived("memberlist")
    assert told & back == {1}
    assert back == {0, 1, 2, 3}
    assert revived("swim")[1] == set()


# joining --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nodes", [1, 2, 3, 30])
def test_joining_through_a_seed(nodes):
    happened = run(nodes, 60, seed=nodes, start="join")
    assert happened.matrix() == ["a" * nodes] * nodes
    assert happened.crashes() == []


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


# where everything goes wrong ------------------------------------------------------------------------


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
