"""HyParView: mutual and bounded active views, repair after mass failure, walks and priorities as in the paper."""

import json
from itertools import groupby, pairwise

import pytest

from gossiplab.events import Delivered, Dropped, Kept, Killed, Sent
from gossiplab.world.overlay import overlay_figures
from gossiplab.world.world import new_world
from tests.helpers import events_of, header_of, only
from tests.protocols.figures import world_of

SHUFFLE = 10.0  # s


def one_sided(world):
    """Links a -> b between live nodes of which b knows nothing."""
    active = [set(views.get("active", ())) for views in world.overlay]
    alive = [node.status == "alive" for node in world.nodes]
    return {
        (a, b)
        for a, peers in enumerate(active)
        for b in peers
        if alive[a] and alive[b] and a not in active[b]
    }


def worlds_at(times, **fields):
    """The World at each of these instants of a run."""
    header = header_of("hyparview", until=max(times) + 0.5, **fields)
    events = events_of(header)
    world, found, done = new_world(header), [], 0
    for t in times:
        upto = next((i for i in range(done, len(events)) if events[i].t > t), len(events))
        world.apply(events[done:upto])
        done = upto
        found.append((one_sided(world), overlay_figures(world)))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_active_views_are_mutual_and_nearly_full(seed):
    world = world_of("hyparview", nodes=100, seed=seed, until=30.0)
    overlay = overlay_figures(world)
    assert not one_sided(world)
    assert overlay.symmetric == 1
    assert overlay.out_degree.max == 5
    assert overlay.out_degree.mean > 4.8
    assert overlay.connected


def test_views_become_mutual_again_whatever_is_lost():
    """A one-sided link does not outlive the silence that ends a connection."""
    times = [20.0 + 5 * step for step in range(8)]
    found = worlds_at(times, nodes=60, seed=1, link={"loss": 0.1, "duplicate": 0.1, "reorder": 0.2})
    for (before, _), (after, overlay) in pairwise(found):
        assert not before & after
        assert overlay.connected
        assert overlay.symmetric > 0.95


def test_it_is_connected_again_after_half_of_500_fail():
    """Leitão et al. 2007, 5.3: below 80 % failures, reliability is back after one or two membership cycles."""
    at = ["30 kill n250-n499", f"{30 + SHUFFLE} inject n0"]
    header = header_of("hyparview", nodes=500, until=30 + 2 * SHUFFLE, at=at)
    events = events_of(header)
    world = new_world(header)
    world.apply(event for event in events if event.t <= 30 + SHUFFLE)
    overlay = overlay_figures(world)
    assert (overlay.nodes, overlay.connected) == (250, True)
    assert overlay.out_degree.mean > 4.8
    world.apply(event for event in events if event.t > 30 + SHUFFLE)
    assert world.knowing(0) == world.alive == 250
    overlay = overlay_figures(world)
    assert overlay.symmetric == 1
    # whom nobody believes in any more: all links to the dead are gone from active views
    assert all(max(views["active"]) < 250 for views in world.overlay[:250])


@pytest.mark.soak
@pytest.mark.parametrize("percent, cycles", [(50, 1), (60, 1), (70, 1), (80, 2)])
def test_it_is_connected_again_after_mass_failure(percent, cycles):
    for seed in range(12):
        end = 30 + cycles * SHUFFLE
        at = [f"30 kill n{500 - 5 * percent}-n499"]
        overlay = overlay_figures(world_of("hyparview", nodes=500, seed=seed, until=end, at=at))
        assert overlay.connected
        assert overlay.symmetric > 0.99


def test_a_failed_neighbour_is_replaced_after_three_keepalives():
    at = ["30 kill n7"]
    events = events_of(header_of("hyparview", nodes=60, until=60.0, at=at))
    (killed,) = only(events, Killed)
    seen = {}
    gone = {}
    for event in only(events, Kept):
        if event.view == "active":
            if 7 in seen.get(event.node, ()) and 7 not in event.peers:
                gone[event.node] = event.t
            seen[event.node] = event.peers
    noticed = [t - killed.t for t in gone.values() if t > killed.t]
    assert len(noticed) == 5
    # the last keepalive came at most a second before; looked at once a second
    assert all(2 < delay < 4.1 for delay in noticed)


