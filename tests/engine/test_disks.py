"""What nodes have on their disks, what clients ask of them, and damage: told by the lab, whatever a protocol does."""

import pytest

from gossiplab import Message, Protocol, every
from gossiplab.events import Answered, Crashed, Emptied, Refused, Requested, Seeded, Stored, Versioned
from gossiplab.replica.digest import encoding
from gossiplab.replica.lww_register import LwwRegister
from gossiplab.replica.merkle import MerkleTree
from gossiplab.replica.or_set import OrSet
from gossiplab.replica.store import State
from gossiplab.world.world import new_world
from tests.helpers import events_of, header_of, only, run_of


def run(*at, kind="ledger", **fields):
    fields = {"nodes": 2, "until": 5.0, "params": {"period": 100.0}, **fields}
    return events_of(header_of(kind, at=at, **fields))


def held(events, node, key):
    """What a node holds of a key at the end, by its own telling."""
    told = [event for event in only(events, Stored) if (event.node, event.key) == (node, key)]
    return told[-1].versions if told else None


def test_a_write_is_asked_told_stored_and_answered_in_this_order():
    events = run("1 write n1 cart milk and eggs")
    (asked,) = only(events, Requested)
    (version,) = only(events, Versioned)
    (stored,) = only(events, Stored)
    (answered,) = only(events, Answered)
    assert (asked.what, asked.node, asked.key, asked.value) == ("write", 1, "cart", "milk and eggs")
    assert (version.node, version.key, version.value, version.over) == (1, "cart", "milk and eggs", ())
    assert (stored.node, stored.versions, stored.by) == (1, (version.name,), None)
    assert (answered.id, answered.versions) == (asked.id, (version.name,))
    assert [events.index(each) for each in (asked, version, stored, answered)] == sorted(
        events.index(each) for each in (asked, version, stored, answered)
    )


def test_a_second_write_says_what_it_has_overwritten():
    events = run("1 write n0 k a", "2 write n0 k b", "3 delete n0 k")
    first, second, third = only(events, Versioned)
    assert (second.over, third.over) == ((first.name,), (second.name,))
    assert third.value is None


def test_a_version_is_told_once_for_all_nodes_and_who_brought_it():
    events = run("0 write n0 k a", params={"period": 0.5})
    assert len(only(events, Versioned)) == 1
    by = [event.by for event in only(events, Stored) if event.node == 1]
    assert len(by) == 1
    assert by[0] is not None


@pytest.mark.parametrize("before, why", [("kill", "down"), ("pause", "paused"), ("leave", "down")])
def test_nobody_answers_at_a_node_that_does_not_run(before, why):
    events = run(f"1 {before} n1", "2 write n1 k a", "3 read n1 k")
    assert [event.why for event in only(events, Refused)] == [f"n1 is {why}"] * 2
    assert not only(events, Answered)


def test_what_a_protocol_refuses_is_refused_once():
    events = run("1 write n0 x1 a")
    assert [event.why for event in only(events, Refused)] == ["it begins with x"]
    assert not only(events, Answered)


def test_everybody_begins_with_the_keys_of_the_workload_and_a_new_life_without():
    events = run("1 kill n1", "2 rejoin n1 fresh", "3 read n1 k1", "3 read n0 k1", workload={"keys": 5})
    assert [(event.node, event.keys) for event in only(events, Seeded)] == [(0, 5), (1, 5)]
    gone, there = only(events, Answered)
    assert (gone.versions, len(there.versions)) == ((), 1)


def test_a_wiped_disk_is_empty_while_its_node_goes_on():
    events = run("0.5 write n1 k a", "1 wipe n1", "2 read n1 k", "2 read n1 k0", workload={"keys": 5})
    assert [event.node for event in only(events, Emptied)] == [1]
    assert [event.versions for event in only(events, Answered)[1:]] == [(), ()]


def test_a_disk_goes_back_to_its_backup_and_without_one_to_the_start():
    events = run(
        "0.5 write n0 k0 a", "1 backup n0", "2 write n0 k0 b", "2 write n1 k0 c", "3 restore all", "4 read n0 k0",
        "4 read n1 k0", workload={"keys": 5},
    )  # fmt: skip
    seed = only(events, Seeded)[0].version
    names = {event.value: event.name for event in only(events, Versioned)}
    assert [event.versions for event in only(events, Answered)[3:]] == [(names["a"],), (seed,)]


def test_a_backup_outlives_the_node():
    events = run(
        "1 write n0 k a", "2 backup n0", "3 kill n0", "3 rejoin n0 fresh", "4 restore n0", "4.5 read n0 k"
    )
    written, read = only(events, Answered)
    assert read.versions == written.versions != ()


def test_stamps_that_look_the_same_have_names_of_their_own():
    at = ("100 write n0 k a", "100.0000001 write n0 k b")
    events = run(*at, until=101.0, params={"period": 1000.0, "conflict": "lww"})
    names = [event.name for event in only(events, Versioned)]
    assert len(set(names)) == 2
    assert not any("'" in name for name in names)


def test_a_backup_is_not_touched_by_later_writes():
    events = run(
        "1 backup n0",
        "2 write n0 k0 b",
        "3 restore n0",
        "4 restore n0",
        "4.5 read n0 k0",
        workload={"keys": 2},
    )
    assert only(events, Answered)[-1].versions == (only(events, Seeded)[0].version,)


