"""What a World is made of: nodes, rumors, losses, and what else has happened. Imports events."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from gossiplab.events import Sent
from gossiplab.world.membership import DOWN

ALIVE, PAUSED, DEAD, LEFT, CRASHED = "alive", "paused", "dead", "left", "crashed"
LOST, CONVERGED = "lost", "converged"


# Node and Tally are no structs, because every message is counted in three of them, and to store in a struct costs more.


@dataclass(slots=True)
class Node:
    """One node. status: ALIVE, PAUSED, DEAD, LEFT or CRASHED, since the instant `since`.

    lives: how often it has been started. sent, received: messages. shown: what its protocol lets be seen.
    """

    status: str = ALIVE
    since: float = 0.0
    lives: int = 1
    sent: int = 0
    received: int = 0
    shown: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def up(self) -> bool:
        """Whether it lives: a paused node does."""
        return self.status not in DOWN


class Arrival(NamedTuple):
    """How a node learned a rumor: when, from which message (None: it is the source), sent by whom."""

    t: float
    message: int | None
    sender: int | None


class Rumor(msgspec.Struct):
    """One rumor, injected at `source` at the instant `t`.

    arrivals: for every node that knows it how it learned it, in order. retired: the nodes that know it and
    no longer spread it, and since when. updates: messages sent that carried it. forgotten: how nodes that
    have rejoined fresh since had learned it first. live: nodes that are up and know it. complete: the instant
    since which every node that is up knows it, None while one does not.
    """

    source: int
    t: float
    arrivals: dict[int, Arrival] = {}
    retired: dict[int, float] = {}
    updates: int = 0
    forgotten: dict[int, Arrival] = {}
    live: int = 0
    complete: float | None = None

    @property
    def first(self) -> dict[int, Arrival]:
        """How every node that ever knew it learned it first."""
        return {**self.arrivals, **self.forgotten}


class Loss(NamedTuple):
    """A message that was dropped at the instant `t`; why: "loss", "cut", "down" or "command"."""

    message: Sent
    t: float
    why: str


@dataclass(slots=True)
class Tally:
    """Messages of one type: how many were sent, and their bytes."""

    sent: int = 0
    bytes: int = 0


class Moment(NamedTuple):
    """Something notable at the instant `t`. what: LOST (node `which` is down) or CONVERGED (on rumor `which`)."""

    t: float
    what: str
    which: int


class Deed(NamedTuple):
    """A command that took effect at the instant `t`."""

    t: float
    command: str


class Crash(NamedTuple):
    """A node's protocol failed at the instant `t`."""

    t: float
    node: int
    file: str
    line: int
    error: str


class CutSet(NamedTuple):
    """Messages from nodes `a` to nodes `b` are lost; `both`: the other way too."""

    a: str
    b: str
    both: bool


class ShapeSet(NamedTuple):
    """The links between nodes `a` and `b`, only from `a` to `b` unless `both`, have settings of their own."""

    a: str
    b: str
    settings: tuple[str, ...]
    both: bool = True


class Clock(NamedTuple):
    """A clock that is wrong: `rate` of its seconds pass in one of the lab, and at `since` it was `offset` s ahead."""

    rate: float
    offset: float
    since: float

    def ahead(self, t: float) -> float:
        """Seconds by which it is ahead at the instant `t`."""
        return self.offset + (self.rate - 1) * (t - self.since)
