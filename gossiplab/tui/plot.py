"""A plot: curves over time in Braille dots, with axes, on a part of a canvas. Imports canvas.

Own dots and not a widget of Textual's or of textual-plot: Textual has bars and sparklines, which know no axes and
no second curve, and take 7 ms an update; textual-plot takes 12 ms, and 250 ms of start for numpy. A frame has 16,
and all four plots together, drawn here, take 4 to 8.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from gossiplab.tui.canvas import BRAILLE, Canvas

_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))  # of the dot in column x, row y of a cell
_MARGIN = 6  # columns for the numbers at the left
_GAP = 14  # columns between two signs on a curve
_TICK = 9  # columns at least from one tick of the time axis to the next


class Curve(NamedTuple):
    """One curve. values: one for each column of dots, None where there is none. sign: stands on it now and then.

    style: the number of its style. dotted: for what was not measured.
    """

    values: Sequence[float | None]
    sign: str
    style: int
    dotted: bool = False


class Pens(NamedTuple):
    """The numbers of styles for axes, titles and the instant in view."""

    axis: int
    title: int
    cursor: int


class Plot:
    """A rectangle of cells with axes: the first rows are left to a heading, the last is the time axis."""

    def __init__(self, canvas: Canvas, x: int, y: int, width: int, height: int, heading: int = 2) -> None:
        self.canvas = canvas
        self.x, self.y = x, y
        self.left, self.top = x + _MARGIN + 1, y + heading
        self.width, self.height = max(0, width - _MARGIN - 2), max(0, height - heading - 1)

    @property
    def dots(self) -> int:
        """How many columns of dots there are."""
        return 2 * self.width

    def column(self, t: float, span: float) -> int:
        """The column of cells, from 0, for the instant `t` on an axis of `span` seconds."""
        return max(0, min(self.width - 1, int(t / span * self.width)))

    def draw(self, curves: Sequence[Curve], top: float, unit: str, span: float, t: float, pens: Pens) -> None:
        """Draw axes from 0 to `top` and from 0 to `span` seconds, the curves, and a line at the instant `t`."""
        if self.width < 8 or self.height < 2:
            return
        self._axes(top, unit, span, pens)
        cursor = self.column(t, span)
        for row in range(self.height):
            self.canvas.put(self.left + cursor, self.top + row, "│", pens.cursor)
        for index, curve in enumerate(curves):
            self._curve(curve, index, top)
        self.canvas.put(self.left + cursor, self.top + self.height, "▴", pens.cursor)

    def _axes(self, top: float, unit: str, span: float, pens: Pens) -> None:
        canvas, bottom = self.canvas, self.top + self.height
        for row in range(self.height):
            canvas.put(self.left - 1, self.top + row, "│", pens.axis)
        for row, value in ((0, top), (self.height - 1, 0.0), ((self.height - 1) // 2, top / 2)):
            if self.height >= 5 or value != top / 2:
                label = f"{quantity(value)}{unit}"[:_MARGIN]
                canvas.put(self.left - 1 - len(label), self.top + row, label, pens.axis)
        canvas.put(self.left - 1, bottom, "└" + "─" * self.width, pens.axis)
        step, count = nice(span * _TICK / self.width), 0
        while count * step <= span:
            label, x = f"┴{count * step:g} s", self.column(count * step, span)
            if x + len(label) <= self.width:
                canvas.put(self.left + x, bottom, label, pens.axis)
            count += 1

    def _curve(self, curve: Curve, index: int, top: float) -> None:
        """Dots from one value to the next, and the curve's sign on it every so often."""
        low, cells = 4 * self.height - 1, dict[tuple[int, int], int]()
        before: int | None = None
        rows: dict[int, int] = {}  # of the last dot in each column of cells
        for x, value in enumerate(curve.values[: self.dots]):
            if value is None:
                before = None
                continue
            y = low - round(min(max(value / top, 0.0), 1.0) * low) if top else low
            first, last = (y, y) if before is None or curve.dotted else sorted((y, before))
            rows[x >> 1] = y >> 2
            before = y
            if curve.dotted and x % 3:
                continue
            for dot in range(first, last + 1):
                cell = x >> 1, dot >> 2
                cells[cell] = cells.get(cell, 0) | _BITS[x & 1][dot & 3]
        glyphs, styles = self.canvas.glyphs, self.canvas.styles
        for (column, row), bits in cells.items():
            y, x = self.top + row, self.left + column
            old = glyphs[y][x]
            under = ord(old) - 0x2800 if BRAILLE[0] <= old <= BRAILLE[-1] else 0
            glyphs[y][x] = BRAILLE[bits | under]
            styles[y][x] = curve.style
        if curve.dotted:
            return
        for column in range(4 + 5 * index, self.width, _GAP):
            if column in rows:
                self.canvas.put(self.left + column, self.top + rows[column], curve.sign, curve.style)


def nice(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below `least`, which is above 0."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(each * power for each in (1, 2, 5, 10) if each * power >= least * (1 - 1e-9))


def quantity(value: float) -> str:
    """A number in at most four characters: "0.25", "12", "3.4k", "120M"."""
    for factor, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            scaled = value / factor
            return f"{scaled:.0f}{letter}" if scaled >= 10 else f"{scaled:.2g}{letter}"
    return f"{value:.3g}" if value >= 1 or not value else f"{value:.2g}"
