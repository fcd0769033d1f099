"""Every CRDT, and dotted version vectors: the laws of merging, and what stands after a random history, by brute force."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossiplab.errors import ProtocolError
from gossiplab.replica.counters import GCounter, PnCounter
from gossiplab.replica.dots import Context, context
from gossiplab.replica.hybrid import Hybrid
from gossiplab.replica.lww_register import LwwRegister
from gossiplab.replica.mv_register import MvRegister
from gossiplab.replica.or_map import OrMap
from gossiplab.replica.or_set import OrSet
from gossiplab.replica.siblings import Siblings
from tests.replica.histories import Event, histories, hold_laws, names, replicas


def encode(state):
    """What goes over the wire; and what comes out there is the same state."""
    data = msgspec.json.encode(state)
    assert msgspec.json.decode(data, type=type(state)) == state
    return data


# --- last writer wins


def write(played, replica, drawn):
    time, value = drawn
    stamp = Hybrid(float(time), len(played.events), replica)
    played.happens(replica, Event("write", (), (stamp, value), ()), LwwRegister(stamp, value))


writes = histories(LwwRegister(Hybrid(0.0, 0, 0)), st.tuples(st.integers(1, 3), st.none() | names), write)


@given(writes, st.data())
def test_the_last_writer_wins(played, data):
    hold_laws(played, data, encode)
    for state, history in played.states:
        if history:
            last = max((played.events[event].value for event in history), key=lambda write: write[0])
            assert (state.stamp, state.value) == last


def test_equal_stamps_keep_the_larger_value_and_any_rather_than_a_deletion():
    stamp = Hybrid(1.0, 0, 1)
    for less, more in (("a", "b"), (None, ""), ("", "a"), ("z", "ä")):
        low, high = LwwRegister(stamp, less), LwwRegister(stamp, more)
        assert low.merge(high) == high.merge(low) == high


# --- counters


def count(played, replica, amount):
    played.happens(replica, Event("add", (), amount, ()), played.now[replica][0].add(replica, amount))


@pytest.mark.parametrize("empty, amounts", [(GCounter(), (0, 5)), (PnCounter(), (-5, 5))])
def test_counters_are_exact(empty, amounts):
    steps = st.lists(st.tuples(replicas, replicas, st.integers(*amounts)), max_size=20)

    @given(steps)
    def exact(steps):
        states = [(empty, frozenset())] * 3
        amounts = []
        for by, source, amount in steps:
            state, known = states[by]
            delta = state.add(by, amount)
            amounts.append(amount)
            states[by] = state.merge(delta).merge(delta), known | {len(amounts) - 1}
            there, more = states[source]
            states[by] = states[by][0].merge(there), states[by][1] | more
            assert states[by][0].value == sum(amounts[event] for event in states[by][1])
        everything = empty
        for state, _ in states:
            everything = everything.merge(state)
        assert everything.value == sum(amounts)

    exact()


@given(st.data())
def test_counters_hold_the_laws(data):
    for empty, amounts in ((GCounter(), st.integers(0, 3)), (PnCounter(), st.integers(-3, 3))):
        played = data.draw(histories(empty, amounts, count))
        states = [state for state, _ in played.states] + played.deltas
        a, b, c = (data.draw(st.sampled_from(states)) for _ in range(3))
        assert encode(a.merge(b)) == encode(b.merge(a))
        assert encode(a.merge(b).merge(c)) == encode(a.merge(b.merge(c)))
        assert encode(a.merge(a)) == encode(a)
        end = again = empty
        for state, _ in played.now:
            end = end.merge(state)
        for delta in data.draw(st.permutations(played.deltas * 2)):
            again = again.merge(delta)
        assert encode(end) == encode(again)


def test_a_counter_that_only_grows_refuses_to_shrink():
    with pytest.raises(ProtocolError, match="use a PN-Counter"):
        GCounter().add(0, -1)


# --- multi-value register


def put(played, replica, value):
    state, history = played.now[replica]
    killed = played.standing(history)
    kind = "clear" if value is None else "put"
    delta = state.clear() if value is None else state.put(replica, value)
    if value is not None or killed:  # clearing nothing is nothing
        played.happens(replica, Event(kind, (), value, killed), delta)


@given(histories(MvRegister(), st.none() | names, put), st.data())
def test_a_register_keeps_exactly_the_concurrent_values(played, data):
    hold_laws(played, data, encode)
    for state, history in played.states:
        stand = [played.events[event] for event in played.standing(history)]
        assert sorted(state.values) == sorted(event.value for event in stand if event.kind == "put")


# --- observed-remove set


def change(played, replica, drawn):
    adds, element = drawn
    state, history = played.now[replica]
    killed = [event for event in played.standing(history) if played.events[event].value == element]
    killed = [event for event in killed if played.events[event].kind == "add"]
    if adds:
        played.happens(replica, Event("add", (), element, killed), state.add(replica, element))
    elif killed:
        played.happens(replica, Event("remove", (), element, killed), state.remove(element))


few = st.sampled_from(["", "\u00e4", "a\u0308"])  # so that removes meet adds


@given(histories(OrSet(), st.tuples(st.booleans(), few), change), st.data())
def test_an_element_is_in_iff_an_add_of_it_was_not_observed_by_a_remove(played, data):
    hold_laws(played, data, encode)
    for state, history in played.states:
        stand = [played.events[event] for event in played.standing(history)]
        assert state.values == tuple(sorted({event.value for event in stand if event.kind == "add"}))


def test_add_wins_over_a_concurrent_remove():
    both = OrSet().merge(OrSet().add(0, "x"))
    removed = both.merge(both.remove("x"))
    added = both.merge(both.add(1, "x"))
    assert "x" not in removed
    assert removed.merge(added).values == added.merge(removed).values == ("x",)


def test_a_set_that_is_emptied_a_thousand_times_keeps_no_tombstones():
    held = OrSet()
    for turn in range(1000):
        held = held.merge(held.add(turn % 3, f"element {turn}"))
        held = held.merge(held.remove(f"element {turn}"))
    assert held == OrSet({}, Context({0: 334, 1: 333, 2: 333}))
    assert len(encode(held)) < 100


# --- observed-remove map


PATHS = [["a"], ["b"], ["a", "a"], ["a", "b", "a"]]


def edit(played, replica, drawn):
    kind, path, value = drawn
    state, history = played.now[replica]
    stand = [(event, played.events[event]) for event in played.standing(history)]
    stand = [(at, event) for at, event in stand if event.kind in ("put", "add")]
    if kind == "put":
        killed = [at for at, event in stand if (event.kind, event.path) == ("put", path)]
        delta = state.put(replica, path, value)
    elif kind in {"add", "discard"}:
        killed = [at for at, e in stand if (e.kind, e.path, e.value) == ("add", path, value)]
        delta = state.add(replica, path, value) if kind == "add" else state.discard(path, value)
    else:
        killed = [at for at, event in stand if event.path[: len(path)] == path]
        delta = state.remove(path)
    if killed or kind in ("put", "add"):
        played.happens(replica, Event(kind, path, value, killed), delta)


edits = st.tuples(
    st.sampled_from(["put", "add", "discard", "remove"]), st.sampled_from(PATHS), st.sampled_from(["x", "y"])
)


@given(histories(OrMap(), edits, edit), st.data())
def test_a_map_holds_what_no_observed_remove_took_away(played, data):
    hold_laws(played, data, encode)
    for state, history in played.states:
        stand = [played.events[event] for event in played.standing(history)]
        stand = [event for event in stand if event.kind in ("put", "add")]
        for path in PATHS:
            here = [event for event in stand if event.path == path]
            assert sorted(state.register(path)) == sorted(e.value for e in here if e.kind == "put")
            assert state.elements(path) == tuple(sorted({e.value for e in here if e.kind == "add"}))
        assert state.names() == tuple(sorted({event.path[0] for event in stand}))


def test_an_update_wins_over_a_concurrent_remove_of_what_is_around_it():
    held = OrMap()
    held = held.merge(held.put(0, ["user", "name"], "Ada"))
    held = held.merge(held.put(0, ["user", "town"], "London"))
    removed = held.merge(held.remove(["user"]))
    updated = held.merge(held.add(1, ["user", "tags"], "countess"))
    assert removed.names() == ()
    both = removed.merge(updated)
    assert both.names(["user"]) == ("tags",)
    assert both.elements(["user", "tags"]) == ("countess",)


@pytest.mark.parametrize("path", [[], "name"])
def test_a_path_is_a_list_of_names(path):
    with pytest.raises(ProtocolError, match="give a list of names"):
        OrMap().put(0, path, "x")


# --- dotted version vectors


def store(played, replica, drawn):
    """A client writes at `replica`, with the context of what it read there, of an old read elsewhere, or blindly."""
    value, read = drawn
    state, _ = played.now[replica]
    if read == 0:
        seen, past = None, frozenset()
    else:
        source, history = played.now[replica] if read == 1 else played.states[read % len(played.states)]
        seen = source.context
        past = frozenset(history).union(*(played.events[event].killed for event in history))
    played.happens(replica, Event("put", (), value, past), state.put(replica, value, seen))


puts = st.tuples(names, st.integers(0, 30) | st.sampled_from([0, 1]))


@given(histories(Siblings(), puts, store), st.data())
def test_exactly_the_concurrent_versions_are_siblings(played, data):
    """An event's past, closed under pasts, is what it overwrites; whatever no past in sight holds is a sibling."""
    hold_laws(played, data, encode)
    for state, history in played.states:
        stand = [played.events[event].value for event in played.standing(history)]
        assert sorted(state.values) == sorted(stand)


