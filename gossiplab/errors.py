"""The errors a person can meet, named by whose fault it is. Imports nothing.

Every message is one sentence that says what is wrong, where, and what to do about it.
None of these errors has changed a lab's state: what was refused did not happen.
"""

from collections.abc import Sequence
from typing import cast


class GossiplabError(Exception):
    """Base of all errors that are reported as one sentence, without a traceback."""


class UserError(GossiplabError):
    """The user's input is at fault: a flag, an experiment file, a command, a parameter."""


class RecordingError(GossiplabError):
    """A recording cannot be used: it is missing, truncated, corrupted, or not a recording at all."""


class ProtocolError(GossiplabError):
    """A protocol file is at fault: it cannot be loaded, or it uses the lab in a way that has no meaning."""


class StorageError(GossiplabError):
    """The disk refused a write. What was written before is intact, what was not is kept in memory."""


def fault_line(error: BaseException, file: str) -> int:
    """The last line of `file` that an error passed through; 0 when it passed through none."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno or 0
    return fault_place(error, [file])[1]


def fault_place(error: BaseException, files: Sequence[str]) -> tuple[str, int]:
    """The last of these files that an error passed through, and the line; the first and 0 when it passed through none."""
    place, trace = (files[0], 0), error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in files:
            place = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    return place


def first_line(function: object) -> int:
    """The line at which a function or method begins; 0 when it has none."""
    return getattr(getattr(function, "__code__", None), "co_firstlineno", 0)


def first_of(error: BaseException) -> BaseException:
    """The first real error in a group of errors, as nurseries raise them; the error itself when it is none."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error
