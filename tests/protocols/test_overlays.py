"""What every overlay owes: a defined state, whatever happens to it. HyParView, Plumtree and Cyclon."""

import json

import pytest

from gossiplab.cli import run_command_line
from gossiplab.events import Crashed, Ended, Kept
from gossiplab.recording.verify import verify
from gossiplab.world.overlay import overlay_figures
from tests.helpers import bytes_of, events_of, header_of, only, recording_of, specimen
from tests.protocols.figures import world_of

OVERLAYS = ["hyparview", "plumtree", "cyclon"]
MOST = {"hyparview": {"active": 5, "passive": 30}, "plumtree": {"active": 5, "passive": 30, "eager": 5, "lazy": 5},
        "cyclon": {"active": 20}}  # fmt: skip

pytestmark = pytest.mark.parametrize("protocol", OVERLAYS)


def overlay_of(protocol, **fields):
    """(World, figures of the overlay) at the end of a run without crashes."""
    world = world_of(protocol, **fields)
    assert not world.crashes
    assert world.ended == "time"
    return world, overlay_figures(world)


def reached(world, rumor=-1):
    """The live nodes that a rumor has reached, as a share of those there are."""
    return world.knowing(rumor % len(world.rumors)) / world.alive


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_very_small_clusters(protocol, n):
    world, overlay = overlay_of(protocol, nodes=n, until=30.0, seed=n)
    if n == 0:
        assert overlay is None
        return
    assert overlay.connected
    assert reached(world) == 1
    assert overlay.out_degree.max <= n - 1


@pytest.mark.parametrize("contacts", [2, 3, 5])
def test_many_contacts_are_one_overlay(protocol, contacts):
    for seed in range(3):
        params = {"contacts": contacts, "join_over": 0}
        _, overlay = overlay_of(protocol, nodes=60, until=30.0, seed=seed, params=params)
        assert overlay.connected


@pytest.mark.parametrize("n, topology", [(12, "ring"), (30, "grid"), (30, "two-clusters"), (1, "ring")])
def test_the_topology_has_no_part_in_it(protocol, n, topology):
    for contacts in (0, 1, 3):
        params = {"contacts": contacts}
        _, overlay = overlay_of(protocol, nodes=n, topology=topology, until=30.0, params=params)
        assert overlay.connected or not contacts  # where everybody asks a neighbour, groups may not meet


def test_views_are_bounded_and_hold_others_once(protocol):
    events = events_of(
        header_of(
            protocol,
            nodes=60,
            until=40.0,
            at=["15 kill n0-n19", "25 rejoin n0-n9", "25 rejoin n10-n19 fresh"],
        )
    )
    views = {}
    for event in only(events, Kept):
        assert len(event.peers) <= MOST[protocol][event.view]
        views.setdefault(event.node, {})[event.view] = set(event.peers)
    for mine in views.values():
        assert not mine["active"] & mine.get("passive", set())
        if protocol == "plumtree":
            assert mine["eager"] | mine["lazy"] == mine["active"]
            assert not mine["eager"] & mine["lazy"]


def test_the_contact_is_dead(protocol):
    """Everybody is alone, and comes together when it is back, whether it remembers or not."""
    world, overlay = overlay_of(protocol, nodes=30, until=20.0, at=["0 kill n0", "15 inject n5"])
    assert overlay.components == 29
    assert world.knowing(0) == 1
    for back in ("rejoin n0", "rejoin n0 fresh"):
        world, overlay = overlay_of(
            protocol, nodes=30, until=40.0, at=["0 kill n0", f"20 {back}", "35 inject n5"]
        )
        assert overlay.connected
        assert reached(world) > 0.8


def test_the_contact_dies_later(protocol):
    """Those who are in do not need it; and it finds its way back."""
    at = ["20 kill n0", "25 rejoin n0 fresh", "45 inject n0", "45 inject n9"]
    world, overlay = overlay_of(protocol, nodes=50, until=50.0, at=at)
    assert overlay.connected
    assert reached(world, 0) > 0.8
    assert reached(world, 1) > 0.8


def test_200_join_at_once(protocol):
    world, overlay = overlay_of(protocol, nodes=200, until=17.0, params={"join_over": 0}, at=["15 inject n5"])
    assert overlay.connected
    assert overlay.in_degree.min >= 1
    assert overlay.out_degree.mean > 0.9 * MOST[protocol]["active"]
    assert reached(world) > 0.9


def test_everybody_leaves(protocol):
    _, overlay = overlay_of(protocol, nodes=50, until=40.0, at=["20 leave all"])
    assert (overlay.nodes, overlay.connected, overlay.in_degree) == (0, True, None)


@pytest.mark.parametrize("back", ["rejoin all", "rejoin all fresh"])
def test_everybody_leaves_and_is_back(protocol, back):
    world, overlay = overlay_of(
        protocol, nodes=50, until=75.0, at=["20 leave all", f"30 {back}", "70 inject n1"]
    )
    assert overlay.connected
    assert overlay.nodes == 50
    assert reached(world) > 0.8


