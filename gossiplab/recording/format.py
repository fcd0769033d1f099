"""How a run looks on disk: the lines of a recording and how they are encoded. Imports events and world.

Text, one JSON object a line: the header, then the events in their order, and every so many events a
keyframe: the World at that point, how many events came before it, the digest of all bytes before it and
the offset of the keyframe before. Keyframes depend on nothing but the events, so the same run gives the
same bytes however it was watched. Events are sorted by time: a reader goes to any instant from the
keyframe before it, and finds the keyframes from the last one backwards without reading what lies between.
"""

import hashlib

import msgspec

from gossiplab.events import AnyEvent
from gossiplab.world.world import World

SUFFIX = ".gossip"
KEYFRAME_MARK = b'{"e":"keyframe"'
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


def keyframe_interval(nodes: int) -> int:
    """Events between two keyframes in a lab of so many nodes."""
    return _EVENTS_PER_KEYFRAME + _EVENTS_PER_NODE * nodes


def new_digest() -> "hashlib.blake2b":
    """The running digest of a recording: 16 bytes of BLAKE2b over all its bytes."""
    return hashlib.blake2b(digest_size=16)
