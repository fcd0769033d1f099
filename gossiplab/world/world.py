"""The World: what the events up to a virtual time add up to. Imports parts, events and experiment.

Live, paused, rewound and replayed views all draw a World and nothing but a World, so a replay is not a
second program. Folding an event costs well under a microsecond and never looks back: a World holds
everything that a view needs to draw its instant, and is small enough to be written into recordings as a
keyframe.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec

from gossiplab.events import (
    Answered,
    AnyEvent,
    Began,
    Believed,
    Calmed,
    Commanded,
    Compared,
    Crashed,
    Delayed,
    Delivered,
    Departed,
    Dropped,
    Duplicated,
    Emptied,
    Ended,
    Event,
    Header,
    Healed,
    Held,
    Injected,
    Kept,
    Killed,
    Learned,
    Listed,
    Paused,
    Placed,
    Refused,
    Rejoined,
    Repaired,
    Repairing,
    Requested,
    Resumed,
    Retired,
    Seeded,
    Sent,
    Severed,
    Shaped,
    Shown,
    Skewed,
    Stored,
    Versioned,
    View,
    Wired,
)  # fmt: skip
from gossiplab.experiment import Cycle
from gossiplab.nodeset import parse_nodes
from gossiplab.world.accuracy import accuracy
from gossiplab.world.estimates import ESTIMATE, Spread, keep, spread
from gossiplab.world.membership import DOWN, Membership
from gossiplab.world.parted import parted
from gossiplab.world.parts import (
    ALIVE,
    CONVERGED,
    CRASHED,
    DEAD,
    LEFT,
    LOST,
    PAUSED,
    Arrival,
    Clock,
    Crash,
    CutSet,
    Deed,
    Loss,
    Moment,
    Node,
    Rumor,
    ShapeSet,
    Tally,
)
from gossiplab.world.replicas import Replicas
from gossiplab.world.series import Counts, Series

LINGER = (
    1.0  # virtual seconds for which a lost message stays in `lost`, at least, after it would have arrived
)
_FEW = 256  # messages in `lost` that are looked through at every loss
MOST_KINDS = 32  # types of messages that are counted each on its own; those beyond count as OTHER_KINDS
OTHER_KINDS = "other types"
MOST_MOMENTS = 512  # kept; beyond, every second one goes, so that churn for hours does not swell keyframes
_instant = attrgetter("t")


class World(msgspec.Struct, kw_only=True):
    """What is so at virtual time `t`, the instant of the last of `events` events.

    edges: pairs of linked nodes, None when everybody is linked with everybody. flights: messages under way
    by id. lost: messages dropped a moment ago. handled: the message delivered last. ended: why the run is
    over, None while it is not. membership: what nodes believe of one another. overlay: of every node the peers
    that it keeps, by view, as it said last; empty while no node has said anything. held: the nodes, as a set is written,
    at whose doors messages wait. unrest: flaps and churns under way, by their commands. clocks: of nodes whose clocks
    are wrong.

    down: nodes that are not up. kinds: sent messages by type, in the order in which types came up. useful,
    redundant: deliveries of messages that carry rumors, of which the receiver at that instant knew not all, or
    all and so was taught nothing; what carries no rumor counts as neither. moments: what was notable, in order.
    series: these counts over time, see `counts`. replicas: what nodes hold; unset while nobody stores keys. estimates: where those
    of the nodes were at the end of each bin; unset while nobody shows one.
    """

    t: float = 0.0
    events: int = 0
    cycle: Cycle | None = None
    edges: tuple[tuple[int, int], ...] | None = None
    nodes: list[Node] = []
    flights: dict[int, Sent] = {}
    lost: list[Loss] = []
    handled: Sent | None = None
    rumors: list[Rumor] = []
    cuts: list[CutSet] = []
    shapes: list[ShapeSet] = []
    deeds: list[Deed] = []
    crashes: list[Crash] = []
    sent: int = 0
    delivered: int = 0
    dropped: int = 0
    duplicated: int = 0
    bytes: int = 0
    overlay: list[dict[View, tuple[int, ...]]] = []
    ended: str | None = None
    held: str = "none"
    unrest: list[str] = []
    clocks: dict[int, Clock] = {}
    membership: Membership = msgspec.field(default_factory=lambda: Membership([], [], [], {}))
    down: int = 0
    kinds: dict[str, Tally] = {}
    useful: int = 0
    redundant: int = 0
    moments: list[Moment] = []
    series: Series = msgspec.field(default_factory=Series)
    replicas: Replicas | msgspec.UnsetType = msgspec.UNSET
    estimates: list[Spread] | msgspec.UnsetType = msgspec.UNSET

    def apply(self, batch: Iterable[AnyEvent]) -> None:
        """Fold events, in their order."""
        events = batch if isinstance(batch, list) else list(batch)
        while events and events[-1].t >= (edge := self.series.edge):
            within = bisect_left(events, edge, key=_instant)
            self._fold(events[:within])
            events = events[within:]
            self.series.close(self.counts, events[0].t, self.agreed)
            if self.estimates is not msgspec.UNSET:
                keep(self.estimates, spread(edge, [node.shown for node in self.nodes if node.up]))
        self._fold(events)

    def _fold(self, batch: list[AnyEvent]) -> None:
        """Fold events between which no bin of the series ends.

        Nearly all of them are messages that leave and arrive. They are folded right here, in local variables: a call
        for each, and storing each sum in a struct, would make it half as expensive again.
        """
        if not batch:
            return
        fold, flights, nodes, rumors, kinds = _FOLD, self.flights, self.nodes, self.rumors, self.kinds
        handled = self.handled
        sent = delivered = size = useful = redundant = 0
        for event in batch:
            if type(event) is Sent:
                flights[event.id] = event
                sent += 1
                size += event.size
                try:
                    tally = kinds[event.kind]
                except KeyError:
                    tally = _new_tally(self, event.kind)
                tally.sent += 1
                tally.bytes += event.size
                nodes[event.src].sent += 1
                if event.carries:
                    for rumor in event.carries:
                        rumors[rumor].updates += 1
            elif type(event) is Delivered:
                handled = flights.pop(event.id)
                delivered += 1
                node = handled.dst
                nodes[node].received += 1
                carries = handled.carries
                if carries:
                    for rumor in carries:  # not all(...), which takes three times as long
                        if node not in rumors[rumor].arrivals:
                            useful += 1
                            break
                    else:
                        redundant += 1
            else:
                self.handled = handled
                fold[type(event)](self, event)
        self.handled = handled
        self.events += len(batch)
        self.t = batch[-1].t
        self.sent += sent
        self.bytes += size
        self.delivered += delivered
        self.useful += useful
        self.redundant += redundant

    def cut(self, a: int, b: int) -> bool:
        """Whether messages from node `a` to node `b` are cut off."""
        n = len(self.nodes)
        for cut in self.cuts:
            first, second = _node_set(cut.a, n), _node_set(cut.b, n)
            if (a in first and b in second) or (cut.both and b in first and a in second):
                return True
        return False

    def waits(self, flight: Sent) -> bool:
        """Whether a message in flight would have arrived, and waits: held, or for a node that is paused."""
        return flight.due <= self.t and (
            self.nodes[flight.dst].status == PAUSED or flight.dst in _node_set(self.held, len(self.nodes))
        )

    def notable(self) -> list[float]:
        """The instants, in order, at which there was a command, a crash, a node was lost, or all knew something."""
        return sorted({*(each.t for each in (*self.deeds, *self.crashes, *self.moments)), *self.converged})

    @property
    def converged(self) -> list[float]:
        """The instants at which all that were up had come to know a rumor, or that a node was down."""
        rumors = [moment.t for moment in self.moments if moment.what == CONVERGED]
        return rumors + [each.known for each in self.membership.failures if each.known is not None]

    @property
    def agreed(self) -> float | None:
        """How far nodes agree now, to four places; None where there is nothing to agree on but rumors.

        It is the share of keys that are alike on all nodes, else that of right beliefs, else the accuracy of the overlay.
        """
        if self.replicas and self.replicas.total:
            return round(1 - self.replicas.differ / self.replicas.total, 4)
        if self.membership.beliefs:
            return round(self.membership.right([node.up for node in self.nodes]), 4)
        return round(accuracy(self.overlay, [node.up for node in self.nodes]), 4) if self.overlay else None

    @property
    def counts(self) -> Counts:
        """What the series counts: useful, redundant, dropped, then messages and bytes sent for each of `kinds`."""
        tallies = [count for tally in self.kinds.values() for count in (tally.sent, tally.bytes)]
        return (self.useful, self.redundant, self.dropped, *tallies)

    @property
    def alive(self) -> int:
        """How many nodes are up."""
        return len(self.nodes) - self.down

    def knowing(self, rumor: int) -> int:
        """How many live nodes know a rumor."""
        return self.rumors[rumor].live

    def infective(self, rumor: int) -> int:
        """How many live nodes spread a rumor."""
        nodes, retired = self.nodes, self.rumors[rumor].retired
        return sum(nodes[node].up and node not in retired for node in self.rumors[rumor].arrivals)

    def word(self) -> str:
        """The state of the whole in one word: partitioned, converged, quiescent or spreading."""
        if parted((node.up for node in self.nodes), self.cuts, self.edges):
            return "partitioned"
        alive = self.alive
        if self.rumors and alive and all(self.knowing(rumor) == alive for rumor in range(len(self.rumors))):
            return "converged"
        if any(self.infective(rumor) for rumor in range(len(self.rumors))):
            return "spreading"
        return "spreading" if any(flight.carries for flight in self.flights.values()) else "quiescent"


def new_world(header: Header) -> World:
    """The World before the first event of a run."""
    n = header.experiment.nodes
    return World(
        cycle=header.cycle,
        nodes=[Node(shown={}) for _ in range(n)],
        membership=Membership([], [], [], {}, running=n),
    )


@lru_cache(maxsize=256)
def _node_set(text: str, total: int) -> frozenset[int]:
    return frozenset(parse_nodes(text, total))


# one function a kind of event, from the most frequent down; Sent and Delivered are in World._fold ---------


def _new_tally(world: World, kind: str) -> Tally:
    """The tally that a message counts in whose type has none yet."""
    if len(world.kinds) >= MOST_KINDS - 1:
        kind = OTHER_KINDS
    return world.kinds.setdefault(kind, Tally())


def _dropped(world: World, event: Dropped) -> None:
    flight = world.flights.pop(event.id)
    world.dropped += 1
    lost = world.lost
    # every time while there are few, else now and then: under heavy loss there are thousands
    if len(lost) < _FEW or world.dropped % _FEW == 0:
        world.lost = lost = [loss for loss in lost if max(loss.message.due, loss.t) + LINGER >= event.t]
    lost.append(Loss(flight, event.t, event.why))


def _duplicated(world: World, event: Duplicated) -> None:
    original = world.flights.get(event.of)
    if original is None:  # the network lost the original and kept the copy
        original = next(loss.message for loss in reversed(world.lost) if loss.message.id == event.of)
    world.flights[event.id] = msgspec.structs.replace(original, id=event.id, t=event.t, due=event.due)
    world.duplicated += 1


def _delayed(world: World, event: Delayed) -> None:
    world.flights[event.id] = msgspec.structs.replace(world.flights[event.id], due=event.due)


def _learned(world: World, event: Learned) -> None:
    sender = None
    if event.by is not None and world.handled is not None and world.handled.id == event.by:
        sender = world.handled.src
    rumor = world.rumors[event.rumor]
    if event.node not in rumor.arrivals and world.nodes[event.node].up:
        rumor.live += 1
    rumor.arrivals[event.node] = Arrival(event.t, event.by, sender)
    if rumor.live >= world.alive and rumor.complete is None:
        _complete(world, event.rumor, event.t)


def _complete(world: World, rumor: int, t: float) -> None:
    """Every node that is up knows a rumor."""
    world.rumors[rumor].complete = t
    _remember(world, Moment(t, CONVERGED, rumor))


def _remember(world: World, moment: Moment) -> None:
    world.moments.append(moment)
    if len(world.moments) > MOST_MOMENTS:
        del world.moments[::2]


def _retired(world: World, event: Retired) -> None:
    world.rumors[event.rumor].retired[event.node] = event.t


def _shown(world: World, event: Shown) -> None:
    world.nodes[event.node].shown[event.name] = msgspec.json.decode(event.value)
    if event.name == ESTIMATE and world.estimates is msgspec.UNSET:
        world.estimates = []


def _believed(world: World, event: Believed) -> None:
    world.membership.believed(event, world.nodes)


def _listed(world: World, event: Listed) -> None:
    world.membership.listed(event, world.nodes)


def _kept(world: World, event: Kept) -> None:
    if not world.overlay:
        world.overlay = [{} for _ in world.nodes]
    world.overlay[event.node][event.view] = event.peers


def _injected(world: World, event: Injected) -> None:
    world.rumors.append(Rumor(event.node, event.t, {}, {}, 0, {}))


def _commanded(world: World, event: Commanded) -> None:
    world.deeds.append(Deed(event.t, event.command))


def _stopped(status: str) -> Callable[[World, Any], None]:
    def fold(world: World, event: Killed | Departed | Crashed) -> None:
        node = world.nodes[event.node]
        if node.status not in DOWN:
            if world.replicas:
                world.replicas.turned(event.node, False, event.t)
            world.membership.stopped(event.node, event.t, failed=status != LEFT)
            _lost(world, event)
        node.status, node.since = status, event.t
        if isinstance(event, Crashed):
            world.crashes.append(Crash(event.t, event.node, event.file, event.line, event.error))

    return fold


def _lost(world: World, event: Killed | Departed | Crashed) -> None:
    """A node that was up is not any more; it may have been the last one that did not know a rumor."""
    world.down += 1
    _remember(world, Moment(event.t, LOST, event.node))
    for id, rumor in enumerate(world.rumors):
        rumor.live -= event.node in rumor.arrivals
        if rumor.live == world.alive > 0 and rumor.complete is None:
            _complete(world, id, event.t)


def _rejoined(world: World, event: Rejoined) -> None:
    node = world.nodes[event.node]
    if node.status in DOWN:
        world.membership.rejoined(event.node, event.t, event.fresh)
        world.down -= 1
        if world.replicas:
            if event.fresh:
                world.replicas.emptied(event)
            world.replicas.turned(event.node, True, event.t)
        for rumor in world.rumors:
            rumor.live += event.node in rumor.arrivals and not event.fresh
            if rumor.live < world.alive:
                rumor.complete = None
    node.status, node.since = ALIVE, event.t
    node.lives += 1
    if event.fresh:
        node.shown = {}
        if world.overlay:
            world.overlay[event.node] = {}
        for rumor in world.rumors:
            arrival = rumor.arrivals.pop(event.node, None)
            if arrival is not None:
                rumor.forgotten.setdefault(event.node, arrival)
            rumor.retired.pop(event.node, None)


def _paused(world: World, event: Paused | Resumed) -> None:
    node = world.nodes[event.node]
    if node.up:
        node.status, node.since = PAUSED if isinstance(event, Paused) else ALIVE, event.t
        if node.status == PAUSED:
            world.membership.paused(event.node)


def _skewed(world: World, event: Skewed) -> None:
    if event.rate == 1 and event.offset == 0:
        world.clocks.pop(event.node, None)
    else:
        world.clocks[event.node] = Clock(event.rate, event.offset, event.t)


def _began(world: World, event: Began) -> None:
    world.unrest.append(event.fault)


def _calmed(world: World, event: Calmed) -> None:
    if event.fault not in world.unrest:
        raise LookupError(event.fault)
    world.unrest.remove(event.fault)


def _held(world: World, event: Held) -> None:
    world.held = event.nodes


def _severed(world: World, event: Severed) -> None:
    world.cuts.append(CutSet(event.a, event.b, event.both))


def _healed(world: World, event: Healed) -> None:
    world.cuts = []


def _shaped(world: World, event: Shaped) -> None:
    world.shapes.append(ShapeSet(event.a, event.b, event.settings, event.both))


def _on_data(fold: Callable[[Replicas, Any], None]) -> Callable[[World, Any], None]:
    """The fold of what is about replicas alone."""

    def on_data(world: World, event: Any) -> None:
        fold(world.replicas or _begin_replicas(world), event)

    return on_data


def _begin_replicas(world: World) -> Replicas:
    replicas = world.replicas = Replicas(up=[node.up for node in world.nodes], seeded=[0] * len(world.nodes))
    return replicas


def _stored(world: World, event: Stored) -> None:
    (world.replicas or _begin_replicas(world)).stored(event, world.handled)


def _compared(world: World, event: Compared) -> None:
    (world.replicas or _begin_replicas(world)).compared(event, world.handled)


def _wired(world: World, event: Wired) -> None:
    world.edges = event.edges


def _ended(world: World, event: Ended) -> None:
    world.ended = event.why


_FOLD: dict[type[Event], Callable[[World, Any], None]] = {
    Dropped: _dropped, Duplicated: _duplicated, Learned: _learned,
    Retired: _retired, Shown: _shown, Believed: _believed, Listed: _listed, Kept: _kept, Injected: _injected, Commanded: _commanded, Killed: _stopped(DEAD),
    Departed: _stopped(LEFT), Crashed: _stopped(CRASHED), Rejoined: _rejoined, Severed: _severed,
    Healed: _healed, Shaped: _shaped, Wired: _wired, Ended: _ended, Paused: _paused, Resumed: _paused,
    Skewed: _skewed, Began: _began, Calmed: _calmed, Held: _held, Delayed: _delayed, Stored: _stored,
    Compared: _compared, Seeded: _on_data(Replicas.seed_node), Emptied: _on_data(Replicas.emptied),
    Placed: _on_data(Replicas.placed), Versioned: _on_data(Replicas.versioned),
    Requested: _on_data(Replicas.requested), Answered: _on_data(Replicas.answered),
    Refused: _on_data(Replicas.refused), Repairing: _on_data(Replicas.repairing),
    Repaired: _on_data(Replicas.repaired),
}  # fmt: skip
