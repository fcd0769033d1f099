"""The clock of one node, where it is not the lab's: it may run at another rate, and be ahead. Imports clock."""

from gossiplab.engine.clock import VirtualClock


class LocalClock:
    """The clock of one node: `rate` seconds pass on it in a second of the lab's clock.

    It showed `local` when the lab's clock showed `base`.
    """

    __slots__ = ("rate", "_base", "_clock", "_local")

    def __init__(self, clock: VirtualClock, local: float, rate: float) -> None:
        self.rate = rate
        self._clock = clock
        self._base = clock.now
        self._local = local

    @property
    def now(self) -> float:
        """What it shows."""
        return self._local + (self._clock.now - self._base) * self.rate

    def zero(self) -> float:
        """The instant of the lab at which it would have shown 0."""
        return self._base - self._local / self.rate
