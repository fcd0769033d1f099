"""Vector clock order equals happened-before in the lab's own graph of messages, on random runs.

The clocks are carried by the protocols themselves, in what they send; the graph is what the lab recorded. A node that
loses its memory loses its clock with it, and the graph goes on: so here nodes are killed and come back with memory.
"""

from itertools import permutations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gossiplab.events import Shown, Stored
from gossiplab.replica.vector import AFTER, BEFORE, CONCURRENT, EQUAL, VectorClock
from gossiplab.world.causality import Cone, Relation
from gossiplab.world.history import History
from gossiplab.world.world import new_world
from tests.helpers import events_of, header_of

NODES = 5
SAID = {Relation.BEFORE: BEFORE, Relation.AFTER: AFTER, Relation.CONCURRENT: CONCURRENT, Relation.SELF: EQUAL}

nodes = st.integers(0, NODES - 1)
instants = st.integers(0, 11).map(lambda half: half / 2)
acts = st.one_of(
    st.builds("kill n{}".format, nodes),
    st.builds("rejoin n{}".format, nodes),
    st.builds("pause n{}".format, nodes),
    st.builds("resume n{}".format, nodes),
    st.builds("partition n0-n{}".format, st.integers(0, NODES - 2)),
    st.just("heal"),
    st.just("link all all latency=0..1 duplicate=0.3"),
    st.just("link all all loss=0.4 reorder=0.5"),
    st.builds("skew n{} +3".format, nodes),
)
schedules = st.lists(st.builds("{} {}".format, instants, acts), max_size=8)


def history_of(protocol, **fields):
    """The events of a run, and the steps of its nodes."""
    header = header_of(protocol, nodes=NODES, until=6, **fields)
    events = events_of(header)
    history = History(new_world(header), -1.0)
    history.take(events)
    return events, history


def clock_of(event):
    """What an event shows."""
    return msgspec.json.decode(event.value, type=VectorClock)


@settings(max_examples=25)
@given(schedules, st.integers(0, 10**6), st.sampled_from(["complete", "ring"]))
def test_vector_clocks_say_what_happened_before(schedule, seed, topology):
    events, history = history_of("witness", at=schedule, seed=seed, topology=topology)
    shown = {number: clock_of(event) for number, event in enumerate(events) if isinstance(event, Shown)}
    assert len(shown) > 5
    for number, clock in shown.items():
        cone = Cone(history, history.step(number))
        for other, another in shown.items():
            assert another.compare(clock) == SAID[cone.relation(history.step(other))]


def updates_of(events):
    """The events in which a node showed the clock of an update of its own, which follows what it stored of itself."""
    own = None
    for number, event in enumerate(events):
        if isinstance(event, Stored) and event.by is None:
            own = event.node
        elif isinstance(event, Shown) and event.node == own:
            yield number, VectorClock({int(by): n for by, n in msgspec.json.decode(event.value).items()})
            own = None


@settings(max_examples=25)
@given(schedules, st.integers(0, 10**6))
def test_operations_claim_no_cause_that_was_none(schedule, seed):
    """The clocks of crdt_gossip count updates only: what they order, messages have ordered. The rest is not a cause."""
    params = {"mode": "operation", "type": "pn-counter", "period": 0.5}
    work = {"keys": 2, "rate": 6, "seconds": 6}
    events, history = history_of("crdt_gossip", at=schedule, seed=seed, params=params, workload=work)
    updates = list(updates_of(events))
    assert len({str(clock) for _, clock in updates}) == len(updates)
    for (number, clock), (other, another) in permutations(updates, 2):
        if clock.compare(another) == BEFORE:
            assert Cone(history, history.step(number)).relation(history.step(other)) is Relation.AFTER
