"""A recording's run as one line for a shell. Imports experiment and runline."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from gossiplab.protocol import Protocol
from gossiplab.recording.export.experiment import experiment_of, protocol_of
from gossiplab.recording.reader import Recording
from gossiplab.runline import run_line


def line_of(
    recording: Recording, protocol: type[Protocol] | None = None, folders: Iterable[Path] = ()
) -> str:
    """The line that names a recording's run: pasted into a shell, it gives the same events.

    protocol: what it ran, and folders: where that is found; a built-in one if None. Raises RecordingError.
    """
    header = msgspec.structs.replace(recording.header, experiment=experiment_of(recording))
    return run_line(header, protocol or protocol_of(recording), folders)
