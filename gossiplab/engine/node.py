"""One node: a protocol with its memory, its rounds and timers, and a trio task of its own.

The task owns the node's nursery, in which the protocol's async part runs; killing the node cancels the
task's scope. Rounds, timers and deliveries are plain calls from the kernel. Whatever a protocol raises
stops here and becomes the node's crash. Imports kernel and protocol; reaches the lab through `NodeLab`.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any
from typing import Protocol as Interface

import trio

from gossiplab.engine.kernel import Kernel
from gossiplab.engine.wheel import Beat, Beater, Wheel
from gossiplab.errors import ProtocolError, fault_line, first_of
from gossiplab.experiment import Value
from gossiplab.protocol import Message, Protocol, Round


class NodeNetwork(Interface):
    """What a node needs of its lab's network."""

    def send(self, node: "Node", peer: int, message: Message, carries: tuple[int, ...]) -> None: ...


class NodeLab(Interface):
    """What a node needs of its lab."""

    @property
    def network(self) -> NodeNetwork: ...

    def wheel(self, period: float) -> Wheel: ...
    def learned(self, node: "Node", rumor: int) -> None: ...
    def retired(self, node: "Node", rumor: int) -> None: ...
    def shown(self, node: "Node", name: str, value: Any) -> None: ...
    def crashed(self, node: "Node", file: str, line: int, error: str) -> None: ...


class Others(Sequence[int]):
    """Everybody but one, of n nodes: the peers in a complete graph, without a list of them."""

    __slots__ = ("_one", "_length")

    def __init__(self, n: int, one: int) -> None:
        self._one = one
        self._length = n - 1

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._length))]
        if not -self._length <= index < self._length:
            raise IndexError(index)
        index %= self._length
        return index + (index >= self._one)


