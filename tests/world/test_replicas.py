"""Replicated data in a World: held against an oracle that looks at everything again after every event."""

import json
from collections import defaultdict

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossiplab.events import (
    Answered,
    Compared,
    Crashed,
    Departed,
    Emptied,
    Killed,
    Placed,
    Refused,
    Rejoined,
    Repaired,
    Repairing,
    Requested,
    Seeded,
    Sent,
    Stored,
    Versioned,
)
from gossiplab.recording.possible import first_impossible, possible_world
from gossiplab.world.metrics import replica_figures
from gossiplab.world.world import World, new_world
from tests.helpers import events_of, header_of, only

NODES = 4
COMMANDS = (
    "write n0 k1 a", "write n1 k1 b", "write n2 cart milk and eggs", "delete n1 k1", "delete n0 cart", "read n2 k1",
    "read n3 cart", "wipe n1", "wipe all", "backup n0-n1", "restore n0", "restore n1-n2", "corrupt n2 2", "kill n1",
    "rejoin n1", "rejoin all fresh", "kill n0-n2", "partition n0-n1", "heal", "pause n3", "resume n3", "leave n2",
    "write n3 x1 no", "rejoin n0-n2",
)  # fmt: skip
schedules = st.lists(
    st.tuples(st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.3, 4.0]), st.sampled_from(COMMANDS)), max_size=14
)
WORK = {"keys": 3, "rate": 4.0, "seconds": 4.0, "reads": 0.3, "deletes": 0.2, "concurrent": 0.3}


def header(schedule=(), seed=0, **fields):
    return header_of(
        "ledger", nodes=NODES, until=6.0, seed=seed, workload=fields.pop("workload", WORK),
        link={"latency": "0.05..0.4", "loss": 0.1}, at=[f"{t} {command}" for t, command in schedule], **fields,
    )  # fmt: skip


class Oracle:
    """Holdings as a dictionary of dictionaries, pasts as sets, and every count made anew."""

    def __init__(self):
        self.holds = [{} for _ in range(NODES)]
        self.up = [True] * NODES
        self.values, self.past, self.stamps = {}, {}, {}
        self.homes = {}
        self.requests, self.acked = {}, defaultdict(list)
        self.heard = [{} for _ in range(NODES)]  # deletions
        self.counts = dict.fromkeys(
            ("writes", "reads", "failed", "stale", "created", "resolved", "ghosts"), 0
        )
        self.late = []
        self.split = set()
        self.sizes = {}
        self.bytes = defaultdict(int)

    def take(self, event):  # noqa: C901  # one line for each thing that can happen
        match event:
            case Sent(id=id, size=size):
                self.sizes[id] = size
            case Seeded(node=node, keys=keys, version=version):
                self.holds[node] = {f"k{i}": (version,) for i in range(keys)}
                self.heard[node] = {}
            case Emptied(node=node):
                self.holds[node], self.heard[node] = {}, {}
            case Rejoined(node=node, fresh=fresh):
                self.up[node] = True
                if fresh:
                    self.holds[node], self.heard[node] = {}, {}
            case Killed(node=node) | Departed(node=node) | Crashed(node=node):
                self.up[node] = False
            case Placed(key=key, nodes=nodes):
                self.homes[key] = nodes
            case Versioned(key=key, name=name):
                self.values[key, name] = event.value
                self.past[key, name] = set(event.over).union(
                    *(self.past.get((key, old), set()) for old in event.over)
                )
                self.stamps[key, name] = event.stamp
            case Stored(node=node, key=key, versions=versions):
                for name in self.lively(key, versions):
                    self.counts["ghosts"] += any(
                        name != grave and self.covers(key, (grave,), name)
                        for grave in self.heard[node].get(key, ())
                    )
                self.holds[node][key] = versions
                graves = tuple(name for name in versions if self.values.get((key, name), "seed") is None)
                if graves:
                    self.heard[node][key] = graves
                elif versions:
                    self.heard[node].pop(key, None)
            case Requested(id=id):
                self.requests[id] = event
            case Refused(id=id):
                del self.requests[id]
                self.counts["failed"] += 1
            case Answered(id=id, versions=versions):
                self.answer(self.requests.pop(id), versions, event.t)
            case Compared(id=id, by=by):
                self.bytes[id] += self.sizes[by]
            case _:
                pass
        split = {
            key for holds in self.holds for key, names in holds.items() if len(self.lively(key, names)) > 1
        }
        self.counts["created"] += len(split - self.split)
        self.counts["resolved"] += len(self.split - split)
        self.split = split

    def lively(self, key, names):
        return tuple(name for name in names if self.values.get((key, name), "seed") is not None)

    def knows(self, key, names, other):
        return any(name == other or other in self.past.get((key, name), ()) for name in names)

    def covers(self, key, names, other):
        stamp = self.stamps.get((key, other))
        newer = stamp and any((self.stamps.get((key, name)) or (-1,)) >= stamp for name in names)
        return newer or self.knows(key, names, other)

    def answer(self, request, versions, t):
        key = request.key
        if request.what == "read":
            self.counts["reads"] += 1
            missed = [
                when
                for name, when in self.newest(key)
                if when < request.t and not self.covers(key, versions, name)
            ]
            if missed:
                self.counts["stale"] += 1
                self.late.append(request.t - min(missed))
        else:
            self.counts["writes"] += 1
            self.acked[key] += [(name, t) for name in versions]

    def newest(self, key):
        acked = self.acked[key]
        return [
            (name, t) for name, t in acked
            if not any(other != name and self.knows(key, (other,), name) for other, _ in acked)
        ]  # fmt: skip

    def divergent(self):
        keys = {key for holds in self.holds for key in holds}
        return sum(
            len(
                {
                    self.lively(key, self.holds[node].get(key, ()))
                    for node in self.homes.get(key, range(NODES))
                    if self.up[node]
                }
            )
            > 1
            for key in keys
        )

    def lost(self):
        return sum(
            not any(
                self.knows(key, (*holds.get(key, ()), *heard.get(key, ())), name)
                for holds, heard in zip(self.holds, self.heard, strict=True)
            )
            for key in self.acked
            for name, _ in self.newest(key)
        )


