"""Links do to messages what their model says, and cuts keep them apart."""

import math
from statistics import mean, median, stdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossiplab import Message, Protocol, every, param
from gossiplab.events import Delivered, Dropped, Duplicated, Healed, Sent, Severed, Shaped
from tests.helpers import only, run_of


class Packet(Message):
    """Something to carry."""

    number: int
    padding: str = ""


class Source(Protocol):
    """n0 sends `count` numbered packets to n1, `gap` seconds apart; n1 shows what arrives."""

    count = param(1000, low=0)
    gap = param(0.01)
    size = param(0, low=0)
    answering = param(False)

    def setup(self):
        self.number = 0
        if self.id == 0:
            self.next()

    def next(self):
        if self.number < self.count:
            self.send(1, Packet(self.number, "x" * self.size))
            self.number += 1
            self.after(self.gap, self.next)

    def on_packet(self, sender, packet):
        if self.answering and self.id == 1:
            self.send(sender, packet)


def carried(link, n=2, at=(), until=1e5, seed=1, **params):
    """The events of a stream of packets over one link."""
    return run_of(Source, nodes=n, link=link, at=at, until=until, seed=seed, params=params)


def latencies(events):
    """Seconds in flight of all messages that arrived."""
    sent = {e.id: e.t for e in only(events, Sent)}
    return [e.t - sent[e.id] for e in only(events, Delivered) if e.id in sent]


def order(events):
    """The numbers of the delivered messages, in the order of their delivery."""
    return [e.id for e in only(events, Delivered)]


# latency -------------------------------------------------------------------------------------------


def test_constant_latency():
    got = latencies(carried({"latency": "0.25"}))
    assert len(got) == 1000
    assert got == pytest.approx([0.25] * 1000)


def test_uniform_latency():
    got = sorted(latencies(carried({"latency": "0.1..0.5"}, count=4000)))
    assert 0.1 <= got[0] <= got[-1] <= 0.5
    # Kolmogorov-Smirnov: 1.95 / sqrt(n) is passed by chance in one run of a thousand; the seed is fixed
    distance = max(abs((i + 0.5) / 4000 - (x - 0.1) / 0.4) for i, x in enumerate(got))
    assert distance < 1.95 / math.sqrt(4000)


def test_log_normal_latency():
    got = latencies(carried({"latency": "lognormal(0.2,0.5)"}, count=4000))
    logs = [math.log(x) for x in got]
    assert median(got) == pytest.approx(0.2, rel=0.05)
    assert mean(logs) == pytest.approx(math.log(0.2), abs=0.03)
    assert stdev(logs) == pytest.approx(0.5, rel=0.05)


def test_jitter_is_symmetric_and_never_makes_a_message_arrive_before_it_is_sent():
    got = latencies(carried({"latency": "0.3", "jitter": 0.2}, count=4000))
    assert 0.1 <= min(got) < 0.105
    assert 0.495 < max(got) <= 0.5
    assert mean(got) == pytest.approx(0.3, abs=0.01)
    got = latencies(carried({"latency": "0.1", "jitter": 0.2}, count=4000))
    assert min(got) == 0
    assert sum(x == 0 for x in got) / 4000 == pytest.approx(0.25, abs=0.03)


def test_no_two_nodes_draw_the_same_latencies():
    first, second = (latencies(carried({"latency": "0.1..0.5"}, seed=seed)) for seed in (1, 2))
    assert first != second
    events = run_of(Source, nodes=2, link={"latency": "0.1..0.5"}, until=20, params={"answering": True})
    sent = {e.id: e for e in only(events, Sent)}
    there = [e.due - e.t for e in sent.values() if e.src == 0]
    back = [e.due - e.t for e in sent.values() if e.src == 1]
    assert there[: len(back)] != back


# loss, duplication, reordering ---------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 1.0])
def test_loss(p):
    events = carried({"latency": "0.1", "loss": p}, count=3000)
    lost = only(events, Dropped)
    assert {e.why for e in lost} <= {"loss"}
    assert len(lost) / 3000 == pytest.approx(p, abs=0.03 * (0 < p < 1))
    assert len(only(events, Delivered)) == 3000 - len(lost)


