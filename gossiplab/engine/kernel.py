"""The kernel: everything that is due goes through its hands, in the order of (virtual time, sequence).

Prior art is every discrete-event simulator since Simula; what is ours is how it shares trio's loop with
the tasks of the nodes. Waking a trio task costs 10-20 us and a heap pop with a plain call one, so
deliveries and rounds are plain calls from here, and only what has to wait is a task.

Three kinds of things happen at a virtual instant, always in this order:
  1. what tasks of nodes waited for (trio's own deadlines),
  2. the entries: deliveries and timers, which are on the heap, and rounds, which wait in line (see
     `gossiplab.engine.wheel`), one by one; a task that one of them wakes takes its turn, to the end,
     before the next,
  3. the agenda: commands, and the end of the run, once nothing else is due at this instant.
So a command at 3 s finds everything that was due at 3 s done, however it got there: from a schedule, a
person's key or a recording. That is what makes these three the same run.

Rejected: one task a node fed by channels (50 times slower), and trio deadlines for messages (ties
between deadlines have no order). Imports clock only; knows no node and no message.
"""

import math
from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from itertools import count, repeat
from time import perf_counter
from typing import Any

import trio

from gossiplab.engine.clock import VirtualClock

_SLICE = 256  # entries between two looks at the agenda and the wall
_INSTANT = 1e-6  # s of virtual time; steps closer together than that count as taken at one instant
_STEPS_A_TURN = 2  # a turn of a task takes the time of two entries, and in the app more
_TURN = 0.004  # s of real time after which the kernel lets the screen have a turn
UNREST, CALM, CLIENT, COMMAND, END = range(5)
"""Ranks on the agenda, in the order of one instant: what faults do that go on by themselves, their end, what clients
of the workload ask for, commands, the end.

A command may have been given before such a fault began or after, so it is not the order of asking that counts.
"""

Entry = tuple[Any, ...]
"""Something due: its instant, its sequence number, the action, and whatever else the action needs of it.

The action is called with the entry. It is a bound method of something that has a `culprit(entry)`.
"""

Undone = Mapping[type[Any], list[Any]]
"""Events that shall not have been, by their kinds; of a kind that there is none of, an empty list."""

NEVER: Entry = (math.inf, 0, None)
"""An entry that never comes due."""


