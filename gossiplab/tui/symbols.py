"""What the stage draws with: one table of roles, each with its glyph and its meaning. Imports nothing.

A role has a shape of its own and, through the component class `stage--NAME`, a colour of its own: either
is enough to tell it from the others. Every glyph is one cell wide. What stands for it where there is ASCII
only is said in `ascii`; the shapes of messages in `kinds`.
"""

from enum import IntEnum, auto
from typing import NamedTuple


class Role(IntEnum):
    """What a cell of the stage shows."""

    VOID = 0
    FAINT = auto()
    EDGE = auto()
    EAGER = auto()
    CUT = auto()
    STRONG = auto()
    WALL = auto()
    ONE_WAY = auto()
    LABEL = auto()
    UP = auto()
    SUSCEPTIBLE = auto()
    LEARNED = auto()
    INFECTIVE = auto()
    REMOVED = auto()
    REJOINED = auto()
    SUSPECTED = auto()
    PAUSED = auto()
    DEAD = auto()
    LEFT = auto()
    CRASHED = auto()
    CARRYING = auto()
    TRAIL = auto()
    OTHER = auto()
    WAKE = auto()
    LOST = auto()
    FADED = auto()
    SELECTED = auto()
    MARKED = auto()

    @property
    def component(self) -> str:
        """The component class that gives it its colour."""
        return f"stage--{self.name.lower().replace('_', '-')}"


class Symbol(NamedTuple):
    """How a role looks, the word for it in a line and its meaning."""

    glyph: str
    word: str
    meaning: str


SYMBOLS: dict[Role, Symbol] = {
    Role.UP: Symbol("◉", "up", "up, while there is no rumor"),
    Role.SUSCEPTIBLE: Symbol("○", "unaware", "does not know the rumor"),
    Role.LEARNED: Symbol("★", "new", "has just learned it"),
    Role.INFECTIVE: Symbol("●", "spreads", "knows and spreads it"),
    Role.REMOVED: Symbol("◆", "silent", "knows, spreads no more"),
    Role.REJOINED: Symbol("↻", "rejoined", "has just come back"),
    Role.SUSPECTED: Symbol("?", "suspected", "others think it may be dead"),
    Role.PAUSED: Symbol("‖", "paused", "frozen, neither dead nor cut off"),
    Role.DEAD: Symbol("†", "dead", "dead"),
    Role.LEFT: Symbol("◌", "left", "left"),
    Role.CRASHED: Symbol("‼", "crashed", "its protocol failed"),
    Role.CARRYING: Symbol("▲", "with rumor", "message with the rumor: filled"),
    Role.OTHER: Symbol("△", "without", "message without it: hollow"),
    Role.LOST: Symbol("×", "lost", "message that was lost"),
    Role.WALL: Symbol("░", "cut", "nothing gets through"),
    Role.ONE_WAY: Symbol("→", "one way", "only this way it gets through"),
    Role.TRAIL: Symbol("∙", "", ""),
    Role.FADED: Symbol("×", "", ""),
}
"""In the order of the legend. What is no sign by itself has no words: the tail of a message, a fading cross.

A message has a shape for its type; those of CARRYING and OTHER stand for all of them.
"""

LINKS = {
    Role.STRONG: Symbol("⠒→", "told", "who told whom first"),
    Role.EAGER: Symbol("⠒⠒", "eager", "eager link: gets the rumor at once"),
    Role.FAINT: Symbol("⠒ ⠒", "lazy", "lazy link: is told that there is one"),
}
"""The sorts of links."""

GLYPHS = {role: symbol.glyph for role, symbol in SYMBOLS.items()}

ARROWS = {(1, 0): "→", (-1, 0): "←", (0, 1): "↓", (0, -1): "↑"}
"""The only way through a wall: columns and rows to go."""

SHARES = "▁▂▃▄▅▆▇█"
"""A cell that stands for several nodes: the share of them that knows the rumor, from nobody to everybody."""

SELECTED, MARKED, SELECTED_AND_MARKED = "[]", "<>", "{}"
"""What stands on both sides of a node."""

_IN_ASCII = {
    Role.CARRYING: SYMBOLS[Role.CARRYING]._replace(meaning="message with rumor: capital, ="),
    Role.OTHER: SYMBOLS[Role.OTHER]._replace(meaning="message without it: small, -"),
}


def symbols(plain: bool) -> dict[Role, Symbol]:
    """The table. plain: as it is where there is ASCII only, and shapes of messages are letters."""
    return SYMBOLS | _IN_ASCII if plain else SYMBOLS
