"""CRDTs by gossip: all agree after anything the network does, updates count once each, and what each mode costs."""

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gossiplab.content import load_protocol
from gossiplab.events import (
    Answered,
    Crashed,
    Emptied,
    Refused,
    Rejoined,
    Requested,
    Sent,
    Shown,
    Stored,
    Versioned,
)
from tests.helpers import bytes_of, header_of, only, run_of

KIND = load_protocol("crdt_gossip")
MODES = ("state", "delta", "operation")
TYPES = ("g-counter", "pn-counter", "or-set", "or-map", "lww-register", "mv-register")
NODES = 5
HEALED = 16.0


def run(*at, until, nodes=NODES, seed=0, workload=None, link=None, topology="complete", **params):
    """All events of a run; nothing may crash."""
    fields = {"nodes": nodes, "seed": seed, "at": at, "until": until, "params": params, "topology": topology}
    fields |= {"workload": workload} if workload else {}
    fields |= {"link": link} if link else {}
    events = run_of(KIND, **fields)
    assert only(events, Crashed) == []
    return events


def disks(events):
    """What nodes hold at the end, in words, by key and node."""
    told = {(event.key, event.name): event.value for event in only(events, Versioned)}
    held = {}
    for event in events:
        if isinstance(event, Stored):
            held.setdefault(event.key, {})[event.node] = event.versions
        elif isinstance(event, Emptied) or (isinstance(event, Rejoined) and event.fresh):
            for nodes in held.values():
                nodes.pop(event.node, None)
    return {
        key: {node: (names, [told[key, name] for name in names]) for node, names in nodes.items()}
        for key, nodes in held.items()
    }


def agree(events, nodes=NODES):
    """What all nodes hold, by key: they hold the same."""
    found = disks(events)
    for held in found.values():
        assert len(held) == nodes
        assert len({names for names, _ in held.values()}) == 1
    return {key: held[0][1] for key, held in found.items()}


sides = st.sets(st.integers(0, NODES - 1), min_size=1, max_size=NODES - 1).map(
    lambda nodes: ",".join(f"n{node}" for node in sorted(nodes))
)
faults = st.lists(
    st.one_of(
        st.tuples(st.just("partition {}"), sides, st.just("heal")),
        st.tuples(st.just("kill {}"), sides, st.just("rejoin {}")),
        st.tuples(st.just("pause {}"), sides, st.just("resume {}")),
        st.tuples(
            st.just("link all all {}"),
            st.sampled_from(["loss=0.5", "duplicate=0.6 reorder=0.6", "latency=0..3"]),
            st.just("link all all"),
        ),
    ),
    max_size=4,
)


def schedule(drawn):
    """Faults that overlap, all of them over at 16 s."""
    at = []
    for place, (begin, what, end) in enumerate(drawn):
        at += [f"{1 + 3 * place} {begin.format(what)}", f"{7 + 3 * place} {end.format(what)}"]
    return at


UPDATES = {
    "g-counter": ["+3", "4", "+0", "word"],
    "pn-counter": ["+3", "-2", "5", "word"],
    "or-set": ["+milk", "-milk", "eggs", "-eggs", None],
    "or-map": ["milk=2", "tags+a", "tags-a", "-milk", "-tags", "text", None],
    "lww-register": ["milk", "eggs", None],
    "mv-register": ["milk", "eggs", None],
}


def updates(kind):
    one = st.tuples(st.floats(0, 14), st.integers(0, NODES - 1), st.sampled_from(["x", "y"]))
    return st.lists(st.tuples(one, st.sampled_from(UPDATES[kind])), max_size=12)


def written(drawn):
    return [
        f"{t} delete n{node} {key}" if text is None else f"{t} write n{node} {key} {text}"
        for (t, node, key), text in drawn
    ]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", TYPES)
