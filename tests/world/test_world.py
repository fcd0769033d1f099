"""The World is what the events add up to: against an oracle that looks at all of them again for every question."""

import json
from math import ceil, floor

import msgspec
import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossiplab import Cycle, Message, Protocol
from gossiplab.events import (
    Began,
    Calmed,
    Commanded,
    Crashed,
    Delayed,
    Delivered,
    Departed,
    Dropped,
    Duplicated,
    Ended,
    Healed,
    Held,
    Injected,
    Killed,
    Learned,
    Paused,
    Rejoined,
    Resumed,
    Retired,
    Sent,
    Severed,
    Shaped,
    Shown,
    Skewed,
    Wired,
)
from gossiplab.nodeset import format_nodes, parse_nodes
from gossiplab.world.metrics import message_figures, rumor_figures
from gossiplab.world.parts import ALIVE, DEAD, LEFT, PAUSED, CutSet, Node
from gossiplab.world.world import LINGER, World, new_world
from tests.helpers import events_of, header_of, only, run_of

COMMANDS = (
    "kill n1", "kill n0,n2", "rejoin all", "rejoin n1 fresh", "leave n3", "partition n0-n1", "heal", "inject n0",
    "inject n4", "cut n0 to n4", "link all all loss=0.5 duplicate=0.5", "rejoin all fresh", "kill all",
    "partition n2 from n4", "link n0 n1 latency=0.9",
    "pause n1", "pause n0,n3", "resume all", "pause all", "hold", "hold n2-n3", "release", "release n2", "drop m3",
    "delay m5 0.7", "duplicate m2", "duplicate m9", "delay m12 0", "drop m20", "skew n1 1.5", "skew all 0.7",
    "skew n0-n2 +0.3", "skew n0 -0.9", "skew all off", "flap n2 up=0.4 down=0.3", "flap n0,n4 up=1 down=0.5 for=2",
    "churn 1.5 down=0.5", "churn 2 for=1.5 fresh", "calm", "link n1 to all loss=1",
)  # fmt: skip
schedules = st.lists(
    st.tuples(st.sampled_from([0.0, 0.5, 1.0, 1.0, 2.0, 3.3]), st.sampled_from(COMMANDS)), max_size=12
)


def run(schedule, seed, protocol="chatter", **params):
    return header_of(
        protocol, nodes=5, until=5, seed=seed, topology="ring", params=params,
        at=[f"{t} {command}" for t, command in schedule],
        link={"latency": "0.05..0.6", "duplicate": 0.15, "loss": 0.15},
    )  # fmt: skip


