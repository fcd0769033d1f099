"""Merkle trees: equal roots iff equal contents, one path a write, and a descent that finds exactly what differs."""

import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossiplab.errors import ProtocolError, UserError
from gossiplab.replica.digest import Difference, difference, fingerprint
from gossiplab.replica.merkle import ZERO, Hashes, Items, MerkleTree, Part, descend

SHAPES = [(2, 0), (2, 1), (2, 5), (3, 3), (16, 2), (16, 4), (256, 1), (16, 8)]

keys = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)  # all of Unicode but halves of pairs
contents = st.dictionaries(keys, st.integers(0, 3).map(str), max_size=12)
shapes = st.sampled_from(SHAPES)


def digest(content):
    return {key: fingerprint(value) for key, value in content.items()}


def tree(content, shape):
    return MerkleTree.build(digest(content), *shape)


def nodes(tree):
    """The hash of every node, asked for one by one."""
    return {
        (level, index): tree.node(level, index)
        for level in range(tree.depth + 1)
        for index in range(tree.fanout**level)
    }


@given(contents, contents, shapes)
def test_roots_are_equal_iff_contents_are(one, other, shape):
    assert (tree(one, shape).root == tree(other, shape).root) == (one == other)
    assert (tree(one, shape).root == ZERO) == (not one)


@given(
    st.lists(st.tuples(keys, st.none() | st.integers(0, 3).map(str)), max_size=15),
    st.sampled_from(SHAPES[:6]),
)
def test_writing_one_by_one_is_building_at_once(writes, shape):
    kept, content = MerkleTree(*shape), {}
    for key, value in writes:
        if value is None:
            content.pop(key, None)
            kept.remove(key)
        else:
            content[key] = value
            kept.put(key, fingerprint(value))
        built = tree(dict(sorted(content.items(), reverse=True)), shape)
        assert kept.root == built.root
    places = [(level, index) for level in range(shape[1] + 1) for index in (0, shape[0] ** level - 1)]
    places += [(shape[1], kept.place(key)) for key, _ in writes]
    built = tree(content, shape)
    assert [kept.node(*place) for place in places] == [built.node(*place) for place in places]


