"""What stands around a space-time diagram: names at the left, the axis and the legend below. Imports canvas and diagram."""

from collections.abc import Iterable
from math import floor, log10

from gossiplab.tui.canvas import Canvas
from gossiplab.tui.diagram import Place
from gossiplab.tui.marks import SHAPES, Mark, sign_of
from gossiplab.world.parts import Deed

FEET = 3  # rows below the nodes: the axis, words, the legend
_TICK = 20  # columns between two numbers on the axis


def draw_names(canvas: Canvas, place: Place, selected: int | None) -> None:
    """The names of the nodes, and a sign at the one that is selected."""
    for index, node in enumerate(place.nodes):
        name, y = f"n{node}".rjust(place.gutter - 3), place.y(index)
        canvas.put(1, y, name, Mark.CHOSEN_NAME if node == selected else Mark.NAME)
        if node == selected:  # by shape, too
            canvas.put(place.gutter - 2, y, ">", Mark.CHOSEN)


def draw_axis(canvas: Canvas, place: Place, deeds: Iterable[Deed], now: int, y: int) -> None:
    """Seconds, the commands that took effect, and the column of the instant in view, in row `y`."""
    digits = max(0, -floor(log10(place.scale * _TICK)))
    for column in range(-(-place.left // _TICK) * _TICK, place.left + place.columns, _TICK):
        x = column - place.left + place.gutter
        canvas.put(x, y, f"|{column * place.scale:.{digits}f}", Mark.AXIS)
    canvas.put(1, y, "s", Mark.AXIS)
    for deed in deeds:
        x = place.x(deed.t)
        if place.gutter <= x < place.width:
            canvas.put(x, y, deed.command[:1] if deed.command[:1].isalpha() else "?", Mark.DEED)
    if place.gutter <= now < place.width:
        canvas.put(now, y, "▴", Mark.NOW)


def draw_legend(canvas: Canvas, marks: Iterable[Mark], y: int, rumors: bool) -> None:
    """Some marks and a word for each, in row `y`, as many as there is room for. rumors: whether there are any."""
    x = 1
    for mark in marks:
        glyph, word, _ = sign_of(mark, rumors)
        if word and x + len(glyph) + 1 + len(word) <= canvas.width:
            canvas.put(x, y, glyph, mark)
            canvas.put(x + len(glyph) + 1, y, word, Mark.AXIS)
            x += len(glyph) + len(word) + 3


def marks_in_sight(canvas: Canvas) -> tuple[Mark, ...]:
    """The marks that are drawn so far, in the order of the legend."""
    seen = set[int]().union(*canvas.styles)
    return tuple(mark for mark in SHAPES if mark in seen)