def test_so_many_keys_are_corrupted_and_keep_their_names_but_for_a_mark():
    events = run("1 corrupt n1 3", workload={"keys": 10})
    seed = only(events, Seeded)[0].version
    told = only(events, Versioned)
    assert len({event.key for event in told}) == 3
    assert {event.name for event in told} == {f"{seed}'"}
    assert {event.node for event in only(events, Stored)} == {1}
    head = header_of(
        "ledger", nodes=2, until=5.0, params={"period": 100.0}, workload={"keys": 10}, at=("1 corrupt n1 3",)
    )
    world = new_world(head)
    world.apply(events)
    assert world.replicas.curve[-1] == (1.0, 3)


def test_more_keys_than_there_are_cannot_be_corrupted():
    assert len(only(run("1 corrupt n1 1000", workload={"keys": 4}), Stored)) == 4
    assert not only(run("1 corrupt n1 1000"), Stored)


def test_damage_is_drawn_anew_each_time():
    events = run("1 corrupt n0 5", "2 corrupt n1 5", workload={"keys": 100})
    keys = [{event.key for event in only(events, Stored) if event.node == node} for node in (0, 1)]
    assert keys[0] != keys[1]


def test_a_disk_can_be_damaged_while_its_node_is_down():
    events = run("1 kill n1", "2 wipe n1", "3 rejoin n1", "4 read n1 k0", workload={"keys": 5})
    assert only(events, Answered)[0].versions == ()


def test_long_values_are_told_by_their_beginning():
    events = run(f"1 write n0 k {'a' * 5000}")
    assert {len(event.value) for event in (*only(events, Requested), *only(events, Versioned))} == {83}


def test_the_workload_asks_and_ends():
    events = run(workload={"keys": 5, "rate": 50.0, "seconds": 2.0, "begin": 1.0, "writers": 1}, until=5.0)
    asked = only(events, Requested)
    assert 60 < len(asked) < 140
    assert all(1.0 <= event.t <= 3.0 and event.node == 0 for event in asked)
    assert len(only(events, Answered)) == len(asked)


class Partial(Protocol):
    """Holds only keys of its own, in a CRDT or not."""

    def setup(self):
        self.store = self.open_store("lww", holds=lambda key: int(key[1:]) % 2 == self.id)

    def on_write(self, write):
        self.place(write.key, (1, 0))
        self.place(write.key, (1, 0))


def test_a_node_begins_with_the_keys_that_belong_there():
    events = run_of(Partial, nodes=2, until=1.0, workload={"keys": 6})
    assert {(event.node, event.key) for event in only(events, Stored)} == {(i % 2, f"k{i}") for i in range(6)}


class Sets(Protocol):
    """Holds sets."""

    def setup(self):
        self.store = self.open_store("crdt")

    def on_write(self, write):
        state = self.store.get(write.key) or OrSet()
        delta = state.add(self.id, write.value)
        self.store.merge(write.key, delta)
        self.answer(write.id, delta)


def test_a_set_is_told_by_its_content():
    events = run_of(Sets, nodes=1, until=5.0, at=("1 write n0 s b", "2 write n0 s a", "3 corrupt n0 1"))
    assert [event.value for event in only(events, Versioned)] == ["b", "a, b", "`, c"]
    assert [event.versions for event in only(events, Answered)] == [(), ()]


WRONG = {
    "begin": "n0 repairs with 7: name another node of the lab",
    "itself": "n0 repairs with 0: name another node",
    "compared": "n0 goes on with repair 3, which nobody began",
    "end": "n0 goes on with repair -1, which nobody began",
    "place": "n0 places 'k' on (0, 0): name each node of the lab once",
    "state": "no state of a key",
}


class Wrong(Protocol):
    """Says what cannot be."""

    def setup(self):
        self.store = self.open_store("lww")

    def on_write(self, write):
        match write.key:
            case "begin":
                self.begin_repair(7)
            case "itself":
                self.begin_repair(0)
            case "compared":
                self.compared(3)
            case "end":
                self.end_repair(-1, 0)
            case "place":
                self.place("k", (0, 0))
            case _:
                self.answer(write.id, 42)


@pytest.mark.parametrize("key", WRONG)
def test_what_cannot_be_crashes_its_node_and_says_so(key):
    (crash,) = only(run_of(Wrong, nodes=2, until=2.0, at=(f"1 write n0 {key} v",)), Crashed)
    assert WRONG[key] in crash.error


class Heap(Message):
    """Whatever is there."""

    states: dict[str, State]


class Trees(Protocol):
    """Compares roots with what the other has."""

    def setup(self):
        self.store = self.open_store("lww", MerkleTree(4, 2))

    @every(1.0)
    def tell(self):
        assert self.store.tree.root == MerkleTree.build(self.store.digest(), 4, 2).root
        assert self.store.bytes == sum(len(key) + len(encoding(self.store.get(key))) for key in self.store)
        for peer in self.sample(1):
            self.send(peer, Heap({key: self.store.get(key) for key in self.store}))

    def on_heap(self, sender, heap):
        for key, state in heap.states.items():
            assert isinstance(state, LwwRegister)
            self.store.merge(key, state)

    def on_write(self, write):
        self.answer(write.id)


def test_the_tree_and_the_size_of_a_store_are_true_through_all_damage():
    at = (
        "1.5 corrupt n0 9",
        "2.5 wipe n1",
        "3.5 backup n1",
        "4.5 wipe all",
        "5.5 restore n1",
        "6.5 restore n0",
    )
    events = run_of(Trees, nodes=2, until=9.0, at=at, workload={"keys": 40})
    assert not only(events, Crashed)
