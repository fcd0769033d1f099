"""Plumtree: a broadcast that costs n-1 payloads once the tree stands, and reaches everybody when it breaks."""

import json
from statistics import mean

import networkx as nx
import pytest

from gossiplab.content import content_folder, load_protocol_file
from gossiplab.events import Crashed, Delivered, Kept, Learned, Retired, Sent
from gossiplab.world.overlay import drawn_links, overlay_figures
from gossiplab.world.world import new_world
from tests.helpers import events_of, header_of, only, run_of


def run_to(events, header, t):
    """The World at the instant t."""
    world = new_world(header)
    world.apply(event for event in events if event.t <= t)
    return world


def stable_runs(n, seeds, sources=(5, 5, 17, 40), start=40.0, **params):
    """(World, its broadcasts) of runs in which nobody's neighbours change while the broadcasts go on."""
    for seed in seeds:
        at = [f"{start + 2 * i} inject n{source}" for i, source in enumerate(sources)]
        header = header_of(
            "plumtree", nodes=n, seed=seed, until=start + 2 * len(sources), at=at, params=params
        )
        events = events_of(header)
        if not any(event.t >= start for event in only(events, Kept) if event.view == "active"):
            world = run_to(events, header, 1e6)
            yield world, overlay_figures(world).broadcasts


@pytest.mark.parametrize("n", [2, 3, 10, 50, 100])
def test_once_stable_a_broadcast_costs_n_minus_1_payloads(n):
    runs = 0
    sources = [source % n for source in (5, 5, 17, 40)]
    for world, broadcasts in stable_runs(n, range(4), sources, threshold=0):
        runs += 1
        for rumor, broadcast in enumerate(broadcasts):
            assert world.knowing(rumor) == n
            if rumor:
                assert broadcast.payloads == n - 1
                assert broadcast.redundancy == 0
    assert runs >= 2


@pytest.mark.soak
def test_once_stable_a_broadcast_to_500_costs_499_payloads():
    runs = 0
    for world, broadcasts in stable_runs(500, range(12), (5, 5, 17, 40), 120.0, threshold=0):
        runs += 1
        for rumor, broadcast in enumerate(broadcasts[1:], 1):
            assert world.knowing(rumor) == 500
            assert broadcast.payloads == 499
    assert runs >= 3


def test_the_optimisation_too_comes_to_rest():
    """From one source again and again: the tree that it makes for it is a tree."""
    runs = 0
    for _, broadcasts in stable_runs(100, range(5), (5,) * 8, threshold=2):
        runs += 1
        assert [broadcast.payloads for broadcast in broadcasts[-3:]] == [99] * 3
    assert runs >= 2


def test_the_eager_links_are_a_spanning_tree():
    for world, _ in stable_runs(60, range(3), (5, 5)):
        eager = {(a, b) for a, views in enumerate(world.overlay) for b in views["eager"]}
        assert eager == {(b, a) for a, b in eager}
        links = drawn_links(world)
        tree = nx.Graph(links.strong)
        assert tree.number_of_nodes() == 60
        assert nx.is_tree(tree)
        assert {*links.strong, *links.faint} == {
            (min(a, b), max(a, b)) for a, views in enumerate(world.overlay) for b in views["active"]
        }


@pytest.mark.parametrize("seed", range(3))
def test_everybody_alive_gets_it_when_nodes_of_the_tree_die(seed):
    """The ten nodes with the most branches die, and at once, before anybody has noticed, there is a broadcast."""
    first = header_of("plumtree", nodes=100, seed=seed, until=40.0, at=["20 inject n5"])
    world = run_to(events_of(first), first, 40.0)
    branches = [len(views["eager"]) for views in world.overlay]
    dead = sorted((node for node in range(100) if node not in (5, 17)), key=lambda node: -branches[node])[:10]
    assert branches[dead[-1]] >= 3
    at = ["20 inject n5", f"40 kill {','.join(f'n{node}' for node in dead)}", "40.01 inject n5", "60 inject n17",
          "62 inject n17", "64 inject n17"]  # fmt: skip
    header = header_of("plumtree", nodes=100, seed=seed, until=70.0, at=at)
    events = events_of(header)
    world = run_to(events, header, 70.0)
    assert [world.knowing(rumor) for rumor in range(5)] == [90] * 5
    late = [arrival.t - 40.01 for arrival in world.rumors[1].arrivals.values()]
    assert max(late) > 1.0  # timeout1: some branches were cut off, and grafted
    assert [e for e in only(events, Sent) if e.kind == "Graft" and 40 < e.t < 45]
    if not [e for e in only(events, Kept) if e.view == "active" and e.t > 60]:
        assert world.rumors[-1].updates == 89


