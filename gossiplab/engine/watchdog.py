"""The watchdog: takes the turn away from a protocol that does not give it back.

Everything runs in one thread, so a handler that says `while True: pass` or `time.sleep(60)` holds screen and
kernel alike. A thread cannot stop it: an exception that one thread sets for another waits until the other
runs Python code again. A signal in the main thread reaches both, so an interval timer looks at the stack four
times a second, and whoever stands there in the same step of a protocol for a second gets an exception. That costs the
loop nothing, because which step it is can be read off the stack: a function that calls protocols is marked
with `door`, and as long as a door's frame is the same object, so is the step. In the async parts, where one
frame lasts for many steps, the kernel's count of turns tells them apart.

A second is one of the processor's, as far as the step computes: on a busy machine it has more time. One that sleeps
uses no processor, and gets a second by the wall. To merge a hundred thousand keys takes seconds, and ends: what a step
spends in the data types of replicas counts the less, the more keys there are.

An exception that strikes anywhere may only strike where nothing of ours can be left half done: it is raised
when the protocol's own code (or a library's it called) runs right above a door, never in the kernel, the
network, the recorder, the screen or trio. Only where ours calls the protocol's again (what is handed over is an
iterable, a period is a property) it strikes after half as long again all the same: ours reads such things before it
changes anything. What a door calls in C has no frame: it strikes there while the door stands at the very instruction at
which it stood a beat ago. It is no Exception, so that `except Exception` lets it through, and
a bare `except:` that swallows it gets the next one inside the except clause, which cannot cover itself.

Where a step was interrupted depends on the machine, so nothing of the step may count: the lab undoes what it
did before the exception is raised. A loop in C that never looks for signals, as `sum(range(10**12))`, cannot be
interrupted. Imports trio; what it watches hands itself in.
"""

import gc
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, MethodType
from typing import Any, NamedTuple, NoReturn, TypeVar
from typing import Protocol as Interface

import trio

PATIENCE = 1.0  # s for one step; what a step should need are microseconds
_BEATS = 4  # how often within its patience a step is looked at; a process that gets no time at all sees fewer
_LEAST_PATIENCE = PATIENCE / 128  # for a function that blocks in one node after the other
_IDLE = 0.0005, 0.01  # s of the processor, and as a share of the time, up to which a process sleeps
_PER_KEY = 100e-6  # s of the processor that a step may spend in data types for each key of the fullest node: twice what it needs
_SOON = 0.001  # s of real time, until the protocol may have come back from ours

F = TypeVar("F", bound=Callable[..., Any])

_doors: dict[CodeType, tuple[str, str]] = {}
_package = Path(__file__).parents[1]
# what a protocol's step must not be interrupted in; data types are the protocol's own business
_ours = (f"{_package}{os.sep}", f"{Path(trio.__file__).parent}{os.sep}")
_data = (f"{_package / 'replica'}{os.sep}", str(_package / "engine" / "replicas.py"))
_not_ours = tuple(f"{_package / name}{os.sep}" for name in ("_content", "replica"))


class OverdueError(BaseException):
    """Ends a step of a protocol that took too long. The lab has counted the node as crashed already."""


def door(node: str, function: str) -> Callable[[F], F]:
    """Mark a function that calls protocols, with the names of its variables that hold the node and what it calls."""

    def mark(caller: F) -> F:
        _doors[caller.__code__] = node, function
        return caller

    return mark


class Watched(Interface):
    """What the watchdog needs of a lab."""

    def turns(self) -> int:
        """How often a task of the lab has run on."""
        ...

    def owner(self, task: trio.lowlevel.Task) -> Any:
        """The node to one of whose lives a task belongs; None when it belongs to none."""
        ...

    def keys(self) -> int:
        """How many keys a node holds, or begins with, at most."""
        ...

    def overdue(self, node: Any, code: CodeType | None, name: str) -> None:
        """A step of `node` that began in `code`, or without code of Python's, takes too long: undo it and crash the node."""
        ...


