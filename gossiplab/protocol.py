"""What a node runs: the base class of protocols, their parameters, rounds and messages.

A protocol file imports from `gossiplab`, which re-exports what stands here. A protocol never imports
`random` or `time`: randomness, the clock and the network are handed in by the lab through a `Host`,
so that the same seed gives the same run. Imports only events, experiment and errors.

    class Flood(Protocol):
        '''Tell everybody, once.'''

        period = param(1.0, unit="s", low=0.001, doc="seconds between rounds")

        def setup(self):                       # a node that remembers nothing
            self.known = set()

        @every("period")
        def gossip(self):                      # a round, on the node's own beat
            for peer in self.sample(1):
                self.send(peer, News(tuple(sorted(self.known))))

        def on_news(self, sender, news): ...   # called for each News that arrives
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from inspect import iscoroutinefunction, isgeneratorfunction
from random import Random
from typing import Any, ClassVar, TypeVar, cast, dataclass_transform
from typing import Protocol as Interface

import msgspec

from gossiplab.errors import ProtocolError, UserError
from gossiplab.events import View
from gossiplab.experiment import Cycle, Value
from gossiplab.replica.merkle import MerkleTree
from gossiplab.replica.store import State, Store

_MOST = 2.0**53  # up to here every whole number is a float, too

V = TypeVar("V", bool, int, float, str)
F = TypeVar("F", bound=Callable[..., None])


@dataclass_transform(frozen_default=True)  # or type checkers ask every message to say frozen=True again
class Message(msgspec.Struct, frozen=True):
    """Base of a protocol's messages: a struct with typed fields.

    A message is encoded when it is sent and decoded when it arrives, so that nodes share no objects,
    and its size in bytes is that of its encoding. `Ping` is handled by `on_ping(sender, message)`.
    """


class Param:
    """One parameter: its default, range and meaning. Made by `param`."""

    def __init__(
        self, default: Value, low: float, high: float, unit: str, choices: tuple[str, ...], doc: str
    ) -> None:
        self.name = ""
        self.default = default
        # no further than `read` goes
        self.low = low if math.isinf(low) else max(low, -_MOST)
        self.high = high if math.isinf(high) else min(high, _MOST)
        self.unit = unit
        self.choices = choices
        self.doc = doc

    def domain(self) -> str:
        """The values it may take, for people: "a number from 0 to 1"."""
        if isinstance(self.default, bool):
            return "true or false"
        if isinstance(self.default, str):
            return " or ".join(self.choices) or "any text"
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        if math.isinf(self.high):
            if math.isinf(self.low):
                return kind
            return f"{kind} from {self.low:g} up"
        return f"{kind} from {self.low:g} to {self.high:g}"

    def read(self, value: object) -> Value:
        """`value`, from a flag (a string) or a file, as this parameter's type. Raises UserError."""
        read: Value | None = None
        if isinstance(self.default, bool):
            read = {"true": True, "false": False}.get(str(value).lower())
        elif isinstance(self.default, str):
            read = str(value) if not self.choices or str(value) in self.choices else None
        elif not isinstance(value, bool):
            try:
                number = float(cast("str | float", value))
                whole = isinstance(self.default, int)
                if self.low <= number <= self.high and abs(number) <= _MOST and not (whole and number % 1):
                    read = int(number) if whole else number
            except (TypeError, ValueError, OverflowError):
                read = None
        if read is None:
            raise UserError(f"the parameter {self.name} cannot be {value!r}: give {self.domain()}.")
        return read


def param(
    default: V,
    *,
    low: float = 0,
    high: float = math.inf,
    unit: str = "",
    choices: Sequence[str] = (),
    doc: str = "",
) -> V:
    """Declare a parameter in the body of a protocol class; in its methods `self.NAME` is the value.

    The default gives the type: bool, int, float, or str (then `choices` lists all values, if not any text will do).
    low, high: the least and greatest value allowed. unit: such as "s". doc: one line for people.
    """
    # typed as the value it becomes, so that methods read `self.period` as a float
    return cast(V, Param(default, low, high, unit, tuple(choices), doc))


class Round:
    """How often a method runs. Made by `every`."""

    def __init__(self, name: str, period: str | float, phase: str) -> None:
        self.name = name
        self.period = period
        self.phase = phase


def every(period: str | float, *, phase: str = "random") -> Callable[[F], F]:
    """Run a method again and again: a round.

    period: seconds, or the name of the parameter, or of what setup makes of several, that holds them.
    phase: "random" (each node on a beat of its own), "aligned" (all nodes at 1, 2, 3 ... periods),
        or the name of what holds one of the two.
    """

    def mark(method: F) -> F:
        cast(Any, method).round = Round(method.__name__, period, phase)
        return method

    return mark


class Write(msgspec.Struct, frozen=True):
    """What a client asks a node to write. id: of the request. value: None deletes the key."""

    id: int
    key: str
    value: str | None


class Read(msgspec.Struct, frozen=True):
    """What a client asks a node to read. id: of the request."""

    id: int
    key: str


