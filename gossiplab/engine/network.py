"""The network: carries messages between nodes, and does to them what links, cuts and dead nodes do.

Its model is an ordered list of rules, as in turmoil: the last rule that speaks of a link decides how it
behaves, a cut is a rule of its own that stands above all others, and healing takes the cuts away again.
Cuts are looked at twice, when a message is sent and when it arrives: what is in flight when a cable is
cut does not get through.

What arrives at a node that is not open waits: in the network while messages to it are held, which is where cuts still
find it, or with the node while that is paused, as in the socket of a stopped process.

A message's fate on the link (loss, latency, a second copy) is drawn when it is sent, from the sending
node's own stream of random numbers. One stream a link would be purer, but a thousand nodes have a
million links, and 2.5 kB of generator for each of them is more memory than the machine has.
Imports kernel, node, commands, events and link; knows no protocol but the bytes it sends.
"""

from collections.abc import Callable, Iterable
from heapq import heapify, heappush
from random import Random
from typing import Any, cast

from msgspec import Raw
from msgspec.json import Decoder, Encoder

from gossiplab.commands import (
    AnyCommand,
    Cut,
    Delay,
    Drop,
    Duplicate,
    Heal,
    Hold,
    Partition,
    Release,
    Shape,
)
from gossiplab.engine.faults import finite
from gossiplab.engine.kernel import Entry, Kernel, Undone
from gossiplab.engine.node import Node, is_timer
from gossiplab.engine.watchdog import door
from gossiplab.errors import ProtocolError, first_line
from gossiplab.events import (
    AnyEvent,
    Delayed,
    Delivered,
    Dropped,
    Duplicated,
    Healed,
    Held,
    Sent,
    Severed,
    Shaped,
)
from gossiplab.link import Link, draw_latency, parse_settings
from gossiplab.nodeset import format_nodes
from gossiplab.protocol import Message, Protocol, handler_name

# sets of strings have another order in every process, unless they are put in order
_encode_in_order = Encoder(order="deterministic").encode
_encode_as_is = Encoder().encode

Handler = tuple[str, Callable[[bytes], Any], Callable[[Protocol, int, Any], None]]
"""A type of message: its name, how it is decoded, and how it is handled."""

Sender = Callable[[Protocol, int, Message, tuple[int, ...]], None]
"""What `Protocol.send` is in a lab."""

Flight = tuple[float, int, Callable[[Any], None], int, int, int, Handler, bytes, tuple[int, ...]]
"""A message in flight, as an entry of the kernel. What its action needs: the message's id, sender, receiver, type,
encoding, and the rumors it carries."""


def encode(value: object) -> bytes:
    """JSON that is the same in every process."""
    try:
        return _encode_in_order(value)
    except TypeError:  # msgspec cannot sort keys that are no strings; a dict is in order by itself
        return _encode_as_is(value)


class Channel:
    """A link made ready: decides what happens to one message after the other.

    plain: it has a uniform latency, low + width * random, and no other property.
    """

    __slots__ = ("link", "low", "plain", "width", "_busy", "_spread")

    def __init__(self, link: Link) -> None:
        self.link = link
        self._spread = kind, self.low, high = link.spread()
        self.width = high - self.low
        self.plain = kind != "lognormal" and link == Link(latency=link.latency)
        self._busy: dict[tuple[int, int], float] = {}

    def due(self, now: float, src: int, dst: int, size: int, rng: Random) -> float:
        """When a message of `size` bytes that is sent now arrives, if it does."""
        if self.plain:
            return now + self.low + self.width * rng.random()
        return now + self.latency(rng) + self._queue(now, src, dst, size)

    def latency(self, rng: Random) -> float:
        """Seconds in flight for one message, without the wait for bandwidth."""
        link = self.link
        seconds = draw_latency(self._spread, rng)
        if link.reorder and rng.random() < link.reorder:
            seconds += draw_latency(self._spread, rng)
        if link.jitter:
            seconds = max(0.0, seconds + link.jitter * (2 * rng.random() - 1))
        return seconds

    def _queue(self, now: float, src: int, dst: int, size: int) -> float:
        """Seconds that `size` bytes wait for and take the link's bandwidth, behind those sent before."""
        if not self.link.bandwidth:
            return 0.0
        free = max(now, self._busy.get((src, dst), 0.0)) + size / self.link.bandwidth
        self._busy[src, dst] = free
        return free - now

    def forget(self, src: int) -> None:
        """A node is gone: nothing of it waits for bandwidth any more."""
        self._busy = {link: free for link, free in self._busy.items() if link[0] != src}


