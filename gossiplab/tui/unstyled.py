"""A filter for lines with pieces that have no style. Imports only textual.

A Segment without a style is allowed, but Textual 8.2's filter for NO_COLOR fails on it, and textual-plot has such pieces
in its first picture.
"""

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

_NONE = Style.null()


class Unstyled(LineFilter):
    """Gives the empty style to whatever has none."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Part of LineFilter."""
        return [Segment(text, style or _NONE, control) for text, style, control in segments]