class Timer:
    """One call of a method of a node, at a virtual instant. See `gossiplab.protocol.Timer`."""

    __slots__ = ("node", "_life", "_action", "_arguments")

    def __init__(self, node: "Node", action: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        self.node = node
        self._life = node.life
        self._action: Callable[..., None] | None = action
        self._arguments = arguments

    def cancel(self) -> None:
        self._action = None

    def fire(self, _: object) -> None:
        action, self._action = self._action, None
        if action is not None and self._life == self.node.life:
            self.node.call(action, *self._arguments)


class Node(Beater):
    """A node of a lab; what its protocol sees of it is `gossiplab.protocol.Host`.

    up: whether it runs. life: how often it has stopped, so that what belongs to an earlier life stays
    undone. known: the rumors it has learned, which it forgets when it rejoins fresh; active: those of
    them it still spreads. cause: the message that is being handled, if any.
    """

    __slots__ = (
        "id", "kernel", "up", "known", "active", "random", "link_random",
        "cause", "_lab", "_kind", "_params", "_peers", "_linked", "_network", "_scope", "_clock",
    )  # fmt: skip

    def __init__(
        self, id: int, kernel: Kernel, lab: NodeLab, kind: type[Protocol], params: dict[str, Value],
        peers: Sequence[int], seed: int,
    ) -> None:  # fmt: skip
        self.id = id
        self.kernel = kernel
        self.up = True
        self.life = 0
        self.known: set[int] = set()
        self.active: set[int] = set()
        self.random = Random(f"{seed}/node/{id}")
        self.link_random = Random(f"{seed}/link/{id}")
        self._lab = lab
        self._kind = kind
        self._params = params
        self._peers = peers
        self._linked = not isinstance(peers, Others)  # else the peers are known without looking them up
        self._scope: trio.CancelScope | None = None
        self._clock = kernel.clock
        self.cause: int | None = None
        self._network = lab.network
        self.protocol = self._fresh()

    # its life ----------------------------------------------------------------------------------

    def _fresh(self) -> Protocol:
        protocol = self._kind.__new__(self._kind)
        protocol._host = self  # pyright: ignore[reportPrivateUsage]  # the lab hands the host in
        for name, value in self._params.items():
            setattr(protocol, name, value)
        protocol.send = self.send  # bound here, past the methods that document them: nothing runs more often
        protocol.sample = self.sample
        self.known.clear()
        self.active.clear()
        return protocol

    async def live(self) -> None:
        """The node's task: one life, from the present instant until it is stopped."""
        life = self.life
        with trio.CancelScope() as self._scope:
            if self._kind.run is Protocol.run:
                await trio.sleep_forever()
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self.protocol.run)
                    await trio.sleep_forever()
            except Exception as error:
                if life == self.life:
                    self.crash(first_of(error))

    def begin(self) -> None:
        """Set the protocol up and start its rounds; for a node with no memory."""
        self.call(self.protocol.setup)
        self._start_rounds()

    def rejoin(self, fresh: bool) -> None:
        """Begin another life."""
        self.up = True
        if fresh:
            self.protocol = self._fresh()
            self.begin()
        else:
            self.call(self.protocol.rejoin)
            self._start_rounds()

    def stop(self) -> None:
        """End this life at once: nothing of it runs any more."""
        self.up = False
        self.life += 1
        if self._scope is not None:
            self._scope.cancel()

    def crash(self, error: BaseException) -> None:
        """End this life because its protocol failed."""
        if not self.up:
            return
        self.stop()
        # the name without its folder: a recording is the same on every machine
        file = sys.modules[self._kind.__module__].__file__ or ""
        self._lab.crashed(self, Path(file).name, fault_line(error, file), f"{type(error).__name__}: {error}")

    def _start_rounds(self) -> None:
        if not self.up:
            return
        now = self._clock.now
        for each in self._kind.rounds:
            try:
                period = self._value(each, each.period)
                aligned = (self._params.get(each.phase, each.phase)) == "aligned"
                if not period > 0:
                    raise ProtocolError(f"the period of {each.name} is {period}: it must be above 0.")
            except Exception as error:
                self.crash(error)
                return
            method = getattr(self._kind, each.name)
            if aligned:
                # the first common instant after now; 1e-9 because k * period / period may fall below k
                beat = Beat(self, method, 0.0, int(now / period + 1e-9) + 1)
            else:
                beat = Beat(self, method, now + period * self.random.random(), 0)
            self._lab.wheel(period).add(beat)

    def _value(self, each: Round, period: str | float) -> float:
        if isinstance(period, str):
            if period not in self._params:
                raise ProtocolError(f"the round {each.name} names no parameter: there is no {period}.")
            return float(self._params[period])
        return period

    # what the lab calls ------------------------------------------------------------------------

    def call(self, method: Callable[..., None], *arguments: Any) -> None:
        """Call something of the protocol; what it raises is its crash."""
        try:
            method(*arguments)
        except Exception as error:
            self.crash(error)

    # what the protocol calls: gossiplab.protocol.Host ------------------------------------------

    @property
    def now(self) -> float:
        return self._clock.now

    @property
    def peers(self) -> Sequence[int]:
        return self._peers

    def sample(self, k: int) -> list[int]:
        peers = self._peers
        n = len(peers)
        if k >= n:
            return list(peers)
        if k == 1:
            one = int(self.random.random() * n)
            return [peers[one] if self._linked else one + (one >= self.id)]
        return self.random.sample(peers, k)

    def send(self, peer: int, message: Message, carries: tuple[int, ...] = ()) -> None:
        if self.up:
            self._network.send(self, peer, message, carries)

    def after(self, delay: float, action: Callable[..., None], *args: Any) -> Timer:
        if not 0 <= delay < 1e9:
            raise ProtocolError(f"n{self.id} cannot wait {delay} s: give seconds from 0 up.")
        timer = Timer(self, action, args)
        self.kernel.at(self._clock.now + delay, timer.fire, None)
        return timer

    def learn(self, rumor: int) -> bool:
        if rumor in self.known or not self.up:
            return False
        self.known.add(rumor)
        self.active.add(rumor)
        self._lab.learned(self, rumor)
        return True

    def retire(self, rumor: int) -> None:
        if self.up and rumor in self.active:
            self.active.remove(rumor)
            self._lab.retired(self, rumor)

    def show(self, name: str, value: Any) -> None:
        if self.up:
            self._lab.shown(self, name, value)
