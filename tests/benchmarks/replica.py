"""Merkle tree and store of 100,000 keys: building, a write, and the bytes of a repair against a full copy."""

import gc
from time import process_time

import msgspec

from gossiplab.engine.run import run_lab
from gossiplab.replica.hybrid import Hybrid
from gossiplab.replica.lww_register import LwwRegister
from gossiplab.replica.merkle import MerkleTree, descend
from gossiplab.replica.store import Store
from gossiplab.world.replicas import Repair
from gossiplab.world.world import new_world
from tests.helpers import header_of, lab_of

KEYS = 100_000
WRITES = 20_000
FANOUT, DEPTH = 16, 4


def filled(tree: MerkleTree | None) -> Store:
    """A store of KEYS keys with values of 32 bytes."""
    store = Store("lww", tree)
    for i in range(KEYS):
        store.put(f"key {i}", f"{i:032}", stamp=Hybrid(1.0, 0, 0))
    return store


def cost(store: Store, differing: int) -> tuple[int, int, int]:
    """(messages of the descent, their bytes, bytes of the states sent) when so many keys of a copy are newer."""
    assert store.tree is not None
    digest = store.digest()
    sent = 0
    other = Store("lww", MerkleTree.build(digest, FANOUT, DEPTH))
    for i in range(0, KEYS, KEYS // differing):
        state = LwwRegister(Hybrid(2.0, 0, 1), f"{i:032}")
        other.replace(f"key {i}", state)
        sent += len(msgspec.json.encode({f"key {i}": state}))
    assert other.tree is not None
    steps = list(descend(store.tree, other.tree))
    assert steps[-1].differing == differing
    return len(steps), sum(step.size for step in steps), sent


def session(keys: int, differing: int) -> Repair:
    """What merkle_repair makes of so many keys, of which one of two nodes has so many newer."""
    header = header_of(
        "merkle_repair", nodes=2, until=9.9, workload={"keys": keys, "size": 32},
        at=[f"0.001 write n1 k{i} {i:032}" for i in range(0, keys, keys // differing)],
        params={"period": 5.0, "fanout": FANOUT, "depth": DEPTH},
    )  # fmt: skip
    world = new_world(header)
    run_lab(lab_of(header, world.apply))
    (repair,) = [each for each in world.replicas.repairs if each.differing] if world.replicas else []
    assert repair.differing == differing
    return repair


def main() -> None:
    """Print the tables."""
    store = filled(MerkleTree(FANOUT, DEPTH))
    assert store.tree is not None
    digest = store.digest()
    gc.collect()
    begun = process_time()
    tree = MerkleTree.build(digest, FANOUT, DEPTH)
    built = process_time() - begun
    assert tree.root == store.tree.root
    fresh = [(f"key {i * 7 % KEYS}", i.to_bytes(8, "big")) for i in range(WRITES)]
    begun = process_time()
    for key, state in fresh:
        tree.put(key, state)
    written = (process_time() - begun) / WRITES
    print(f"{KEYS:,} keys, fan-out {FANOUT}, depth {DEPTH}                              (goal)")
    print(f"  building the tree                      {built:10.2f} s        (1)")
    print(f"  a write to the tree                    {written * 1e6:10.1f} µs      (50)")
    for name, kept in (("without", filled(None)), ("with", store)):
        begun = process_time()
        for i in range(WRITES):
            kept.put(f"key {i}", f"{i:032}", stamp=Hybrid(1.5, i, 0))
        written = (process_time() - begun) / WRITES
        print(f"  a write to the store {name + ' its tree':<18}{written * 1e6:10.1f} µs")
    full = sum(len(msgspec.json.encode({key: store.get(key)})) for key in store)
    print(f"repair; a full copy: {full:,} bytes (d = 1: below 1 %)")
    print("  differing   messages   descent, bytes   states, bytes   together   of a full copy")
    for differing in (1, 10, 100, 1_000):
        messages, descent, states = cost(store, differing)
        together = descent + states
        print(
            f"  {differing:9,} {messages:10} {descent:16,} {states:15,} {together:10,} {together / full:15.3%}"
        )
    print("merkle_repair in a lab of two nodes, everything that it sends")
    print("       keys   differing   round trips        bytes   of a full copy")
    for keys in (KEYS // 10, KEYS):
        for differing in (1, 10, 100, 1_000):
            repair = session(keys, differing)
            print(
                f"  {keys:9,} {differing:11,} {repair.round_trips:13} {repair.bytes:12,} {repair.bytes / repair.full:16.3%}"
            )
