"""An experiment's fields as flags of the command line: what is written becomes fields, and these a plan.

Imports cyclopts, which reads the flags off the annotations; whatever costs time to import is imported when it is used.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from cyclopts import Parameter

from gossiplab.errors import UserError
from gossiplab.text import visible

if TYPE_CHECKING:
    from gossiplab.events import Header
    from gossiplab.protocol import Protocol

_LINK = ("jitter", "loss", "duplicate", "reorder", "bandwidth")
_VARIED = ("nodes", "topology", "until", "limit", "latency", *_LINK)


@Parameter(name="*")
@dataclass(kw_only=True)
class Flags:
    """An experiment's fields as flags. What is not given is as the experiment file, or its default, has it."""

    nodes: str | None = None
    "How many nodes."
    topology: str | None = None
    "Who is linked with whom: complete, ring, grid, erdos-renyi, watts-strogatz(k=4,p=0.1), barabasi-albert, tree, two-clusters."
    seed: str | None = None
    "Whole number from which everything random follows."
    set: Annotated[list[str], Parameter(negative=())] = field(default_factory=list[str])
    "A protocol's parameter, as NAME=VALUE; see `gossiplab protocols`."
    # a hyphen may lead: "-1 kill n0" is a mistake in a time, and no unknown option
    at: Annotated[list[str], Parameter(negative=(), allow_leading_hyphen=True)] = field(
        default_factory=list[str]
    )
    'A command and when it takes effect, as "3 kill n0" or "3 partition n0-n7".'
    until: str | None = None
    "When the run ends: converged, quiescent, or virtual seconds. If left out: quiescent for a protocol that stops by itself, converged for one that never does, and 60 s after the last command for one without rumors."
    limit: str | None = None
    "Virtual seconds after which a run ends that waits for quiescent or converged."
    latency: str | None = None
    "Seconds in flight: 0.03, 0.01..0.05 or lognormal(0.03,0.5)."
    jitter: str | None = None
    "Seconds by which a latency varies further."
    loss: str | None = None
    "Probability that a message is lost."
    duplicate: str | None = None
    "Probability that a message arrives twice."
    reorder: str | None = None
    "Probability that a message is overtaken."
    bandwidth: str | None = None
    "Bytes per second of a link; 0 for no limit."
    workload: Annotated[list[str], Parameter(negative=())] = field(default_factory=list[str])
    "What clients of a replicated store do, as NAME=VALUE: keys, size, rate, skew, writers, reads, deletes, concurrent."
    protocols: Annotated[list[Path], Parameter(negative=())] = field(default_factory=list[Path])
    "A folder with protocol files of your own."
    record: Path | None = None
    "The file to record to; a name that ends in .zst is compressed."
    force: Annotated[bool, Parameter(negative=())] = False
    "Record over a recording that is there."


def _named(target: str, flags: Flags) -> dict[str, Any]:
    """The fields that an experiment file, a protocol file or a protocol's name gives."""
    if target.endswith(".toml"):
        from gossiplab.experiment import load_experiment
        from gossiplab.library import find_experiment

        fields = load_experiment(find_experiment(target))
        if "protocol" not in fields:
            raise UserError(f'{target} names no protocol: add a line such as protocol = "epidemic".')
        return fields
    path = Path(target)
    if target.endswith(".py"):
        if not path.is_file():
            raise UserError(f"there is no protocol file {target}: check its name.")
        flags.protocols.append(path.parent)
        return {"protocol": path.stem}
    if path.is_dir() and ("/" in target or target in (".", "..")):
        raise UserError(f"{target} is a folder: name a protocol, or a file in it that ends in .py or .toml.")
    return {"protocol": target}