class _Step(NamedTuple):
    """A step of a protocol that is under way.

    frame: the door's, or the first of its task. turns: 0 with a door. code, name: where it began. free: whether it
    may be interrupted where it stands. inner: whether it stands in the protocol's own code again. data: whether it stands in the data types of replicas.
    """

    frame: FrameType
    turns: int
    node: Any
    code: CodeType | None
    name: str
    free: bool
    inner: bool
    data: bool


@contextmanager
def watching(lab: Watched) -> Generator[None]:
    """Within this context, steps that take too long are interrupted, where the system and the thread allow it.

    Within a run of trio and not around it: trio closes what signals write to before it stops listening to them.
    """
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGALRM) not in (signal.SIG_DFL, signal.SIG_IGN)
    ):
        yield
        return
    _hush()
    watchdog = _Watchdog(lab)
    hook = sys.unraisablehook
    sys.unraisablehook = _but_strikes(hook)
    before = signal.signal(signal.SIGALRM, watchdog.beat)
    watchdog.wind()
    try:
        yield
    finally:
        watchdog.over = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        sys.unraisablehook = hook
        watchdog.forget()


class _Watchdog:
    """Looks at the stack at every beat."""

    def __init__(self, lab: Watched) -> None:
        self.over = False  # a signal may come all the same
        self._lab = lab
        self._patience = PATIENCE  # the least that any function has earned
        self._offences = Counter[CodeType | None]()
        self._seen: tuple[FrameType, int] | None = None
        self._beats = 0.0  # for which the step has been seen
        self._keys = lab.keys()  # at the last beat that saw another step, or none
        self._leeway = 1.0  # how many times as long it may stay in data types as elsewhere
        self._used = 0.0  # s of the processor, until the last beat
        self._soon = False  # whether it came sooner than others do
        # where the last beat came upon the stack, and the instruction
        self._at: tuple[FrameType, int] | None = None
        self._strikes = 0  # exceptions that it has got
        self._trace = sys.gettrace()

    def wind(self, first: float | None = None) -> None:
        period = self._patience / _BEATS
        signal.setitimer(signal.ITIMER_REAL, first or period, period)

    def beat(self, _: int, frame: FrameType | None) -> None:
        """What the signal calls. Raises OverdueError."""
        if self.over:
            return
        at = frame and (frame, frame.f_lasti)
        stands, self._at = at == self._at, at
        if not signal.getitimer(signal.ITIMER_REAL)[1]:
            self.wind()  # a library has used the one alarm there is
        step, beats = self._step(frame, stands), self._since()
        if (
            step is None
            or self._seen is None
            or step.frame is not self._seen[0]
            or step.turns != self._seen[1]
        ):
            self.forget()
            self._seen = step and (step.frame, step.turns)
            # as many keys as there were before: what never stops storing would earn itself more and more
            self._leeway, self._keys = 1 + self._keys * _PER_KEY / PATIENCE, self._lab.keys()
            return
        self._beats += beats / self._leeway if step.data else beats
        if self._beats * self._patience / _BEATS < self._patience_with(step.code):
            return
        if not (step.free or (step.inner and self._beats > 1.5 * _BEATS)):
            self._soon = True
            self.wind(_SOON)
            return
        self._strike(step, frame)

    def forget(self) -> None:
        """What was seen is over."""
        if self._strikes > 1:
            sys.settrace(self._trace)
        self._seen, self._beats, self._strikes = None, 0.0, 0

    def _since(self) -> float:
        """For how much of a beat the process has computed since the last one, or slept."""
        period, now = self._patience / _BEATS, time.process_time()
        used, self._used = now - self._used, now
        least, share = _IDLE
        if self._soon:
            self._soon = False
            return _SOON / period
        return 1.0 if used <= max(least, share * period) else min(1.0, used / period)

    def _patience_with(self, code: CodeType | None) -> float:
        """Half as long each time: what blocks in every node shall not hold the screen for a second each.

        But for what has no code of Python's: who knows what else the same function in C is called for.
        """
        return PATIENCE if code is None else max(_LEAST_PATIENCE, PATIENCE / 2 ** self._offences[code])

    def _strike(self, step: _Step, frame: FrameType | None) -> NoReturn:
        if self._strikes:  # it has been swallowed: raise also where the next line begins, in an except clause
            while frame is not None and frame.f_code not in _doors:
                frame.f_trace = _raise
                frame = None if frame is step.frame else frame.f_back
            sys.settrace(_ignore)
        else:
            self._lab.overdue(step.node, step.code, step.name)
            self._offences[step.code] += 1
            self._patience = min(self._patience, self._patience_with(step.code))
        self._strikes += 1
        self._soon = self._strikes > 1  # what has one except clause within another needs a strike for each
        self.wind(_SOON if self._soon else None)
        raise OverdueError

    def _step(self, frame: FrameType | None, stands: bool) -> _Step | None:
        """The protocol's step that is under way, if one is. stands: whether it is at the same place as at the last beat."""
        try:
            task = trio.lowlevel.current_task()
        except RuntimeError:
            return None
        root = getattr(task.coro, "cr_frame", None)  # a stand-in for a coroutine has none; see `tasks`
        free, data, innermost = True, False, frame
        if frame is not None and any(
            frame.f_code is getattr(each, "__code__", None) for each in gc.callbacks
        ):
            free = False  # Python lets nothing out of there
        while frame is not None:
            code = frame.f_code
            if code in _doors:
                node, function = (frame.f_locals.get(name) for name in _doors[code])
                if node is None:
                    return None  # not yet about to call
                if frame is innermost:  # about to call, or back, unless it has called something in C
                    free = free and stands
                began, name = _beginning(function)
                return _Step(frame, 0, node, began, name, free, _is_inside(innermost, began), data)
            if code.co_filename.startswith(_data):
                data = True
            if _is_ours(code):
                free = False
            if frame is root:
                node = self._lab.owner(task)
                if node is None:
                    return None
                return _Step(frame, self._lab.turns(), node, code, code.co_name, free, False, data)
            frame = frame.f_back
        return None


