"""Dotted version vectors: the versions of one key that nobody has overwritten. Pure. Imports nothing of the lab.

Preguica, Baquero, Almeida, Fonte, Goncalves 2010, "Dotted version vectors: logical clocks for optimistic replication".
A version has a dot (the write that made it) and a past (all writes its writer had read). It is obsolete iff its dot
is in the past of another. A read returns all versions that are left, the siblings, and a context: their dots and
pasts. A write hands back the context of the read it is based on. So

- a causal overwrite vanishes what it has read, and nothing else;
- a blind one (no context) or one based on an old read leaves siblings.

A plain version vector per version cannot do this: with one replica taking writes of two clients, the second would
seem to descend from the first. Here the past is a causal context, not a vector: versions may travel one by one, in any
order, and a version never claims to have overwritten one that its writer did not see.
"""

import msgspec

from gossiplab.replica.dots import Context, Dot


class Version(msgspec.Struct, frozen=True, array_like=True):
    """One write. dot: which. past: all writes that it overwrites. value: None for a deletion."""

    dot: Dot
    past: Context
    value: str | None

    def before(self, other: "Version") -> bool:
        """Whether the other has overwritten this one."""
        return self.dot in other.past

    @property
    def history(self) -> Context:
        """The causal history of this version: its past and itself. Where it has no gaps its `clock` says it all."""
        return self.past.add([self.dot])


class Siblings(msgspec.Struct, frozen=True, tag="siblings"):
    """The versions of one key that are concurrent, as far as one replica knows. versions: ascending by dot."""

    versions: tuple[Version, ...] = ()

    @property
    def values(self) -> tuple[str, ...]:
        """The values that a read returns, by dot; deletions are none."""
        return tuple(version.value for version in self.versions if version.value is not None)

    @property
    def context(self) -> Context:
        """What a read has seen: to be handed back with the write that is based on it."""
        seen = Context()
        for version in self.versions:
            seen = seen.merge(version.history)
        return seen

    def put(self, replica: int, value: str | None, context: Context | None = None) -> "Siblings":
        """The delta of a write that `replica` takes: merge it into this and send it to others.

        value: None deletes. context: from the read it is based on; None for a blind write.
        """
        past = context or Context()
        return Siblings((Version(self.context.merge(past).next(replica), past, value),))

    def merge(self, other: "Siblings") -> "Siblings":
        """All versions of both that no version of either has overwritten."""
        if self == other:
            return self
        found = {version.dot: version for version in self.versions}
        for version in other.versions:
            found[version.dot] = _same(found.get(version.dot, version), version)
        versions = [found[dot] for dot in sorted(found)]
        return Siblings(tuple(v for v in versions if not any(v.before(other) for other in versions)))


def _same(a: Version, b: Version) -> Version:
    """One dot with two contents is damage, not a write: the larger value stands, so that all sides agree again."""
    if a == b:
        return a
    value = max(a.value, b.value, key=lambda value: (value is not None, value or ""))
    return Version(a.dot, a.past.merge(b.past), value)
