"""The rounds of a lab: for every period a line of beats, in the order in which they come round.

Beats of one period keep their order for ever: the one that has had its turn goes to the end of its line. So
rounds need no heap; the kernel compares the first of all lines with the first of its heap, which is left to
the messages. With a thousand nodes that makes the heap an eighth as deep. Rejected: a heap entry for every
round (half as fast again), one for the first of each line (a tenth), and columns of instants and numbers
instead of beats (no faster). Imports kernel and protocol.
"""

from bisect import insort
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple
from typing import Protocol as Interface

from gossiplab.engine.kernel import NEVER, Entry, Kernel
from gossiplab.engine.watchdog import door
from gossiplab.protocol import Protocol


class Beater(Interface):
    """What a wheel needs of a node; see `gossiplab.engine.node.Node`."""

    life: int
    protocol: Protocol

    def crash(self, error: BaseException) -> None: ...


class Beat(NamedTuple):
    """A round that is out of line: due at t = base + k * period, and with the next k from then on."""

    t: float
    sequence: int
    method: Callable[[Any], None]
    period: float
    base: float
    k: int


class Wheel:
    """All rounds of a lab, by their periods in seconds."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._lines: dict[float, Line] = {}

    def add(
        self, node: Beater, method: Callable[[Any], None], period: float, base: float, k: int = 0
    ) -> None:  # fmt: skip
        """Begin a round: call `method` at base + k * period, and with the next k from then on.

        So no error adds up. The round ends with the life in which it began.
        """
        line = self._lines.get(period)
        if line is None:
            line = self._lines[period] = Line(self._kernel, period)
            for each in self._lines.values():
                each.others = [other for other in self._lines.values() if other is not each]
        line.add(node, method, base, k)
        self._kernel.interrupt()  # the round that is next may be another now

    def take(self, node: Beater) -> list[Beat]:
        """Take all rounds of a node's present life out of their lines."""
        beats = [beat for line in self._lines.values() for beat in line.take(node)]
        if beats:
            self._kernel.interrupt()
        return beats


class Line:
    """The beats of one period, the next one first. others: the lines of the other periods."""

    __slots__ = ("others", "_batch", "_beats", "_kernel", "_last", "_period", "_sequence", "_turning")

    def __init__(self, kernel: Kernel, period: float) -> None:
        self.others: list[Line] = []
        self._beats: deque[Entry] = deque()
        self._batch = kernel.batch
        self._kernel = kernel
        self._last = 0.0  # the instant of the last in line
        self._period = float(period)
        self._sequence = kernel.sequence
        self._turning = self._turn

    def culprit(self, beat: Entry) -> tuple[Beater, object]:
        """Whose round it is, and which function."""
        return beat[3], beat[5]

    def add(self, node: Beater, method: Callable[[Any], None], base: float, k: int) -> None:
        """Let a beat take its place in line."""
        t = base + k * self._period
        beat = (t, next(self._sequence), self._turning, node, node.life, method, base, float(k))
        insort(self._beats, beat)
        self._last = self._beats[-1][0]
        self._choose()

    def take(self, node: Beater) -> list[Beat]:
        """Take the beats of a node's present life out of line."""
        out = [beat for beat in self._beats if beat[3] is node and beat[4] == node.life]
        if out:
            self._beats = deque(beat for beat in self._beats if beat not in out)
            self._choose()
        return [
            Beat(t, number, method, self._period, base, int(k)) for t, number, _, _, _, method, base, k in out
        ]

    @door("node", "method")
    def _turn(self, beat: Entry) -> None:
        """A node's round: back in line first, then what the protocol does."""
        _, _, _, node, life, method, base, k = beat
        beats = self._beats
        beats.popleft()
        if life != node.life:
            self._choose()
            return
        k += 1.0
        t = base + k * self._period
        beat = (t, next(self._sequence), self._turning, node, life, method, base, k)
        if t >= self._last:
            beats.append(beat)
            self._last = t
        else:  # by rounding, a hair before one that came first
            insort(beats, beat)
        if self.others:
            self._choose()
        else:
            self._kernel.round = beats[0]
        self._kernel.mark = len(self._batch)
        try:
            method(node.protocol)
        except BaseException as error:
            node.crash(error)

    def _choose(self) -> None:
        """Tell the kernel which round is next."""
        firsts = [line._beats[0] for line in (self, *self.others) if line._beats]
        self._kernel.round = min(firsts, default=NEVER)
