"""The tape: takes a lab's events, keeps the World up to date and the recording's bytes in order.

Where the bytes go is not its business: `write` takes them, in pieces that depend on how the lab was
watched, while the bytes themselves do not. Imports format, events and world.
"""

from collections.abc import Callable, Iterator

import msgspec

from gossiplab.events import AnyEvent, Header
from gossiplab.recording.format import ENDED_MARK, Keyframe, encoder, keyframe_interval, new_digest
from gossiplab.world.world import new_world


class Tape:
    """A recording while it is made. Call it with batches of events: it is a lab's sink.

    world: the World after all events so far. keyframes: their offsets in bytes.
    """

    def __init__(self, header: Header, write: Callable[[bytes], None]) -> None:
        self.world = new_world(header)
        self._write = write
        self._hash = new_digest()
        self._happened = new_digest()
        self._interval = keyframe_interval(header.experiment.nodes)
        self._offset = 0
        self.keyframes: list[int] = []
        self._put(encoder.encode(header) + b"\n")

    def __call__(self, batch: list[AnyEvent]) -> None:
        for part in self._parts(batch):
            data = encoder.encode_lines(part)
            self.world.apply(part)
            self._put(data)
            self._happened.update(data[: data.rindex(ENDED_MARK)] if self.world.ended else data)
            if self.world.events % self._interval == 0:
                self._put(self._keyframe())

    @property
    def digest(self) -> str:
        """The digest of what has happened so far, in hexadecimal."""
        return self._happened.hexdigest()

    def _parts(self, batch: list[AnyEvent]) -> Iterator[list[AnyEvent]]:
        """The batch, split where keyframes are due."""
        start = 0
        while start < len(batch):
            part = batch[start : start + self._interval - self.world.events % self._interval]
            start += len(part)
            yield part

    def _keyframe(self) -> bytes:
        world = self.world
        keyframe = Keyframe(
            world.t,
            world.events,
            self.keyframes[-1] if self.keyframes else None,
            self._hash.hexdigest(),
            msgspec.structs.replace(world, edges=None),
        )
        self.keyframes.append(self._offset)
        return encoder.encode(keyframe) + b"\n"

    def _put(self, data: bytes) -> None:
        self._hash.update(data)
        self._offset += len(data)
        self._write(data)
