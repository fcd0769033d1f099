"""A run's name: the shortest line that, pasted into a shell, gives the same run. Imports plan, and what a header is made of.

A pure function of the header, because a header says everything there is to say about a run; and the reader of
the line is the command line itself, so the two cannot drift apart without a test noticing.
"""

import re
import shlex
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from gossiplab.commands import Inject
from gossiplab.errors import UserError
from gossiplab.events import Header
from gossiplab.experiment import Experiment, Value, split_schedule
from gossiplab.link import Link
from gossiplab.plan import natural_end, write_scheduled
from gossiplab.protocol import Protocol, resolve_params
from gossiplab.text import visible
from gossiplab.workload import Workload

_NAME = re.compile(r"\w[\w .+-]*")


def run_line(header: Header, protocol: type[Protocol] | None = None, folders: Iterable[Path] = ()) -> str:
    """`gossiplab run epidemic --seed 7 --set fanout=2 ...`, quoted for a POSIX shell.

    Whatever is as it would be anyway is left out. protocol: says what its parameters are by default; without it
    all of them are written. folders: where the protocol is found, when it is no built-in one. A run that only a
    person ends is a `gossiplab lab`. Raises UserError where what stands for the protocol would be read as something else,
    such as a file or an option: it may come from a stranger.
    """
    experiment = header.experiment
    if not _NAME.fullmatch(experiment.protocol) or experiment.protocol.endswith((".py", ".toml")):
        raise UserError(
            f"there is no line for this run, for {visible(repr(experiment.protocol))} is no protocol's name: export it as an experiment instead."
        )
    if _complete(protocol, experiment.params) != experiment.params:
        protocol = None  # it is another one of the same name
    command = "lab" if experiment.until == "stopped" else "run"
    words = ["gossiplab", command, experiment.protocol]
    for folder in folders:
        words += ["--protocols", str(folder)]
    for name in ("nodes", "topology", "seed"):
        words += _flag(experiment, Experiment, name)
    for name, value in given_params(experiment.params, protocol).items():
        words += ["--set", f"{name}={_text(value)}"]
    for name in Link.__struct_fields__:
        words += _flag(experiment.link, Link, name)
    if experiment.workload:
        for name in Workload.__struct_fields__:
            for value in _flag(experiment.workload, Workload, name)[1:]:
                words += ["--workload", f"{name}={value}"]
    for entry in _schedule(experiment, protocol):
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


def given_params(params: dict[str, Value], protocol: type[Protocol] | None) -> dict[str, Value]:
    """As few of a run's parameters as the protocol completes to all of them; all where the protocol is not known."""
    given = params
    for name in params:
        fewer = {other: value for other, value in given.items() if other != name}
        if _complete(protocol, fewer) == params:
            given = fewer
    return given


def _complete(protocol: type[Protocol] | None, params: dict[str, Value]) -> dict[str, Value] | None:
    """All parameters that follow from these; None where they have no meaning, or the protocol is not known."""
    with suppress(UserError):
        return protocol and protocol.complete(resolve_params(protocol, params))
    return None


def _flag(
    struct: Experiment | Link | Workload, kind: type[Experiment] | type[Link] | type[Workload], name: str
) -> list[str]:
    value: Value = getattr(struct, name)
    default = kind.__struct_defaults__[kind.__struct_fields__.index(name) - _required(kind)]
    return [] if value == default else [f"--{name}", _text(value)]


def _required(kind: type[Experiment] | type[Link] | type[Workload]) -> int:
    return len(kind.__struct_fields__) - len(kind.__struct_defaults__)


def _schedule(experiment: Experiment, protocol: type[Protocol] | None) -> tuple[str, ...]:
    """The commands without the rumor that a run is given by itself, if the protocol that says when is known."""
    at = experiment.at
    injections = [entry for entry in at if " inject " in entry]
    if protocol is None or injections != [*at[:1]]:
        return at
    given = write_scheduled(protocol.first_rumor(experiment.params), Inject(0))
    return at[1:] if injections == [given] else at


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