@pytest.mark.parametrize("p", [0.0, 0.2, 1.0])
def test_duplication(p):
    events = carried({"latency": "0.1..0.3", "duplicate": p}, count=3000)
    copies = only(events, Duplicated)
    assert len(copies) / 3000 == pytest.approx(p, abs=0.03 * (0 < p < 1))
    assert len(only(events, Delivered)) == 3000 + len(copies)
    assert len({e.id for e in only(events, Delivered)}) == 3000 + len(copies)
    sent = {e.id: e for e in only(events, Sent)}
    assert all(0.1 <= e.due - sent[e.of].t <= 0.3 for e in copies)
    assert not copies or len({(e.due == sent[e.of].due) for e in copies}) == 1  # a latency of its own


def test_loss_and_duplication_are_independent():
    events = carried({"latency": "0.1", "loss": 0.5, "duplicate": 0.5}, count=4000)
    lost = {e.id for e in only(events, Dropped)}
    copied = {e.of for e in only(events, Duplicated)}
    assert len(lost & copied) / 4000 == pytest.approx(0.25, abs=0.03)


def test_constant_latency_keeps_the_order_and_reordering_breaks_it():
    kept = order(carried({"latency": "0.3"}))
    assert kept == sorted(kept)
    events = carried({"latency": "0.3", "reorder": 0.2})
    broken = order(events)
    assert broken != sorted(broken)
    held = [x for x in latencies(events) if x > 0.45]
    assert held == pytest.approx([0.6] * len(held))
    assert len(held) / 1000 == pytest.approx(0.2, abs=0.04)


# bandwidth -----------------------------------------------------------------------------------------


def test_bandwidth_is_a_queue_first_come_first_served():
    """Against a queue that is computed here, message by message."""
    events = carried({"latency": "0.05", "bandwidth": 1000}, count=200, gap=0.02, size=30)
    free = 0.0
    for e in only(events, Sent):
        free = max(free, e.t) + e.size / 1000
        assert e.due == pytest.approx(free + 0.05)
    assert order(events) == sorted(order(events))


def test_bandwidth_that_suffices_only_adds_the_time_on_the_wire():
    events = carried({"latency": "0.05", "bandwidth": 1e6}, count=100, gap=1, size=86)
    sizes = {e.size for e in only(events, Sent)}
    assert all(x == pytest.approx(0.05, abs=max(sizes) / 1e6 + 1e-9) for x in latencies(events))


def test_each_direction_of_each_link_has_a_bandwidth_of_its_own():
    events = run_of(
        Source, nodes=2, link={"latency": "0", "bandwidth": 100}, until=60,
        params={"count": 20, "gap": 0.001, "answering": True},
    )  # fmt: skip
    one_way = [e.due for e in only(events, Sent) if e.src == 0]
    back = {e.t: e.due for e in only(events, Sent) if e.src == 1}
    # an answer leaves when its packet arrives, and finds the way back as free as the packet found its own
    assert sorted(back)[: len(one_way)] == pytest.approx(one_way)
    assert [due - t for t, due in sorted(back.items())] == pytest.approx(
        [e.size / 100 for e in only(events, Sent) if e.src == 1]
    )


# cuts ----------------------------------------------------------------------------------------------


def fates(events):
    """Why each message was lost, None when it arrived: by (sender, instant of sending)."""
    lost = {e.id: e.why for e in only(events, Dropped)}
    return {(e.src, e.t, e.due): lost.get(e.id) for e in only(events, Sent)}


@pytest.mark.parametrize("command, ways", [
    ("cut n0 to n1", {0}), ("cut n1 to n0", {1}), ("partition n0 from n1", {0, 1}), ("partition n1", {0, 1}),
])  # fmt: skip
def test_a_cut_loses_what_is_sent_and_what_is_in_flight(command, ways):
    events = run_of(
        Source, nodes=3, link={"latency": "0.2..0.4"}, until=20, at=[f"3 {command}", "6 heal"],
        params={"answering": True},
    )  # fmt: skip
    assert only(events, Severed)
    assert len(only(events, Healed)) == 1
    seen = set()
    for (src, t, due), fate in fates(events).items():
        cut_when_sent = 3 <= t < 6
        cut_when_due = 3 < due <= 6
        expected = "cut" if src in ways and (cut_when_sent or cut_when_due) else None
        if due <= 20:
            assert fate == expected, (src, t, due)
            seen.add((src, fate))
    assert seen >= {(0, None), *((way, "cut") for way in ways if (way, None) in seen)}