class Oracle:
    """What is so after some events, by going through all of them for each answer."""

    def __init__(self, events, nodes):
        self.events = events
        self.nodes = nodes
        self.born = {e.id: e for e in events if isinstance(e, Sent | Duplicated)}

    def of(self, kind, **fields):
        return [
            e
            for e in only(self.events, kind)
            if all(getattr(e, name) == value for name, value in fields.items())
        ]

    def sent(self, id):
        """The sending of a message, of whose copies it may be one."""
        event = self.born[id]
        return event if isinstance(event, Sent) else self.sent(event.of)

    def status(self, node):
        changes = [
            e for e in self.events
            if isinstance(e, Killed | Departed | Crashed | Rejoined | Paused | Resumed) and e.node == node
        ]  # fmt: skip
        if not changes:
            return "alive", 0.0
        words = {Killed: "dead", Departed: "left", Crashed: "crashed", Rejoined: "alive"}
        words |= {Paused: "paused", Resumed: "alive"}
        return words[type(changes[-1])], changes[-1].t

    def fresh_since(self, node):
        """The index of the event at which a node forgot everything; -1: never."""
        return max(
            (i for i, e in enumerate(self.events) if isinstance(e, Rejoined) and e.node == node and e.fresh),
            default=-1,
        )

    def shown(self, node):
        return {
            e.name: json.loads(bytes(e.value))
            for e in self.events[self.fresh_since(node) + 1 :]
            if isinstance(e, Shown) and e.node == node
        }

    def flights(self):
        over = {e.id for e in self.events if isinstance(e, Delivered | Dropped)}
        return {
            id: (self.sent(id).src, self.sent(id).dst, e.t, self.due(e), self.sent(id).carries)
            for id, e in self.born.items()
            if id not in over
        }

    def due(self, born):
        delays = self.of(Delayed, id=born.id)
        if delays:
            return delays[-1].due
        return born.due

    def unrest(self):
        under_way = [e.fault for e in self.of(Began)]
        for e in self.of(Calmed):
            under_way.remove(e.fault)
        return sorted(under_way)

    def arrivals(self, rumor):
        arrivals = {}
        for e in self.of(Learned, rumor=rumor):
            if self.events.index(e) > self.fresh_since(e.node):
                by = None if e.by is None else self.sent(e.by).src
                arrivals[e.node] = (e.t, e.by, by)
        return arrivals

    def retired(self, rumor):
        return {
            e.node: e.t
            for e in self.of(Retired, rumor=rumor)
            if self.events.index(e) > self.fresh_since(e.node)
        }

    def up(self, count):
        """The nodes that are up after the first so many events."""
        before = Oracle(self.events[:count], self.nodes)
        return {node for node in range(self.nodes) if before.status(node)[0] in ("alive", "paused")}

    def moments(self):
        """Losses of nodes, and each time that all nodes that are up came to know a rumor."""
        moments, complete = [], set()
        for count, e in enumerate(self.events, 1):
            before = Oracle(self.events[: count - 1], self.nodes)
            if isinstance(e, Killed | Departed | Crashed) and before.status(e.node)[0] in ("alive", "paused"):
                moments.append((e.t, "lost", e.node))
            if not isinstance(e, Learned | Killed | Departed | Crashed | Rejoined):
                continue
            after = Oracle(self.events[:count], self.nodes)
            up = self.up(count)
            for rumor in range(len(after.of(Injected))):
                whole = bool(up) and up <= after.arrivals(rumor).keys()
                if whole and rumor not in complete:
                    moments.append((e.t, "converged", rumor))
                if whole:
                    complete.add(rumor)
                elif up:
                    complete.discard(rumor)
        return moments

    def taught(self):
        """How many deliveries taught something and how many nothing, of those that carry rumors."""
        useful = redundant = 0
        for count, e in enumerate(self.events):
            if isinstance(e, Delivered) and self.sent(e.id).carries:
                before, message = Oracle(self.events[:count], self.nodes), self.sent(e.id)
                knew = all(message.dst in before.arrivals(rumor) for rumor in message.carries)
                useful, redundant = useful + (not knew), redundant + knew
        return useful, redundant

    def cuts(self):
        healed = max((i for i, e in enumerate(self.events) if isinstance(e, Healed)), default=-1)
        return [(e.a, e.b, e.both) for e in self.events[healed + 1 :] if isinstance(e, Severed)]

    def is_cut(self, a, b):
        for first, second, both in self.cuts():
            one, other = parse_nodes(first, self.nodes), parse_nodes(second, self.nodes)
            if (a in one and b in other) or (both and b in one and a in other):
                return True
        return False


