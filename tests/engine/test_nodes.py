"""A node's lives: rounds, timers and memory through kill, leave, crash and rejoin."""

import json

import pytest

from gossiplab import Message, Protocol, every
from gossiplab.engine.peers import Others
from gossiplab.events import (
    Delivered,
    Departed,
    Dropped,
    Ended,
    Killed,
    Rejoined,
    Sent,
    Shown,
)
from gossiplab.topology import build_edges
from tests.helpers import only, run_of


class Note(Message):
    """A word."""

    text: str = ""


def shown(events, name):
    """What was shown under a name: (t, node, value) each."""
    return [(e.t, e.node, bytes(e.value)) for e in only(events, Shown) if e.name == name]


# memory --------------------------------------------------------------------------------------------


class Remembers(Protocol):
    """Counts its rounds, in memory."""

    def setup(self):
        self.count = 0
        self.show("born", self.now)

    def rejoin(self):
        self.show("back", self.count)

    def leave(self):
        self.send(0, Note("bye"))

    @every(1.0, phase="aligned")
    def beat(self):
        self.count += 1
        self.show("count", self.count)

    def on_note(self, sender, note):
        self.show("heard", [sender, note.text])


def test_rejoin_with_memory_goes_on_where_it_stopped():
    events = run_of(Remembers, nodes=2, at=["2.5 kill n1", "4.5 rejoin n1"], until=6)
    assert [(t, v) for t, node, v in shown(events, "count") if node == 1] == [
        (1, b"1"), (2, b"2"), (5, b"3"), (6, b"4"),
    ]  # fmt: skip
    assert [(t, v) for t, node, v in shown(events, "back")] == [(4.5, b"2")]


def test_rejoin_fresh_begins_anew():
    events = run_of(Remembers, nodes=2, at=["2.5 kill n1", "4.5 rejoin n1 fresh"], until=6)
    assert [(t, v) for t, node, v in shown(events, "count") if node == 1] == [
        (1, b"1"), (2, b"2"), (5, b"1"), (6, b"2"),
    ]  # fmt: skip
    assert [t for t, node, _ in shown(events, "born") if node == 1] == [0, 4.5]


def test_leaving_says_goodbye_and_killing_does_not():
    events = run_of(Remembers, nodes=3, at=["1.5 leave n1", "1.5 kill n2"], until=3)
    assert [v for _, _, v in shown(events, "heard")] == [b'[1,"bye"]']
    assert [e.node for e in only(events, Departed)] == [1]
    assert [e.node for e in only(events, Killed)] == [2]
    assert not [t for t, node, _ in shown(events, "count") if node and t > 1.5]


def test_stopping_what_is_down_and_starting_what_is_up_change_nothing():
    events = run_of(Remembers, nodes=2, at=["1.5 kill n1", "2 kill n1", "2 leave n1", "2 rejoin n0"], until=3)
    assert len(only(events, Killed)) == 1
    assert not only(events, Departed)
    assert not only(events, Rejoined)


# messages and death --------------------------------------------------------------------------------


class Sprayer(Protocol):
    """Sends all the time."""

    @every(0.1)
    def spray(self):
        for peer in self.peers:
            self.send(peer, Note())
        self.after(0.05, self.again)

    def again(self):
        for peer in self.peers:
            self.send(peer, Note("again"))

    def on_note(self, sender, note):
        if note.text != "answer":
            self.send(sender, Note("answer"))


@pytest.mark.parametrize("command", ["kill n1", "leave n1"])
def test_nothing_is_sent_by_or_delivered_to_the_dead(command):
    events = run_of(Sprayer, nodes=3, at=[f"1 {command}", "2 rejoin n1"], until=3, seed=5)
    to = {e.id: (e.src, e.dst) for e in only(events, Sent)}
    assert not [e for e in only(events, Sent) if e.src == 1 and 1 < e.t < 2]
    assert [e for e in only(events, Sent) if e.src == 1 and e.t > 2]
    assert not [e for e in only(events, Delivered) if to[e.id][1] == 1 and 1 < e.t < 2]
    down = [e for e in only(events, Dropped) if e.why == "down"]
    assert down
    assert {to[e.id][1] for e in down} == {1}


class Mutant(Protocol):
    """Changes what it has put into a message after sending it."""

    @every(1.0, phase="aligned")
    def beat(self):
        if self.id == 0 and self.now == 1:
            self.items = [1, 2, 3]
            self.send(1, Basket(self.items))
            self.items.append(4)

    def on_basket(self, sender, basket):
        self.show("got", basket.items)
        basket.items.append(5)


class Basket(Message):
    """Something mutable."""

    items: list[int]


