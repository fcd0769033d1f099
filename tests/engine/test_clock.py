"""The virtual clock: where time passes, how fast, and where it stands still."""

import math
from itertools import count

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from gossiplab import Protocol
from gossiplab.engine import clock as module
from gossiplab.engine.clock import VirtualClock
from gossiplab.engine.scheduling import deterministic_scheduling
from gossiplab.events import Shown
from tests.helpers import only, run_of

inf = math.inf


class Wall:
    """A wall clock that is set by hand."""

    def __init__(self):
        self.t = 1000.0

    def __call__(self):
        return self.t


@pytest.fixture
def wall(monkeypatch):
    wall = Wall()
    monkeypatch.setattr(module, "perf_counter", wall)
    return wall


def test_as_fast_as_it_goes_the_clock_jumps(wall):
    clock = VirtualClock()
    assert clock.deadline_to_sleep_time(5.0) == 0
    assert clock.current_time() == 5.0
    assert clock.deadline_to_sleep_time(inf) == inf
    assert clock.current_time() == 5.0


def test_at_a_speed_it_waits_for_the_wall(wall):
    clock = VirtualClock(speed=2.0)
    assert clock.deadline_to_sleep_time(5.0) == pytest.approx(2.5)
    assert clock.current_time() == 0
    wall.t += 1
    assert clock.deadline_to_sleep_time(5.0) == pytest.approx(1.5)
    assert clock.view() == pytest.approx(2)
    wall.t += 1.5
    assert clock.deadline_to_sleep_time(5.0) == 0
    assert clock.current_time() == 5.0


@pytest.mark.parametrize("speed", [inf, 1.0, 0.05])
def test_a_paused_clock_sleeps_until_it_is_woken(speed, wall):
    """And does not look again and again: a timeout of 0 here is a core at full load."""
    clock = VirtualClock(speed=speed)
    clock.paused = True
    wall.t += 100
    assert clock.deadline_to_sleep_time(5.0) == inf
    assert clock.current_time() == clock.view() == 0
    clock.leap(5.0)
    assert clock.deadline_to_sleep_time(5.0) == 0
    assert clock.current_time() == 5.0
    assert clock.deadline_to_sleep_time(6.0) == inf
    clock.paused = False
    assert clock.deadline_to_sleep_time(6.0) == (0 if speed == inf else pytest.approx(1 / speed))


def test_a_pause_is_not_made_up_for(wall):
    clock = VirtualClock(speed=1.0)
    clock.paused = True
    wall.t += 100
    clock.paused = False
    assert clock.deadline_to_sleep_time(5.0) == pytest.approx(5)


def test_a_lab_that_falls_far_behind_does_not_try_to_catch_up(wall):
    clock = VirtualClock(speed=1.0)
    wall.t += 50  # 50 s of work before the first deadline
    assert clock.deadline_to_sleep_time(1.0) == 0
    assert clock.deadline_to_sleep_time(2.0) == pytest.approx(1)


def test_while_something_acts_time_stands_still(wall):
    clock = VirtualClock(speed=1.0)
    clock.deadline_to_sleep_time(5.0)
    wall.t += 2
    assert clock.view() == pytest.approx(2)
    assert clock.hold() == 2.0
    wall.t += 2
    assert clock.view() == clock.current_time() == 2.0
    clock.speed = 7.0
    clock.paused = True
    clock.paused = False
    assert clock.current_time() == 2.0
    assert clock.deadline_to_sleep_time(3.0) == inf
    assert clock.next_deadline == 3.0


@given(
    st.floats(0.05, 100),
    st.lists(
        st.tuples(st.sampled_from(["wait", "pause", "go", "speed", "hold", "look"]), st.floats(0, 3)),
        max_size=30,
    ),
)
def test_time_never_goes_back_and_what_is_drawn_never_passes_the_next_deadline(speed, actions):
    wall = Wall()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "perf_counter", wall)
        clock = VirtualClock(speed=speed)
        deadline, seen = 0.5, 0.0
        for what, amount in actions:
            if what == "wait":
                wall.t += amount
            elif what == "pause":
                clock.paused = True
            elif what == "go":
                clock.paused = clock.held = False
            elif what == "speed":
                clock.speed = amount * 10 + 0.05
            elif what == "hold":
                clock.hold()
            else:
                clock.deadline_to_sleep_time(deadline)
                if clock.now == deadline:
                    deadline += amount
            assert clock.view() >= clock.current_time() >= 0
            assert clock.view() >= seen - 1e-9  # the float of an instant drawn may round the other way
            assert clock.view() <= deadline
            seen = clock.view()


class Tied(Protocol):
    """A sleep and a timer that end at one instant, which is no round number."""

    def setup(self):
        for tie in range(200):
            self.after(0.1 * tie + 0.07, self.timer, tie)

    async def run(self):
        async with trio.open_nursery() as nursery:
            for tie in range(200):
                nursery.start_soon(self.sleeper, tie)

    async def sleeper(self, tie):
        await trio.sleep(0.1 * tie + 0.07)
        self.show("who", ["task", tie])

    def timer(self, tie):
        self.show("who", ["timer", tie])


def test_what_tasks_wait_for_comes_before_the_heap_even_where_floats_are_rounded():
    who = [bytes(e.value) for e in only(run_of(Tied, nodes=1, until=30), Shown)]
    assert who == [b'["%s",%d]' % (kind, tie) for tie in range(200) for kind in (b"task", b"timer")]


class MovesDeadlines(Protocol):
    """A handler moves the deadline for which a task waits: earlier, later, never."""

    def setup(self):
        self.scope = trio.CancelScope()
        self.after(1, self.move, 2.0)
        self.after(2.5, self.move, 9.0)
        self.after(8, self.move, 8.25)
        self.after(9, self.move, inf)
        self.after(10, self.move, 5.0)  # in the past
        self.after(20, self.move, inf)

    async def run(self):
        for _ in range(4):
            with trio.CancelScope(deadline=trio.current_time() + 5) as self.scope:
                await trio.sleep_forever()
            self.show("woke", self.now)

    def move(self, deadline):
        self.scope.deadline = deadline


@pytest.mark.parametrize("period", range(1, 14))
def test_a_handler_may_move_a_deadline(period, monkeypatch):
    # however the turns of the screen, which the wall decides on, fall between what happens
    calls = count()
    monkeypatch.setattr("gossiplab.engine.kernel.perf_counter", lambda: float(next(calls) // period))
    woke = [e.t for e in only(run_of(MovesDeadlines, nodes=1, until=30), Shown)]
    assert woke == [2.0, 8.25, 10.0, 15.0]


def test_within_the_switch_tasks_run_in_the_order_of_their_creation():
    ran = []

    async def task(number, event):
        await event.wait()
        ran.append(number)

    async def main():
        event = trio.Event()
        async with trio.open_nursery() as nursery:
            for number in range(50):
                nursery.start_soon(task, number, event)
            await trio.testing.wait_all_tasks_blocked()
            event.set()

    with deterministic_scheduling():
        trio.run(main)
    assert ran == list(range(50))
    trio.run(main)
    assert sorted(ran[50:]) == list(range(50))
    assert ran[50:] != list(range(50))  # outside, trio shuffles as before
