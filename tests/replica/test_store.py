"""The versioned store: the same updates make the same store in any order, and its digests tell stores apart."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossiplab.errors import ProtocolError, UserError
from gossiplab.replica.counters import GCounter, PnCounter
from gossiplab.replica.digest import difference
from gossiplab.replica.dots import Context
from gossiplab.replica.hybrid import Hybrid
from gossiplab.replica.lww_register import LwwRegister
from gossiplab.replica.merkle import ZERO, MerkleTree, descend
from gossiplab.replica.mv_register import MvRegister
from gossiplab.replica.or_map import OrMap
from gossiplab.replica.or_set import OrSet
from gossiplab.replica.siblings import Siblings
from gossiplab.replica.store import CONFLICTS, LARGEST, State, Store

ROOT = Path(__file__).parents[2]
KEYS = ["cart", "", "\u202etrac", "\U0001f419", "e\u0301"]

keys = st.sampled_from(KEYS)
replicas = st.integers(0, 2)
values = st.none() | st.sampled_from(["", "x", "\U0001f9a0"])
writes = st.lists(st.tuples(replicas, keys, values, st.booleans()), max_size=12)


def new(conflict):
    return Store(conflict, MerkleTree(4, 2))


def write(store, replica, key, value, causal, time):
    """One write at a replica, of a type that belongs to the key; returns its delta."""
    if store.conflict == "lww":
        return store.put(key, value, stamp=Hybrid(float(time), 0, replica))
    if store.conflict == "siblings":
        return store.put(key, value, replica=replica, context=store.read(key)[1] if causal else None)
    stamp = Hybrid(float(time), 0, replica)
    empty = [OrSet(), OrMap(), PnCounter(), MvRegister(), LwwRegister(stamp, value)][KEYS.index(key)]
    old = store.get(key) or empty
    if isinstance(old, OrSet):
        delta = old.remove("x") if value is None else old.add(replica, value)
    elif isinstance(old, OrMap):
        delta = old.remove(["x"]) if value is None else old.put(replica, ["x"], value)
    elif isinstance(old, PnCounter):
        delta = old.add(replica, -1 if value is None else 2)
    elif isinstance(old, MvRegister):
        delta = old.clear() if value is None else old.put(replica, value)
    else:
        delta = LwwRegister(stamp, value)
    store.merge(key, delta)
    return delta


def same(one, other):
    """Equal in every respect that a protocol can see, and the cheap ones agree with reading everything."""
    assert list(one) == list(other)
    assert [one.get(key) for key in one] == [other.get(key) for key in other]
    assert one.digest() == other.digest()
    assert not difference(one.digest(), other.digest())
    assert one.checksum == other.checksum
    assert one.tree.root == other.tree.root == MerkleTree.build(one.digest(), 4, 2).root


@pytest.mark.parametrize("conflict", CONFLICTS)
def test_any_delivery_ends_in_the_same_store(conflict):
    @given(writes, st.data())
    def converge(writes, data):
        stores = [new(conflict) for _ in range(3)]
        deltas = []
        for time, (replica, key, value, causal) in enumerate(writes, 1):
            deltas.append((key, write(stores[replica], replica, key, value, causal, time)))
            if data.draw(st.booleans()):  # a message gets through the partition
                stores[data.draw(replicas)].merge(*deltas[data.draw(st.integers(0, len(deltas) - 1))])
        for store in stores:  # one is told every delta, twice and in disorder
            for key, delta in data.draw(st.permutations(deltas * 2)):
                again = msgspec.json.decode(msgspec.json.encode(delta), type=State)
                assert again == delta
                store.merge(key, again)
        fourth = new(conflict)  # and one is told whole states
        for key in stores[2]:
            fourth.merge(key, stores[2].get(key))
        for store in (*stores[1:], fourth):
            same(stores[0], store)
        for key, delta in deltas:
            assert not fourth.merge(key, delta)

    converge()


@pytest.mark.parametrize("conflict", CONFLICTS)
def test_repairing_what_a_descent_finds_makes_stores_equal(conflict):
    @given(writes, writes)
    def repair(one, other):
        stores = new(conflict), new(conflict)
        for store, writes_, first in ((stores[0], one, 0), (stores[1], other, 3)):
            for time, (replica, key, value, causal) in enumerate(writes_, 1):
                write(store, replica + first, key, value, causal, time)
        a, b = stores
        steps = list(descend(a.tree, b.tree))
        assert bool(steps) == bool(difference(a.digest(), b.digest())) == (a.checksum != b.checksum)
        if steps:  # the last part comes from b when depth is even, as here
            found = a.tree.difference(steps[-1].part)
            for key in (*found.here, *found.there, *found.unequal):
                mine, theirs = a.get(key), b.get(key)
                if theirs is not None:
                    a.merge(key, theirs)
                if mine is not None:
                    b.merge(key, mine)
        same(a, b)

    repair()


def test_conflicts_end_as_chosen():
    lost, kept = Store("lww"), Store("siblings")
    for replica, value in ((0, "left"), (1, "right")):
        lost.put("k", value, stamp=Hybrid(1.0, 0, replica))
        kept.put("k", value, replica=replica)
    assert lost.read("k") == (("right",), Context())
    values, context = kept.read("k")
    assert values == ("left", "right")
    kept.put("k", "both", replica=0, context=context)
    assert kept.read("k")[0] == ("both",)
    added = Store("crdt")
    for replica in (0, 1):
        added.merge("k", GCounter().add(replica, 2))
        added.merge("s", OrSet().add(replica, f"from {replica}"))
    assert added.read("k")[0] == ("4",)
    assert added.read("s")[0] == ("from 0", "from 1")


@pytest.mark.parametrize("conflict", ["lww", "siblings"])
def test_a_deletion_is_a_state_that_old_values_do_not_get_past(conflict):
    store = new(conflict)
    old = write(store, 0, "k", "old", True, 1)
    write(store, 0, "k", None, True, 2)
    assert not store.merge("k", old)
    assert store.read("k")[0] == ()
    assert "k" in store
    assert len(store) == 1
    store.drop("k")  # and without it they do
    assert len(store) == 0
    assert store.checksum == 0
    assert store.tree.root == ZERO
    assert store.merge("k", old)
    assert store.read("k")[0] == ("old",)
    store.drop("never there")


def test_damage_shows_in_digest_checksum_and_tree():
    whole, hurt = new("lww"), new("lww")
    for store in (whole, hurt):
        for key in KEYS:
            store.put(key, "right", stamp=Hybrid(1.0, 0, 0))
    hurt.replace("cart", LwwRegister(Hybrid(1.0, 0, 0), "wrong"))
    assert difference(whole.digest(), hurt.digest()).unequal == ("cart",)
    assert whole.checksum != hurt.checksum
    assert whole.tree.root != hurt.tree.root


def test_values_up_to_a_mebibyte():
    store = new("siblings")
    for value in ("x" * LARGEST, "\U0001f419" * (LARGEST // 4)):
        delta = store.put("big", value, replica=1)
        assert value in store.read("big")[0]
        assert msgspec.json.decode(msgspec.json.encode(delta), type=State) == delta
    for value in ("x" * (LARGEST + 1), "\U0001f419" * (LARGEST // 4 + 1)):
        with pytest.raises(UserError, match="1 MiB, the most"):
            store.put("big", value, replica=1)
    assert len(store.read("big")[0]) == 2


SCRIPT = """
import sys, msgspec
from tests.replica.test_store import KEYS, new, write
for conflict in ("lww", "siblings", "crdt"):
    stores = [new(conflict) for _ in range(3)]
    for time in range(60):
        key, value = KEYS[time % 5], None if time % 7 == 0 else f"value {time % 9}"
        delta = write(stores[time % 3], time % 3, key, value, time % 4 > 0, time + 1)
        stores[time * 5 % 3].merge(key, delta)
    for store in stores[1:]:
        for key in store:
            stores[0].merge(key, store.get(key))
    states = {key: stores[0].get(key) for key in stores[0]}
    print(msgspec.json.encode([states, stores[0].digest(), stores[0].tree.open(0, [0])]), stores[0].checksum)
