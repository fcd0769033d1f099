"""The course of a run: its metrics over time, row by row, and how far it has come. Imports world and series.

Read off a World for the whole run so far, in the bins of its series, or computed from events for any range in
bins of any width: `gossiplab.tui` draws the one, a table in a file is best made by the other.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

import msgspec

from gossiplab.events import AnyEvent
from gossiplab.world.series import Counts, minus
from gossiplab.world.world import World


class Row(msgspec.Struct, frozen=True):
    """What happened from `start` up to `stop`, in seconds; what happens at `stop` itself belongs to the next row.

    heard: for every rumor the nodes that by `stop` had ever heard it. sent, bytes: messages sent, and their bytes,
    by type. useful, redundant: deliveries of messages that carry rumors, of which the receiver did not know all,
    or did and so was taught nothing. dropped: messages lost.
    """

    start: float
    stop: float
    heard: tuple[int, ...]
    sent: dict[str, int]
    bytes: dict[str, int]
    useful: int
    redundant: int
    dropped: int

    @property
    def redundancy(self) -> float | None:
        """The fraction of deliveries with rumors that taught nothing; None when there was none."""
        told = self.useful + self.redundant
        return self.redundant / told if told else None


def course(world: World, end: float | None = None) -> list[Row]:
    """The whole run so far, in the bins of its series. The last row ends at `end`, not before `world.t`."""
    series = world.series
    end = world.t if end is None else max(end, world.t)
    arrivals = heard_times(world)
    rows: list[Row] = []
    for index, counts in enumerate(series.counted(world.counts)):
        start, last = index * series.width, index == len(series.bins)
        stop = end if last else start + series.width
        heard = tuple([len(times) if last else bisect_left(times, stop) for times in arrivals])
        rows.append(_row(world, start, stop, heard, counts))
    return rows


def course_of(world: World, events: Iterable[AnyEvent], width: float, stop: float) -> Iterator[Row]:
    """Rows of `width` seconds from `world.t` up to `stop`, made of the events that follow `world`, which moves on.

    The last row may be shorter. Takes memory for one row at a time.
    """
    start, number, before = world.t, 0, world.counts
    for event in chain(events, (None,)):
        while (begin := start + number * width) < stop:
            edge = min(start + (number + 1) * width, stop)
            if event is not None and event.t < edge:
                break
            heard = tuple([len(rumor.first) for rumor in world.rumors])
            yield _row(world, begin, edge, heard, minus(world.counts, before))
            before, number = world.counts, number + 1
        if event is None or event.t >= stop:
            return
        world.apply([event])


class Agreement(NamedTuple):
    """How far nodes had come to agree, at any instant of the run so far.

    what: what was counted. times: instants, in seconds. shares: from 0 to 1, of each of them until the next one.
    """

    what: str
    times: list[float]
    shares: list[float]

    def at(self, t: float) -> float | None:
        """The share at the instant `t`; None before anything was counted."""
        place = bisect_right(self.times, t) - 1
        return self.shares[place] if place >= 0 else None


def agreement(world: World) -> Agreement | None:
    """What converges beside rumors: copies, beliefs, neighbours or estimates; None where nothing does."""
    if (now := world.agreed) is not None:
        series = world.series
        points = [
            ((number + 1) * series.width, share)
            for number, share in enumerate(series.shares or ())
            if share is not None
        ]
        return Agreement(_what(world), *_columns([*points, (world.t, now)]))
    if world.estimates and (widest := max(each.high - each.low for each in world.estimates)) > 0:
        points = [(each.t, round(1 - (each.high - each.low) / widest, 4)) for each in world.estimates]
        return Agreement("estimates closed in", *_columns(points))
    return None


def _what(world: World) -> str:
    if world.replicas and world.replicas.total:
        return "keys alike on all nodes"
    return "right beliefs" if world.membership.beliefs else "living neighbours"


def _columns(points: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [t for t, _ in points], [share for _, share in points]


def heard_times(world: World) -> list[list[float]]:
    """For every rumor the instants at which nodes first heard it, in order."""
    return [sorted([arrival.t for arrival in rumor.first.values()]) for rumor in world.rumors]


def _row(world: World, start: float, stop: float, heard: tuple[int, ...], counts: Counts) -> Row:
    useful, redundant, dropped, *kinds = (*counts, *[0] * (3 + 2 * len(world.kinds) - len(counts)))
    sent = dict(zip(world.kinds, kinds[::2], strict=True))
    size = dict(zip(world.kinds, kinds[1::2], strict=True))
    return Row(start, stop, heard, sent, size, useful, redundant, dropped)
