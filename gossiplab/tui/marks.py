"""What the space-time diagram draws with: its marks, each with a glyph and a word. Imports nothing.

As on the stage, shape and, through the component class `spacetime--NAME`, colour each tell all marks apart.
What stands for a glyph where there is ASCII only is said in `ascii`.
"""

from enum import IntEnum, auto
from typing import NamedTuple


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
    OTHER = auto()
    CARRYING = auto()
    PAUSED = auto()
    DOWN = auto()
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
    """How a mark looks. word, meaning: for legends; empty: in none."""

    glyph: str
    word: str
    meaning: str = ""


SHAPES: dict[Mark, Shape] = {
    Mark.SENT: Shape("┷┯", "sends", "sends a message up, down"),
    Mark.RECEIVED: Shape("▾▴", "hears", "hears: from above, below"),
    Mark.LEARNED: Shape("★", "learns", "learns the rumor"),
    Mark.AWARE: Shape("━", "knows", "knows and spreads it"),
    Mark.UNAWARE: Shape("─", "unaware", "does not know it"),
    Mark.RETIRED: Shape("◆", "retires", "falls silent"),
    Mark.SILENT: Shape("╌", "silent", "knows, spreads no more"),
    Mark.LOST: Shape("×", "lost", "a message is lost"),
    Mark.DEAD: Shape("†", "dies", "dies"),
    Mark.LEFT: Shape("◌", "leaves", "leaves"),
    Mark.CRASHED: Shape("‼", "crashes", "its protocol fails"),
    Mark.PAUSED: Shape("‖", "paused", "is frozen, neither dead nor cut off"),
    Mark.DOWN: Shape("▒", "down", "is down"),
    Mark.REJOINED: Shape("├", "rejoins", "rejoins"),
    Mark.CARRYING: Shape("•", "with it", "message with the rumor"),
    Mark.OTHER: Shape("◦", "without", "message without it"),
    Mark.NOW: Shape("┊", "", "the instant in view"),
    Mark.CHOSEN: Shape("[]", "", "the chosen event"),
    Mark.FAINT: Shape("·", "concurrent", "concurrent with it"),
}
"""In the order of the legend. Of two glyphs the first is for a message above the row, the second for one below."""


def sign_of(mark: Mark, rumors: bool) -> Shape:
    """How a mark looks, and what it means. rumors: whether there are any; without, nobody is unaware of one."""
    shape = SHAPES[mark]
    return shape._replace(word="up", meaning="is up") if mark is Mark.UNAWARE and not rumors else shape


def _first(bits: int) -> int:
    """Of the dots of a cell the first, from the top left."""
    return next((bit for bit in (0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80) if bits & bit), 0)


SOLID = bytes(range(256))
DOTTED = bytes(map(_first, range(256)))
"""Two ways to draw a line, as what becomes of the dots of each of its cells."""