def test_what_is_changed_after_sending_does_not_leak():
    events = run_of(Mutant, nodes=2, until=3)
    assert [v for _, _, v in shown(events, "got")] == [b"[1,2,3]"]
    assert [bytes(e.body) for e in only(events, Sent)] == [b'{"items":[1,2,3]}']


# timers and rounds ---------------------------------------------------------------------------------


class Timers(Protocol):
    """Sets and cancels."""

    def setup(self):
        self.after(1, self.tell, "one")
        self.after(1, self.tell, "two")
        never = self.after(0.5, self.tell, "never")
        never.cancel()
        never.cancel()
        self.done = self.after(0.25, self.tell, "early")
        self.after(2, self.cancel)
        self.after(0, self.tell, "now")

    def cancel(self):
        self.done.cancel()  # it already ran
        self.tell("end")

    def tell(self, word):
        self.show("word", word)


def test_timers_fire_once_in_order_and_can_be_cancelled():
    events = run_of(Timers, nodes=1, until=5)
    assert [(t, v) for t, _, v in shown(events, "word")] == [
        (0, b'"now"'), (0.25, b'"early"'), (1, b'"one"'), (1, b'"two"'), (2, b'"end"'),
    ]  # fmt: skip


class Beats(Protocol):
    """A round of each phase."""

    @every(0.1, phase="aligned")
    def aligned(self):
        self.show("aligned", 0)

    @every(0.1)
    def own(self):
        self.show("own", 0)


def test_rounds_keep_their_beat():
    events = run_of(Beats, nodes=3, until=30, at=["10.05 kill n1", "12.345 rejoin n1"])
    for node in range(3):
        aligned = [t for t, who, _ in shown(events, "aligned") if who == node]
        own = [t for t, who, _ in shown(events, "own") if who == node]
        down = range(101, 124) if node == 1 else ()
        assert aligned == [k * 0.1 for k in range(1, 301) if k not in down]
        lives = [[t for t in own if t < 11], [t for t in own if t >= 11]]
        for times in lives if node == 1 else [own]:
            offsets = [(t - times[0]) / 0.1 for t in times]
            assert offsets == pytest.approx(range(len(offsets)), abs=1e-6)


def test_a_wheel_that_lost_its_front_goes_on():
    """A beat that came in at the front of the line and died with the next one: nothing is left to turn."""
    events = run_of(
        OneBeat, nodes=2, until=9, seed=1,
        at=[f"{k * 0.37:.2f} {what}" for k, what in enumerate(
            ["kill n0", "rejoin n0", "kill all", "rejoin all", "kill n1", "kill n0", "rejoin n1", "kill n1"] * 3
        )],
    )  # fmt: skip
    assert isinstance(events[-1], Ended)


class OneBeat(Protocol):
    """One round, a beat of its own."""

    @every(1.0)
    def beat(self):
        self.show("beat", 0)


# peers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_others_is_everybody_but_one(n):
    for one in range(n):
        others = Others(n, one)
        expected = [id for id in range(n) if id != one]
        assert list(others) == expected
        assert len(others) == n - 1
        assert others[:2] == expected[:2]
        assert [others[-k] for k in range(1, n)] == expected[::-1]
        assert one not in others
        for index in (n - 1, -n, n + 5):
            with pytest.raises(IndexError):
                others[index]


class Sampler(Protocol):
    """Samples k of its peers."""

    @every(1.0)
    def beat(self):
        for k in range(8):
            self.show(f"k{k}", self.sample(k))


@pytest.mark.parametrize("topology", ["complete", "ring", "grid"])
def test_a_sample_is_of_different_peers(topology):
    events = run_of(Sampler, nodes=6, topology=topology, until=20)
    edges = build_edges(topology, 6, 0)
    for k in range(8):
        for _, node, value in shown(events, f"k{k}"):
            sample = json.loads(value)
            peers = (
                {b if a == node else a for a, b in edges or () if node in (a, b)} if edges else set(range(6))
            )
            peers.discard(node)
            assert len(sample) == len(set(sample)) == min(k, len(peers))
            assert set(sample) <= peers


class Overrider(Protocol):
    """Counts what it sends, by a method of its own."""

    def send(self, peer, message, carries=()):
        self.show("sending", peer)
        super().send(peer, message, carries)

    @every(1.0, phase="aligned")
    def beat(self):
        self.send(0, Note())

    def on_note(self, sender, note):
        pass


def test_a_protocol_may_override_what_the_lab_offers():
    events = run_of(Overrider, nodes=2, until=2)
    assert len(shown(events, "sending")) == len(only(events, Sent)) == 4
