"""One node: a protocol with its memory, its rounds and timers, and a trio task of its own.

The task owns the node's nursery, in which the protocol's async part runs; killing the node cancels the
task's scope. Rounds, timers and deliveries are plain calls from the kernel. Whatever a protocol raises
stops here and becomes the node's crash. Imports kernel and protocol; reaches the lab through `surroundings`.

A paused node is alive and does nothing: its rounds are taken out of the wheel, messages and timers that come due are
kept, its tasks are frozen. When it is resumed, all that came due happens at once: first what it had meant to do by the
clock, then what has arrived, as in a process that gets SIGCONT: a runtime runs the timers that have expired before it
looks at its sockets (Go's scheduler does, and so do trio and asyncio). That is why a slow member accuses others although
their answers wait at its door, which is what Lifeguard studies. Of a round that was missed, however often, it does one,
and then goes on with its beat, as a ticker of Go does.

A node with a skewed clock reads `now` from a clock of its own. Its rounds and timers count that clock's seconds.
What its tasks sleep does not: trio has one clock, and that is the lab's.
"""

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from heapq import heappush
from math import floor
from pathlib import Path
from random import Random
from types import CodeType
from typing import Any, cast

import trio

from gossiplab.engine.faults import endless_step, finite, is_ctrl_c, uncancelled, why
from gossiplab.engine.kernel import Entry, Kernel
from gossiplab.engine.local_clock import LocalClock
from gossiplab.engine.peers import Others
from gossiplab.engine.surroundings import NodeLab
from gossiplab.engine.tasks import Freeze
from gossiplab.engine.watchdog import door
from gossiplab.engine.wheel import Beat
from gossiplab.errors import ProtocolError, fault_place, first_line, first_of
from gossiplab.events import View
from gossiplab.experiment import Value
from gossiplab.protocol import Message, Protocol, Round
from gossiplab.replica.merkle import MerkleTree
from gossiplab.replica.store import State, Store

_SHORTEST_PERIOD = 1e-6  # s; a shorter one would hardly let time pass

Whose = tuple["Node", int]
"""A node and the number of one of its lives."""
_whose: ContextVar[Whose | None] = ContextVar("whose", default=None)


def whose(task: trio.lowlevel.Task) -> Whose | None:
    """To which node's which life a task belongs."""
    return task.context.get(_whose)


class Timer:
    """One call of a method of a node, at a virtual instant. See `gossiplab.protocol.Timer`."""

    __slots__ = ("node", "_life", "_action", "_arguments")

    def __init__(self, node: "Node", action: Callable[..., object], arguments: tuple[Any, ...]) -> None:
        self.node = node
        self._life = node.life
        self._action: Callable[..., object] | None = action
        self._arguments = arguments

    def culprit(self, _: Entry) -> tuple["Node", object]:
        """Whose step it is, and in which function."""
        return self.node, self._action

    def cancel(self) -> None:
        self._action = None

    def fire(self, entry: Entry) -> None:
        if self.node.late is not None and self._life == self.node.life:
            self.node.late.append(entry)
            return
        action, self._action = self._action, None
        if action is not None and self._life == self.node.life:
            self.node.call(action, *self._arguments)


def is_timer(entry: Entry) -> bool:
    """Whether it is a timer that comes due, and not a message or a round in line."""
    return isinstance(getattr(entry[2], "__self__", None), Timer)


class _Front:
    """What every message touches of a node.

    A base class because its slots come first and side by side: two lines of the processor's cache instead
    of four, for each of thousands of nodes.
    """

    __slots__ = (
        "cause", "guarded", "id", "life", "link_random", "linked", "network", "open", "others", "protocol", "random",
    )  # fmt: skip


