"""What tests of all rooms use: labs over the specimens, run to the end, as events or as bytes."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from gossiplab.commands import parse_command
from gossiplab.content import load_protocol
from gossiplab.engine.lab import Lab
from gossiplab.engine.run import run_lab
from gossiplab.events import AnyEvent, Event, Header
from gossiplab.experiment import make_experiment
from gossiplab.plan import plan
from gossiplab.protocol import Protocol
from gossiplab.recording.reader import Recording, open_recording
from gossiplab.recording.tape import Tape

SPECIMENS = Path(__file__).parent / "specimens"

E = TypeVar("E", bound=Event)
Posts = Iterable[tuple[float, str]]
"""Live commands: when, and what."""


def specimen(name: str) -> type[Protocol]:
    """A built-in protocol, or one of the specimens."""
    return load_protocol(name, (SPECIMENS,))


def header_of(protocol: str | type[Protocol], **fields: Any) -> Header:
    """The header of an experiment over a protocol, by name or as a class, from plain fields."""
    kind = specimen(protocol) if isinstance(protocol, str) else protocol
    name = protocol if isinstance(protocol, str) else protocol.__name__
    return plan(make_experiment({"protocol": name, **fields}), kind)


def run_of(kind: type[Protocol], posts: Posts = (), **fields: Any) -> list[Any]:
    """All events of a run of a protocol class."""
    return events_of(header_of(kind, **fields), posts, kind)


def only(events: Iterable[AnyEvent], kind: type[E]) -> list[E]:
    """The events of one kind."""
    return [event for event in events if isinstance(event, kind)]


def lab_of(header: Header, sink: Any = None, kind: type[Protocol] | None = None) -> Lab:
    """The lab that a header asks for."""
    return Lab(header, kind or specimen(header.experiment.protocol), sink)


def events_of(header: Header, posts: Posts = (), kind: type[Protocol] | None = None) -> list[Any]:
    """All events of a run."""
    events: list[AnyEvent] = []
    lab = lab_of(header, events.extend, kind)
    post_all(lab, posts)
    run_lab(lab)
    return events


def bytes_of(header: Header, posts: Posts = (), kind: type[Protocol] | None = None) -> bytes:
    """The recording of a run."""
    pieces: list[bytes] = []
    lab = lab_of(header, Tape(header, pieces.append), kind)
    post_all(lab, posts)
    run_lab(lab)
    return b"".join(pieces)


def post_all(lab: Lab, posts: Posts) -> None:
    """Give a lab commands as a person would, but at instants that are known."""
    for t, text in posts:
        lab.post(parse_command(text, lab.experiment.nodes), at=t)


def recording_of(path: Path, data: bytes) -> Recording:
    """Open bytes as a recording."""
    path.write_bytes(data)
    return open_recording(path)
