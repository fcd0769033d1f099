"""Writing a recording to a file while its lab runs. Imports tape, source and errors.

Every batch of events goes to the operating system before anybody is shown what it did, in one write
without a buffer of ours, so a killed process loses nothing that was seen. A `.zst` recording is written
plain, beside its place as `.part`, and compressed when it is closed: compressing on the way would either
hold events back or make the bytes depend on how the lab was watched.
"""

import errno
import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from gossiplab.errors import StorageError
from gossiplab.events import AnyEvent, Header
from gossiplab.recording.source import ZSTD_MAGIC, compress_segments
from gossiplab.recording.tape import Tape
from gossiplab.world.world import World


class Recorder:
    """A lab's sink that writes a recording. Raises StorageError when the disk refuses.

    What could not be written stays in memory and is written first by the next call. path: where the
    events are while the run lasts. abandoned: whether somebody had enough of that.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self.target = path
        self.path = _part(path)
        self._fd = -1
        self._pending = b""
        self.abandoned = False
        try:
            for each in {path: None, self.path: None}:
                _refuse_others_files(each)
            # not blocking: to open a pipe that nobody reads would wait for ever
            self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK, 0o644)
            os.set_blocking(self._fd, True)
            _claim(self._fd, self.path)
        except OSError as error:
            raise self._storage_error(error) from None
        self._tape = Tape(header, self._take)
        self.flush()

    def __call__(self, batch: list[AnyEvent]) -> None:
        self._tape(batch)
        self.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    @property
    def world(self) -> World:
        """The World after all events so far."""
        return self._tape.world

    @property
    def digest(self) -> str:
        """The digest of what has happened so far, in hexadecimal."""
        return self._tape.digest

    def flush(self) -> None:
        """Write what is pending."""
        try:
            while self._pending:
                self._pending = self._pending[os.write(self._fd, self._pending) :]
        except OSError as error:
            raise self._storage_error(error) from None

    def abandon(self) -> None:
        """Write no more: the file ends early, while the World and the digest go on with the run."""
        if self._fd >= 0:
            empty = os.fstat(self._fd).st_size == 0
            os.close(self._fd)
            if empty:
                self.path.unlink(missing_ok=True)
        self._fd, self._pending, self.abandoned = -1, b"", True

    def close(self) -> None:
        """Write what is pending, compress if the name asks for it, and close the file."""
        if self._fd < 0:
            return
        try:
            self.flush()
        finally:
            os.close(self._fd)
            self._fd = -1
        if self.path != self.target:
            # under a name of its own until it is whole: half of it would look like a recording that ends early
            packed = self.target.with_name(f"{self.target.name}.packed")
            try:
                compress_segments(self.path, packed, [0, *self._tape.keyframes])
                packed.replace(self.target)
            except OSError as error:
                packed.unlink(missing_ok=True)
                raise StorageError(
                    f"the recording cannot be written to {self.target}: {error.strerror}; it is in {self.path}."
                ) from None
            self.path.unlink()
            self.path = self.target

    def _take(self, data: bytes) -> None:
        if not self.abandoned:
            self._pending += data

    def _storage_error(self, error: OSError) -> StorageError:
        remedy = (
            "free some room" if error.errno == errno.ENOSPC else "choose another place with --record FILE"
        )
        where = self.path.parent if error.errno == errno.ENOENT else self.path
        return StorageError(f"the recording cannot be written to {where}: {error.strerror}; {remedy}.")


def refuse_to_replace(path: Path) -> None:
    """Raises StorageError when recording to `path` would cost a recording that is there, or what a killed run left.

    What else may be wrong with a place, a Recorder says.
    """
    with suppress(OSError):
        for each in (path, _part(path)):
            if each.is_file() and each.stat().st_size:
                _refuse_others_files(each)
                raise StorageError(
                    f"{each} holds a recording: choose another name for --record, or replace it with --force."
                )


def _part(path: Path) -> Path:
    """Where the events of a recording are while its run lasts."""
    return path.with_name(f"{path.name}.part") if path.suffix == ".zst" else path


def _claim(fd: int, path: Path) -> None:
    """Empty a file to record to it, unless another lab does: two that write to one file leave no recording at all."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise StorageError(
            f"another lab records to {path} now: choose another name with --record FILE."
        ) from None
    except OSError:
        pass  # some file systems and devices know no locks
    if stat.S_ISREG(os.fstat(fd).st_mode):
        os.ftruncate(fd, 0)


def _refuse_others_files(path: Path) -> None:
    """Do not overwrite what is not a recording: a mistyped name shall not cost anybody a file."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not path.is_file():
        return
    try:
        with path.open("rb") as file:
            start = file.read(12)
    except OSError:
        return  # opening it for writing will say why not
    if start and not start.startswith((ZSTD_MAGIC, b'{"gossiplab"')):
        raise StorageError(f"{path} exists and is no recording: choose another name for --record.")