@pytest.mark.parametrize("shape", SHAPES[:5])
def test_a_write_touches_one_path(shape):
    depth = shape[1]
    kept = tree({f"key {i}": "old" for i in range(100)}, shape)
    for key in ("key 7", "a new key"):
        old, hashed = nodes(kept), kept.hashed
        kept.put(key, fingerprint("new"))
        new = nodes(kept)
        leaf = kept.place(key)
        path = [(level, leaf // shape[0] ** (depth - level)) for level in range(depth + 1)]
        assert [place for place in new if new[place] != old[place]] == path
        assert kept.hashed - hashed == depth + 1


def test_a_tree_that_is_emptied_is_an_empty_tree():
    for shape in SHAPES:
        kept = tree({f"key {i}": "x" for i in range(50)}, shape)
        for i in range(50):
            kept.remove(f"key {i}")
        kept.remove("never there")
        assert kept.root == ZERO
        assert list(descend(kept, MerkleTree(*shape))) == []


@given(contents, contents, shapes)
def test_a_descent_finds_exactly_what_differs(one, other, shape):
    steps = list(descend(tree(one, shape), tree(other, shape)))
    if one == other:
        assert steps == []
        return
    assert [step.part.level for step in steps[:-1]] == list(range(shape[1]))
    items = steps[-1].part
    # the partner of whoever sent the leaves compares them with its own: b sends at even levels
    receiver = tree(one if shape[1] % 2 == 0 else other, shape)
    here, there = (one, other) if shape[1] % 2 == 0 else (other, one)
    assert receiver.difference(items) == Difference(
        tuple(sorted(set(here) - set(there))),
        tuple(sorted(set(there) - set(here))),
        tuple(sorted(key for key in set(here) & set(there) if here[key] != there[key])),
    )
    # never more nodes of a level than keys that differ
    differing = steps[-1].differing
    assert all(len(step.part.nodes) <= differing for step in steps)
    # what one sends arrives as it was, and takes the bytes it says
    for step in steps:
        data = msgspec.json.encode(step.part)
        assert len(data) == step.size
        assert msgspec.json.decode(data, type=Part) == step.part


def test_bytes_grow_with_what_differs_and_not_with_the_keys():
    sizes = {}
    for total in (1_000, 10_000):
        content = {f"key {i}": "x" for i in range(total)}
        whole = tree(content, (16, 3))
        for differing in (1, 10):
            changed = {**content, **{f"key {i * 97}": "y" for i in range(differing)}}
            sizes[total, differing] = sum(step.size for step in descend(whole, tree(changed, (16, 3))))
    assert sizes[10_000, 1] < 1.2 * sizes[1_000, 1]
    assert sizes[1_000, 1] < sizes[1_000, 10] < 10 * sizes[1_000, 1]


def test_replicas_that_differ_in_everything_or_hold_nothing():
    some, others = ({f"{side} {i}": "x" for i in range(2000)} for side in ("left", "right"))
    for shape in ((2, 0), (16, 2), (16, 4)):
        *_, last = descend(tree(some, shape), tree(others, shape))
        assert last.differing == 4000
        *_, last = descend(tree(some, shape), tree(dict.fromkeys(some, "y"), shape))
        assert last.differing == 2000
        for pair in ((some, {}), ({}, some)):
            *_, last = descend(*(tree(side, shape) for side in pair))
            assert last.differing == 2000
        assert not list(descend(tree({}, shape), tree({}, shape)))
        assert not list(descend(tree(some, shape), tree(some, shape)))


def test_keys_that_only_look_the_same_are_not():
    looks = ["\u00e9", "e\u0301", "e", "E", "\u0435", "e\u200b", " e", "\0e"]
    whole = tree(dict.fromkeys(looks, "x"), (16, 4))
    for key in looks:
        less = tree(dict.fromkeys([look for look in looks if look != key], "x"), (16, 4))
        assert list(descend(whole, less))[-1].differing == 1


def test_hashes_are_what_the_documentation_says():
    """So they are the same on every machine: written out here with hashlib alone."""

    def blake(data, size=8):
        return hashlib.blake2b(data, digest_size=size).digest()

    state = fingerprint({2: "b", 10: "a"})
    assert state == fingerprint({10: "a", 2: "b"}) == blake(b'{"10":"a","2":"b"}')
    leaf = 0
    for key in ("a", "\U0001f419"):
        leaf += int.from_bytes(blake(state + key.encode(), 16), "big")
    leaf = blake((leaf % 2**128).to_bytes(16, "big"))
    content = dict.fromkeys(["a", "\U0001f419"], state)
    assert MerkleTree.build(content, 16, 0).root == leaf
    place = int.from_bytes(blake(b"a"), "big") % 2
    alone = blake(int.from_bytes(blake(state + b"a", 16), "big").to_bytes(16, "big"))
    assert MerkleTree.build({"a": state}, 2, 1).root == blake(
        bytes(8) * place + alone + bytes(8) * (1 - place)
    )


@pytest.mark.parametrize("shape", [(1, 4), (257, 1), (16, -1), (16, 9), (2, 10**9)])
def test_shapes_that_cannot_be(shape):
    with pytest.raises(UserError, match="Merkle tree"):
        MerkleTree(*shape)


@pytest.mark.parametrize(
    "part",
    [
        Hashes(0, (0,), bytes(8)),
        Hashes(0, (), bytes(32)),
        Hashes(-1, (0,), bytes(32)),
        Hashes(2, (0,), bytes(32)),
    ],
)
def test_parts_of_a_tree_of_another_shape_are_refused(part):
    with pytest.raises(ProtocolError, match="give both replicas the same"):
        MerkleTree(4, 2).differing(part)


def test_nodes_that_are_not_there_are_empty():
    kept = tree({"a": "x"}, (4, 2))
    assert kept.open(2, [99]) == Items((99,), {})
    assert kept.open(0, [5]) == Hashes(0, (5,), bytes(32))
    with pytest.raises(ProtocolError):
        kept.open(3, [0])


def test_what_no_tree_can_hold():
    with pytest.raises(UserError, match="half of a surrogate pair"):
        MerkleTree().put("\ud800", bytes(8))
    with pytest.raises(UserError, match="half of a surrogate pair"):
        fingerprint("\udc00")
    with pytest.raises(ProtocolError, match="8 bytes and not 3"):
        MerkleTree().put("key", b"abc")


@given(contents, contents)
def test_digests_differ_where_contents_do(one, other):
    found = difference(digest(one), digest(other))
    assert bool(found) == (one != other)
    assert found.here == tuple(sorted(set(one) - set(other)))
    assert found.there == tuple(sorted(set(other) - set(one)))
    assert list(found.unequal) == sorted(key for key in set(one) & set(other) if one[key] != other[key])
