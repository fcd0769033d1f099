"""Recordings to test with: of a lab in which everything happens, with keyframes as close as one likes."""

import hashlib
from functools import lru_cache

from gossiplab.recording import tape
from gossiplab.recording.format import ENDED_MARK, KEYFRAME_MARK, Keyframe, line_decoder
from tests.helpers import bytes_of, header_of

EVERY = {
    "nodes": 6,
    "topology": "watts-strogatz(k=4,p=0.2)",
    "seed": 11,
    "until": 5.0,
    "link": {"latency": "0.05..0.4", "loss": 0.1, "duplicate": 0.1, "reorder": 0.1},
    "at": ("0.5 inject n2", "1 kill n1", "1.5 partition n0,n3", "2 link n2 n4 loss=0.5", "2.5 heal",
           "3 rejoin n1 fresh", "3 leave n5", "3.5 cut n0 to n2"),
}  # fmt: skip
POSTS = ((1.25, "kill n4"), (2.0, "rejoin n4"), (4.0, "inject n0"))


def every_header():
    return header_of("chatter", **EVERY)


@lru_cache(maxsize=8)
def every_bytes(interval=40):
    """A recording with a keyframe every `interval` events, commands of a schedule and of a person."""
    kept, tape.keyframe_interval = tape.keyframe_interval, lambda nodes: interval
    try:
        return bytes_of(every_header(), POSTS)
    finally:
        tape.keyframe_interval = kept


def events_in(data):
    """The events in a recording's bytes, without a torn last line: read line by line, as a stranger would."""
    lines = data[: data.rfind(b"\n") + 1].splitlines()[1:]
    decoded = [line_decoder.decode(line) for line in lines]
    return [event for event in decoded if not isinstance(event, Keyframe)]


def digest_of(data):
    """The digest of what happened in a recording: the lines of its events, without the last where that says the end."""
    lines = data.splitlines(keepends=True)[1:]
    happened = [line for line in lines if not line.startswith((KEYFRAME_MARK, ENDED_MARK))]
    return hashlib.blake2b(b"".join(happened), digest_size=16).hexdigest()
