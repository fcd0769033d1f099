"""The network: carries messages between nodes, and does to them what links, cuts and dead nodes do.

Its model is an ordered list of rules, as in turmoil: the last rule that speaks of a link decides how it
behaves, a cut is a rule of its own that stands above all others, and healing takes the cuts away again.
Cuts are looked at twice, when a message is sent and when it arrives: what is in flight when a cable is
cut does not get through.

A message's fate on the link (loss, latency, a second copy) is drawn when it is sent, from the sending
node's own stream of random numbers. One stream a link would be purer, but a thousand nodes have a
million links, and 2.5 kB of generator for each of them is more memory than the machine has.
Imports kernel, node, events and link; knows no protocol but the bytes it sends.
"""

from collections.abc import Callable
from random import Random
from typing import Any

from msgspec import Raw
from msgspec.json import Decoder, Encoder

from gossiplab.engine.kernel import Kernel
from gossiplab.engine.node import Node
from gossiplab.errors import ProtocolError, first_line
from gossiplab.events import AnyEvent, Delivered, Dropped, Duplicated, Healed, Sent, Severed, Shaped
from gossiplab.link import Link, draw_latency, parse_settings
from gossiplab.nodeset import format_nodes
from gossiplab.protocol import Message, Protocol, handler_name

_encode_in_order = Encoder(
    order="deterministic"
).encode  # sets of strings have another order in every process
_encode_as_is = Encoder().encode

Handler = tuple[Callable[[bytes], Any], Callable[[Protocol, int, Any], None]]
"""How a type of message is decoded and handled."""

Flight = tuple[int, int, int, Handler, bytes, tuple[int, ...]]
"""A message in flight: its id, sender, receiver, how it is handled, its encoding, and the rumors it carries."""


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

    def latency(self, rng: Random) -> float:
        """Seconds in flight for one message, without the wait for bandwidth."""
        link = self.link
        seconds = draw_latency(self._spread, rng)
        if link.reorder and rng.random() < link.reorder:
            seconds += draw_latency(self._spread, rng)
        if link.jitter:
            seconds = max(0.0, seconds + link.jitter * (2 * rng.random() - 1))
        return seconds

    def queue(self, now: float, src: int, dst: int, size: int) -> float:
        """Seconds that `size` bytes wait for and take the link's bandwidth, behind those sent before."""
        if not self.link.bandwidth:
            return 0.0
        free = max(now, self._busy.get((src, dst), 0.0)) + size / self.link.bandwidth
        self._busy[src, dst] = free
        return free - now