class Kernel(trio.abc.Instrument):
    """Runs what is due. As a trio instrument it notices when a task of a node becomes runnable.

    emitted: how many events there are so far, which is what one step is measured by. heap: what is due,
    except rounds; it ends with an entry that never comes due, so that there always is a first. round: the
    round that is due next. sequence: numbers all entries, in the order in which they came. batch: the events
    that nobody has seen yet; mark: how many of them there were when the step under way began, unless that is the
    arrival of a message, which is an event itself. turns: how often a task has run on.
    """

    # slots, because the loop looks into them for every entry, and because trio looks into the `__dict__` of
    # an instrument, after which Python 3.11 never again finds anything in it quickly
    __slots__ = (
        "clock", "tasks", "after_slice", "on_idle", "on_stuck", "on_spin", "on_spawn", "counts", "heap", "round", "sequence",
        "_emitted", "_agenda", "_steps_per_instant", "_instant", "_steps", "_step_target", "_limit", "_woken",
        "_ended", "_parked", "_task", "_waits", "batch", "mark", "turns",
    )  # fmt: skip

    def __init__(
        self, clock: VirtualClock, batch: list[Any], emitted: Callable[[], int], steps_per_instant: int
    ) -> None:
        self.clock = clock
        self.batch = batch
        self.mark = self.turns = 0
        self.tasks = 0  # how many nodes have async parts that run
        self.after_slice: Callable[[], None] = _nothing
        self.on_idle: Callable[[], None] = _nothing
        self.on_stuck: Callable[[Entry], None] = _nothing
        self.on_spin: Callable[[trio.lowlevel.Task], None] = _nothing
        self.on_spawn: Callable[[trio.lowlevel.Task], None] = _nothing
        self.counts: Callable[[trio.lowlevel.Task], object] = _nothing  # whether a task is one of a node
        self._emitted = emitted
        self.heap: list[Entry] = [(math.inf, math.inf, None)]
        self.round = NEVER
        self._agenda: list[tuple[float, int, int, Callable[[], None]]] = []
        self.sequence = count(1)
        self._steps_per_instant = steps_per_instant
        self._instant = -1.0
        self._steps = 0  # entries run and turns that tasks of nodes took at that instant
        self._step_target = 0
        self._limit = -1.0  # entries up to this instant may run in the slice under way
        self._woken = False
        self._ended = False
        self._parked: trio.CancelScope | None = None
        self._task: trio.lowlevel.Task | None = None  # the one that runs the kernel
        self._waits = False  # whether it waits for all others to wait
        clock.on_blocked = self._go_on

    # scheduling --------------------------------------------------------------------------------

    def at(self, t: float, action: Callable[[Entry], None]) -> None:
        """Call `action` at the virtual instant `t`, after everything due then that was put there before."""
        heappush(self.heap, (t, next(self.sequence), action))

    def after_all(self, t: float, rank: int, action: Callable[[], None]) -> None:
        """Call `action()` once nothing else is due at `t`: for commands and for the end."""
        heappush(self._agenda, (t, rank, next(self.sequence), action))
        self.interrupt()  # the next slice stops at `t`
        self.poke()

    def interrupt(self) -> None:
        """End the slice under way after this entry: something is not any more as it was when it began."""
        self._woken = True
        self._limit = -1.0

    def commands_pending(self) -> bool:
        """Whether a command, or the end of what one began, is still to come."""
        return any(rank in (CALM, COMMAND) for _, rank, _, _ in self._agenda)

    def poke(self) -> None:
        """Have the kernel look again at agenda, speed and pause. Call it in trio's thread only."""
        if self._parked is not None:
            self._parked.cancel()

    def step(self) -> None:
        """Let a paused lab go on until it has emitted something."""
        self._step_target = self._emitted() + 1
        self.poke()

    def end(self) -> None:
        """Have `run` return."""
        self._ended = True
        self.poke()

    # running -----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Run until `end` is called, or for ever; `on_idle` hears when nothing more happens by itself."""
        self._task = trio.lowlevel.current_task()
        self.clock.held = True  # from here on time passes where the kernel sleeps, and nowhere else
        await self.settle()
        clock, turn = self.clock, perf_counter()
        while not self._ended:
            deadline = await self._next_deadline()
            entry_t = self._next_entry()[0]
            agenda_t = self._agenda[0][0] if self._agenda else math.inf
            upcoming = min(deadline, entry_t, agenda_t)
            stepping = clock.paused and self._emitted() < self._step_target
            if stepping and upcoming < math.inf:
                clock.leap(upcoming)
            if min(deadline, entry_t) == math.inf and not self.commands_pending():
                self.on_idle()
                if self._ended:
                    break
            if upcoming > clock.reach() or upcoming in (deadline, math.inf):
                turn = await self._park(upcoming)
            elif entry_t <= agenda_t:
                # where tasks wait, any entry may move their deadlines: look again after each
                self._run_entries(
                    min(clock.reach(), agenda_t), deadline, 1 if stepping or self.tasks else _SLICE
                )
            else:
                clock.now = max(clock.now, agenda_t)
                heappop(self._agenda)[3]()
            self.after_slice()
            if self._woken:
                await self.settle()
            if perf_counter() - turn > _TURN:
                await self.settle()  # more than a checkpoint: nothing may be runnable when time goes on
                turn = perf_counter()

    def _run_entries(self, limit: float, deadline: float, budget: int) -> None:
        """Run at most `budget` entries: those up to `limit` and before `deadline`."""
        heap, clock = self.heap, self.clock
        beat = self.round
        beat_t = beat[0]
        instant, steps = self._instant, 0
        self._limit = min(limit, math.nextafter(deadline, -math.inf))
        for _ in repeat(None, min(budget, self._steps_per_instant - self._steps)):
            entry = heap[0]
            t = entry[0]
            if beat_t < t or (beat_t == t and beat < entry):
                entry, t = beat, beat_t
            if t > self._limit:
                break
            clock.now = t
            if t - instant > _INSTANT:
                instant, steps = t, 1
            else:
                steps += 1
            if entry is beat:
                beat[2](beat)
                beat = self.round
                beat_t = beat[0]
            else:
                heappop(heap)
                entry[2](entry)
        self._count_steps(instant, steps)
        if self._steps >= self._steps_per_instant:  # exactly then, so that it does not depend on the slices
            self._steps = 0
            entry = self._next_entry()
            if entry[0] - self._instant <= _INSTANT:
                self.on_stuck(entry)

    def _next_entry(self) -> Entry:
        return min(self.round, self.heap[0])

    def _count_steps(self, t: float, steps: int) -> None:
        """So many more steps were taken, the last at `t`."""
        if t - self._instant > _INSTANT:
            self._instant, self._steps = t, 0
        self._steps += steps

    async def settle(self) -> None:
        """Let every runnable task take its turn, at the present instant, until all wait again.

        What trio.testing.wait_all_tasks_blocked does, which only the clock can do without that import: while
        it is held, trio asks it how long to sleep exactly when every task waits.
        """
        self._woken = True
        while self._woken:  # a word from outside may have woken somebody in the same breath as this task
            self._waits = True
            await trio.lowlevel.wait_task_rescheduled(self._give_up)

    def _go_on(self) -> bool:
        """Every task waits, at an instant at which nothing more is due: whether it was this that was waited for."""
        if not self._waits:
            return False
        self._waits = self._woken = False
        assert self._task is not None
        trio.lowlevel.reschedule(self._task)
        return True

    def _give_up(self, _: object) -> trio.lowlevel.Abort:
        self._waits = False
        return trio.lowlevel.Abort.SUCCEEDED

    async def _park(self, until: float) -> float:
        """Sleep until the clock gets to `until` or a poke. Returns the wall's time."""
        with trio.CancelScope(deadline=until) as self._parked:
            self.clock.held = False
            await trio.sleep_forever()
        self._parked = None
        self.clock.held = True
        await self.settle()
        return perf_counter()

    async def _next_deadline(self) -> float:
        """The earliest instant for which a task of a node waits."""
        if not self.tasks:
            return math.inf
        clock = self.clock
        # trio says how far away it is, which is not the instant itself when floats are rounded; the clock
        # has heard the instant when all tasks were blocked, and it holds unless a handler moved a deadline
        ahead = trio.lowlevel.current_statistics().seconds_to_next_deadline
        if clock.next_deadline - clock.now != ahead:
            await self.settle()
        return clock.next_deadline

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        """Part of trio's Instrument."""
        if self.tasks:
            self.on_spawn(task)

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """Part of trio's Instrument."""
        self.mark = len(self.batch)
        self.turns += 1

    def task_scheduled(self, task: trio.lowlevel.Task) -> None:
        """Part of trio's Instrument."""
        if task is self._task:
            return
        self.interrupt()
        if self.tasks and self.counts(task):
            self._count_steps(self.clock.now, _STEPS_A_TURN)
            if self._steps >= self._steps_per_instant:
                self._steps = 0
                self.on_spin(task)


def _nothing(*_: object) -> None:
    """What the kernel tells when nobody listens."""
