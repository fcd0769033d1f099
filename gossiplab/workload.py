"""What clients do to a replicated store while a lab runs: a description, and what follows from it. Imports errors only.

The lab draws the requests from a stream of its own, so that neither nodes nor links change what clients ask for. Keys
are k0, k1, ...; how often each is written follows from `skew`, zipf being the usual model of popularity (Breslau et
al. 1999; YCSB, Cooper et al. 2010, has the exponent 0.99).
"""

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate
from random import Random
from typing import Literal, NamedTuple

import msgspec

from gossiplab.errors import UserError

MOST_KEYS = 1_000_000
MOST_BYTES = 2**20  # of a value: as much as a store takes
_ZIPF = 0.99  # the exponent of YCSB

_WHOLE = ("keys", "size", "writers")
_RANGES: dict[str, tuple[float, float, str]] = {
    "keys": (0, MOST_KEYS, f"a whole number from 0 to {MOST_KEYS}"),
    "size": (0, MOST_BYTES, f"bytes from 0 to {MOST_BYTES}"),
    "rate": (0, 1e6, "requests a second from 0 up"),
    "writers": (0, 100_000, "how many nodes take requests, 0 for all"),
    "reads": (0, 1, "a share from 0 to 1"),
    "deletes": (0, 1, "a share from 0 to 1"),
    "concurrent": (0, 1, "a share from 0 to 1"),
    "begin": (0, 1e6, "seconds from 0 up"),
    "seconds": (0, 1e6, "seconds from 0 up"),
}


class Workload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What clients do.

    keys: that every replica holds when the run begins, and that requests are about. size: bytes of a value.
    rate: requests a second, in the whole lab, at exponential distances. skew: "uniform", or "zipf" for a few keys that
    are asked for most of the time. writers: so many nodes, the first ones, take requests; 0: all do. reads, deletes:
    shares of the requests that read and that delete, the others write. concurrent: share of the writes for which a
    second node gets a write of the same key at the same instant. begin, seconds: from when on, and for how long.
    """

    keys: int = 0
    size: int = 16
    rate: float = 0.0
    skew: str = "uniform"
    writers: int = 0
    reads: float = 0.0
    deletes: float = 0.0
    concurrent: float = 0.0
    begin: float = 0.0
    seconds: float = 60.0

    def __post_init__(self) -> None:
        for name, (low, high, meaning) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:  # NaN and infinity fail this as well
                raise UserError(f"the workload's {name} cannot be {value}: give {meaning}.")
        if self.skew not in ("uniform", "zipf"):
            raise UserError(f"the workload's skew cannot be {self.skew!r}: give uniform or zipf.")
        if self.reads + self.deletes > 1:
            raise UserError(
                "the workload's reads and deletes are more than all requests: give shares up to 1."
            )
        if self.rate and not self.keys:
            raise UserError("the workload has requests but no keys: give keys from 1 up.")


What = Literal["write", "delete", "read"]
"""What a client asks for."""


class Draft(NamedTuple):
    """A request that a client will make, of each of these nodes. seconds: after the one before."""

    seconds: float
    what: What
    key: str
    nodes: tuple[int, ...]
    value: str | None


def parse_workload(words: Iterable[str]) -> dict[str, int | float | str]:
    """Settings such as ["keys=100", "skew=zipf"], by name. Raises UserError on one that is none."""
    settings: dict[str, int | float | str] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or name not in Workload.__struct_fields__:
            known = ", ".join(Workload.__struct_fields__)
            raise UserError(f"{word!r} is no setting of a workload: write one of {known}, as rate=5.")
        try:
            settings[name] = text if name == "skew" else int(text) if name in _WHOLE else float(text)
        except ValueError:
            raise UserError(f"the workload's {name} cannot be {text!r}: give {_RANGES[name][2]}.") from None
    return settings


def seed_key(index: int) -> str:
    """The name of a key that is there from the beginning."""
    return f"k{index}"


def seed_index(name: str) -> float:
    """Which of the keys that are there from the beginning has this name, if it is named like one; else infinity."""
    digits = name[1:]
    if name[:1] == "k" and digits.isascii() and digits.isdecimal() and (digits == "0" or digits[0] != "0"):
        return int(digits) if len(digits) < 16 else float("inf")
    return float("inf")


def make_value(label: str, size: int) -> str:
    """A value of `size` bytes, or of its label's length if that is longer, which begins with its label."""
    return label.ljust(size, ".")


class Clients:
    """All clients of a lab of `nodes` nodes: an endless sequence of requests, drawn from `random`."""

    def __init__(self, workload: Workload, nodes: int, random: Random) -> None:
        self._workload = workload
        self._random = random
        self._writers = min(workload.writers or nodes, nodes)
        self._weights: list[float] = []
        if workload.skew == "zipf":
            self._weights = list(accumulate((rank + 1) ** -_ZIPF for rank in range(workload.keys)))
        self._count = 0

    def next(self) -> Draft:
        """The next request."""
        work, random = self._workload, self._random
        seconds, kind = random.expovariate(work.rate), random.random()
        key, node = seed_key(self._key()), int(random.random() * self._writers)
        if kind < work.reads:
            return Draft(seconds, "read", key, (node,), None)
        nodes = (node,)
        if self._writers > 1 and random.random() < work.concurrent:
            other = int(random.random() * (self._writers - 1))
            nodes = (node, other + (other >= node))
        if kind < work.reads + work.deletes:
            return Draft(seconds, "delete", key, nodes, None)
        self._count += 1
        return Draft(seconds, "write", key, nodes, make_value(f"v{self._count}", work.size))

    def _key(self) -> int:
        if self._weights:
            return bisect_left(self._weights, self._random.random() * self._weights[-1])
        return int(self._random.random() * self._workload.keys)
