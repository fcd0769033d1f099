"""How estimates close in: where they were over the whole run, and every node's own at the instant in view. Imports estimates.

Both stand on one upright axis: at the left a band from the least to the greatest estimate over time, at the right a
dot for each node. What all should come to is a line through both.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import UNSET

from gossiplab.tui.canvas import Canvas
from gossiplab.tui.copies import CURSOR, CURVE, EDGE, FAINT, FIRST, RIGHT, TITLE, WORD
from gossiplab.tui.numbers import nice
from gossiplab.tui.timeline import grown
from gossiplab.tui.view import Scene
from gossiplab.world.estimates import Spread, estimates, pair_of, truth
from gossiplab.world.world import World

RUN, NOW, ERROR = "the whole run", "what they are now", "the error, each row a tenth part"
SCALES = (RUN, NOW, ERROR)
"""What the upright axis spans."""

_MARGIN = 11  # columns for numbers at the left
_TICK = 14  # columns at least from one tick of the time axis to the next
_LEAST = 1e-16  # relative error that is not told from none


class Axis(NamedTuple):
    """The upright axis: values from `low` to `high` on so many rows. log: of errors, in powers of ten."""

    low: float
    high: float
    rows: int
    log: bool = False

    def row(self, value: float) -> int:
        """The row of a value, 0 the highest."""
        if self.log:
            value = math.log10(max(value, _LEAST))
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round((1 - min(1.0, max(0.0, share))) * (self.rows - 1))

    def label(self, row: int) -> str:
        """What stands at the left of a row."""
        value = self.high - (self.high - self.low) * row / max(1, self.rows - 1)
        return f"{10**value:.0e}".replace("e-0", "e-").replace("e+00", "") if self.log else f"{value:.6g}"


def draw_closing(canvas: Canvas, scene: Scene, node: int, scale: str) -> None:
    """Draw the estimates of a Scene on the whole canvas. node: the one that is spelled out."""
    world, latest = scene.world, scene.session.latest
    shown = [each.shown for each in world.nodes]
    aim = truth(shown)
    if scale == ERROR and not aim:
        scale = RUN  # no error without a truth to divide by
    values = [value if each.up else None for value, each in zip(estimates(shown), world.nodes, strict=True)]
    spreads = [] if latest.estimates is UNSET else latest.estimates
    canvas.put(0, 0, _summary(values, aim), TITLE)
    canvas.put(0, 1, _detail(world, node, values, aim), WORD)
    known = [value for value in values if value is not None]
    axis = _axis(scale, spreads, known, aim, canvas.height - 6)
    top, rows = 3, axis.rows
    strip = max(12, canvas.width // 3)
    width = canvas.width - strip - _MARGIN - 2
    if rows < 3 or width < 10:
        return
    canvas.put(_MARGIN, 2, f"over time; z: {scale}", FAINT)
    canvas.put(_MARGIN + width + 2, 2, "each node now", FAINT)
    for row in range(0, rows, max(1, rows // 6)):
        canvas.put(_MARGIN - 1 - len(axis.label(row)), top + row, axis.label(row), FAINT)
    for row in range(rows):
        canvas.put(_MARGIN - 1, top + row, "│", FAINT)
        canvas.put(_MARGIN + width + 1, top + row, "│", FAINT)
    if aim is not None and scale != ERROR:
        canvas.put(_MARGIN, top + axis.row(aim), "─" * (canvas.width - _MARGIN), EDGE)
        canvas.put(canvas.width - 6, top + axis.row(aim), " truth", EDGE)
    end = scene.session.end
    span = grown(end) if scene.session.growing else max(end, 1e-3)
    _draw_band(canvas, spreads, axis, aim, span, scene.t, width, top)
    _draw_dots(canvas, values, axis, aim, node, _MARGIN + width + 2, top, strip - 8)
    cursor = _MARGIN + min(width - 1, int(scene.t / span * width))
    canvas.put(_MARGIN - 1, top + rows, "└" + "─" * width, FAINT)
    step = nice(span * _TICK / width)
    for tick in range(int(span / step) + 1):
        x, label = int(tick * step / span * width), f"┴{tick * step:g} s"
        if x + len(label) <= width:
            canvas.put(_MARGIN + x, top + rows, label, FAINT)
    canvas.put(cursor, top + rows, "▲", CURSOR)


def _axis(scale: str, spreads: Sequence[Spread], known: list[float], aim: float | None, rows: int) -> Axis:
    if scale == ERROR and aim:
        worst = max((_error(each, aim) for each in spreads), default=1.0)
        best = min(
            (*(_error(each, aim) for each in spreads), *(abs(each - aim) / abs(aim) for each in known)),
            default=1.0,
        )
        high = math.ceil(math.log10(max(worst, 1e-15)))
        return Axis(min(high - 1, math.floor(math.log10(max(best, _LEAST)))), high, rows, log=True)
    values = list(known)
    if scale == RUN:
        values += [value for each in spreads for value in (each.low, each.high)]
    values += [] if aim is None else [aim]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    return Axis(low, high if high > low else low + max(abs(low) * 1e-12, 1e-12), rows)


def _error(spread: Spread, aim: float) -> float:
    return max(abs(spread.low - aim), abs(spread.high - aim)) / abs(aim)


def _draw_band(
    canvas: Canvas,
    spreads: Sequence[Spread],
    axis: Axis,
    aim: float | None,
    span: float,
    t: float,
    width: int,
    top: int,
) -> None:
    """From the least to the greatest over time; what lies behind the instant in view is faint."""
    columns: dict[int, Spread] = {}
    for each in spreads:
        columns[min(width - 1, int(each.t / span * width))] = each
    now: Spread | None = None
    for x in range(min(width, int(spreads[-1].t / span * width) + 1) if spreads else 0):
        if x in columns:
            now = columns[x]
        if now is None:
            continue
        late = (x + 0.5) / width * span > t
        if axis.log and aim:
            rows = range(axis.row(_error(now, aim)), axis.row(_error(now, aim)) + 1)
            middle = axis.row(abs(now.middle - aim) / abs(aim))
        else:
            rows, middle = range(axis.row(now.high), axis.row(now.low) + 1), axis.row(now.middle)
        for row in rows:
            canvas.put(_MARGIN + x, top + row, "●" if axis.log else "░", FAINT if late else CURVE)
        if 0 <= middle < axis.rows and (not axis.log or middle > rows.start):
            canvas.put(_MARGIN + x, top + middle, "○" if axis.log else "▒", FAINT if late else RIGHT)


def _draw_dots(
    canvas: Canvas,
    values: Sequence[float | None],
    axis: Axis,
    aim: float | None,
    node: int,
    x: int,
    top: int,
    room: int,
) -> None:
    """A dot for each node; the one that is spelled out first, in another shape."""
    rows: dict[int, list[int]] = {}
    for each, value in enumerate(values):
        if value is not None:
            at = abs(value - aim) / abs(aim) if axis.log and aim else value
            rows.setdefault(axis.row(at), []).append(each)
    for row, nodes in rows.items():
        here = node in nodes
        dots = len(nodes) - here
        shown = min(dots, room - here)
        canvas.put(x, top + row, "◆" * here, FIRST + 1)
        canvas.put(x + here, top + row, "●" * shown, RIGHT)
        if shown < dots:
            canvas.put(x + room, top + row, f" {len(nodes):,}"[:7], WORD)


def _summary(values: Sequence[float | None], aim: float | None) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "no node that is up has an estimate yet"
    said = f"{len(known):,} nodes estimate {min(known):.6g} to {max(known):.6g}"
    if aim is None:
        return said
    said += f", truth {aim:.6g}"
    if aim:
        said += f", off by {max(abs(value - aim) for value in known) / abs(aim):.2g} at most"
    return said


def _detail(world: World, node: int, values: Sequence[float | None], aim: float | None) -> str:
    value = values[node] if node < len(values) else None
    if value is None:
        return f"n{node} has no estimate" + ("" if world.nodes[node].up else ": it is down")
    off = f", off by {abs(value - aim) / abs(aim):.2g}" if aim else ""
    mass = pair_of(world.nodes[node].shown.get("mass"))
    pair = f"; it has s {mass[0]:.4g}, w {mass[1]:.4g}" if mass else ""
    return f"◆ n{node} estimates {value:.6g}{off}{pair}"
