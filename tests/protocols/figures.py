"""Runs in figures, and when the means of two samples agree: what the tests of protocols share."""

from collections.abc import Iterable, Sequence
from math import sqrt
from statistics import mean, stdev
from typing import Any

from gossiplab.engine.run import run_lab
from gossiplab.world.metrics import RumorFigures, rumor_figures
from gossiplab.world.world import World, new_world
from tests.helpers import header_of, lab_of

SIGMAS = 4  # one in sixteen thousand comparisons of equal means is further off than that
MEASURES = ("residue", "traffic", "t_ave", "t_last")


def world_of(protocol: str, **fields: Any) -> World:
    """The World at the end of a run of an experiment, from its plain fields."""
    header = header_of(protocol, **fields)
    world = new_world(header)
    run_lab(lab_of(header, world.apply))
    return world


def rumor_of(protocol: str, **fields: Any) -> RumorFigures:
    """The figures of the first rumor of a run."""
    return rumor_figures(world_of(protocol, **fields))[0]


def columns(figures: Iterable[Any]) -> dict[str, list[float]]:
    """The measures of many runs, of the lab or of an oracle, by name. Times of what reached nobody are 0."""
    rows = list(figures)
    return {name: [getattr(row, name) or 0 for row in rows] for name in MEASURES}


def standard_error(sample: Sequence[float]) -> float:
    """Of the mean of a sample."""
    return stdev(sample) / sqrt(len(sample))


def assert_same_mean(what: str, sample: Sequence[float], reference: Sequence[float]) -> None:
    """The sample has the reference's mean, as far as its size can tell.

    The spread is the reference's, which is the larger sample: where the smaller is all zeros by chance, its
    own says nothing.
    """
    sigma = stdev(reference) * sqrt(1 / len(sample) + 1 / len(reference))
    got, expected = mean(sample), mean(reference)
    assert abs(got - expected) <= SIGMAS * sigma + 1e-12, (
        f"{what}: {got:.5g}, and the oracle has {expected:.5g}; {SIGMAS} sigma are {SIGMAS * sigma:.2g}"
    )


def assert_published(what: str, sample: Sequence[float], printed: float, tolerance: float) -> None:
    """The sample's mean is the printed figure, give or take `tolerance`, a fraction, or what its size can tell."""
    got, error = mean(sample), standard_error(sample)
    assert abs(got - printed) <= max(tolerance * printed, SIGMAS * error), (
        f"{what}: {got:.5g} ± {error:.2g}, and the paper prints {printed}"
    )
