"""What clients ask for: the settings, and what is drawn from them."""

from collections import Counter
from itertools import islice
from random import Random

import pytest

from gossiplab.errors import UserError
from gossiplab.workload import Clients, Workload, make_value, parse_workload, seed_index
from tests.helpers import header_of


def drafts(count=20_000, nodes=10, seed=1, **fields):
    clients = Clients(Workload(**{"keys": 100, "rate": 5.0, **fields}), nodes, Random(seed))
    return list(islice(iter(clients.next, None), count))


def test_requests_come_at_the_rate_and_in_the_shares_that_are_asked_for():
    asked = drafts(reads=0.5, deletes=0.1)
    assert sum(each.seconds for each in asked) / len(asked) == pytest.approx(1 / 5, rel=0.03)
    what = Counter(each.what for each in asked)
    assert what["read"] / len(asked) == pytest.approx(0.5, abs=0.02)
    assert what["delete"] / len(asked) == pytest.approx(0.1, abs=0.02)
    assert {len(each.nodes) for each in asked} == {1}


def test_every_write_has_a_value_of_its_own_of_the_size_that_is_asked_for():
    values = [each.value for each in drafts(500, size=40)]
    assert len(set(values)) == 500
    assert {len(value) for value in values} == {40}
    assert make_value("long label", 3) == "long label"


@pytest.mark.parametrize("skew, share", [("uniform", 0.01), ("zipf", 0.189)])
def test_how_popular_the_first_key_is(skew, share):
    """Under zipf with exponent 0.99 the first of 100 keys is asked for 1 / sum(i ** -0.99) of the time."""
    if skew == "zipf":
        assert 1 / sum(rank**-0.99 for rank in range(1, 101)) == pytest.approx(share, abs=0.001)
    keys = Counter(each.key for each in drafts(skew=skew))
    assert set(keys) <= {f"k{i}" for i in range(100)}
    assert keys["k0"] / 20_000 == pytest.approx(share, abs=0.01)


def test_only_writers_are_asked_and_concurrent_writes_are_two():
    asked = drafts(writers=3, concurrent=0.25)
    assert {node for each in asked for node in each.nodes} == {0, 1, 2}
    pairs = [each.nodes for each in asked if len(each.nodes) == 2]
    assert len(pairs) / len(asked) == pytest.approx(0.25, abs=0.02)
    assert all(a != b for a, b in pairs)
    assert all(len(each.nodes) == 1 for each in drafts(100, nodes=1, concurrent=1.0))


@pytest.mark.parametrize("word, said", [
    ("keys", "'keys' is no setting of a workload: write one of keys, size, rate,"),
    ("colour=red", "is no setting of a workload"),
    ("keys=many", "the workload's keys cannot be 'many': give a whole number from 0 to 1000000."),
    ("keys=1.5", "the workload's keys cannot be '1.5'"),
    ("rate=fast", "the workload's rate cannot be 'fast': give requests a second"),
])  # fmt: skip
def test_what_is_no_setting(word, said):
    with pytest.raises(UserError, match="workload") as raised:
        parse_workload([word])
    assert said in str(raised.value)


@pytest.mark.parametrize("fields, said", [
    ({"keys": -1}, "the workload's keys cannot be -1"),
    ({"rate": float("nan")}, "the workload's rate cannot be nan"),
    ({"rate": 1.0}, "has requests but no keys"),
    ({"keys": 3, "reads": 0.7, "deletes": 0.7}, "more than all requests"),
    ({"keys": 3, "skew": "normal"}, "the workload's skew cannot be 'normal'"),
    ({"size": 2**21}, "the workload's size cannot be"),
])  # fmt: skip
def test_what_cannot_be(fields, said):
    with pytest.raises(UserError) as raised:
        header_of("ledger", workload=fields)
    assert said in str(raised.value)


def test_a_protocol_that_stores_nothing_has_no_workload():
    with pytest.raises(UserError, match="Chatter stores no keys: leave out the workload"):
        header_of("chatter", workload={"keys": 3})
    with pytest.raises(UserError, match="stores no keys: leave out `write n0 k v`"):
        header_of("chatter", at=["1 write n0 k v"])
    with pytest.raises(UserError, match="the workload of the experiment has no field 'kees'"):
        header_of("ledger", workload={"kees": 3})


@pytest.mark.parametrize("name, index", [
    ("k0", 0), ("k17", 17), ("k01", None), ("k", None), ("cart", None), ("k-1", None), ("k1.5", None), ("K1", None),
    ("k\u0661", None), ("", None), ("k" + "9" * 400, None),
])  # fmt: skip
def test_seeded_keys_are_known_by_their_names(name, index):
    assert seed_index(name) == (float("inf") if index is None else index)
