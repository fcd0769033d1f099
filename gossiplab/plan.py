"""Making an experiment complete: every parameter, every command, checked. Imports what it is made of.

What comes out is the header of the run, which says all there is to say about it.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from gossiplab import __version__
from gossiplab.commands import (
    AnyCommand,
    Backup,
    Corrupt,
    Delete,
    Inject,
    Read,
    Restore,
    Wipe,
    Write,
    parse_command,
)
from gossiplab.content import own_folder
from gossiplab.errors import UserError
from gossiplab.events import FORMAT, Header
from gossiplab.experiment import Experiment, Value, split_schedule
from gossiplab.protocol import Protocol, resolve_params
from gossiplab.roster import Roster
from gossiplab.topology import check_topology

AFTERMATH = 60.0  # virtual s; memberlist's LAN figures notice a death in 10, and forget it in 30 more

Scheduled = tuple[float, AnyCommand]

_ON_DATA = (Write, Delete, Read, Wipe, Backup, Restore, Corrupt)


def plan(experiment: Experiment, protocol: type[Protocol]) -> Header:
    """The header of the run that `experiment` asks for. Raises UserError when it asks for what cannot be.

    A protocol that spreads rumors gets one at n0, at 0 s or when it wants it, unless the schedule injects some itself.
    Sets of nodes that the schedule leaves open, such as random 10%, are explicit nodes from here on. Where nothing
    says when the run ends, that is `natural_end`.
    """
    check_topology(experiment.topology, experiment.nodes)
    try:
        params = protocol.complete(resolve_params(protocol, experiment.params))
    except ValueError as error:  # the protocol's own sentence
        raise UserError(str(error)) from None
    scheduled = [
        read_scheduled(text, roster_of(experiment, f"schedule/{place}"))
        for place, text in enumerate(experiment.at)
    ]
    injects = any(isinstance(command, Inject) for _, command in scheduled)
    if protocol.spreads_rumors and experiment.nodes and not injects:
        scheduled.insert(0, (protocol.first_rumor(params), Inject(0)))
    for _, command in scheduled:
        check_command(command, protocol)
    if experiment.workload and not protocol.stores_keys:
        raise UserError(f"{protocol.__name__} stores no keys: leave out the workload.")
    times = [t for t, _ in scheduled]
    if experiment.workload and experiment.workload.rate:
        times.append(experiment.workload.begin + experiment.workload.seconds)
    complete = msgspec.structs.replace(
        experiment,
        params=params,
        at=tuple(write_scheduled(t, command) for t, command in scheduled),
        until=natural_end(protocol, params, times, experiment.limit)
        if experiment.until is None
        else experiment.until,
    )
    return Header(
        gossiplab=FORMAT, version=__version__, experiment=complete, cycle=protocol.cycle(params),
        own=own_folder(protocol) is not None,
    )  # fmt: skip


def natural_end(
    protocol: type[Protocol], params: dict[str, Value], times: Iterable[float], limit: float
) -> float | str:
    """What a run waits for when nobody says: "quiescent" if the protocol comes to rest, "converged" if it never does.

    A protocol that spreads no rumors does neither. Its run ends `AFTERMATH` seconds after the last command, of those
    that are scheduled at `times`, and not after `limit` seconds.
    """
    if not protocol.spreads_rumors:
        return min(limit, max(times, default=0.0) + AFTERMATH)
    return "quiescent" if protocol.stops_itself(params) else "converged"


def check_command(command: AnyCommand, protocol: type[Protocol]) -> None:
    """Raises UserError when a command has no meaning under a protocol."""
    if isinstance(command, Inject) and not protocol.spreads_rumors:
        raise UserError(f"{protocol.__name__} spreads no rumors: leave out `{command}`.")
    if isinstance(command, _ON_DATA) and not protocol.stores_keys:
        raise UserError(f"{protocol.__name__} stores no keys: leave out `{command}`.")


def roster_of(experiment: Experiment, stream: str = "") -> Roster:
    """The nodes that commands may name in an experiment; random sets are drawn from the `stream` of that name."""
    return Roster(experiment.nodes, experiment.topology, experiment.seed, stream)


def read_scheduled(text: str, lab: int | Roster) -> Scheduled:
    """Read "3 kill n0" for a lab, as `parse_command` does. Raises UserError."""
    t, command = split_schedule(text)
    return t, parse_command(command, lab)


def write_scheduled(t: float, command: Any) -> str:
    """Write what `read_scheduled` reads: "3 kill n0"."""
    return f"{repr(t).removesuffix('.0')} {command}"
