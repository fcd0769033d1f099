"""A recording in the formats of others: one file a format, none of which knows a screen or an engine.

Each is a function that takes an open recording and yields text, piece by piece, so that memory does not grow
with the file; what it met on the way it tells `reached`, an instant in virtual seconds, for a progress bar.
"""

from collections.abc import Callable

Reached = Callable[[float], None]
"""Told the virtual instant that an export has come to, now and then."""


def nothing(t: float) -> None:
    """Tell nobody."""
