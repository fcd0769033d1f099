"""Gossiped heartbeats (van Renesse, Minsky, Hayden 1998, "A gossip-style failure detection service").

Every member keeps, for each member it knows, the highest heartbeat counter it has heard of and when it heard it, by
its own clock. Once in a period it raises its own counter and sends its whole list to a random other one, which takes
over whatever counters are higher than its own. A member whose counter has not risen for too long is held for dead.

detector says how long is too long:

    timeout          fail_after seconds, the paper's T_fail.
    phi              The phi accrual detector (Hayashibara, Defago, Yared, Katayama 2004): from the last `window` times
                     between two rises of a member's counter, how unlikely the silence since the last one is:
                     phi = -log10 P(later). The normal distribution is Akka's logistic approximation:
                         y = (t - mean) / sd    e = exp(-y (1.5976 + 0.070566 y^2))    phi = -log10(e / (1 + e))
                     with sd at least `least_sd`, and mean lengthened by `pause`, which it accepts. As in Akka a window
                     begins with a guess: a mean of one period and an sd of a quarter of it.
    phi-exponential  Cassandra's form: intervals are exponential, phi = t / mean / ln 10, with threshold 8 it convicts
                     after 18.42 times the mean.

cleanup: a member held for dead stays in the list, silently, until it has been silent for `cleanup` times as long as
when it was convicted (the paper's T_cleanup, twice T_fail), so that counters of others who still gossip it do not bring
it back, and is forgotten then. A higher counter does bring it back: it was alive all along, or is again.

Which detector suits gossip. A counter does not rise here with every message of its member, as the phi papers have it, but
when one of many lists that are under way brings a higher one. These intervals are nearly exponential, and longer in
larger clusters: the normal form takes their long tail for failures (at n = 100 and the parameters below, a false death a
second in the whole cluster; none with a `pause` of 10 s), the exponential form does not.

Where this file departs from the paper: the paper picks T_fail from the probability of a mistake, here it is a
parameter; its multilevel gossip and its broadcasts after a partition are left out. It has no incarnations: a member
that comes back with no memory begins its counter at the virtual time in periods, as the paper's implementers do with
the clock of the machine, so that it is higher than before. A member that leaves closes its counter, tells some others,
and they pass that on; a higher counter opens it again.

After a partition longer than cleanup both sides have forgotten each other, and who is not in the list is not gossiped
to: they stay apart. A shorter one heals as soon as a list crosses over, since members gossip to the dead as well.
"""

import math
from collections import deque
from collections.abc import Sequence

from gossiplab import ALIVE, DEAD, LEFT, UNKNOWN, Cycle, Message, Protocol, every, param

LN10 = math.log(10)


def phi_normal(silence: float, mean: float, sd: float) -> float:
    """Akka's phi: of a normal distribution, by its logistic approximation."""
    y = (silence - mean) / sd
    exponent = -y * (1.5976 + 0.070566 * y * y)
    if exponent > 700:
        return 0.0  # nothing is less surprising than so short a silence, and e^700 is as far as floats go
    e = math.exp(exponent)
    if silence > mean:
        # log10(e / (1 + e)), which stays exact where e itself is no number any more
        return math.log1p(e) / LN10 - exponent / LN10
    return -math.log10(1.0 - 1.0 / (1.0 + e))


def phi_exponential(silence: float, mean: float) -> float:
    """Cassandra's phi: of an exponential distribution."""
    return silence / mean / LN10


