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
    """How a role looks, and what the legend says of it; `plain` is for terminals that have ASCII only."""

    glyph: str
    plain: str
    meaning: str


SYMBOLS: dict[Role, Symbol] = {
    Role.SUSCEPTIBLE: Symbol("○", "o", "does not know"),
    Role.LEARNED: Symbol("★", "#", "just learned"),
    Role.INFECTIVE: Symbol("●", "@", "spreads"),
    Role.REMOVED: Symbol("◆", "$", "knows, is silent"),
    Role.DEAD: Symbol("†", "+", "dead"),
    Role.LEFT: Symbol("◌", "_", "left"),
    Role.CRASHED: Symbol("‼", "!", "crashed"),
    Role.CARRYING: Symbol("•", "*", "carries the rumor"),
    Role.OTHER: Symbol("·", ".", "other message"),
    Role.LOST: Symbol("×", "x", "lost"),
    Role.WALL: Symbol("░", ":", "cut"),
    Role.TRAIL: Symbol("∙", ".", ""),
    Role.FADED: Symbol("×", "x", ""),
    Role.EDGE: Symbol("⠒", ".", ""),
    Role.CUT: Symbol("⠒", ".", ""),
}
"""In the order of the legend. What has no meaning of its own there needs no words."""

SELECTED, MARKED, SELECTED_AND_MARKED = "[]", "<>", "{}"
"""What stands on both sides of a node."""