@pytest.mark.soak
@pytest.mark.parametrize("percent", [10, 20, 30])
def test_everybody_alive_gets_it_when_many_die(percent):
    """As far as they hang together: what remains of the neighbours at the instant of the kill."""
    for seed in range(10):
        at = ["20 inject n0", f"40 kill n{200 - 2 * percent}-n199", "40.01 inject n0"]
        header = header_of("plumtree", nodes=200, seed=seed, until=60.0, at=at)
        events = events_of(header)
        connected = overlay_figures(run_to(events, header, 40.0)).connected
        if connected:
            world = run_to(events, header, 60.0)
            assert world.knowing(1) == world.alive


def test_a_lost_payload_is_asked_for_after_the_first_timeout():
    header = header_of("plumtree", nodes=30, seed=2, until=24.0, at=["20 inject n5"])
    world = run_to(events_of(header), header, 24.0)
    victim = next(
        node
        for node, views in enumerate(world.overlay)
        if node != 5 and len(views["eager"]) == 1 and views["lazy"]
    )
    (parent,) = world.overlay[victim]["eager"]
    at = ["20 inject n5", f"24 link n{parent} n{victim} loss=1", "24.1 inject n5", "25.9 heal"]
    header = header_of("plumtree", nodes=30, seed=2, until=26.0, at=at)
    events = events_of(header)
    world = run_to(events, header, 26.0)
    assert world.knowing(1) == 30
    arrival = world.rumors[1].arrivals[victim]
    assert arrival.sender != parent
    assert 1.0 < arrival.t - 24.1 < 2.0
    grafts = [e for e in only(events, Sent) if e.kind == "Graft" and e.src == victim and e.t > 24.1]
    assert grafts[0].dst == arrival.sender
    assert json.loads(bytes(grafts[0].body)) == {"rumor": 1}


def test_only_payloads_carry_the_rumor():
    events = events_of(header_of("plumtree", nodes=40, until=30.0, at=["10 inject n5", "20 inject n9"]))
    for event in only(events, Sent):
        assert bool(event.carries) == (event.kind == "Gossip")
    assert {"IHave", "Prune", "Gossip"} <= {event.kind for event in only(events, Sent)}


def test_every_duplicate_is_answered_by_a_prune():
    events = events_of(header_of("plumtree", nodes=40, until=30.0, at=["10 inject n5"]))
    sent = {event.id: event for event in only(events, Sent)}
    payloads = [e for e in only(events, Delivered) if sent[e.id].kind == "Gossip"]
    arrivals = [e for e in only(events, Learned) if e.by is not None]
    prunes = [e for e in sent.values() if e.kind == "Prune"]
    assert len(prunes) == len(payloads) - len(arrivals)


def test_the_hop_optimisation_shortens_ways():
    """Trees grown from n5, broadcasts from n17: how far is the last delivery, with and without?"""
    hops = {
        threshold: mean(
            broadcasts[-1].last_delivery_hop
            for _, broadcasts in stable_runs(100, range(6), (5, 17, 17, 17, 17), threshold=threshold)
        )
        for threshold in (0, 2)
    }
    assert hops[2] < hops[0] - 1


def test_a_node_loses_interest_when_it_keeps_the_payload_no_longer():
    params = {"keep_for": 4.0}
    events = events_of(header_of("plumtree", nodes=20, until="quiescent", params=params, at=["10 inject n5"]))
    learned = {event.node: event.t for event in only(events, Learned)}
    retired = {event.node: event.t for event in only(events, Retired)}
    assert {node: pytest.approx(t + 4) for node, t in learned.items()} == retired


def test_a_copy_of_the_file_runs_on_the_built_in_hyparview(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text((content_folder("protocols") / "plumtree.py").read_text())
    (tmp_path / "hyparview.py").write_text("raise RuntimeError('not this one')")
    events = run_of(load_protocol_file(path), nodes=20, until=12.0)
    assert len(only(events, Learned)) == 20
    assert not only(events, Crashed)


def test_a_crash_in_the_base_names_the_bases_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "from gossiplab.builtin import plumtree\n\n\nclass Mine(plumtree.Plumtree):\n"
        "    def setup(self):\n        super().setup()\n        self.lazy = None\n"
    )
    events = run_of(load_protocol_file(path), nodes=3, until=12.0)
    crash = only(events, Crashed)[0]
    source = (content_folder("protocols") / "plumtree.py").read_text().splitlines()
    assert crash.file == "plumtree.py"
    assert "out.discard(peer)" in source[crash.line - 1]
