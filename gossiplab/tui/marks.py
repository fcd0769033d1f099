"""What the space-time diagram draws with: its marks, each with a glyph, a plain one and a word. Imports canvas.

As on the stage, shape and, through the component class `spacetime--NAME`, colour each tell all marks apart.
"""

from enum import IntEnum, auto
from typing import NamedTuple

from gossiplab.tui.canvas import BRAILLE


class Mark(IntEnum):
    """What a cell of the diagram shows. In the order in which one covers the other, from the weakest up."""

    VOID = 0
    FAINT = auto()
    NAME = auto()
    CHOSEN_NAME = auto()
    AXIS = auto()
    DEED = auto()
    WORDS = auto()
    NOW = auto()
    UNAWARE = auto()
    AWARE = auto()
    SILENT = auto()
    DOWN = auto()
    OTHER = auto()
    CARRYING = auto()
    SENT = auto()
    RECEIVED = auto()
    LOST = auto()
    RETIRED = auto()
    REJOINED = auto()
    LEFT = auto()
    DEAD = auto()
    CRASHED = auto()
    LEARNED = auto()
    CHOSEN = auto()

    @property
    def component(self) -> str:
        """The component class that gives it its colour."""
        return f"spacetime--{self.name.lower().replace('_', '-')}"


class Shape(NamedTuple):
    """How a mark looks; `plain` is for terminals that have ASCII only. word, meaning: for legends; empty: in none."""

    glyph: str
    plain: str
    word: str
    meaning: str = ""


SHAPES: dict[Mark, Shape] = {
    Mark.SENT: Shape("┴┬", "o", "sends", "sends a message up, down"),
    Mark.RECEIVED: Shape("▾▴", "v^", "hears", "hears: from above, below"),
    Mark.LEARNED: Shape("★", "&", "learns", "learns the rumor"),
    Mark.AWARE: Shape("━", "=", "knows", "knows and spreads it"),
    Mark.UNAWARE: Shape("─", "-", "unaware", "does not know it"),
    Mark.RETIRED: Shape("◆", "%", "retires", "falls silent"),
    Mark.SILENT: Shape("╌", "~", "silent", "knows, spreads no more"),
    Mark.LOST: Shape("×", "x", "lost", "a message is lost"),
    Mark.DEAD: Shape("†", "+", "dies", "dies"),
    Mark.LEFT: Shape("◌", "_", "leaves", "leaves"),
    Mark.CRASHED: Shape("‼", "!", "crashes", "its protocol fails"),
    Mark.DOWN: Shape("▒", "#", "down", "is down"),
    Mark.REJOINED: Shape("├", "R", "rejoins", "rejoins"),
    Mark.CARRYING: Shape("•", "*", "", "message with the rumor"),
    Mark.OTHER: Shape("◦", "'", "", "message without it"),
    Mark.NOW: Shape("┊", "|", "", "the instant in view"),
    Mark.CHOSEN: Shape("[]", "[]", "", "the chosen event"),
    Mark.FAINT: Shape("·", ".", "", "concurrent with it"),
}
"""In the order of the legend. Of two glyphs the first is for a message above the row, the second for one below."""


def _every_other(bits: int, step: int) -> int:
    """Of the dots of a cell, from the top left, every `step`-th."""
    order = [bit for bit in (0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80) if bits & bit]
    return sum(order[::step])


SOLID = bytes(range(256))
DOTTED = bytes(_every_other(bits, 2) for bits in range(256))
SPARSE = bytes(_every_other(bits, 8) for bits in range(256))
"""Three ways to draw a line, as what becomes of the dots of each of its cells."""

INKS = (BRAILLE, BRAILLE, BRAILLE)
PLAIN_INKS = (":" * 256, "." * 256, "`" * 256)
"""The characters for the dots of a line, of each way."""