def test_all_agree_in_the_end(kind, mode):
    @settings(max_examples=15)
    @given(faults, updates(kind), st.integers(0, 10**6))
    def law(drawn, writes, seed):
        events = run(*schedule(drawn), *written(writes), until=45, seed=seed, mode=mode, type=kind)
        values = agree(events)
        if kind.endswith("counter"):
            requests = {event.id: event for event in only(events, Requested)}
            sums = {}
            for answer in only(events, Answered):
                asked = requests[answer.id]
                amount = 1 if asked.value == "word" else int(asked.value)
                sums[asked.key] = sums.get(asked.key, 0) + amount
            assert {key: int(value) for key, (value,) in values.items()} == {
                key: total for key, total in sums.items() if key in values
            }
            assert all(total == 0 for key, total in sums.items() if key not in values)

    law()


@pytest.mark.parametrize("mode", MODES)
def test_adds_win(mode):
    at = ["1 write n0 cart +milk", "1 write n0 cart +eggs", "8 partition n0-n1", "9 write n0 cart -milk",
          "9 write n0 cart -eggs", "9 write n3 cart +milk", "15 heal"]  # fmt: skip
    events = run(*at, until=40, mode=mode, type="or-set")
    assert agree(events) == {"cart": ["milk"]}
    before = disks([event for event in events if event.t < 8])["cart"]
    assert {tuple(values) for _, values in before.values()} == {("eggs, milk",)}


@pytest.mark.parametrize("mode", MODES)
def test_what_texts_mean(mode):
    at = ["1 write n0 m name=Ann", "1 write n0 m tags+a", "1 write n0 m tags+b", "1 write n0 m tags-a",
          "1 write n0 m old=1", "1 write n0 m -old", "1 write n0 m plain"]  # fmt: skip
    assert agree(run(*at, until=20, mode=mode, type="or-map")) == {"m": ["name, tags, value"]}
    at = ["1 write n0 x a", "1 write n4 x b", "15 write n2 x both"]
    events = run(*at, until=30, mode=mode, type="mv-register")
    assert agree([event for event in events if event.t < 15]) == {"x": ["a", "b"]}
    assert agree(events) == {"x": ["both"]}


@pytest.mark.parametrize(
    "kind, text, why", [("g-counter", "-3", "a g-counter only grows: write +3"),
                        ("g-counter", "", "a g-counter only grows: write +3"),
                        ("pn-counter", "", "a counter cannot be deleted: write -3"),
                        ("pn-counter", "+x", "a counter cannot add +x: write +3 or -3"),
                        ("pn-counter", "+" + 20 * "9", f"a counter cannot add +{20 * '9'}: write +3 or -3")]
)  # fmt: skip
def test_updates_without_a_meaning_are_refused(kind, text, why):
    events = run(f"1 write n0 x {text}" if text else "1 delete n0 x", until=5, type=kind)
    assert [event.why for event in only(events, Refused)] == [why]
    assert only(events, Stored) == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("topology", ["complete", "ring", "two-clusters"])
def test_a_node_that_lost_everything_gets_all_back_and_counts_on(mode, topology):
    early = [f"{1 + step} write n{step % 6} x +1" for step in range(12)]
    late = [f"{31 + step} write n{step % 6} x +1" for step in range(12)]
    at = [*early, "20 kill n2", "21 rejoin n2 fresh", "30 kill n3", "30.1 rejoin n3 fresh", *late]
    events = run(*at, until=110, nodes=6, mode=mode, type="g-counter", topology=topology)
    assert agree(events, 6) == {"x": ["24"]}


@pytest.mark.parametrize("mode", MODES)
def test_a_wiped_disk_uses_no_dot_twice_and_only_whole_states_fill_it_again(mode):
    at = [
        *(f"{1 + step} write n2 x +1" for step in range(5)),
        "15 wipe n2",
        "16 write n2 x +1",
        "40 write n2 x +1",
    ]
    events = run(*at, until=60, mode=mode, type="g-counter")
    held = {node: values for node, (_, values) in disks(events)["x"].items()}
    assert {node: held[node] for node in held if node != 2} == {0: ["7"], 1: ["7"], 3: ["7"], 4: ["7"]}
    assert held[2] == (["7"] if mode == "state" else ["2"])