def mean_and_sd(intervals: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation of a window of intervals."""
    mean = sum(intervals) / len(intervals)
    return mean, math.sqrt(sum((each - mean) ** 2 for each in intervals) / len(intervals))


class Beats(Message):
    """A member's whole list: counters, by member."""

    counters: dict[int, int]
    left: dict[int, int]


class Heartbeat(Protocol):
    """Gossiped heartbeat counters with a timeout or phi accrual (van Renesse 1998; Hayashibara 2004)."""

    period = param(1.0, low=0.001, high=3600, unit="s", doc="time between two gossips of a member")
    fanout = param(1, low=1, high=100, unit="nodes", doc="to how many others a list is sent")
    detector = param(
        "timeout", choices=("timeout", "phi", "phi-exponential"), doc="how silence becomes a verdict"
    )
    fail_after = param(
        20.0, low=0.001, high=1e6, unit="s", doc="timeout: silence after which a member is dead"
    )
    threshold = param(8.0, low=0.1, high=300, doc="phi: at which a member is dead")
    window = param(100, low=2, high=10_000, unit="intervals", doc="phi: how many are remembered")
    least_sd = param(0.1, low=0.001, high=1e6, unit="s", doc="phi: the standard deviation is not below this")
    pause = param(3.0, high=1e6, unit="s", doc="phi: added to the mean, for pauses that are no failures")
    cleanup = param(
        2.0,
        low=1,
        high=1000,
        doc="a dead member is forgotten after so many times the silence that convicted it",
    )
    start = param("known", choices=("known", "join"), doc="know all others at 0 s, or hear of them")
    seeds = param(
        3, low=1, high=1000, unit="nodes", doc="nodes n0, n1, ... whom a member tells that knows nobody"
    )

    @classmethod
    def cycle(cls, params: dict) -> Cycle:
        """Messages are counted by period."""
        return Cycle(params["period"], aligned=False)

    def setup(self) -> None:
        """Know all others, or only oneself."""
        knows = list(self.peers) if self.start == "known" and self.now == 0 else []
        self.counter = math.floor(self.now / self.period + 1e-9) + (self.now > 0)
        self.counters = dict.fromkeys(knows, 0)
        self.heard = dict.fromkeys(knows, self.now)  # when each counter rose last
        self.intervals = {member: self.guess() for member in knows}  # between its last rises
        self.dead: dict[int, str] = {}  # who is held for dead or has left
        self.kept: dict[int, float] = {}  # the silences, in seconds, after which they are forgotten
        self.believe([self.id, *knows], ALIVE)

    @every("period")
    def gossip(self) -> None:
        """Raise one's counter, judge the others, and send the list to somebody."""
        self.counter += 1
        self.judge()
        known = list(self.counters)
        for peer in self.random.sample(known, min(self.fanout, len(known))) or self.all_seeds():
            self.send(peer, self.beats())

    def all_seeds(self) -> list[int]:
        """Whom a member tells that knows nobody: all seeds, for seeds that each told one other could stay apart."""
        return [peer for peer in self.peers if peer < self.seeds] or self.sample(1)

    def beats(self) -> Beats:
        """The list as others may have it: without those who are held for dead."""
        counters = {member: count for member, count in self.counters.items() if member not in self.dead}
        left = {member: self.counters[member] for member, state in self.dead.items() if state == LEFT}
        return Beats({self.id: self.counter, **counters}, left)

    def on_beats(self, sender: int, beats: Beats) -> None:
        """Take over what is higher."""
        for member, count in beats.counters.items():
            if member != self.id and count > self.counters.get(member, -1):
                self.hear(member, count)
        for member, count in beats.left.items():
            if self.dead.get(member) != LEFT and count >= self.counters.get(member, math.inf):
                self.counters[member] = count
                self.dead[member] = LEFT
                self.believe(member, LEFT)

    def hear(self, member: int, count: int) -> None:
        """A counter has risen."""
        if member in self.counters and member not in self.dead:
            self.intervals[member].append(self.now - self.heard[member])
        else:
            self.believe(member, ALIVE)
            self.dead.pop(member, None)
            self.kept.pop(member, None)
            self.intervals[member] = self.guess()
        self.counters[member] = count
        self.heard[member] = self.now

    def guess(self) -> deque[float]:
        """What to think of a counter that has not risen yet: two intervals with that mean and deviation."""
        return deque((0.75 * self.period, 1.25 * self.period), maxlen=self.window)

    # verdicts ----------------------------------------------------------------------------------

    def judge(self) -> None:
        """Hold the silent for dead, and forget those who are so for long."""
        gone: list[int] = []
        for member, heard in self.heard.items():
            silence = self.now - heard
            if member in self.kept:
                if silence > self.kept[member]:
                    gone.append(member)
            elif self.fails(member, silence):
                self.kept[member] = self.cleanup * silence
                if member not in self.dead:  # else it has left
                    self.dead[member] = DEAD
                    self.believe(member, DEAD)
        for member in gone:
            for kept in (self.counters, self.heard, self.dead, self.intervals, self.kept):
                del kept[member]
        self.believe(gone, UNKNOWN)

    def fails(self, member: int, silence: float) -> bool:
        """Whether a silence of so many seconds is a failure."""
        if self.detector == "timeout":
            return silence > self.fail_after
        return self.phi(member, silence) > self.threshold

    def phi(self, member: int, silence: float) -> float:
        """The suspicion level of a member that has been silent for so long."""
        mean, sd = mean_and_sd(self.intervals[member])
        if self.detector == "phi-exponential":
            return phi_exponential(silence, mean)
        return phi_normal(silence, mean + self.pause, max(sd, self.least_sd))

    # what else happens -------------------------------------------------------------------------

    def leave(self) -> None:
        """Say goodbye to some others."""
        known = [member for member in self.counters if member not in self.dead]
        for peer in self.random.sample(known, min(max(3, self.fanout), len(known))):
            self.send(peer, Beats({}, {self.id: self.counter}))

    def rejoin(self) -> None:
        """Be back with the list of before, whose silences have not been heard: they begin anew."""
        self.counter = max(self.counter, math.floor(self.now / self.period + 1e-9))
        self.heard = dict.fromkeys(self.heard, self.now)
