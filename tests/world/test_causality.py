"""Happened before, against the transitive closure of program order and messages, taken from the events themselves."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossiplab.events import Delivered, Duplicated, Learned, Sent, Shown
from gossiplab.world.causality import Cone, Relation
from gossiplab.world.history import AWARE, SILENT, UNAWARE, History
from gossiplab.world.world import new_world
from tests.helpers import events_of
from tests.world.test_world import run, schedules


def histories(header, events, start=0):
    """A history of the events from number `start` on."""
    world = new_world(header)
    world.apply(events[:start])
    history = History(world, world.t)
    history.take(events[start:])
    return history


class Closure:
    """All pairs (a, b) such that a happened before b, by brute force."""

    def __init__(self, events):
        self.node = {}
        born, sending = {}, {}
        edges = {}
        for number, event in enumerate(events):
            if isinstance(event, Sent):
                born[event.id], sending[event.id], node = event, number, event.src
            elif isinstance(event, Duplicated):
                born[event.id], sending[event.id] = born[event.of], sending[event.of]
                continue
            elif isinstance(event, Delivered):
                node = born[event.id].dst
                edges.setdefault(sending[event.id], []).append(number)
            elif hasattr(event, "node"):
                node = event.node
            else:
                continue
            self.node[number] = node
        for node in set(self.node.values()):
            for a, b in pairwise(number for number in self.node if self.node[number] == node):
                edges.setdefault(a, []).append(b)
        self.after = {}
        for number in sorted(self.node, reverse=True):
            self.after[number] = set()
            for other in edges.get(number, ()):
                self.after[number] |= {other} | self.after[other]

    def relation(self, a, b):
        """What event `a` is to event `b`."""
        if a == b:
            return Relation.SELF
        if b in self.after[a]:
            return Relation.BEFORE
        return Relation.AFTER if a in self.after[b] else Relation.CONCURRENT


@settings(max_examples=25)
@given(schedules, st.integers(0, 1000), st.randoms(use_true_random=False))
def test_relations_are_those_of_the_transitive_closure(schedule, seed, random):
    header = run(schedule, seed)
    events = events_of(header)
    closure = Closure(events)
    history = histories(header, events)
    assert [step.number for step in history.steps] == list(closure.node)
    assert all(step.node == closure.node[step.number] for step in history.steps)
    for step in random.sample(history.steps, min(12, len(history.steps))):
        cone = Cone(history, step)
        relations = [cone.relation(each) for each in history.steps]
        assert relations == [closure.relation(each.number, step.number) for each in history.steps]
        counted = relations.count
        assert (cone.before, cone.after, cone.concurrent) == (
            counted(Relation.BEFORE), counted(Relation.AFTER), counted(Relation.CONCURRENT)
        )  # fmt: skip


@settings(max_examples=25)
@given(schedules, st.integers(0, 1000), st.data())
def test_a_window_tells_the_truth_about_what_is_in_it(schedule, seed, data):
    header = run(schedule, seed)
    events = events_of(header)
    closure = Closure(events)
    history = histories(header, events, data.draw(st.integers(0, len(events) // 2)))
    forgotten = data.draw(st.floats(0, 4))
    history.forget(forgotten)
    assert all(step.t > forgotten for step in history.steps)
    assert all(step in history.rows[step.node] for step in history.steps)
    assert sum(map(len, history.rows)) == len(history.steps)
    if history.steps:
        step = data.draw(st.sampled_from(history.steps))
        cone = Cone(history, step)
        assert all(
            cone.relation(each) == closure.relation(each.number, step.number) for each in history.steps
        )


@settings(max_examples=25)
@given(schedules, st.integers(0, 1000), st.data())
def test_a_cone_grows_with_its_run(schedule, seed, data):
    header = run(schedule, seed)
    events = events_of(header)
    cuts = sorted(data.draw(st.lists(st.integers(1, len(events)), min_size=1, max_size=5)))
    history = History(new_world(header), -1.0)
    history.take(events[: cuts[0]])
    if not history.steps:
        return
    cone = Cone(history, data.draw(st.sampled_from(history.steps)))
    for start, stop in pairwise([*cuts, len(events)]):
        history.take(events[start:stop])
        cone.follow(history)
    whole = Cone(histories(header, events), cone.step)
    assert (cone.last, cone.first) == (whole.last, whole.first)
    assert (cone.before, cone.after, cone.concurrent) == (whole.before, whole.after, whole.concurrent)


@settings(max_examples=25)
@given(schedules, st.integers(0, 1000), st.data())
def test_a_history_knows_what_a_world_knows(schedule, seed, data):
    header = run(schedule, seed)
    events = events_of(header)
    start = data.draw(st.integers(0, len(events)))
    stop = data.draw(st.integers(start, len(events)))
    history = histories(header, events[:stop], start)
    world = new_world(header)
    world.apply(events[:stop])
    minds = {0: AWARE, 1: SILENT}
    for id, node in enumerate(world.nodes):
        assert history.lives(id)[-1][1] == node.status
        for number, rumor in enumerate(world.rumors):
            told = history.minds(id, number)
            mind = told[-1][1] if told else UNAWARE
            assert mind == (minds[id in rumor.retired] if id in rumor.arrivals else UNAWARE)


def test_a_message_that_never_was_is_refused_where_it_stands():
    header = run([], 1)
    events = events_of(header)
    history = History(new_world(header), -1.0)
    with pytest.raises(LookupError):
        history.take([*events[:20], Delivered(events[19].t, 10**6), *events[20:]])
    assert history.next == 20
    history.take(events[20:])
    assert history.next == len(events)


def test_what_a_node_learns_from_a_message_comes_after_its_sending():
    header = run([(0.5, "inject n0")], 3)
    events = events_of(header)
    history = histories(header, events)
    learned = [
        step for step in history.steps if isinstance(step.event, Learned) and step.event.by is not None
    ]
    assert learned
    for step in learned:
        original = _original(events, step.event.by)
        sending = next(
            n for n, event in enumerate(events) if isinstance(event, Sent) and event.id == original
        )
        cone = Cone(history, history.step(sending))
        assert cone.relation(step) is Relation.AFTER
    assert history.step(0) is None  # how the nodes are wired happens at none of them
    assert any(isinstance(step.event, Shown) for step in history.between(0, 0.0, 5.0))


def _original(events, id):
    return next((e.of for e in events if isinstance(e, Duplicated) and e.id == id), id)
