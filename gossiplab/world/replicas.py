"""What replicas hold, what clients asked of them, and how they repaired one another. Imports events and workload.

A part of the World, folded from what nodes hold and say. Versions have names; what one has overwritten says
`Versioned.over`, so whether one knows of another is a walk along these, and for stamped ones, where the later wins
whether it knows or not, a comparison of stamps. What is deleted and what was never there count as the same: no value.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from gossiplab.events import (
    Answered,
    Compared,
    Emptied,
    Placed,
    Refused,
    Rejoined,
    Repaired,
    Repairing,
    Requested,
    Seeded,
    Sent,
    Stored,
    Versioned,
)
from gossiplab.workload import seed_index, seed_key

MOST_POINTS = 512  # of the curve; beyond, every second one goes
MOST_REPAIRS = 512  # kept; beyond, the oldest goes, but rather one that has found nothing
_DETAILED = 8  # repairs whose steps are kept: the newest, but rather those that have found something
_MOST_VERSIONS = 128  # of a key; beyond, those are forgotten that nobody holds or waits for


class Copy(NamedTuple):
    """What a node holds of a key: versions by name, since the instant `t`, from which message (None: none), sent by whom."""

    versions: tuple[str, ...]
    t: float
    by: int | None = None
    sender: int | None = None


class Version(NamedTuple):
    """A version of a key, as `Versioned` tells it; made at the instant `t`."""

    node: int
    t: float
    value: str | None
    over: tuple[str, ...]
    clock: tuple[tuple[int, int], ...]
    stamp: tuple[float, int, int] | None


class Key(msgspec.Struct):
    """One key that has been written, or differs from what it was at first.

    versions: by name, oldest first. copies: what nodes hold; one that is not listed holds what it was seeded with.
    homes: the nodes on which it belongs, in order of preference; None: on all. acked: versions that clients know to be
    written, the newest only, and since when. buried: by node the deletions of which it has heard. split: how many
    nodes hold siblings. tally: how many of its homes that are up hold which values.
    """

    versions: dict[str, Version] = {}
    copies: dict[int, Copy] = {}
    homes: tuple[int, ...] | None = None
    acked: dict[str, float] = {}
    buried: dict[int, tuple[str, ...]] = {}
    split: int = 0
    tally: dict[str, int] = {}

    def knows(self, versions: Iterable[str], other: str) -> bool:
        """Whether one of these versions is another one or has overwritten it, directly or not."""
        found, waiting = set[str](), list(versions)
        while waiting:
            name = waiting.pop()
            if name == other:
                return True
            if name not in found and name in self.versions:
                found.add(name)
                waiting += self.versions[name].over
        return False

    def covers(self, versions: tuple[str, ...], other: str) -> bool:
        """Whether a reader who gets these versions misses nothing of another one: it is known, or an older stamp."""
        stamp = self.versions[other].stamp if other in self.versions else None
        for name in versions:
            mine = self.versions[name].stamp if name in self.versions else None
            if stamp is not None and mine is not None and mine >= stamp:
                return True
        return self.knows(versions, other)

    @property
    def divergent(self) -> bool:
        """Whether the nodes that are up and on which it belongs do not all hold the same."""
        return len(self.tally) > 1

    def values(self, versions: Iterable[str]) -> tuple[str, ...]:
        """Those of these versions that are no deletions."""
        return tuple(
            name for name in versions if name not in self.versions or self.versions[name].value is not None
        )


class Request(NamedTuple):
    """What a client waits for since the instant `t`."""

    node: int
    what: str
    key: str
    value: str | None
    t: float


class Step(NamedTuple):
    """One step of a repair, as `Compared` tells it. size: bytes of its message."""

    t: float
    node: int
    level: int
    differing: tuple[int, ...]
    keys: int
    size: int


class Repair(msgspec.Struct):
    """A repair between `a`, who began it at the instant `t`, and `b`.

    keys, full, fanout, depth: as in `Repairing`. messages, bytes: of it that have arrived. streamed: keys sent or
    taken over. steps: empty once they are not kept any more. ended, differing: when it was over and how many keys
    differed, None before.
    """

    id: int
    a: int
    b: int
    t: float
    keys: int
    full: int
    fanout: int
    depth: int
    messages: int = 0
    bytes: int = 0
    streamed: int = 0
    steps: list[Step] = []
    ended: float | None = None
    differing: int | None = None

    @property
    def round_trips(self) -> int:
        """How often a message went there and another back."""
        return (self.messages + 1) // 2

    @property
    def found(self) -> bool:
        """Whether it has found a difference."""
        return bool(self.differing or self.streamed) or any(step.differing for step in self.steps)


class Asked(msgspec.Struct):
    """Requests of one sort that clients made: how many were answered, how many refused."""

    answered: int = 0
    refused: int = 0


class Replicas(msgspec.Struct, kw_only=True):
    """All data of a lab. up: whether each node is.

    seeded: by node, how many keys it was seeded with, under the name `seed` of their version; space: the
    most that any was. keys: those that are not
    as they were seeded; touched: how many of them were seeded. requests: under way. writes (deletions count as writes), reads: those that are over. unjudged: answered ones that do
    not say by which version, as those of CRDTs; where there are any, nobody can say what was lost or missed. stale: reads that missed a write that
    had been acknowledged before they began; missed: by how many seconds, in all and at most. created, resolved: how
    often a key came to have siblings anywhere, and came to have none. resurrected: how often a node that had heard of a
    deletion came to hold a value again that is older. repairs: the newest, oldest first. divergent: keys that are.
    curve: (instant, divergent keys) whenever that changed.
    """

    up: list[bool]
    seeded: list[int]
    seed: str = ""
    space: int = 0
    keys: dict[str, Key] = {}
    touched: int = 0
    requests: dict[int, Request] = {}
    writes: Asked = msgspec.field(default_factory=Asked)
    reads: Asked = msgspec.field(default_factory=Asked)
    unjudged: int = 0
    stale: int = 0
    missed: tuple[float, float] = (0.0, 0.0)
    created: int = 0
    resolved: int = 0
    resurrected: int = 0
    repairs: list[Repair] = []
    divergent: int = 0
    curve: list[tuple[float, int]] = []

    # looking -----------------------------------------------------------------------------------

    def held(self, node: int, name: str) -> tuple[str, ...]:
        """The versions that a node holds of a key."""
        key = self.keys.get(name)
        copy = key.copies.get(node) if key else None
        if copy is not None:
            return copy.versions
        return (self.seed,) if seed_index(name) < self.seeded[node] else ()

    def names(self) -> Iterator[str]:
        """All keys: those that were seeded, then the others in the order in which they came up."""
        for index in range(self.space):
            yield seed_key(index)
        for name in self.keys:
            if not seed_index(name) < self.space:
                yield name

    @property
    def total(self) -> int:
        """How many keys there are."""
        return self.space + len(self.keys) - self.touched

    @property
    def differ(self) -> int:
        """How many keys are divergent now."""
        return self.curve[-1][1] if self.curve else 0

    def lost(self) -> int:
        """Writes that were acknowledged, and of which no node, up or down, holds or has seen anything any more."""
        count = 0
        for name, key in self.keys.items():
            held = {version for node in range(len(self.up)) for version in self.held(node, name)}
            buried = {version for versions in key.buried.values() for version in versions}
            count += sum(not key.knows(held | buried, version) for version in key.acked)
        return count

    # nodes -------------------------------------------------------------------------------------

    def turned(self, node: int, up: bool, t: float) -> None:
        """A node went up or down."""
        if self.up[node] != up:
            self.up[node] = up
            for name, key in self.keys.items():
                self._count(key, node, self.held(node, name), 1 if up else -1)
            self._draw(t)

    def seed_node(self, event: Seeded) -> None:
        """Fold what a node begins with."""
        self.emptied(event)
        self.seed = event.version
        for name, key in self.keys.items():
            if seed_index(name) < event.keys:
                self._put(event.node, name, key, Copy((event.version,), event.t))
        self.seeded[event.node] = event.keys
        self.space = max(self.space, event.keys)
        self.touched = sum(seed_index(name) < self.space for name in self.keys)
        self._draw(event.t)

    def emptied(self, event: Emptied | Rejoined | Seeded) -> None:
        """Fold the loss of a disk."""
        for name, key in self.keys.items():
            self._put(event.node, name, key, None)
        self.seeded[event.node] = 0
        for key in self.keys.values():
            del key.copies[event.node]
        self._draw(event.t)

    # data --------------------------------------------------------------------------------------

    def placed(self, event: Placed) -> None:
        """Fold where a key belongs."""
        key = self._key(event.key)
        self.divergent -= key.divergent  # it is counted anew
        key.homes, key.tally = event.nodes, {}
        for node in event.nodes:
            self._count(key, node, self.held(node, event.key), 1 if self.up[node] else 0)
        self._draw(event.t)

    def versioned(self, event: Versioned) -> None:
        """Fold a new version."""
        key = self._key(event.key)
        key.versions[event.name] = Version(
            event.node, event.t, event.value, event.over, event.clock, event.stamp
        )
        if len(key.versions) > _MOST_VERSIONS:
            _forget(key, {event.name, self.seed})

    def stored(self, event: Stored, handled: Sent | None) -> None:
        """Fold what a node holds of a key."""
        key = self._key(event.key)
        sender = handled.src if handled is not None and handled.id == event.by else None
        self._look_for_ghosts(key, event)
        self._put(event.node, event.key, key, Copy(event.versions, event.t, event.by, sender))
        self._draw(event.t)

    def _key(self, name: str) -> Key:
        key = self.keys.get(name)
        if key is None:
            key = self.keys[name] = Key({}, {}, None, {}, {}, 0, {})
            self.touched += seed_index(name) < self.space
            for node, up in enumerate(self.up):
                if up:
                    self._count(key, node, self.held(node, name), 1)
        return key

    def _put(self, node: int, name: str, key: Key, copy: Copy | None) -> None:
        """A node holds something else of a key."""
        before = self.held(node, name)
        after = copy.versions if copy else ()
        if self.up[node]:
            self._count(key, node, before, -1)
        key.copies[node] = copy or Copy((), 0.0)
        if self.up[node]:
            self._count(key, node, after, 1)
        split = key.split
        key.split += (len(key.values(after)) > 1) - (len(key.values(before)) > 1)
        self.created += key.split > 0 == split
        self.resolved += split > 0 == key.split
        deletions = tuple(
            version for version in after if version in key.versions and key.versions[version].value is None
        )
        if copy is None:
            key.buried.pop(node, None)
        elif deletions:
            key.buried[node] = deletions
        elif after:
            key.buried.pop(node, None)

    def _count(self, key: Key, node: int, versions: tuple[str, ...], change: int) -> None:
        if key.homes is not None and node not in key.homes:
            return
        was, what = key.divergent, " ".join(key.values(versions))
        count = key.tally.get(what, 0) + change
        if count:
            key.tally[what] = count
        else:
            key.tally.pop(what, None)
        self.divergent += key.divergent - was

    def _look_for_ghosts(self, key: Key, event: Stored) -> None:
        """Whether a node holds again what was deleted when it last heard of the key."""
        buried = key.buried.get(event.node, ())
        for name in key.values(event.versions):
            if any(name != grave and key.covers((grave,), name) for grave in buried):
                self.resurrected += 1

    def _draw(self, t: float) -> None:
        """Add to the curve, on which every instant has one point."""
        curve, divergent = self.curve, self.divergent + self._unlike()
        if curve and curve[-1][0] == t:
            curve.pop()
        if self.differ != divergent:
            curve.append((t, divergent))
            if len(curve) > MOST_POINTS:
                del curve[1:-1:2]

    def _unlike(self) -> int:
        """How many keys are untouched and still differ, because one that is up has lost what it was seeded with."""
        seeded = [count for count, up in zip(self.seeded, self.up, strict=True) if up]
        low, high = min(seeded, default=0), max(seeded, default=0)
        return high - low - self.touched if high > low else 0

    # clients -----------------------------------------------------------------------------------

    def requested(self, event: Requested) -> None:
        """Fold what a client asks for."""
        self.requests[event.id] = Request(event.node, event.what, event.key, event.value, event.t)

    def answered(self, event: Answered) -> None:
        """Fold an answer."""
        request = self.requests.pop(event.id)
        # an answer without versions is no sign of a key: a protocol may keep it under another name
        key = self._key(request.key) if event.versions else self.keys.get(request.key, Key({}, {}, None, {}))
        if request.what == "read":
            self.reads.answered += 1
            missed = [
                t for name, t in key.acked.items() if t < request.t and not key.covers(event.versions, name)
            ]
            if missed:
                late = request.t - min(missed)
                self.stale += 1
                self.missed = self.missed[0] + late, max(self.missed[1], late)
            return
        self.writes.answered += 1
        self.unjudged += not event.versions
        for name in event.versions:
            for older in [each for each in key.acked if key.knows((name,), each)]:
                del key.acked[older]
            key.acked[name] = event.t

    def refused(self, event: Refused) -> None:
        """Fold a refusal."""
        request = self.requests.pop(event.id)
        sort = self.reads if request.what == "read" else self.writes
        sort.refused += 1

    # repairs -----------------------------------------------------------------------------------

    def repairing(self, event: Repairing) -> None:
        """Fold the beginning of a repair."""
        self.repairs.append(
            Repair(
                event.id,
                event.a,
                event.b,
                event.t,
                event.keys,
                event.full,
                event.fanout,
                event.depth,
                steps=[],
            )
        )
        if len(self.repairs) > MOST_REPAIRS:
            gone = _least(self.repairs[:-1])
            self.repairs = [each for each in self.repairs if each is not gone]

    def compared(self, event: Compared, handled: Sent | None) -> None:
        """Fold a step of a repair."""
        repair = self._repair(event.id)
        if repair is not None:
            size = handled.size if handled is not None and handled.id == event.by else 0
            repair.messages += event.by is not None
            repair.bytes += size
            repair.streamed += event.keys
            if repair.steps or repair.messages <= 1:
                repair.steps.append(Step(event.t, event.node, event.level, event.differing, event.keys, size))
                detailed = [each for each in self.repairs if each.steps]
                if len(detailed) > _DETAILED:
                    _least(detailed).steps = []

    def repaired(self, event: Repaired) -> None:
        """Fold the end of a repair."""
        repair = self._repair(event.id)
        if repair is not None:
            repair.ended, repair.differing = event.t, event.differing

    def _repair(self, id: int) -> Repair | None:
        return next((repair for repair in reversed(self.repairs) if repair.id == id), None)


def _least(repairs: list[Repair]) -> Repair:
    """The one that is missed least: the oldest that has found nothing, or else the oldest."""
    return next((each for each in repairs if not each.found), repairs[0])


def _forget(key: Key, needed: set[str]) -> None:
    """Forget the versions of a key that nobody holds or waits for, but not what was known through them."""
    kept = needed | key.acked.keys()
    for copy in key.copies.values():
        kept.update(copy.versions)
    for versions in key.buried.values():
        kept.update(versions)
    for name in [name for name in key.versions if name not in kept]:
        gone = key.versions.pop(name)
        for other, version in key.versions.items():
            if name in version.over:
                over = dict.fromkeys((*(each for each in version.over if each != name), *gone.over))
                key.versions[other] = version._replace(over=tuple(over))
