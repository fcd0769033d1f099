"""Every topology is the graph that it is called, at every size."""

import math

import networkx as nx
import pytest

from gossiplab.errors import UserError
from gossiplab.events import Wired
from gossiplab.topology import TOPOLOGIES, build_edges, check_topology, parse_topology
from tests.helpers import events_of, header_of, only


def graph(text, n, seed=1):
    edges = build_edges(text, n, seed)
    assert edges is not None
    assert list(edges) == sorted(set(edges))
    assert all(0 <= a < b < n for a, b in edges)
    built = nx.Graph(edges)
    built.add_nodes_from(range(n))
    return built


def degrees(built):
    return sorted(degree for _, degree in built.degree)


@pytest.mark.parametrize(
    "text", [*TOPOLOGIES, "watts-strogatz(k=2)", "barabasi-albert(m=5)", "tree(r=1)", "tree(r=9)"]
)
def test_every_size(text):
    for n in range(51):
        if text == "complete":
            assert build_edges(text, n, 1) is None
            continue
        built = graph(text, n)
        assert graph(text, n).edges == built.edges  # the same again
        if n > 0 and text != "erdos-renyi" and not text.startswith("watts"):
            assert nx.is_connected(built)


def test_ring():
    for n in range(3, 51):
        assert degrees(graph("ring", n)) == [2] * n
    assert graph("ring", 2).edges == nx.path_graph(2).edges


def test_grid():
    for n in range(1, 51):
        columns = math.ceil(math.sqrt(n))
        near = {
            (a, b) for a in range(n) for b in range(a + 1, n)
            if abs(a // columns - b // columns) + abs(a % columns - b % columns) == 1
        }  # fmt: skip
        assert set(build_edges("grid", n, 1) or ()) == near


def test_tree():
    for r in (1, 2, 3):
        for n in range(1, 51):
            built = graph(f"tree(r={r})", n)
            assert nx.is_tree(built)
            assert all(b == 0 or (b - 1) // r in built[b] for b in range(n))


def test_two_clusters():
    for n in range(2, 51):
        built = graph("two-clusters", n)
        half = n // 2
        (bridge,) = [(a, b) for a, b in built.edges if a < half <= b]
        assert built.number_of_edges() == half * (half - 1) // 2 + (n - half) * (n - half - 1) // 2 + 1
        built.remove_edge(*bridge)
        assert nx.number_connected_components(built) == 2


def test_watts_strogatz():
    for n in range(5, 51):
        assert degrees(graph("watts-strogatz(k=4,p=0)", n)) == [4] * n
        assert graph("watts-strogatz(k=4,p=0.5)", n).number_of_edges() == 2 * n
    for n in range(2, 6):
        assert graph("watts-strogatz(k=4)", n).number_of_edges() == n * (n - 1) // 2
    assert build_edges("watts-strogatz", 30, 1) != build_edges("watts-strogatz", 30, 2)


def test_barabasi_albert():
    for m in (1, 2, 5):
        for n in range(m + 2, 51):
            assert graph(f"barabasi-albert(m={m})", n).number_of_edges() == m * (n - m)


def test_erdos_renyi():
    assert graph("erdos-renyi(p=1)", 20).number_of_edges() == 190
    counts = [graph("erdos-renyi(p=0.3)", 40, seed).number_of_edges() for seed in range(50)]
    assert sum(counts) / 50 == pytest.approx(0.3 * 780, rel=0.05)
    connected = sum(nx.is_connected(graph("erdos-renyi", 40, seed)) for seed in range(50))
    assert connected >= 45  # twice the threshold


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_a_lab_is_wired_as_its_topology_says(topology):
    header = header_of("chatter", nodes=9, topology=topology, seed=5, until=1)
    events = events_of(header)
    (wired,) = only(events, Wired)
    assert events[0] == wired
    assert wired.edges == build_edges(topology, 9, 5)


@pytest.mark.parametrize("text, says", [
    ("", "there is no topology"), ("star", "choose one of complete, ring"), ("RING", "there is no topology"),
    ("ring(", "there is no topology"), ("ring)", "there is no topology"), ("ring (k=2)", "there is no topology"),
    ("ring(k=2)", "has no parameter 'k': it has none"), ("grid(3)", "has no parameter '3'"),
    ("watts-strogatz(x=1)", "it has k=4, p=0.1"), ("watts-strogatz(k)", "k cannot be ''"),
    ("watts-strogatz(k=1)", "an even number from 2"), ("watts-strogatz(k=3)", "an even number"),
    ("watts-strogatz(k=2.5)", "an even number"), ("watts-strogatz(p=2)", "a probability"),
    ("watts-strogatz(p=nan)", "a probability"), ("watts-strogatz(p=-0.1)", "a probability"),
    ("watts-strogatz(k=1e400)", "an even number"), ("watts-strogatz(k=nan)", "an even number"),
    ("barabasi-albert(m=0)", "a whole number from 1"), ("barabasi-albert(m=1001)", "to 1000"),
    ("tree(r=-1)", "a whole number from 1"), ("ring\n", "there is no topology"), ("\x1b[2J", "there is no topology"),
])  # fmt: skip
def test_what_is_no_topology(text, says):
    with pytest.raises(UserError, match=says.replace("(", r"\(")):
        parse_topology(text)


@pytest.mark.parametrize(
    "text", ["two-clusters", "erdos-renyi(p=0.5)", "watts-strogatz(k=1000)", "barabasi-albert(m=999)"]
)
def test_what_would_take_all_memory_is_refused(text):
    with pytest.raises(UserError, match=r"about .* links among 100000 nodes, and 2e\+06 is the most"):
        check_topology(text, 100_000)
    check_topology(text, 1000)


@pytest.mark.parametrize("text", TOPOLOGIES)
def test_what_is_large_and_sparse_is_not(text):
    if text != "two-clusters":
        check_topology(text, 10_000)
