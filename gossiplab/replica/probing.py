"""Whom a member probes next, and members drawn at random. Imports nothing of the lab.

Round robin as in SWIM, section 4.3: through the list of the others in random order, shuffled after each pass, with
new members at random places. So of n members none waits longer than 2n - 1 periods for a probe, where a random choice
could let it wait for ever.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol as Interface


class Chance(Interface):
    """What chance is drawn from, in the manner of random.Random: in a protocol `self.random`."""

    def random(self) -> float: ...
    def randrange(self, stop: int, /) -> int: ...
    def sample(self, population: list[int], k: int, /) -> list[int]: ...
    def shuffle(self, members: list[int], /) -> None: ...


class ProbeList:
    """The other members in the order in which they are probed."""

    __slots__ = ("_members", "_next", "_random")

    def __init__(self, random: Chance, members: Iterable[int]) -> None:
        self._random = random
        self._members = list(members)
        self._next = 0  # the members from this place on are still to come in this pass
        random.shuffle(self._members)

    def __iter__(self) -> Iterator[int]:
        """The members in their present order."""
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def rest(self) -> Iterator[int]:
        """The members still to come in this pass; each that is taken has had its turn."""
        while self._next < len(self._members):
            self._next += 1
            yield self._members[self._next - 1]

    def shuffle(self) -> None:
        """A new pass begins."""
        self._random.shuffle(self._members)
        self._next = 0

    def add(self, member: int) -> None:
        """A new member: at a random place, so it may have to wait for the next pass."""
        place = self._random.randrange(len(self._members) + 1)
        self._members.insert(place, member)
        if place < self._next:
            self._next += 1

    def remove(self, member: int) -> None:
        """A member less."""
        place = self._members.index(member)
        del self._members[place]
        self._next -= place < self._next

    def draw(self, k: int, wanted: Callable[[int], bool]) -> list[int]:
        """`k` different members for which `wanted` is true, or as many as there are, at random.

        From a long list as memberlist does it: it gives up after three times as many tries as there are members.
        """
        members, random = self._members, self._random.random
        if len(members) <= 3 * k:
            there = [member for member in members if wanted(member)]
            return self._random.sample(there, min(k, len(there)))
        chosen: list[int] = []
        for _ in range(3 * len(members)):
            if len(chosen) == k:
                break
            member = members[int(random() * len(members))]
            if member not in chosen and wanted(member):
                chosen.append(member)
        return chosen
