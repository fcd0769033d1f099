"""A recording's experiment as an editable TOML file that runs again. Imports reader, plan, experiment and content.

The commands that a person gave stand in it as if they had been scheduled. Scheduled and given commands take
effect by the same rule (at one instant, in order, after all else that is due), so they give the same events and the
same digest, whenever and wherever they run:

    no person meddled       the same bytes
    a person gave commands  every event the same; the header differs (it lists the commands), and with it the
                            keyframes, which hold digests of all bytes
    a person ended the run  every event the same but the closing one, which says "time" for "stopped"

The few types that an experiment has are written by hand: a library would sort and wrap them its own way.
"""

import re
from collections.abc import Iterator
from contextlib import suppress

import msgspec

from gossiplab.commands import parse_command
from gossiplab.content import load_recorded
from gossiplab.errors import GossiplabError, RecordingError, UserError
from gossiplab.experiment import Experiment, Value
from gossiplab.link import Link
from gossiplab.plan import read_scheduled, write_scheduled
from gossiplab.protocol import Protocol
from gossiplab.recording.export import Reached, nothing
from gossiplab.recording.reader import Recording
from gossiplab.runline import given_params
from gossiplab.workload import Workload

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_ESCAPES = {'"': r"\"", "\\": r"\\"}


def experiment_of(recording: Recording) -> Experiment:
    """What to run to get this recording's events again. Raises RecordingError when it is corrupted.

    Commands stand in the order in which they took effect; those whose time had not come, after them. Where a person
    ended the run, or the recording ends early, the experiment ends at that instant.
    """
    experiment = recording.header.experiment
    try:
        waiting = [read_scheduled(text, experiment.nodes) for text in experiment.at]
    except UserError as error:
        raise RecordingError(f"{recording.path} cannot be run again: {error}") from None
    at: list[str] = []
    meddled = False
    world = recording.at_event(
        recording.length
    )  # which has all commands: of a long recording only the end is read
    for deed in world.deeds:
        entry = (deed.t, parse_command(deed.command, experiment.nodes))
        if entry in waiting:
            waiting.remove(entry)
        else:
            meddled = True
        at.append(write_scheduled(*entry))
    if meddled:
        at += [write_scheduled(*entry) for entry in waiting]
        experiment = msgspec.structs.replace(experiment, at=tuple(at))
    if recording.torn or world.ended == "stopped":
        experiment = msgspec.structs.replace(experiment, until=recording.end)
    return experiment


def protocol_of(recording: Recording) -> type[Protocol] | None:
    """The built-in protocol that ran; None for one of the user's own, of which no parameter is known to follow."""
    with suppress(GossiplabError):
        return load_recorded(recording.header.experiment.protocol, recording.header.own)
    return None


def export_experiment(recording: Recording, reached: Reached = nothing) -> Iterator[str]:
    """The TOML file, a line at a time: complete, but for parameters that follow from others."""
    experiment = experiment_of(recording)
    params = given_params(experiment.params, protocol_of(recording))
    header = recording.header
    yield f"# Exported from a recording of gossiplab {_comment(header.version)}; the schedule holds every command of that run.\n"
    yield "# Run it again with: gossiplab run THIS_FILE (and --protocols FOLDER for a protocol of your own).\n"
    if experiment.until != header.experiment.until:
        why = "The recording ends early" if recording.torn else "A person ended that run"
        yield f"# {why}: `until` is the instant at which it did.\n"
    yield "\n"
    yield from write_experiment(msgspec.structs.replace(experiment, params=params))
    reached(recording.end)


def write_experiment(experiment: Experiment) -> Iterator[str]:
    """An experiment as the lines of a TOML file that `load_experiment` reads back as an equal one."""
    for name in ("protocol", "nodes", "topology", "seed", "until", "limit"):
        value: Value | None = getattr(experiment, name)
        if value is not None:
            yield f"{name} = {_value(value)}\n"
    if experiment.at:
        yield "at = [\n"
        for entry in experiment.at:
            yield f"    {_value(entry)},\n"
        yield "]\n"
    if experiment.params:
        yield "\n[params]\n"
        for name, value in experiment.params.items():
            yield f"{_key(name)} = {_value(value)}\n"
    yield "\n[link]\n"
    for name in Link.__struct_fields__:
        yield f"{name} = {_value(getattr(experiment.link, name))}\n"
    if experiment.workload:
        yield "\n[workload]\n"
        for name in Workload.__struct_fields__:
            yield f"{name} = {_value(getattr(experiment.workload, name))}\n"


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _value(name)


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)  # TOML wants digits on both sides of the point, as Python writes them
    return f'"{"".join(map(_character, value))}"'


def _character(character: str) -> str:
    """Part of a basic string. What does not print is escaped, so that no editor or terminal obeys it."""
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character == " " or character.isprintable():
        return character
    return f"\\u{ord(character):04X}" if ord(character) < 0x10000 else f"\\U{ord(character):08X}"


def _comment(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
