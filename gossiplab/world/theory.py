"""What theory predicts for a rumor: which formula applies to a run, and its curve. Imports events and world.

Three families. In synchronous rounds on a complete graph the expected fraction p of nodes that have not heard
follows a recurrence: push p -> p e^-(1-p), pull p -> p^2 (Demers et al. 1987, 1.3), with one call a round. Below
they stand for any fanout and any number of nodes, where each step is exact for the mean given the step before.
Rumor mongering (Demers et al. 1987, 1.4) has a recurrence of its own for each way to lose interest. Where every
node has a beat of its own there are no rounds, but the same recurrences hold for the nodes of each beat. For push that is
the simple epidemic (Bailey 1975, "The mathematical theory of infectious diseases"), whose curve is the logistic one. For
push-pull it is slower: whoever has heard by a call of its own is silent for a whole period then.

All of them speak of many nodes: one rumor in a few nodes may be luckier or less lucky at its beginning, which
shifts its whole curve by a round or two, and with pull alone by more. None knows of faults: they tell what would happen
undisturbed.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import islice, takewhile
from typing import cast

import msgspec

from gossiplab.events import Header
from gossiplab.experiment import Value
from gossiplab.link import Link
from gossiplab.world.parts import Rumor

_MOST_CYCLES = 500
_POINTS = 400  # of a curve that has no cycles
BEATS = 100
"""Into so many parts a period is cut where every node has a beat of its own."""
_MOST_K = 1000


class Prediction(msgspec.Struct, frozen=True):
    """A predicted curve.

    name: the formula, in few words. source: who published it. times: seconds from the start of the run. heard:
    the fraction of all nodes that have heard the rumor then. steps: whether it stays so until the next of
    `times`, as in rounds; else it changes evenly. cycles: the fraction after the i-th cycle since the injection,
    empty where there are none. residue: the fraction that never hears, None where it goes on until all do.
    """

    name: str
    source: str
    times: tuple[float, ...]
    heard: tuple[float, ...]
    steps: bool
    cycles: tuple[float, ...] = ()
    residue: float | None = None

    def at(self, t: float) -> float:
        """The fraction that has heard by the instant `t`."""
        index = bisect_right(self.times, t)
        if not index:
            return 0.0
        if self.steps or index == len(self.times):
            return self.heard[index - 1]
        (t0, t1), (a, b) = self.times[index - 1 : index + 1], self.heard[index - 1 : index + 1]
        return a + (b - a) * (t - t0) / (t1 - t0)


class NoPrediction(msgspec.Struct, frozen=True):
    """No formula here applies. why: in a few words."""

    why: str


def predict(header: Header, rumor: Rumor) -> Prediction | NoPrediction:
    """What theory says about a rumor of a run, undisturbed from its injection on."""
    experiment = header.experiment
    if experiment.topology != "complete":
        return NoPrediction("it holds where everybody can call everybody")
    if experiment.nodes < 2:
        return NoPrediction("it takes two to gossip")
    of = {"epidemic": _epidemic, "rumor": _mongering}.get(experiment.protocol)
    if of is None or header.cycle is None:
        return NoPrediction("none is known here for this protocol")
    try:
        return of(header, rumor)
    except (KeyError, TypeError, ValueError, OverflowError):  # a header from a stranger may say anything
        return NoPrediction("its parameters are none of this protocol's")


# simple epidemics -----------------------------------------------------------------------------------


def pushes(n: int, fanout: int = 1, delivered: float = 1.0) -> Callable[[float], float]:
    """One round of push for the fraction p that has not heard, of n nodes: p -> p e^-(1-p) as n grows (fanout 1).

    Exact for the mean: each of n (1-p) callers misses a node with probability 1 - fanout / (n-1).
    """
    miss = max(0.0, 1 - delivered * fanout / (n - 1))
    return lambda p: p * miss ** (n * (1 - p))


def pulls(n: int, fanout: int = 1, delivered: float = 1.0) -> Callable[[float], float]:
    """One round of pull: p -> p^(1 + fanout) as n grows. Exact for the mean where nothing is lost, or with fanout 1.

    delivered: the probability that call and answer both arrive.
    """

    def step(p: float) -> float:
        told = delivered * n * (1 - p)
        for called in range(fanout):  # one after the other, and nobody twice
            p *= max(0.0, 1 - told / (n - 1 - called))
        return p

    return step


def pushes_and_pulls(n: int, fanout: int = 1, delivered: float = 1.0) -> Callable[[float], float]:
    """One round of push-pull: who neither is called nor calls with success remains; the two are independent.

    delivered: the probability that a message arrives.
    """
    push, pull = pushes(n, fanout, delivered), pulls(n, fanout, delivered**2)
    return lambda p: push(p) * pull(p) / p if p else 0.0


def rounds(n: int, step: Callable[[float], float]) -> tuple[float, ...]:
    """The fraction that has heard after 0, 1, 2 ... rounds from one source, until less than half a node is left."""
    curve, p = [1 / n], 1 - 1 / n
    while p * n > 0.5 and len(curve) < _MOST_CYCLES:
        p = step(p)
        curve.append(1 - p)
    return tuple(curve)


def rounds_to_all(n: int, direction: str) -> float:
    """The leading terms of the rounds until all n have heard: push (Pittel 1987), else Karp et al. 2000."""
    if direction == "push":
        return math.log2(n) + math.log(n)
    return math.log2(n) + math.log2(math.log(n)) if direction == "pull" else math.log(n, 3)


def logistic(n: int, rate: float, t: float) -> float:
    """The fraction that has heard after `t` seconds from one source, each node telling `rate` others a second."""
    return 1 / (1 + (n - 1) * math.exp(-rate * t))


def serf(n: int, fanout: int, interval: float, t: float, loss: float = 0.0, failed: float = 0.0) -> float:
    """The fraction converged after `t` seconds, as the convergence simulator of Serf has it (serf.io)."""
    contact = fanout / n * (1 - loss) * (1 - failed) * 0.5
    return 1 / (1 + (n + 1) * math.exp(-contact * n * t / interval))


def on_own_beats(
    n: int, direction: str, fanout: int = 1, latency: float = 0.0, delivered: float = 1.0
) -> list[float]:
    """The fraction that has heard after 0, 1, 2 ... beats from one source, until less than half a node has not.

    There are BEATS of them in a period, and on each of them as many of the n nodes call `fanout` others. latency: of a
    message, in periods. delivered: the probability that it arrives. Each step is that of a round, for the nodes that call
    or, at the end of it, for those that are told.
    """
    told = delivered * fanout * n / (n - 1)  # each node by all who call on a beat, and may be none at all
    pull = pulls(n, fanout, delivered**2)
    late = round(latency * BEATS)
    spared = 1.0  # the share of those without luck of their own whom no call has told
    # of all nodes those of each beat whom no answer has told, nor the source
    unlucky = [(1 - 1 / n) / BEATS] * BEATS
    out_of_luck = p = 1 - 1 / n  # of all nodes the unlucky of all beats, and those who have not heard
    heard, telling = [1 / n], list[float]()
    while p * n > 0.5 and len(telling) < _MOST_CYCLES * BEATS:
        now = len(telling)
        telling.append(1 / BEATS - spared * unlucky[now % BEATS])
        if direction != "pull" and now >= late:
            spared *= math.exp(-told * telling[now - late])
        if direction != "push" and now >= 2 * late:
            asked, unheard = (now - 2 * late) % BEATS, 1 - heard[now - late]
            before = unlucky[asked]
            unlucky[asked] *= pull(unheard) / unheard
            out_of_luck += unlucky[asked] - before
        p = max(0.0, spared * out_of_luck)
        heard.append(1 - p)
    return heard


def _epidemic(header: Header, rumor: Rumor) -> Prediction | NoPrediction:
    params, n, cycle = header.experiment.params, header.experiment.nodes, header.cycle
    assert cycle is not None
    direction, fanout, phase = params["direction"], _whole(params["fanout"], 1000), params["phase"]
    fanout = min(fanout, n - 1)
    kinds = {"push": pushes, "pull": pulls, "push-pull": pushes_and_pulls}
    make = kinds[cast(str, direction)]
    link = header.experiment.link
    delivered = 1 - link.loss * (1 - link.duplicate)  # its copy is not lost with a message
    if not delivered:
        return NoPrediction("every message is lost")
    if phase == "random":
        latency = _mean_latency(link) / cycle.period
        if latency > _MOST_CYCLES:
            return NoPrediction("messages take longer than a round")
        curve = on_own_beats(n, str(direction), fanout, latency, delivered)
        step = -(-len(curve) // _POINTS)
        points = [*range(0, len(curve) - 1, step), len(curve) - 1]
        return Prediction(
            f"{direction} on own beats",
            "Demers et al. 1987, 1.3",
            tuple(rumor.t + point * cycle.period / BEATS for point in points),
            tuple(curve[point] for point in points),
            steps=False,
        )
    if (too_slow := _too_slow(header, hops=1 if direction == "push" else 2)) is not None:
        return too_slow
    curve = rounds(n, make(n, fanout, delivered**2 if direction == "pull" else delivered))
    formulas = {
        "push": f"push: p → p e^-{'' if fanout == 1 else fanout}(1-p)",
        "pull": f"pull: p → p^{1 + fanout}",
        "push-pull": f"push-pull: p → p^{1 + fanout} e^-{'' if fanout == 1 else fanout}(1-p)",
    }
    source = "Pittel 1987" if direction == "push" else "Demers et al. 1987, 1.3"
    return _in_rounds(header, rumor, formulas[cast(str, direction)], source, curve, None)


# rumor mongering ------------------------------------------------------------------------------------


class Mongering(msgspec.Struct, frozen=True):
    """Rumor mongering after a cycle, as fractions of all sites. heard; infective; traffic: updates sent a site so far."""

    heard: float
    infective: float
    traffic: float


def mongering(n: int, direction: str, feedback: bool, stop: str, k: int) -> Iterator[Mongering]:
    """Rumor mongering (Demers et al. 1987, 1.4) from one of n sites, before the first cycle and after each.

    The mean of every rule of the definition in a large crowd: in a cycle a site is called by a Poisson number of
    others. Its limits are the residues of Tables 1 to 3. Ends when less than a thousandth of a site is infective.
    """
    push, pull, e = direction != "pull", direction != "push", math.exp
    s, counters, traffic = 1 - 1 / n, [1 / n], 0.0
    while True:
        i = sum(counters)
        yield Mongering(1 - s, i, traffic)
        if i * n < 1e-3:
            return
        heard = s * (1 - (e(-i) if push else 1.0) * (1 - i if pull else 1.0))
        # of the updates that an infective site sends in a cycle: that none was needed, and that there was none
        useless = (1 - s if push else 1.0) * (e(-s) if pull else 1.0)
        none = 0.0 if push else e(-1.0)
        if stop == "coin":
            wrong = (1 - s if feedback else 1.0) / k
            kept = (1 - wrong if push else 1.0) * (e(-wrong) if pull else 1.0)
            counters = [i * kept + heard]
        else:
            up = useless - none if feedback else 1 - none
            reset = 1 - useless if feedback else 0.0
            stay = 1 - up - reset
            after = [
                stay * at + up * below for at, below in zip([*counters, 0.0], [0.0, *counters], strict=True)
            ]
            after[0] += i * reset + heard
            counters = after[:k]
        traffic += i * (push + pull)
        s -= heard


def coin_residue(k: int) -> float:
    """The s below 1 that solves s = e^-(k+1)(1-s): feedback and coin, push, infinitely short cycles (1.4)."""
    s = 0.0
    for _ in range(200):
        s = math.exp(-(k + 1) * (1 - s))
    return s


def _mongering(header: Header, rumor: Rumor) -> Prediction | NoPrediction:
    params = header.experiment.params
    if params["connection_limit"]:
        return NoPrediction("none is known with a connection limit")
    if header.experiment.link.loss:
        return NoPrediction("none is known where messages are lost")
    if params["minimize"] and params["direction"] == "push-pull" and params["stop"] == "counter":
        return NoPrediction("none is known with minimization")
    if (too_slow := _too_slow(header, hops=3)) is not None:
        return too_slow
    direction, stop = str(params["direction"]), str(params["stop"])
    if direction not in ("push", "pull", "push-pull") or stop not in ("coin", "counter"):
        raise ValueError
    feedback, k = bool(params["feedback"]), _whole(params["k"], _MOST_K)
    n = header.experiment.nodes
    cycles = list(islice(mongering(n, direction, feedback, stop, k), _MOST_CYCLES))
    residue = 1 - cycles[-1].heard
    # what still rises by less than a twentieth of a node is over
    rest = 0.05 / n
    curve = takewhile(lambda each: each.heard < 1 - residue - rest, cycles)
    name = f"{direction}, {'feedback' if feedback else 'blind'}, {stop} {k}"
    heard = (*(each.heard for each in curve), cycles[-1].heard)
    return _in_rounds(header, rumor, name, "Demers et al. 1987, 1.4", heard, residue)


# what both need -------------------------------------------------------------------------------------


def _in_rounds(
    header: Header, rumor: Rumor, name: str, source: str, curve: tuple[float, ...], residue: float | None
) -> Prediction:
    """A curve in cycles, laid into time: what is learned in a cycle arrives a latency after its beginning."""
    cycle, latency = header.cycle, _mean_latency(header.experiment.link)
    assert cycle is not None
    start = cycle.period * math.floor(rumor.t / cycle.period + 1e-9)
    times = (rumor.t, *(start + i * cycle.period + latency for i in range(1, len(curve))))
    return Prediction(name, source, times, curve, steps=True, cycles=curve, residue=residue)


def _too_slow(header: Header, hops: int) -> NoPrediction | None:
    """Whether `hops` messages one after the other take longer than a cycle."""
    assert header.cycle is not None
    if hops * _mean_latency(header.experiment.link) > header.cycle.period:
        return NoPrediction("messages take longer than a round")
    return None


def _mean_latency(link: Link) -> float:
    """The mean of a link's latency in seconds."""
    kind, a, b = link.spread()
    return a * math.exp(min(b, 20.0) ** 2 / 2) if kind == "lognormal" else (a + b) / 2


def _whole(value: Value, most: int) -> int:
    """A number that has to be whole, from 1 to `most`. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise ValueError
    return value
