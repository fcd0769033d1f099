"""Figures of a World: how far a rumor got, how fast, at what price. Imports world and experiment."""

import msgspec

from gossiplab.world.estimates import spread, truth
from gossiplab.world.world import World


class RumorFigures(msgspec.Struct, frozen=True):
    """One rumor in figures, after Demers et al. 1987, section 1.4.

    id: the rumor. source: where it was injected. reached: nodes that ever knew it, the source included.
    residue: fraction of all nodes that never did. traffic: updates sent per node. t_ave, t_last: mean and last
    arrival after injection, over all nodes but the source, in cycles where the protocol has cycles and in
    seconds where it has none; None when it reached nobody.
    """

    id: int
    source: int
    reached: int
    residue: float
    traffic: float
    t_ave: float | None
    t_last: float | None


class MessageFigures(msgspec.Struct, frozen=True):
    """Messages counted: sent + duplicated = delivered + dropped + in_flight. bytes: those of the sent ones."""

    sent: int
    delivered: int
    dropped: int
    duplicated: int
    in_flight: int
    bytes: int


class FailureFigures(msgspec.Struct, frozen=True):
    """How a failure was detected.

    node: which node. at: the instant at which it was killed or crashed. first_suspected, first_declared: virtual
    seconds from then until some live node suspected it, believed it dead, 0 where one did so before already; last_to_know: until no live node believed
    it alive or suspected any more, for good. None when that never happened while it was down.
    """

    node: int
    at: float
    first_suspected: float | None
    first_declared: float | None
    last_to_know: float | None


class MembershipFigures(msgspec.Struct, frozen=True):
    """Failure detection in figures.

    false_suspicions, false_deaths: how often a member that was up came to be suspected, to be believed dead, by
    the first to do so; a paused member is up, however long it says nothing. false_deaths_of_healthy: those of them
    about members that had never been paused, which is what the Lifeguard paper counts (FP, raised by anybody), whose
    slow members are no false positives when they are accused themselves. refutations: how often a member answered by raising its incarnation.
    messages_per_member_period, bytes_per_member_period: sent by a node that is up in one protocol period, on average;
    None for a protocol without a period.
    """

    failures: list[FailureFigures]
    false_suspicions: int
    false_deaths: int
    false_deaths_of_healthy: int
    refutations: int
    messages_per_member_period: float | None
    bytes_per_member_period: float | None


class RepairFigures(msgspec.Struct, frozen=True):
    """A repair: node `a` compared what it held with `b`.

    keys: that `a` held. differing: of these and those of `b`; None while it goes on. bytes: of its messages that have
    arrived. round_trips: messages there and back. full_copy_bytes: what sending all keys of `a` would cost.
    """

    a: int
    b: int
    at: float
    keys: int
    differing: int | None
    bytes: int
    round_trips: int
    full_copy_bytes: int


class KindFigures(msgspec.Struct, frozen=True):
    """Messages of one type that were sent, and their bytes."""

    messages: int
    bytes: int


class ReplicaFigures(msgspec.Struct, frozen=True):
    """Replicated data in figures.

    keys: how many there are. divergent_keys: those of which not all their nodes that are up hold the same versions;
    divergent_over_time: [instant, how many] whenever that changed, thinned out when it changed often. kinds: messages
    by type. repairs: the last 512. writes, reads: how many were acknowledged or answered, and how many failed, as those
    without a quorum do; open_requests: neither yet. stale_reads: those that missed a write which had been acknowledged
    before they began; by how long, in seconds, on average and at most: staleness_mean, staleness_max (None: no read
    was stale). siblings_created, siblings_resolved: how often a key came to have several values side by side somewhere, and came to
    have them nowhere. resurrected_deletes: how often a replica that had heard of a deletion came to hold an older
    value. lost_writes: acknowledged ones of which no replica has seen anything any more, and which no other
    acknowledged write had overwritten knowingly. stale_reads, lost_writes: None where answers to writes do not say which
    version they made, as with counters, sets and maps, which have none.
    """

    keys: int
    divergent_keys: int
    divergent_over_time: list[tuple[float, int]]
    kinds: dict[str, KindFigures]
    repairs: list[RepairFigures]
    writes: int
    failed_writes: int
    reads: int
    failed_reads: int
    open_requests: int
    stale_reads: int | None
    staleness_mean: float | None
    staleness_max: float | None
    siblings_created: int
    siblings_resolved: int
    resurrected_deletes: int
    lost_writes: int | None