def bodies(events, kind):
    """(event, body) of all messages of a kind."""
    return [(event, json.loads(bytes(event.body))) for event in only(events, Sent) if event.kind == kind]


def test_a_join_walks_as_far_as_the_paper_says():
    events = events_of(
        header_of("hyparview", nodes=80, until=30.0, at=["20 kill n50", "25 rejoin n50 fresh"])
    )
    late = [event for event in events if event.t >= 25]
    walks = [(event, body) for event, body in bodies(late, "ForwardJoin") if body["node"] == 50]
    assert [body["ttl"] for event, body in walks if event.src == 0].count(
        6
    ) == 4  # the contact's other neighbours
    for ttl, same in groupby(
        sorted(walks, key=lambda each: -each[1]["ttl"]), key=lambda each: each[1]["ttl"]
    ):
        assert 0 <= ttl <= 6
        assert len([*same]) <= 4
    assert all(50 not in (event.src, event.dst) for event, _ in walks)
    remembering = {event.dst for event, body in walks if body["ttl"] == 3}
    assert remembering <= {
        event.node for event in only(late, Kept) if event.view in ("passive", "active") and 50 in event.peers
    }
    ends = {event.dst for event, body in walks if body["ttl"] == 0}
    assert ends <= {event.src for event in only(late, Sent) if event.kind == "Connected" and event.dst == 50}


def test_high_priority_is_never_refused_and_low_only_without_room():
    at = ["20 kill n20-n79", "30 rejoin n20-n79"]
    header = header_of("hyparview", nodes=100, until=45.0, at=at)
    events = events_of(header)
    sent = {event.id: event for event in only(events, Sent)}
    asked = {}  # (asker, asked): the priority of the request that was handled last
    active = {}
    handled = None
    highs = rejects = 0
    for event in events:
        if isinstance(event, Delivered):
            handled = sent[event.id]
            if handled.kind == "Neighbor":
                asked[handled.src, handled.dst] = json.loads(bytes(handled.body))["high"]
                highs += asked[handled.src, handled.dst]
        elif isinstance(event, Kept) and event.view == "active":
            active[event.node] = event.peers
        elif isinstance(event, Sent) and event.kind == "Reject":
            rejects += 1
            assert asked[event.dst, event.src] is False
            assert len(active[event.src]) == 5
    assert highs > 20
    assert rejects > 20


def test_shuffles_have_the_papers_length_and_refresh_passive_views():
    events = events_of(header_of("hyparview", nodes=80, until=60.0))
    for event, body in bodies(events, "Shuffle"):
        assert 1 <= body["ttl"] <= 6
        assert len(body["nodes"]) <= 1 + 3 + 4
        assert body["nodes"][0] == body["origin"]
        assert event.dst != body["origin"]
    replies = bodies(events, "ShuffleReply")
    assert replies
    assert all(len(body["nodes"]) <= 8 for _, body in replies)
    passive = {event.node: event.peers for event in only(events, Kept) if event.view == "passive"}
    assert min(map(len, passive.values())) >= 25


def test_a_broadcast_floods():
    """Every node tells all neighbours but the one that it heard from: links in both directions, less a tree."""
    world = world_of("hyparview", nodes=100, until=30.0, at=["25 inject n3"])
    links = sum(len(views["active"]) for views in world.overlay)
    (broadcast,) = overlay_figures(world).broadcasts
    assert world.knowing(0) == 100
    assert broadcast.payloads == links - 99
    assert broadcast.redundancy == pytest.approx((links - 99) / 99 - 1)


def test_who_leaves_says_so_and_is_replaced_at_once():
    events = events_of(header_of("hyparview", nodes=60, until=24.0, at=["20 leave n7"]))
    assert len([e for e in only(events, Sent) if e.kind == "Disconnect" and e.src == 7 and e.t == 20]) == 5
    last = {
        event.node: event.peers for event in only(events, Kept) if event.view == "active" and event.t < 22
    }
    assert all(7 not in peers for node, peers in last.items() if node != 7)
    assert not [e for e in only(events, Dropped) if e.t > 23.5 and e.why == "down"]
