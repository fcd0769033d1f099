"""The bytes of a recording, plain or compressed, at any offset. Imports errors and zstandard.

A `.zst` recording is a row of independent zstandard frames, one from each keyframe to the next, so that
any place in it is reached by decompressing one frame. Which of the two a file is, its first bytes say.
"""

import os
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import zstandard

from gossiplab.errors import RecordingError
from gossiplab.recording.format import LONGEST_LINE

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_HEADER = 18  # bytes of the longest zstandard frame header
_MOST_FRAMES, _MOST_BLOCKS = (
    100_000,
    1_000_000,
)  # 2e9 events, 4 GB; a file of empty ones takes minutes to walk
_FLUSH = 1 << 12  # bytes after which a block ends: a file that is cut off loses the block under way
_REMEDY = "take an undamaged copy of it"


class Source(Protocol):
    """Bytes that can be read at any offset. size: how many there are now."""

    size: int

    def read(self, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset`; fewer only at the end."""
        ...

    def refresh(self) -> None:
        """Look how large the file is now."""
        ...

    def close(self) -> None: ...


class PlainSource:
    """An uncompressed file."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.refresh()

    def refresh(self) -> None:
        self.size = os.fstat(self._fd).st_size

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self._fd, length, offset)

    def close(self) -> None:
        os.close(self._fd)


class ZstdSource:
    """A compressed file: independent frames, found by walking their block headers. path: its name, for errors."""

    def __init__(self, fd: int, path: Path) -> None:
        self._fd = fd
        self._path = path
        self._starts: list[int] = []  # offset of each frame's first byte in the uncompressed recording
        self._frames: list[tuple[int, int]] = []  # each frame's offset and length in the file
        self._cached: tuple[int, bytes] = (-1, b"")
        self.refresh()

    def refresh(self) -> None:
        self._starts.clear()
        self._frames.clear()
        self._cached = (-1, b"")
        self.size = 0
        for offset, length, content in self._walk():
            if len(self._frames) == _MOST_FRAMES:
                raise self._error(f"it has more than {_MOST_FRAMES} frames, so gossiplab did not write it")
            self._starts.append(self.size)
            self._frames.append((offset, length))
            self.size += len(self._frame(len(self._frames) - 1)) if content is None else content

    def read(self, offset: int, length: int) -> bytes:
        parts: list[bytes] = []
        index = bisect_right(self._starts, offset) - 1
        while length > 0 and 0 <= index < len(self._frames):
            start = offset - self._starts[index]
            part = self._frame(index)[start : start + length]
            parts.append(part)
            offset, length, index = offset + len(part), length - len(part), index + 1
        return b"".join(parts)

    def close(self) -> None:
        os.close(self._fd)

    def _walk(self) -> Iterator[tuple[int, int, int | None]]:
        """Each frame's offset and length in the file and the size of its content; None: torn, so unknown."""
        end = os.fstat(self._fd).st_size
        offset = blocks = 0
        while offset < end:
            head = os.pread(self._fd, _HEADER, offset)
            try:
                parameters = zstandard.get_frame_parameters(head)
                position = offset + zstandard.frame_header_size(head)
            except zstandard.ZstdError:
                if end - offset < _HEADER and zstandard.FRAME_HEADER.startswith(head[:4]):
                    return  # a torn header: nothing of this frame can be read
                raise self._error(f"it is corrupted: at byte {offset} there is no zstandard frame") from None
            last = False
            while not last and position + 3 <= end:
                blocks += 1
                if blocks > _MOST_BLOCKS:
                    raise self._error(
                        f"it has more than {_MOST_BLOCKS} blocks, so gossiplab did not write it"
                    )
                block = int.from_bytes(os.pread(self._fd, 3, position), "little")
                last, kind, size = bool(block & 1), block >> 1 & 3, block >> 3
                position += 3 + (1 if kind == 1 else size)  # kind 1: one byte, repeated
            position += 4 if parameters.has_checksum else 0
            torn = not last or position > end
            known = parameters.content_size < LONGEST_LINE and not torn
            yield offset, min(position, end) - offset, parameters.content_size if known else None
            offset = position

    def _frame(self, index: int) -> bytes:
        if self._cached[0] != index:
            offset, length = self._frames[index]
            try:
                decompressor = zstandard.ZstdDecompressor(max_window_size=2**27)
                with decompressor.stream_reader(os.pread(self._fd, length, offset)) as reader:
                    content = reader.read(LONGEST_LINE + 1)
            except zstandard.ZstdError:
                raise self._error(
                    f"it is corrupted: the frame at byte {offset} cannot be decompressed"
                ) from None
            if len(content) > LONGEST_LINE:  # a few kilobytes can stand for more than there is memory
                raise self._error(
                    f"the frame at byte {offset} is longer than {LONGEST_LINE >> 20} MiB, so gossiplab did not write it"
                )
            self._cached = (index, content)
        return self._cached[1]

    def _error(self, why: str) -> RecordingError:
        return RecordingError(f"{self._path} cannot be used: {why}; {_REMEDY}.")


def open_source(path: Path) -> Source:
    """Open a file for reading. Raises RecordingError when it cannot be opened."""
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | os.O_NONBLOCK)
    except FileNotFoundError:
        raise RecordingError("there is no such file: list yours with `gossiplab recordings`") from None
    except OSError as error:
        raise RecordingError(f"it cannot be opened: {error.strerror}") from None
    try:
        if path.is_dir():
            raise RecordingError("it is a folder: name a recording in it")
        if not path.is_file():
            raise RecordingError("it is not a regular file: name a recording")
        return ZstdSource(fd, path) if os.pread(fd, 4, 0) == ZSTD_MAGIC else PlainSource(fd)
    except BaseException:
        os.close(fd)
        raise


def compress_segments(source: Path, target: Path, starts: list[int]) -> None:
    """Write the file `source` to `target` as zstandard frames that begin at the byte offsets `starts`.

    Within a frame a block ends every `_FLUSH` bytes: what is cut off in the middle can be read up to there.
    """
    compressor = zstandard.ZstdCompressor(level=9)
    end = source.stat().st_size
    with source.open("rb") as plain, target.open("wb") as packed:
        for start, stop in zip(starts, [*starts[1:], end], strict=True):
            frame = compressor.compressobj(size=stop - start)
            for at in range(start, stop, _FLUSH):
                if at > start:
                    packed.write(frame.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
                packed.write(frame.compress(plain.read(min(_FLUSH, stop - at))))
            packed.write(frame.flush(zstandard.COMPRESSOBJ_FLUSH_FINISH))
