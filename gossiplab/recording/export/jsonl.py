"""The events of a recording, one JSON object a line, each readable on its own. Imports reader, format and flights.

    number  which event of the run it is, counted from 1
    e       what happened: the kinds and their fields are those of `gossiplab.events`
    t       when, in virtual seconds

followed by the event's other fields. Where a message is copied, delivered or dropped, `src`, `dst` and `kind` say
which one that was, so that nobody has to look its `id` up. All characters beyond ASCII are escaped.
"""

import re
from collections.abc import Iterator

from gossiplab.events import Sent
from gossiplab.recording.export import Reached, nothing
from gossiplab.recording.export.flights import Flights
from gossiplab.recording.format import encoder
from gossiplab.recording.reader import Recording

_PIECE = 1000  # lines that are handed on at once
_BEYOND = re.compile(r"[^\x20-\x7e]")


def export_jsonl(recording: Recording, reached: Reached = nothing) -> Iterator[str]:
    """The lines, many at a time."""
    flights = Flights()
    lines: list[str] = []
    for number, event in enumerate(recording.read(), start=1):
        line = f'{{"number":{number},{encoder.encode(event)[1:-1].decode()}'
        message = flights.follow(event)
        if message is not None and not isinstance(event, Sent):
            kind = encoder.encode(message.kind).decode()
            line += f',"src":{message.src},"dst":{message.dst},"kind":{kind}'
        lines.append(f"{_ascii(line)}}}\n")
        if len(lines) == _PIECE:
            yield "".join(lines)
            lines.clear()
            reached(event.t)
    yield "".join(lines)


def _ascii(line: str) -> str:
    """A line of JSON in ASCII: what lies beyond can only stand in strings, where it may be escaped."""
    return _BEYOND.sub(_escape, line)


def _escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
