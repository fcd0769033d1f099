"""Scuttlebutt: no version is ever skipped, all mappings become equal, and which order fits a budget best."""

from bisect import bisect_right
from collections import defaultdict
from random import Random
from statistics import mean

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossiplab.engine.run import run_lab
from gossiplab.events import (
    Delivered,
    Emptied,
    Refused,
    Rejoined,
    Repaired,
    Repairing,
    Sent,
    Stored,
    Versioned,
)
from gossiplab.world.metrics import replica_figures
from gossiplab.world.world import new_world
from tests.helpers import bytes_of, events_of, header_of, lab_of, only

FAST = {"latency": "0.001..0.005"}


def header(nodes, until, *at, seed=0, work=None, link=FAST, **params):
    fields = {"workload": work} if work else {}
    return header_of(
        "scuttlebutt", nodes=nodes, until=until, at=at, seed=seed, link=link, params=params, **fields
    )


def world_of(*args, **fields):
    about = header(*args, **fields)
    world = new_world(about)
    run_lab(lab_of(about, world.apply))
    assert not world.crashes
    return world


def assert_equal_stores(world):
    replicas = world.replicas
    for key in replicas.names():
        assert len({replicas.held(node, key) for node in range(len(world.nodes))}) == 1, key


def number(name):
    """Which update of its participant a version is: of 17@n3 the 17th."""
    return int(name.partition("@")[0])


class Clerk:
    """Knows from events alone what every participant has written, and what everybody holds of it.

    written: of each participant, when it made version 1, 2, 3 ... latest: the present version of each of its keys.
    held: by node and participant, versions by key. top: the highest of them.
    """

    def __init__(self):
        self.written = defaultdict(list)
        self.latest = defaultdict(dict)
        self.held = defaultdict(dict)
        self.top = defaultdict(int)

    def fold(self, event):
        if isinstance(event, Versioned):
            owner, version = event.key.partition("/")[0], number(event.name)
            self.written[owner].append(event.t)
            assert version == len(self.written[owner])
            self.latest[owner][event.key] = version
        elif isinstance(event, Stored):
            owner, version = event.key.partition("/")[0], number(event.versions[0])
            at = event.node, owner
            assert version > self.top[at], "heard out of order"
            self.held[at][event.key] = self.top[at] = version
            self.assert_nothing_skipped(at)
        elif isinstance(event, Emptied | Rejoined) and (isinstance(event, Emptied) or event.fresh):
            for at in [at for at in self.held if at[0] == event.node]:
                del self.held[at], self.top[at]

    def assert_nothing_skipped(self, at):
        """The paper's invariant: the present value of a key, or that is above all that was heard."""
        for key, version in self.latest[at[1]].items():
            assert version > self.top[at] or self.held[at].get(key) == version, (at, key)

    def stale(self, nodes, now):
        """How many mappings of others are not the present ones, and since when the longest of them has not been, in s."""
        count, longest = 0, 0.0
        for owner, times in self.written.items():
            present = sorted(self.latest[owner].values())
            for node in range(nodes):
                top = self.top.get((node, owner), 0)
                if top < len(times):
                    count += len(present) - bisect_right(present, top)
                    longest = max(longest, now - times[top])
        return count, longest


# reconciliation -----------------------------------------------------------------------------------


FAULTS = [
    "wipe n{}",
    "kill n{}",
    "rejoin n{} fresh",
    "rejoin n{}",
    "pause n{}",
    "resume n{}",
    "partition n{}",
    "heal",
]


@given(st.integers(0, 10**6), st.sampled_from(["depth", "breadth"]), st.sampled_from([1, 60, 200, 10_000]))
@settings(max_examples=15)
def test_no_version_is_ever_skipped(seed, order, budget):
    """Whatever is lost, doubled, reordered, forgotten and cut, and however little fits into a message."""
    random = Random(seed)
    at = [
        f"{tick} {random.choice(FAULTS).format(random.randrange(4))}"
        for tick in range(1, 12)
        if random.random() < 0.5
    ]
    work = {"keys": 5, "rate": 8.0, "deletes": 0.1, "seconds": 12.0}
    link = {"latency": "0.01..0.9", "loss": 0.2, "duplicate": 0.3, "reorder": 0.5}
    end = (
        "13 heal",
        "13 resume all",
        "13 rejoin all",
        "13 link all all latency=0.01 loss=0 duplicate=0 reorder=0",
    )
    about = header(
        4, 160.0, *at, *end, seed=seed, work=work, link=link, order=order, budget=budget, period=0.5
    )
    clerk, world = Clerk(), new_world(about)

    def fold(events):
        for event in events:
            clerk.fold(event)
        world.apply(events)

    run_lab(lab_of(about, fold))
    assert not world.crashes
    assert_all_hold_what_is_there(clerk, world)


