"""What nodes estimate, as they show it, and how it closes in. Imports nothing of ours.

A protocol that aggregates shows of every node its "estimate", a number, and if it can its "input", a pair of a sum and
a weight: all sums over all weights is what every estimate should come to.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

ESTIMATE, INPUT = "estimate", "input"
MOST_SPREADS = 256  # kept; beyond, every second one goes


class Spread(NamedTuple):
    """The least, the middle and the greatest estimate of the nodes that are up, at the instant `t`."""

    t: float
    low: float
    middle: float
    high: float


def estimates(shown: Iterable[Mapping[str, Any]]) -> list[float | None]:
    """What each node estimates; None where that is no number."""
    return [_number(each.get(ESTIMATE)) for each in shown]


def spread(t: float, shown: Iterable[Mapping[str, Any]]) -> Spread | None:
    """Where the estimates are; None while there are none."""
    values = sorted(value for value in estimates(shown) if value is not None)
    return Spread(t, values[0], values[len(values) // 2], values[-1]) if values else None


def truth(shown: Iterable[Mapping[str, Any]]) -> float | None:
    """What every estimate should come to, by the inputs of all nodes; None when not all show one."""
    sums: list[float] = []
    weights: list[float] = []
    for each in shown:
        pair = pair_of(each.get(INPUT))
        if pair is None:
            return None
        sums.append(pair[0])
        weights.append(pair[1])
    weight = math.fsum(weights)
    return math.fsum(sums) / weight if weight else None


def pair_of(value: object) -> tuple[float, float] | None:
    """A sum and a weight as a node shows them; None when it is nothing of the kind."""
    numbers = [_number(one) for one in cast("list[Any]", value)] if isinstance(value, list) else []
    if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
        return None
    return numbers[0], numbers[1]


def keep(spreads: list[Spread], new: Spread | None) -> None:
    """Add to what is kept of the course of a run."""
    if new is not None:
        spreads.append(new)
        if len(spreads) > MOST_SPREADS:
            del spreads[1:-1:2]


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 1e300 else None
