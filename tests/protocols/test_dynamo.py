"""Dynamo: where keys belong, what quorums promise under faults, stand-ins, repairs, and versions with their context."""

import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossiplab.content import load_protocol
from gossiplab.engine.run import run_lab
from gossiplab.events import (
    Answered,
    Crashed,
    Delivered,
    Placed,
    Refused,
    Requested,
    Sent,
    Shown,
    Stored,
    Versioned,
)
from gossiplab.world.metrics import replica_figures
from gossiplab.world.world import new_world
from tests.helpers import bytes_of, header_of, lab_of, only

KIND = load_protocol("dynamo")
MODULE = sys.modules[KIND.__module__]
NODES = 6
KEYS = 3


class Run:
    """A run: its events, the World at its end, and what clients were told."""

    def __init__(
        self, *at, until, nodes=NODES, seed=0, workload=None, link=None, topology="complete", **params
    ):
        fields = {
            "nodes": nodes,
            "seed": seed,
            "at": at,
            "until": until,
            "params": params,
            "topology": topology,
        }
        fields |= {"workload": workload} if workload else {}
        fields |= {"link": link} if link else {}
        self.header = header_of(KIND, **fields)
        self.events = []
        self.world = new_world(self.header)
        run_lab(lab_of(self.header, self.take, KIND))
        self.requests = {each.id: each for each in only(self.events, Requested)}
        self.answers = {each.id: each for each in only(self.events, Answered)}
        self.versions = {(each.key, each.name): each for each in only(self.events, Versioned)}
        assert only(self.events, Crashed) == []

    def take(self, batch):
        self.events += batch
        self.world.apply(batch)

    @property
    def figures(self):
        return replica_figures(self.world)

    def homes(self, key):
        """The last placement of a key."""
        return [each.nodes for each in only(self.events, Placed) if each.key == key][-1]

    def disks(self):
        """What is on disks at the end, by node and key; the faults of a test leave disks alone, or say fresh."""
        held = {}
        for event in self.events:
            if isinstance(event, Stored):
                held[event.node, event.key] = event.versions
            elif getattr(event, "fresh", False):
                held = {place: versions for place, versions in held.items() if place[0] != event.node}
        return held

    def values(self, key, names):
        """What they hold; those with which a key began are named, and not told."""
        return {self.versions[key, name].value if (key, name) in self.versions else "" for name in names}

    def reads(self, since=0.0):
        """What reads were told, as (node, key, values)."""
        for request in self.requests.values():
            if request.what == "read" and request.t >= since and request.id in self.answers:
                names = self.answers[request.id].versions
                yield request.node, request.key, self.values(request.key, names)

    def acknowledged(self):
        """All writes that clients were told are done: (key, version)."""
        for request in self.requests.values():
            if request.what != "read" and request.id in self.answers:
                (name,) = self.answers[request.id].versions
                yield request.key, name

    def known(self, key, names):
        """These versions and all that they have overwritten, directly or not."""
        found, waiting = set(), list(names)
        while waiting:
            name = waiting.pop()
            if name not in found and (key, name) in self.versions:
                found.add(name)
                waiting += self.versions[key, name].over
        return found


# the ring ------------------------------------------------------------------------------------------


def test_a_walk_is_clockwise_from_the_key():
    ring = MODULE.Ring((3, 4, 8), 5)
    for start in [0, 2**64 - 1, *(place + step for place, _ in ring.points for step in (-1, 0, 1))]:
        clockwise = sorted(ring.points, key=lambda each: ((each[0] - start) % 2**64, each[1]))
        order = [member for _, member in clockwise]
        assert list(ring.walk(start)) == sorted({3, 4, 8}, key=order.index)


def test_a_newcomer_takes_over_its_share_and_nothing_else_moves():
    before, after = MODULE.Ring(tuple(range(9)), 100), MODULE.Ring(tuple(range(10)), 100)
    keys = [f"key {number}" for number in range(2000)]
    moved = [key for key in keys if before.homes(key, 1) != after.homes(key, 1)]
    assert {after.homes(key, 1) for key in moved} == {(9,)}
    assert 0.05 < len(moved) / len(keys) < 0.15  # a tenth, give or take the luck of a hundred tokens
    for key in keys:
        assert [home for home in after.homes(key, 4) if home != 9][:3] == [*before.homes(key, 4)][:3]


def test_partners_are_those_with_whom_a_key_can_be_shared():
    ring = MODULE.Ring(tuple(range(12)), 2)
    lists = [ring.homes(f"key {number}", 3) for number in range(5000)]
    for member in range(12):
        shared = {each for homes in lists if member in homes for each in homes} - {member}
        assert ring.partners(member, 3) == tuple(sorted(shared))


