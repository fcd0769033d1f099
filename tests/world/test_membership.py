"""Beliefs in a World: held against an oracle that looks at all events again for every question."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gossiplab import ALIVE, DEAD, LEFT, SUSPECTED, UNKNOWN, Protocol
from gossiplab.events import Believed, Crashed, Departed, Killed, Listed, Paused, Rejoined
from gossiplab.nodeset import parse_nodes
from gossiplab.recording.possible import possible_world
from gossiplab.world.metrics import membership_figures
from gossiplab.world.world import World, new_world
from tests.helpers import events_of, header_of, run_of

NODES = 5
COMMANDS = (
    "kill n1", "kill n0,n2", "rejoin all", "rejoin n1 fresh", "leave n3", "partition n0-n1", "heal", "kill all",
    "rejoin all fresh", "kill n4", "pause n1,n4", "resume all",
)  # fmt: skip
schedules = st.lists(
    st.tuples(st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.3, 4.0]), st.sampled_from(COMMANDS)), max_size=10
)


def run(schedule, seed):
    return header_of(
        "chatter", nodes=NODES, until=5, seed=seed, params={"period": 0.3}, link={"latency": "0.05..0.4"},
        at=[f"{t} {command}" for t, command in schedule],
    )  # fmt: skip


class Oracle:
    """Beliefs as a plain dictionary, and every count made anew from it after each event."""

    def __init__(self, events):
        self.beliefs, self.incarnations = {}, {}
        self.up = dict.fromkeys(range(NODES), True)
        self.failures = {}
        self.done = []
        self.slow = set()
        self.false_suspicions = self.false_deaths = self.deaths_of_healthy = self.refutations = 0
        self.lived, self.t = 0.0, 0.0
        for event in events:
            self.take(event)

    def believers(self, about, *states):
        return [
            node
            for node in range(NODES)
            if node != about and self.up[node] and self.beliefs.get((node, about)) in states
        ]

    def take(self, event):
        self.lived += (event.t - self.t) * sum(self.up.values())
        self.t = event.t
        if isinstance(event, Believed):
            self.believe(event, event.about)
        elif isinstance(event, Listed):
            for about in parse_nodes(event.about, NODES):
                self.believe(event, about, one=False)
        elif isinstance(event, Killed | Crashed | Departed):
            self.up[event.node] = False
            if not isinstance(event, Departed):
                suspected = event.t if self.believers(event.node, SUSPECTED) else None
                declared = event.t if self.believers(event.node, DEAD) else None
                self.failures[event.node] = [event.node, event.t, suspected, declared, None]
                self.done.append(self.failures[event.node])
        elif isinstance(event, Paused):
            self.slow.add(event.node)
        elif isinstance(event, Rejoined):
            self.up[event.node] = True
            self.failures.pop(event.node, None)
            if event.fresh:
                for about in range(NODES):
                    self.beliefs.pop((event.node, about), None)
        for node, failure in self.failures.items():
            if failure[3] is None or self.believers(node, ALIVE, SUSPECTED):
                failure[4] = None
            elif failure[4] is None:
                failure[4] = event.t

    def believe(self, event, about, one=True):
        node, state = event.node, event.state
        before = self.beliefs.get((node, about), UNKNOWN)
        suspects, deads = self.believers(about, SUSPECTED, DEAD), self.believers(about, DEAD)
        higher = event.incarnation > self.incarnations.get((node, about), 0)
        if one and node == about and before == state == ALIVE and higher:
            self.refutations += 1
        self.beliefs[node, about] = state
        self.incarnations[node, about] = event.incarnation
        if before == state or node == about:
            return
        if self.up[about]:
            self.false_suspicions += state == SUSPECTED and not [each for each in suspects if each != node]
            first_dead = state == DEAD and not [each for each in deads if each != node]
            self.false_deaths += first_dead
            self.deaths_of_healthy += first_dead and about not in self.slow
        elif about in self.failures and self.failures[about][4] is None:
            place = {SUSPECTED: 2, DEAD: 3}.get(state)
            if place and self.failures[about][place] is None:
                self.failures[about][place] = event.t


def of(events):
    world = new_world(run([], 0))
    world.apply(events)
    return world


@settings(max_examples=60)
@given(schedules, st.integers(0, 5), st.floats(0, 1))
def test_the_fold_is_what_the_oracle_finds(schedule, seed, share):
    events = events_of(run(schedule, seed))
    events = events[: int(len(events) * share) + 1]
    world, oracle = of(events), Oracle(events)
    for node in range(NODES):
        for about in range(NODES):
            state = oracle.beliefs.get((node, about), UNKNOWN)
            assert world.membership.belief(node, about) == state
            if state != UNKNOWN:
                row = world.membership.beliefs[node]
                assert row.incarnation_of(about) == oracle.incarnations[node, about]
    figures = membership_figures(world)
    if figures is None:
        assert not oracle.beliefs
        return
    assert [
        [each.node, each.at, each.first_suspected, each.first_declared, each.last_to_know]
        for each in figures.failures
    ] == [[node, t, *(None if at is None else at - t for at in rest)] for node, t, *rest in oracle.done]
    assert (figures.false_suspicions, figures.false_deaths, figures.refutations) == (
        oracle.false_suspicions, oracle.false_deaths, oracle.refutations,
    )  # fmt: skip
    assert figures.false_deaths_of_healthy == oracle.deaths_of_healthy
    assert abs(world.membership.lived_until(world.t) - oracle.lived) < 1e-9


@given(schedules, st.integers(0, 3))
def test_a_keyframe_goes_on_where_the_fold_was(schedule, seed):
    events = events_of(run(schedule, seed))
    half = len(events) // 2
    again = msgspec.json.decode(msgspec.json.encode(of(events[:half])), type=World)
    assert possible_world(again, NODES)
    again.apply(events[half:])
    assert msgspec.json.encode(again) == msgspec.json.encode(of(events))


class Believer(Protocol):
    """Believes whatever a test wants."""

    says: tuple = ()

    def setup(self):
        """Believe it."""
        if self.id == 0:
            self.believe(*self.says)


def crash_of(*says):
    kind = type("Believer", (Believer,), {"says": says})
    return [event.error for event in run_of(kind, nodes=3, until=1) if isinstance(event, Crashed)]


def test_odd_beliefs_are_the_protocol_s_fault():
    assert "there is no such" not in "".join(crash_of(1, ALIVE))
    assert crash_of(1, ALIVE) == crash_of((), ALIVE) == crash_of([0, 1], LEFT, 3) == []
    for says, what in (
        ((3, ALIVE), "node 3, which does not exist"), ((-1, ALIVE), "node -1"), ((True, ALIVE), "node True"),
        (([0, 5], ALIVE), "node 5"), ((1, "ill"), "state 'ill'"), ((1, ALIVE, -1), "is -1"),
        ((1, ALIVE, True), "is True"), ((1, ALIVE, 1.0), "is 1.0"),
    ):  # fmt: skip
        assert what in crash_of(*says)[0]


def test_who_believes_nothing_has_no_figures():
    world = new_world(header_of("epidemic", nodes=4))
    world.apply(events_of(header_of("epidemic", nodes=4, at=["1 kill n1"])))
    assert membership_figures(world) is None
    assert world.membership.failures == []
