"""Observed-remove map: names to registers, sets and further maps; updates win. Pure. Imports errors only.

Almeida, Shoker, Baquero 2018, "Delta state replicated data types", as in Riak's maps (Brown, Cribbs,
Meiklejohn, Elliott 2014, "Riak DT map: a composable, convergent replicated dictionary"). All that is in it shares one
causal context. Removing a name takes away every dot below it that its replica has observed; an update below it that
is concurrent stays, and with it the name, but of the rest only what the update wrote.

As in Riak a name belongs to a type: a register, a set and a map of one name stand side by side, so that replicas
which create it concurrently as different things still agree.
"""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from gossiplab.errors import ProtocolError
from gossiplab.replica.dots import Context, Dot, Dots, Values, context, join_sets, join_values

T = TypeVar("T")


class Fields(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stands at one level, by name, ascending: what is empty does not stand at all. A value: never change it."""

    registers: dict[str, Values] = {}
    sets: dict[str, dict[str, Dots]] = {}
    maps: dict[str, "Fields"] = {}

    def __bool__(self) -> bool:
        return bool(self.registers or self.sets or self.maps)

    def at(self, path: Sequence[str]) -> "Fields":
        """The level of a map below this one; an empty one when there is none."""
        fields = self
        for name in path:
            fields = fields.maps.get(name) or Fields()
        return fields

    def only(self, name: str) -> "Fields":
        """All that has this name, of whatever type."""
        return Fields(_one(self.registers, name), _one(self.sets, name), _one(self.maps, name))

    def dots(self) -> list[Dot]:
        """All dots here and below."""
        found: list[Dot] = [held[:2] for values in self.registers.values() for held in values]
        for elements in self.sets.values():
            found += [dot for dots in elements.values() for dot in dots]
        for fields in self.maps.values():
            found += fields.dots()
        return found


class OrMap(msgspec.Struct, frozen=True, tag="or-map"):
    """A map. fields: its content. seen: all updates that are known.

    A path is the names from the top to a register, a set or a map, at least one.
    """

    fields: Fields = Fields()
    seen: Context = Context()

    def register(self, path: Sequence[str]) -> tuple[str, ...]:
        """The concurrent values of a register, by dot."""
        level, name = _split(path)
        return tuple(value for _, _, value in self.fields.at(level).registers.get(name, ()))

    def elements(self, path: Sequence[str]) -> tuple[str, ...]:
        """The elements of a set, ascending."""
        level, name = _split(path)
        return tuple(sorted(self.fields.at(level).sets.get(name, {})))

    def names(self, path: Sequence[str] = ()) -> tuple[str, ...]:
        """The names in a map, ascending; in the whole, when no path is given."""
        fields = self.fields.at(path)
        return tuple(sorted({**fields.registers, **fields.sets, **fields.maps}))

    def put(self, replica: int, path: Sequence[str], value: str) -> "OrMap":
        """The delta of writing a register over all its values that are known here."""
        level, name = _split(path)
        dot = self.seen.next(replica)
        known = [held[:2] for held in self.fields.at(level).registers.get(name, ())]
        return OrMap(_below(level, Fields(registers={name: ((*dot, value),)})), context([dot, *known]))

    def add(self, replica: int, path: Sequence[str], element: str) -> "OrMap":
        """The delta of adding an element to a set."""
        level, name = _split(path)
        dot = self.seen.next(replica)
        known = self.fields.at(level).sets.get(name, {}).get(element, ())
        return OrMap(_below(level, Fields(sets={name: {element: (dot,)}})), context([dot, *known]))

    def discard(self, path: Sequence[str], element: str) -> "OrMap":
        """The delta of removing an element from a set."""
        level, name = _split(path)
        return OrMap(Fields(), context(self.fields.at(level).sets.get(name, {}).get(element, ())))

    def remove(self, path: Sequence[str]) -> "OrMap":
        """The delta of removing a name: register, set and map of it with all that is known to be in them."""
        level, name = _split(path)
        return OrMap(Fields(), context(self.fields.at(level).only(name).dots()))

    def merge(self, other: "OrMap") -> "OrMap":
        """What both together know."""
        return OrMap(_join(self.fields, self.seen, other.fields, other.seen), self.seen.merge(other.seen))


def _one(part: dict[str, T], name: str) -> dict[str, T]:
    return {name: part[name]} if name in part else {}


def _split(path: Sequence[str]) -> tuple[Sequence[str], str]:
    if not path or isinstance(path, str):
        raise ProtocolError(f"{path!r} is no path in an OR-Map: give a list of names, at least one.")
    return path[:-1], path[-1]


def _below(path: Sequence[str], fields: Fields) -> Fields:
    for name in reversed(path):
        fields = Fields(maps={name: fields})
    return fields


def _join(a: Fields, seen_a: Context, b: Fields, seen_b: Context) -> Fields:
    if a == b:
        return a
    registers: dict[str, Values] = {}
    for name in sorted({**a.registers, **b.registers}):
        values = join_values(a.registers.get(name, ()), seen_a, b.registers.get(name, ()), seen_b)
        if values:
            registers[name] = values
    sets: dict[str, dict[str, Dots]] = {}
    for name in sorted({**a.sets, **b.sets}):
        elements = join_sets(a.sets.get(name, {}), seen_a, b.sets.get(name, {}), seen_b)
        if elements:
            sets[name] = elements
    maps: dict[str, Fields] = {}
    for name in sorted({**a.maps, **b.maps}):
        fields = _join(a.maps.get(name) or Fields(), seen_a, b.maps.get(name) or Fields(), seen_b)
        if fields:
            maps[name] = fields
    return Fields(registers, sets, maps)