class EstimateFigures(msgspec.Struct, frozen=True):
    """What nodes that are up estimate: the least, the middle and the greatest. truth: what all should come to, if known."""

    low: float
    middle: float
    high: float
    truth: float | None


def rumor_figures(world: World) -> list[RumorFigures]:
    """The figures of every rumor, in the order of their injection."""
    n = len(world.nodes)
    figures: list[RumorFigures] = []
    for id, rumor in enumerate(world.rumors):
        cycle = world.cycle
        first = rumor.first
        times: list[float] = [
            cycle.count(rumor.t, arrival.t) if cycle else arrival.t - rumor.t
            for node, arrival in first.items()
            if node != rumor.source
        ]
        figures.append(
            RumorFigures(
                id=id,
                source=rumor.source,
                reached=len(first),
                residue=1 - len(first) / n,
                traffic=rumor.updates / n,
                t_ave=sum(times) / len(times) if times else None,
                t_last=max(times, default=None),
            )
        )
    return figures


def message_figures(world: World) -> MessageFigures:
    """The message counts."""
    return MessageFigures(
        world.sent, world.delivered, world.dropped, world.duplicated, len(world.flights), world.bytes
    )


def membership_figures(world: World) -> MembershipFigures | None:
    """What failure detection came to until now; None when no node believes anything of another."""
    membership = world.membership
    if not membership.beliefs:
        return None
    lived = membership.lived_until(world.t)
    periods = lived / world.cycle.period if world.cycle else 0.0
    return MembershipFigures(
        failures=[
            FailureFigures(
                each.node,
                each.t,
                *(None if t is None else t - each.t for t in (each.suspected, each.declared, each.known)),
            )
            for each in membership.failures
        ],
        false_suspicions=membership.false_suspicions,
        false_deaths=membership.false_deaths,
        false_deaths_of_healthy=membership.healthy_deaths,
        refutations=membership.refutations,
        messages_per_member_period=world.sent / periods if periods else None,
        bytes_per_member_period=world.bytes / periods if periods else None,
    )


def replica_figures(world: World) -> ReplicaFigures | None:
    """What became of replicated data until now; None when nobody stores any."""
    replicas = world.replicas
    if not replicas:
        return None
    stale = replicas.stale
    return ReplicaFigures(
        keys=replicas.total,
        divergent_keys=replicas.differ,
        divergent_over_time=replicas.curve,
        kinds={kind: KindFigures(tally.sent, tally.bytes) for kind, tally in world.kinds.items()},
        repairs=[
            RepairFigures(
                each.a, each.b, each.t, each.keys, each.differing, each.bytes, each.round_trips, each.full
            )
            for each in replicas.repairs
        ],
        writes=replicas.writes.answered,
        failed_writes=replicas.writes.refused,
        reads=replicas.reads.answered,
        failed_reads=replicas.reads.refused,
        open_requests=len(replicas.requests),
        stale_reads=None if replicas.unjudged else stale,
        staleness_mean=replicas.missed[0] / stale if stale else None,
        staleness_max=replicas.missed[1] if stale else None,
        siblings_created=replicas.created,
        siblings_resolved=replicas.resolved,
        resurrected_deletes=replicas.resurrected,
        lost_writes=None if replicas.unjudged else replicas.lost(),
    )


def estimate_figures(world: World) -> EstimateFigures | None:
    """What nodes estimate now; None when nobody estimates anything."""
    now = spread(world.t, (node.shown for node in world.nodes if node.up))
    if now is None:
        return None
    return EstimateFigures(now.low, now.middle, now.high, truth(node.shown for node in world.nodes))