def test_one_node_that_was_cut_off_for_long_comes_back(protocol):
    """It has forgotten everybody, and joins again."""
    world, overlay = overlay_of(
        protocol, nodes=40, until=130.0, at=["20 partition n5", "90 heal", "120 inject n5"]
    )
    assert overlay.connected
    assert reached(world) > 0.8


def test_a_short_partition_heals(protocol):
    world, overlay = overlay_of(
        protocol, nodes=60, until=70.0, at=["20 partition n0-n29", "22 heal", "60 inject n0"]
    )
    assert overlay.connected
    assert reached(world) > 0.8


def test_after_a_partition_that_is_longer_than_memory_the_sides_stay_apart(protocol):
    """What the files say: whole and alive, each for itself, until somebody is remembered by one and joins the other."""
    at = ["20 partition n0-n29", "120 heal", "150 inject n0"]  # n0, the contact, is on the first side
    world, overlay = overlay_of(protocol, nodes=60, until=155.0, at=at)
    assert overlay.components == 2
    assert {*world.rumors[0].arrivals} <= {*range(30)}
    assert reached(world) > 0.4
    world, overlay = overlay_of(
        protocol, nodes=60, until=200.0, at=[*at, "155 kill n50-n59", "155.2 rejoin n50-n59 fresh"]
    )
    assert overlay.connected


@pytest.mark.parametrize("percent", [10, 50, 80])
def test_many_fail_at_once(protocol, percent):
    dead = percent * 2
    world, overlay = overlay_of(
        protocol, nodes=200, until=55.0, at=[f"20 kill n{200 - dead}-n199", "50 inject n0"]
    )
    assert overlay.nodes == 200 - dead
    assert overlay.connected
    assert reached(world) > 0.85


def test_the_same_run_gives_the_same_bytes(protocol, tmp_path):
    header = header_of(
        protocol, nodes=40, until=30.0, link={"loss": 0.05, "duplicate": 0.05, "reorder": 0.1},
        at=["10 kill n3-n9", "12 inject n1", "15 rejoin n3-n5", "15 rejoin n6-n9 fresh", "16 leave n0", "17 partition n1-n9", "25 heal"],
    )  # fmt: skip
    data = bytes_of(header)
    assert bytes_of(header) == data
    recording = recording_of(tmp_path / "run.gossip", data)
    assert verify(recording, specimen(protocol)) is None
    recording.close()


def test_a_rumor_that_nobody_asked_for_waits_until_there_is_an_overlay(protocol):
    world = world_of(protocol, nodes=40)
    assert world.rumors[0].t > world.rumors[0].source + 5
    assert reached(world) > 0.85


def test_the_command_line_prints_the_figures(protocol, capsys):
    words = f"run {protocol} --nodes 30 --until 20 --no-record"
    assert run_command_line([*words.split(), "--json"]) == 0
    overlay = json.loads(capsys.readouterr().out)["overlay"]
    assert overlay["connected"] is True
    assert overlay["out_degree"]["max"] == MOST[protocol]["active"]
    assert overlay["payloads_per_broadcast"] == overlay["broadcasts"][0]["payloads"] >= 29
    assert run_command_line(words.split()) == 0
    said = capsys.readouterr().out
    assert "overlay: connected, out-degree" in said
    assert "last broadcast: " in said


@pytest.mark.soak
@pytest.mark.parametrize("percent", range(10, 90, 10))
def test_many_of_500_fail_at_once(protocol, percent):
    """Those that are left are one overlay again; told to all neighbours, a broadcast reaches them all."""
    params = {"fanout": 20} if protocol == "cyclon" else {}
    at = [f"30 kill n{500 - 5 * percent}-n499", "90 inject n0"]
    for seed in range(5):
        world, overlay = overlay_of(protocol, nodes=500, seed=seed, until=95.0, at=at, params=params)
        assert overlay.connected
        assert overlay.in_degree.mean > 0.95 * MOST[protocol]["active"]
        assert reached(world) > 0.999


@pytest.mark.soak
def test_faults_at_random_end_in_a_defined_state(protocol):
    """Whatever a person does, nothing crashes, and it comes together once it is left alone."""
    from random import Random

    for seed in range(30):
        rng = Random(seed)
        at = []
        for t in range(10, 60, 2):
            a = rng.randrange(40)
            nodes = f"n{a}-n{min(49, a + rng.randrange(1, 12))}"
            at.append(f"{t} {rng.choice(['kill', 'leave', 'rejoin', 'rejoin', 'partition'])} {nodes}")
            if rng.random() < 0.3:
                at.append(f"{t + 1} heal")
        at += ["60 heal", "60 rejoin all"]
        events = events_of(header_of(protocol, nodes=50, seed=seed, until=160.0, at=at, link={"loss": 0.05}))
        assert not only(events, Crashed)
        assert isinstance(events[-1], Ended)
