"""A raster of terminal cells that turns into Strips. Imports rich, textual's Strip and ascii.

A cell is a character and the number of its style; style 0 is for blanks alone. What stays (edges, labels) is
drawn once, on the base; every frame starts as a copy of it. Runs of one style become one Segment each, with the
blanks among them, and a row that looks as it did in the frame before stays the same Strip, so that nothing of it
is rendered again.

Lines are drawn in Braille dots, 2 by 4 to a cell, which makes the dots of a terminal nearly square.
"""

import math
import re
from array import array
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from gossiplab.tui.ascii import to_ascii

_MOST_SEGMENTS = 20_000  # kept to be used again: most runs come back in the next frame
_DOT = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))  # the bit of the dot in column x, row y of a cell
BRAILLE = "".join(chr(0x2800 + bits) for bits in range(256))


class Canvas:
    """`width` by `height` cells. Draw on `glyphs[y][x]` and `styles[y][x]`, between `begin` and `strips`.

    tints[y][x] is added to the number of whatever is put there: that is how the ground shines through.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.glyphs = [[" "] * width for _ in range(height)]
        self.styles = [bytearray(width) for _ in range(height)]
        self.tints = [bytes(width) for _ in range(height)]
        self._base: tuple[list[list[str]], list[bytearray]] = (self.glyphs, self.styles)
        self._segments: dict[tuple[int, str], Segment] = {}
        self._runs: re.Pattern[bytes] | None = None
        self._kept: list[tuple[str, bytes, Strip] | None] = [None] * height

    def tint(self, tints: list[bytes]) -> None:
        """Lay a ground of tints, before anything is put on it."""
        self.tints = tints
        self.styles = [bytearray(row) for row in tints]

    def put(self, x: int, y: int, text: str, style: int) -> None:
        """Write `text` from a cell to the right; what lies outside is cut off."""
        if 0 <= y < self.height:
            for column, glyph in enumerate(text, x):
                if 0 <= column < self.width:
                    self.glyphs[y][column] = glyph
                    self.styles[y][column] = style + self.tints[y][column]

    def keep(self) -> None:
        """What is drawn now is the base of all frames from here on."""
        self._base = self.glyphs, self.styles

    def begin(self) -> None:
        """Begin a frame: the base, and nothing on it."""
        glyphs, styles = self._base
        self.glyphs = [row.copy() for row in glyphs]
        self.styles = [row.copy() for row in styles]

    def strips(self, palette: Sequence[Style], plain: bool = False) -> list[Strip]:
        """The frame, one Strip a row. palette: the style behind each number. plain: in ASCII.

        Whoever changes either has to `forget` first.
        """
        strips: list[Strip] = []
        runs = self._runs = self._runs or _runs(palette)
        segments = self._segments
        if len(segments) > _MOST_SEGMENTS:
            segments.clear()
        for y, (glyphs, styles) in enumerate(zip(self.glyphs, self.styles, strict=True)):
            text, numbers = "".join(glyphs), bytes(styles)
            kept = self._kept[y]
            if kept is None or kept[0] != text or kept[1] != numbers:
                shown = to_ascii(text) if plain else text
                row: list[Segment] = []
                for run in runs.finditer(numbers):
                    start, end = run.span()
                    key = numbers[start], shown[start:end]
                    segment = segments.get(key)
                    if segment is None:
                        segment = segments[key] = Segment(key[1], palette[key[0]])
                    row.append(segment)
                kept = self._kept[y] = text, numbers, Strip(row, self.width)
            strips.append(kept[2])
        return strips

    def forget(self) -> None:
        """Make every Strip anew: the palette has changed."""
        self._kept = [None] * self.height
        self._segments.clear()
        self._runs = None


def _runs(palette: Sequence[Style]) -> re.Pattern[bytes]:
    """Finds runs of numbers that one Segment can show.

    A blank looks the same in every style that does no more than colour letters. Where messages stand one beside
    the other, as in a field, that halves the number of Segments, and they are what a row costs.
    """
    blank = palette[0]
    letters = [
        number
        for number, style in enumerate(palette)
        if style.bgcolor == blank.bgcolor and not (style.reverse or style.underline or style.strike)
    ]
    return re.compile(rb"([%b])(?:\1|\0)*|(.)\2*" % re.escape(bytes(letters)), re.DOTALL)


class Dots:
    """Braille dots, `width` by `height` cells: 2 width by 4 height dots. bits[y][x] are those of a cell."""

    def __init__(self, width: int, height: int) -> None:
        self.bits = [bytearray(width) for _ in range(height)]

    def line(
        self, start: tuple[int, int], end: tuple[int, int], gap: tuple[float, float] = (1.0, 1.0)
    ) -> None:
        """Join the middles of two cells. gap: the part of the way that is left out."""
        path = line_cells(start, end)
        size = len(path.bits)
        first, last = math.ceil(size * gap[0]), math.floor(size * gap[1])
        for place, (x, y, bits) in enumerate(zip(*path, strict=True)):
            if not first <= place < last:
                self.bits[y][x] |= bits

    def text(self, y: int) -> str:
        """Row `y`, blanks where no dot is."""
        return "".join([BRAILLE[bits] if bits else " " for bits in self.bits[y]])


class Line(NamedTuple):
    """Cells on a line: their columns, rows, and dots. Arrays, for the garbage collector need not look into them."""

    xs: "array[int]"
    ys: "array[int]"
    bits: bytes


@lru_cache(maxsize=8192)
def line_cells(start: tuple[int, int], end: tuple[int, int]) -> Line:
    """The cells on the way from the middle of one cell to the middle of another."""
    x0, y0 = 2 * start[0] + 1, 4 * start[1] + 2
    dx, dy = 2 * (end[0] - start[0]), 4 * (end[1] - start[1])
    steps = max(abs(dx), abs(dy), 1)
    cells: dict[tuple[int, int], int] = {}
    for step in range(steps + 1):
        x, y = int(x0 + dx * step / steps), int(y0 + dy * step / steps)
        cell = x >> 1, y >> 2
        cells[cell] = cells.get(cell, 0) | _DOT[x & 1][y & 3]
    return Line(array("H", [x for x, _ in cells]), array("H", [y for _, y in cells]), bytes(cells.values()))


def fitting(parts: Iterable[str], gap: str, room: int) -> str:
    """As many of `parts`, joined by `gap`, as fit into `room` cells: the first matter most. Empty ones are left out."""
    said, *more = [part for part in parts if part] or [""]
    for part in more:
        if len(said + gap + part) > room:
            break
        said += gap + part
    return said