class Node(_Front):
    """A node of a lab; what its protocol sees of it is `gossiplab.protocol.Host`.

    up: whether it runs. open: whether messages that arrive can be handled at once: it is up, not paused, and they are
    not held. late: what came due while it is paused, in order; None: it is not paused. life: how often it has stopped, so that what belongs to an earlier life stays
    undone. guarded: whether its protocol may call although it shall not be heard any more. known: the rumors
    it has learned, which it forgets when it rejoins fresh; active: those of them it still spreads. cause: the
    message that is being handled, if any. blocked: whether a step of its last life was interrupted, so that
    it can only rejoin fresh.
    """

    __slots__ = (
        "up", "late", "kernel", "known", "active", "blocked", "_lab", "_kind", "_params", "_peers", "_scope", "_clock",
        "_running", "_ghosts", "_held", "_local", "_rounds", "_seed", "_task", "_freeze", "_views",
    )  # fmt: skip

    def __init__(
        self, id: int, kernel: Kernel, lab: NodeLab, kind: type[Protocol], params: dict[str, Value],
        peers: Sequence[int], seed: int,
    ) -> None:  # fmt: skip
        self.id = id
        self.kernel = kernel
        self.up = self.open = True
        self.late: list[Entry] | None = None
        self.guarded = False
        self.blocked = False
        self.life = 0
        self.known: set[int] = set()
        self.active: set[int] = set()
        self._seed = seed
        self.random = Random(f"{seed}/node/{id}")
        self.link_random = Random(f"{seed}/link/{id}")
        self._lab = lab
        self._kind = kind
        self._params = params
        self._peers = peers
        self.linked = not isinstance(peers, Others)  # else the peers are known without looking them up
        self.others = float(len(peers))
        self._scope: trio.CancelScope | None = None
        self._clock = kernel.clock
        self._running = False  # whether this life has a task
        self._ghosts = 0  # tasks of earlier lives that shield themselves and have not ended yet
        self._held = False  # whether messages to it are held
        self._local: LocalClock | None = None  # its own clock, where that is not the lab's
        self._rounds: list[Beat] = []  # that stand still while it is paused
        self._task: trio.lowlevel.Task | None = None  # of this life
        self._freeze: Freeze | None = None
        self.cause: int | None = None
        self.network = lab.network
        self._views: dict[View, tuple[int, ...]] = {}
        self.protocol = self._fresh()

    # its life ----------------------------------------------------------------------------------

    def _fresh(self) -> Protocol:
        protocol = self._kind.__new__(self._kind)
        protocol._host = self  # pyright: ignore[reportPrivateUsage]  # the lab hands the host in
        for name, value in self._params.items():
            setattr(protocol, name, value)
        self._views.clear()
        self.known.clear()
        self.active.clear()
        return protocol

    @door("self", "old")
    def _forget(self, old: Protocol) -> None:
        """Put a new protocol in the place of the old one, which may have something to do when it goes."""
        self.protocol = self._fresh()
        del old

    async def live(self, life: int) -> None:
        """The node's task: the life of that number, until it is stopped."""
        if life != self.life:
            return  # it ended before its task had its first turn
        _whose.set((self, life))
        self._running = True
        self._task = trio.lowlevel.current_task()
        try:
            with trio.CancelScope() as self._scope:
                if self._kind.run is Protocol.run:
                    await trio.sleep_forever()
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self.protocol.run)
                    await trio.sleep_forever()
                # only a Cancelled passes a nursery unseen, and nobody has cancelled this one
                self.crash(uncancelled(), first_line(self._kind.run))
        except BaseExceptionGroup as group:
            faults, rest = group.split(
                lambda error: not isinstance(error, trio.Cancelled | BaseExceptionGroup)
            )
            if faults and life == self.life:
                self.crash(first_of(faults))
            if rest:
                raise rest from None
        finally:
            if life == self.life:
                self._running = False
            else:
                self._ghosts -= 1
                self._guard()

    def begin(self) -> None:
        """Set the protocol up and start its rounds; for a node with no memory."""
        self.call(self.protocol.setup)
        self._start_rounds()

    def rejoin(self, fresh: bool) -> None:
        """Begin another life."""
        self.up = True
        self._guard()
        self._look()
        if self.blocked:
            self.blocked = False
            self.random = Random(f"{self._seed}/node/{self.id}/{self.life}")
            self.link_random = Random(f"{self._seed}/link/{self.id}/{self.life}")
        if fresh:
            self._forget(self.protocol)
            if self.up:
                self.begin()
        else:
            self.call(self.protocol.rejoin)
            self._start_rounds()

    def stop(self) -> None:
        """End this life at once: nothing of it runs any more."""
        self.up = False
        self.life += 1
        self._task = None
        if self.late is not None:
            self._rounds.clear()
            self._melt(self.late)
        self._look()
        if self._running:
            self._running = False
            self._ghosts += 1
        self._guard()
        if self._scope is not None:
            self._scope.cancel()

    def pause(self) -> None:
        """Let nothing of it run any more until it is resumed."""
        self.late = []
        self._rounds = self._lab.wheel.take(self)
        if self._task is not None and self._kind.run is not Protocol.run:
            self._freeze = Freeze(self._task)
        self._look()

    def resume(self) -> None:
        """Go on with what came due meanwhile: timers and each round that was missed, once, in order; then messages.

        Tasks whose sleep or timeout is over come before both: the kernel gives them their turn before any entry.
        """
        assert self.late is not None
        now = self._clock.now
        late = list(self.late)
        for beat in self._rounds:
            if beat.t <= now:
                late.append((beat.t, beat.sequence, Timer(self, beat.method, (self.protocol,)).fire))
            k = max(beat.k, floor((now - beat.base) / beat.period))
            while beat.base + k * beat.period <= now:
                k += 1
            self._lab.wheel.add(self, beat.method, beat.period, beat.base, k)
        self._rounds = []
        self._melt(sorted(late, key=lambda entry: (not is_timer(entry), *entry[:2])))
        self._look()

    def _melt(self, late: list[Entry]) -> None:
        """End the pause: what is late comes due now."""
        self.late = None
        for entry in late:
            heappush(self.kernel.heap, (self._clock.now, next(self.kernel.sequence), *entry[2:]))
        if self._freeze is not None:
            self._freeze.thaw()
            self._freeze = None

    def hold(self, held: bool) -> None:
        """Whether messages to it are held from now on."""
        self._held = held
        self._look()

    def _look(self) -> None:
        self.open = self.up and self.late is None and not self._held

    def skew(self, rate: float | None, offset: float | None) -> tuple[float, float] | None:
        """Let its clock go on at another rate, or jump; without either: be right again.

        Returns (rate, seconds ahead) of its clock from now on; None: nothing has changed.
        """
        clock, before = self._clock, self._local
        now = self.now
        if offset == 0 or rate == self.rate or (offset is None and rate is None and before is None):
            return None
        if rate is None and offset is None:
            self._local = None
        else:
            pace = (before.rate if before else 1.0) if rate is None else rate
            self._local = LocalClock(clock, now + (offset or 0.0), pace)
        change = self.rate / (before.rate if before else 1.0)
        beats = self._rounds if self.late is not None else self._lab.wheel.take(self)
        beats = [self._moved(beat, change) for beat in beats]
        if self.late is not None:
            self._rounds = beats
        else:
            for beat in beats:
                self._lab.wheel.add(self, beat.method, beat.period, beat.base, beat.k)
        return self.rate, self.now - clock.now

    @property
    def rate(self) -> float:
        """Seconds that pass on its clock in a second of the lab's."""
        return self._local.rate if self._local else 1.0

    def _moved(self, beat: Beat, change: float) -> Beat:
        """A round of a node whose clock has just changed, its rate by a factor."""
        now = self._clock.now
        period = beat.period / change
        each = next(each for each in self._kind.rounds if getattr(self._kind, each.name) is beat.method)
        if self._is_aligned(each):
            base, k = self._common(period)
        elif change == 1:  # a round counts seconds, wherever the hands of the clock jump to
            return beat
        else:
            base, k = now + (beat.t - now) / change, 0
        return Beat(base + k * period, beat.sequence, beat.method, period, base, k)

    def _common(self, period: float) -> tuple[float, int]:
        """The first of the instants that an aligned round has in common: (base, k), in seconds of the lab."""
        base = self._local.zero() if self._local else 0.0
        # the first one after now; 1e-9 because k * period / period may fall below k
        return base, floor((self._clock.now - base) / period + 1e-9) + 1

    def _is_aligned(self, each: Round) -> bool:
        return "aligned" in (each.phase, getattr(self.protocol, each.phase, None))

    def crash(self, error: BaseException, line: int = 0) -> None:
        """End this life because its protocol failed; at `line`, where the error itself does not say.

        Raises `error` again when it is no fault of the protocol: somebody has pressed Ctrl-C.
        """
        if is_ctrl_c(error):
            raise error
        if not self.up:
            return
        self.stop()
        # the name without its folder: a recording is the same on every machine
        file, own_line = fault_place(error, self._files())
        self._lab.crashed(self, Path(file).name, own_line or line, why(self, error))

    def spin(self, task: trio.lowlevel.Task, error: ProtocolError) -> None:
        """End this life because of what one of its tasks does on and on."""
        files = self._files()
        lines = [line for frame, line in task.iter_await_frames() if frame.f_code.co_filename in files]
        self.crash(error, lines[-1] if lines else 0)

    def block(self, code: CodeType | None, name: str) -> None:
        """End this life because a step of it, which began in `code` of that name, did not end by itself.

        How far it got is not known, and so neither is what the node remembers, nor how many random numbers it drew.
        """
        line = code.co_firstlineno if code and code.co_filename == self._files()[0] else 0
        self.blocked = True
        self.crash(endless_step(name), line)

    def _files(self) -> list[str]:
        """The files of the protocol: its own, and those of the protocols that it is derived from."""
        modules = dict.fromkeys(
            each.__module__
            for each in self._kind.__mro__
            if issubclass(each, Protocol) and each is not Protocol
        )
        return [getattr(sys.modules.get(name), "__file__", None) or "" for name in modules]

    def _guard(self) -> None:
        self.guarded = not self.up or self._ghosts > 0

    def heard(self) -> bool:
        """Whether what the protocol does counts: not when down, nor from a shielded task of an earlier life."""
        if not self.guarded:
            return True
        current = _whose.get()
        return self.up and (current is None or current[1] == self.life)

    def _start_rounds(self) -> None:
        if not self.up:
            return
        now = self._clock.now
        for each in self._kind.rounds:
            method = getattr(self._kind, each.name)
            try:
                period = self._value(each, each.period)
                aligned = self._is_aligned(each)
                if not _SHORTEST_PERIOD <= period < math.inf:
                    raise ProtocolError(
                        f"the period of {each.name} is {period} s: give seconds from {_SHORTEST_PERIOD} up"
                    )
            except BaseException as error:
                self.crash(error, first_line(method))
                return
            period /= self.rate
            if aligned:
                self._lab.wheel.add(self, method, period, *self._common(period))
            else:
                self._lab.wheel.add(self, method, period, now + period * self.random.random())

    @door("self", "each")
    def _value(self, each: Round, period: str | float) -> float:
        if isinstance(period, str):
            if not hasattr(self.protocol, period):
                raise ProtocolError(f"the round {each.name} names no parameter: there is no {period}.")
            return float(getattr(self.protocol, period))
        return period

    # what the lab calls ------------------------------------------------------------------------

    @door("self", "method")
    def call(self, method: Callable[..., object], *arguments: Any) -> None:
        """Call something of the protocol; what it raises is its crash."""
        self.kernel.mark = len(self.kernel.batch)
        try:
            method(*arguments)
        except BaseException as error:
            self.crash(error)

    # what the protocol calls: gossiplab.protocol.Host ------------------------------------------

    @property
    def now(self) -> float:
        local = self._local
        return self._clock.now if local is None else local.now

    @property
    def peers(self) -> Sequence[int]:
        return self._peers

    def sample(self, k: int) -> list[int]:
        return sample(self.protocol, k)

    def send(self, peer: int, message: Message, carries: tuple[int, ...] = ()) -> None:
        self.network.send(self.protocol, peer, message, carries)

    def after(self, delay: float, action: Callable[..., object], *args: Any) -> Timer:
        if not 0 <= delay < 1e9:
            raise ProtocolError(f"n{self.id} cannot wait {delay} s: give seconds from 0 up.")
        timer = Timer(self, action, args)
        if self.heard():
            local = self._local
            self.kernel.at(self._clock.now + (delay if local is None else delay / local.rate), timer.fire)
        return timer

    def learn(self, rumor: int) -> bool:
        if rumor in self.known or not self.heard():
            return False
        self._lab.learned(self, rumor)
        self.known.add(rumor)
        self.active.add(rumor)
        return True

    def retire(self, rumor: int) -> None:
        if rumor in self.active and self.heard():
            self.active.remove(rumor)
            self._lab.retired(self, rumor)

    def show(self, name: str, value: Any) -> None:
        if self.heard():
            self._lab.shown(self, name, value)

    def believe(self, about: int | Iterable[int], state: str, incarnation: int) -> None:
        if not self.guarded or self.heard():
            self._lab.believed(self, about, state, incarnation)

    def keep(self, view: View, peers: Iterable[int]) -> None:
        kept = tuple(sorted(set(finite(peers))))
        if self._views.get(view) != kept and self.heard():
            self._lab.kept(self, view, kept)
            self._views[view] = kept

    def open_store(
        self, conflict: str, tree: MerkleTree | None, holds: Callable[[str], bool] | None
    ) -> Store:
        return self._lab.replicas.open_store(self, conflict, tree, holds)

    def place(self, key: str, nodes: Iterable[int]) -> None:
        if self.heard():
            self._lab.replicas.place(self, key, nodes)

    def answer(self, request: int, state: State | None) -> None:
        if self.heard():
            self._lab.replicas.answer(self, request, state)

    def refuse(self, request: int, why: str) -> None:
        if self.heard():
            self._lab.replicas.refuse(self, request, why)

    def begin_repair(self, peer: int) -> int:
        return self._lab.replicas.begin_repair(self, peer)

    def compared(self, repair: int, level: int, differing: Iterable[int], keys: int) -> None:
        if self.heard():
            self._lab.replicas.compared(self, repair, level, differing, keys)

    def end_repair(self, repair: int, differing: int) -> None:
        if self.heard():
            self._lab.replicas.end_repair(self, repair, differing)


def sample(self: Protocol, k: int) -> list[int]:
    """See `Protocol.sample`."""
    node = cast(Node, self._host)  # pyright: ignore[reportPrivateUsage]  # which the lab has handed in
    n = node.others
    if k == 1 and n > 1.0:
        one = floor(node.random.random() * n)
        if node.linked:
            return [node.peers[one]]
        return [one if one < node.id else one + 1]
    return list(node.peers) if k >= n else node.random.sample(node.peers, k)
