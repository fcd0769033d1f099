"""How far a run had come at any instant: the share of what agrees, and when rumors were heard. Imports world."""

from bisect import bisect_right
from typing import NamedTuple

from gossiplab.world.world import World


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
    return "right beliefs" if world.membership.beliefs else "living neighbours, 0 where none"


def _columns(points: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [t for t, _ in points], [share for _, share in points]


def heard_times(world: World) -> list[list[float]]:
    """For every rumor the instants at which nodes first heard it, in order."""
    return [sorted([arrival.t for arrival in rumor.first.values()]) for rumor in world.rumors]
