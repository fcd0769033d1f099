"""Who is linked with whom: the classic graphs of networkx, by name. Imports networkx (only when asked) and errors.

A topology is written as its name, or with its parameters: "watts-strogatz(k=6,p=0.2)".
"""

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gossiplab.errors import UserError

if TYPE_CHECKING:
    import networkx as nx

Edges = tuple[tuple[int, int], ...]
_MOST_LINKS = 2_000_000  # a list of more takes gigabytes and minutes

_SPELLING = re.compile(r"([a-z-]+)(?:\(([^()]*)\))?")


class Topology:
    """One way to link nodes: a name, one line about it, parameters with their defaults, and how to build it."""

    def __init__(self, doc: str, build: "Callable[..., nx.Graph[Any]] | None", **defaults: float) -> None:
        self.doc = doc
        self.build = build
        self.defaults = defaults


def _ring(nx: Any, n: int, seed: int) -> Any:
    return nx.cycle_graph(n)


def _grid(nx: Any, n: int, seed: int) -> Any:
    columns = math.ceil(math.sqrt(n))
    edges = [(i, i + 1) for i in range(n - 1) if (i + 1) % columns]
    edges += [(i, i + columns) for i in range(n - columns)]
    return nx.Graph(edges)


def _erdos_renyi(nx: Any, n: int, seed: int, p: float) -> Any:
    return nx.fast_gnp_random_graph(n, _probability(n, p), seed=seed)


def _probability(n: int, p: float) -> float:
    # 2 ln n / n is twice the threshold above which such a graph is almost surely connected
    return min(1.0, 2 * math.log(n) / n) if p == 0 else p


def _watts_strogatz(nx: Any, n: int, seed: int, k: float, p: float) -> Any:
    return nx.watts_strogatz_graph(n, min(int(k), n), p, seed=seed)


def _barabasi_albert(nx: Any, n: int, seed: int, m: float) -> Any:
    return nx.barabasi_albert_graph(n, min(int(m), n - 1), seed=seed)


def _tree(nx: Any, n: int, seed: int, r: float) -> Any:
    return nx.full_rary_tree(int(r), n)


def _two_clusters(nx: Any, n: int, seed: int) -> Any:
    half = n // 2
    graph = nx.disjoint_union(nx.complete_graph(half), nx.complete_graph(n - half))
    graph.add_edge(half - 1, half)  # the bridge
    return graph


TOPOLOGIES: dict[str, Topology] = {
    "complete": Topology("everybody with everybody", None),
    "ring": Topology("each with its two neighbours", _ring),
    "grid": Topology("rows and columns", _grid),
    "erdos-renyi": Topology(
        "each pair with probability p (0: twice the connectivity threshold)", _erdos_renyi, p=0
    ),
    "watts-strogatz": Topology(
        "a ring of k neighbours (an even number), each link rewired with probability p",
        _watts_strogatz,
        k=4,
        p=0.1,
    ),
    "barabasi-albert": Topology(
        "scale-free: each newcomer links to m nodes, popular ones first", _barabasi_albert, m=2
    ),
    "tree": Topology("a full tree with r children a node", _tree, r=2),
    "two-clusters": Topology("two complete halves and one bridge", _two_clusters),
}


def parse_topology(text: str) -> tuple[Topology, dict[str, float]]:
    """Read "watts-strogatz(k=6)" as the topology and all its parameters. Raises UserError."""
    match = _SPELLING.fullmatch(text)
    topology = TOPOLOGIES.get(match[1]) if match else None
    if match is None or topology is None:
        raise UserError(f"there is no topology {text!r}: choose one of {', '.join(TOPOLOGIES)}.")
    values = dict(topology.defaults)
    for setting in filter(None, (match[2] or "").split(",")):
        name, _, number = (part.strip() for part in setting.partition("="))
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if name not in values:
            known = ", ".join(f"{key}={default:g}" for key, default in values.items()) or "none"
            raise UserError(f"the topology {match[1]} has no parameter {name!r}: it has {known}.")
        low, high, step, meaning = _RANGES[name]
        if not low <= value <= high or (step and value % step):
            raise UserError(f"the topology's {name} cannot be {number!r}: give {meaning}.")
        values[name] = value
    return topology, values


_RANGES: dict[str, tuple[float, float, float, str]] = {
    "p": (0, 1, 0, "a probability from 0 to 1"),
    "k": (2, 1000, 2, "an even number from 2 to 1000"),
    "m": (1, 1000, 1, "a whole number from 1 to 1000"),
    "r": (1, 1000, 1, "a whole number from 1 to 1000"),
}
"""What a parameter may be: from, to, a multiple of (0: anything), and so in words."""


def check_topology(text: str, n: int) -> None:
    """Raises UserError when there is no such topology, or when it has too many links for `n` nodes."""
    topology, values = parse_topology(text)
    links = _about(topology, n, **values)
    if links > _MOST_LINKS:
        raise UserError(
            f"{text} has about {links:.2g} links among {n} nodes, and {_MOST_LINKS:.0g} is the most: "
            "take fewer nodes or another topology (complete has no list of links)."
        )


def _about(topology: Topology, n: int, k: float = 0, m: float = 0, p: float = 0, r: float = 0) -> float:
    """How many links there are, more or less."""
    if topology.build is _two_clusters:
        return n * n / 4
    if topology.build is _erdos_renyi and n > 1:
        return _probability(n, p) * n * n / 2
    return n * max(1, min(k, n) / 2, min(m, n)) if topology.build else 0


def build_edges(text: str, n: int, seed: int) -> Edges | None:
    """The links of `n` nodes as sorted pairs (low, high); None: complete, too many to list."""
    topology, values = parse_topology(text)
    if topology.build is None:
        return None
    if n < 2:
        return ()
    import networkx as nx  # costs 0.1 s, which a complete graph need not pay

    graph = topology.build(nx, n, seed, **values)
    return tuple(sorted((min(a, b), max(a, b)) for a, b in graph.edges if a != b))
