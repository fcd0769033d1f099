"""Reading a recording: any instant of it, without reading the whole. Imports source, format and world.

Opening reads the first two lines and the end, and follows the keyframes from the last to the first.
Going to an instant takes the keyframe before it and folds the events from there. Memory holds the
keyframes' positions and never the events, so it does not grow with the file in any way that matters.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, cast

import msgspec

from gossiplab.errors import GossiplabError, RecordingError
from gossiplab.events import FORMAT, AnyEvent, Commanded, Ended, Header, Wired
from gossiplab.recording.format import (
    ENDED_MARK,
    KEYFRAME_MARK,
    LONGEST_LINE,
    Keyframe,
    KeyframeHead,
    line_decoder,
    new_digest,
    tolerant,
)
from gossiplab.recording.possible import first_impossible, possible_header, possible_world
from gossiplab.recording.source import Source, open_source
from gossiplab.text import visible
from gossiplab.world.world import World, new_world

_header_decoder = msgspec.json.Decoder(Header)
_head_decoder = msgspec.json.Decoder(KeyframeHead)
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError, GossiplabError)  # what decoding raises
_COMMAND_MARK = b'{"e":"command"'
_IMPOSSIBLE = "what it says there cannot have happened"
_REMEDY = "take an undamaged copy of it"
_CHUNK = 1 << 18  # bytes read at a time
_PIECE = 4096  # events folded at once


class Mark(msgspec.Struct, frozen=True):
    """A place from which the World is known: its instant, the events before it, and its byte offset."""

    t: float
    events: int
    offset: int


class Recording:
    """An open recording. Every method raises RecordingError when what it meets is corrupted.

    path: its file. header: what was run. end: instant of the last event, in seconds. length: number of
    events. torn: whether it ends before its run did.
    """

    def __init__(self, path: Path, source: Source) -> None:
        self.path = path
        self._source = source
        line = self._line(0)
        self.header = _read_header(line)
        self._first = len(line)  # where events begin
        self._edges: tuple[tuple[int, int], ...] | None = None
        self._marks: list[Mark] = [Mark(0.0, 0, self._first)]
        self.end, self.length, self.torn = 0.0, 0, True
        self._index()

    def refresh(self) -> None:
        """Look again: the file is being written."""
        self._source.refresh()
        self._index()

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def at(self, t: float) -> World:
        """The World at the instant `t`: after every event up to and with `t`."""
        index = bisect_right(self._marks, t, key=lambda mark: mark.t) - 1
        # the first mark is the very beginning, which no event precedes
        return self._fold(max(index, 0), lambda event, _: event.t <= t)

    def at_event(self, count: int) -> World:
        """The World after the first `count` events."""
        index = bisect_right(self._marks, count, key=lambda mark: mark.events) - 1
        return self._fold(index, lambda _, number: number < count)

    def read(self, start: int = 0, stop: int | None = None) -> Iterator[AnyEvent]:
        """The events number `start` up to `stop`, counted from 0; to the end without `stop`."""
        index = bisect_right(self._marks, start, key=lambda mark: mark.events) - 1
        number = start
        for batch in self._batches(index, start, stop):
            for event in batch:
                if stop is not None and number >= stop:
                    return
                yield event
                number += 1

    def worlds(self, instants: Iterable[float]) -> Iterator[tuple[float, World]]:
        """The World at each of these instants, which ascend: one World, in one pass, that moves on between them."""
        world = new_world(self.header)
        events = self.read()
        event = next(events, None)
        for t in instants:
            while event is not None and event.t <= t:
                piece: list[AnyEvent] = []
                while event is not None and event.t <= t and len(piece) < _PIECE:
                    piece.append(event)
                    event = next(events, None)
                self._apply(world, piece, world.events)
            yield t, world

    def commands(self) -> Iterator[Commanded]:
        """All commands that took effect. Reads the whole file, and decodes only them."""
        offset = self._first
        for block in self._blocks(self._first, self._stop):
            for line in block.splitlines(keepends=True):
                if line.startswith(_COMMAND_MARK):
                    event = self._decode_one(line, offset)
                    if not isinstance(event, Commanded):
                        raise self._corrupted(offset)
                    yield event
                offset += len(line)

    def digest(self, count: int) -> str:
        """The digest of what happened in the first `count` events. Reads the file up to there, and decodes nothing."""
        blocks = self._blocks(self._first, self._stop)
        lines = (line for block in blocks for line in block.splitlines(keepends=True))
        happened = (line for line in lines if not line.startswith((KEYFRAME_MARK, ENDED_MARK)))
        digest = new_digest()
        for line in islice(happened, count):
            digest.update(line)
        return digest.hexdigest()

    def bytes_at(self, offset: int, length: int) -> bytes:
        """At most `length` bytes as they stand: of a recording that ends early without its torn last line."""
        stop = self._stop if self.torn else self._source.size
        return self._source.read(offset, max(0, min(length, stop - offset)))

    # finding the way ---------------------------------------------------------------------------

    def _index(self) -> None:
        """Find the end and all keyframes."""
        size = self._source.size
        self._stop = max(self._first, self._find_back(b"\n", size) + 1)
        marks: list[Mark] = []
        offset: int | None = self._find_back(b"\n" + KEYFRAME_MARK, self._stop) + 1 or None
        while offset is not None and offset != self._marks[-1].offset:
            head = self._head(offset)
            marks.append(Mark(head.t, head.events, offset))
            if head.previous is not None and not self._first <= head.previous < offset:
                raise self._corrupted(offset)
            offset = head.previous
        self._marks += reversed(marks)
        for before, after in pairwise(self._marks):
            if before.t > after.t or before.events > after.events or before.offset >= after.offset:
                raise self._corrupted(after.offset, _IMPOSSIBLE)
        if self._edges is None and self._stop > self._first:
            wired = self._decode_one(self._line(self._first), self._first)
            if isinstance(wired, Wired):
                if first_impossible([wired], self.header.experiment.nodes) is not None:
                    raise self._corrupted(self._first, _IMPOSSIBLE)
                self._edges = wired.edges
        self._find_end()

    def _find_end(self) -> None:
        mark = self._marks[-1]
        count, last = mark.events, b""
        for block in self._blocks(self._after(mark), self._stop):
            count += block.count(b"\n")
            last = block[block.rfind(b"\n", 0, -1) + 1 :]
        self.length, self.end, self.torn = count, mark.t, True
        if not last:
            # nothing after the last keyframe: whether the run had ended there, it says itself
            self.torn = self._world(mark).ended is None
        else:
            event = self._decode_one(last, self._stop - len(last))
            if (
                isinstance(event, Keyframe)
                or first_impossible([event], self.header.experiment.nodes) is not None
            ):
                raise self._corrupted(self._stop - len(last), _IMPOSSIBLE)
            self.end, self.torn = event.t, not isinstance(event, Ended)

    def _after(self, mark: Mark) -> int:
        """Where the events after a mark begin."""
        return mark.offset + (len(self._line(mark.offset)) if mark.offset != self._first else 0)

    def _find_back(self, needle: bytes, end: int) -> int:
        """The last offset before `end` at which `needle` begins; -1 when there is none."""
        while end > 0:
            start = max(0, end - _CHUNK)
            found = self._source.read(start, end - start).rfind(needle)
            if found >= 0:
                return start + found
            if start == 0:
                return -1
            end = start + len(needle) - 1
        return -1

    def _line(self, offset: int) -> bytes:
        """The line that begins at `offset`, with its newline; empty when it is torn."""
        parts: list[bytes] = []
        position = offset
        while position - offset < LONGEST_LINE:
            part = self._source.read(position, _CHUNK)
            newline = part.find(b"\n")
            if newline >= 0:
                return b"".join([*parts, part[: newline + 1]])
            if not part:
                return b""
            parts.append(part)
            position += len(part)
        raise RecordingError(
            f"{self.path} cannot be used: the line at byte {offset} is longer than {LONGEST_LINE >> 20} MiB, "
            "so gossiplab did not write it; choose another file."
        )

    def _head(self, offset: int) -> KeyframeHead:
        head, comma, _ = self._source.read(offset, 400).partition(b',"world":')
        try:
            if not comma or not head.startswith(KEYFRAME_MARK):
                raise self._corrupted(offset)
            return tolerant(_head_decoder.decode, head + b"}")
        except msgspec.DecodeError:
            raise self._corrupted(offset) from None

    # events ------------------------------------------------------------------------------------

    def _blocks(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes between two offsets in blocks of whole lines."""
        rest = b""
        while start < stop:
            part = self._source.read(start, min(_CHUNK, stop - start))
            if not part:
                break
            start += len(part)
            cut = part.rfind(b"\n") + 1
            if not cut:
                rest += part
                continue
            yield rest + part[:cut]
            rest = part[cut:]

    def _batches(self, index: int, start: int = 0, stop: int | None = None) -> Iterator[list[AnyEvent]]:
        """All events after a mark, in batches, those before number `start` left out. Keyframes are passed over.

        What lies before `start`, and much of what lies after `stop`, is counted and not decoded.
        """
        mark = self._marks[index]
        nodes, t, number, offset = self.header.experiment.nodes, mark.t, mark.events, self._after(mark)
        for read in self._blocks(offset, self._stop):
            block = read
            if number < start:
                skipped = block.count(b"\n")  # no keyframe is among what lies before `start`
                if number + skipped <= start:
                    number, offset = number + skipped, offset + len(block)
                    continue
                lines = block.splitlines(keepends=True)
                left_out = start - number
                wanted = None
                if stop is not None:  # and the keyframes among them
                    keyframes = sum(start <= mark.events <= stop for mark in self._marks)
                    wanted = left_out + max(0, stop - start) + keyframes
                number += left_out
                offset += sum(map(len, lines[:left_out]))
                block = b"".join(lines[left_out:wanted])
            events = [event for event in self._decode(block, offset) if not isinstance(event, Keyframe)]
            bad = first_impossible(events, nodes, t)
            if bad is not None:
                yield events[:bad]
                raise self._impossible(number + bad)
            if events:
                yield events
                t, number = events[-1].t, number + len(events)
            offset += len(block)

    def _fold(self, index: int, wanted: Callable[[AnyEvent, int], bool]) -> World:
        mark = self._marks[index]
        world = self._world(mark)
        number = mark.events
        for batch in self._batches(index):
            take = len(batch)
            if take and not wanted(batch[-1], number + take - 1):
                take = next(i for i, event in enumerate(batch) if not wanted(event, number + i))
            self._apply(world, batch[:take], number)
            number += take
            if take < len(batch):
                break
        return world

    def _apply(self, world: World, events: list[AnyEvent], number: int) -> None:
        try:
            world.apply(events)
        except (LookupError, GossiplabError, StopIteration, TypeError):
            raise self._impossible(number) from None

    def _world(self, mark: Mark) -> World:
        if mark.offset == self._first:
            return new_world(self.header)
        keyframe = self._decode_one(self._line(mark.offset), mark.offset)
        if not isinstance(keyframe, Keyframe) or not self._fits(keyframe, mark):
            raise self._corrupted(mark.offset, _IMPOSSIBLE)
        keyframe.world.edges = self._edges
        return keyframe.world

    def _fits(self, keyframe: Keyframe, mark: Mark) -> bool:
        world = keyframe.world
        return (
            (keyframe.t, keyframe.events) == (world.t, world.events) == (mark.t, mark.events)
            and world.cycle == self.header.cycle
            and possible_world(world, self.header.experiment.nodes)
        )

    def _decode(self, lines: bytes, offset: int) -> "list[AnyEvent | Keyframe]":
        try:
            return tolerant(line_decoder.decode_lines, lines)
        except _UNREADABLE:
            pass
        for line in lines.splitlines(keepends=True):
            try:
                tolerant(line_decoder.decode, line)
            except _UNREADABLE as error:
                raise self._corrupted(offset, visible(str(error))) from None
            offset += len(line)
        raise self._corrupted(offset)

    def _decode_one(self, line: bytes, offset: int) -> "AnyEvent | Keyframe":
        decoded = self._decode(line, offset)
        if len(decoded) != 1:  # an empty line
            raise self._corrupted(offset)
        return decoded[0]

    def _impossible(self, number: int) -> RecordingError:
        return RecordingError(f"{self.path} is corrupted after event {number}: {_IMPOSSIBLE}; {_REMEDY}.")

    def _corrupted(self, offset: int, why: str = "it is no event") -> RecordingError:
        return RecordingError(f"{self.path} is corrupted at byte {offset}: {why.rstrip('.')}; {_REMEDY}.")


