"""Exporting a recording: which format, to which file, with a progress bar. Imports library, headless and the formats.

What comes out goes to a file of its own beside its place, which takes that place when it is whole: an export that
breaks off leaves nothing that looks like one. Formats that draw import Textual, the others do not.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple, TextIO

from gossiplab.errors import StorageError, UserError
from gossiplab.headless import Progress
from gossiplab.recording.export import Reached
from gossiplab.recording.reader import Recording, open_recording
from gossiplab.text import visible

FORMATS = ("csv", "jsonl", "shiviz", "asciicast", "svg", "experiment", "line")


class Options(NamedTuple):
    """What an export can be told. at: virtual seconds. width, height: cells. speed, step: as the formats have them."""

    at: float | None = None
    width: int | None = None
    height: int | None = None
    speed: float | None = None
    step: float | None = None


_MEANT_FOR = {
    "csv": ("step",), "svg": ("at", "width", "height"), "asciicast": ("at", "width", "height", "speed"),
}  # fmt: skip
_LEAST = {"at": 0.0, "width": 1.0, "height": 1.0}  # the others are above 0


def export(path: Path, to: str, output: Path | None, options: Options, *, force: bool = False) -> None:
    """Write a recording in another format to `output`; None: to standard output.

    force: replace a file that is there. Raises UserError, RecordingError and StorageError.
    """
    if to not in FORMATS:
        raise UserError(f"a recording cannot be exported to {to!r}: give --to {', '.join(FORMATS)}.")
    _check(to, options)
    if to == "experiment" and output is not None and not output.name.endswith(".toml"):
        raise UserError(
            f"{output} could not be run: give --output a name that ends in .toml, as every experiment's does."
        )
    recording = open_recording(path)
    try:
        # a bar and the output on one terminal would run into each other
        quiet = output is None and sys.stdout.isatty()
        with (
            Progress("exporting", recording.end, quiet=quiet) as progress,
            _sink(output, path, force) as write,
        ):
            if to in ("svg", "asciicast"):
                asyncio.run(_drain(_drawn(recording, to, options, progress.at), write))
            else:
                for piece in _written(recording, to, options, progress.at):
                    write(piece)
    finally:
        recording.close()


def _check(to: str, options: Options) -> None:
    for name, value in options._asdict().items():
        if value is None:
            continue
        if name not in _MEANT_FOR.get(to, ()):
            raise UserError(f"--{name} has no meaning for {to}: leave it out.")
        least = _LEAST.get(name)
        if not (value > 0 if least is None else least <= value) or value == float("inf"):
            raise UserError(
                f"--{name} cannot be {value}: give a number {'above 0' if least is None else f'from {least:.0f} up'}."
            )


def _written(recording: Recording, to: str, options: Options, reached: Reached) -> Iterator[str]:
    """The formats that are text."""
    match to:
        case "csv":
            from gossiplab.recording.export.table import export_csv

            return export_csv(recording, options.step, reached)
        case "jsonl":
            from gossiplab.recording.export.jsonl import export_jsonl

            return export_jsonl(recording, reached)
        case "shiviz":
            from gossiplab.recording.export.shiviz import export_shiviz

            return export_shiviz(recording, reached)
        case "experiment":
            from gossiplab.recording.export.experiment import export_experiment

            return export_experiment(recording, reached)
        case _:
            from gossiplab.recording.export.line import line_of

            line = line_of(recording)
            if visible(line, len(line)) != line:
                raise UserError(
                    f"the line of {recording.path} would hold what a terminal obeys: export it as an experiment instead."
                )
            return iter((f"{line}\n",))


async def _drawn(recording: Recording, to: str, options: Options, reached: Reached) -> AsyncIterator[str]:
    """The formats that show the screen."""
    from gossiplab.tui.asciicast import asciicast
    from gossiplab.tui.camera import HEIGHT, WIDTH, camera

    width, height = options.width or WIDTH, options.height or HEIGHT
    if to == "asciicast":
        film = asciicast(
            recording,
            start=options.at or 0.0,
            speed=options.speed,
            width=width,
            height=height,
            reached=reached,
        )
        async for line in film:
            yield line
        return
    async with camera(recording.path, width, height, playing=False) as lens:
        t = recording.end if options.at is None else min(options.at, recording.end)
        await lens.go(t)
        picture = lens.svg(f"gossiplab at {t:.3f} s")
    yield f"{picture}\n"


async def _drain(pieces: AsyncIterator[str], write: Callable[[str], object]) -> None:
    async for piece in pieces:
        write(piece)


@contextmanager
def _sink(output: Path | None, recording: Path, force: bool) -> Generator[Callable[[str], object]]:
    if output is None:
        yield sys.stdout.write
        return
    part: Path | None = None
    try:
        _check_place(output, recording, force)
        with _beside(output) as file:
            part = Path(file.name)
            yield file.write
        part.replace(output)
    except BaseException as error:
        if part is not None:
            with suppress(OSError):
                part.unlink()
        if isinstance(error, OSError):
            raise StorageError(
                f"the export cannot be written to {output}: {error.strerror}; choose another place with --output FILE."
            ) from None
        raise


def _beside(output: Path) -> TextIO:
    """A new file beside `output`, with a name that nothing has yet."""
    for number in count():
        with suppress(FileExistsError):
            return output.with_name(f"{output.name}.part{number or ''}").open(
                "x", encoding="utf-8", newline=""
            )
    raise AssertionError


def _check_place(output: Path, recording: Path, force: bool) -> None:
    """Raises UserError when a file at `output` would cost somebody something."""
    if output.is_dir():
        raise UserError(f"{output} is a folder: name a file in it with --output.")
    if not output.parent.is_dir():
        raise UserError(f"there is no folder {output.parent}: make it, or name another with --output.")
    if output.exists() and not output.is_file():
        raise UserError(
            f"{output} is no regular file: leave --output out and redirect standard output to it."
        )
    if output.exists() and output.samefile(recording):
        raise UserError(f"{output} is the recording itself: choose another name for --output.")
    if output.exists() and not force:
        raise UserError(f"{output} exists: choose another name for --output, or replace it with --force.")