class Network:
    """All links of a lab: of `size` nodes, which are in `nodes` when the first message is sent.

    emit: takes every event, or None when nobody looks. send: what `Protocol.send` is in this lab.
    changed: called when a carrying message has ended.
    """

    def __init__(
        self, kernel: Kernel, link: Link, nodes: list[Node], size: int, protocol: type[Protocol],
        emit: Callable[[AnyEvent], None] | None,
    ) -> None:  # fmt: skip
        self.dropped = self.duplicated = 0
        self.carrying = 0  # messages in flight that carry a rumor
        self.rumors = 0  # how many there are
        self.changed: Callable[[], None] = lambda: None
        self._clock = kernel.clock
        self._heap = kernel.heap
        self._sequence = kernel.sequence
        self._nodes = nodes
        self._size = size
        self._emit = emit
        self._link = link
        self._channel = Channel(link)
        self._shapes: list[tuple[frozenset[int], frozenset[int], Channel, bool]] = []
        self._held: frozenset[int] = frozenset()  # nodes at whose doors messages wait
        self._waiting: list[Flight] = []  # there
        self._received: set[int] = (
            set()
        )  # messages that have reached a paused node: a cut comes too late for them
        self._cuts: list[tuple[frozenset[int], frozenset[int], bool]] = []
        self._ids = 0
        self._protocol = protocol
        self._handlers: dict[type[Message], Handler] = {}
        self._arriving = self._arrive
        self.send = self._sender()
        self._look_again()

    @property
    def sent(self) -> int:
        """How many messages nodes have sent."""
        return self._ids - self.duplicated

    @property
    def delivered(self) -> int:
        """How many messages have reached their nodes: all that are neither lost nor in flight."""
        in_heap = sum(entry[2] is self._arriving for entry in self._heap)
        return self._ids - self.dropped - in_heap - self.waiting

    @property
    def waiting(self) -> int:
        """How many messages wait, held or for a paused node."""
        late = sum(entry[2] is self._arriving for node in self._nodes for entry in node.late or ())
        return len(self._waiting) + late

    # what commands do --------------------------------------------------------------------------

    def apply(self, command: AnyCommand) -> None:
        """Do what a command says; nothing if it is none for the self."""
        everybody = range(self._size)
        match command:
            case Partition(nodes, others):
                rest = tuple(sorted(set(everybody) - set(nodes))) if others is None else others
                if nodes and rest:
                    self.sever(nodes, rest, both=True)
            case Cut(nodes, others) if nodes and others:
                self.sever(nodes, others, both=False)
            case Heal():
                self.heal()
            case Shape(nodes, others, settings, one_way) if nodes and others:
                self.shape(nodes, others, settings, both=not one_way)
            case Hold(nodes):
                self.hold(self.held.union(everybody if nodes is None else nodes))
            case Release(nodes):
                self.hold(self.held.difference(everybody if nodes is None else nodes))
            case Drop(id):
                self.drop(id)
            case Delay(id, seconds):
                self.delay(id, seconds)
            case Duplicate(id):
                self.duplicate(id)
            case _:
                pass  # between nobody and somebody there is nothing to cut or to shape

    def sever(self, a: tuple[int, ...], b: tuple[int, ...], both: bool) -> None:
        """Lose every message from nodes `a` to nodes `b`, and with `both` the other way too."""
        self._cuts.append((frozenset(a), frozenset(b), both))
        self._look_again()
        if self._emit:
            self._emit(Severed(self._clock.now, format_nodes(a), format_nodes(b), both))

    def heal(self) -> None:
        """Undo every cut."""
        if self._cuts:
            self._cuts.clear()
            self._look_again()
            if self._emit:
                self._emit(Healed(self._clock.now))

    def shape(self, a: tuple[int, ...], b: tuple[int, ...], settings: tuple[str, ...], both: bool) -> None:
        """Give the links from `a` to `b`, with `both` the way back too, settings over the experiment's own."""
        self._shapes.append((frozenset(a), frozenset(b), Channel(parse_settings(settings, self._link)), both))
        self._look_again()
        if self._emit:
            self._emit(Shaped(self._clock.now, format_nodes(a), format_nodes(b), settings, both))

    def hold(self, nodes: Iterable[int]) -> None:
        """Hold what is sent to exactly these nodes, and let everything else come through that has waited."""
        held = frozenset(nodes)
        if held == self._held:
            return
        for id in sorted(held ^ self._held):
            self._nodes[id].hold(id in held)
        self._held = held
        if self._emit:
            self._emit(Held(self._clock.now, format_nodes(held)))
        free = [flight for flight in self._waiting if flight[5] not in held]
        self._waiting = [flight for flight in self._waiting if flight[5] in held]
        for flight in free:
            self._push(self._clock.now, flight)

    @property
    def held(self) -> frozenset[int]:
        """The nodes at whose doors messages wait."""
        return self._held

    def drop(self, id: int) -> None:
        """Lose a message in flight. Nothing happens when it is not."""
        flight = self._find(id, take=True)
        if flight is not None:
            self._drop(flight, "command")

    def delay(self, id: int, seconds: float) -> None:
        """Let a message in flight arrive so much later than it would; than now when it waits already."""
        flight = self._find(id, take=True)
        if flight is not None:
            due = max(flight[0], self._clock.now) + seconds
            self._received.discard(id)
            self._push(due, flight)
            if self._emit:
                self._emit(Delayed(self._clock.now, id, due))

    def duplicate(self, id: int) -> None:
        """Make a second copy of a message in flight, with a latency of its own."""
        flight = self._find(id, take=False)
        if flight is not None:
            rng = self._nodes[flight[4]].link_random
            self._copy(flight, self._clock.now + self._channel_between(flight[4], flight[5]).latency(rng))

    def _find(self, id: int, take: bool) -> Flight | None:
        """A message in flight, wherever it is; `take` it away from there."""
        for place in (self._heap, self._waiting, *(node.late for node in self._nodes if node.late)):
            for index, entry in enumerate(place):
                if entry[2] is self._arriving and entry[3] == id:
                    if take:
                        del place[index]
                    if take and place is self._heap:
                        heapify(self._heap)
                    return entry
        return None

    def _push(self, due: float, flight: Flight) -> None:
        heappush(self._heap, (due, next(self._sequence), *flight[2:]))

    def _look_again(self) -> None:
        """Find out whether all links are nothing but a latency: `_quick` is their channel then."""
        plain = self._channel.plain and not self._shapes and not self._cuts
        self._quick = self._channel if plain else None

    # what happens to messages ------------------------------------------------------------------

    def _sender(self) -> Sender:
        """Make `send`: one function from the protocol to the heap, because nothing is called more often.

        As calls of host, node, network and kernel, one after the other, it takes a sixth of a run longer.
        """

        def send(protocol: Protocol, peer: int, message: Message, carries: tuple[int, ...] = ()) -> None:
            node = cast(Node, protocol._host)  # pyright: ignore[reportPrivateUsage]  # which this lab handed in
            if node.guarded and not node.heard():
                return
            if type(peer) is not int or not 0 <= peer < self._size:
                raise ProtocolError(
                    f"n{node.id} sends to node {peer!r}, which does not exist: send to one of self.peers."
                )
            try:
                handler = self._handlers[type(message)]
            except KeyError:
                handler = self._find_handler(type(message))
            try:
                body = _encode_in_order(message)
            except TypeError:
                body = _encode_as_is(message)
            if carries:
                if carries.__class__ is not tuple:
                    carries = finite(carries)
                self._check_rumors(node, carries)
                self.carrying += 1
            now = self._clock.now
            channel = self._quick
            if channel is not None:
                due = now + channel.low + channel.width * node.link_random.random()
            else:
                channel = self._channel_between(node.id, peer)
                due = channel.due(now, node.id, peer, len(body), node.link_random)
            id = self._ids
            self._ids = id + 1
            emit = self._emit
            if emit is not None:
                emit(Sent(now, id, node.id, peer, due, handler[0], len(body), carries, Raw(body)))
            flight = (due, next(self._sequence), self._arriving, id, node.id, peer, handler, body, carries)
            if channel is self._quick:
                heappush(self._heap, flight)
            else:
                self._carry(flight, channel, node.link_random)

        return send

    def _carry(self, flight: Flight, channel: Channel, rng: Random) -> None:
        """Let a link that is cut, or more than a latency, do to a message what it does."""
        link, now = channel.link, self._clock.now
        src, dst = flight[4], flight[5]
        if self._cuts and self._is_cut(src, dst):
            self._drop(flight, "cut")
            return
        if link.loss and rng.random() < link.loss:
            self._drop(flight, "loss")
        else:
            heappush(self._heap, flight)
        if link.duplicate and rng.random() < link.duplicate:
            self._copy(flight, now + channel.latency(rng))

    def _copy(self, flight: Flight, due: float) -> None:
        """Send a second copy of a message on its way, which arrives at `due`."""
        copy = self._ids
        self._ids = copy + 1
        self.duplicated += 1
        if self._emit:
            self._emit(Duplicated(self._clock.now, copy, flight[3], due))
        if flight[8]:
            self.carrying += 1
        heappush(self._heap, (due, next(self._sequence), flight[2], copy, *flight[4:]))

    @door("node", "handle")
    def _arrive(self, flight: Flight) -> None:
        t, _, _, id, src, dst, (_, decode, handle), body, carries = flight
        node = self._nodes[dst]
        if not node.open and not self._admit(flight, node):
            return
        if self._cuts and id not in self._received and self._is_cut(src, dst):
            self._drop(flight, "cut")
        else:
            emit = self._emit
            if emit is not None:
                emit(Delivered(t, id))
            node.cause = id
            try:
                handle(node.protocol, src, decode(body))
            except BaseException as error:
                node.crash(error, first_line(handle))
            node.cause = None
            if carries:
                self.carrying -= 1
                self.changed()

    def _admit(self, flight: Flight, node: Node) -> bool:
        """Whether a node that is not open takes a message all the same. If not, it waits or is lost."""
        id, src, dst = flight[3], flight[4], flight[5]
        received = id in self._received
        if not node.up:
            self._drop(flight, "down")
        elif dst in self._held and not received:
            self._waiting.append(flight)
        elif self._cuts and not received and self._is_cut(src, dst):
            self._drop(flight, "cut")
        elif node.late is not None:
            self._received.add(id)
            node.late.append(flight)
        else:
            return True
        return False

    def culprit(self, flight: Flight) -> tuple[Node, object]:
        """Whose step the arrival of a message is, and in which function."""
        return self._nodes[flight[5]], flight[6][2]

    def undo(self, node: Node, events: Undone) -> None:
        """Make undone what `node` sent in the step under way, which emitted `events`; it will not send again."""
        self._ids -= len(events[Sent]) + len(events[Duplicated])
        self.duplicated -= len(events[Duplicated])
        self.dropped -= len(events[Dropped])
        first = self._ids
        kept: list[Entry] = []
        for entry in self._heap:
            if entry[2] is self._arriving and entry[3] >= first:
                self.carrying -= bool(entry[8])
            elif not is_timer(entry) or entry[2].__self__.node is not node:
                kept.append(entry)
        self._heap[:] = kept
        heapify(self._heap)
        for channel in (self._channel, *(channel for _, _, channel, _ in self._shapes)):
            channel.forget(node.id)

    def _check_rumors(self, node: Node, carries: tuple[int, ...]) -> None:
        for rumor in carries:
            if rumor.__class__ is not int or not 0 <= rumor < self.rumors:
                raise ProtocolError(
                    f"n{node.id} sends rumor {rumor!r}, which nobody injected: use the ids on_inject gives"
                )

    def _find_handler(self, kind: type[Any]) -> Handler:
        if not issubclass(kind, Message):
            raise ProtocolError(
                f"{self._protocol.__name__} sends a {kind.__name__}, which is no message: derive one from Message"
            )
        name = handler_name(kind.__name__)
        handle = getattr(self._protocol, name, None)
        if handle is None:
            raise ProtocolError(
                f"{self._protocol.__name__} cannot handle {kind.__name__}: define {name}(self, sender, message)"
            )
        found = self._handlers[kind] = (kind.__name__, Decoder(kind).decode, handle)
        return found

    def _drop(self, flight: Flight, why: str) -> None:
        self.dropped += 1
        if self._emit:
            self._emit(Dropped(self._clock.now, flight[3], why))
        if flight[8]:
            self.carrying -= 1
            self.changed()

    def _channel_between(self, src: int, dst: int) -> Channel:
        for a, b, channel, both in reversed(self._shapes):
            if (src in a and dst in b) or (both and src in b and dst in a):
                return channel
        return self._channel

    def _is_cut(self, src: int, dst: int) -> bool:
        return any((src in a and dst in b) or (both and src in b and dst in a) for a, b, both in self._cuts)
