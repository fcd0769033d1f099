"""Epidemics: the rounds of the theory, the median counter, and what faults do to them."""

import json
from math import log, log2
from statistics import mean

import pytest

from gossiplab.cli import run_command_line
from gossiplab.events import Sent
from gossiplab.world.metrics import rumor_figures
from tests.helpers import events_of, header_of
from tests.oracles.epidemic import median_counter, rounds
from tests.protocols.figures import assert_same_mean, columns, rumor_of, world_of


def lab_rounds(direction, fanout, nodes, runs, phase="aligned"):
    params = {"direction": direction, "fanout": fanout, "phase": phase}
    figures = [rumor_of("epidemic", nodes=nodes, seed=seed, params=params) for seed in range(runs)]
    return columns(figures)["t_last"]


SPREADS = [("push", 1), ("push", 3), ("pull", 1), ("pull", 2), ("push-pull", 1), ("push-pull", 3)]


@pytest.mark.parametrize("direction, fanout", SPREADS)
def test_it_takes_the_oracles_rounds(direction, fanout):
    oracle = [rounds(100, direction, fanout, seed).rounds for seed in range(300)]
    assert_same_mean("rounds", lab_rounds(direction, fanout, 100, 16), oracle)


@pytest.mark.soak
@pytest.mark.parametrize("direction, fanout", SPREADS)
def test_it_takes_the_oracles_rounds_at_1000_nodes(direction, fanout):
    oracle = [rounds(1000, direction, fanout, seed).rounds for seed in range(200)]
    assert_same_mean("rounds", lab_rounds(direction, fanout, 1000, 40), oracle)


def test_rounds_grow_as_the_theory_says():
    n = 200
    push = mean(lab_rounds("push", 1, n, 10))
    assert 0 < push - (log2(n) + log(n)) < 2.5  # Pittel 1987; O(1) is 1.2 at n = 1000
    both = mean(lab_rounds("push-pull", 1, n, 10))
    assert -1 < both - (log(n, 3) + log2(log(n))) < 1  # Karp et al. 2000; O(ln ln n) taken as log2 ln n


def test_on_beats_of_their_own_nodes_need_fewer_periods():
    for direction in ("push", "push-pull"):
        assert mean(lab_rounds(direction, 1, 60, 12, "random")) < mean(lab_rounds(direction, 1, 60, 12))


