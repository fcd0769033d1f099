"""How the versions of one key stand to one another, and what every node has of it. Imports world's replicas.

Of the versions that nodes hold, up or down, some are newest: no other that is held knows of them, nor has a later
stamp. One newest version is how things should be; several are concurrent, and whoever holds more than one has siblings.
"""

from enum import IntEnum
from typing import NamedTuple

from gossiplab.workload import seed_index
from gossiplab.world.replicas import Key, Replicas

BEFORE, AFTER, CONCURRENT, SAME = "before", "after", "concurrent", "same"


class Standing(IntEnum):
    """What a node holds of a key, from what is well to the worst."""

    AWAY = 0  # nothing, and the key does not belong there
    NEWEST = 1
    DELETED = 2  # the newest, which is a deletion
    NONE = 3
    OLDER = 4
    SIBLINGS = 5
    CORRUPT = 6


class Sight(NamedTuple):
    """A node's standing. which: number of the newest version that it holds, from 0; of siblings, how many they are."""

    standing: Standing
    which: int = 0


class Copies:
    """One key on all nodes. held: by node the names of the versions it holds. newest: names, in order of their making.

    sights: by node. share: of the nodes that are up and on which it belongs, those that hold what most of them do.
    """

    def __init__(self, replicas: Replicas, name: str) -> None:
        self.name = name
        self.key = replicas.keys.get(name) or Key({}, {}, None, {}, {}, 0, {})
        index, seed = seed_index(name), (replicas.seed,)
        self.seed = replicas.seed
        self.held: list[tuple[str, ...]] = [seed if index < count else () for count in replicas.seeded]
        for node, copy in self.key.copies.items():
            self.held[node] = copy.versions
        sets = dict.fromkeys(self.held)
        self.newest = newest(self.key, {version for versions in sets for version in versions}, self.seed)
        seen = {versions: self._sight(versions) for versions in sets}
        self.sights = [seen[versions] for versions in self.held]
        if self.key.homes is not None:
            away = Sight(Standing.AWAY)
            for node, versions in enumerate(self.held):
                if not versions and node not in self.key.homes:
                    self.sights[node] = away
        self.share = self._agreement(replicas)

    def _sight(self, versions: tuple[str, ...]) -> Sight:
        if any(version.endswith("'") for version in versions):
            return Sight(Standing.CORRUPT)
        live = self.key.values(versions)
        if len(live) > 1:
            return Sight(Standing.SIBLINGS, len(live))
        held = [number for number, version in enumerate(self.newest) if version in (live or versions)]
        if not versions:
            return Sight(Standing.NONE)
        if not held:
            return Sight(Standing.OLDER)
        return Sight(Standing.NEWEST if live else Standing.DELETED, held[0])

    def _agreement(self, replicas: Replicas) -> float:
        homes = range(len(self.held)) if self.key.homes is None else self.key.homes
        counts: dict[tuple[str, ...], int] = {}
        for node in homes:
            if replicas.up[node]:
                what = self.key.values(self.held[node])
                counts[what] = counts.get(what, 0) + 1
        return max(counts.values()) / sum(counts.values()) if counts else 1.0

    def holders(self, version: str) -> list[int]:
        """The nodes that hold a version."""
        return [node for node, versions in enumerate(self.held) if version in versions]

    def value(self, version: str) -> str | None:
        """What was written, None for a deletion; of what was there from the beginning: the empty string."""
        known = self.key.versions.get(version)
        return known.value if known else ""


def newest(key: Key, held: set[str], seed: str) -> tuple[str, ...]:
    """Those of these versions that none of the others has overwritten, in the order of their making."""
    order = {version: number for number, version in enumerate(key.versions)}
    names = sorted(held, key=lambda version: order.get(version, -1))
    if any(by_content(key, version) for version in names):
        # states that are named by their content do not say what they have merged; damage is no merge
        return tuple([each for each in names if not each.endswith("'")][-1:] or names[-1:])
    return tuple(
        version
        for version in names
        if not any(_obsolete(key, version, other, seed) for other in names if other != version)
    )


def compare(key: Key, one: str, other: str) -> str:
    """How `one` stands to `other`: BEFORE, when the writer of `other` knew of it, AFTER, CONCURRENT or SAME."""
    if one == other:
        return SAME
    if key.knows((other,), one):
        return BEFORE
    return AFTER if key.knows((one,), other) else CONCURRENT


def lineage(key: Key, shown: list[str]) -> dict[str, tuple[str, ...]]:
    """Of each version the nearest before it among those shown."""
    found: dict[str, tuple[str, ...]] = {}
    for version in shown:
        waiting = list(key.versions[version].over) if version in key.versions else []
        nearest: dict[str, None] = {}
        seen: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name in shown:
                nearest[name] = None
            elif name not in seen and name in key.versions:
                waiting += key.versions[name].over
            seen.add(name)
        found[version] = tuple(nearest)
    return found


def _obsolete(key: Key, version: str, other: str, seed: str) -> bool:
    """Whether `other` has overwritten `version`, or wins by its stamp."""
    if version.rstrip("'") == other.rstrip("'"):
        return False  # one write with two values: damage, and neither is newer
    stamp = key.versions[other].stamp if other in key.versions else None
    return key.covers((other,), version) or (version == seed and stamp is not None)


def by_content(key: Key, version: str) -> bool:
    """Whether a version is a state named by its content, of which nobody says whose writes have gone into it."""
    known = key.versions.get(version)
    return known is not None and known.stamp is None and "." not in version
