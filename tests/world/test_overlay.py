"""The overlay in a World: against an oracle that looks at all events again, and against networkx."""

from statistics import mean, pstdev

import msgspec
import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossiplab.events import Crashed, Departed, Kept, Killed, Rejoined
from gossiplab.world.overlay import Spread, drawn_links, overlay_figures
from gossiplab.world.parts import DEAD, Arrival, Node, Rumor
from gossiplab.world.world import World, new_world
from tests.helpers import bytes_of, events_of, header_of, only, recording_of
from tests.recording.making import every_bytes

COMMANDS = (
    "kill n1",
    "kill n0,n2",
    "rejoin all",
    "rejoin n1 fresh",
    "leave n3",
    "rejoin all fresh",
    "kill all",
)
schedules = st.lists(st.tuples(st.sampled_from([0.5, 1.0, 2.5]), st.sampled_from(COMMANDS)), max_size=6)


def header(schedule=(), seed=0, **fields):
    at = ["0.2 inject n4", *(f"{t} {command}" for t, command in schedule)]
    return header_of("keeper", **{"nodes": 6, "until": 5.0, "seed": seed, "at": at, **fields})


def kept(events, node):
    """What a node has said last, since it forgot everything."""
    views = {}
    for event in events:
        if isinstance(event, Rejoined) and event.fresh and event.node == node:
            views = {}
        elif isinstance(event, Kept) and event.node == node:
            views[event.view] = event.peers
    return views


@given(schedules, st.integers(0, 20), st.floats(0, 1))
@settings(max_examples=40)
def test_the_fold_agrees_with_the_oracle(schedule, seed, where):
    events = events_of(header(schedule, seed))
    for part in (events[: int(where * len(events))], events):
        world = new_world(header(schedule, seed))
        world.apply(part)
        assert [*world.overlay] == ([kept(part, node) for node in range(6)] if only(part, Kept) else [])


@given(schedules, st.integers(0, 20))
@settings(max_examples=20)
def test_a_view_is_said_in_order_and_only_when_it_changed(schedule, seed):
    last = {}
    events = events_of(header(schedule, seed))
    assert not only(events, Crashed)
    for event in only(events, Kept | Rejoined):
        if isinstance(event, Rejoined):
            last = {key: peers for key, peers in last.items() if key[0] != event.node or not event.fresh}
            continue
        assert list(event.peers) == sorted(set(event.peers))
        assert last.get((event.node, event.view)) != event.peers
        last[event.node, event.view] = event.peers


@pytest.mark.parametrize("wrong", ["view", "itself", "nobody", "negative", "a bool", "a word"])
def test_to_keep_what_is_no_peer_is_the_nodes_fault(wrong):
    (crash,) = only(events_of(header(params={"wrong": wrong})), Crashed)
    assert (crash.node, crash.t) == (0, 2.0)
    assert "n0 keeps" in crash.error


def test_a_dead_node_keeps_nothing():
    events = events_of(header([(1.0, "kill n2"), (1.5, "leave n3")]))
    gone = {event.node: event.t for event in only(events, Killed | Departed)}
    assert gone == {2: 1.0, 3: 1.5}
    assert all(event.t < gone.get(event.node, 9) for event in only(events, Kept))


def test_any_event_is_what_folding_gives(tmp_path, monkeypatch):
    monkeypatch.setattr("gossiplab.recording.tape.keyframe_interval", lambda nodes: 40)
    asked = header([(1.0, "kill n2"), (2.0, "rejoin n2 fresh")])
    events = events_of(asked)
    recording = recording_of(tmp_path / "run.gossip", bytes_of(asked))
    for count in (*range(0, len(events), 17), len(events)):
        world = new_world(asked)
        world.apply(events[:count])
        assert msgspec.json.encode(recording.at_event(count)) == msgspec.json.encode(world)
    recording.close()


def test_without_views_there_is_no_overlay(tmp_path):
    recording = recording_of(tmp_path / "run.gossip", every_bytes())
    world = recording.at(recording.end)
    recording.close()
    assert overlay_figures(world) is None
    assert drawn_links(world) is None


def test_the_links_of_one_node_are_told_apart():
    views = [
        {"eager": (1,), "lazy": (2,), "active": (1, 2), "passive": (3,)},
        {"active": (0, 3)},
        {},
        {"passive": (0,)},
    ]
    world = World(nodes=[Node() for _ in views], overlay=views)
    assert drawn_links(world, 0)[2:] == (((0, 1),), ((0, 3),))
    assert drawn_links(world, 1)[2:] == (((0, 1), (1, 3)), ())
    assert drawn_links(world, 3)[2:] == ((), ((0, 3),))
    assert drawn_links(world)[2:] == ((), ())
    world.nodes[0].status = DEAD
    assert drawn_links(world, 0)[2:] == ((), ())


# figures ------------------------------------------------------------------------------------------


