"""The charts: how far the rumor got, or how far nodes agree, and at what price, over the whole run. Imports drawings and chart.

Everything is read off the World at the end of the run: arrivals of rumors, and its series of counts. So a
recording of a million events shows its charts at once, and the instant in view is a line through them. A frame draws one
chart at most, because textual-plot takes a hundredth of a second for each.
"""

from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType

from gossiplab.tui.drawings import SIGNS, Drawings, Frame
from gossiplab.tui.timeline import grown
from gossiplab.tui.view import Scene, View
from gossiplab.world.agreement import agreement

if TYPE_CHECKING:  # textual-plot, with its numpy, is not read before somebody looks at charts
    from gossiplab.tui.chart import Chart

_PENS = ("faint", "title", "cursor", "predicted", *(f"curve-{number}" for number in range(len(SIGNS))))
_FOUR_WIDTH, _FOUR_HEIGHT = 90, 26  # cells from which four charts have room
_CHARTS = (Drawings.heard, Drawings.messages, Drawings.bytes, Drawings.redundancy)


class Charts(View):
    """Four charts, or one of them where there is no room for more."""

    title = "charts"
    about = (
        "How far the rumor got and at what price, over the whole run; without rumors, how far the nodes agree. Dots are the "
        "curve that theory predicts for an undisturbed run, if it knows one; how a rumor begins is luck, which moves the whole of a run by a round "
        "or two, with pull alone by more. Rates are means over a cycle where the protocol "
        "has cycles. Redundancy is the share of deliveries with a rumor whose receiver knew it already. The upright line is "
        "the instant in view: left, right or a click move it. Up and down choose a chart, Enter makes it large or shows all "
        "four."
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
        layout: grid;
        grid-size: 2 2;
        &.-one { grid-size: 1 1; }
        & > .charts--faint { color: $foreground 70%; }
        & > .charts--title { color: $foreground; text-style: bold; }
        & > .charts--cursor { color: $text-accent; }
        & > .charts--predicted { color: $foreground 60%; }
        & > .charts--curve-0 { color: $text-success; text-style: bold; }
        & > .charts--curve-1 { color: $text-warning; text-style: bold; }
        & > .charts--curve-2 { color: $text-primary; text-style: bold; }
        & > .charts--curve-3 { color: $text-error; text-style: bold; }
        & > .charts--curve-4 { color: $text-secondary; text-style: bold; }
        & > .charts--curve-5 { color: $foreground 75%; text-style: bold; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._choice: int | None = None  # the chart a person has chosen
        self._large: bool | None = None  # whether one chart is shown; None: as there is room
        self._scene: Scene | None = None
        self._charts: list[Chart] = []
        self._drawn: dict[int, object] = {}  # of each chart that has been drawn, what it shows
        self._drawings: Drawings | None = None

    def show(self, scene: Scene) -> None:
        if self._scene is None or self._scene.session is not scene.session:
            self._scene, self._drawings, self._drawn = scene, Drawings(scene.session.header), {}
        elif scene.words:
            self._scene = scene
        if not self._charts:
            from gossiplab.tui.chart import Chart

            self._charts = [Chart(number) for number in range(len(_CHARTS))]
            self.mount_all(self._charts)
            self._arrange()
        self._draw_next()

    # what a person does ------------------------------------------------------------------------

    def action_shift(self, columns: int) -> None:
        if self._scene and self._charts:
            width = max(1, self._charts[self._chosen].columns)
            self.post_message(self.Sought(max(0.0, self._scene.t + columns * self._span / width)))

    def action_choose(self, step: int) -> None:
        self._choice = (self._chosen + step) % len(_CHARTS)
        self._arrange()

    def action_enlarge(self) -> None:
        self._large = not self._one
        self._arrange()

    def on_click(self, event: events.Click) -> None:
        """Go to the instant under the mouse."""
        for chart in self._charts:
            t = chart.instant_at(event.screen_offset) if chart.display else None
            if t is not None and self._scene:
                self.post_message(self.Sought(max(0.0, min(t, self._scene.session.end))))

    def on_resize(self) -> None:
        self._arrange()

    def notify_style_update(self) -> None:
        """Part of Widget: the theme or the stylesheet changed."""
        super().notify_style_update()
        self.call_later(self._redraw)  # by then the component classes have been brought up to date too

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

    @property
    def _span(self) -> float:
        """Seconds of the time axis."""
        session = self._scene.session if self._scene else None
        return 1.0 if session is None else grown(session.end) if session.growing else max(session.end, 1e-3)

    # drawing -----------------------------------------------------------------------------------

    def _arrange(self) -> None:
        """Show the charts that there is room for."""
        self.set_class(self._one, "-one")
        for chart in self._charts:
            chart.display = not self._one or chart.number == self._chosen

    def _redraw(self) -> None:
        """Draw all charts again, whatever they show."""
        self._drawn = {}
        self._draw_next()

    def _draw_next(self) -> None:
        """Draw one chart that does not show what it should, the chosen one first."""
        scene, drawings, chosen = self._scene, self._drawings, self._chosen
        if scene is None or drawings is None:
            return
        world = scene.session.latest
        for chart in sorted(self._charts, key=lambda chart: chart.number != chosen):
            frame = Frame(self._span, scene.session.end, chart.columns)
            column = int(scene.t / frame.span * frame.columns)
            shown = frame, chart.size, self._one, chart.number == chosen, column, world.events
            if chart.display and chart.columns and self._drawn.get(chart.number) != shown:
                drawing = _CHARTS[chart.number](drawings, world, frame)
                title = (
                    f"{drawing.title}   ({chart.number + 1} of {len(_CHARTS)})"
                    if self._one
                    else drawing.title
                )
                if chart.number == chosen and not self._one:
                    title = f"▸ {title}"
                pens = {name: self.get_component_rich_style(f"charts--{name}") for name in _PENS}
                chart.draw(drawing._replace(title=title), frame, scene.t, pens)
                self._drawn[chart.number] = shown
                return
