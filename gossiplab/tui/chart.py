"""One chart: a heading, and textual-plot's widget with the curves. Imports textual-plot, and drawings.

A plot takes a hundredth of a second to draw and numpy to be imported, so nobody imports this before charts are looked
at, and whoever shows several draws one a frame.
"""

from collections.abc import Sequence
from contextlib import suppress

from rich.style import Style
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.css.scalar import Scalar
from textual.geometry import Offset
from textual.style import Style as ContentStyle
from textual.widgets import Static
from textual_plot import AxisFormatter, HiResMode, PlotWidget

from gossiplab.tui.drawings import Drawing, Frame
from gossiplab.tui.numbers import nice, quantity

_TICK = 9  # columns at least from one tick of the time axis to the next
_GAP = 14  # columns between two signs on a curve
_MARGIN = 7  # columns for the numbers at the left


class _Labels(AxisFormatter):
    """Numbers of an axis, with a unit."""

    def __init__(self, step: float, unit: str) -> None:
        self._step, self._unit = step, unit

    def get_ticks(self, min_: float, max_: float, max_ticks: int = 8) -> list[float]:
        return [count * self._step for count in range(int(max_ / self._step + 1e-9) + 1)]

    def get_labels_for_ticks(self, ticks: Sequence[float]) -> list[str]:
        return [f"{quantity(tick)}{self._unit}" for tick in ticks]


class _Plot(PlotWidget, can_focus=False):
    """The plot under a heading: its legend is the heading's, and it stays where it is."""

    DEFAULT_CSS = """
    _Plot {
        height: 1fr;
        & > .plot--axis, & > .plot--tick { color: $foreground 70%; text-style: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__(allow_pan_and_zoom=False)
        self.set_reactive(PlotWidget.margin_top, 0)
        self.set_reactive(PlotWidget.margin_bottom, 1)
        self.set_reactive(PlotWidget.margin_left, _MARGIN)

    def on_mount(self) -> None:
        self.show_legend(is_visible=False)


class Chart(Vertical):
    """A heading and a plot. number: its place among the charts."""

    DEFAULT_CSS = """
    Chart { padding: 0 1 0 0; & > Static { height: 2; text-wrap: nowrap; text-overflow: ellipsis; } }
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self._heading = Static(Content())
        self.plot = _Plot()

    def compose(self) -> ComposeResult:
        yield self._heading
        yield self.plot

    @property
    def columns(self) -> int:
        """Columns of cells for curves."""
        return max(0, self.content_size.width - _MARGIN - 2)

    def draw(self, drawing: Drawing, frame: Frame, t: float, pens: dict[str, Style]) -> None:
        """Draw curves, and a line at the instant `t`. pens: the styles by name, "title", "faint" and "cursor" among them."""
        self._head(drawing, pens)
        plot, top, instants = self.plot, drawing.top, frame.instants
        plot.clear()
        plot.set_xlimits(0.0, frame.span)
        plot.set_ylimits(0.0, top)
        plot.set_x_formatter(_Labels(nice(frame.span * _TICK / max(_TICK, frame.columns)), " s"))
        plot.set_y_formatter(_Labels(top / 2, drawing.unit))
        plot.add_v_line(t, str(pens["cursor"]))
        for number, curve in enumerate(drawing.curves):
            style = str(pens[curve.pen])
            for xs, ys in _pieces(instants, curve.values):
                if curve.dotted or len(xs) == 1:
                    plot.scatter(xs[::2], ys[::2], marker_style=style, hires_mode=HiResMode.BRAILLE)
                else:
                    plot.plot(xs, ys, line_style=style, hires_mode=HiResMode.BRAILLE)
            if curve.sign:
                # every so often, at other places than those of the curves before
                places = [
                    x for x in range(4 + 5 * number, len(curve.values), _GAP) if curve.values[x] is not None
                ]
                xs, ys = [instants[x] for x in places], [curve.values[x] or 0.0 for x in places]
                plot.scatter(xs, ys, marker=curve.sign, marker_style=style)

    def instant_at(self, screen: Offset) -> float | None:
        """The instant under a cell of the screen, in seconds; None beside the plot, or before it has been drawn."""
        canvas = next((each for each in self.plot.query("#plot") if each.region.contains_point(screen)), None)
        if canvas is None:
            return None
        with suppress(ZeroDivisionError):  # it has no size yet
            return float(self.plot.get_coordinate_from_pixel(*(screen - canvas.region.offset))[0])
        return None

    def _head(self, drawing: Drawing, pens: dict[str, Style]) -> None:
        styles = {name: ContentStyle.from_rich_style(style) for name, style in pens.items()}
        keys = [
            Content.assemble((key.sign, styles[key.pen]), (f" {key.name}", styles["faint"]))
            for key in drawing.keys
        ]
        named = Content("  ").join(keys)
        title = Content.styled(drawing.title, styles["title"])
        note = Content.styled(drawing.note, styles["faint"])
        if title.cell_length + 3 + named.cell_length <= self.content_size.width:
            rows = [Content("   ").join([title, named]), note]
        else:  # the names in a row of their own
            rows = [title, named, *([note] if drawing.note else ())]
        self._heading.update(Content("\n").join(rows), layout=False)
        if self._heading.styles.height != Scalar.from_number(len(rows)):
            self._heading.styles.height = len(rows)


def _pieces(
    instants: Sequence[float], values: Sequence[float | None]
) -> list[tuple[list[float], list[float]]]:
    """The stretches of a curve in which it has values."""
    pieces: list[tuple[list[float], list[float]]] = []
    before = False
    for t, value in zip(instants, values, strict=False):
        if value is not None:
            if not before:
                pieces.append(([], []))
            pieces[-1][0].append(t)
            pieces[-1][1].append(value)
        before = value is not None
    return pieces