@st.composite
def worlds(draw):
    """Any views among a few nodes, some of which are dead."""
    n = draw(st.integers(1, 9))
    nodes = [Node(status=draw(st.sampled_from(["alive", "alive", "alive", DEAD]))) for _ in range(n)]
    peers = st.lists(st.integers(0, n - 1), max_size=4)
    overlay = [
        {
            view: tuple(sorted({*draw(peers)} - {node}))
            for view in draw(st.sets(st.sampled_from(["active", "passive", "eager", "lazy"])))
        }
        for node in range(n)
    ]
    return World(nodes=nodes, overlay=overlay)


@given(worlds())
@settings(max_examples=300)
def test_the_shape_is_what_networkx_finds(world):
    figures = overlay_figures(world)
    alive = [node for node, each in enumerate(world.nodes) if each.status == "alive"]
    graph = nx.DiGraph()
    graph.add_nodes_from(alive)
    graph.add_edges_from(
        (node, peer) for node in alive for peer in world.overlay[node].get("active", ()) if peer in alive
    )
    assert figures.nodes == len(alive)
    for spread, degrees in (
        (figures.in_degree, [degree for _, degree in graph.in_degree]),
        (figures.out_degree, [degree for _, degree in graph.out_degree]),
    ):
        expected = (
            Spread(min(degrees), mean(degrees), max(degrees), pytest.approx(pstdev(degrees)))
            if degrees
            else None
        )
        assert spread == expected
    undirected = graph.to_undirected()
    assert figures.components == nx.number_connected_components(undirected)
    assert figures.connected == (not alive or nx.is_connected(undirected))
    assert figures.clustering == (pytest.approx(nx.average_clustering(undirected)) if alive else None)
    lengths = [
        length
        for source, reached in nx.all_pairs_shortest_path_length(undirected)
        for node, length in reached.items()
        if node != source
    ]
    assert figures.path_length == (pytest.approx(mean(lengths)) if lengths else None)
    if graph.number_of_edges():
        assert figures.symmetric == pytest.approx(nx.overall_reciprocity(graph))
    else:
        assert figures.symmetric is None


def test_the_path_length_of_a_large_overlay_is_taken_from_some_of_its_nodes():
    n = 4000
    ring = [{"active": ((node + 1) % n,)} for node in range(n)]
    figures = overlay_figures(
        World(nodes=[Node() for _ in range(n)], overlay=[{"active": tuple(each["active"])} for each in ring])
    )
    assert figures.path_length == pytest.approx(n * n / 4 / (n - 1))  # the same from every node of a ring
    assert figures.clustering == 0
    assert figures.components == 1


def test_a_broadcast_counts_payloads_and_hops():
    """n0 told n1 and n2, n1 told n2 again and n3; n3 has forgotten it since, and heard it again from n2."""
    first = Arrival(2.0, 3, 1)
    arrivals = {
        0: Arrival(1.0, None, None), 1: Arrival(1.5, 0, 0), 2: Arrival(1.5, 1, 0), 3: Arrival(9.0, 7, 2),
    }  # fmt: skip
    rumor = Rumor(0, 1.0, arrivals, {}, 5, {3: first})
    lonely = Rumor(2, 3.0, {2: Arrival(3.0, None, None)}, {}, 0, {})
    world = World(nodes=[Node() for _ in range(4)], overlay=[{}] * 4, rumors=[rumor, lonely])
    figures = overlay_figures(world)
    one, two = figures.broadcasts
    assert (one.payloads, one.redundancy, one.last_delivery_hop) == (5, pytest.approx(5 / 3 - 1), 2)
    assert (two.payloads, two.redundancy, two.last_delivery_hop) == (0, None, 0)
    assert (figures.payloads_per_broadcast, figures.redundancy, figures.last_delivery_hop) == (0, None, 0)


@given(st.integers(0, 30))
@settings(max_examples=10)
def test_hops_are_those_of_the_messages(seed):
    """Against the way back from each arrival to the source, message by message."""
    world = new_world(header(seed=seed))
    world.apply(events_of(header(seed=seed)))
    (rumor,) = world.rumors

    def hops(node):
        sender = rumor.arrivals[node].sender
        return 0 if sender is None else 1 + hops(sender)

    (figures,) = overlay_figures(world).broadcasts
    assert figures.last_delivery_hop == max(hops(node) for node in rumor.arrivals)


# what is drawn ------------------------------------------------------------------------------------


def test_eager_links_are_strong_and_lazy_ones_faint():
    overlay = [{"active": (1, 2, 3), "eager": (1, 2), "lazy": (3,)}, {"active": (0,), "eager": (0,)},
               {"active": (0,), "lazy": (0,)}, {"active": (0, 4), "passive": (1, 2)}, {"active": (5,)}, {}]  # fmt: skip
    nodes = [Node() for _ in range(6)]
    links = drawn_links(World(nodes=nodes, overlay=overlay))
    assert links.strong == ((0, 1), (0, 2), (0, 3), (3, 4), (4, 5))  # n3 does not sort its neighbours
    assert links.faint == ()
    overlay[3]["eager"] = (4,)
    assert drawn_links(World(nodes=nodes, overlay=overlay)).faint == ((0, 3),)
    nodes[4].status = DEAD  # what it kept is gone; that n3 still believes in it is not
    assert drawn_links(World(nodes=nodes, overlay=overlay)).strong == ((0, 1), (0, 2), (3, 4))
