"""The keys of a run in the order of the data view's rows, without a list of a million names. Imports world's replicas."""

from gossiplab.workload import seed_index, seed_key
from gossiplab.world.replicas import Replicas


class KeyList:
    """The keys in the order of the rows: those of the beginning, then the others as they came up.

    written: only those that somebody has written, or that differ from what they were.
    """

    def __init__(self, replicas: Replicas | None, written: bool) -> None:
        self._space = 0 if replicas is None or written else replicas.space
        keys = {} if replicas is None else replicas.keys
        seed = None if replicas is None else replicas.seed
        touched = [
            name for name, key in keys.items() if not written or any(each != seed for each in key.versions)
        ]
        self._others = [name for name in touched if not seed_index(name) < self._space]
        self._places: dict[str, int] = {}

    def __len__(self) -> int:
        return self._space + len(self._others)

    def name(self, place: int) -> str:
        """The key at a place."""
        return seed_key(place) if place < self._space else self._others[place - self._space]

    def place(self, name: str) -> int:
        """The place of a key, 0 if it is not listed."""
        index = seed_index(name)
        if index < self._space:
            return int(index)
        if not self._places:
            self._places = {each: self._space + number for number, each in enumerate(self._others)}
        return self._places.get(name, 0)

    def seeded(self, place: int, many: int) -> int:
        """How many of so many keys from a place on were there at the beginning."""
        return max(0, min(many, self._space - place))
