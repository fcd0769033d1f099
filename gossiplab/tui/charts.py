"""The charts: how far the rumor got, or how far nodes agree, and at what price, over the whole run. Imports world, theory and plot.

Everything is read off the World at the end of the run: arrivals of rumors, and its series of counts. So a
recording of a million events shows its charts at once, and the instant in view is a line through them.
"""

from bisect import bisect_right
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType

from gossiplab.events import Header
from gossiplab.text import visible
from gossiplab.tui.canvas import Canvas
from gossiplab.tui.canvas_view import CanvasView
from gossiplab.tui.plot import Curve, Pens, Plot, nice
from gossiplab.tui.timeline import grown
from gossiplab.tui.view import Scene
from gossiplab.world.course import agreement
from gossiplab.world.series import Counts, plus
from gossiplab.world.theory import NoPrediction, Prediction, predict
from gossiplab.world.world import World

_MOST_CURVES = 5
_SIGNS = "●▲■◆▼◇"
_PENS = (
    "void",
    "axis",
    "title",
    "cursor",
    "predicted",
    *(f"curve-{number}" for number in range(len(_SIGNS))),
)
_AXIS, _TITLE, _CURSOR, _PREDICTED, _FIRST = 1, 2, 3, 4, 5
_FOUR_WIDTH, _FOUR_HEIGHT = 90, 26  # cells from which four charts have room
_FEWEST_IN_BIN = 0.5  # of a bin's width: a last bin shorter than that says nothing yet
_UNTOUCHED = ("inject",)  # commands after which theory still holds
_TITLES = ("heard", "messages", "bytes", "redundancy")


class Chart(NamedTuple):
    """What one chart shows. title, note: its heading, in two rows. keys: sign, style and name of its curves."""

    title: str
    note: str
    keys: list[tuple[str, int, str]]
    curves: list[Curve]
    top: float
    unit: str