def agree(world: World, oracle: Oracle):
    events = oracle.events
    assert world.events == len(events)
    assert world.t == (events[-1].t if events else 0.0)
    assert (world.sent, world.duplicated) == (len(oracle.of(Sent)), len(oracle.of(Duplicated)))
    assert (world.delivered, world.dropped) == (len(oracle.of(Delivered)), len(oracle.of(Dropped)))
    assert world.bytes == sum(e.size for e in oracle.of(Sent))
    assert world.sent + world.duplicated == world.delivered + world.dropped + len(world.flights)
    assert world.ended == next((e.why for e in oracle.of(Ended)), None)
    assert world.edges == next((e.edges for e in oracle.of(Wired)), None)
    for node, seen in enumerate(world.nodes):
        assert (seen.status, seen.since) == oracle.status(node)
        assert seen.lives == 1 + len(oracle.of(Rejoined, node=node))
        assert seen.sent == len(oracle.of(Sent, src=node))
        assert seen.received == sum(oracle.sent(e.id).dst == node for e in oracle.of(Delivered))
        assert seen.shown == oracle.shown(node)
    assert {id: (e.src, e.dst, e.t, e.due, e.carries) for id, e in world.flights.items()} == oracle.flights()
    assert all(e.id == id for id, e in world.flights.items())
    assert [(rumor.source, rumor.t) for rumor in world.rumors] == [(e.node, e.t) for e in oracle.of(Injected)]
    for id, rumor in enumerate(world.rumors):
        assert rumor.arrivals == oracle.arrivals(id)
        assert rumor.retired == oracle.retired(id)
        assert rumor.updates == sum(e.carries.count(id) for e in oracle.of(Sent))
        alive = [node for node in range(oracle.nodes) if oracle.status(node)[0] in ("alive", "paused")]
        assert world.knowing(id) == rumor.live == sum(node in oracle.arrivals(id) for node in alive)
        assert world.infective(id) == sum(
            node in oracle.arrivals(id) and node not in oracle.retired(id) for node in alive
        )
    assert world.alive == len(oracle.up(len(events)))
    kinds = {e.kind: [] for e in oracle.of(Sent)}
    for e in oracle.of(Sent):
        kinds[e.kind].append(e)
    assert {kind: (tally.sent, tally.bytes) for kind, tally in world.kinds.items()} == {
        kind: (len(these), sum(e.size for e in these)) for kind, these in kinds.items()
    }
    assert list(world.kinds) == list(kinds)
    assert [tuple(cut) for cut in world.cuts] == oracle.cuts()
    assert [tuple(shape) for shape in world.shapes] == [
        (e.a, e.b, e.settings, e.both) for e in oracle.of(Shaped)
    ]
    assert world.held == next((e.nodes for e in reversed(oracle.of(Held))), "none")
    assert sorted(world.unrest) == oracle.unrest()
    clocks = {e.node: (e.rate, e.offset, e.t) for e in oracle.of(Skewed)}
    assert world.clocks == {node: clock for node, clock in clocks.items() if clock[:2] != (1, 0)}
    assert [tuple(deed) for deed in world.deeds] == [(e.t, e.command) for e in oracle.of(Commanded)]
    assert [tuple(crash) for crash in world.crashes] == [
        (e.t, e.node, e.file, e.line, e.error) for e in oracle.of(Crashed)
    ]
    for a in range(oracle.nodes):
        for b in range(oracle.nodes):
            assert world.cut(a, b) == oracle.is_cut(a, b)
    # whatever was lost a moment ago, is there
    recent = [e.id for e in oracle.of(Dropped) if e.t + LINGER >= world.t]
    lost = [(loss.message.id, loss.t, loss.why) for loss in world.lost]
    assert [each for each in lost if each[0] in recent] == [
        (e.id, e.t, e.why) for e in oracle.of(Dropped) if e.id in recent
    ]


@given(schedules, st.integers(0, 20), st.floats(0, 1))
@settings(max_examples=60)
def test_the_fold_agrees_with_the_oracle(schedule, seed, where):
    header = run(schedule, seed, retire_after=3, period=0.7)
    events = events_of(header)
    count = int(where * len(events))
    for part in (events[:count], events):
        world = new_world(header)
        world.apply(part)
        agree(world, Oracle(part, 5))


@given(schedules, st.integers(0, 20))
@settings(max_examples=15)
def test_what_was_notable_and_what_was_taught_agree_with_the_oracle(schedule, seed):
    events = events_of(run(schedule, seed, retire_after=3, period=0.7))[:250]
    world = new_world(run(schedule, seed))
    world.apply(events)
    oracle = Oracle(events, 5)
    assert [tuple(moment) for moment in world.moments] == oracle.moments()
    assert (world.useful, world.redundant) == oracle.taught()


@given(
    schedules, st.integers(0, 5), st.sampled_from(["handler", "round", "timer", "setup", "leave", "rejoin"])
)
@settings(max_examples=20)
def test_the_fold_agrees_with_the_oracle_about_crashes(schedule, seed, where):
    header = run(schedule, seed, "faulty", where=where, first=2)
    events = events_of(header)
    world = new_world(header)
    world.apply(events)
    agree(world, Oracle(events, 5))