class Timer(Interface):
    """What `Protocol.after` returns."""

    def cancel(self) -> None:
        """Forget it. Nothing happens when it already ran."""


class Host(Interface):
    """What the lab gives a node: identity, time, randomness, the network, and a way to be seen."""

    id: int
    random: Random

    @property
    def now(self) -> float: ...
    @property
    def peers(self) -> Sequence[int]: ...
    def sample(self, k: int) -> list[int]: ...
    def send(self, peer: int, message: Message, carries: tuple[int, ...]) -> None: ...
    def after(self, delay: float, action: Callable[..., object], *args: Any) -> Timer: ...
    def learn(self, rumor: int) -> bool: ...
    def retire(self, rumor: int) -> None: ...
    def show(self, name: str, value: Any) -> None: ...
    def believe(self, about: int | Iterable[int], state: str, incarnation: int) -> None: ...
    def keep(self, view: View, peers: Iterable[int]) -> None: ...
    def open_store(
        self, conflict: str, tree: MerkleTree | None, holds: Callable[[str], bool] | None
    ) -> Store: ...
    def place(self, key: str, nodes: Iterable[int]) -> None: ...
    def answer(self, request: int, state: State | None) -> None: ...
    def refuse(self, request: int, why: str) -> None: ...
    def begin_repair(self, peer: int) -> int: ...
    def compared(self, repair: int, level: int, differing: Iterable[int], keys: int) -> None: ...
    def end_repair(self, repair: int, differing: int) -> None: ...


class Protocol:
    """Base of protocols: one instance is what one node runs, with its memory."""

    __slots__ = ("_host",)

    params: ClassVar[dict[str, Param]] = {}
    rounds: ClassVar[tuple[Round, ...]] = ()
    spreads_rumors: ClassVar[bool] = False
    stores_keys: ClassVar[bool] = False
    _host: Host

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        members = list(vars(cls).items())
        for name, value in members:
            _check_member(cls, name, value)
        cls.params = dict(cls.params)
        rounds = {each.name: each for each in cls.rounds}
        for name, value in members:
            if isinstance(value, Param):
                value.name = name
                value.read(value.default)
                cls.params[name] = value
                delattr(cls, name)
            elif isinstance(round_ := getattr(value, "round", None), Round):
                rounds[name] = round_
        cls.rounds = tuple(rounds.values())
        cls.spreads_rumors = cls.on_inject is not Protocol.on_inject
        cls.stores_keys = cls.on_write is not Protocol.on_write

    # what a protocol defines -------------------------------------------------------------------

    def setup(self) -> None:
        """Make the state of a node that remembers nothing: at the start, and when it rejoins fresh."""

    def rejoin(self) -> None:
        """Be back after a kill or a leave, with the memory of before."""

    def leave(self) -> None:
        """Say goodbye: the node stops when this returns."""

    def on_inject(self, rumor: int) -> None:
        """Begin to spread a new rumor, which this node has just learned."""
        raise ProtocolError(f"{type(self).__name__} spreads no rumors: inject has no meaning here.")

    def on_write(self, write: Write) -> None:
        """Take a client's write, and `answer` it when it is safe."""
        raise ProtocolError(f"{type(self).__name__} stores no keys: write has no meaning here.")

    def on_read(self, read: Read) -> None:
        """Take a client's read, and `answer` it."""
        raise ProtocolError(f"{type(self).__name__} stores no keys: read has no meaning here.")

    async def run(self) -> None:
        """A sequence with waits, as a trio task of the node; trio.sleep and timeouts run in virtual time."""

    @classmethod
    def complete(cls, params: dict[str, Value]) -> dict[str, Value]:
        """These parameters with the values that follow from others filled in, such as those of a profile.

        Raises ValueError with one sentence for what is allowed each on its own, and not together.
        """
        return params

    @classmethod
    def cycle(cls, params: dict[str, Value]) -> Cycle | None:
        """How rumors count their time under these parameters; None: in seconds."""
        return None

    @classmethod
    def stops_itself(cls, params: dict[str, Value]) -> bool:
        """Whether nodes lose interest in every rumor under these parameters: then a run can wait for that."""
        return False

    @classmethod
    def first_rumor(cls, params: dict[str, Value]) -> float:
        """When the one rumor is injected of a run that injects none itself, in seconds: once there is a way for it."""
        return 0.0

    # what the lab offers -----------------------------------------------------------------------

    @property
    def id(self) -> int:
        """This node, 0 .. n-1."""
        return self._host.id

    @property
    def now(self) -> float:
        """The virtual instant, in seconds."""
        return self._host.now

    @property
    def random(self) -> Random:
        """This node's own generator of random numbers."""
        return self._host.random

    @property
    def peers(self) -> Sequence[int]:
        """The nodes this one is linked with, in order."""
        return self._host.peers

    def sample(self, k: int) -> list[int]:
        """`k` different peers, uniformly at random; all of them when there are fewer."""
        return self._host.sample(k)

    def send(self, peer: int, message: Message, carries: tuple[int, ...] = ()) -> None:
        """Send a message. carries: the rumors whose update it holds, which count as traffic."""
        self._host.send(peer, message, carries)

    def after(self, delay: float, action: Callable[..., object], *args: Any) -> Timer:
        """Call `action(*args)` once, `delay` seconds from now, unless the node stops first."""
        return self._host.after(delay, action, *args)

    def learn(self, rumor: int) -> bool:
        """Say that this node now knows a rumor. True when it did not before."""
        return self._host.learn(rumor)

    def retire(self, rumor: int) -> None:
        """Say that this node has lost interest in a rumor it knows (it is removed)."""
        self._host.retire(rumor)

    def show(self, name: str, value: Any) -> None:
        """Let a value of this node be seen: a counter, a version."""
        self._host.show(name, value)

    def believe(self, about: int | Iterable[int], state: str, incarnation: int = 0) -> None:
        """Say what this node believes of a member, or of several: ALIVE, SUSPECTED, DEAD, LEFT or UNKNOWN.

        Say it whenever it changes, once; about itself, too, if it has an incarnation.
        """
        self._host.believe(about, state, incarnation)

    def keep(self, view: View, peers: Iterable[int]) -> None:
        """Say which peers this node now keeps in one of its views, so that the overlay can be seen and measured.

        view: "active" (its neighbours), "passive" (known in case they fail), "eager" or "lazy" (neighbours that get
        payloads at once, or announcements). Say it after every change; what has not changed costs little.
        """
        self._host.keep(view, peers)

    def open_store(
        self, conflict: str, tree: MerkleTree | None = None, holds: Callable[[str], bool] | None = None
    ) -> Store:
        """This node's disk, in setup: a `Store` of which every change is seen, and which commands can damage.

        At the start it holds the workload's keys; after a loss of memory nothing. conflict, tree: see `Store`.
        holds: which keys belong here; None: all.
        """
        return self._host.open_store(conflict, tree, holds)

    def place(self, key: str, nodes: Iterable[int]) -> None:
        """Say on which nodes a key belongs, in order of preference, where that is not on all."""
        self._host.place(key, nodes)

    def answer(self, request: int, state: State | None = None) -> None:
        """Give a client what it asked for. state: the delta that its write made, or what its read has found.

        Only the first answer or refusal of a request counts.
        """
        self._host.answer(request, state)

    def refuse(self, request: int, why: str) -> None:
        """Tell a client that its request has failed: "only 1 of 2 replicas answered"."""
        self._host.refuse(request, why)

    def begin_repair(self, peer: int) -> int:
        """Say that this node begins to compare its store with a peer's; returns the number of the repair."""
        return self._host.begin_repair(peer)

    def compared(self, repair: int, level: int = -1, differing: Iterable[int] = (), keys: int = 0) -> None:
        """Say that the message under way is part of a repair, on whichever side: its bytes count for it.

        level, differing: the level of the tree nodes that were compared and those of them that differ; -1: none were.
        keys: of how many keys the message brought a state.
        """
        self._host.compared(repair, level, differing, keys)

    def end_repair(self, repair: int, differing: int) -> None:
        """Say that a repair is over, on either side. differing: in how many keys the two differed."""
        self._host.end_repair(repair, differing)