def test_keys_belong_on_their_homes_from_the_beginning():
    run = Run(until=0.01, nodes=8, workload={"keys": 20})
    placed = {event.key: event.nodes for event in only(run.events, Placed)}
    stored = [(event.node, event.key) for event in only(run.events, Stored)]
    assert sorted(stored) == sorted((node, key) for key, nodes in placed.items() for node in nodes)
    assert all(len(nodes) == 3 for nodes in placed.values())
    assert run.figures.divergent_keys == 0


# quorums -------------------------------------------------------------------------------------------

HOUR = 3.0
LAST = 34.0  # all is healed; then repairs go on for a while, and everybody is asked
cuts = st.sets(st.integers(0, NODES - 1), min_size=1, max_size=NODES - 1)
faults = st.lists(
    st.one_of(
        st.tuples(st.just("partition"), cuts),
        st.tuples(st.just("cut"), cuts),
        st.tuples(st.just("crash"), cuts),
        st.tuples(st.just("pause"), cuts),
        st.tuples(
            st.just("link"), st.sampled_from(["loss=0.3", "duplicate=0.5 reorder=0.5", "latency=0..2"])
        ),
    ),
    max_size=4,
)
quorums = st.sampled_from([(3, 2, 2), (3, 1, 3), (3, 3, 1), (5, 3, 3), (1, 1, 1), (4, 2, 3)])


def names_of(nodes):
    """As commands write them."""
    return ",".join(f"n{node}" for node in sorted(nodes))


def schedule(drawn, begin=1.5):
    """Faults one after the other, each undone before the end."""
    at = []
    for place, (kind, what) in enumerate(drawn):
        t, over = begin + HOUR * place, begin + HOUR * (place + 2)
        nodes = "" if kind == "link" else names_of(what)
        rest = "" if kind == "link" else names_of(set(range(NODES)) - what)
        if kind == "partition":
            at += [f"{t} partition {nodes}", f"{over} heal"]
        elif kind == "cut":
            at += [f"{t} cut {nodes} to {rest}", f"{over} heal"]
        elif kind == "crash":
            at += [f"{t} kill {nodes}", f"{over} rejoin {nodes}"]
        elif kind == "pause":
            at += [f"{t} pause {nodes}", f"{over} resume {nodes}"]
        else:
            at += [f"{t} link all all {what}", f"{over} link all all"]
    return at


def asking(at):
    """With reads of all keys at all nodes at the end."""
    reads = [f"{LAST} read n{node} k{key}" for node in range(NODES) for key in range(KEYS)]
    return [*at, *reads]


WORK = {"keys": KEYS, "rate": 4, "seconds": 18, "reads": 0.4, "concurrent": 0.3}
PARAMS = {"sloppy": False, "fail_after": 3, "repair": 2, "timeout": 0.8}


@settings(max_examples=20)
@given(faults, quorums, st.integers(0, 10**6))
def test_no_acknowledged_write_is_lost_or_missed(drawn, quorum, seed):
    """Disks keep what they have, the network and the nodes do what they like: reads meet writes."""
    n, r, w = quorum
    at = asking(schedule(drawn))
    run = Run(*at, until=LAST + 2, seed=seed, workload=WORK, n=n, r=r, w=w, context="blind", **PARAMS)
    figures = run.figures
    assert (figures.lost_writes, figures.stale_reads, figures.divergent_keys) == (0, 0, 0)
    # blind writes overwrite nothing: whatever was acknowledged is there, at every home and for every client
    disks, acknowledged = run.disks(), list(run.acknowledged())
    for key, name in acknowledged:
        assert all(name in disks[home, key] for home in run.homes(key))
    reads = [(node, key, values) for node, key, values in run.reads(LAST)]
    assert len(reads) == NODES * KEYS
    for _, key, values in reads:
        assert values >= run.values(key, [name for other, name in acknowledged if other == key])


@settings(max_examples=12)
@given(faults, st.sampled_from(["quorum", "local"]), st.sampled_from([0.0, 0.2]), st.integers(0, 10**6))
def test_what_is_overwritten_was_read(drawn, context, deletes, seed):
    work = {**WORK, "deletes": deletes}
    run = Run(*asking(schedule(drawn)), until=LAST + 2, seed=seed, workload=work, context=context, **PARAMS)
    figures = run.figures
    assert (figures.lost_writes, figures.stale_reads, figures.divergent_keys) == (0, 0, 0)
    disks = run.disks()
    for key, name in run.acknowledged():
        assert all(name in run.known(key, disks[home, key]) for home in run.homes(key))


