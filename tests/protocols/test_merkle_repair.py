"""Merkle repair: any two replicas become one, whatever is lost on the way, for bytes that grow with what differs."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gossiplab.builtin import merkle_repair
from gossiplab.engine.run import run_lab
from gossiplab.events import Compared, Crashed, Delivered, Repaired, Sent, Stored, Versioned
from gossiplab.replica.digest import fingerprint
from gossiplab.replica.hybrid import Hybrid
from gossiplab.replica.lww_register import LwwRegister
from gossiplab.replica.merkle import MerkleTree, descend
from gossiplab.replica.siblings import Siblings
from gossiplab.world.metrics import replica_figures
from gossiplab.world.world import new_world
from tests.engine.clockwork import replays
from tests.helpers import bytes_of, header_of, lab_of, only

PROTOCOL = merkle_repair.MerkleRepair

keys = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)  # all of Unicode but halves of pairs
written = st.tuples(st.integers(1, 4), st.one_of(st.none(), st.text("ab", max_size=2)))
contents = st.dictionaries(keys, written, max_size=12)
shapes = st.sampled_from([(2, 0), (2, 3), (4, 2), (16, 4), (256, 1)])


def state(write):
    """A state, from its time and its value."""
    return LwwRegister(Hybrid(float(write[0]), 0, 0), write[1])


class Run:
    """One run over replicas that hold `contents` at first, each the writes of one node by key."""

    def __init__(self, contents=(), posts=(), **fields):
        class Filled(PROTOCOL):
            """Holds something."""

            def setup(self):
                """As if it had always been there."""
                super().setup()
                if self.now == 0 and self.id < len(contents):
                    for key, write in contents[self.id].items():
                        self.store.merge(key, state(write))

        kind = Filled if contents else PROTOCOL
        header = header_of(kind if contents else "merkle_repair", **{"until": 20.0, **fields})
        self.events, self.world = [], new_world(header)
        lab = lab_of(header, self._take, kind)
        run_lab(lab)
        self.stores = [node.protocol.store for node in lab.nodes]
        self.figures = replica_figures(self.world)
        assert not only(self.events, Crashed)

    def _take(self, batch):
        self.world.apply(batch)
        self.events += batch

    @property
    def agreed(self):
        """Whether all replicas hold the same, and know it by their trees."""
        return (
            len({store.checksum for store in self.stores}) == 1
            == len({store.tree.root for store in self.stores})
        )  # fmt: skip

    def bodies(self, kind):
        """The messages of one type."""
        return [msgspec.json.decode(event.body) for event in only(self.events, Sent) if event.kind == kind]


def merged(one, other):
    """What two replicas hold together, by brute force: the later write, of equal times the larger value."""
    both = {**one, **other}
    for key in one.keys() & other.keys():
        both[key] = max(
            one[key], other[key], key=lambda write: (write[0], write[1] is not None, write[1] or "")
        )
    return both


def unequal(one, other):
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


# two replicas -------------------------------------------------------------------------------------


@given(contents, contents, shapes, st.integers(1, 5))
@example({}, {}, (16, 4), 64)
@example({"": (1, "")}, {}, (16, 4), 64)
@example(
    {}, {"a\u0308": (1, None), "\u00e4": (2, "x"), "\u202e\x00": (1, "a"), "\U0001f419": (1, "b")}, (16, 4), 2
)
@settings(max_examples=50, deadline=None)
def test_any_two_replicas_become_one_in_one_session(one, other, shape, batch):
    fanout, depth = shape
    run = Run(
        [one, other],
        nodes=2,
        until=6.0,
        params={"fanout": fanout, "depth": depth, "batch": batch, "period": 3.0},
    )
    expected = {key: state(write) for key, write in merged(one, other).items()}
    differ = unequal(one, other)
    for store in run.stores:
        assert {key: store.get(key) for key in store} == expected
    assert run.agreed
    first, *later = [repair for repair in run.world.replicas.repairs if repair.ended is not None]
    assert first.differing == len(differ)
    assert all(repair.differing == 0 and repair.messages == 2 for repair in later)
    streamed = [key for kind in ("Offer", "Return") for body in run.bodies(kind) for key in body["states"]]
    assert set(streamed) == differ
    assert all(len(body["states"]) <= batch for body in run.bodies("Offer"))
    assert first.streamed == len(streamed)
    stream = max(1, -(-len(differ) // batch)) if differ else 0
    assert first.messages == (2 if not differ else 1 + (depth + 1) + 2 * stream)


def test_equal_replicas_compare_roots_and_nothing_else():
    run = Run(nodes=2, workload={"keys": 3000}, until=11.0)
    assert {event.kind for event in only(run.events, Sent)} == {"Root", "Same"}
    for repair in run.figures.repairs:
        assert (repair.round_trips, repair.differing) == (1, 0)
        assert repair.bytes < 100


def test_no_keys_at_all():
    run = Run(nodes=3)
    assert run.figures.repairs
    assert {repair.differing for repair in run.figures.repairs} == {0}


def test_the_descent_is_that_of_the_library_message_by_message():
    one = {f"key {i}": (1, "x") for i in range(500)}
    other = {**one, **{f"key {i}": (2, "y") for i in range(0, 500, 100)}}
    run = Run([one, other], nodes=2, until=3.0, params={"period": 3.0, "fanout": 4, "depth": 5})
    trees = [MerkleTree(4, 5), MerkleTree(4, 5)]
    for tree, content in zip(trees, (one, other), strict=True):
        for key, write in content.items():
            tree.put(key, fingerprint(state(write)))
    (repair,) = [repair for repair in run.world.replicas.repairs if repair.differing]
    steps = list(descend(trees[repair.a], trees[repair.b]))
    told = [(step.level, len(step.differing)) for step in repair.steps if step.level >= 0]
    assert told == [(0, 1), *((level, step.differing) for level, step in enumerate(steps[:-1], 1))]
    assert repair.differing == steps[-1].differing == 5


def test_values_of_a_mebibyte_one_a_message():
    large = 2**20
    one = {f"k{i}": (1, "a" * large) for i in range(4)}
    other = {f"k{i}": (2, "b" * large) for i in range(2, 6)}
    run = Run([one, other], nodes=2, until=5.0, params={"period": 5.0})
    assert run.agreed
    assert {store.get("k2").value[:1] for store in run.stores} == {"b"}
    assert [repair.differing for repair in run.figures.repairs if repair.differing] == [6]
    assert max(event.size for event in only(run.events, Sent)) < 1.1 * large


# what a repair costs ------------------------------------------------------------------------------


def bytes_of_repair(keys, differing, depth=4):
    """Bytes of the repair of so many keys that one replica has newer, and its round trips."""
    at = [f"0.01 write n1 k{i} {'x' * 16}" for i in range(0, keys, keys // differing)][:differing]
    run = Run(
        nodes=2,
        workload={"keys": keys},
        at=at,
        until=3.5,
        params={"period": 3.0, "depth": depth, "batch": 1000},
    )
    assert run.agreed
    (repair,) = [repair for repair in run.figures.repairs if repair.differing]
    assert repair.differing == differing
    return repair


def test_bytes_grow_with_what_differs_and_not_with_the_keys():
    few = {d: bytes_of_repair(2_000, d) for d in (1, 10, 100)}
    many = {d: bytes_of_repair(20_000, d) for d in (1, 10, 100)}
    for d, repair in few.items():
        assert many[d].bytes < 1.15 * repair.bytes  # ten times the keys
        assert many[d].round_trips == repair.round_trips == 4  # root, four levels and leaves, a batch
    for repairs in (few, many):
        assert repairs[1].bytes < repairs[10].bytes < repairs[100].bytes < 100 * repairs[1].bytes
    assert many[1].bytes < many[1].full_copy_bytes / 100
    assert many[1].full_copy_bytes > 9 * few[1].full_copy_bytes


def test_bytes_are_those_of_the_messages():
    run = Run(nodes=2, workload={"keys": 300}, at=["1 wipe n1"], until=12.0)
    size = {event.id: event.size for event in only(run.events, Sent)}
    assert sum(repair.bytes for repair in run.figures.repairs) == sum(
        size[event.id] for event in only(run.events, Delivered)
    )
    assert all(event.by in size for event in only(run.events, Compared))


# many replicas ------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["random", "aligned"])
@pytest.mark.parametrize("nodes", [2, 3, 12])
def test_a_lost_disk_is_filled_again_and_every_key_comes_once(nodes, phase):
    run = Run(
        nodes=nodes, workload={"keys": 300}, at=["2 wipe n1"], until=22.0, params={"phase": phase, "depth": 2}
    )
    assert run.agreed
    assert len(run.stores[1]) == 300
    assert run.figures.divergent_keys == 0
    stored = [event.key for event in only(run.events, Stored) if event.node == 1]
    assert len(stored) == 300 == len(set(stored))
    assert sum(repair.differing or 0 for repair in run.figures.repairs) == 300


def test_a_write_spreads_by_repair_alone():
    run = Run(
        nodes=16,
        at=["0.1 write n3 greeting hello", "20 read n9 greeting"],
        until=25.0,
        params={"period": 1.0},
    )
    assert run.agreed
    assert [event.node for event in only(run.events, Versioned)] == [3]
    assert {event.node for event in only(run.events, Stored)} == {*range(16)}
    assert (run.figures.writes, run.figures.reads, run.figures.stale_reads) == (1, 1, 0)


def test_a_deletion_is_not_undone_by_who_slept_through_it():
    at = ["1 kill n2", "2 delete n0 k1", "15 rejoin n2"]
    run = Run(nodes=3, workload={"keys": 3}, at=at, until=30.0)
    assert run.agreed
    assert run.stores[2].get("k1").value is None
    assert run.figures.resurrected_deletes == 0


def test_silent_damage_is_found_and_both_sides_agree_again():
    fields = {"nodes": 2, "workload": {"keys": 200}, "at": ["1 corrupt n0 7"], "params": {"phase": "aligned"}}
    assert Run(until=2.0, **fields).figures.divergent_keys == 7
    run = Run(until=12.0, **fields)
    assert run.agreed
    assert run.figures.divergent_keys == 0
    assert sum(repair.differing or 0 for repair in run.figures.repairs) == 7


def test_who_is_refused_tries_again_soon():
    """All begin at the same instants, so nearly all are refused, and every period would be the same."""
    run = Run(nodes=10, at=["0 write n4 k v"], until=30.0, params={"phase": "aligned", "period": 3.0})
    assert run.bodies("Busy")
    assert run.agreed
    for node in range(10):
        mine = [each for each in run.world.replicas.repairs if each.a == node]
        for one, other in pairwise(mine):
            assert other.t >= (one.ended or one.t)  # one at a time


def test_a_session_that_loses_its_messages_is_forgotten_and_the_next_one_does_the_rest():
    """Cut in the middle of the stream: what has arrived stays."""
    fields = {
        "nodes": 2,
        "workload": {"keys": 400},
        "params": {"depth": 2, "batch": 10, "timeout": 0.5, "phase": "aligned"},
    }
    at = ["1 wipe n1", "5.8 partition n0", "8 heal"]
    run = Run(at=at, until=20.0, **fields)
    begun = [repair for repair in run.world.replicas.repairs if repair.t >= 5]
    cut = [repair for repair in begun if repair.t < 8]
    assert all(repair.ended is None for repair in cut)
    ended = [repair for repair in begun if repair.differing]
    assert 0 < ended[0].differing < 400
    assert run.agreed
    assert len(run.stores[1]) == 400


# conflicts ----------------------------------------------------------------------------------------


def test_a_later_write_wins_although_its_clock_is_behind():
    """Hybrid clocks: who has heard of a write stamps above it."""
    at = ["0 skew n0 +40", "1 write n0 k early", "20 write n1 k late"]
    run = Run(nodes=2, at=at, until=40.0)
    assert run.agreed
    assert run.stores[0].get("k").value == "late"


def test_siblings_of_a_partition_until_a_write_that_knows_both():
    at = [
        "1 partition n0,n1",
        "2 write n0 cart milk",
        "2 write n2 cart eggs",
        "20 heal",
        "45 write n3 cart both",
    ]
    fields = {"nodes": 4, "params": {"conflict": "siblings", "period": 2.0, "timeout": 0.5}}
    apart = Run(at=at[:3], until=19.0, **fields)
    assert [store.get("cart").values for store in apart.stores] == [("milk",)] * 2 + [("eggs",)] * 2
    together = Run(at=at[:4], until=44.0, **fields)
    assert {store.get("cart").values for store in together.stores} == {("milk", "eggs")}
    resolved = Run(at=at, until=80.0, **fields)
    assert {store.get("cart").values for store in resolved.stores} == {("both",)}
    assert (resolved.figures.siblings_created, resolved.figures.siblings_resolved) == (1, 1)
    assert resolved.figures.lost_writes == 0


DAMAGE = ("wipe n0", "wipe n1", "restore n0", "backup all", "kill n0", "kill n1", "rejoin all", "rejoin all fresh")  # fmt: skip
WRITES = (
    "write n0 k0 a",
    "write n1 k0 b",
    "write n2 k0 c",
    "write n0 new d",
    "write n1 new e",
    "delete n0 k0",
)
FAULTS = (
    "partition n0", "heal", "pause n1", "resume all", "skew n1 -3", "skew n0 +3", "link n0 all loss=0.5", "hold n2", "release",
)  # fmt: skip
schedules = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.5, 1.0, 1.0, 2.0, 2.1, 3.0]), st.sampled_from(DAMAGE + WRITES + FAULTS)
    ),
    max_size=16,
)
STORMY = {"duplicate": 0.2, "loss": 0.2, "latency": "0.01..0.3"}
CALM = (
    "5 release", "5 calm", "5 resume all", "5 rejoin all", "5 heal", "5 skew all off", "5 link all all loss=0 duplicate=0 latency=0.01",
)  # fmt: skip


def stormy(schedule, seed, conflict, *end):
    """A run of three nodes under a schedule, and what ends it."""
    at = [f"{t} {command}" for t, command in sorted(schedule, key=lambda each: each[0])]
    return {
        "nodes": 3, "seed": seed, "link": STORMY, "at": [*at, *end], "until": 40.0, "workload": {"keys": 3},
        "params": {"conflict": conflict, "period": 0.5, "timeout": 0.4, "batch": 2, "fanout": 2, "depth": 2},
    }  # fmt: skip


@given(schedules, st.integers(0, 9), st.sampled_from(["lww", "siblings"]))
@settings(max_examples=30, deadline=None)
def test_whatever_happens_all_agree_in_the_end(schedule, seed, conflict):
    run = Run(**stormy(schedule, seed, conflict, *CALM))
    assert run.agreed
    assert run.figures.divergent_keys == 0


@given(schedules, st.integers(0, 9))
@example([(0.0, "wipe n0"), (0.5, "write n0 k0 a")], 0)
@example([(1.0, "write n1 new e"), (1.0, "kill n1"), (1.0, "rejoin all fresh"), (2.0, "write n1 new e")], 0)
@settings(max_examples=30, deadline=None)
def test_no_dot_is_used_twice_whatever_becomes_of_disk_and_memory(schedule, seed):
    run = Run(**stormy(schedule, seed, "siblings", *CALM))
    names = [(event.key, event.name) for event in only(run.events, Versioned)]
    assert not [
        name for _, name in names if name.endswith("'")
    ]  # which is how a dot with two values is named
    assert len(names) == len(set(names))


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0]), st.sampled_from(WRITES + FAULTS)), max_size=12
    ),
    st.integers(0, 9),
)
@settings(max_examples=25, deadline=None)
def test_with_siblings_no_write_is_lost_while_disks_are_whole(schedule, seed):
    run = Run(**stormy(schedule, seed, "siblings", *CALM))
    assert run.figures.lost_writes == 0
    for key in ("k0", "new"):
        assert all(isinstance(store.get(key), Siblings | None) for store in run.stores)


@given(schedules, st.integers(0, 9), st.sampled_from(["lww", "siblings"]))
@settings(max_examples=15, deadline=None)
def test_any_run_verifies_to_the_byte(tmp_path_factory, schedule, seed, conflict):
    fields = {**stormy(schedule, seed, conflict), "until": 6.0}
    assert replays(header_of("merkle_repair", **fields), tmp_path_factory.mktemp("any"))


def test_the_same_bytes_twice():
    fields = {
        "nodes": 6, "workload": {"keys": 50, "rate": 5, "deletes": 0.2, "concurrent": 0.3}, "until": 20.0, "link": STORMY,
        "at": ["3 wipe n1", "5 corrupt n2 9"],
    }  # fmt: skip
    assert bytes_of(header_of("merkle_repair", **fields)) == bytes_of(header_of("merkle_repair", **fields))


def test_every_repair_that_ends_was_found_by_both():
    run = Run(nodes=4, workload={"keys": 60}, at=["2 wipe n3"], until=15.0)
    ended = [event.id for event in only(run.events, Repaired)]
    assert len(ended) == len(set(ended))
    assert set(ended) <= {event.id for event in only(run.events, Compared)}
