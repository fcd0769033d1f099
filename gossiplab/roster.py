"""The nodes of one lab as a command may name them, and a command's words as they are read. Imports nodeset and topology.

`n3`, `n0-n7`, `n1,n4` and `all` mean the same in every lab (see `gossiplab.nodeset`). What stands here needs to know
more: `half`, `cluster`, `random 3`, `random 10%`, and `all but` any of them. They are looked up once, when a person or a
schedule gives the command. The command then holds explicit nodes, and these are what a recording says: it is executed
again without anybody drawing anew, and it says who it was even to one who does not know the topology.
"""

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from random import Random
from typing import Any, cast

from gossiplab.errors import UserError
from gossiplab.nodeset import format_nodes, parse_nodes
from gossiplab.topology import build_edges, parse_topology

Nodes = tuple[int, ...]

_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)%", re.ASCII)
_COUNT = re.compile(r"\d{1,9}", re.ASCII)
_MESSAGE = re.compile(r"m(\d{1,15})", re.ASCII)


class Roster:
    """The nodes of one lab.

    total: how many. topology, seed: of the experiment. stream: names the stream from which random sets are drawn, so
    that each command has one of its own that depends on the seed and on its place among the commands; empty: none.
    """

    def __init__(self, total: int, topology: str = "", seed: int = 0, stream: str = "") -> None:
        self.total = total
        self._topology = topology
        self._seed = seed
        self._random = Random(f"{seed}/{stream}") if stream else None

    def half(self) -> Nodes:
        """The first half of the nodes; the smaller one when their number is odd."""
        return tuple(range(self.total // 2))

    def cluster(self) -> Nodes:
        """One community of the topology. Raises UserError where it has none by its nature."""
        name = self._topology.partition("(")[0]
        if name == "two-clusters":
            return self.half()
        if name == "tree" and self.total > 1:
            _, values = parse_topology(self._topology)
            return _branch(self.total, int(values["r"]))
        raise UserError(f"{self._named()} has no clusters: write half, or name the nodes.")

    def bridge(self) -> tuple[int, int]:
        """The link without which the lab falls apart; of several the one that leaves the most even parts."""
        edges = build_edges(self._topology, self.total, self._seed) if self._topology else None
        found = _bridge(self.total, edges) if edges else None
        if found is None:
            raise UserError(f"{self._named()} has no bridge to cut: {self._around()}")
        return found

    def draw(self, text: str) -> Nodes:
        """So many nodes at random: "3", or "10%", which is rounded and never nobody unless it is 0%."""
        share, count = _SHARE.fullmatch(text), _COUNT.fullmatch(text)
        if share is not None and float(share[1]) <= 100:
            percent = float(share[1])
            k = max(percent > 0, math.floor(self.total * percent / 100 + 0.5))
        elif count is not None:
            k = int(text)
        else:
            raise UserError(f"random {text} is no set of nodes: write random 3 or random 10%.")
        if k > self.total:
            raise UserError(f"random {text} asks for more nodes than this lab has: it has {self.total}.")
        if self._random is None:
            raise UserError(f"random {text} says nothing by itself: a recording names the nodes that it was.")
        return tuple(sorted(self._random.sample(range(self.total), k)))

    def _named(self) -> str:
        return f"the topology {self._topology}" if self._topology else "a recording"

    def _around(self) -> str:
        if self.total < 3:
            return "write partition n0."
        middle = self.total // 2
        low, high = format_nodes(range(middle)), format_nodes(range(middle + 1, self.total))
        return f"write partition {low} from {high}, which leaves n{middle} as the only way between two sides."


class Words:
    """The words of a command that have not been read yet. What does not fit raises ValueError or IndexError."""

    def __init__(self, words: Sequence[str], roster: Roster) -> None:
        self.roster = roster
        self._words = list(words)

    def nodes(self) -> Nodes:
        """Take a set of nodes from the front. Raises UserError when it names none, or some that are not there."""
        word, roster = self._take(), self.roster
        if word == "all" and self.take("but"):
            but = set(self._plain(self._take()))
            return tuple(node for node in range(roster.total) if node not in but)
        return self._plain(word)

    def _plain(self, word: str) -> Nodes:
        match word:
            case "half":
                return self.roster.half()
            case "cluster":
                return self.roster.cluster()
            case "random":
                return self.roster.draw(self._take())
            case _:
                return parse_nodes(word, self.roster.total)

    def take(self, word: str) -> bool:
        """Take `word` from the front, if it stands there."""
        if self._words and self._words[0] == word:
            del self._words[0]
            return True
        return False

    def expect(self, word: str) -> None:
        """Take `word` from the front."""
        if not self.take(word):
            raise ValueError(word)

    def message(self) -> int:
        """Take a message, as m12."""
        match = _MESSAGE.fullmatch(self._take())
        if match is None:
            raise ValueError("m")
        return int(match[1])

    def number(self, what: str, low: float, high: float, unit: str) -> float:
        """Take a number from `low` to `high`. Raises UserError, which says `what` it is, when it lies outside."""
        return read_number(self._take(), what, low, high, unit)

    def setting(self, name: str, low: float, high: float, unit: str) -> float | None:
        """Take `name=NUMBER`, wherever it stands; None: nowhere."""
        word = next((word for word in self._words if word.startswith(f"{name}=")), None)
        if word is None:
            return None
        self._words.remove(word)
        return read_number(word.partition("=")[2], name, low, high, unit)

    def rest(self) -> tuple[str, ...]:
        """Take all that is left."""
        rest = tuple(self._words)
        self._words.clear()
        return rest

    def more(self) -> bool:
        """Whether anything is left."""
        return bool(self._words)

    def end(self) -> None:
        """Nothing may be left."""
        if self._words:
            raise ValueError(self._words)

    def _take(self) -> str:
        return self._words.pop(0)


def read_number(text: str, what: str, low: float, high: float, unit: str) -> float:
    """A number from `low` to `high`. Raises UserError when it is none or lies outside."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not low <= number <= high:
        raise UserError(f"{what} cannot be {text!r}: give {unit} from {low:g} to {high:g}.")
    return number


def write_number(number: float) -> str:
    """The shortest text that `read_number` reads back: 3, 0.5."""
    return repr(number).removesuffix(".0")


def _branch(total: int, children: int) -> Nodes:
    """The first child of a full tree's root and all that hangs on it: node i has the parent (i - 1) // children."""
    branch = {1}
    for node in range(2, total):
        if (node - 1) // children in branch:
            branch.add(node)
    return tuple(sorted(branch))


@lru_cache(maxsize=4)
def _bridge(total: int, edges: tuple[tuple[int, int], ...]) -> tuple[int, int] | None:
    """The bridge of a graph that splits the nodes of its component most evenly, the first of equals; None: no bridge."""
    import networkx as nx  # costs 0.1 s, which only those pay who ask

    graph = cast(Any, nx.Graph())
    graph.add_nodes_from(range(total))
    graph.add_edges_from(edges)
    bridges = {(min(edge), max(edge)) for edge in nx.bridges(graph)}
    if not bridges:
        return None
    # what hangs together without bridges, contracted, is a forest: of it each bridge cuts off one side
    rest = cast(Any, nx.Graph(graph))
    rest.remove_edges_from(bridges)
    part = {node: index for index, nodes in enumerate(nx.connected_components(rest)) for node in nodes}
    weight: dict[int, int] = {}
    for index in part.values():
        weight[index] = weight.get(index, 0) + 1
    forest = cast(Any, nx.Graph())
    forest.add_edges_from((part[a], part[b]) for a, b in bridges)
    below: dict[frozenset[int], int] = {}
    for tree in nx.connected_components(forest):
        root, size = min(tree), sum(weight[index] for index in tree)
        parents: list[tuple[int, int]] = [(a, b) for a, b in nx.dfs_edges(forest, root)]
        under = {index: weight[index] for index in tree}
        for parent, child in reversed(
            parents
        ):  # a child's edge comes after its parent's, so children are summed first
            under[parent] += under[child]
            below[frozenset((parent, child))] = min(under[child], size - under[child])
    return min(bridges, key=lambda edge: (-below[frozenset((part[edge[0]], part[edge[1]]))], edge))
