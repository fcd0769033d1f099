"""How long a suspicion lasts before it becomes a death. Pure. Imports nothing of the lab.

SWIM waits for a fixed time. Lifeguard (Dadgar, Phillips, Currey 2017, section IV-B) starts with a long one and
shortens it with every other member that suspects the same independently, for the more do so the less it is the fault
of the one who suspects:  max(min, max - (max - min) log(C + 1) / log(K + 1))  with C confirmations of K.
"""

import math


def suspicion_minimum(multiplier: float, members: int, interval: float) -> float:
    """The suspicionTimeout of memberlist, in seconds: multiplier * max(1, log10 members) * interval."""
    scale = max(1.0, math.log10(max(1, members)))
    return multiplier * math.floor(scale * 1000) * interval / 1000  # it counts in thousandths


class Suspicion:
    """One suspicion of one member.

    by: who began it. start: the instant, in seconds. expected: how many confirmations bring the time down from
    `high` to `low` seconds; with 0 it is `low` from the start.
    """

    __slots__ = ("expected", "high", "low", "start", "_known", "_confirmations")

    def __init__(self, by: int, start: float, expected: int, low: float, high: float) -> None:
        self.start = start
        self.expected = expected
        self.low = low
        self.high = high
        self._known = {by}
        self._confirmations = 0

    @property
    def lasts(self) -> float:
        """How many seconds it lasts, given the confirmations so far."""
        if self.expected < 1:
            return self.low
        if not self._confirmations:
            return self.high
        share = math.log(self._confirmations + 1) / math.log(self.expected + 1)
        seconds = self.high - share * (self.high - self.low)
        return max(self.low, math.floor(1000 * seconds) / 1000)  # memberlist counts in milliseconds

    @property
    def ends(self) -> float:
        """The instant at which it becomes a death."""
        return self.start + self.lasts

    def confirm(self, by: int) -> bool:
        """Somebody suspects the same. True when that was not known and still counts."""
        if self._confirmations >= self.expected or by in self._known:
            return False
        self._known.add(by)
        self._confirmations += 1
        return True
