"""What it takes to execute a recording again: its experiment, and the commands a person gave meanwhile.

Used to verify a recording, and to fork it: to execute it up to an instant and act differently from there.
Imports reader and plan; runs nothing.
"""

from typing import NamedTuple

import msgspec

from gossiplab.commands import AnyCommand, parse_command
from gossiplab.errors import RecordingError, UserError
from gossiplab.events import Header, Parent
from gossiplab.plan import Scheduled, check_command, plan, read_scheduled
from gossiplab.protocol import Protocol
from gossiplab.recording.reader import Recording


class Repetition(NamedTuple):
    """A lab to be: its header, and commands to post to it before it starts."""

    header: Header
    commands: list[Scheduled]


def repeat(recording: Recording, protocol: type[Protocol]) -> Repetition:
    """The same run again. Raises RecordingError when the recording has no meaning under `protocol`."""
    header = recording.header
    try:
        planned = plan(header.experiment, protocol)
        commands = _live_commands(recording)
        for _, command in commands:
            check_command(command, protocol)
    except UserError as error:
        raise RecordingError(f"{recording.path} cannot be executed again: {error}") from None
    if planned.experiment != header.experiment:
        raise RecordingError(
            f"{recording.path} cannot be executed again: its experiment is not complete, so gossiplab did not write it; take an undamaged copy of it."
        )
    return Repetition(msgspec.structs.replace(header, cycle=planned.cycle), commands)


def fork(recording: Recording, protocol: type[Protocol], t: float, command: AnyCommand) -> Repetition:
    """The same run up to the instant `t`, where `command` begins another future, which nothing ends by itself.

    What a person did after `t` has not happened in it; what the experiment schedules still will. Raises
    RecordingError as `repeat` does, UserError when the command has no meaning under `protocol`.
    """
    header, commands = repeat(recording, protocol)
    check_command(command, protocol)
    forked = msgspec.structs.replace(
        header,
        experiment=msgspec.structs.replace(header.experiment, until="stopped"),
        parent=Parent(name=recording.path.name, t=t, events=recording.at(t).events),
    )
    return Repetition(forked, [*(each for each in commands if each[0] <= t), (t, command)])


def _live_commands(recording: Recording) -> list[Scheduled]:
    """The commands that a person gave while the lab ran: those recorded and not in the schedule."""
    experiment = recording.header.experiment
    scheduled = [read_scheduled(text, experiment.nodes) for text in experiment.at]
    live: list[Scheduled] = []
    for deed in recording.at_event(recording.length).deeds:
        entry = (deed.t, parse_command(deed.command, experiment.nodes))
        if entry in scheduled:
            scheduled.remove(entry)
        else:
            live.append(entry)
    return live
