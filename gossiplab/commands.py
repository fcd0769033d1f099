"""What can be done to a lab, and how it is written. Imports only nodeset, link and errors.

A command reads the same on the command line (`--at "3 kill n0"`), in an experiment file, in the
lab's palette and in a recording. `parse_command` is the only reader and `str(command)` writes the
one canonical form: parsing it again gives an equal command.
"""

from collections.abc import Callable
from typing import ClassVar

import msgspec

from gossiplab.errors import UserError
from gossiplab.link import Link, parse_settings
from gossiplab.nodeset import format_nodes, parse_nodes

Nodes = tuple[int, ...]


class Command(msgspec.Struct, frozen=True):
    """Base of all commands."""

    usage: ClassVar[str] = ""
    doc: ClassVar[str] = ""


class Kill(Command, frozen=True):
    """Stop nodes at once, in the middle of whatever they do. Messages to them are lost."""

    nodes: Nodes
    usage: ClassVar[str] = "kill NODES"
    doc: ClassVar[str] = "stop nodes at once"

    def __str__(self) -> str:
        return f"kill {format_nodes(self.nodes)}"


class Rejoin(Command, frozen=True):
    """Start nodes that are down, with the memory they had, or `fresh` with none."""

    nodes: Nodes
    fresh: bool = False
    usage: ClassVar[str] = "rejoin NODES [fresh]"
    doc: ClassVar[str] = "start nodes that are down, with their memory or fresh"

    def __str__(self) -> str:
        return f"rejoin {format_nodes(self.nodes)}{' fresh' if self.fresh else ''}"


class Leave(Command, frozen=True):
    """Let nodes say goodbye and stop."""

    nodes: Nodes
    usage: ClassVar[str] = "leave NODES"
    doc: ClassVar[str] = "let nodes leave gracefully"

    def __str__(self) -> str:
        return f"leave {format_nodes(self.nodes)}"


class Partition(Command, frozen=True):
    """Cut every link between two sets of nodes, in both directions. Without `others`: from all the rest."""

    nodes: Nodes
    others: Nodes | None = None
    usage: ClassVar[str] = "partition NODES [from NODES]"
    doc: ClassVar[str] = "cut nodes off from the rest, or from other nodes"

    def __str__(self) -> str:
        rest = "" if self.others is None else f" from {format_nodes(self.others)}"
        return f"partition {format_nodes(self.nodes)}{rest}"


class Cut(Command, frozen=True):
    """Cut one direction: messages from `nodes` to `others` are lost, the way back stays open."""

    nodes: Nodes
    others: Nodes
    usage: ClassVar[str] = "cut NODES to NODES"
    doc: ClassVar[str] = "cut one direction only"

    def __str__(self) -> str:
        return f"cut {format_nodes(self.nodes)} to {format_nodes(self.others)}"


class Heal(Command, frozen=True):
    """Undo every partition and every cut. Links that were shaped stay as they are."""

    usage: ClassVar[str] = "heal"
    doc: ClassVar[str] = "undo all partitions and cuts"

    def __str__(self) -> str:
        return "heal"


class Inject(Command, frozen=True):
    """Give one node a new rumor to spread."""

    node: int
    usage: ClassVar[str] = "inject NODE"
    doc: ClassVar[str] = "give a node a new rumor"

    def __str__(self) -> str:
        return f"inject n{self.node}"


class Shape(Command, frozen=True):
    """Change what the links between two sets of nodes do to messages, in both directions.

    What is not named is as the experiment has it; without any setting the links are as they were.
    """

    nodes: Nodes
    others: Nodes
    settings: tuple[str, ...] = ()
    usage: ClassVar[str] = (
        "link NODES NODES [latency=S] [jitter=S] [loss=P] [duplicate=P] [reorder=P] [bandwidth=B]"
    )
    doc: ClassVar[str] = "shape the links between nodes"

    def __str__(self) -> str:
        return (
            f"link {format_nodes(self.nodes)} {format_nodes(self.others)} {' '.join(self.settings)}".rstrip()
        )


AnyCommand = Kill | Rejoin | Leave | Partition | Cut | Heal | Inject | Shape


def parse_command(text: str, total: int) -> AnyCommand:
    """Read a command for a lab of `total` nodes. Raises UserError, which says how it is written."""
    words = text.split()
    verb = words[0] if words else ""
    reader = VERBS.get(verb)
    if reader is None:
        raise UserError(f"{text!r} is no command: the commands are {', '.join(VERBS)}.")
    kind, read = reader
    try:
        return read(words[1:], total)
    except (ValueError, IndexError):
        raise UserError(f"{text!r} is not how {verb} is written: write {kind.usage}.") from None


def _one(words: list[str]) -> str:
    (word,) = words
    return word


def _rejoin(words: list[str], total: int) -> Rejoin:
    if len(words) == 2 and words[1] == "fresh":
        return Rejoin(parse_nodes(words[0], total), fresh=True)
    return Rejoin(parse_nodes(_one(words), total))


def _partition(words: list[str], total: int) -> Partition:
    if len(words) == 3 and words[1] == "from":
        nodes, others = parse_nodes(words[0], total), parse_nodes(words[2], total)
        return Partition(nodes, _disjoint(nodes, others))
    return Partition(parse_nodes(_one(words), total))


def _cut(words: list[str], total: int) -> Cut:
    first, _to, second = words
    if _to != "to":
        raise ValueError(_to)
    nodes, others = parse_nodes(first, total), parse_nodes(second, total)
    return Cut(nodes, _disjoint(nodes, others))


def _disjoint(nodes: Nodes, others: Nodes) -> Nodes:
    both = set(nodes) & set(others)
    if both:
        raise UserError(f"{format_nodes(both)} cannot stand on both sides of a cut: name each node once.")
    return others


def _heal(words: list[str], total: int) -> Heal:
    if words:
        raise ValueError(words)
    return Heal()


def _inject(words: list[str], total: int) -> Inject:
    (node,) = parse_nodes(_one(words), total)
    return Inject(node)


def _shape(words: list[str], total: int) -> Shape:
    nodes, others = parse_nodes(words[0], total), parse_nodes(words[1], total)
    parse_settings(words[2:], Link())
    return Shape(nodes, others, tuple(words[2:]))


VERBS: dict[str, tuple[type[Command], Callable[[list[str], int], AnyCommand]]] = {
    "kill": (Kill, lambda words, total: Kill(parse_nodes(_one(words), total))),
    "rejoin": (Rejoin, _rejoin),
    "leave": (Leave, lambda words, total: Leave(parse_nodes(_one(words), total))),
    "partition": (Partition, _partition),
    "cut": (Cut, _cut),
    "heal": (Heal, _heal),
    "inject": (Inject, _inject),
    "link": (Shape, _shape),
}
