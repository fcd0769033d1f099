"""How a run looks on disk: the lines of a recording and how they are encoded. Imports events and world.

Text, one JSON object a line: the header, then the events in their order, and every so many events a
keyframe: the World at that point, how many events came before it, the digest of all bytes before it and
the offset of the keyframe before. Keyframes depend on nothing but the events, so the same run gives the
same bytes however it was watched. Events are sorted by time: a reader goes to any instant from the
keyframe before it, and finds the keyframes from the last one backwards without reading what lies between.

JSON can spell half of a surrogate pair, which is no character and which the decoder refuses. gossiplab writes none; in
a stranger's file each is read as the text that is shown of it.
"""

import hashlib
import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from gossiplab.events import AnyEvent
from gossiplab.text import visible
from gossiplab.world.world import World

SUFFIX = ".gossip"
KEYFRAME_MARK = b'{"e":"keyframe"'
ENDED_MARK = b'{"e":"ended"'
_EVENTS_PER_KEYFRAME = 20_000  # what a reader folds at most after a seek: about 40 ms
_EVENTS_PER_NODE = 10  # more between keyframes in large labs, where each keyframe is large itself
LONGEST_LINE = 256 * 2**20  # bytes; more is refused, so that a stranger's file cannot take all memory


class Keyframe(msgspec.Struct, frozen=True, tag_field="e", tag="keyframe"):
    """The World after `events` events, at the instant `t`, without its edges (they are in the wired event).

    previous: offset in bytes of the keyframe before, None for the first. digest: of all bytes before.
    """

    t: float
    events: int
    previous: int | None
    digest: str
    world: World


class KeyframeHead(msgspec.Struct, frozen=True):
    """The first fields of a keyframe, for a reader that only wants to find its way."""

    t: float
    events: int
    previous: int | None
    digest: str


Line = AnyEvent | Keyframe
encoder = msgspec.json.Encoder()
line_decoder: msgspec.json.Decoder[AnyEvent | Keyframe] = msgspec.json.Decoder(Line)


_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u([dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)
"""An escape in a string of JSON: a whole pair, half of one (which is the group), or any other."""

T = TypeVar("T")


def tolerant(decode: Callable[[bytes], T], data: bytes) -> T:
    """What `decode` makes of the data; where it refuses them, of the data with `<U+D800>` for each such half of a pair."""
    try:
        return decode(data)
    except msgspec.DecodeError:
        return decode(_ESCAPE.sub(_show_half, data))


def _show_half(escape: re.Match[bytes]) -> bytes:
    return visible(chr(int(escape[1], 16))).encode() if escape[1] else escape[0]


def keyframe_interval(nodes: int) -> int:
    """Events between two keyframes in a lab of so many nodes."""
    return _EVENTS_PER_KEYFRAME + _EVENTS_PER_NODE * nodes


def new_digest() -> "hashlib.blake2b":
    """A digest to feed: 16 bytes of BLAKE2b.

    There are two. A keyframe's is of all bytes before it. The one that people compare is of what happened: of the lines
    of all events but the closing one, so neither what the header knew beforehand nor who ended the run is in it.
    """
    return hashlib.blake2b(digest_size=16)
