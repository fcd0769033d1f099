"""Numbers for people: round ones for axes and grids, and short ones. Imports nothing."""

import math


def nice(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below `least`, which is above 0."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(each * power for each in (1, 2, 5, 10) if each * power >= least * (1 - 1e-9))


def quantity(value: float) -> str:
    """A number in at most four characters: "0.25", "12", "3.4k", "120M"."""
    for factor, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            scaled = value / factor
            return f"{scaled:.0f}{letter}" if scaled >= 10 else f"{scaled:.2g}{letter}"
    return f"{value:.3g}" if value >= 1 or not value else f"{value:.2g}"
