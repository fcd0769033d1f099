"""Faults of a node's time: pauses, in which nothing happens and much comes due, and clocks that are fast, slow or off."""

import pytest
import trio

from gossiplab import Message, Protocol
from gossiplab.events import (
    Commanded,
    Departed,
    Dropped,
    Injected,
    Killed,
    Paused,
    Rejoined,
    Resumed,
    Shown,
    Skewed,
)
from tests.engine.clockwork import Sleeper, clockwork, instants, replays, shown
from tests.helpers import events_of, header_of, only, run_of

# pause and resume ----------------------------------------------------------------------------------


def test_a_paused_node_does_nothing_and_then_all_that_came_due():
    events = clockwork("1.5 pause n1", "4.5 resume n1")
    # n0 sends at 1, 2, 3 ...: notes 2, 3 and 4 arrive at the frozen node, in this order
    assert [(round(t, 6), int(bytes(v))) for t, v in shown(events, 1, "note")] == [
        (1.1, 1), (4.5, 2), (4.5, 3), (4.5, 4), (5.1, 5),
    ]  # fmt: skip
    # one round for the three that were missed, and then the beat that it always had
    assert instants(events, 1, "beat") == [1, 4.5, 5, 6]
    assert instants(events, 0, "beat") == [1, 2, 3, 4, 5, 6]
    assert [type(e) for e in events if isinstance(e, Paused | Resumed | Killed | Dropped)] == [
        Paused,
        Resumed,
    ]


def test_what_was_due_happens_in_the_order_in_which_it_was_due():
    events = clockwork("1.2 pause n1", "2.7 resume n1")
    late = [(e.name, e.t) for e in only(events, Shown) if e.node == 1 and e.t == 2.7]
    # the timer of note 1 at 1.35, the round at 2, note 2 at 2.1; its timer runs from when it was handled
    assert late == [("tick", 2.7), ("beat", 2.7), ("note", 2.7)]
    assert instants(events, 1, "tick")[:2] == [2.7, 2.95]


class Request(Message):
    """Asks for an answer."""


class Answer(Message):
    """Answers."""


class Impatient(Protocol):
    """Asks n1 once and waits for the answer: with a timer, and as a task with a timeout."""

    def setup(self):
        """Ask."""
        self.answered = trio.Event()
        if self.id == 0:
            self.after(1.0, self.ask)

    def ask(self):
        """At 1 s; the answer comes at 1.2 s."""
        self.send(1, Request())
        self.after(0.25, self.give_up, 1)
        self.after(0.5, self.give_up, 2)

    def give_up(self, which):
        """The timer is over."""
        self.show("timer", [which, self.answered.is_set()])

    async def run(self):
        """Wait for the answer until 1.4 s."""
        with trio.move_on_after(1.4) as scope:
            await self.answered.wait()
        self.show("task", scope.cancelled_caught)

    def on_request(self, sender, request):
        """Answer."""
        self.send(sender, Answer())

    def on_answer(self, sender, answer):
        """There it is."""
        self.answered.set()
        self.show("answer", None)


@pytest.mark.parametrize(
    "resume, expected",
    [
        # nothing had expired: the answer is in time
        ("1.22", ["answer null", "task false", "timer [1,true]", "timer [2,true]"]),
        # whatever had expired comes before the answer, although that was there first; the rest comes in its time
        ("1.3", ["timer [1,false]", "answer null", "task false", "timer [2,true]"]),
        ("1.45", ["task true", "timer [1,false]", "answer null", "timer [2,true]"]),
        ("3", ["task true", "timer [1,false]", "timer [2,false]", "answer null"]),
    ],
)
def test_timers_that_have_expired_come_before_messages_that_wait(resume, expected, tmp_path):
    fields = {
        "nodes": 2,
        "until": 5,
        "at": ["1.1 pause n0", f"{resume} resume n0"],
        "link": {"latency": "0.1"},
    }
    events = run_of(Impatient, **fields)
    assert [f"{e.name} {bytes(e.value).decode()}" for e in only(events, Shown) if e.node == 0] == expected
    assert replays(header_of(Impatient, **fields), tmp_path, Impatient)


def test_messages_that_wait_keep_their_order_among_themselves():
    events = clockwork("1.5 pause n1", "6.5 resume n1", until=7)
    assert [int(bytes(v)) for _, v in shown(events, 1, "note")] == [1, 2, 3, 4, 5, 6]


def test_a_pause_in_which_nothing_came_due_changes_nothing():
    calm, paused = clockwork(kind=Sleeper), clockwork("1.42 pause n0-n1", "1.5 resume n0-n1", kind=Sleeper)
    mine = [e for e in paused if not isinstance(e, Commanded | Paused | Resumed)]
    assert mine == calm


def test_tasks_are_frozen_as_well():
    events = clockwork("1.5 pause n1", "4.5 resume n1", kind=Sleeper)
    slept = instants(events, 1, "slept")
    # 1.6 is late, once; and the sleep after it is a whole one
    assert slept[:6] == [0.4, 0.8, 1.2, 4.5, 4.9, 5.3]
    assert instants(events, 0, "slept") == pytest.approx([0.4 * k for k in range(1, 15)])
    # the timeout that began with the note at 1.1 passed at 2.6, in the pause: it is over, with the same outcome
    heard = [(round(t, 6), b"true" in bytes(v)) for t, v in shown(events, 1, "listened")]
    assert heard[:3] == [(1.1, False), (4.5, True), (4.5, False)]


