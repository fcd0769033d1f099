"""Who told whom, against the chain that every delivery carries when the events are walked one by one."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gossiplab.events import Delivered, Duplicated, Injected, Learned, Rejoined, Sent
from gossiplab.world.parts import Arrival, Rumor
from gossiplab.world.provenance import Chain, Hop, chain_to, copy_chain, infection_tree
from gossiplab.world.world import new_world
from tests.helpers import events_of, header_of
from tests.world.test_world import run, schedules


class Carried:
    """The way by which every node came to every rumor: each message takes its sender's along when it is sent."""

    def __init__(self, events):
        self.now, self.first = {}, {}  # by rumor and node: the nodes on the way, the source last
        ways, born = {}, {}
        for event in events:
            if isinstance(event, Sent):
                born[event.id] = event
                for rumor in event.carries:
                    ways[event.id, rumor] = self.now.get((rumor, event.src), ())
            elif isinstance(event, Duplicated):
                born[event.id] = born[event.of]
                for rumor in born[event.of].carries:
                    ways[event.id, rumor] = ways[event.of, rumor]
            elif isinstance(event, Learned):
                way = (event.node, *(() if event.by is None else ways[event.by, event.rumor]))
                self.now[event.rumor, event.node] = way
                self.first.setdefault((event.rumor, event.node), way)
            elif isinstance(event, Rejoined) and event.fresh:
                self.now = {key: way for key, way in self.now.items() if key[1] != event.node}


def world_of(header, events):
    world = new_world(header)
    world.apply(events)
    return world


def no_amnesia(schedule):
    return [(t, command) for t, command in schedule if "fresh" not in command]


@settings(max_examples=40)
@given(schedules, st.integers(0, 1000))
def test_chains_are_the_ways_that_the_messages_took(schedule, seed):
    header = run([(0.0, "inject n2"), *no_amnesia(schedule)], seed)
    events = events_of(header)
    carried, world = Carried(events), world_of(header, events)
    for number, rumor in enumerate(world.rumors):
        tree = infection_tree(rumor)
        assert set(tree.parents) == set(rumor.arrivals)
        for node in range(5):
            chain = chain_to(rumor, node)
            way = carried.now.get((number, node), ())
            assert tuple(hop.node for hop in chain.hops) == way
            if way:
                assert chain.whole
                assert chain.length == tree.depth[node] == len(way) - 1
                assert tree.parents[node] == (way[1] if len(way) > 1 else None)
                assert [hop.t for hop in chain.hops] == sorted((hop.t for hop in chain.hops), reverse=True)


@settings(max_examples=40)
@given(schedules, st.integers(0, 1000))
def test_the_tree_is_that_of_first_arrivals_even_when_nodes_forget(schedule, seed):
    header = run([(0.0, "inject n2"), *schedule], seed)
    events = events_of(header)
    carried, world = Carried(events), world_of(header, events)
    for number, rumor in enumerate(world.rumors):
        tree = infection_tree(rumor)
        assert set(tree.parents) == {node for each, node in carried.first if each == number}
        for node, parent in tree.parents.items():
            way = carried.first[number, node]
            assert parent == (way[1] if len(way) > 1 else None)
            assert tree.depth[node] == (0 if parent is None else tree.depth[parent] + 1)
        for node in range(5):  # a chain ends, and begins with the truth
            chain = chain_to(rumor, node)
            assert [hop.node for hop in chain.hops[:2]] == list(carried.now.get((number, node), ())[:2])


def test_a_sender_that_forgot_and_learned_again_later_had_told_what_it_knew_before():
    rumor = Rumor(
        source=0, t=0.0,
        arrivals={0: Arrival(0.0, None, None), 2: Arrival(2.0, 5, 1), 1: Arrival(4.0, 8, 2)},
        forgotten={1: Arrival(1.0, 3, 0)},
    )  # fmt: skip
    assert [hop.node for hop in chain_to(rumor, 2).hops] == [2, 1, 0]
    assert [hop.node for hop in chain_to(rumor, 1).hops] == [1, 2, 1, 0]
    assert infection_tree(rumor).parents == {0: None, 1: 0, 2: 1}


def test_what_is_not_known_is_not_made_up():
    rumor = Rumor(
        source=0, t=0.0,
        arrivals={0: Arrival(0.0, None, None), 1: Arrival(1.0, None, None), 2: Arrival(2.0, 5, 4), 3: Arrival(3.0, 7, 1)},
    )  # fmt: skip
    assert chain_to(rumor, 4).hops == ()
    assert not chain_to(rumor, 4).whole
    assert [(hop.node, hop.t, hop.message) for hop in chain_to(rumor, 0).hops] == [(0, 0.0, None)]
    assert chain_to(rumor, 0).whole
    assert not chain_to(rumor, 1).whole  # it knew by itself
    assert [hop.node for hop in chain_to(rumor, 2).hops] == [2]
    assert not chain_to(rumor, 2).whole
    assert chain_to(rumor, 3).length == 1
    assert not chain_to(rumor, 3).whole


def test_a_rumor_that_nobody_heard_has_an_empty_tree():
    events = [Injected(0.0, 0, 1)]
    world = world_of(run([], 1), events)
    assert infection_tree(world.rumors[0]) == ({}, {})
    assert not [event for event in events if isinstance(event, Delivered)]


def test_a_writer_that_waited_for_others_is_where_the_value_comes_from():
    """Its copy changes while it handles the answer that completes a quorum, which brought nothing of the value."""
    head = header_of("dynamo", nodes=6, until=8.0, workload={"keys": 3}, at=("2 write n2 k0 hello",))
    world = new_world(head)
    world.apply(events_of(head))
    key = world.replicas.keys["k0"]
    (version,) = [each for each in key.versions.values() if each.value == "hello"]
    assert key.copies[version.node].by is not None
    assert copy_chain(key, version.node) == Chain((Hop(version.node, version.t, None, None),), whole=True)
    for node in set(key.copies) - {version.node}:
        assert copy_chain(key, node).hops[-1].node == version.node