@given(schedules, st.integers(0, 5), st.lists(st.integers(1, 30)))
@settings(max_examples=30)
def test_how_events_are_batched_changes_nothing(schedule, seed, sizes):
    header = run(schedule, seed)
    events = events_of(header)
    whole, pieces = new_world(header), new_world(header)
    whole.apply(events)
    rest = iter(events)
    for size in sizes:
        pieces.apply([event for _, event in zip(range(size), rest, strict=False)])
    pieces.apply(list(rest))
    pieces.apply([])
    assert pieces == whole
    assert msgspec.json.encode(pieces) == msgspec.json.encode(whole)


@given(schedules, st.integers(0, 5))
@settings(max_examples=30)
def test_a_world_survives_being_written(schedule, seed):
    header = run(schedule, seed)
    events = events_of(header)
    world = new_world(header)
    world.apply(events[: len(events) // 2])
    again = msgspec.json.decode(msgspec.json.encode(world), type=World)
    assert msgspec.json.encode(again) == msgspec.json.encode(world)
    again.apply(events[len(events) // 2 :])
    world.apply(events[len(events) // 2 :])
    assert msgspec.json.encode(again) == msgspec.json.encode(world)


def test_two_worlds_share_nothing():
    header = run([(0.0, "inject n0"), (1.0, "cut n0 to n1")], 1)
    events = events_of(header)
    first, second = new_world(header), new_world(header)
    first.apply(events)
    assert second == new_world(header)
    assert first != second


# words ---------------------------------------------------------------------------------------------


def word_after(*texts, until=0.0, **fields):
    header = header_of("chatter", nodes=3, until=until, at=["0 inject n0", *texts], **fields)
    world = new_world(header)
    world.apply(events_of(header))
    return world.word()


def test_the_state_in_one_word():
    assert word_after() == "spreading"
    assert word_after("0 partition n0") == "partitioned"
    assert word_after("0 partition n0", "0 heal") == "spreading"
    assert word_after("0 kill n0") == "quiescent"
    assert word_after("0 kill all") == "quiescent"
    assert word_after("0 kill n1,n2") == "converged"
    assert word_after(until=30) == "converged"
    assert word_after("0 inject n1", until=30) == "converged"
    assert word_after("30 inject n1", until=30) == "spreading"
    assert word_after(until=10, params={"retire_after": 1, "fanout": 0}) == "quiescent"
    assert new_world(header_of("chatter", nodes=3)).word() == "quiescent"
    assert new_world(header_of("chatter", nodes=0)).word() == "quiescent"


def test_a_cut_that_parts_nobody_is_no_partition():
    assert word_after("0 cut n0 to n1") == "spreading"
    assert word_after("0 cut n0 to n1", "0 cut n0 to n2") == "partitioned"
    assert word_after("0 cut n1 to n0", "0 cut n2 to n0") == "partitioned"  # nobody tells n0 anything
    assert word_after("0 cut n0 to n1", topology="tree") == "partitioned"
    assert word_after("0 cut n1 to n2", topology="tree") == "spreading"  # where no link leads
    assert word_after("0 partition n0 from n1") == "spreading"
    assert word_after("0 partition n0 from n1", "0 kill n2") == "partitioned"  # which was between them
    assert word_after("0 partition n2", "0 kill n2", until=30) == "converged"  # among those that are up
    assert word_after("0 partition n2", "0 kill n1,n2") == "converged"


@given(st.data())
def test_partitioned_is_what_networkx_says_it_is(data):
    n = data.draw(st.integers(2, 7))
    which = st.sets(st.integers(0, n - 1), min_size=1).map(format_nodes)
    cuts = data.draw(st.lists(st.builds(CutSet, which, which, st.booleans()), min_size=1, max_size=4))
    pairs = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda pair: pair[0] < pair[1])
    edges = data.draw(st.none() | st.sets(pairs).map(lambda each: tuple(sorted(each))))
    states = data.draw(st.lists(st.sampled_from([ALIVE, ALIVE, PAUSED, DEAD, LEFT]), min_size=n, max_size=n))
    world = World(nodes=[Node(status=each, shown={}) for each in states], cuts=cuts, edges=edges)
    up = [node for node in range(n) if world.nodes[node].up]

    graph = nx.complete_graph(n) if edges is None else nx.empty_graph(n)
    graph.add_edges_from(edges or ())
    living = graph.subgraph(up)
    open_links = nx.DiGraph()
    open_links.add_nodes_from(up)
    open_links.add_edges_from(link for link in living.to_directed().edges if not world.cut(*link))
    parts = [open_links.subgraph(each) for each in nx.connected_components(living)]
    assert (world.word() == "partitioned") == (not all(map(nx.is_strongly_connected, parts)))


def test_an_update_in_flight_is_spreading_when_nobody_is_left_who_spreads():
    header = header_of("chatter", nodes=2, until=1.5, link={"latency": "9"}, at=["0 inject n0", "1.2 kill n0"],
                       params={"period": 0.1})  # fmt: skip
    world = new_world(header)
    world.apply(events_of(header))
    assert world.infective(0) == 0
    assert world.word() == "spreading"


# figures -------------------------------------------------------------------------------------------


@given(schedules, st.integers(0, 20))
@settings(max_examples=40)
def test_figures_are_what_they_are_called(schedule, seed):
    header = run(schedule, seed)
    events = events_of(header)
    world = new_world(header)
    world.apply(events)
    oracle = Oracle(events, 5)
    figures = message_figures(world)
    assert figures.sent + figures.duplicated == figures.delivered + figures.dropped + figures.in_flight
    for each in rumor_figures(world):
        injected = oracle.of(Injected)[each.id]
        arrivals: dict[
            int, float
        ] = {}  # the first ones: who rejoined fresh and heard again was reached before
        for event in oracle.of(Learned):
            if event.rumor == each.id:
                arrivals.setdefault(event.node, event.t)
        times = [t - injected.t for node, t in arrivals.items() if node != injected.node]
        assert each.source == injected.node
        assert each.reached == len(arrivals)
        assert each.residue == 1 - len(arrivals) / 5
        assert each.traffic == sum(e.carries.count(each.id) for e in oracle.of(Sent)) / 5
        assert each.t_last == max(times, default=None)
        assert each.t_ave == (pytest.approx(sum(times) / len(times)) if times else None)


class Slow(Protocol):
    """Learns a while after it has heard, from no message."""

    def on_inject(self, rumor):
        for peer in self.peers:
            self.send(peer, Word(rumor), carries=(rumor,))

    def on_word(self, sender, word):
        self.after(2 + self.id, self.learn, word.rumor)


class Word(Message):
    """A rumor."""

    rumor: int


def test_who_learns_without_a_message_counts_like_everybody():
    header = header_of(Slow, nodes=3, link={"latency": "1"}, until=9, at=["1 inject n0"])
    world = new_world(header)
    world.apply(run_of(Slow, nodes=3, link={"latency": "1"}, until=9, at=["1 inject n0"]))
    (figures,) = rumor_figures(world)
    assert (figures.reached, figures.t_ave, figures.t_last) == (3, 4.5, 5.0)


@given(st.floats(0.001, 100), st.integers(0, 500), st.integers(0, 500))
def test_aligned_cycles_count_those_that_begin_after_the_injection(period, start, more):
    cycle = Cycle(period, aligned=True)
    assert cycle.count(start * period, (start + more) * period) == more
    # within a cycle, wherever, it is that cycle
    assert cycle.count((start + 0.3) * period, (start + more + 0.7) * period) == more


@given(st.floats(0.001, 100), st.floats(0, 500), st.floats(0, 500))
def test_cycles_of_ones_own_count_from_the_injection(period, start, more):
    cycle = Cycle(period, aligned=False)
    count = cycle.count(start, start + more)
    assert count >= 0
    assert abs(count - ceil(more / period)) <= (abs(more / period - round(more / period)) < 1e-6)
    assert cycle.count(start, start) == 0
    whole = floor(more)
    assert cycle.count(start, start + whole * period) in {whole, whole + 1 if start > 1e3 * period else whole}


def test_arrivals_in_the_ith_cycle_count_i():
    cycle = Cycle(1.0, aligned=True)
    assert [cycle.count(0.0, t) for t in (0.0, 0.999, 1.0, 1.5, 2.0)] == [0, 0, 1, 1, 2]
    assert [cycle.count(0.5, t) for t in (0.5, 1.0, 1.999)] == [0, 1, 1]
    own = Cycle(1.0, aligned=False)
    assert [own.count(0.5, t) for t in (0.5, 0.75, 1.5, 1.51, 2.5)] == [0, 1, 1, 2, 2]
