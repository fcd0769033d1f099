"""Faults that go on by themselves: flapping and churn. Imports commands and kernel; reaches the lab through `UnrestLab`.

Each is a chain of instants at which nodes die and rejoin, until its time is up or somebody commands calm; the nodes
that it has down then rejoin. It draws from a stream of its own, seeded with the experiment's seed and its place among
the faults of its kind, so that neither the nodes nor another fault change what it does. What it does at an instant comes
after everything else that is due then and before the commands of that instant.
"""

from collections.abc import Callable, Iterable
from math import inf
from random import Random
from typing import Protocol as Interface

from gossiplab.commands import Churn, Flap
from gossiplab.engine.kernel import CALM, UNREST, Kernel
from gossiplab.engine.node import Node


class UnrestLab(Interface):
    """What a fault needs of its lab."""

    @property
    def nodes(self) -> list[Node]: ...
    @property
    def kernel(self) -> Kernel: ...
    @property
    def seed(self) -> int: ...

    def kill(self, nodes: Iterable[int]) -> list[Node]: ...
    def rejoin(self, nodes: Iterable[int], fresh: bool) -> None: ...
    def calmed(self, fault: "Unrest") -> None: ...


class Unrest:
    """One flap or churn under way. number: its place among those of the lab."""

    def __init__(self, lab: UnrestLab, command: Flap | Churn, number: int) -> None:
        self.command = command
        self._lab = lab
        self._clock = lab.kernel.clock
        self._random = Random(f"{lab.seed}/unrest/{number}")
        self._down: dict[int, int] = {}  # nodes that it has killed, and the lives that they would begin
        self._over = False
        self._end = inf  # the instant at which it is over by itself

    def begin(self) -> None:
        """Begin, at the present instant."""
        if self.command.seconds is not None:
            self._end = self._clock.now + self.command.seconds
        if isinstance(self.command, Flap):
            self._flap_down(self.command)
        else:
            self._wait_for_death(self.command)
        if self._end < inf:
            # on the agenda as a command is: a run does not end before what was ordered has happened
            self._lab.kernel.after_all(self._end, CALM, self.end)

    def end(self) -> None:
        """Be over: what it has down rejoins."""
        if not self._over:
            self._over = True
            self._lab.calmed(self)
            self._revive(tuple(self._down))

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        def act() -> None:
            if not self._over:
                action()

        if (
            self._clock.now + seconds < self._end
        ):  # at the end itself whoever is down rejoins, and nobody dies
            self._lab.kernel.after_all(self._clock.now + seconds, UNREST, act)

    def _kill(self, nodes: Iterable[int]) -> None:
        for node in self._lab.kill(nodes):
            self._down[node.id] = node.life

    def _revive(self, nodes: Iterable[int]) -> None:
        """Let nodes rejoin that nobody else has started, or stopped again, since this fault killed them."""
        fresh = isinstance(self.command, Churn) and self.command.fresh
        mine = [id for id in nodes if self._lab.nodes[id].life == self._down.pop(id, None)]
        self._lab.rejoin(mine, fresh)

    # flapping ----------------------------------------------------------------------------------

    def _flap_down(self, flap: Flap) -> None:
        self._kill(flap.nodes)
        self._later(flap.down, lambda: self._flap_up(flap))

    def _flap_up(self, flap: Flap) -> None:
        self._revive(tuple(self._down))
        self._later(flap.up, lambda: self._flap_down(flap))

    # churn -------------------------------------------------------------------------------------

    def _wait_for_death(self, churn: Churn) -> None:
        self._later(self._random.expovariate(churn.rate), lambda: self._die(churn))

    def _die(self, churn: Churn) -> None:
        up = [node.id for node in self._lab.nodes if node.up]
        if up:
            one = up[int(self._random.random() * len(up))]
            self._kill((one,))
            self._later(self._random.expovariate(1 / churn.down), lambda: self._revive((one,)))
        self._wait_for_death(churn)
