"""A recording as a film for asciinema: an asciicast in version 3. Imports camera and reader.

The format (docs.asciinema.org, "asciicast v3"): a JSON object as the header, which must have the version and the size
of the terminal; then one JSON array a line, [interval, code, data]. An interval is in seconds since the event
before, not since the beginning as it was in version 2. Codes used here: "o", what is written to the terminal;
"m", a marker, here one for each command, where players can jump to and stop; "x", the exit status, at the end.

A frame writes what changed in each row. Intervals are whole milliseconds, and their sum never strays from the frames.
"""

import json
import math
from collections.abc import AsyncIterator

from textual.strip import Strip

from gossiplab.errors import UserError
from gossiplab.recording.export import Reached, nothing
from gossiplab.recording.reader import Recording
from gossiplab.text import many, visible
from gossiplab.tui.camera import HEIGHT, WIDTH, camera

FRAMES = 12  # a second of the film: dots are seen to move, and a minute takes a few megabytes
_LONGEST = 60.0  # s of film, unless a speed is asked for
_MOST_FRAMES = 100_000  # more is some two hours
_SPEEDS = (1.0, 2.0, 5.0)  # and ten times those, and so on

_BEGIN = "\x1b[?25l\x1b[2J"  # hide the cursor, clear
_END = "\x1b[0m\x1b[?25h"


def round_speed(seconds: float) -> float:
    """The slowest speed, from 1 up, at which so many virtual seconds fit into a minute of film."""
    decade = 1.0
    while True:
        for speed in _SPEEDS:
            if seconds <= _LONGEST * speed * decade:
                return speed * decade
        decade *= 10


async def asciicast(
    recording: Recording,
    *,
    start: float = 0.0,
    speed: float | None = None,
    width: int = WIDTH,
    height: int = HEIGHT,
    reached: Reached = nothing,
) -> AsyncIterator[str]:
    """The film, a line at a time, from the instant `start` on.

    speed: virtual seconds in a second of film, above 0; None: 1, or as much faster as makes it fit into a minute.
    width, height: of the screen, in cells. Raises UserError for what cannot be filmed, RecordingError.
    """
    end = recording.end
    start = min(start, end)
    speed = speed or round_speed(end - start)
    frames = math.ceil((end - start) / speed * FRAMES)
    if frames > _MOST_FRAMES:
        raise UserError(
            f"a film of {frames} frames is too long: give --speed a number above {(end - start) * FRAMES / _MOST_FRAMES:.3g}."
        )
    yield _line({"version": 3, "term": {"cols": width, "rows": height}, "title": _title(recording)})
    film = _Film()
    yield film.event(0.0, "o", _BEGIN)
    commands = ((event.t, event.command) for event in recording.commands() if event.t >= start)
    command = next(commands, None)
    rows = [Strip([])] * height
    async with camera(recording.path, width, height, playing=True) as lens:
        for frame in range(frames + 1):
            t = min(end, start + frame * speed / FRAMES)
            while command is not None and command[0] <= t:
                yield film.event((command[0] - start) / speed, "m", visible(command[1]))
                command = next(commands, None)
            await lens.go(t)
            before, rows = rows, lens.rows()
            if data := lens.change(before, rows):
                yield film.event((t - start) / speed, "o", data)
            reached(t)
    yield film.event((end - start) / speed, "o", f"\x1b[{height};1H{_END}")
    yield film.event((end - start) / speed, "x", "0")


class _Film:
    """Keeps the time: turns instants of the film into intervals."""

    def __init__(self) -> None:
        self._last = 0  # ms

    def event(self, seconds: float, code: str, data: str) -> str:
        """One event at an instant of the film, which is not before that of the last."""
        now = max(self._last, round(seconds * 1000))
        interval, self._last = (now - self._last) / 1000, now
        return _line([interval, code, data])


def _title(recording: Recording) -> str:
    experiment = recording.header.experiment
    return (
        f"gossiplab: {visible(experiment.protocol)}, {many(experiment.nodes, 'node')}, seed {experiment.seed}"
    )


def _line(value: object) -> str:
    return f"{json.dumps(value, ensure_ascii=False)}\n"