@settings(max_examples=12)
@given(
    faults,
    st.integers(0, NODES - 1),
    st.floats(2, 15),
    st.sampled_from(["fresh", "wipe"]),
    st.integers(0, 10**6),
)
def test_one_lost_disk_loses_no_write(drawn, node, t, how, seed):
    """With w = 2 another replica has what was on it."""
    lost = [f"{t} wipe n{node}"] if how == "wipe" else [f"{t} kill n{node}", f"{t + 1} rejoin n{node} fresh"]
    at = [each for each in schedule(drawn) if " kill " not in each and " rejoin " not in each]
    run = Run(*asking([*at, *lost]), until=LAST + 2, seed=seed, workload=WORK, context="blind", **PARAMS)
    assert (run.figures.lost_writes, run.figures.divergent_keys) == (0, 0)
    acknowledged = list(run.acknowledged())
    for _, key, values in run.reads(LAST):
        assert values >= run.values(key, [name for other, name in acknowledged if other == key])
    # no version's name was ever used for two values, which the lab would have told apart by a mark
    assert not any(name.endswith("'") for _, name in run.versions)


def test_two_lost_disks_do_lose_one():
    homes = Run("0 read n0 x", until=1).homes("x")
    rest = ",".join(f"n{node}" for node in range(NODES) if node not in homes[:2])
    at = [f"1 partition {rest}", f"2 write n{homes[0]} x a", f"4 wipe n{homes[0]},n{homes[1]}", "5 heal"]
    assert Run(*at, until=30, sloppy=False).figures.lost_writes == 1


@pytest.mark.parametrize(
    "r, w, stale", [(1, 1, True), (1, 2, True), (2, 1, True), (2, 2, False), (1, 3, False)]
)
def test_without_overlap_reads_are_stale(r, w, stale):
    link = {"latency": "0.01..0.2"}
    runs = [
        Run(until=20, seed=seed, workload={"keys": 2, "rate": 20, "seconds": 12, "reads": 0.7}, link=link,
            r=r, w=w, sloppy=False)
        for seed in range(3)
    ]  # fmt: skip
    assert any(run.figures.stale_reads for run in runs) is stale
    assert all(run.figures.reads > 100 for run in runs)


@pytest.mark.parametrize("sloppy", [True, False])
def test_a_sloppy_quorum_is_available_and_stale(sloppy):
    homes = Run("0 read n0 x", until=1, nodes=8).homes("x")
    away = [node for node in range(8) if node not in homes][:3]
    cut = ",".join(f"n{node}" for node in away)
    at = ["1 write n0 x old", f"2 partition {cut}", f"15 write n{away[0]} x new", f"20 read n{homes[0]} x"]
    run = Run(*at, "25 heal", f"45 read n{homes[0]} x", until=50, nodes=8, sloppy=sloppy)
    if sloppy:
        assert run.figures.failed_writes == 0
        assert run.figures.stale_reads == 1
        assert list(run.reads()) == [(homes[0], "x", {"old"}), (homes[0], "x", {"old", "new"})]
    else:
        assert run.figures.failed_writes == 1
        assert run.figures.stale_reads == 0
    assert run.figures.lost_writes == 0


def test_a_request_without_quorum_is_refused_and_says_why():
    homes = Run("0 read n0 x", until=1).homes("x")
    rest = ",".join(f"n{node}" for node in range(NODES) if node != homes[0])
    at = [
        f"1 partition {rest}",
        f"2 read n{homes[0]} x",
        f"2 write n{homes[0]} x a",
        f"2 read {rest.split(',')[-1]} y",
    ]
    run = Run(*at, until=6, sloppy=False)
    said = [event.why for event in only(run.events, Refused)]
    assert said[:2] == ["only 1 of 2 replicas answered"] * 2
    blind = Run(at[0], at[2], until=6, sloppy=False, context="blind")
    assert [event.why for event in only(blind.events, Refused)] == ["only 1 of 2 replicas answered"]
    assert blind.figures.open_requests == 0


@pytest.mark.parametrize("down", range(3))
def test_anybody_can_be_asked_and_one_home_may_be_down(down):
    homes = Run("0 read n0 x", until=1).homes("x")
    askers = [node for node in range(NODES) if node != homes[down]]
    at = [f"1 kill n{homes[down]}", *(f"{10 + node} write n{node} x {node}" for node in askers)]
    at += [f"{30 + node} read n{node} x" for node in askers]
    run = Run(*at, until=40, sloppy=False)
    assert {(node, *values) for node, _, values in run.reads()} == {
        (node, str(askers[-1])) for node in askers
    }
    asked = {event.dst for event in only(run.events, Sent) if event.kind == "Forward"}
    assert asked == {homes[1] if down == 0 else homes[0]}  # the first in the list that is up


