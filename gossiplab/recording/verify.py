"""Verifying a recording: execute its experiment and commands again, and compare every byte.

The one module here that imports the engine.
"""

import math
from collections.abc import Callable

import msgspec

from gossiplab.engine.lab import Lab
from gossiplab.engine.run import run_lab
from gossiplab.events import AnyEvent
from gossiplab.protocol import Protocol
from gossiplab.recording.again import repeat
from gossiplab.recording.format import KEYFRAME_MARK
from gossiplab.recording.reader import Recording
from gossiplab.recording.tape import Tape


class Difference(msgspec.Struct, frozen=True):
    """The first event in which a recording and its repetition differ.

    event: its number, counted from 1; 0 is the header, and a keyframe counts as the event before it. expected: the line in the
    recording. got: the line of the repetition. Either is empty where one of them has ended.
    """

    event: int
    expected: str
    got: str


class StoppedError(Exception):
    """A signal ended the repetition before all was compared, so nothing is known. signal: its number."""

    def __init__(self, signal: int) -> None:
        super().__init__(signal)
        self.signal = signal


class _DifferenceError(Exception):
    """Ends a repetition: there is a difference. Never leaves this module."""


def verify(
    recording: Recording, protocol: type[Protocol], progress: Callable[[float], None] = lambda t: None
) -> Difference | None:
    """Execute a recording again. None: every byte agrees, up to where a torn recording ends.

    progress: told the virtual instant reached, now and then. Raises RecordingError when the recording
    cannot be executed, because its commands or parameters have no meaning under `protocol`; StoppedError when
    SIGINT, SIGTERM or SIGHUP arrives meanwhile.
    """
    header, commands = repeat(recording, protocol)
    comparison = _Comparison(recording)
    stopped = recording.torn or recording.at_event(recording.length).ended == "stopped"
    lab: Lab | None = None
    try:
        tape = Tape(header, comparison.take)  # which writes the header at once

        def sink(batch: list[AnyEvent]) -> None:
            tape(batch)
            progress(tape.world.t)

        lab = Lab(header, protocol, sink)
        for t, command in commands:
            lab.post(command, at=t)
        # what did not stop there has ended there: a repetition that goes on differs, and need not go on for ever
        lab.stop(at=recording.end if stopped else math.nextafter(recording.end, math.inf))
        run_lab(lab)
        comparison.finish()
    except _DifferenceError:
        if lab is not None and lab.signal is not None:  # it was told to stop, which is not in the recording
            raise StoppedError(lab.signal) from None
    return comparison.difference


class _Comparison:
    """Compares bytes as they come with a recording's."""

    def __init__(self, recording: Recording) -> None:
        self.difference: Difference | None = None
        self._recording = recording
        self._offset = 0
        self._lines = 0  # of events, without header and keyframes

    def take(self, got: bytes) -> None:
        """Compare the next bytes. Raises _DifferenceError."""
        expected = self._recording.bytes_at(self._offset, len(got))
        if expected == got or (
            self._recording.torn and got.startswith(expected) and len(expected) < len(got)
        ):
            self._offset += len(expected)
            self._lines += _events(expected)
            return
        same = next((i for i, (a, b) in enumerate(zip(got, expected, strict=False)) if a != b), len(expected))
        start = got.rfind(b"\n", 0, same) + 1  # of the line in which they differ
        self._offset += start
        self._lines += _events(got[:start])
        mine = got[start:].partition(b"\n")[0]
        theirs = self._recording.bytes_at(self._offset, len(mine) + 4096).partition(b"\n")[0]
        self._fail(theirs, mine)

    def finish(self) -> None:
        """The repetition has ended: the recording must have, too. Raises _DifferenceError."""
        rest = self._recording.bytes_at(self._offset, 4096)
        if rest:
            self._fail(rest.split(b"\n", 1)[0], b"")

    def _fail(self, expected: bytes, got: bytes) -> None:
        number = self._lines + (self._offset > 0) * (
            not expected.startswith(KEYFRAME_MARK) or not got.startswith(KEYFRAME_MARK)
        )
        self.difference = Difference(number, expected.decode(errors="replace"), got.decode(errors="replace"))
        raise _DifferenceError


def _events(lines: bytes) -> int:
    """How many events are among these lines."""
    return sum(not line.startswith((KEYFRAME_MARK, b'{"gossiplab"')) for line in lines.splitlines())