def test_a_causal_overwrite_vanishes_and_a_blind_one_leaves_a_sibling():
    held = Siblings()
    held = held.merge(held.put(0, "first"))
    read = held.context
    held = held.merge(held.put(0, "second", read))
    assert held.values == ("second",)
    held = held.merge(held.put(0, "blind"))
    assert held.values == ("second", "blind")
    held = held.merge(
        held.put(1, "stale", read)
    )  # it saw the first only: two dots of one replica, told apart
    assert sorted(held.values) == ["blind", "second", "stale"]
    held = held.merge(held.put(1, "resolved", held.context))
    assert held.values == ("resolved",)
    assert held.versions[0].history.clock == {0: 3, 1: 2}


def test_damaged_versions_agree_again():
    """Two replicas hold different values under one dot: after exchanging states both have the larger."""
    held = Siblings().put(0, "right")
    for damage in (None, "a", "z"):
        wrong = Siblings((msgspec.structs.replace(held.versions[0], value=damage),))
        assert held.merge(wrong) == wrong.merge(held)
        assert held.merge(wrong).values == (("z",) if damage == "z" else ("right",))
    one, other = MvRegister(((0, 1, "a"),), context([(0, 1)])), MvRegister(((0, 1, "b"),), context([(0, 1)]))
    assert one.merge(other) == other.merge(one) == other


# --- causal contexts


dots = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 6)), max_size=12)


@given(dots, dots)
def test_a_context_is_a_set_of_dots_in_its_shortest_form(one, other):
    a, b = context(one), context(other)
    everything = [(replica, n) for replica in range(3) for n in range(1, 8)]
    assert [dot for dot in everything if dot in a] == sorted(set(one))
    union = a.merge(b)
    assert [dot for dot in everything if dot in union] == sorted({*one, *other})
    assert encode(union) == encode(context(one + other)) == encode(a.add(other))
    assert a.covers(b) == (set(one) >= set(other))
    for replica in range(3):
        used = [n for by, n in one if by == replica]
        assert a.next(replica) == (replica, max(used, default=0) + 1)
    assert not any((replica, n + 1) in a.cloud for replica, n in a.clock.items())