def test_a_coordinator_that_dies_leaves_the_client_an_answer():
    homes = Run("0 read n0 x", until=1).homes("x")
    outside = next(node for node in range(NODES) if node not in homes)
    run = Run("0 link all all latency=0.3", f"2 write n{outside} x a", f"2.4 kill n{homes[0]}", until=8)
    assert [event.why for event in only(run.events, Refused)] == [f"n{homes[0]} did not answer"]
    at = [f"2 write n{homes[0]} x a", f"2.1 kill n{homes[0]}", f"4 rejoin n{homes[0]}"]
    run = Run("0 link all all latency=0.3", *at, until=8)
    assert [event.why for event in only(run.events, Refused)] == [f"n{homes[0]} went down"]


# stand-ins and repairs ------------------------------------------------------------------------------


def test_a_stand_in_hands_over_and_drops():
    homes = Run("0 read n0 x", until=1).homes("x")
    at = [f"1 kill n{homes[1]}", f"12 write n{homes[0]} x milk", f"20 rejoin n{homes[1]}"]
    run = Run(*at, until=35, repair=1000)
    (hinted,) = {event.dst for event in only(run.events, Sent) if event.kind == "Put"} - {*homes}
    assert [(event.node, bytes(event.value)) for event in only(run.events, Shown)] == [
        (hinted, b"1"),
        (hinted, b"0"),
    ]
    name = next(name for key, name in run.versions if key == "x")
    assert [(event.versions, event.t < 20) for event in only(run.events, Stored) if event.node == hinted] == [
        ((name,), True), ((), False)
    ]  # fmt: skip
    handoffs = {event.id for event in only(run.events, Sent) if event.kind == "Handoff"}
    (taken,) = [event for event in only(run.events, Stored) if event.node == homes[1]]
    assert taken.by in handoffs
    assert run.figures.divergent_keys == 0
    # the hinted copy was no home copy: without it homes that are up agreed all the time
    assert [count for t, count in run.figures.divergent_over_time if 13 < t < 20] == []


def test_what_was_hinted_stays_until_the_newest_has_been_taken():
    homes = Run("0 read n0 x", until=1).homes("x")
    writes = [f"{12 + step / 10} write n{homes[0]} x {step}" for step in range(130)]
    at = [
        f"1 kill n{homes[1]}",
        *writes,
        f"18 rejoin n{homes[1]}",
        "26 link all all loss=0.4",
        "50 link all all",
    ]
    run = Run(*at, until=70, repair=1000, handoff=0.3, context="local")
    assert run.figures.divergent_keys == 0
    assert run.figures.lost_writes == 0
    holders = {node for (node, key), names in run.disks().items() if key == "x" and names}
    assert holders == {*homes}


def test_read_repair_mends_the_home_that_missed_a_write():
    homes = Run("0 read n0 x", until=1).homes("x")
    at = [f"1 kill n{homes[2]}", f"2 write n{homes[0]} x a", f"5 rejoin n{homes[2]}", f"8 read n{homes[0]} x"]
    run = Run(*at, until=12, repair=1000, sloppy=False)
    (mended,) = [event for event in only(run.events, Stored) if event.node == homes[2]]
    sent = {event.id: event for event in only(run.events, Sent)}
    assert sent[mended.by].kind == "Mend"
    assert 8 < mended.t < 9


@pytest.mark.parametrize("damage", ["wipe n{}", "restore n{}", "corrupt n{} 5"])
def test_repairs_mend_a_disk(damage):
    homes = Run("0 read n0 k0", until=1).homes("k0")
    at = ["2 write n0 k0 a", f"10 {damage.format(homes[0])}"]
    run = Run(*at, until=60, workload={"keys": 30}, repair=3)
    assert run.figures.divergent_keys == 0
    differing = [repair.differing for repair in run.figures.repairs]
    assert any(differing)
    assert not any(differing[-5:])
    assert all(repair.bytes > 0 for repair in run.figures.repairs[:-5])
    assert run.figures.lost_writes == 0


def test_who_is_up_is_what_heartbeats_say():
    run = Run("5 kill n2", until=30)
    rows = run.world.membership.beliefs
    assert {rows[node].states for node in range(NODES) if node != 2} == {"aadaaa"}
    run = Run("5 partition n0-n2", "60 heal", until=100)
    assert {row.states for row in run.world.membership.beliefs} == {"a" * NODES}


