"""Runs in figures, and when the means of two samples agree: what the tests of protocols share."""

from collections.abc import Iterable, Sequence
from math import sqrt
from statistics import mean, stdev
from typing import Any

from gossiplab.engine.lab import run_lab
from gossiplab.world.metrics import RumorFigures, rumor_figures
from gossiplab.world.world import World, new_world

from tests.helpers import header_of, lab_of

SIGMAS = 4  # of a thousand such comparisons of equal means one in sixteen thousand fails


def world_of(protocol: str, **fields: Any) -> World:
    """The World at the end of a run of an experiment, from its plain fields."""
    header = header_of(protocol, **fields)
    world = new_world(header)
    run_lab(lab_of(header, world.apply))
    return world


def rumor_of(protocol: str, **fields: Any) -> RumorFigures:
    """The figures of the first rumor of a run."""
    return rumor_figures(world_of(protocol, **fields))[0]


def standard_error(sample: Sequence[float]) -> float:
    """Of the mean of a sample."""
    return stdev(sample) / sqrt(len(sample))


def assert_same_mean(what: str, sample: Sequence[float], reference: Sequence[float]) -> None:
    """The sample has the reference's mean, as far as its size can tell.

    The spread is taken from the reference, which is the larger: where the sample is all zeros by chance, its
    own says nothing.
    """
    sigma = stdev(reference) * sqrt(1 / len(sample) + 1 / len(reference))
    got, expected = mean(sample), mean(reference)
    assert abs(got - expected) <= SIGMAS * sigma + 1e-12, (
        f"{what}: {got:.5g}, and the oracle has {expected:.5g}; {SIGMAS} sigma are {SIGMAS * sigma:.2g}"
    )


def assert_published(what: str, sample: Sequence[float], printed: float, tolerance: float) -> None:
    """The sample's mean is within `tolerance` (a fraction) of the printed figure."""
    got = mean(sample)
    assert abs(got - printed) <= tolerance * printed, (
        f"{what}: {got:.5g} ± {standard_error(sample):.2g}, and the paper prints {printed}"
    )


def columns(figures: Iterable[RumorFigures]) -> dict[str, list[float]]:
    """Figures of many runs, by name; the times of a rumor that reached nobody are 0, as the oracle has them."""
    rows = list(figures)
    return {name: [getattr(row, name) or 0 for row in rows] for name in MEASURES}


MEASURES = ("residue", "traffic", "t_ave", "t_last")