def test_a_paused_node_that_is_killed_is_dead_and_what_waited_is_lost():
    events = clockwork("1.5 pause n1", "4.5 kill n1", "5.5 rejoin n1", kind=Sleeper)
    assert [(e.t, e.why) for e in only(events, Dropped)] == [(4.5, "down")] * 3 + [(5.1, "down")]
    assert instants(events, 1, "note") == [1.1]
    assert instants(events, 1, "beat") == [1, 6]
    assert all(t <= 1.5 or t >= 5.5 for t in instants(events, 1, "slept"))
    assert only(events, Rejoined)


def test_a_message_that_has_reached_a_paused_node_is_beyond_any_cut():
    events = clockwork("1.5 pause n1", "2.5 partition n0", "4.5 resume n1")
    assert [int(bytes(v)) for _, v in shown(events, 1, "note")] == [1, 2]
    assert {e.why for e in only(events, Dropped)} == {"cut"}


def test_a_frozen_node_neither_leaves_nor_hears_a_rumor():
    events = events_of(header_of("chatter", nodes=3, until=3, at=["1 pause n1", "2 leave n1", "2 inject n1"]))
    assert not only(events, Departed)
    assert not only(events, Injected)
    assert len(only(events, Paused)) == 1


def test_pausing_twice_is_pausing_once():
    once = clockwork("1.5 pause n1", "4.5 resume n1")
    twice = clockwork("1.5 pause n1", "2 pause n1", "4.5 resume n1", "5 resume n1")
    assert [e for e in twice if not isinstance(e, Commanded)] == [
        e for e in once if not isinstance(e, Commanded)
    ]


def test_a_run_waits_for_a_paused_node_as_long_as_it_may():
    fields = {"nodes": 3, "until": "converged", "limit": 50, "params": {"period": 0.5}}
    stuck = events_of(header_of("chatter", **fields, at=["0 pause n2", "0 inject n0"]))
    assert (stuck[-1].why, stuck[-1].t) == ("limit", 50)
    freed = events_of(header_of("chatter", **fields, at=["0 pause n2", "0 inject n0", "7 resume n2"]))
    assert freed[-1].why == "converged"
    assert freed[-1].t >= 7


# clocks --------------------------------------------------------------------------------------------


def test_a_fast_clock_has_shorter_periods_and_timers():
    events = clockwork("0 skew n1 2", until=4)
    assert instants(events, 1, "beat") == [0.5 * k for k in range(1, 9)]
    assert [float(bytes(v)) for _, v in shown(events, 1, "beat")] == pytest.approx(list(range(1, 9)))
    assert [
        t - s for s, t in zip(instants(events, 1, "note"), instants(events, 1, "tick"), strict=False)
    ] == (pytest.approx([0.125] * 3))
    assert instants(events, 0, "beat") == [1, 2, 3, 4]


def test_a_clock_that_jumps_moves_what_is_aligned_to_it_and_no_interval():
    events = clockwork("1.5 skew n1 +0.3", until=4)
    # aligned rounds go by what the clock shows: it shows 2 at 1.7
    assert instants(events, 1, "beat") == pytest.approx([1, 1.7, 2.7, 3.7])
    assert only(events, Skewed) == [Skewed(1.5, 1, 1.0, pytest.approx(0.3))]
    calm = clockwork(until=4, params={"phase": "random"})
    jumps = clockwork("1.5 skew n1 +0.3", until=4, params={"phase": "random"})
    assert instants(jumps, 1, "beat") == pytest.approx(instants(calm, 1, "beat"))
    assert instants(jumps, 1, "tick") == pytest.approx(instants(calm, 1, "tick"))


def test_a_clock_that_jumps_back_does_not_repeat_rounds_without_end():
    events = clockwork("2.5 skew n1 -10", until=4)
    assert instants(events, 1, "beat") == [1, 2, 3, 4]
    assert [float(bytes(v)) for _, v in shown(events, 1, "beat")] == pytest.approx([1, 2, -7, -6])


def test_a_clock_can_be_set_right():
    events = clockwork("0 skew n1 1.25", "2 skew n1 +5", "3.5 skew n1 off", until=6)
    assert instants(events, 1, "beat")[-3:] == [4, 5, 6]
    assert float(bytes(shown(events, 1, "beat")[-1][1])) == 6
    last = only(events, Skewed)[-1]
    assert (last.rate, last.offset) == (1, 0)


def test_changing_the_rate_keeps_what_has_passed_of_a_round():
    random = {"phase": "random", "period": 2.0}
    calm = instants(clockwork(params=random, until=8), 1, "beat")
    first = calm[0]
    t = round(first + 1, 6)  # half of the round has passed
    events = clockwork(f"{t} skew n1 4", params=random, until=8)
    assert instants(events, 1, "beat")[:3] == pytest.approx([first, t + 0.25, t + 0.75], abs=1e-5)


def test_a_clock_goes_on_through_death_and_pause():
    events = clockwork(
        "0 skew n1 2", "1.2 kill n1", "2.2 rejoin n1", "3.3 pause n1", "4.2 resume n1", until=5
    )
    assert instants(events, 1, "beat") == pytest.approx([0.5, 1, 2.5, 3, 4.2, 4.5, 5])
