"""What to run: a typed struct, read from TOML or built from flags. Imports only link, workload and errors.

Every flag of `gossiplab run` is a field here and every field is a flag. An experiment says nothing
about how fast or where it runs: the same experiment gives the same recording, to the byte.
"""

import math
from pathlib import Path
from typing import Any, cast

import msgspec

from gossiplab.errors import UserError
from gossiplab.link import Link
from gossiplab.workload import Workload

MOST_NODES = 100_000  # more would take more memory than a laptop has, and show nothing more
_LONGEST = 2**20  # characters of an experiment file
MOST_SECONDS = 1e6  # a float of virtual seconds is exact to below a nanosecond up to here

UNTIL = ("quiescent", "converged", "stopped")

Value = bool | int | float | str
"""What a protocol's parameter may be."""


class Cycle(msgspec.Struct, frozen=True):
    """How a protocol counts time for its rumors.

    period: seconds. aligned: cycles start at the common instants 0, period, 2 period ...; otherwise
    every rumor counts periods from its own injection.
    """

    period: float
    aligned: bool

    def count(self, start: float, t: float) -> int:
        """The number of the cycle, counted from the injection at `start`, in which `t` lies; 0 at `start`.

        What arrives in the i-th cycle after the injection counts i (Demers et al. 1987).
        """
        # 1e-9: i * period divided by period can come out a hair below i
        if self.aligned:
            return math.floor(t / self.period + 1e-9) - math.floor(start / self.period + 1e-9)
        return math.ceil((t - start) / self.period - 1e-9)


class Experiment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to run.

    protocol: name of a protocol file. nodes: how many. topology: see `gossiplab.topology`.
    seed: any whole number from 0 up; everything random follows from it.
    params: values for the protocol's parameters. link: what all links do to messages.
    at: the fault schedule, "SECONDS COMMAND" each, such as "3 partition n0-n7".
    until: when the run ends by itself. "quiescent": nobody spreads a rumor any more and none is in flight.
        "converged": every live node knows every rumor, or the run is quiescent. A number: virtual seconds.
        "stopped": when a person stops it. None: as suits the protocol, which `gossiplab.plan` finds out: 60 s after the last command for one without rumors.
    limit: virtual seconds after which a run that waits for "quiescent" or "converged" ends all the same.
    workload: what clients of a replicated store do; unset: nothing, and there are no keys to begin with.
    """

    protocol: str
    nodes: int = 30
    topology: str = "complete"
    seed: int = 0
    params: dict[str, Value] = {}
    link: Link = Link()
    at: tuple[str, ...] = ()
    until: float | str | None = None
    limit: float = 1000.0
    workload: Workload | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        if not 0 <= self.nodes <= MOST_NODES:
            raise UserError(f"a lab cannot have {self.nodes} nodes: give a number from 0 to {MOST_NODES}.")
        if not 0 <= self.seed < 2**63:
            raise UserError(f"the seed cannot be {self.seed}: give a whole number from 0 to 2^63 - 1.")
        if isinstance(self.until, str):
            if self.until not in UNTIL:
                raise UserError(
                    f"a run cannot go on until {self.until!r}: give quiescent, converged, or a number of seconds."
                )
        elif self.until is not None and not 0 <= self.until <= MOST_SECONDS:
            raise UserError(
                f"a run cannot go on until {self.until} s: give seconds from 0 to {MOST_SECONDS:.0f}."
            )
        if not 0 <= self.limit <= MOST_SECONDS:
            raise UserError(f"the limit cannot be {self.limit} s: give seconds from 0 to {MOST_SECONDS:.0f}.")


_TABLES: dict[str, tuple[str, type[msgspec.Struct]]] = {
    "link": ("the link of ", Link),
    "workload": ("the workload of ", Workload),
}
"""The tables of an experiment file, by name: what they are called in errors, and what is in them."""


def split_schedule(text: str) -> tuple[float, str]:
    """Read "3 kill n0" as (3.0, "kill n0"). Raises UserError when the time is missing or out of range."""
    time, _, command = text.strip().partition(" ")
    try:
        seconds = float(time)
    except ValueError:
        raise UserError(
            f'{text!r} does not start with a time: write "3 kill n0" to kill n0 at 3 s.'
        ) from None
    if not 0 <= seconds <= MOST_SECONDS:
        raise UserError(f"{text!r} cannot happen at {time} s: give seconds from 0 to {MOST_SECONDS:.0f}.")
    return seconds, " ".join(command.split())


def load_experiment(path: Path) -> dict[str, Any]:
    """The fields that an experiment file sets, checked for names and types by `make_experiment` later.

    Raises UserError when the file cannot be read or is not TOML.
    """
    import tomllib  # only experiment files need it

    try:
        # to read a pipe is to wait, and a device has no end
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise UserError(f"{path} is no regular file: give the name of a .toml file.")
        with path.open(encoding="utf-8") as file:
            text = file.read(_LONGEST + 1)
        if len(text) > _LONGEST:
            raise UserError(f"{path} is no experiment: it has more than {_LONGEST:,} characters.")
    except IsADirectoryError:
        raise UserError(f"{path} is a folder: name the experiment's .toml file.") from None
    except FileNotFoundError:
        raise UserError(
            f"there is no file {path}: check its name, or list protocols with `gossiplab protocols`."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UserError(f"{path} cannot be read: {reason}.") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path} is not a TOML file: {error}.") from None
    except (ValueError, RecursionError):  # numbers of thousands of digits, thousands of brackets
        raise UserError(f"{path} is no experiment: a number or a nesting in it is far too long.") from None


def make_experiment(fields: dict[str, Any], where: str = "the experiment") -> Experiment:
    """An Experiment from plain values. Raises UserError naming the field at fault and `where` it stands.

    A latency may be a plain number of seconds, too: a file reads better so.
    """
    link = fields.get("link")
    latency = cast(dict[str, object], link).get("latency") if isinstance(link, dict) else None
    if isinstance(latency, int | float) and not isinstance(latency, bool):
        fields = {**fields, "link": {**cast(dict[str, object], link), "latency": repr(latency)}}
    try:
        return msgspec.convert(fields, Experiment)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$.")
        quoted = what.partition("`")[2].partition("`")[0]
        field = place.rstrip("`") or quoted
        if "unknown field" in what:
            table, kind = _TABLES.get(place.rstrip("`"), ("", Experiment))
            known = ", ".join(kind.__struct_fields__)
            raise UserError(f"{table}{where} has no field {quoted!r}: the fields are {known}.") from None
        raise UserError(f"the field {field} of {where} is wrong: {what[0].lower()}{what[1:]}.") from None
