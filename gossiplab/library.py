"""What there is to open: the demo, the protocols, the recordings that come along and the user's own."""

from pathlib import Path
from typing import Any

from gossiplab.content import content_folder, load_protocol_file, protocol_files
from gossiplab.errors import GossiplabError, RecordingError
from gossiplab.experiment import load_experiment, make_experiment
from gossiplab.recording.format import SUFFIX
from gossiplab.recording.reader import open_recording
from gossiplab.text import many, visible

_MOST_COMMANDS = 100  # in a preview


def demo_experiment() -> dict[str, Any]:
    """The fields of the experiment that `gossiplab` opens: half a minute in which much happens.

    Links are slow, so that messages can be seen flying.
    """
    return {
        "protocol": "epidemic",
        "nodes": 30,
        "topology": "watts-strogatz(k=6,p=0.2)",
        "seed": 7,
        "params": {"direction": "push-pull", "phase": "random", "period": 1.0},
        "link": {"latency": "0.3..0.6"},
        "at": [
            "0 inject n0",
            "7 partition n0-n9",
            "8 inject n20",
            "14 heal",
            "19 kill n3,n12,n21",
            "20 inject n26",
            "25 rejoin n3,n12",
            "26 rejoin n21 fresh",
        ],
        "until": "stopped",
    }


def own_recordings() -> Path:
    """The folder of the user's recordings, which need not exist yet."""
    import platformdirs

    return platformdirs.user_data_path("gossiplab", appauthor=False) / "recordings"


def default_path(protocol: str) -> Path:
    """A fresh, empty file in the user's folder for a run of `protocol`. Raises StorageError when it cannot be made."""
    from datetime import UTC, datetime

    from gossiplab.errors import StorageError

    folder = own_recordings()
    # the wall's time names the file and stands nowhere in it
    stem = f"{protocol}-{datetime.now(UTC).astimezone():%Y%m%d-%H%M%S}"
    number = 1
    try:
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            path = folder / f"{stem}{f'-{number}' if number > 1 else ''}{SUFFIX}"
            try:
                # made and not only looked for: two runs may start in the same second
                path.touch(exist_ok=False)
            except FileExistsError:
                number += 1
            else:
                return path
    except OSError as error:
        raise StorageError(
            f"the recording cannot be written to {folder}: {error.strerror}; choose another place with --record FILE."
        ) from None


def recording_files() -> list[Path]:
    """All recordings: the built-in ones, then the user's, by name."""
    files: list[Path] = []
    for folder in (content_folder("recordings"), own_recordings()):
        if folder.is_dir():
            files += sorted(
                path for path in folder.iterdir() if path.name.endswith((SUFFIX, f"{SUFFIX}.zst"))
            )
    return files


def experiment_files() -> list[Path]:
    """The experiments that come along, by name."""
    folder = content_folder("recordings")
    return sorted(folder.glob("*.toml")) if folder.is_dir() else []


def find_experiment(name: str) -> Path:
    """The experiment at a path, or the one of that name that comes along. A path that is none is left for the reader to refuse."""
    path = Path(name)
    return path if path.exists() else next((each for each in experiment_files() if each.name == name), path)


def preview_experiment(path: Path) -> str:
    """An experiment file: protocol, nodes, how long, the commands in it, and its text. Raises UserError when it is none."""
    fields = load_experiment(path)
    experiment = make_experiment(fields)
    lines = [
        f"{experiment.protocol}, {many(experiment.nodes, 'node')}, {experiment.topology}, seed {experiment.seed}",
        "until it has come to its end" if experiment.until is None else f"until {experiment.until}",
        *experiment.at[:_MOST_COMMANDS],
    ]
    if len(experiment.at) > _MOST_COMMANDS:
        lines.append(f"and {len(experiment.at) - _MOST_COMMANDS:,} commands more")
    return "\n".join([*lines, "", path.read_text(encoding="utf-8")])


def preview_recording(path: Path) -> str:
    """What is in a recording: protocol, nodes, length, and the commands in it. Raises RecordingError."""
    recording = open_recording(path)
    try:
        experiment = recording.header.experiment
        lines = [
            f"{experiment.protocol}, {many(experiment.nodes, 'node')}, {experiment.topology}, seed {experiment.seed}",
            f"{recording.end:.3f} s, {recording.length:,} events{', ends early' if recording.torn else ''}",
        ]
        if parent := recording.header.parent:
            lines.append(f"forked at {parent.t:g} s from {parent.name}")
        deeds = recording.at_event(recording.length).deeds
        lines += [f"{deed.t:8.3f} s  {deed.command}" for deed in deeds[:_MOST_COMMANDS]]
        if len(deeds) > _MOST_COMMANDS:
            lines.append(f"and {len(deeds) - _MOST_COMMANDS:,} commands more")
    finally:
        recording.close()
    return "\n".join(lines)


def find_recording(name: str) -> Path:
    """The recording at a path, or the listed one of that name. A path that is none is left for the reader to refuse."""
    path = Path(name)
    if path.exists():
        return path
    part = path.with_name(f"{path.name}.part")
    if path.suffix == ".zst" and part.exists():
        return part  # what a killed run left of a compressed recording
    for each in recording_files():
        if name in (each.name, each.name.split(SUFFIX)[0]):
            return each
    return path


def print_recordings() -> None:
    """List the recordings: what was run, how long, and where the file is."""
    for path in recording_files():
        try:
            recording = open_recording(path)
            experiment = recording.header.experiment
            what = f"{visible(experiment.protocol)}, {many(experiment.nodes, 'node')}, {recording.end:g} s, {many(recording.length, 'event')}"
            print(f"{visible(path.name)}  {what}{', ends early' if recording.torn else ''}")
            recording.close()
        except RecordingError as error:
            print(f"{visible(path.name)}  {visible(str(error))}")
        print(f"    {visible(str(path), 1000)}")


def print_protocols(folders: tuple[Path, ...] = ()) -> None:
    """List the protocols with their parameters."""
    for name, path in protocol_files(folders).items():
        try:
            protocol = load_protocol_file(path)
        except GossiplabError as error:
            print(f"{name}  {visible(str(error), 1000)}")
            continue
        summary = (protocol.__doc__ or "").strip().partition("\n")[0]
        print(f"{name}  {summary}")
        for each in protocol.params.values():
            default = str(each.default).lower() if isinstance(each.default, bool) else each.default
            unit = f" {each.unit}" if each.unit else ""
            print(f"    {each.name} = {default}{unit}  ({each.domain()})  {each.doc}")
