"""What can be so in a recording: every node, time and number in it has to make sense. Imports events and world.

A recording is data from a stranger. msgspec has seen to its types; here stand the bounds that types do not
say, so that nobody who folds, draws or executes what a reader gives has to think of them again: a negative
node would be taken from the end of a list, a node that does not exist would break the stage.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from gossiplab.commands import parse_command
from gossiplab.errors import UserError
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
    Departed,
    Duplicated,
    Emptied,
    Event,
    Header,
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
    Wired,
)  # fmt: skip
from gossiplab.experiment import MOST_SECONDS
from gossiplab.nodeset import parse_nodes
from gossiplab.replica.membership import STATES
from gossiplab.workload import MOST_KEYS
from gossiplab.world.estimates import MOST_SPREADS
from gossiplab.world.membership import LETTERS, Beliefs, Membership, Slow
from gossiplab.world.parts import (
    ALIVE,
    CONVERGED,
    CRASHED,
    DEAD,
    LEFT,
    LOST,
    PAUSED,
    Clock,
    CutSet,
    Moment,
    Rumor,
    ShapeSet,
)
from gossiplab.world.replicas import MOST_POINTS, MOST_REPAIRS, Repair, Replicas, Step
from gossiplab.world.world import MOST_KINDS, MOST_MOMENTS, World

_MOST = 2**63  # of anything that is counted
_MOST_RATE = 100.0  # of a clock
_STATUS = {ALIVE, PAUSED, DEAD, LEFT, CRASHED}
_ROW = frozenset(LETTERS.values())


def possible_header(header: Header) -> bool:
    """Whether a run can have this header: a cycle lasts some time, and a fork is in it."""
    parent = header.parent
    return (header.cycle is None or 0 < header.cycle.period <= MOST_SECONDS) and (
        parent is None or (0 <= parent.t <= MOST_SECONDS and 0 <= parent.events < _MOST)
    )


def first_impossible(events: Sequence[AnyEvent], nodes: int, since: float = 0.0) -> int | None:
    """The index of the first event that cannot happen after the instant `since` in a lab of so many nodes."""
    check = _CHECKS.get
    for index, event in enumerate(events):
        if not since <= event.t <= MOST_SECONDS:
            return index
        since = event.t
        possible = check(event.__class__)
        if possible is not None and not possible(event, nodes):
            return index
    return None


def possible_world(world: World, nodes: int) -> bool:
    """Whether a lab of so many nodes can be in this state, as a keyframe has it."""
    flights = [*world.flights.values(), *(loss.message for loss in world.lost)]
    if world.handled is not None:
        flights.append(world.handled)
    counts = (
        world.sent, world.delivered, world.dropped, world.duplicated, world.bytes, world.useful, world.redundant,
        *(count for tally in world.kinds.values() for count in (tally.sent, tally.bytes)),
    )  # fmt: skip
    up = {node for node, each in enumerate(world.nodes) if each.up}
    return (
        len(world.nodes) == nodes
        and all(map(_counts, counts))
        and all(
            node.status in _STATUS and _counts(node.lives) and _counts(node.sent) and _counts(node.received)
            for node in world.nodes
        )
        and all(_rumor(rumor, nodes) for rumor in world.rumors)
        and world.down == nodes - len(up)
        and all(rumor.live == len(up & rumor.arrivals.keys()) for rumor in world.rumors)
        and len(world.kinds) <= MOST_KINDS
        and len(world.moments) <= MOST_MOMENTS
        and all(_moment(each, world) for each in world.moments)
        and world.series.possible()
        and all(len(each) <= len(world.counts) for each in (*world.series.bins, world.series.before))
        and all(before <= count for before, count in zip(world.series.before, world.counts, strict=False))
        and all(
            _sent(flight, nodes) and all(rumor < len(world.rumors) for rumor in flight.carries)
            for flight in flights
        )
        and all(id == flight.id for id, flight in world.flights.items())
        and all(_sides(each, nodes) for each in (*world.cuts, *world.shapes))
        and len(world.overlay) in (0, nodes)
        and all(
            _peers(peers, node, nodes) for node, views in enumerate(world.overlay) for peers in views.values()
        )
        and all(_is_command(deed.command, nodes) for deed in world.deeds)
        and all(_is_command(fault, nodes) for fault in world.unrest)
        and _is_set(world.held, nodes)
        and all(_node(node, nodes) and _clock(clock) for node, clock in world.clocks.items())
        and all(_node(crash.node, nodes) and _counts(crash.line) for crash in world.crashes)
        and _membership(world.membership, nodes)
        and (not world.replicas or _replicas(world.replicas, nodes, up))
        and len(world.estimates or ()) <= MOST_SPREADS
    )


def _counts(number: int) -> bool:
    return 0 <= number < _MOST


def _node(node: int, nodes: int) -> bool:
    return 0 <= node < nodes


def _of_node(event: Any, nodes: int) -> bool:
    return 0 <= event.node < nodes


def _of_rumor(event: Any, nodes: int) -> bool:
    return 0 <= event.node < nodes and 0 <= event.rumor < _MOST


def _has_value(raw: msgspec.Raw) -> bool:
    """Whether what was passed over unread can be read: no number beyond all bounds, no nesting without end."""
    try:
        msgspec.json.decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    return True


def _sent(event: Sent, nodes: int) -> bool:
    return (
        0 <= event.src < nodes
        and 0 <= event.dst < nodes
        and 0 <= event.id < _MOST
        and 0 <= event.size < _MOST
        and 0 <= event.t <= event.due < _MOST
        and (not event.carries or min(event.carries) >= 0)
        and _has_value(event.body)
    )


def _learned(event: Learned, nodes: int) -> bool:
    return _of_rumor(event, nodes) and (event.by is None or _counts(event.by))


def _duplicated(event: Duplicated, nodes: int) -> bool:
    return _counts(event.id) and event.t <= event.due < _MOST


def _crashed(event: Crashed, nodes: int) -> bool:
    return _of_node(event, nodes) and _counts(event.line)


def _shown(event: Shown, nodes: int) -> bool:
    return _of_node(event, nodes) and _has_value(event.value)


def _kept(event: Kept, nodes: int) -> bool:
    return _of_node(event, nodes) and _peers(event.peers, event.node, nodes)


def _peers(peers: tuple[int, ...], node: int, nodes: int) -> bool:
    """Whether a node can keep these: others, in ascending order."""
    return not peers or (
        peers[0] >= 0 and peers[-1] < nodes and node not in peers and all(a < b for a, b in pairwise(peers))
    )


def _wired(event: Wired, nodes: int) -> bool:
    return event.edges is None or all(a != b and 0 <= a < nodes and 0 <= b < nodes for a, b in event.edges)


def _sides(event: Severed | Shaped | CutSet | ShapeSet, nodes: int) -> bool:
    return _is_set(event.a, nodes) and _is_set(event.b, nodes)


def _is_set(text: str, nodes: int) -> bool:
    try:
        parse_nodes(text, nodes)
    except UserError:
        return False
    return True


def _clock(clock: Skewed | Clock) -> bool:
    return 0 < clock.rate <= _MOST_RATE and abs(clock.offset) < _MOST


def _skewed(event: Skewed, nodes: int) -> bool:
    return _of_node(event, nodes) and _clock(event)


def _delayed(event: Delayed, nodes: int) -> bool:
    return _counts(event.id) and event.t <= event.due < _MOST


def _unrest(event: Began | Calmed, nodes: int) -> bool:
    return _is_command(event.fault, nodes)


def _commanded(event: Commanded, nodes: int) -> bool:
    return _is_command(event.command, nodes)


def _is_command(text: str, nodes: int) -> bool:
    try:
        parse_command(text, nodes)
    except UserError:
        return False
    return True


def _moment(moment: Moment, world: World) -> bool:
    known = {LOST: len(world.nodes), CONVERGED: len(world.rumors)}
    return 0 <= moment.t <= world.t and 0 <= moment.which < known.get(moment.what, 0)


def _rumor(rumor: Rumor, nodes: int) -> bool:
    known: Iterable[int] = (rumor.source, *rumor.arrivals, *rumor.retired, *rumor.forgotten)
    senders = (
        arrival.sender
        for arrival in (*rumor.arrivals.values(), *rumor.forgotten.values())
        if arrival.sender is not None
    )
    return _counts(rumor.updates) and all(_node(node, nodes) for node in (*known, *senders))


def _believed(event: Believed, nodes: int) -> bool:
    return (
        _of_node(event, nodes)
        and 0 <= event.about < nodes
        and event.state in STATES
        and 0 <= event.incarnation < _MOST
    )


def _listed(event: Listed, nodes: int) -> bool:
    if not _of_node(event, nodes) or event.state not in STATES or not _counts(event.incarnation):
        return False
    try:
        parse_nodes(event.about, nodes)
    except UserError:
        return False
    return True


def _membership(membership: Membership, nodes: int) -> bool:
    rows, failures = membership.beliefs, membership.failures
    counts = (membership.false_suspicions, membership.false_deaths, membership.refutations)
    return (
        len(rows) == len(membership.standings) == (nodes if rows else 0)
        and all(_row(row, nodes) for row in rows)
        and all(
            0 <= count <= nodes
            for each in membership.standings
            for count in (each.alive, each.suspected, each.dead)
        )
        and all(_node(failure.node, nodes) for failure in failures)
        and all(_node(node, nodes) and 0 <= index < len(failures) for node, index in membership.open.items())
        and all(map(_counts, counts))
        and (not membership.slow or _slow(membership.slow, membership.false_deaths, nodes))
        and 0 <= membership.running <= nodes
        and 0 <= membership.counted <= MOST_SECONDS
        and 0 <= membership.lived <= MOST_SECONDS * max(nodes, 1)
    )


def _slow(slow: Slow, deaths: int, nodes: int) -> bool:
    return (
        slow.nodes == sorted(set(slow.nodes))
        and all(_node(node, nodes) for node in slow.nodes)
        and 0 <= slow.deaths <= deaths
    )


def _row(row: Beliefs, nodes: int) -> bool:
    return (
        len(row.states) in (0, nodes)
        and _ROW.issuperset(row.states)
        and _counts(row.incarnation)
        and all(_node(about, nodes) and _counts(count) for about, count in row.incarnations.items())
    )


def _seeded(event: Seeded, nodes: int) -> bool:
    return _of_node(event, nodes) and 0 <= event.keys <= MOST_KEYS


def _placed(event: Placed, nodes: int) -> bool:
    return len(set(event.nodes)) == len(event.nodes) and all(_node(node, nodes) for node in event.nodes)


def _versioned(event: Versioned, nodes: int) -> bool:
    return _of_node(event, nodes) and all(_counts(by) and _counts(n) for by, n in event.clock)


def _stored(event: Stored, nodes: int) -> bool:
    return _of_node(event, nodes) and (event.by is None or _counts(event.by))


def _request(event: Answered | Refused | Repaired, _: int) -> bool:
    return _counts(event.id)


def _requested(event: Requested, nodes: int) -> bool:
    return _of_node(event, nodes) and _counts(event.id)


def _repairing(event: Repairing | Repair, nodes: int) -> bool:
    return (
        _node(event.a, nodes)
        and _node(event.b, nodes)
        and all(map(_counts, (event.id, event.keys, event.full)))
        and 0 <= event.fanout <= 256
        and 0 <= event.depth <= 32
    )


def _compared(event: Compared, nodes: int) -> bool:
    return _counts(event.id) and _step(event, nodes) and (event.by is None or _counts(event.by))


def _step(step: Compared | Step, nodes: int) -> bool:
    return (
        _node(step.node, nodes)
        and -1 <= step.level <= 32
        and _counts(step.keys)
        and all(map(_counts, step.differing))
    )


def _replicas(replicas: Replicas, nodes: int, up: set[int]) -> bool:
    copies = [(node, copy) for key in replicas.keys.values() for node, copy in key.copies.items()]
    counts = (
        replicas.writes.answered, replicas.writes.refused, replicas.reads.answered, replicas.reads.refused,
        replicas.stale, replicas.created, replicas.resolved, replicas.resurrected, replicas.divergent, replicas.touched, replicas.space, replicas.unjudged,
    )  # fmt: skip
    return (
        len(replicas.up) == len(replicas.seeded) == nodes
        and {node for node, each in enumerate(replicas.up) if each} == up
        and all(0 <= count <= MOST_KEYS for count in replicas.seeded)
        and all(map(_counts, counts))
        and all(
            _node(node, nodes) and (copy.sender is None or _node(copy.sender, nodes)) for node, copy in copies
        )
        and all(
            _node(node, nodes) for key in replicas.keys.values() for node in (*key.buried, *(key.homes or ()))
        )
        and all(_node(each.node, nodes) for key in replicas.keys.values() for each in key.versions.values())
        and all(_node(each.node, nodes) for each in replicas.requests.values())
        and len(replicas.repairs) <= MOST_REPAIRS
        and all(
            _repairing(repair, nodes) and all(_step(step, nodes) for step in repair.steps)
            for repair in replicas.repairs
        )
        and len(replicas.curve) <= MOST_POINTS
    )


_CHECKS: dict[type[Event], Callable[[Any, int], bool]] = {
    Sent: _sent, Duplicated: _duplicated, Learned: _learned, Retired: _of_rumor, Shown: _shown,
    Injected: _of_rumor, Commanded: _commanded, Killed: _of_node, Departed: _of_node, Crashed: _crashed,
    Kept: _kept, Rejoined: _of_node, Severed: _sides, Shaped: _sides, Wired: _wired, Believed: _believed, Listed: _listed,
    Paused: _of_node, Resumed: _of_node, Skewed: _skewed, Began: _unrest, Calmed: _unrest, Delayed: _delayed,
    Held: lambda event, nodes: _is_set(event.nodes, nodes), Seeded: _seeded, Emptied: _of_node, Placed: _placed,
    Versioned: _versioned, Stored: _stored, Requested: _requested, Answered: _request, Refused: _request,
    Repairing: _repairing, Compared: _compared, Repaired: _request,
}  # fmt: skip