@pytest.mark.parametrize("mode", ["delta", "operation"])
@pytest.mark.parametrize("keep_most", [1, 3])
def test_who_lags_behind_what_is_kept_gets_everything(mode, keep_most):
    at = [
        "1 kill n4",
        *(f"{2 + step / 10} write n0 x {'abcdefghijklmnopqrst'[step]}" for step in range(20)),
        "10 rejoin n4",
    ]
    events = run(*at, until=40, mode=mode, type="or-set", keep_most=keep_most)
    assert agree(events) == {"x": [", ".join("abcdefghijklmnopqrst")]}


def large_set(mode, **params):
    """A set of 200 elements, and then an update a second: what the updates cost, and the name of what all hold then."""
    filling = [f"0 write n{step % 8} x element-{step:03}" for step in range(200)]
    at = [*filling, *(f"{60 + step} write n{step % 8} x new-{step:03}" for step in range(60))]
    events = run(*at, until=140, nodes=8, mode=mode, type="or-set", topology="ring", **params)
    agree(events, 8)
    ((name,), _) = disks(events)["x"][0]
    return sum(event.size for event in only(events, Sent) if event.t >= 60), name


def test_deltas_and_operations_cost_less_than_large_states():
    whole, delta, operation = (large_set(mode) for mode in MODES)
    assert whole[1] == delta[1] == operation[1]  # named after its content
    assert delta[0] < whole[0] / 10
    assert operation[0] < whole[0] / 10


@settings(max_examples=15)
@given(faults, st.integers(0, 10**6))
def test_operations_are_delivered_one_by_one_and_after_their_causes(drawn, seed):
    work = {"keys": 2, "rate": 5, "seconds": 14}
    events = run(*schedule(drawn), until=45, seed=seed, workload=work, mode="operation", type="pn-counter")
    agree(events)
    assume(not any(event.kind == "Snapshot" for event in only(events, Sent)))  # those bring many at once
    shown = [[] for _ in range(NODES)]
    made = {}  # (replica, n): the clock that its maker had then
    for event in only(events, Shown):
        clock = {int(replica): count for replica, count in msgspec.json.decode(event.value).items()}
        before = shown[event.node][-1] if shown[event.node] else {}
        ((replica, count),) = clock.items() - before.items()
        assert count == before.get(replica, 0) + 1
        cause = made.setdefault((replica, count), clock)
        assert all(clock.get(other, 0) >= n for other, n in cause.items())
        shown[event.node].append(clock)
    assert len({len(clocks) for clocks in shown}) == 1


def test_deltas_rest_when_all_is_known():
    events = run("1 write n0 x a", until=200, mode="delta", type="or-set")
    assert [event for event in only(events, Sent) if event.t > 60] == []


def test_the_same_run_gives_the_same_bytes():
    for mode in MODES:
        header = header_of(
            KIND, nodes=4, until=15, params={"mode": mode, "type": "or-map"}, link={"loss": 0.3, "duplicate": 0.3},
            workload={"keys": 3, "rate": 3, "deletes": 0.2}, at=["4 kill n1", "6 rejoin n1 fresh"],
        )  # fmt: skip
        assert bytes_of(header, kind=KIND) == bytes_of(header, kind=KIND)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("nodes", [0, 1, 2])
def test_small_labs(mode, nodes):
    at = ["1 write n0 x a", "2 delete n0 x", "3 write n0 x b"] if nodes else []
    events = run(*at, until=20, nodes=nodes, mode=mode)
    assert agree(events, nodes) == ({"x": ["b"]} if nodes else {})


@pytest.mark.parametrize("kind, text", [("or-set", "apple"), ("g-counter", "3"), ("pn-counter", "3")])
def test_damage_is_named_after_what_it_was(kind, text):
    """A state is named after its content, and a damaged one would pass for the newest."""
    events = run(f"1 write n0 a {text}", "6 corrupt n0 1", until=6.0, type=kind)
    good = [event for event in only(events, Stored) if event.t < 6][-1]
    (damaged,) = (event for event in only(events, Stored) if event.t == 6)
    assert damaged.versions == (f"{good.versions[0]}'",)
    (told,) = (event for event in only(events, Versioned) if event.name == damaged.versions[0])
    (was,) = (event for event in only(events, Versioned) if event.name == good.versions[0])
    assert told.value != was.value
