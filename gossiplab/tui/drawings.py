"""What charts draw: curves over the whole run, read off a World. Imports world and theory."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from gossiplab.events import Header
from gossiplab.text import visible
from gossiplab.tui.numbers import nice
from gossiplab.world.agreement import agreement
from gossiplab.world.series import Counts, plus
from gossiplab.world.theory import NoPrediction, Prediction, predict
from gossiplab.world.world import World

SIGNS = "●▲■◆▼◇"
MOST_CURVES = len(SIGNS) - 1
_FEWEST_IN_BIN = 0.5  # of a bin's width: a last bin shorter than that says nothing yet
_UNTOUCHED = ("inject",)  # commands after which theory still holds


class Curve(NamedTuple):
    """One curve. values: at the instants of its drawing, None where there is none. sign: stands on it now and then.

    pen: the name of its style. dotted: for what was not measured.
    """

    values: Sequence[float | None]
    sign: str
    pen: str
    dotted: bool = False


class Key(NamedTuple):
    """A curve in the heading: its sign, the name of its style, and what it is."""

    sign: str
    pen: str
    name: str


class Drawing(NamedTuple):
    """What a chart shows. title, note: its heading, in two rows. curves: those drawn first lie below the others.

    top: the greatest value that has room. unit: stands behind the numbers of the axis.
    """

    title: str
    note: str
    keys: list[Key]
    curves: list[Curve]
    top: float
    unit: str = ""


class Frame(NamedTuple):
    """The time axis of a drawing: seconds in all, the instant up to which there is something, and columns of cells."""

    span: float
    end: float
    columns: int

    @property
    def instants(self) -> list[float]:
        """The instants at which curves have values: the ends of the columns."""
        return [(x + 1) / self.columns * self.span for x in range(self.columns)]

    @property
    def reached(self) -> list[float]:
        """Those of them that the run has reached."""
        instants = self.instants
        return instants[: bisect_right(instants, self.end)]


class Drawings:
    """The drawings of one run, which keep what they have computed."""

    def __init__(self, header: Header) -> None:
        self._header = header
        self._heard: dict[int, tuple[int, list[float]]] = {}
        self._binned: tuple[object, tuple[float, list[tuple[Counts, float]]]] | None = None
        self._predicted: tuple[tuple[int, float], Prediction | NoPrediction] | None = None

    def heard(self, world: World, frame: Frame) -> Drawing:
        """The fraction of nodes that have heard each of the last rumors, and how far nodes agree."""
        instants = frame.reached
        n, last = len(world.nodes), len(world.rumors) - 1
        agreed = agreement(world)
        shares = (
            [None if share is None else 100 * share for share in map(agreed.at, instants)] if agreed else []
        )
        if agreed and last < 0:
            return Drawing(f"{agreed.what}, %", "", [], [Curve(shares, SIGNS[0], "curve-0")], 100.0, " %")
        curves: list[Curve] = []
        keys: list[Key] = []
        note = "no rumor yet"
        if last >= 0:
            prediction = self._prediction(world, last)
            note = _note(world, prediction)
            if isinstance(prediction, Prediction):
                start = prediction.times[0] if prediction.times else 0.0
                values = [100 * prediction.at(t) if t >= start else None for t in frame.instants]
                curves.append(Curve(values, "", "predicted", dotted=True))
                keys.append(Key("⠂⠐⠂", "predicted", "predicted"))
        for place, id in enumerate(range(max(0, last + 1 - MOST_CURVES), last + 1)):
            times, start = self._times(world, id), world.rumors[id].t
            values = [100 * bisect_right(times, t) / n if t >= start and n else None for t in instants]
            curves.append(Curve(values, SIGNS[place], f"curve-{place}"))
            keys.append(Key(SIGNS[place], f"curve-{place}", f"rumor {id}"))
        if agreed:
            curves.append(Curve(shares, SIGNS[-1], f"curve-{MOST_CURVES}"))
            keys.append(Key(SIGNS[-1], f"curve-{MOST_CURVES}", agreed.what))
        return Drawing("heard, % of nodes", note, keys, curves, 100.0, " %")

    def messages(self, world: World, frame: Frame) -> Drawing:
        """Messages sent a second, by type."""
        return self._rates(
            world, frame, "messages sent a second", [tally.sent for tally in world.kinds.values()], 3
        )

    def bytes(self, world: World, frame: Frame) -> Drawing:
        """Bytes sent a second, by type."""
        return self._rates(
            world, frame, "bytes sent a second", [tally.bytes for tally in world.kinds.values()], 4
        )

    def redundancy(self, world: World, frame: Frame) -> Drawing:
        """The share of deliveries with a rumor that taught nothing."""
        width, bins = self._bins(world, frame)
        shares = [
            100 * _count(counts, 1) / told if (told := _count(counts, 0) + _count(counts, 1)) else None
            for counts, _ in bins
        ]
        told = world.useful + world.redundant
        note = f"{world.redundant:,} of {told:,} in all" if told else "no rumor has arrived yet"
        curve = Curve(_over(frame, shares, width), SIGNS[0], "curve-0")
        return Drawing("redundant, % of deliveries with a rumor", note, [], [curve], 100.0, " %")

    def _rates(self, world: World, frame: Frame, title: str, totals: list[int], first: int) -> Drawing:
        """A curve for each of the types that there is most of; `first`: the place of the first type among the counts."""
        width, bins = self._bins(world, frame)
        order = sorted(range(len(totals)), key=lambda kind: (-totals[kind], kind))
        groups = [[kind] for kind in order[:MOST_CURVES]]
        if rest := order[MOST_CURVES:]:
            groups.append(rest)
        names = list(world.kinds)
        curves: list[Curve] = []
        keys: list[Key] = []
        highest = 0.0
        for place, group in enumerate(groups):
            rates = [
                sum(_count(counts, first + 2 * kind) for kind in group) / seconds for counts, seconds in bins
            ]
            highest = max(highest, *rates, 0.0)
            curves.append(Curve(_over(frame, rates, width), SIGNS[place], f"curve-{place}"))
            name = _narrow(visible(names[group[0]], 16)) if len(group) == 1 else f"{len(group)} other types"
            keys.append(Key(SIGNS[place], f"curve-{place}", name))
        return Drawing(
            title, "" if keys else "nothing sent yet", keys, curves, nice(highest) if highest else 1.0
        )

    def _bins(self, world: World, frame: Frame) -> tuple[float, list[tuple[Counts, float]]]:
        """The bins' width, and of each its counts and its seconds: no narrower than a column or a cycle."""
        key = frame, world.events
        if self._binned is not None and self._binned[0] == key:
            return self._binned[1]
        series, cycle = world.series, self._header.cycle
        least = max(frame.span / max(1, frame.columns), cycle.period if cycle else 0.0)
        each = max(1, round(least / series.width))
        counted = series.counted(world.counts)
        width = each * series.width
        bins: list[tuple[Counts, float]] = []
        for start in range(0, len(counted), each):
            counts: Counts = ()
            for more in counted[start : start + each]:
                counts = plus(counts, more)
            begin = start * series.width
            bins.append((counts, min(width, max(frame.end, world.t) - begin)))
        if len(bins) > 1 and bins[-1][1] < _FEWEST_IN_BIN * width:
            bins.pop()
        binned = width, [(counts, seconds) for counts, seconds in bins if seconds > 0]
        self._binned = key, binned
        return binned

    def _times(self, world: World, id: int) -> list[float]:
        """The instants at which nodes first heard a rumor, in order."""
        rumor = world.rumors[id]
        known = self._heard.get(id)
        many = len(rumor.arrivals) + len(rumor.forgotten)
        if known is None or known[0] != many:
            known = self._heard[id] = many, sorted([arrival.t for arrival in rumor.first.values()])
        return known[1]

    def _prediction(self, world: World, id: int) -> Prediction | NoPrediction:
        key = id, world.rumors[id].t
        if self._predicted is None or self._predicted[0] != key:
            self._predicted = key, predict(self._header, world.rumors[id])
        return self._predicted[1]


def _note(world: World, prediction: Prediction | NoPrediction) -> str:
    """A sentence about a prediction."""
    if isinstance(prediction, NoPrediction):
        return f"no prediction: {prediction.why}"
    residue = f", residue {100 * prediction.residue:.2g} %" if prediction.residue is not None else ""
    touched = any(deed.command.partition(" ")[0] not in _UNTOUCHED for deed in world.deeds)
    return (
        f"predicted{', if undisturbed' if touched else ''}: {prediction.name}{residue} ({prediction.source})"
    )


def _over(frame: Frame, values: Sequence[float | None], width: float) -> list[float | None]:
    """The values of bins of this width, at every instant of a frame."""
    places = [int(t / width) for t in frame.instants]
    return [values[place] if place < len(values) else None for place in places]


def _count(counts: Counts, place: int) -> int:
    return counts[place] if place < len(counts) else 0


def _narrow(text: str) -> str:
    """With a question mark for whatever does not fill exactly one cell."""
    return "".join(each if cell_len(each) == 1 else "?" for each in text)
