"""Making an experiment complete: every parameter, every command, checked. Imports what it is made of.

What comes out is the header of the run, which says all there is to say about it.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
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
from gossiplab.errors import ProtocolError, UserError, fault_line
from gossiplab.events import FORMAT, Cycle, Header
from gossiplab.experiment import MOST_SECONDS, Experiment, Value, split_schedule
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
    params = _asked(protocol, "complete", dict, resolve_params(protocol, experiment.params))
    params = resolve_params(protocol, params)
    scheduled = [
        read_scheduled(text, roster_of(experiment, f"schedule/{place}"))
        for place, text in enumerate(experiment.at)
    ]
    injects = any(isinstance(command, Inject) for _, command in scheduled)
    if protocol.spreads_rumors and experiment.nodes and not injects:
        first = _asked(protocol, "first_rumor", (int, float), params)
        if not 0 <= first <= MOST_SECONDS:
            raise ProtocolError(f"{protocol.__name__}.first_rumor says {first}: give seconds from 0 up.")
        scheduled.insert(0, (first, Inject(0)))
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
        gossiplab=FORMAT, version=__version__, experiment=complete,
        cycle=_asked(protocol, "cycle", (Cycle, type(None)), params),
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
    return "quiescent" if _asked(protocol, "stops_itself", bool, params) else "converged"


def _asked(protocol: type[Protocol], name: str, kind: Any, params: dict[str, Value]) -> Any:
    """What a protocol says of a run as a whole, which is of this kind.

    Raises UserError with the sentence of a ValueError, which says that these parameters make no sense. Raises
    ProtocolError for whatever else it raises or says: that is its own mistake.
    """
    try:
        said = getattr(protocol, name)(params)
    except ValueError as error:
        raise UserError(str(error)) from None
    except (Exception, SystemExit, GeneratorExit) as error:  # noqa: BLE001  # it is a stranger's code
        file = getattr(sys.modules.get(protocol.__module__), "__file__", None) or ""
        what = f"{type(error).__name__}: {error}"
        raise ProtocolError(
            f"{protocol.__name__}.{name} failed in {Path(file).name}, line {fault_line(error, file)} ({what}): mend it."
        ) from None
    if not isinstance(said, kind):
        raise ProtocolError(f"{protocol.__name__}.{name} says {said!r}, which has no meaning there: mend it.")
    return said


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
