"""Standard error that outlasts its terminal. Imports nothing of ours."""

from contextlib import suppress
from typing import Any, TextIO


class Lasting:
    """Standard error for Textual, which writes in a thread: an error would end that, and the app would wait for it for ever.

    A terminal that is gone takes whatever is written.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, text: str) -> None:
        """Part of TextIO."""
        with suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        """Part of TextIO."""
        with suppress(OSError):
            self._file.flush()