"""


def test_another_process_with_another_hash_seed_makes_the_same_bytes():
    said = []
    for seed in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        said.append(
            subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, check=True, cwd=ROOT)
        )
    assert said[0].stdout == said[1].stdout
    assert said[0].stdout.count(b"\n") == 3


def test_what_a_store_refuses():
    with pytest.raises(UserError, match="give lww or siblings or crdt"):
        Store("coin")
    with pytest.raises(ProtocolError, match="lacks a stamp"):
        Store("lww").put("k", "v")
    with pytest.raises(ProtocolError, match="lacks a type"):
        Store("crdt").put("k", "v")
    with pytest.raises(ProtocolError, match=r"'k' \(lww\) cannot take Siblings"):
        Store("lww").merge("k", Siblings())
    store = Store("crdt")
    store.merge("k", GCounter().add(0))
    with pytest.raises(ProtocolError, match=r"'k' \(GCounter\) cannot take OrSet"):
        store.merge("k", OrSet())
    for key, value in (("\ud800", "v"), ("k", "\ud800")):
        refusing = new("lww")
        with pytest.raises(UserError, match="half of a surrogate pair"):
            refusing.put(key, value, stamp=Hybrid(1.0, 0, 0))
        assert len(refusing) == 0
        assert refusing.tree.root == ZERO