class Network:
    """All links of a lab. Counts messages as it goes.

    emit: takes every event, or None when nobody looks. changed: called when a carrying message has ended.
    """

    def __init__(
        self, kernel: Kernel, link: Link, nodes: list[Node], protocol: type[Protocol],
        emit: Callable[[AnyEvent], None] | None,
    ) -> None:  # fmt: skip
        self.delivered = self.dropped = self.duplicated = self.bytes = 0
        self.carrying = 0  # messages in flight that carry a rumor
        self.rumors = 0  # how many there are
        self.changed: Callable[[], None] = lambda: None
        self._kernel = kernel
        self._clock = kernel.clock
        self._nodes = nodes
        self._emit = emit
        self._link = link
        self._channel = Channel(link)
        self._shapes: list[tuple[frozenset[int], frozenset[int], Channel]] = []
        self._cuts: list[tuple[frozenset[int], frozenset[int], bool]] = []
        self._ids = 0
        self._protocol = protocol
        self._handlers: dict[type[Message], Handler] = {}

    @property
    def sent(self) -> int:
        """How many messages nodes have sent."""
        return self._ids - self.duplicated

    # what commands do --------------------------------------------------------------------------

    def sever(self, a: tuple[int, ...], b: tuple[int, ...], both: bool) -> None:
        """Lose every message from nodes `a` to nodes `b`, and with `both` the other way too."""
        self._cuts.append((frozenset(a), frozenset(b), both))
        if self._emit:
            self._emit(Severed(self._clock.now, format_nodes(a), format_nodes(b), both))

    def heal(self) -> None:
        """Undo every cut."""
        if self._cuts:
            self._cuts.clear()
            if self._emit:
                self._emit(Healed(self._clock.now))

    def shape(self, a: tuple[int, ...], b: tuple[int, ...], settings: tuple[str, ...]) -> None:
        """Give the links between `a` and `b` settings over the experiment's own."""
        self._shapes.append((frozenset(a), frozenset(b), Channel(parse_settings(settings, self._link))))
        if self._emit:
            self._emit(Shaped(self._clock.now, format_nodes(a), format_nodes(b), settings))

    # what nodes do -----------------------------------------------------------------------------

    def send(self, node: Node, peer: int, message: Message, carries: tuple[int, ...]) -> None:
        """Put a message from `node` on the link to `peer`. Raises ProtocolError when that has no meaning."""
        if peer.__class__ is not int or not 0 <= peer < len(self._nodes):
            raise ProtocolError(
                f"n{node.id} sends to node {peer!r}, which does not exist: send to one of self.peers."
            )
        kind = message.__class__
        handler = self._handlers.get(kind) or self._find_handler(kind)
        body = encode(message)
        if carries:
            self._check_rumors(node, carries)
        src, now = node.id, self._clock.now
        channel = self._channel_between(src, peer) if self._shapes else self._channel
        if channel.plain:
            due = now + channel.low + channel.width * node.link_random.random()
        else:
            due = now + channel.latency(node.link_random) + channel.queue(now, src, peer, len(body))
        id = self._ids
        self._ids = id + 1
        self.bytes += len(body)
        if self._emit:
            self._emit(Sent(now, id, src, peer, due, kind.__name__, len(body), carries, Raw(body)))
        flight = (id, src, peer, handler, body, carries)
        if carries:
            self.carrying += 1
        if self._cuts and self._is_cut(src, peer):
            self._drop(flight, "cut")
        elif channel.plain:
            self._kernel.at(due, self._arrive, flight)
        else:
            self._carry(flight, due, channel, node.link_random)

    def _carry(self, flight: Flight, due: float, channel: Channel, rng: Random) -> None:
        """Let a link that is more than a latency do to a message what it does."""
        link, now = channel.link, self._clock.now
        if link.loss and rng.random() < link.loss:
            self._drop(flight, "loss")
        else:
            self._kernel.at(due, self._arrive, flight)
        if link.duplicate and rng.random() < link.duplicate:
            due = now + channel.latency(rng)
            copy = self._ids
            self._ids = copy + 1
            self.duplicated += 1
            if self._emit:
                self._emit(Duplicated(now, copy, flight[0], due))
            if flight[5]:
                self.carrying += 1
            self._kernel.at(due, self._arrive, (copy, *flight[1:]))

    def _arrive(self, flight: Flight) -> None:
        id, src, dst, (decode, handle), body, carries = flight
        node = self._nodes[dst]
        if not node.up:
            self._drop(flight, "down")
        elif self._cuts and self._is_cut(src, node.id):
            self._drop(flight, "cut")
        else:
            self.delivered += 1
            if self._emit:
                self._emit(Delivered(self._clock.now, id))
            node.cause = id
            try:
                handle(node.protocol, src, decode(body))
            except (Exception, SystemExit) as error:
                node.crash(error, first_line(handle))
            node.cause = None
            if carries:
                self.carrying -= 1
                self.changed()

    def culprit(self, flight: Flight) -> tuple[Node, object]:
        """Whose step the arrival of a message is, and in which function."""
        return self._nodes[flight[2]], flight[3][1]

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
        found = self._handlers[kind] = (Decoder(kind).decode, handle)
        return found

    def _drop(self, flight: Flight, why: str) -> None:
        self.dropped += 1
        if self._emit:
            self._emit(Dropped(self._clock.now, flight[0], why))
        if flight[5]:
            self.carrying -= 1
            self.changed()

    def _channel_between(self, src: int, dst: int) -> Channel:
        for a, b, channel in reversed(self._shapes):
            if (src in a and dst in b) or (src in b and dst in a):
                return channel
        return self._channel

    def _is_cut(self, src: int, dst: int) -> bool:
        return any((src in a and dst in b) or (both and src in b and dst in a) for a, b, both in self._cuts)
