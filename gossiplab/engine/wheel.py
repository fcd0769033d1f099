"""The rounds of a lab: all beats of one period, in the order in which they come round.

Beats of the same period keep their order for ever, so only the first of them has to be on the kernel's
heap; the others wait in line here. With a thousand nodes that makes the heap an eighth as deep, and it
is where a round costs less than in a plain heap loop. Imports kernel and node.
"""

from bisect import bisect
from collections import deque
from collections.abc import Callable

from gossiplab.engine.kernel import Kernel
from gossiplab.protocol import Protocol


class Beater:
    """What a wheel needs of a node; see `gossiplab.engine.node.Node`."""

    __slots__ = ("life", "protocol")
    life: int
    protocol: Protocol

    def crash(self, error: BaseException) -> None:
        """End this life because its protocol failed."""
        raise NotImplementedError


class Beat:
    """A round of a node, again and again: the k-th at base + k * period, so that no error adds up.

    It ends with the life in which it began.
    """

    __slots__ = ("base", "k", "life", "method", "node")

    def __init__(self, node: Beater, method: Callable[[Protocol], None], base: float, k: int) -> None:
        self.node = node
        self.life = node.life
        self.method = method
        self.base = base
        self.k = k


class Wheel:
    """All beats with one period, in seconds."""

    def __init__(self, kernel: Kernel, period: float) -> None:
        self._kernel = kernel
        self._period = period
        self._line: deque[tuple[float, int, Beat]] = deque()

    def culprit(self, _: object) -> tuple[Beater, object]:
        """Whose round is next, and which function it is."""
        beat = self._line[0][2]
        return beat.node, beat.method

    def add(self, beat: Beat) -> None:
        """Let a beat take its place in line."""
        line = self._line
        entry = (beat.base + beat.k * self._period, self._kernel.next_sequence(), beat)
        line.insert(bisect(line, entry), entry)
        if line[0] is entry:
            self._kernel.at(entry[0], self._turn, entry[1], entry[1])

    def _turn(self, sequence: int) -> None:
        line, kernel = self._line, self._kernel
        if not line or line[0][1] != sequence:
            return  # another beat came in before this one, and will put it back on the heap
        beat = line.popleft()[2]
        node = beat.node
        if beat.life == node.life:
            beat.k += 1
            entry = (beat.base + beat.k * self._period, kernel.next_sequence(), beat)
            if line and entry[0] < line[-1][0]:  # by rounding, a hair before one that came first
                line.insert(bisect(line, entry), entry)
            else:
                line.append(entry)
            try:
                beat.method(node.protocol)
            except (Exception, SystemExit) as error:
                node.crash(error)
        if line:
            kernel.at(line[0][0], self._turn, line[0][1], line[0][1])