def test_cuts_pile_up_and_heal_takes_all_away():
    at = ["1 partition n0", "2 partition n0,n1", "3 cut n2 to n1", "4 heal", "5 heal"]
    events = run_of(Source, nodes=4, at=at, until=8, params={"gap": 0.1})
    assert [(e.a, e.b, e.both) for e in only(events, Severed)] == [
        ("n0", "n1-n3", True), ("n0-n1", "n2-n3", True), ("n2", "n1", False),
    ]  # fmt: skip
    assert [e.t for e in only(events, Healed)] == [4]
    for (src, t, due), fate in fates(events).items():
        if src == 0 and due < 8:
            assert (fate == "cut") == (1 < t < 4 or 1 < due <= 4 or t == 1), t


def test_a_partition_of_all_from_nobody_cuts_nothing():
    events = run_of(Source, nodes=2, at=["1 partition all"], until=3, params={"gap": 0.1})
    assert not only(events, Severed)
    assert not only(events, Dropped)


# shapes --------------------------------------------------------------------------------------------


class Chorus(Protocol):
    """Everybody sends to everybody."""

    @every(0.5, phase="aligned")
    def sing(self):
        for peer in self.peers:
            self.send(peer, Packet(0))

    def on_packet(self, sender, packet):
        pass


def test_the_last_shape_of_a_link_decides_and_what_it_does_not_name_is_as_the_experiment_has_it():
    at = [
        "1.1 link n0 n1 latency=0.3",
        "2.1 link n0-n1 n1-n2 latency=0.4 loss=1",
        "3.1 link n0 n1 jitter=0",
        "4.1 link all all latency=0.01",
    ]
    events = run_of(Chorus, nodes=4, link={"latency": "0.2"}, at=at, until=6)
    assert [e.settings for e in only(events, Shaped)] == [
        ("latency=0.3",), ("latency=0.4", "loss=1"), ("jitter=0",), ("latency=0.01",),
    ]  # fmt: skip
    lost = {e.id for e in only(events, Dropped)}
    for e in only(events, Sent):
        pair = {e.src, e.dst}
        second = pair in ({0, 1}, {0, 2}, {1, 2})
        if e.t < 1.1:
            latency, loses = 0.2, False
        elif e.t < 2.1:
            latency, loses = (0.3 if pair == {0, 1} else 0.2), False
        elif e.t < 3.1:
            latency, loses = (0.4, True) if second else (0.2, False)
        elif e.t < 4.1:
            latency, loses = (0.4, True) if second and pair != {0, 1} else (0.2, False)
        else:
            latency, loses = 0.01, False
        assert e.due - e.t == pytest.approx(latency)
        assert (e.id in lost) == loses


# counting ------------------------------------------------------------------------------------------

links = st.fixed_dictionaries(
    {},
    optional={
        "latency": st.sampled_from(["0", "0.1", "0.01..0.9", "lognormal(0.1,2)"]),
        "jitter": st.sampled_from([0.0, 0.5]),
        "loss": st.sampled_from([0.0, 0.3, 1.0]),
        "duplicate": st.sampled_from([0.0, 0.5, 1.0]),
        "reorder": st.sampled_from([0.0, 0.5]),
        "bandwidth": st.sampled_from([0.0, 50.0, 1e9]),
    },
)


@given(links, st.integers(0, 3))
@settings(max_examples=40)
def test_every_message_has_exactly_one_fate(link, seed):
    events = run_of(
        Chorus, nodes=3, link=link, seed=seed, until=5,
        at=["1 kill n0", "1.7 partition n1", "2.2 rejoin n0", "3.3 heal", "4 cut n0 to n1"],
    )  # fmt: skip
    born, ended = {}, {}
    for e in events:
        if isinstance(e, Sent | Duplicated):
            assert e.id == len(born)
            assert e.due >= e.t
            born[e.id] = e
        elif isinstance(e, Delivered | Dropped):
            assert e.id in born
            assert e.id not in ended
            assert isinstance(e, Dropped) or e.t == born[e.id].due
            ended[e.id] = e
    for id, e in born.items():
        assert id in ended or e.due >= 5
    assert [e.t for e in events] == sorted(e.t for e in events)