# versions ------------------------------------------------------------------------------------------

TWO_SIDES = ("1 partition n0-n3", "14 write n1 cart milk", "14 write n6 cart eggs", "18 heal")


def test_both_sides_of_a_partition_leave_siblings_and_a_write_resolves_them():
    run = Run(*TWO_SIDES, "30 read n2 cart", "32 write n5 cart both", "35 read n0 cart", until=40, nodes=8)
    assert [values for _, _, values in run.reads()] == [{"milk", "eggs"}, {"both"}]
    assert (run.figures.siblings_created, run.figures.siblings_resolved) == (1, 1)
    last = [event for event in only(run.events, Versioned) if event.value == "both"]
    assert len(last[0].over) == 2


def test_a_blind_write_leaves_one_more():
    run = Run(*TWO_SIDES, "32 write n5 cart both", "35 read n0 cart", until=40, nodes=8, context="blind")
    assert [values for _, _, values in run.reads()] == [{"milk", "eggs", "both"}]
    assert run.figures.siblings_resolved == 0


def test_the_last_writer_wins_and_the_other_is_lost():
    run = Run(*TWO_SIDES, "35 read n0 cart", until=40, nodes=8, conflict="lww")
    assert [len(values) for _, _, values in run.reads()] == [1]
    assert run.figures.lost_writes == 1


@pytest.mark.parametrize("conflict", ["siblings", "lww"])
def test_one_writer_after_the_other_overwrites_knowingly(conflict):
    at = [f"{2 + step} write n{step % NODES} x {step}" for step in range(20)]
    run = Run(*at, "25 delete n3 x", "26 read n1 x", until=30, conflict=conflict)
    assert [values for _, _, values in run.reads()] == [{None}]
    assert run.figures.lost_writes == run.figures.siblings_created == 0
    names = [name for _, name in run.acknowledged()]
    assert all(run.versions["x", new].over == (old,) for old, new in pairwise(names))


def test_a_wrong_clock_does_not_win_over_what_its_write_has_read():
    at = [
        "1 skew n0-n2 +100",
        *(f"{2 + step} write n{step % NODES} x {step}" for step in range(12)),
        "20 read n4 x",
    ]
    assert [values for _, _, values in Run(*at, until=25, conflict="lww").reads()] == [{"11"}]


# labs of all kinds ----------------------------------------------------------------------------------


@pytest.mark.parametrize("nodes", [0, 1, 2, 3])
def test_small_labs(nodes):
    at = ["1 write n0 x a", "3 read n0 x"] if nodes else []
    run = Run(*at, until=8, nodes=nodes, workload={"keys": 2})
    if nodes:
        assert (run.figures.writes, run.figures.failed_writes) == ((1, 0) if nodes > 1 else (0, 1))


@pytest.mark.parametrize("topology, start", [("ring", "known"), ("complete", "join")])
def test_rings_agree_when_all_have_heard_of_all(topology, start):
    at = [f"{1 + node / 10} write n{node} x{node} a" for node in range(8)]
    reads = [f"80 read n{(node + 3) % 8} x{node}" for node in range(8)]
    run = Run(*at, *reads, until=90, nodes=8, topology=topology, start=start, r=1, w=1)
    assert [values for _, _, values in run.reads()] == [{"a"}] * 8
    assert run.figures.lost_writes == 0


def test_keys_that_move_are_counted_where_they_are():
    """Homes change while rings grow, also those of keys that differ just then."""
    run = Run(until=60, workload=WORK, topology="ring")
    assert len(only(run.events, Placed)) > KEYS
    curve = run.figures.divergent_over_time
    assert all(0 <= count <= KEYS for _, count in curve)
    assert curve[-1][1] == 0


def test_the_same_run_gives_the_same_bytes():
    header = Run(*schedule([("crash", {1, 2}), ("link", "loss=0.3")]), until=15, workload=WORK).header
    assert bytes_of(header, kind=KIND) == bytes_of(header, kind=KIND)


def test_names_in_every_writing():
    keys = ["\U0001f419", "a\u0308", "\u00e4", "\u202ex", "'", "key=1"]
    at = [f"{1 + place} write n0 {key} {key}" for place, key in enumerate(keys)]
    run = Run(*at, *(f"20 read n3 {key}" for key in keys), until=30)
    assert [(key, values) for _, key, values in run.reads()] == [(key, {key}) for key in keys]
    assert len(only(run.events, Delivered)) > 100
