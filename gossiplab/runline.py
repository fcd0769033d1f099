"""A run's name: the shortest line that, pasted into a shell, gives the same run. Imports plan, events, link, workload.

A pure function of the header, because a header says everything there is to say about a run; and the reader of
the line is the command line itself, so the two cannot drift apart without a test noticing.
"""

import shlex
from collections.abc import Iterable
from pathlib import Path

from gossiplab.events import Header
from gossiplab.experiment import Experiment, Value, split_schedule
from gossiplab.link import Link
from gossiplab.plan import natural_end
from gossiplab.protocol import Protocol
from gossiplab.workload import Workload

_GIVEN = "0 inject n0"  # what a plan adds to a schedule that injects nothing


def run_line(header: Header, protocol: type[Protocol] | None = None, folders: Iterable[Path] = ()) -> str:
    """`gossiplab run epidemic --seed 7 --set fanout=2 ...`, quoted for a POSIX shell.

    Whatever is as it would be anyway is left out. protocol: says what its parameters are by default; without it
    all of them are written. folders: where the protocol is found, when it is no built-in one. A run that only a
    person ends is a `gossiplab lab`.
    """
    experiment = header.experiment
    command = "lab" if experiment.until == "stopped" else "run"
    words = ["gossiplab", command, experiment.protocol]
    for folder in folders:
        words += ["--protocols", str(folder)]
    for name in ("nodes", "topology", "seed"):
        words += _flag(experiment, Experiment, name)
    for name, value in experiment.params.items():
        if protocol is None or name not in protocol.params or protocol.params[name].default != value:
            words += ["--set", f"{name}={_text(value)}"]
    for name in Link.__struct_fields__:
        words += _flag(experiment.link, Link, name)
    if experiment.workload:
        for name in Workload.__struct_fields__:
            for value in _flag(experiment.workload, Workload, name)[1:]:
                words += ["--workload", f"{name}={value}"]
    for entry in _schedule(experiment.at):
        words += ["--at", entry]
    until = experiment.until
    natural = None
    if protocol is not None:
        times = [split_schedule(text)[0] for text in experiment.at]
        natural = natural_end(protocol, experiment.params, times, experiment.limit)
    if until is not None and until not in ("stopped", natural):
        words += ["--until", _text(until)]
    words += _flag(experiment, Experiment, "limit")
    return shlex.join(words)


def _flag(
    struct: Experiment | Link | Workload, kind: type[Experiment] | type[Link] | type[Workload], name: str
) -> list[str]:
    value: Value = getattr(struct, name)
    default = kind.__struct_defaults__[kind.__struct_fields__.index(name) - _required(kind)]
    return [] if value == default else [f"--{name}", _text(value)]


def _required(kind: type[Experiment] | type[Link] | type[Workload]) -> int:
    return len(kind.__struct_fields__) - len(kind.__struct_defaults__)


def _schedule(at: tuple[str, ...]) -> tuple[str, ...]:
    """The commands without the rumor that a run begins with by itself."""
    injections = [entry for entry in at if " inject " in entry]
    return at[1:] if injections == [_GIVEN] == list(at[:1]) else at


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