def assert_all_hold_what_is_there(clerk, world):
    """The mapping of each participant that has it itself. Of one that is gone for good nobody may have the last updates."""
    there = 0
    for owner, keys in clerk.latest.items():
        own = clerk.held[int(owner[1:]) % 100_000, owner]
        if all(own.get(key) == version for key, version in keys.items()):
            there += 1
            for key, version in keys.items():
                held = {world.replicas.held(node, key) for node in range(len(world.nodes))}
                assert held == {(f"{version}@{owner}",)}, key
    assert there


@pytest.mark.parametrize("order", ["depth", "breadth"])
def test_all_mappings_become_equal_and_a_repair_tells_how_much_was_new(order):
    about = header(2, 12.0, seed=3, work={"keys": 30, "rate": 40.0, "seconds": 6.0}, order=order)
    world = new_world(about)
    expected, told = {}, {}
    for event in events_of(about):
        if isinstance(event, Repairing):
            replicas = world.replicas
            expected[event.id] = sum(
                replicas.held(0, key) != replicas.held(1, key) for key in replicas.names()
            )
        elif isinstance(event, Repaired):
            told[event.id] = event.differing
        world.apply([event])
    assert_equal_stores(world)
    close = [
        abs(told[id] - expected[id]) for id in told
    ]  # what is written while messages travel counts as well
    assert max(close) <= 2
    assert sum(close) < 4
    assert max(told.values()) > 10


def test_a_digest_is_one_number_a_participant_and_what_is_known_is_not_sent():
    about = header(3, 9.0, *(f"0.1 write n0 k{key} v" for key in range(50)))
    events = events_of(about)
    late = [event for event in only(events, Sent) if event.t > 6]
    assert {event.kind for event in late} == {"Syn", "Ack"}
    assert all(b"k1" not in bytes(event.body) and event.size < 70 for event in late)
    sent = [msgspec.json.decode(event.body)["deltas"] for event in only(events, Sent) if event.kind != "Syn"]
    assert sum(len(run[2]) for deltas in sent for run in deltas) in {
        100,
        150,
    }  # once or, in two at a time, twice


@pytest.mark.parametrize("order", ["depth", "breadth"])
def test_deltas_fit_into_the_budget(order):
    about = header(8, 20.0, work={"keys": 20, "rate": 100.0, "seconds": 10.0}, order=order, budget=300)
    events = events_of(about)
    runs = [
        (event, msgspec.json.decode(event.body)["deltas"])
        for event in only(events, Sent)
        if event.kind != "Syn"
    ]
    sizes = [len(msgspec.json.encode(deltas)) for _, deltas in runs]
    assert max(sizes) <= 301  # 300 and a bracket
    assert max(sizes) > 260
    large = world_of(2, 5.0, "1 write n0 k " + "x" * 1000, "1 write n0 l y", budget=100)
    assert_equal_stores(large)  # what fits nowhere goes alone
    assert large.replicas.total == 2


def test_depth_sends_all_of_one_and_breadth_some_of_all():
    at = [f"0.1 write n{node} k{key} v" for node in range(4) for key in range(10 + node)] + ["0 partition n5"]
    first = {}
    for order in ("depth", "breadth"):
        about = header(6, 30.0, *at, "20 heal", order=order, budget=200)
        events = events_of(about)
        bodies = {event.id: event for event in only(events, Sent)}
        delivered = [bodies[event.id] for event in only(events, Delivered)]
        reply = next(event for event in delivered if event.dst == 5 and event.t > 20 and event.kind != "Syn")
        first[order] = {run[0]: len(run[2]) for run in msgspec.json.decode(reply.body)["deltas"]}
    assert next(iter(first["depth"])) == 3  # of which there are most
    assert len(first["depth"]) == 1
    assert first["depth"][3] > 5
    assert set(first["breadth"]) == {0, 1, 2, 3}
    assert max(first["breadth"].values()) - min(first["breadth"].values()) <= 1


# who writes what ----------------------------------------------------------------------------------


