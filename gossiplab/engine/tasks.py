"""What is done to the trio tasks of a node from outside: freezing them, and ending those that do not end.

Freezing has to be exact: a paused node may not take a step, also not when a deadline of its own passes or something it
waits for happens, and when it is resumed each of its tasks has to find what woke it first, as a process does that gets
SIGCONT. Shifting deadlines would have to reach into every cancel scope of the protocol; a gate inside the protocol's
own calls would let everything else through. So the coroutine of each task is exchanged, while the pause lasts, for a
stand-in that trio steps instead: it keeps the outcome that woke the task and parks it again. To resume is to put the
coroutine back and hand over what was kept. A task that nothing woke meanwhile notices nothing.

Ending is for what trio cannot end: a task that shields an endless wait, or takes every Cancelled for something to be
got over. Its coroutine is exchanged, too, for one that closes it and is done.

The coroutine of a task is public in trio (for introspection), and exchanging it works because trio looks it up at every
wake-up; the one private call is behind `abandon`. Tests beside it notice when a release of trio changes either.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, cast

import trio
from outcome import Outcome

DEEPEST = 100  # tasks above one another; from some 300 on trio itself fails when it cancels them
_IN_THREAD = trio.to_thread.run_sync.__code__.co_name
_PATIENCE = 10  # a closing coroutine may stop so often in the nurseries it has open
_kept: list[Any] = []  # coroutines that cannot be closed: collecting them would complain on standard error


def descendants(task: trio.lowlevel.Task) -> Iterator[trio.lowlevel.Task]:
    """All tasks below a task, in no certain order."""
    for nursery in task.child_nurseries:
        for child in nursery.child_tasks:
            yield from descendants(child)
            yield child


def depth(task: trio.lowlevel.Task) -> int:
    """How many tasks there are above a task, each with a nursery that the next one is in."""
    above = 0
    while task.parent_nursery is not None:
        task, above = task.parent_nursery.parent_task, above + 1
    return above


def innermost(task: trio.lowlevel.Task) -> Iterator[trio.lowlevel.Task]:
    """Those below a task that have none below them; the task itself when there is none below it."""
    return (each for each in (*descendants(task), task) if not any(descendants(each)))


class Freeze:
    """The tasks below `root` stand still, until `thaw`. All of them have to be blocked."""

    def __init__(self, root: trio.lowlevel.Task) -> None:
        self._stand_ins = [_StandIn(task) for task in descendants(root)]

    def thaw(self) -> None:
        """Let them go on."""
        for each in self._stand_ins:
            each.leave()


class _StandIn:
    """What trio steps in place of a frozen task's coroutine. outcome: what has woken the task, if anything has."""

    __slots__ = ("outcome", "_coroutine", "_task")

    def __init__(self, task: trio.lowlevel.Task) -> None:
        self.outcome: Outcome[Any] | None = None
        self._task = task
        self._coroutine: Any = task.coro
        task.coro = cast(Any, self)

    def send(self, outcome: Outcome[Any]) -> object:
        """Part of a coroutine, as trio calls it: be woken with an outcome, and park."""
        self.outcome = outcome
        return _park()

    def leave(self) -> None:
        """Put the coroutine back; the task takes its turn if it was woken."""
        self._task.coro = self._coroutine
        if self.outcome is not None:
            trio.lowlevel.reschedule(self._task, self.outcome)


def _park() -> object:
    """What a coroutine yields to trio in order to sleep until it is rescheduled, whatever is cancelled."""
    parking: Any = trio.lowlevel.wait_task_rescheduled  # as a call of what is not awaited here, but by trio
    return parking(_stay).send(None)


def _stay(_: object) -> trio.lowlevel.Abort:
    return trio.lowlevel.Abort.FAILED


class _End:
    """What trio steps in place of an abandoned task's coroutine."""

    __slots__ = ("_coroutine",)

    def __init__(self, task: trio.lowlevel.Task) -> None:
        self._coroutine: Any = task.coro
        task.coro = cast(Any, self)

    def send(self, _: object) -> object:
        """Part of a coroutine: close the task's own, and be done."""
        for _ in range(_PATIENCE):
            with suppress(BaseException):
                self._coroutine.close()
            if self._coroutine.cr_frame is None:
                break
        else:
            _kept.append(self._coroutine)
        raise StopIteration(None)


@contextmanager
def no_threads() -> Generator[None]:
    """Within this context `trio.to_thread` waits for ever: how long a thread takes is a matter of the machine."""
    limiter = trio.to_thread.current_default_thread_limiter()
    before, limiter.total_tokens = limiter.total_tokens, 0
    try:
        yield
    finally:
        limiter.total_tokens = before


def wants_thread(task: trio.lowlevel.Task) -> bool:
    """Whether a task waits for a thread."""
    return any(frame.f_code.co_name == _IN_THREAD for frame, _ in task.iter_await_frames())


def abandon(task: trio.lowlevel.Task) -> None:
    """End a task that does not end by itself: at its next step, which follows at once if it is blocked.

    It may have no tasks below it, because its nurseries have to close; when it has some, abandon those first.
    """
    blocked: Any = task
    if isinstance(blocked.coro, _End):
        return
    _End(task)
    if blocked._abort_func is not None:
        blocked._attempt_abort(_give_up)
    if blocked._next_send_fn is None and task is not trio.lowlevel.current_task():  # it lets nobody wake it
        trio.lowlevel.reschedule(task)


def _give_up() -> NoReturn:
    raise _AbandonedError


class _AbandonedError(BaseException):
    """What wakes an abandoned task. Nobody catches it: the task takes no step of its own any more."""
