"""Versions of a key, against what their histories say when they are followed one by one; and ways of values."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gossiplab.events import Delivered, Duplicated, Sent, Stored, Versioned
from gossiplab.world.provenance import copy_chain
from gossiplab.world.versions import AFTER, BEFORE, CONCURRENT, SAME, Copies, Standing, compare, lineage
from gossiplab.world.world import new_world
from tests.helpers import events_of, header_of, only

NODES = 4
COMMANDS = (
    "write n0 cart a", "write n1 cart b", "write n2 cart c", "write n3 k1 d", "delete n1 cart", "delete n2 k1",
    "wipe n1", "backup n2", "restore n2", "corrupt n2 2", "kill n1", "rejoin n1", "rejoin n1 fresh",
    "partition n0-n1", "heal",
)  # fmt: skip
schedules = st.lists(
    st.tuples(st.sampled_from([0.5, 1.0, 1.5, 2.5, 3.5, 4.5]), st.sampled_from(COMMANDS)), max_size=14
)


def run(schedule, conflict, protocol="copycat"):
    header = header_of(
        protocol, nodes=NODES, until=5.0, workload={"keys": 3}, params={"conflict": conflict},
        link={"latency": "0.05..0.4", "loss": 0.1, "duplicate": 0.1}, at=[f"{t} {command}" for t, command in schedule],
    )  # fmt: skip
    events = events_of(header)
    world = new_world(header)
    world.apply(events)
    return world, events


def ancestors(versions, name):
    """Everything that a version has overwritten, however indirectly."""
    over = set(versions[name].over) if name in versions else set()
    return over.union(*(ancestors(versions, each) for each in over))


@settings(max_examples=40, deadline=None)
@given(schedules, st.sampled_from(["siblings", "lww"]))
def test_what_is_newest_and_how_versions_compare(schedule, conflict):
    world, events = run(schedule, conflict)
    for name, key in world.replicas.keys.items():
        versions = {event.name: event for event in only(events, Versioned) if event.key == name}
        copies = Copies(world.replicas, name)
        held = {version for each in copies.held for version in each}
        assert copies.held == [world.replicas.held(node, name) for node in range(NODES)]
        for one in held:
            for other in held:
                expected = (
                    SAME if one == other
                    else BEFORE if one in ancestors(versions, other)
                    else AFTER if other in ancestors(versions, one)
                    else CONCURRENT
                )  # fmt: skip
                assert compare(key, one, other) == expected
        if any(version.endswith("'") for version in held):
            continue  # what damage is newer than, nobody can say
        if conflict == "lww":
            expected = (
                {max(held, key=lambda each: versions[each].stamp if each in versions else (0, 0, 0))}
                if held
                else set()
            )
        else:
            expected = {one for one in held if not any(one in ancestors(versions, other) for other in held)}
        assert set(copies.newest) == expected


@settings(max_examples=40, deadline=None)
@given(schedules, st.sampled_from(["siblings", "lww"]))
def test_where_nodes_stand(schedule, conflict):
    world, events = run(schedule, conflict)
    values = {(event.key, event.name): event.value for event in only(events, Versioned)}
    for name in world.replicas.names():
        copies = Copies(world.replicas, name)
        for versions, sight in zip(copies.held, copies.sights, strict=True):
            live = [each for each in versions if values.get((name, each), "") is not None]
            if any(each.endswith("'") for each in versions):
                assert sight.standing == Standing.CORRUPT
            elif not versions:
                assert sight.standing == Standing.NONE
            elif len(live) > 1:
                assert sight == (Standing.SIBLINGS, len(live))
            elif set(live or versions) & set(copies.newest):
                assert sight.standing == (Standing.NEWEST if live else Standing.DELETED)
                assert copies.newest[sight.which] in versions
            else:
                assert sight.standing == Standing.OLDER
        up = [node for node in range(NODES) if world.nodes[node].up]
        sets = [
            frozenset(each for each in copies.held[node] if values.get((name, each), "") is not None)
            for node in up
        ]
        if sets:
            assert copies.share == max(map(sets.count, sets)) / len(sets)
        key = world.replicas.keys.get(name)
        if key is not None:
            assert key.divergent == (len(set(sets)) > 1)


@settings(max_examples=40, deadline=None)
@given(schedules, st.sampled_from(["siblings", "lww"]))
def test_a_way_is_made_of_deliveries_and_ends_where_something_was_written(schedule, conflict):
    world, events = run(schedule, conflict)
    sent = {event.id: event for event in only(events, Sent)}
    for event in only(events, Duplicated):
        sent[event.id] = sent[event.of]
    arrived = {event.id: event.t for event in only(events, Delivered)}
    stored = [(event.t, event.node, event.key, event.by) for event in only(events, Stored)]
    for name, key in world.replicas.keys.items():
        for node in range(NODES):
            chain = copy_chain(key, node)
            for place, hop in enumerate(chain.hops):
                if hop.message is None:
                    assert place == len(chain.hops) - 1
                    continue
                assert (hop.t, hop.node, name, hop.message) in stored
                assert arrived[hop.message] == hop.t
                assert (sent[hop.message].src, sent[hop.message].dst) == (hop.sender, hop.node)
                if place + 1 < len(chain.hops):
                    assert chain.hops[place + 1].node == hop.sender
                    assert chain.hops[place + 1].t <= sent[hop.message].t
            assert chain.whole == bool(chain.hops and chain.hops[-1].message is None)


def test_the_order_of_writes_on_two_sides():
    schedule = [
        (0.5, "write n0 cart a"),
        (3.5, "partition n0-n1"),
        (3.5, "write n0 cart b"),
        (3.5, "write n2 cart c"),
    ]
    world, _ = run(schedule, "siblings")
    key, copies = world.replicas.keys["cart"], Copies(world.replicas, "cart")
    assert copies.newest == ("n0.2", "n2.1")
    assert lineage(key, ["n0.1", *copies.newest]) == {"n0.1": (), "n0.2": ("n0.1",), "n2.1": ("n0.1",)}
    assert compare(key, *copies.newest) == CONCURRENT


def test_a_way_goes_back_to_the_write_while_everybody_on_it_holds_the_value():
    world, _ = run([(0.5, "write n0 cart a")], "lww")
    for node in range(NODES):
        chain = copy_chain(world.replicas.keys["cart"], node)
        assert chain.whole
        assert (chain.hops[-1].node, chain.hops[-1].t) == (0, 0.5)
        assert chain.length == 0 if node == 0 else chain.length > 0
