"""What can be done to a lab, and how it is written. Imports only roster, nodeset, link, workload and errors.

A command reads the same on the command line (`--at "3 kill n0"`), in an experiment file, in the
lab's palette and in a recording. `parse_command` is the only reader and `str(command)` writes the
one canonical form, in which all nodes are named: parsing it again gives an equal command.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Self

import msgspec

from gossiplab.errors import UserError
from gossiplab.link import Link, parse_settings
from gossiplab.nodeset import format_nodes
from gossiplab.roster import Roster, Words, write_number
from gossiplab.workload import MOST_BYTES, MOST_KEYS

Nodes = tuple[int, ...]
MOST_SECONDS = 1e6  # of anything that lasts; an experiment's own bound
_SHORTEST = 0.001  # s; what repeats faster than that would hardly let time pass


class Command(msgspec.Struct, frozen=True):
    """Base of all commands."""

    usage: ClassVar[str] = ""
    doc: ClassVar[str] = ""

    @classmethod
    def read(cls, words: Words) -> Self:
        """Take what follows the verb. Raises UserError; ValueError or IndexError when it is not how it is written."""
        raise NotImplementedError


class _OnNodes(Command, frozen=True):
    """Base of commands that say nothing but to which nodes."""

    nodes: Nodes

    @classmethod
    def read(cls, words: Words) -> Self:
        return cls(words.nodes())

    def __str__(self) -> str:
        return f"{self.usage.partition(' ')[0]} {format_nodes(self.nodes)}"


class Kill(_OnNodes, frozen=True):
    """Stop nodes at once, in the middle of whatever they do. Messages to them are lost."""

    usage: ClassVar[str] = "kill NODES"
    doc: ClassVar[str] = "stop nodes at once"


class Rejoin(Command, frozen=True):
    """Start nodes that are down, with the memory they had, or `fresh` with none."""

    nodes: Nodes
    fresh: bool = False
    usage: ClassVar[str] = "rejoin NODES [fresh]"
    doc: ClassVar[str] = "start nodes that are down, with their memory or fresh"

    @classmethod
    def read(cls, words: Words) -> Self:
        return cls(words.nodes(), words.take("fresh"))

    def __str__(self) -> str:
        return f"rejoin {format_nodes(self.nodes)}{' fresh' if self.fresh else ''}"


class Leave(_OnNodes, frozen=True):
    """Let nodes say goodbye and stop."""

    usage: ClassVar[str] = "leave NODES"
    doc: ClassVar[str] = "let nodes leave gracefully"


class Pause(_OnNodes, frozen=True):
    """Freeze nodes, as SIGSTOP does: alive, but nothing of them runs. What is sent to them waits."""

    usage: ClassVar[str] = "pause NODES"
    doc: ClassVar[str] = "freeze nodes: alive, but they do nothing, and messages wait for them"


class Resume(_OnNodes, frozen=True):
    """Let paused nodes go on: what came due meanwhile happens at once, in order, a missed round once."""

    usage: ClassVar[str] = "resume NODES"
    doc: ClassVar[str] = "let paused nodes go on, with what has waited for them"


class Partition(Command, frozen=True):
    """Cut every link between two sets of nodes, in both directions. Without `others`: from all the rest."""

    nodes: Nodes
    others: Nodes | None = None
    usage: ClassVar[str] = "partition NODES [from NODES] | partition bridge"
    doc: ClassVar[str] = "cut nodes off from the rest, or from other nodes"

    @classmethod
    def read(cls, words: Words) -> Self:
        if words.take("bridge"):
            low, high = words.roster.bridge()
            return cls((low,), (high,))
        nodes = words.nodes()
        return cls(nodes, _disjoint(nodes, words.nodes()) if words.take("from") else None)

    def __str__(self) -> str:
        rest = "" if self.others is None else f" from {format_nodes(self.others)}"
        return f"partition {format_nodes(self.nodes)}{rest}"


class Cut(Command, frozen=True):
    """Cut one direction: messages from `nodes` to `others` are lost, the way back stays open."""

    nodes: Nodes
    others: Nodes
    usage: ClassVar[str] = "cut NODES to NODES"
    doc: ClassVar[str] = "cut one direction only"

    @classmethod
    def read(cls, words: Words) -> Self:
        nodes = words.nodes()
        words.expect("to")
        return cls(nodes, _disjoint(nodes, words.nodes()))

    def __str__(self) -> str:
        return f"cut {format_nodes(self.nodes)} to {format_nodes(self.others)}"


class _Alone(Command, frozen=True):
    """Base of commands of one word."""

    @classmethod
    def read(cls, words: Words) -> Self:
        return cls()

    def __str__(self) -> str:
        return self.usage


class Heal(_Alone, frozen=True):
    """Undo every partition and every cut. Links that were shaped stay as they are."""

    usage: ClassVar[str] = "heal"
    doc: ClassVar[str] = "undo all partitions and cuts"


class Inject(Command, frozen=True):
    """Give one node a new rumor to spread."""

    node: int
    usage: ClassVar[str] = "inject NODE"
    doc: ClassVar[str] = "give a node a new rumor"

    @classmethod
    def read(cls, words: Words) -> Self:
        (node,) = words.nodes()
        return cls(node)

    def __str__(self) -> str:
        return f"inject n{self.node}"


class _OnKey(Command, frozen=True):
    """Base of commands that let a client ask one node about one key: a word, of any characters but spaces."""

    node: int
    key: str

    @classmethod
    def read(cls, words: Words) -> Self:
        (node,) = words.nodes()
        (key,) = words.rest()
        return cls(node, key)

    def __str__(self) -> str:
        return f"{self.usage.partition(' ')[0]} n{self.node} {self.key}"


class Write(Command, frozen=True):
    """Let a client write a value at a node. value: any text without spaces at its ends or side by side."""

    node: int
    key: str
    value: str
    usage: ClassVar[str] = "write NODE KEY VALUE"
    doc: ClassVar[str] = "let a client write a key at a node"

    @classmethod
    def read(cls, words: Words) -> Self:
        (node,) = words.nodes()
        key, *value = words.rest()
        if not value:
            raise ValueError("value")
        text = " ".join(value)
        if len(text.encode()) > MOST_BYTES:
            raise UserError(
                f"the value for {key[:200]!r} is larger than 1 MiB, the most a store takes: write less."
            )
        return cls(node, key, text)

    def __str__(self) -> str:
        return f"write n{self.node} {self.key} {self.value}"


class Delete(_OnKey, frozen=True):
    """Let a client delete a key at a node."""

    usage: ClassVar[str] = "delete NODE KEY"
    doc: ClassVar[str] = "let a client delete a key at a node"


class Read(_OnKey, frozen=True):
    """Let a client read a key at a node."""

    usage: ClassVar[str] = "read NODE KEY"
    doc: ClassVar[str] = "let a client read a key at a node"


class Wipe(_OnNodes, frozen=True):
    """Lose the disks of nodes, which go on without their data and do not notice."""

    usage: ClassVar[str] = "wipe NODES"
    doc: ClassVar[str] = "lose the data on the disks of nodes"


class Backup(_OnNodes, frozen=True):
    """Keep a copy of what is on the disks of nodes, for `restore`."""

    usage: ClassVar[str] = "backup NODES"
    doc: ClassVar[str] = "keep a copy of the data of nodes"


class Restore(_OnNodes, frozen=True):
    """Roll the disks of nodes back to their last backup, or to what they were at the start."""

    usage: ClassVar[str] = "restore NODES"
    doc: ClassVar[str] = "roll data back to the last backup, or to the start"


class Corrupt(Command, frozen=True):
    """Change the values of so many keys, drawn at random, on the disks of nodes, without a trace."""

    nodes: Nodes
    keys: int
    usage: ClassVar[str] = "corrupt NODES KEYS"
    doc: ClassVar[str] = "silently change the values of so many keys"

    @classmethod
    def read(cls, words: Words) -> Self:
        nodes = words.nodes()
        keys = words.number("the number of keys to corrupt", 1, MOST_KEYS, "a whole number")
        if keys % 1:
            raise ValueError("keys")
        return cls(nodes, int(keys))

    def __str__(self) -> str:
        return f"corrupt {format_nodes(self.nodes)} {self.keys}"


class Shape(Command, frozen=True):
    """Change what the links between two sets of nodes do to messages, in both directions; `one_way`: only to `others`.

    What is not named is as the experiment has it; without any setting the links are as they were.
    """

    nodes: Nodes
    others: Nodes
    settings: tuple[str, ...] = ()
    one_way: bool = False
    usage: ClassVar[str] = (
        "link NODES [to] NODES [latency=S] [jitter=S] [loss=P] [duplicate=P] [reorder=P] [bandwidth=B]"
    )
    doc: ClassVar[str] = "shape the links between nodes, with `to` in one direction"

    @classmethod
    def read(cls, words: Words) -> Self:
        nodes, one_way = words.nodes(), words.take("to")
        others, settings = words.nodes(), words.rest()
        parse_settings(settings, Link())
        return cls(nodes, others, settings, one_way)

    def __str__(self) -> str:
        to = " to" if self.one_way else ""
        words = f"link {format_nodes(self.nodes)}{to} {format_nodes(self.others)} {' '.join(self.settings)}"
        return words.rstrip()


class Skew(Command, frozen=True):
    """Let the clocks of nodes go wrong: at another `rate` (1: right) from now on, or ahead by `offset` seconds.

    Exactly one of the two is given; neither: the clocks are set right.
    """

    nodes: Nodes
    rate: float | None = None
    offset: float | None = None
    usage: ClassVar[str] = "skew NODES RATE | skew NODES +S | skew NODES -S | skew NODES off"
    doc: ClassVar[str] = "let clocks run fast or slow (1.05), jump (+0.5 s), or be right again (off)"

    @classmethod
    def read(cls, words: Words) -> Self:
        nodes = words.nodes()
        if words.take("off"):
            return cls(nodes)
        (word,) = words.rest()
        one = Words([word.removesuffix("s")], words.roster)
        if word[0] in "+-":
            offset = one.number("the offset of a clock", -MOST_SECONDS, MOST_SECONDS, "seconds")
            return cls(nodes, offset=offset + 0.0)  # there is no -0
        return cls(
            nodes, rate=Words([word], words.roster).number("the rate of a clock", 0.01, 100, "a factor")
        )

    def __str__(self) -> str:
        if self.offset is not None:
            return (
                f"skew {format_nodes(self.nodes)} {'' if self.offset < 0 else '+'}{write_number(self.offset)}"
            )
        return f"skew {format_nodes(self.nodes)} {'off' if self.rate is None else write_number(self.rate)}"


class Flap(Command, frozen=True):
    """Kill nodes and let them rejoin with their memory, again and again: `down` and `up` seconds in turn.

    seconds: for how long; None: until calm is commanded. Then those it has down rejoin.
    """

    nodes: Nodes
    up: float
    down: float
    seconds: float | None = None
    usage: ClassVar[str] = "flap NODES up=S down=S [for=S]"
    doc: ClassVar[str] = "kill nodes and let them rejoin, again and again"

    @classmethod
    def read(cls, words: Words) -> Self:
        nodes = words.nodes()
        up, down = _lasting(words, "up"), _lasting(words, "down")
        if up is None or down is None:
            raise ValueError("up, down")
        return cls(nodes, up, down, _lasting(words, "for"))

    def __str__(self) -> str:
        text = f"flap {format_nodes(self.nodes)} up={write_number(self.up)} down={write_number(self.down)}"
        return text + _for(self.seconds)


class Churn(Command, frozen=True):
    """Let nodes die at `rate` deaths a second in the whole lab, and rejoin after `down` seconds on average.

    Both times are exponential. seconds: for how long; None: until calm is commanded. Then the dead rejoin.
    """

    rate: float
    down: float = 2.0
    seconds: float | None = None
    fresh: bool = False
    usage: ClassVar[str] = "churn RATE [down=S] [for=S] [fresh]"
    doc: ClassVar[str] = "let random nodes die and rejoin, so many a second"

    @classmethod
    def read(cls, words: Words) -> Self:
        rate = words.number("the rate of a churn", 0.001, 1000, "deaths a second")
        down = _lasting(words, "down")
        return cls(rate, 2.0 if down is None else down, _lasting(words, "for"), words.take("fresh"))

    def __str__(self) -> str:
        down = "" if self.down == 2 else f" down={write_number(self.down)}"
        return f"churn {write_number(self.rate)}{down}{_for(self.seconds)}{' fresh' if self.fresh else ''}"


class Calm(_Alone, frozen=True):
    """End every flap and every churn: the nodes that they have down rejoin."""

    usage: ClassVar[str] = "calm"
    doc: ClassVar[str] = "end all flapping and churn"


class _OnMessage(Command, frozen=True):
    """Base of commands that say nothing but to which message."""

    message: int

    @classmethod
    def read(cls, words: Words) -> Self:
        return cls(words.message())

    def __str__(self) -> str:
        return f"{self.usage.partition(' ')[0]} m{self.message}"


class Drop(_OnMessage, frozen=True):
    """Lose a message that is in flight."""

    usage: ClassVar[str] = "drop MESSAGE"
    doc: ClassVar[str] = "lose a message in flight, such as m12"


class Delay(Command, frozen=True):
    """Let a message that is in flight arrive later."""

    message: int
    seconds: float
    usage: ClassVar[str] = "delay MESSAGE S"
    doc: ClassVar[str] = "let a message in flight arrive so many seconds later"

    @classmethod
    def read(cls, words: Words) -> Self:
        return cls(words.message(), words.number("the delay of a message", 0, MOST_SECONDS, "seconds"))

    def __str__(self) -> str:
        return f"delay m{self.message} {write_number(self.seconds)}"


class Duplicate(_OnMessage, frozen=True):
    """Make a second copy of a message that is in flight, with a latency of its own from now on."""

    usage: ClassVar[str] = "duplicate MESSAGE"
    doc: ClassVar[str] = "send a second copy of a message in flight"


class _OnSome(Command, frozen=True):
    """Base of commands to all nodes, unless some are named."""

    nodes: Nodes | None = None

    @classmethod
    def read(cls, words: Words) -> Self:
        return cls(words.nodes() if words.more() else None)

    def __str__(self) -> str:
        verb = self.usage.partition(" ")[0]
        return verb if self.nodes is None else f"{verb} {format_nodes(self.nodes)}"


class Hold(_OnSome, frozen=True):
    """Let no message arrive, or none at these nodes: what comes meanwhile waits at their doors."""

    usage: ClassVar[str] = "hold [NODES]"
    doc: ClassVar[str] = "keep all messages in flight, or those to some nodes"


class Release(_OnSome, frozen=True):
    """Let messages arrive that are held, in the order in which they would have."""

    usage: ClassVar[str] = "release [NODES]"
    doc: ClassVar[str] = "let held messages arrive"


AnyCommand = (
    Kill | Rejoin | Leave | Pause | Resume | Partition | Cut | Heal | Inject | Shape | Skew | Flap | Churn | Calm
    | Drop | Delay | Duplicate | Hold | Release | Write | Delete | Read | Wipe | Backup | Restore | Corrupt
)  # fmt: skip


def parse_command(text: str, lab: int | Roster) -> AnyCommand:
    """Read a command for a lab of so many nodes, or of the nodes of a roster, who may be drawn and meant by name.

    Raises UserError, which says how it is written.
    """
    roster = Roster(lab) if isinstance(lab, int) else lab
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise UserError(f"the command {text[:200]!a} holds bytes that are no UTF-8: write it in UTF-8.")
    verb, *rest = text.split() or [""]
    reader = VERBS.get(verb)
    if reader is None:
        raise UserError(f"{text!r} is no command: the commands are {', '.join(VERBS)}.")
    kind, read = reader
    words = Words(rest, roster)
    try:
        command = read(words)
        words.end()
    except (ValueError, IndexError):
        raise UserError(f"{text!r} is not how {verb} is written: write {kind.usage}.") from None
    return command


def _disjoint(nodes: Nodes, others: Nodes) -> Nodes:
    both = set(nodes) & set(others)
    if both:
        raise UserError(f"{format_nodes(both)} cannot stand on both sides of a cut: name each node once.")
    return others


def _lasting(words: Words, name: str) -> float | None:
    return words.setting(name, _SHORTEST, MOST_SECONDS, "seconds")


def _for(seconds: float | None) -> str:
    return "" if seconds is None else f" for={write_number(seconds)}"


_KINDS: dict[str, Any] = {
    "kill": Kill, "rejoin": Rejoin, "leave": Leave, "pause": Pause, "resume": Resume, "partition": Partition,
    "cut": Cut, "heal": Heal, "inject": Inject, "link": Shape, "skew": Skew, "flap": Flap, "churn": Churn,
    "calm": Calm, "hold": Hold, "release": Release, "drop": Drop, "delay": Delay, "duplicate": Duplicate,
    "write": Write, "delete": Delete, "read": Read, "wipe": Wipe, "backup": Backup, "restore": Restore,
    "corrupt": Corrupt,
}  # fmt: skip
VERBS: dict[str, tuple[type[Command], Callable[[Words], AnyCommand]]] = {
    verb: (kind, kind.read) for verb, kind in _KINDS.items()
}
"""How each command begins, what it is, and how the rest of it is read."""