def _is_inside(frame: FrameType | None, began: CodeType | None) -> bool:
    """Whether this is a frame of the very file in which a step began, and not of a library that ours has called."""
    if frame is None or _is_ours(frame.f_code):
        return False
    return began is None or frame.f_code.co_filename == began.co_filename


def _is_ours(code: CodeType) -> bool:
    """Whether this is code of the lab or of trio, and not of a protocol, a data type or a library."""
    return code.co_filename.startswith(_ours) and not code.co_filename.startswith(_not_ours)


def _hush() -> None:
    """Let Python not complain when the loop, which is held up, reads no more of the bytes that signals send it."""
    fd = signal.set_wakeup_fd(-1)
    if fd >= 0:
        signal.set_wakeup_fd(fd, warn_on_full_buffer=False)


def _but_strikes(hook: Callable[[Any], object]) -> Callable[[Any], None]:
    """Say nothing of a strike that met a finalizer: the node has crashed, which is said where it belongs."""

    def say(unraisable: Any) -> None:
        if unraisable.exc_type is not OverdueError:
            hook(unraisable)

    return say


def _raise(frame: FrameType, event: str, _: object) -> Any:
    """A trace function of a frame: raises at its next line. Python ends all tracing when it does."""
    if event == "line":
        raise OverdueError
    return _raise


def _ignore(frame: FrameType, event: str, _: object) -> None:
    """A trace function of whatever is called from now on: does not trace it."""


def _beginning(function: Any) -> tuple[CodeType | None, str]:
    """Where a function begins, if it is one of Python's, and its name; bound methods of two nodes begin at the same place."""
    # of these types only: to ask anything else could run the protocol's code
    while type(function) in (partial, MethodType):
        function = function.func if type(function) is partial else function.__func__
    if type(function) is FunctionType:
        return function.__code__, function.__code__.co_name
    return None, function.__qualname__ if type(function) is BuiltinFunctionType else "a timer"
