"""Virtual time: a trio clock that jumps, follows the wall at a chosen speed, or stands still.

Trio asks a clock two things. `current_time` is the virtual instant, and only ever that: the instant
of the last thing that happened. `deadline_to_sleep_time` is asked only when every task is blocked, with
the earliest deadline of all, so that is where time passes: the clock jumps there at once, says how long
to wait in real time until it may, or says "for ever" while it is paused.

trio's own MockClock and autojump do the first of the three; the wall and the pause are why this exists.
Reads the wall (time.perf_counter) to know how fast to go, never to know what time it is.
"""

import math
from collections.abc import Callable
from time import perf_counter

import trio

_LAG = 0.1  # s of real time; a lab that falls behind its speed by more does not try to catch up


class VirtualClock(trio.abc.Clock):
    """Virtual seconds since the start of the lab.

    now: the virtual instant. held: time stands still whatever the speed, while something acts at `now`.
    next_deadline: the earliest deadline at the time when, while it was held, all tasks were blocked.
    on_blocked: told of that time; whether that has made a task runnable again.
    """

    def __init__(self, speed: float = math.inf) -> None:
        self.now = 0.0
        self.held = False
        self.next_deadline = math.inf
        self.on_blocked: Callable[[], bool] = lambda: False
        self._upcoming = 0.0  # where time flows to: the earliest deadline when all tasks last were blocked
        self._speed = speed
        self._paused = False
        self._leap = 0.0
        self._anchor()

    def start_clock(self) -> None:
        self._anchor()

    def current_time(self) -> float:
        return self.now

    def deadline_to_sleep_time(self, deadline: float) -> float:
        if self.held:
            if deadline <= self.now:
                return 0  # what waits for this very instant comes first
            self.next_deadline = deadline
            return 0 if self.on_blocked() else math.inf
        self._upcoming = deadline
        ahead = deadline - self.reach()
        if ahead > 0:
            return math.inf if self._paused else ahead / self._speed
        if deadline == math.inf:
            return math.inf
        self.now = max(self.now, float(deadline))  # a protocol may well sleep until an int
        if -ahead > _LAG * self._speed:
            self._anchor()
        return 0

    @property
    def speed(self) -> float:
        """Virtual seconds in a real second; infinite: as fast as it goes."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._settle()
        self._speed = speed

    @property
    def paused(self) -> bool:
        """Whether time stands still."""
        return self._paused

    @paused.setter
    def paused(self, paused: bool) -> None:
        self._settle()
        self._paused = paused

    def reach(self) -> float:
        """The latest virtual instant that may happen by now."""
        if self._paused:
            return max(self.now, self._leap)
        if self._speed == math.inf:
            return math.inf
        return self._virtual + (perf_counter() - self._wall) * self._speed

    def leap(self, t: float) -> None:
        """Let a paused clock go on to `t`, and no further."""
        self._leap = t

    def view(self) -> float:
        """The instant to draw: flows evenly between one event and the next, and never passes the next."""
        if self.held or self._paused or self._speed == math.inf:
            return self.now
        return max(self.now, min(self.reach(), self._upcoming))

    def hold(self) -> float:
        """Take the instant that is being drawn as the present one, and stand still until the kernel has acted.

        In whole milliseconds where no event forbids it: people read it in a recording.
        """
        view = self.view()
        neat = round(view, 3)
        self.now = neat if self.now <= neat <= view else view
        self.held = True
        return self.now

    def release(self) -> None:
        """Be no hindrance any more: nothing that happens from now on counts."""
        self.held = self._paused = False
        self._speed = math.inf

    def _settle(self) -> None:
        """Take the instant that is being drawn as the present one, before the speed changes."""
        self.now = self.view()
        self._anchor()

    def _anchor(self) -> None:
        self._wall = perf_counter()
        self._virtual = self.now
