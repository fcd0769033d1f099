"""Figures of a World: how far a rumor got, how fast, at what price. Imports world and experiment."""

import msgspec

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


def rumor_figures(world: World) -> list[RumorFigures]:
    """The figures of every rumor, in the order of their injection."""
    n = len(world.nodes)
    figures: list[RumorFigures] = []
    for id, rumor in enumerate(world.rumors):
        cycle = world.cycle
        first = {**rumor.arrivals, **rumor.forgotten}
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