def _check_member(protocol: type[Protocol], name: str, value: object) -> None:
    """Raises ProtocolError when something in a protocol's body would silently not do what it looks like."""
    where = f"{protocol.__name__}.{name}"
    waits = iscoroutinefunction(value)
    if name == "__init__":
        raise ProtocolError(f"{where} is never called: make the state of a node in setup(self)")
    if isinstance(value, Param) and hasattr(Protocol, name):
        raise ProtocolError(
            f"{where} cannot be a parameter, every protocol has something of that name: rename it"
        )
    if name == "run" and not waits:
        raise ProtocolError(f"{where} has to wait: write async def run(self)")
    called = name.startswith("on_") or hasattr(value, "round") or name in ("setup", "rejoin", "leave")
    if called and isgeneratorfunction(value):
        raise ProtocolError(
            f"{where} cannot yield: write a plain method, and put what has to wait into run(self)"
        )
    if called and waits:
        raise ProtocolError(f"{where} cannot be async: write def, and put what has to wait into run(self)")


def resolve_params(protocol: type[Protocol], given: dict[str, Any]) -> dict[str, Value]:
    """All of a protocol's parameters: those given, checked, and the defaults of the others. Raises UserError."""
    for name in given:
        if name not in protocol.params:
            known = ", ".join(protocol.params) or "none"
            raise UserError(f"{protocol.__name__} has no parameter {name!r}: it has {known}.")
    return {
        name: each.read(given[name]) if name in given else each.default
        for name, each in protocol.params.items()
    }


def handler_name(kind: str) -> str:
    """The method that handles a message type: "PullRequest" is handled by "on_pull_request"."""
    return "on_" + re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind).lower()