class Charts(CanvasView):
    """Four charts, or one of them where there is no room for more."""

    title = "charts"
    about = (
        "How far the rumor got and at what price, over the whole run; without rumors, how far the nodes agree. Dots are the curve that theory predicts for an "
        "undisturbed run, if it knows one. Rates are means over a cycle where the protocol has cycles. Redundancy is the "
        "share of deliveries with a rumor whose receiver knew it already. The upright line is the instant in view: "
        "left, right or a click move it. Up and down choose a chart, Enter makes it large or shows all four."
    )
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "shift(-1)", show=False),
        Binding("right", "shift(1)", show=False),
        Binding("up", "choose(-1)", show=False),
        Binding("down", "choose(1)", show=False),
        Binding("enter", "enlarge", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"charts--{name}" for name in _PENS}
    DEFAULT_CSS = """
    Charts {
        & > .charts--axis { color: $foreground 50%; }
        & > .charts--title { color: $foreground; text-style: bold; }
        & > .charts--cursor { color: $accent; }
        & > .charts--predicted { color: $foreground 60%; }
        & > .charts--curve-0 { color: $success; text-style: bold; }
        & > .charts--curve-1 { color: $warning; text-style: bold; }
        & > .charts--curve-2 { color: $primary; text-style: bold; }
        & > .charts--curve-3 { color: $error; text-style: bold; }
        & > .charts--curve-4 { color: $secondary; text-style: bold; }
        & > .charts--curve-5 { color: $foreground 75%; text-style: bold; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._choice: int | None = None  # the chart a person has chosen
        self._large: bool | None = None  # whether one chart is shown; None: as there is room
        self._scene: Scene | None = None
        self._span = 1.0
        self._plots: list[Plot] = []
        self._heard: dict[int, tuple[int, list[float]]] = {}
        self._binned: tuple[tuple[object, ...], tuple[float, list[tuple[Counts, float]]]] | None = None
        self._predicted: tuple[tuple[Header, int, float], Prediction | NoPrediction] | None = None

    def show(self, scene: Scene) -> None:
        if self._scene is None or self._scene.session is not scene.session:
            self._heard, self._predicted, self._binned = {}, None, None
        self._scene = scene
        if scene.words:
            self._paint()

    # what a person does ------------------------------------------------------------------------

    def action_shift(self, columns: int) -> None:
        if self._scene and self._plots:
            self.post_message(
                self.Sought(max(0.0, self._scene.t + columns * self._span / self._plots[0].width))
            )

    def action_choose(self, step: int) -> None:
        self._choice = (self._chosen + step) % len(_TITLES)
        self._paint()

    def action_enlarge(self) -> None:
        self._large = not self._one
        self._paint()

    def on_click(self, event: events.Click) -> None:
        """Go to the instant under the mouse."""
        for plot in self._plots:
            x, y = event.x - plot.left, event.y - plot.y
            if 0 <= x < plot.width and 0 <= y <= plot.top - plot.y + plot.height and self._scene:
                t, end = (x + 0.5) / plot.width * self._span, self._scene.session.end
                self.post_message(self.Sought(min(t, end)))
                return

    @property
    def _chosen(self) -> int:
        """The number of the chosen chart; until a person chooses, the first that has something to say."""
        if self._choice is not None:
            return self._choice
        world = self._scene.session.latest if self._scene else None
        return 0 if world and (world.rumors or agreement(world)) else 1

    @property
    def _one(self) -> bool:
        """Whether one chart is shown and not four."""
        room = self.size.width >= _FOUR_WIDTH and self.size.height >= _FOUR_HEIGHT
        return not room if self._large is None else self._large

    # drawing -----------------------------------------------------------------------------------

    def _paint(self) -> None:
        scene = self._scene
        if scene is None or not self.is_mounted or not self.size:
            return
        session = scene.session
        world, end = session.latest, session.end
        self._span = grown(end) if session.growing else max(end, 1e-3)
        drawn = (
            self.size,
            self._one,
            self._chosen,
            self._span,
            round(scene.t / self._span * 1000),
            world.events,
        )
        if drawn == self._drawn:
            return
        self._drawn = drawn
        width, height = self.size
        if (width, height) != (self._canvas.width, self._canvas.height):
            self._canvas = Canvas(width, height)
        self._canvas.begin()
        if self._one:
            places = [(self._chosen, 0, 0, width, height)]
        else:
            half, middle = width // 2, height // 2
            places = [
                (number, number % 2 * half, number // 2 * middle, half, middle)
                for number in range(len(_TITLES))
            ]
        self._plots = []
        for number, x, y, w, h in places:
            plot = Plot(self._canvas, x, y, w, h)
            self._plots.append(plot)
            self._draw_chart(plot, number, w, session.header, world, end, scene.t)
        if not self._palette:
            names = [f"charts--{name}" for name in _PENS]
            self._palette = [self.get_component_rich_style(name) for name in names]
        self._strips = self._canvas.strips(self._palette)
        self.refresh()

    def _draw_chart(
        self, plot: Plot, number: int, width: int, header: Header, world: World, end: float, t: float
    ) -> None:
        chart = (self._heard_chart, self._messages_chart, self._bytes_chart, self._redundancy_chart)[number](
            plot, header, world, end
        )
        chosen = number == self._chosen and not self._one
        sign = "▸ " if chosen else ""
        title = f"{sign}{chart.title}"
        if self._one:
            title += f"   ({number + 1} of {len(_TITLES)})"
        canvas, x, right = self._canvas, plot.x + 1, plot.x + width - 1
        canvas.put(x, plot.y, title[: right - x], _TITLE)
        x += len(title) + 3
        names: list[tuple[str, int, str]] = []
        for sign, style, name in chart.keys:
            names.append((sign, style, f" {name}  "))
        row = plot.y
        if (
            sum(len(sign + name) for sign, _, name in names) - 2 > right - x
        ):  # the names in a row of their own
            x, row = plot.x + 1, plot.y + 1
            if self._one and chart.note:
                plot.top, plot.height = plot.top + 1, plot.height - 1
        for sign, style, name in names:
            if x + len(sign + name) - 2 > right:
                break
            canvas.put(x, row, sign, style)
            canvas.put(x + len(sign), row, name, _AXIS)
            x += len(sign + name)
        if row + 1 < plot.top:
            canvas.put(plot.x + 1, row + 1, _cut(chart.note, right - plot.x - 1), _AXIS)
        plot.draw(chart.curves, chart.top, chart.unit, self._span, t, Pens(_AXIS, _TITLE, _CURSOR))

    # what is drawn -----------------------------------------------------------------------------

    def _heard_chart(self, plot: Plot, header: Header, world: World, end: float) -> Chart:
        n = len(world.nodes)
        ids = range(max(0, len(world.rumors) - _MOST_CURVES), len(world.rumors))
        instants = [min((x + 1) / max(1, plot.dots) * self._span, end) for x in range(plot.dots)]
        done = plot.column(end, self._span) * 2 + 2
        if agreed := agreement(world):
            shares = [
                100 * share if x < done and (share := agreed.at(t)) is not None else None
                for x, t in enumerate(instants)
            ]
            return Chart(f"{agreed.what}, %", "", [], [Curve(shares, _SIGNS[0], _FIRST)], 100.0, " %")
        curves: list[Curve] = []
        keys: list[tuple[str, int, str]] = []
        note = "no rumor yet"
        if ids:
            newest = ids[-1]
            prediction = self._prediction(header, world, newest)
            note = _note(world, newest, prediction)
            if isinstance(prediction, Prediction):
                values = _sampled(prediction, [(x + 1) / plot.dots * self._span for x in range(plot.dots)])
                curves.append(Curve(values, ".", _PREDICTED, dotted=True))
                keys.append(("⠂⠐⠂", _PREDICTED, "predicted"))
        for place, id in enumerate(ids):
            times, start = self._times(world, id), world.rumors[id].t
            values = [
                bisect_right(times, t) / n if t >= start and x < done and n else None
                for x, t in enumerate(instants)
            ]
            curves.append(Curve(values, _SIGNS[place], _FIRST + place))
            keys.append((_SIGNS[place], _FIRST + place, f"rumor {id}"))
        curves = [
            curve._replace(values=[v if v is None else 100 * v for v in curve.values]) for curve in curves
        ]
        return Chart("heard, % of nodes", note, keys, curves, 100.0, " %")

    def _messages_chart(self, plot: Plot, header: Header, world: World, end: float) -> Chart:
        return self._rates(plot, header, world, end, "messages sent a second", 0)

    def _bytes_chart(self, plot: Plot, header: Header, world: World, end: float) -> Chart:
        return self._rates(plot, header, world, end, "bytes sent a second", 1)

    def _rates(self, plot: Plot, header: Header, world: World, end: float, title: str, which: int) -> Chart:
        width, bins = self._bins(plot, header, world, end)
        totals = [(tally.bytes if which else tally.sent) for tally in world.kinds.values()]
        order = sorted(range(len(totals)), key=lambda kind: (-totals[kind], kind))
        groups = [[kind] for kind in order[:_MOST_CURVES]]
        if rest := order[_MOST_CURVES:]:
            groups.append(rest)
        names = list(world.kinds)
        curves: list[Curve] = []
        keys: list[tuple[str, int, str]] = []
        highest = 0.0
        for place, group in enumerate(groups):
            rates = [
                sum(_count(counts, 3 + 2 * kind + which) for kind in group) / seconds
                for counts, seconds in bins
            ]
            highest = max(highest, *rates, 0.0)
            curves.append(Curve(self._over(plot, rates, width), _SIGNS[place], _FIRST + place))
            name = _narrow(visible(names[group[0]], 16)) if len(group) == 1 else f"{len(group)} other types"
            keys.append((_SIGNS[place], _FIRST + place, name))
        note = "" if keys else "nothing sent yet"
        return Chart(title, note, keys, curves, nice(highest) if highest else 1.0, "")

    def _redundancy_chart(self, plot: Plot, header: Header, world: World, end: float) -> Chart:
        width, bins = self._bins(plot, header, world, end)
        shares = [
            100 * _count(counts, 1) / told if (told := _count(counts, 0) + _count(counts, 1)) else None
            for counts, _ in bins
        ]
        told = world.useful + world.redundant
        note = f"{world.redundant:,} of {told:,} in all" if told else "no rumor has arrived yet"
        curve = Curve(self._over(plot, shares, width), _SIGNS[0], _FIRST)
        return Chart("redundant, % of deliveries with a rumor", note, [], [curve], 100.0, " %")

    def _bins(
        self, plot: Plot, header: Header, world: World, end: float
    ) -> tuple[float, list[tuple[Counts, float]]]:
        """The bins' width, and of each its counts and its seconds: no narrower than a column or a cycle."""
        key = plot.width, world.events, self._span, end
        if self._binned is not None and self._binned[0] == key:
            return self._binned[1]
        series = world.series
        least = max(self._span / max(1, plot.width), header.cycle.period if header.cycle else 0.0)
        each = max(1, round(least / series.width))
        counted = series.counted(world.counts)
        width = each * series.width
        bins: list[tuple[Counts, float]] = []
        for start in range(0, len(counted), each):
            counts: Counts = ()
            for more in counted[start : start + each]:
                counts = plus(counts, more)
            begin = start * series.width
            bins.append((counts, min(width, max(end, world.t) - begin)))
        if len(bins) > 1 and bins[-1][1] < _FEWEST_IN_BIN * width:
            bins.pop()
        binned = width, [(counts, seconds) for counts, seconds in bins if seconds > 0]
        self._binned = key, binned
        return binned

    def _over(
        self, plot: Plot, values: "list[float] | list[float | None]", width: float
    ) -> list[float | None]:
        """The values of bins, for every column of dots."""
        dots = max(1, plot.dots)
        places = [int((x + 0.5) / dots * self._span / width) for x in range(plot.dots)]
        return [values[place] if place < len(values) else None for place in places]

    def _times(self, world: World, id: int) -> list[float]:
        """The instants at which nodes first heard a rumor, in order."""
        rumor = world.rumors[id]
        known = self._heard.get(id)
        many = len(rumor.arrivals) + len(rumor.forgotten)
        if known is None or known[0] != many:
            known = self._heard[id] = many, sorted([arrival.t for arrival in rumor.first.values()])
        return known[1]

    def _prediction(self, header: Header, world: World, id: int) -> Prediction | NoPrediction:
        key = header, id, world.rumors[id].t
        if self._predicted is None or self._predicted[0] != key:
            self._predicted = key, predict(header, world.rumors[id])
        return self._predicted[1]


def _note(world: World, id: int, prediction: Prediction | NoPrediction) -> str:
    """A sentence about a prediction."""
    if isinstance(prediction, NoPrediction):
        return f"no prediction: {prediction.why}"
    residue = f", residue {100 * prediction.residue:.2g} %" if prediction.residue is not None else ""
    touched = any(deed.command.partition(" ")[0] not in _UNTOUCHED for deed in world.deeds)
    return (
        f"predicted{', if undisturbed' if touched else ''}: {prediction.name}{residue} ({prediction.source})"
    )


def _sampled(prediction: Prediction, instants: list[float]) -> list[float | None]:
    """A prediction at many instants, in order."""
    start = prediction.times[0] if prediction.times else 0.0
    return [prediction.at(t) if t >= start else None for t in instants]


def _count(counts: Counts, place: int) -> int:
    return counts[place] if place < len(counts) else 0


def _narrow(text: str) -> str:
    """With a question mark for whatever does not fill exactly one cell."""
    return "".join(each if cell_len(each) == 1 else "?" for each in text)


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: max(0, room - 1)]}…"