@settings(max_examples=12)
@given(schedules, st.integers(0, 100), st.sampled_from(["lww", "siblings"]))
def test_the_world_counts_what_a_patient_clerk_would(schedule, seed, conflict):
    head = header(schedule, seed, params={"conflict": conflict})
    world, oracle = new_world(head), Oracle()
    events = events_of(head)
    for event in events:
        world.apply([event])
        oracle.take(event)
        if not isinstance(event, Seeded):  # one node after the other has its keys, in one instant
            points = world.replicas.curve if world.replicas else []
            assert (points[-1][1] if points else 0) == oracle.divergent()
    figures = replica_figures(world)
    assert figures.lost_writes == oracle.lost()
    assert (figures.writes, figures.reads, figures.failed_writes + figures.failed_reads) == (
        oracle.counts["writes"], oracle.counts["reads"], oracle.counts["failed"]
    )  # fmt: skip
    assert (figures.stale_reads, figures.resurrected_deletes) == (
        oracle.counts["stale"],
        oracle.counts["ghosts"],
    )
    assert (figures.siblings_created, figures.siblings_resolved) == (
        oracle.counts["created"], oracle.counts["resolved"]
    )  # fmt: skip
    assert figures.staleness_max == (pytest.approx(max(oracle.late)) if oracle.late else None)
    assert figures.open_requests == len(oracle.requests)
    assert {repair.id: repair.bytes for repair in world.replicas.repairs if repair.bytes} == dict(
        oracle.bytes
    )
    for node in range(NODES):
        for key in world.replicas.names():
            assert world.replicas.held(node, key) == oracle.holds[node].get(key, ())
    assert (
        world.replicas.total == len(set(world.replicas.names())) >= len({k for h in oracle.holds for k in h})
    )


@settings(max_examples=10)
@given(schedules, st.integers(0, 1000))
def test_what_a_run_does_is_possible_and_comes_back_from_a_keyframe(schedule, seed):
    head = header(schedule, seed)
    events = events_of(head)
    assert first_impossible(events, NODES) is None
    half = new_world(head)
    half.apply(events[: len(events) // 2])
    again = msgspec.json.decode(msgspec.json.encode(half), type=World)
    for world in (half, again):
        assert possible_world(world, NODES)
        world.apply(events[len(events) // 2 :])
    assert half == again


def test_without_data_there_is_no_section():
    head = header_of("chatter", nodes=3, until=1.0)
    world = new_world(head)
    world.apply(events_of(head))
    assert replica_figures(world) is None
    assert "replicas" not in json.loads(msgspec.json.encode(world))


def test_many_versions_of_one_key_are_forgotten_and_nothing_is_lost_by_that():
    head = header([(0.01 * i, f"write n{i % 2} k0 v{i}") for i in range(400)], workload={"keys": 1})
    world = new_world(head)
    events = events_of(head)
    world.apply(events)
    assert len(only(events, Versioned)) >= 400
    assert len(world.replicas.keys["k0"].versions) <= 200
    assert replica_figures(world).lost_writes == 0


def test_a_repair_is_told_with_its_bytes_and_its_end():
    head = header([(1.0, "wipe n1")], workload={"keys": 50})
    events = events_of(head)
    world = new_world(head)
    world.apply(events)
    repairs = only(events, Repairing)
    over = {event.id: event.differing for event in only(events, Repaired)}
    assert len(repairs) == len(world.replicas.repairs) <= 512
    for event, repair in zip(repairs, world.replicas.repairs, strict=True):
        assert (repair.a, repair.b, repair.keys, repair.full) == (event.a, event.b, event.keys, event.full)
        assert repair.differing == over.get(repair.id)
    full = [event for event in repairs if event.keys == 50]
    assert full
    assert all(50 * 20 < event.full < 50 * 100 for event in full)
    assert any(each == 50 for each in over.values())


def test_the_steps_of_repairs_that_found_something_are_kept_longest():
    head = header_of(
        "merkle_repair",
        nodes=4,
        until=120.0,
        at=["3 corrupt n0 5"],
        workload={"keys": 50},
        params={"period": 1.0},
    )
    world = new_world(head)
    world.apply(events_of(head))
    repairs = world.replicas.repairs
    found = [repair for repair in repairs if repair.found]
    assert len(repairs) > 300
    assert 1 <= len(found) <= 8
    for repair in found:
        assert len(repair.steps) == repair.messages > 2
        assert sum(step.size for step in repair.steps) == repair.bytes
    assert sum(bool(repair.steps) for repair in repairs) <= 8