def open_recording(path: Path) -> Recording:
    """Open a recording. Raises RecordingError, in one sentence, when it cannot be used."""
    source: Source | None = None
    try:
        source = open_source(path)
        return Recording(path, source)
    except RecordingError as error:
        if source is not None:
            source.close()
        text = str(error)
        named = text if text.startswith(str(path)) else f"{path} cannot be used: {text}"
        raise RecordingError(named if named.endswith(".") else f"{named}.") from None


def _read_header(line: bytes) -> Header:
    try:
        fields: Any = tolerant(msgspec.json.decode, line)
    except _UNREADABLE:
        fields = None
    version = cast(dict[str, Any], fields).get("gossiplab") if isinstance(fields, dict) else None
    if not isinstance(version, int) or version < 1:
        raise RecordingError(
            "it is no recording of gossiplab, or its first line is damaged: choose another file"
        )
    if version > FORMAT:
        raise RecordingError(
            f"it was written in format {version} and this gossiplab reads up to {FORMAT}: update gossiplab"
        )
    try:
        header = tolerant(_header_decoder.decode, line)
    except _UNREADABLE as error:
        raise RecordingError(f"its header is damaged: {visible(str(error)).rstrip('.')}; {_REMEDY}") from None
    if not possible_header(header):
        raise RecordingError(f"its header is damaged: a cycle that lasts no time; {_REMEDY}")
    return header