def test_the_command_line_takes_the_rounds_of_the_theory(capsys):
    words = (
        "run epidemic --nodes 1000 --set direction=push --set fanout=1 --set phase=aligned --until converged"
    )
    assert run_command_line([*words.split(), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["stopped_by"] == "converged"
    assert figures["params"]["stop"] == "never"
    (rumor,) = figures["rumors"]
    assert rumor["residue"] == 0
    assert 15 <= rumor["t_last"] <= 22  # 18.1 on average


def test_what_is_learned_in_a_round_is_passed_on_from_the_next():
    """On a ring nothing gets further than one link a round, though links take a tenth of one."""
    for direction in ("push", "pull", "push-pull"):
        params = {"direction": direction, "fanout": 2, "phase": "aligned"}
        world = world_of("epidemic", nodes=21, topology="ring", params=params, link={"latency": "0.01"})
        (rumor,) = world.rumors
        assert {node: int(arrival.t) for node, arrival in rumor.arrivals.items()} == {
            node: min(node, 21 - node) for node in range(21)
        }


def test_on_beats_of_their_own_nodes_act_at_once():
    params = {"direction": "push", "fanout": 1000, "phase": "random"}
    world = world_of("epidemic", nodes=20, params=params, link={"latency": "0.001"})
    assert world.t < 1.01  # whoever it was that called first


# the median counter -------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [10, 100])
def test_the_median_counter_has_the_oracles_figures(n):
    params = {"stop": "median-counter", "phase": "aligned"}
    fields = {"nodes": n, "until": "quiescent", "params": params}
    lab = columns(rumor_of("epidemic", seed=seed, **fields) for seed in range(14))
    oracle = columns(median_counter(n, seed) for seed in range(300))
    for measure, sample in lab.items():
        assert_same_mean(measure, sample, oracle[measure])


@pytest.mark.soak
@pytest.mark.parametrize("counter_max, cooling", [(0, 0), (2, 2), (4, 1)])
def test_the_median_counter_has_the_oracles_figures_at_1000_nodes(counter_max, cooling):
    params = {"stop": "median-counter", "phase": "aligned", "counter_max": counter_max, "cooling": cooling}
    fields = {"nodes": 1000, "until": "quiescent", "params": params}
    lab = columns(rumor_of("epidemic", seed=seed, **fields) for seed in range(40))
    oracle = columns(median_counter(1000, seed, counter_max or None, cooling or None) for seed in range(200))
    for measure, sample in lab.items():
        assert_same_mean(measure, sample, oracle[measure])


@pytest.mark.parametrize("phase", ["aligned", "random"])
@pytest.mark.parametrize("direction", ["push", "pull", "push-pull"])
def test_the_median_counter_stops_by_itself(direction, phase):
    params = {"stop": "median-counter", "direction": direction, "phase": phase}
    world = world_of("epidemic", nodes=60, until="quiescent", params=params)
    assert world.ended == "quiescent"
    assert world.infective(0) == 0
    assert rumor_figures(world)[0].residue < 0.1
    assert {node.shown["state of rumor 0"] for node in world.nodes if node.shown} == {"D"}


def test_a_silent_node_teaches_nothing():
    at = ["0 inject n0", "20 rejoin n5 fresh", "20.5 inject n1"]
    params = {"stop": "median-counter", "phase": "aligned"}
    world = world_of("epidemic", nodes=10, until="quiescent", params=params, at=["4 kill n5", *at])
    old, new = world.rumors
    assert 5 not in old.arrivals
    assert 5 in new.arrivals


# faults ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["aligned", "random"])
def test_a_fresh_node_learns_again_and_one_with_memory_need_not(phase):
    at = ["0 inject n0", "10 kill n3-n5", "12 rejoin n3", "12 rejoin n4 fresh"]
    world = world_of("epidemic", nodes=8, until="converged", params={"phase": phase}, at=at)
    arrivals = world.rumors[0].arrivals
    assert world.ended == "converged"  # all who live know, and n5 does not count
    assert arrivals[3].t < 10
    assert arrivals[4].t > 12


def test_a_partition_keeps_a_rumor_in_until_it_is_healed():
    at = ["1 partition n0-n4", "2 inject n0", "2 inject n9", "12 heal"]
    before = world_of("epidemic", nodes=10, until=12, at=at[:3])
    assert [sorted(rumor.arrivals) for rumor in before.rumors] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    after = world_of("epidemic", nodes=10, until="converged", at=at)
    assert [len(rumor.arrivals) for rumor in after.rumors] == [10, 10]
    assert min(after.rumors[0].arrivals[node].t for node in range(5, 10)) > 12


def test_who_left_or_was_killed_is_not_waited_for():
    world = world_of("epidemic", nodes=10, at=["0 inject n0", "0.1 leave n1", "0.1 kill n2"])
    assert world.ended == "converged"
    assert sorted(world.rumors[0].arrivals) == [0, 3, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("phase", ["aligned", "random"])
@pytest.mark.parametrize("stop", ["never", "median-counter"])
@pytest.mark.parametrize("nodes", [0, 1, 2])
def test_the_smallest_labs_end(nodes, stop, phase):
    for until in ("converged", "quiescent"):
        params = {"stop": stop, "phase": phase}
        world = world_of("epidemic", nodes=nodes, until=until, limit=50, params=params)
        forever = until == "quiescent" and stop == "never" and nodes
        assert world.ended == ("limit" if forever else "quiescent" if not nodes else until)
        assert all(len(rumor.arrivals) == nodes for rumor in world.rumors)


@pytest.mark.parametrize("direction", ["push", "pull", "push-pull"])
def test_a_run_in_which_every_message_is_lost_ends(direction):
    world = world_of("epidemic", nodes=9, limit=30, params={"direction": direction}, link={"loss": 1})
    assert (world.ended, world.knowing(0), world.delivered) == ("limit", 1, 0)


def test_all_nodes_dead_is_quiet():
    world = world_of("epidemic", nodes=9, at=["0 inject n0", "0.5 kill all"])
    assert world.ended == "quiescent"


@pytest.mark.parametrize("topology", ["ring", "grid", "tree", "two-clusters", "watts-strogatz(k=4,p=0.3)"])
def test_only_neighbours_are_called(topology):
    header = header_of("epidemic", nodes=30, topology=topology, params={"fanout": 3})
    events = events_of(header)
    links = set(events[0].edges)
    sent = [event for event in events if isinstance(event, Sent)]
    assert all((min(event.src, event.dst), max(event.src, event.dst)) in links for event in sent)
    assert {event.dst for event in sent} == set(range(30))


def test_a_node_without_peers_is_never_reached():
    world = world_of("epidemic", nodes=5, topology="erdos-renyi(p=1e-9)", limit=20)
    assert (world.ended, world.sent) == ("limit", 0)


def test_slow_and_wild_links_change_nothing_but_the_time():
    link = {"latency": "lognormal(1.5, 1)", "loss": 0.2, "duplicate": 0.3, "reorder": 0.3}
    for params in ({"phase": "aligned"}, {"phase": "random"}, {"phase": "aligned", "stop": "median-counter"}):
        until = "quiescent" if "stop" in params else "converged"
        world = world_of("epidemic", nodes=40, until=until, params=params, link=link)
        assert (world.ended, world.crashes) == (until, [])