def fields_of(target: str, flags: Flags) -> dict[str, Any]:
    """The experiment's fields: from a file or a protocol's name, and the flags over them."""
    fields = _named(target, flags)
    if flags.topology is not None:
        fields["topology"] = flags.topology
    if flags.limit is not None:
        fields["limit"] = number("limit", flags.limit)
    for name in ("nodes", "seed"):
        if (value := getattr(flags, name)) is not None:
            fields[name] = whole(name, value)
    if flags.until is not None:
        try:
            fields["until"] = float(flags.until)
        except ValueError:
            fields["until"] = flags.until
    link: dict[str, Any] = {
        name: value for name in _LINK if (value := number(name, getattr(flags, name))) is not None
    }
    if flags.latency is not None:
        link["latency"] = flags.latency
    if link:
        fields["link"] = {**_table(fields, "link"), **link}
    if flags.workload:
        from gossiplab.workload import parse_workload

        fields["workload"] = {**_table(fields, "workload"), **parse_workload(flags.workload)}
    if flags.set:
        fields["params"] = {**_table(fields, "params"), **dict(map(_setting, flags.set))}
    if flags.at:
        fields["at"] = [*fields.get("at", []), *flags.at]
    return fields


def varied(flags: Flags, settings: dict[str, str]) -> Flags:
    """The flags with some set to other values: those that are none are the protocol's parameters."""
    if "seed" in settings:
        raise UserError("the seed is varied by --seeds N: leave it out of --vary.")
    own = {name: value for name, value in settings.items() if name in _VARIED}
    params = [f"{name}={value}" for name, value in settings.items() if name not in _VARIED]
    return replace(flags, **own, set=[*flags.set, *params], protocols=[*flags.protocols])


def plans_of(target: str, flags: Flags, seeds: int) -> "list[tuple[Header, type[Protocol]]]":
    """The same run with so many seeds, from the experiment's own on."""
    fields = fields_of(target, flags)
    folders = tuple(flags.protocols)
    first = plan_of(fields, folders, target)
    if first[0].experiment.until == "stopped":
        raise UserError("the runs of a sweep have to end: give --until quiescent, converged or seconds.")
    seed = first[0].experiment.seed
    return [first, *(plan_of({**fields, "seed": seed + k}, folders, target) for k in range(1, seeds))]


def _table(fields: dict[str, Any], name: str) -> dict[str, Any]:
    table: Any = fields.get(name, {})
    if not isinstance(table, dict):
        raise UserError(f"the experiment's {name} is no table: write [{name}] and its settings below.")
    return cast(dict[str, Any], table)


def whole(name: str, text: str) -> int:
    """Read a flag's whole number. Raises UserError."""
    # read here and not by cyclopts, which takes 1.5 for 1
    if not text.lstrip("-").isdecimal() or not text.isascii() or len(text) > 40:
        raise UserError(f"--{name} cannot be {visible(text, 40)!r}: give a whole number.")
    return int(text)


def number(name: str, text: str | None) -> float | None:
    """Reads a flag's number. What the number may be, whoever takes it says."""
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        raise UserError(f"--{name} cannot be {visible(text, 40)!r}: give a number, such as 0.5.") from None


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UserError(f"{text!r} sets nothing: write --set NAME=VALUE.")
    return (name, value) if name == name.strip() else (name.strip(), value.strip())


def plan_of(
    fields: dict[str, Any], folders: tuple[Path, ...], where: str = "the experiment"
) -> "tuple[Header, type[Protocol]]":
    """A planned run, and what it runs. Raises UserError; `where` says where the fields are from."""
    from gossiplab.content import load_protocol
    from gossiplab.experiment import make_experiment
    from gossiplab.plan import plan

    experiment = make_experiment(fields, where)
    protocol = load_protocol(experiment.protocol, folders)
    return plan(experiment, protocol), protocol


def check_record(flags: Flags) -> None:
    """Refuse to record over a recording that is there. Raises UserError."""
    from gossiplab.recording.recorder import refuse_to_replace

    if flags.record is not None and not flags.force:
        refuse_to_replace(flags.record)
