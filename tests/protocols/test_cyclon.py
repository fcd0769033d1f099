"""Cyclon: balanced in-degrees, the clustering and path lengths of a random graph, and no memory of the dead."""

import json
from collections import Counter
from statistics import mean, pstdev

import networkx as nx
import pytest

from gossiplab.events import Delivered, Sent
from gossiplab.world.overlay import overlay_figures
from tests.helpers import events_of, header_of, only
from tests.oracles.cyclon import caches
from tests.protocols.figures import world_of

N, CACHE = 300, 20


def random_graph(n, seed):
    """Every node with CACHE others at random, without the directions: what the paper compares with."""
    return nx.Graph(nx.random_k_out_graph(n, CACHE, 1e9, self_loops=False, seed=seed).edges())


@pytest.fixture(scope="module")
def overlays():
    return [overlay_figures(world_of("cyclon", nodes=N, seed=seed, until=45.0)) for seed in range(2)]


def test_in_degrees_are_balanced(overlays):
    """Closer to the mean than in a random graph, whose in-degrees are binomial."""
    binomial = (CACHE * (1 - CACHE / (N - 1))) ** 0.5
    for overlay in overlays:
        assert overlay.in_degree.mean == pytest.approx(CACHE, rel=0.01)
        assert overlay.in_degree.min >= CACHE / 3
        assert overlay.in_degree.max <= CACHE * 2
    assert mean(overlay.in_degree.sd for overlay in overlays) < 0.95 * binomial


def test_in_degrees_are_those_of_the_oracle():
    """Where messages take next to no time, as in the paper's cycles; slower links make shuffles overlap."""
    oracle = []
    for seed in range(4):
        count = Counter(node for cache in caches(N, CACHE, 8, 30, seed) for node in cache)
        oracle.append(pstdev(count[node] for node in range(N)))
    lab = [
        overlay_figures(
            world_of("cyclon", nodes=N, seed=seed, until=50.0, link={"latency": "0.001"})
        ).in_degree.sd
        for seed in range(2)
    ]
    assert mean(lab) == pytest.approx(mean(oracle), rel=0.1)


def test_it_is_a_random_graph_but_for_that(overlays):
    graphs = [random_graph(N, seed) for seed in range(4)]
    assert all(overlay.connected for overlay in overlays)
    assert mean(overlay.clustering for overlay in overlays) == pytest.approx(
        mean(map(nx.average_clustering, graphs)), rel=0.1
    )
    assert mean(overlay.path_length for overlay in overlays) == pytest.approx(
        mean(map(nx.average_shortest_path_length, graphs)), rel=0.02
    )


@pytest.mark.soak
def test_balance_and_shape_at_2000_nodes():
    overlay = overlay_figures(world_of("cyclon", nodes=2000, seed=1, until=80.0, link={"latency": "0.001"}))
    assert overlay.in_degree.sd < 2.5  # binomial: 4.4
    assert overlay.clustering == pytest.approx(nx.average_clustering(random_graph(2000, 1)), rel=0.1)


def bodies(events, *kinds):
    return [(event, json.loads(bytes(event.body))) for event in only(events, Sent) if event.kind in kinds]


def test_a_shuffle_is_the_papers():
    events = events_of(header_of("cyclon", nodes=60, until=70.0))
    shuffles = bodies(events, "Shuffle")
    for event, body in shuffles:
        entries = body["entries"]
        assert entries[0] == [event.src, 0]
        nodes = [node for node, _ in entries]
        assert len({*nodes}) == len(nodes) <= 8
        assert event.dst not in nodes
        assert all(age >= 1 for _, age in entries[1:])
    for event, body in bodies(events, "ShuffleReply"):
        assert len(body["entries"]) <= 8
        assert event.src not in [node for node, _ in body["entries"]]
    late = [event for event, _ in shuffles if event.t > 30]
    assert Counter(event.src for event in late) == dict.fromkeys(range(60), 40)  # one a cycle
    asked = Counter(event.dst for event in late)
    assert min(asked.values()) >= 15  # and everybody is asked about as often
    assert max(asked.values()) <= 80


def test_a_newcomer_changes_nobodys_in_degree():
    """Each walk that ends exchanges an entry: the newcomer takes the place of one, and gets that one."""
    events = events_of(header_of("cyclon", nodes=100, until=41.0, at=["30 kill n50", "40 rejoin n50 fresh"]))
    late = [event for event in events if event.t >= 40]
    walks = bodies(late, "Walk")
    assert {body["node"] for _, body in walks} == {50}
    assert Counter(body["ttl"] for _, body in walks) == dict.fromkeys(range(5), 20)
    arrived = {event.id for event in only(late, Delivered)}
    welcomes = [body["entry"] for event, body in bodies(late, "Welcome") if event.id in arrived]
    assert 10 <= len(welcomes) <= 20  # two walks may end at one node


def test_the_dead_are_forgotten():
    """They are the oldest sooner or later, do not answer, and are gone: after about two cache lengths of cycles."""
    world = world_of("cyclon", nodes=200, until=75.0, at=["30 kill n150-n199"])
    assert all(max(views["active"]) < 150 for views in world.overlay[:150])
    overlay = overlay_figures(world)
    assert overlay.connected
    assert overlay.out_degree.min >= 18


def test_a_broadcast_tells_fanout_others():
    world = world_of("cyclon", nodes=200, until=25.0, params={"fanout": 8})
    (broadcast,) = overlay_figures(world).broadcasts
    assert broadcast.payloads == 8 * len(world.rumors[0].arrivals)
    assert world.knowing(0) >= 198  # e^-8 of 200 is 0.07
