"""Estimates: where they are over the course of a run, live and from keyframes, whatever nodes show."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossiplab.recording.possible import possible_world
from gossiplab.world.estimates import MOST_SPREADS, Spread, keep, spread, truth
from gossiplab.world.world import World, new_world
from tests.helpers import events_of, header_of
from tests.protocols.figures import world_of


def test_the_course_of_a_run_closes_in_on_the_truth():
    world = world_of("push_sum", nodes=20, until=30.0)
    assert truth([node.shown for node in world.nodes]) == 9.5
    first, last = world.estimates[0], world.estimates[-1]
    assert (first.low, first.high) == (0, 19)
    assert last.high - last.low < 0.01
    assert all(each.low <= each.middle <= each.high for each in world.estimates)
    assert [each.t for each in world.estimates] == sorted({each.t for each in world.estimates})
    assert len(world.estimates) <= MOST_SPREADS


def test_it_does_not_depend_on_how_the_events_came():
    header = header_of("push_sum", nodes=8, until=12.0)
    events = events_of(header)
    at_once, one_by_one = new_world(header), new_world(header)
    at_once.apply(events)
    for event in events:
        one_by_one.apply([event])
    assert at_once == one_by_one
    again = msgspec.json.decode(msgspec.json.encode(at_once), type=World)
    assert again == at_once
    assert possible_world(again, 8)


def test_who_shows_none_has_no_course():
    world = world_of("rumor", nodes=5)
    assert world.estimates is msgspec.UNSET
    assert b"estimates" not in msgspec.json.encode(world)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.dictionaries(st.sampled_from(["estimate", "input", "mass"]), anything), max_size=6))
def test_nodes_may_show_anything(shown):
    found = spread(1.0, shown)
    assert found is None or found.low <= found.middle <= found.high
    assert truth(shown) is None or isinstance(truth(shown), float)


def test_what_is_kept_has_an_end():
    spreads = []
    for t in range(10_000):
        keep(spreads, Spread(float(t), 0.0, 0.0, 0.0))
    assert len(spreads) <= MOST_SPREADS
    assert (spreads[0].t, spreads[-1].t) == (0, 9999)


@pytest.mark.parametrize("weights", [[], [0.0], [0.0, 0.0]])
def test_without_weight_there_is_no_truth(weights):
    assert truth([{"input": [1.0, weight]} for weight in weights]) is None