def test_everybody_writes_its_own_keys_and_reads_those_of_all():
    at = (
        "1 write n1 n1/k a",
        "1 write n2 k b",
        "2 write n2 n1/k c",
        "9 read n0 n1/k",
        "9 read n0 k",
        "9 read n0 n2/k",
    )
    about = header(3, 10.0, *at)
    events = events_of(about)
    assert [event.why for event in only(events, Refused)] == [
        "n2 writes only its own keys, n2/...", "say whose k to read: n0/k or another's",
    ]  # fmt: skip
    world = new_world(about)
    world.apply(events)
    figures = replica_figures(world)
    assert (figures.keys, figures.writes, figures.failed_writes, figures.reads) == (2, 2, 1, 2)
    # n2 keeps k as n2/k, so the answer to its write cannot say which version of k it made
    assert (figures.stale_reads, figures.lost_writes) == (None, None)


@pytest.mark.parametrize("loss", ["wipe n1", "restore n1", "corrupt n1 1", "kill n1"])
def test_who_lost_its_disk_writes_as_somebody_new(loss):
    at = ["1 write n1 k a", "2 write n1 k b", "6 backup n1", "7 write n1 k c", f"12 {loss}"]
    at += ["13 rejoin n1 fresh"] * (loss == "kill n1")
    events = events_of(header(3, 30.0, *at, "14 write n1 k d", "15 write n1 k e"))
    made = [(event.key, event.value) for event in only(events, Versioned) if event.value in tuple("abcde")]
    assert made[:3] == [("n1/k", "a"), ("n1/k", "b"), ("n1/k", "c")]
    (new,) = {key for key, value in made if value in "de"}
    assert int(new[1:].partition("/")[0]) % 100_000 == 1
    assert new != "n1/k"
    assert {(event.key, event.node) for event in only(events, Stored)} >= {
        (key, node) for key in ("n1/k", new) for node in range(3)
    }


def test_they_are_executed_again_to_the_byte():
    work = {"keys": 4, "rate": 6.0, "deletes": 0.2, "seconds": 8.0}
    at = ("2 kill n1", "3 rejoin n1 fresh", "4 wipe n2", "5 corrupt n3 2", "6 partition n0", "7 heal")
    about = header(4, 12.0, *at, work=work, budget=100, order="breadth")
    assert bytes_of(about) == bytes_of(about)


# the budget ---------------------------------------------------------------------------------------


def course(order, nodes, keys, rate, busy, until, budget, seed=0, at=()):
    """Every second the stale mappings, in all and of the one who has most, and the greatest staleness."""
    work = {"keys": keys, "rate": rate, "size": 1, "seconds": busy}
    about = header(nodes, until, *at, seed=seed, work=work, order=order, budget=budget)
    clerk, found = Clerk(), []
    clerk.assert_nothing_skipped = lambda at: None  # that is the other test

    def fold(events):
        for event in events:
            while event.t > len(found) + 1:
                found.append(clerk.stale(nodes, len(found) + 1.0))
            clerk.fold(event)

    run_lab(lab_of(about, fold))
    return found


def busy_hour(samples, begin, end):
    """Means over the seconds from begin to end: of the stale mappings, and of the greatest staleness."""
    within = samples[begin:end]
    return mean(count for count, _ in within), mean(longest for _, longest in within)


@pytest.mark.slow
def test_depth_beats_breadth_under_a_budget():
    """Twice as many updates as messages can carry: fewer mappings are stale, and none as long; and it is over sooner."""
    depth, breadth = (course(order, 48, 16, 24.0, 30.0, 50.0, 300) for order in ("depth", "breadth"))
    for better, worse in zip(busy_hour(depth, 15, 30), busy_hour(breadth, 15, 30), strict=True):
        assert better < 0.9 * worse
    assert sum(count > 0 for count, _ in depth) < sum(count > 0 for count, _ in breadth)


def paper(order, seed=0):
    """128 participants with 64 keys each; updates come twice as often from 25 to 75 s, and end at 120 s."""
    random = Random(f"peak/{seed}")
    peak = [
        f"{25 + random.random() * 50:.3f} write n{random.randrange(128)} k{random.randrange(64)} w"
        for _ in range(50 * 48)
    ]
    return course(order, 128, 64, 48.0, 120.0, 150.0, 1000, seed, peak)


@pytest.mark.soak
def test_depth_beats_breadth_on_the_workload_of_the_paper():
    """What its figures of the greatest staleness and of stale mappings show: in the peak, and after it."""
    depth, breadth = (paper(order) for order in ("depth", "breadth"))
    for better, worse in zip(busy_hour(depth, 40, 90), busy_hour(breadth, 40, 90), strict=True):
        assert better < 0.7 * worse
    assert depth[-1][0] == breadth[-1][0] == 0
