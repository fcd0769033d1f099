"""Metrics over time, as a table for spreadsheets, pandas and R. Imports reader, world and metrics.

One row an instant, at equal steps from 0 to the end of the run; a row holds what is so after everything that happened
up to and at its instant. Counts run from the beginning of the run.

    t_seconds               the instant, in virtual seconds
    events                  how many events there were
    alive_nodes             nodes that are up
    sent_messages           messages sent; their copies are counted by duplicated_messages
    delivered_messages      messages and copies that arrived
    redundant_messages      those of them that carried rumors, all of which their receiver knew already
    dropped_messages        messages and copies that will not arrive
    duplicated_messages     copies that the network made
    in_flight_messages      messages and copies under way
    sent_bytes              bytes of the bodies of all messages sent

and for each rumor R of the run, in the order of their injection:

    rumor_R_knowing_nodes       nodes that are up and know it
    rumor_R_infective_nodes     those of them that still spread it
    rumor_R_reached_nodes       nodes that ever knew it
    rumor_R_update_messages     messages sent that carried it

and what else there is in the run:

    right_beliefs           the share of beliefs about other nodes that are right, from 0 to 1
    false_suspicions        how often a member that was up came to be suspected
    false_deaths            how often one came to be believed dead
    refutations             how often a member answered by raising its incarnation
    living_neighbours       the share of a node's neighbours in the overlay that live, on average, from 0 to 1
    divergent_keys          keys of which not all their nodes that are up hold the same values
    stale_reads             reads that missed a write that had been acknowledged before
    lowest_estimate         the least that a node that is up estimates
    middle_estimate         what as many estimate less than more
    highest_estimate        the most that one estimates

Of these, a cell is empty as long as there is nothing to count.
"""

import math
from collections.abc import Iterator

from gossiplab.errors import UserError
from gossiplab.recording.export import Reached, nothing
from gossiplab.recording.reader import Recording
from gossiplab.world.accuracy import accuracy
from gossiplab.world.metrics import estimate_figures, membership_figures, message_figures
from gossiplab.world.world import World

_MOST_ROWS = 1_000_000
_ROWS = 200  # at least, if the user asks for no step: what a chart on a page can show

COLUMNS = (
    "t_seconds", "events", "alive_nodes", "sent_messages", "delivered_messages", "redundant_messages", "dropped_messages",
    "duplicated_messages", "in_flight_messages", "sent_bytes",
)  # fmt: skip
RUMOR_COLUMNS = ("knowing_nodes", "infective_nodes", "reached_nodes", "update_messages")
OTHER_COLUMNS = (
    "right_beliefs", "false_suspicions", "false_deaths", "refutations", "living_neighbours", "divergent_keys", "stale_reads",
    "lowest_estimate", "middle_estimate", "highest_estimate",
)  # fmt: skip


def export_csv(recording: Recording, step: float | None = None, reached: Reached = nothing) -> Iterator[str]:
    """The table, a line at a time. step: virtual seconds between rows, above 0; None: some 200 to 500 rows."""
    if step is not None and recording.end / step > _MOST_ROWS:
        raise UserError(
            f"a table of more than {_MOST_ROWS} rows is too long: give --step a number from {recording.end / _MOST_ROWS:.3g} up."
        )
    last = recording.at_event(recording.length)
    rumors, others = len(last.rumors), list(_others(last))
    columns = [*COLUMNS, *(f"rumor_{id}_{name}" for id in range(rumors) for name in RUMOR_COLUMNS), *others]
    yield f"{','.join(columns)}\n"
    for t, world in recording.worlds(_instants(recording.end, step or round_step(recording.end))):
        found = _others(world)
        cells = [
            *map(repr, _row(t, world, rumors)),
            *(repr(found[name]) if name in found else "" for name in others),
        ]
        yield f"{','.join(cells)}\n"
        reached(t)


def round_step(seconds: float) -> float:
    """The largest of 1, 2, 5, 10 ... and 0.5, 0.2, 0.1 ... s that fits 200 times into so many seconds."""
    if seconds <= 0:
        return 1.0
    most = seconds / _ROWS
    decade = math.floor(math.log10(most) + 1e-9)
    digit = max(each for each in (1, 2, 5) if each <= most / 10.0**decade + 1e-9)
    return float(f"{digit}e{decade}")


def _instants(end: float, step: float) -> Iterator[float]:
    count = 0
    # a multiple and no sum: errors do not add up; 12 digits: 3 * 0.1 is written 0.3
    while (t := float(f"{count * step:.12g}")) < end:
        yield t
        count += 1
    yield end


def _row(t: float, world: World, rumors: int) -> Iterator[float]:
    messages = message_figures(world)
    yield from (t, world.events, world.alive, messages.sent, messages.delivered, world.redundant)
    yield from (messages.dropped, messages.duplicated, messages.in_flight, messages.bytes)
    for id in range(rumors):
        if id < len(world.rumors):
            rumor = world.rumors[id]
            yield from (world.knowing(id), world.infective(id))
            yield from (len({**rumor.arrivals, **rumor.forgotten}), rumor.updates)
        else:
            yield from (0, 0, 0, 0)


def _others(world: World) -> dict[str, float]:
    """Of `OTHER_COLUMNS` those that there is something to count for: beliefs, keys or estimates."""
    found: dict[str, float] = {}
    if figures := membership_figures(world):
        right = world.membership.right([node.up for node in world.nodes])
        found |= zip(
            OTHER_COLUMNS[:4],
            (right, figures.false_suspicions, figures.false_deaths, figures.refutations),
            strict=True,
        )
    if world.overlay:
        found[OTHER_COLUMNS[4]] = accuracy(world.overlay, [node.up for node in world.nodes])
    if world.replicas:
        found |= zip(OTHER_COLUMNS[5:7], (world.replicas.differ, world.replicas.stale), strict=True)
    if estimates := estimate_figures(world):
        found |= zip(OTHER_COLUMNS[7:], (estimates.low, estimates.middle, estimates.high), strict=True)
    return found
