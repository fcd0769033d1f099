"""What the stage draws with: one table of roles, each with its glyph, its plain one and its meaning. Imports nothing.

A role has a shape of its own and, through the component class `stage--NAME`, a colour of its own: either
is enough to tell it from the others. Every glyph is one cell wide.
"""

from enum import IntEnum, auto
from typing import NamedTuple


class Role(IntEnum):
    """What a cell of the stage shows."""

    VOID = 0
    EDGE = auto()
    CUT = auto()
    WALL = auto()
    LABEL = auto()
    SUSCEPTIBLE = auto()
    LEARNED = auto()
    INFECTIVE = auto()
    REMOVED = auto()
    PAUSED = auto()
    DEAD = auto()
    LEFT = auto()
    CRASHED = auto()
    CARRYING = auto()
    TRAIL = auto()
    OTHER = auto()
    LOST = auto()
    FADED = auto()
    SELECTED = auto()
    MARKED = auto()

    @property
    def component(self) -> str:
        """The component class that gives it its colour."""
        return f"stage--{self.name.lower()}"


class Symbol(NamedTuple):
    """How a role looks, the word for it in a line and its meaning; `plain` is for terminals that have ASCII only."""

    glyph: str
    plain: str
    word: str
    meaning: str


SYMBOLS: dict[Role, Symbol] = {
    Role.SUSCEPTIBLE: Symbol("○", "o", "unaware", "does not know the rumor"),
    Role.LEARNED: Symbol("★", "&", "new", "has just learned it"),
    Role.INFECTIVE: Symbol("●", "@", "spreads", "knows and spreads it"),
    Role.REMOVED: Symbol("◆", "%", "silent", "knows, spreads no more"),
    Role.PAUSED: Symbol("‖", "=", "paused", "alive, but frozen"),
    Role.DEAD: Symbol("†", "+", "dead", "dead"),
    Role.LEFT: Symbol("◌", "_", "left", "left"),
    Role.CRASHED: Symbol("‼", "!", "crashed", "its protocol failed"),
    Role.CARRYING: Symbol("•", "*", "rumor", "message with the rumor"),
    Role.OTHER: Symbol("·", "'", "other", "message without it"),
    Role.LOST: Symbol("×", "x", "lost", "message that was lost"),
    Role.WALL: Symbol("░", "#", "cut", "nothing gets through"),
    Role.TRAIL: Symbol("∙", ":", "", ""),
    Role.FADED: Symbol("×", "x", "", ""),
}
"""In the order of the legend. What is no sign by itself has no words: the tail of a message, a fading cross."""

PLAIN_INK = "." * 256
"""What stands for the Braille dots of links where there is ASCII only."""

SELECTED, MARKED, SELECTED_AND_MARKED = "[]", "<>", "{}"
"""What stands on both sides of a node."""
