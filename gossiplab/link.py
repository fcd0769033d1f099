"""What a link does to the messages on it: latency, jitter, loss, duplication, reordering, bandwidth.

A description only; `gossiplab.engine.network` is what obeys it. Imports only errors.
"""

import math
import re
from collections.abc import Iterable
from random import Random

import msgspec

from gossiplab.errors import UserError

_NUMBER = r"(\d+(?:\.\d+)?(?:e-?\d+)?)"
_LATENCY = re.compile(
    rf"{_NUMBER}|{_NUMBER}\.\.{_NUMBER}|lognormal\(\s*{_NUMBER}\s*,\s*{_NUMBER}\s*\)", re.ASCII
)

_FRACTION = "a probability from 0 to 1"
_RANGES: dict[str, tuple[float, str]] = {
    "jitter": (1e6, "seconds from 0 up"),
    "loss": (1.0, _FRACTION),
    "duplicate": (1.0, _FRACTION),
    "reorder": (1.0, _FRACTION),
    "bandwidth": (1e15, "bytes per second from 0.001 up, 0 for no limit"),
}


class Link(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How messages travel from one node to another.

    latency: seconds in flight. "0.03" is constant, "0.01..0.05" uniform, "lognormal(0.03, 0.5)"
        log-normal with that median and sigma. Latencies are drawn for every message on its own, so
        messages may overtake one another wherever latency varies.
    jitter: seconds; up to so much is added to each latency or taken from it, uniformly (never below 0).
    loss: probability that a message is lost.
    duplicate: probability that a second copy arrives, with a latency of its own.
    reorder: probability that a message is held back by a second latency, so that later ones overtake it.
    bandwidth: bytes per second that a link carries in one direction, first come first served; 0: no limit.
    """

    latency: str = "0.01..0.05"
    jitter: float = 0.0
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    bandwidth: float = 0.0

    def __post_init__(self) -> None:
        for name, (high, meaning) in _RANGES.items():
            value = getattr(self, name)
            if not 0 <= value <= high:  # NaN and infinity fail this as well
                raise UserError(f"the link's {name} cannot be {value}: give {meaning}.")
        if 0 < self.bandwidth < 0.001:  # a message would be under way for longer than a float can say
            raise UserError(
                f"the link's bandwidth cannot be {self.bandwidth}: give {_RANGES['bandwidth'][1]}."
            )
        self.spread()

    def spread(self) -> tuple[str, float, float]:
        """The latency as (kind, a, b): ("constant", s, s), ("uniform", low, high), ("lognormal", median, sigma)."""
        match = _LATENCY.fullmatch(self.latency)
        if match is None:
            raise UserError(
                f"the link's latency cannot be {self.latency!r}: "
                "write seconds as 0.03, 0.01..0.05 or lognormal(0.03, 0.5)."
            )
        numbers = [float(group) for group in match.groups() if group is not None]
        if not all(number <= 1e6 for number in numbers):
            raise UserError(f"the link's latency cannot be {self.latency!r}: a million seconds is the most.")
        if len(numbers) == 1:
            return "constant", numbers[0], numbers[0]
        first, second = numbers
        if self.latency.startswith("lognormal"):
            if first == 0 or second > 10:
                raise UserError(
                    f"the link's latency cannot be {self.latency!r}: the median is above 0 and sigma at most 10."
                )
            return "lognormal", first, second
        if second < first:
            raise UserError(f"the link's latency {self.latency!r} runs backwards: write {second}..{first}.")
        return "uniform", first, second


def parse_settings(words: Iterable[str], base: Link) -> Link:
    """`base` with settings such as ["latency=0.2", "loss=0.1"] changed. Raises UserError on a bad one."""
    changes: dict[str, str | float] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or name not in Link.__struct_fields__:
            raise UserError(
                f"{word!r} is no link setting: write one of {', '.join(Link.__struct_fields__)}, as loss=0.1."
            )
        if name == "latency":
            changes[name] = text
            continue
        try:
            changes[name] = float(text)
        except ValueError:
            raise UserError(f"the link's {name} cannot be {text!r}: give {_RANGES[name][1]}.") from None
    return msgspec.structs.replace(base, **changes)


def draw_latency(spread: tuple[str, float, float], rng: Random) -> float:
    """One latency in seconds from `Link.spread()`, drawn with `rng`."""
    kind, a, b = spread
    if kind == "uniform":
        return a + (b - a) * rng.random()
    if kind == "constant":
        return a
    return a * math.exp(b * rng.gauss(0.0, 1.0))
