"""The space-time diagram: a row for every node, time to the right, a line for every message.

Imports diagram, margins, choice and reel.

What it shows it reads from the recording, live as in a replay. One event may be chosen: everything that could
neither have caused it nor been caused by it then becomes faint, which is what happened-before means.
"""

from collections.abc import Sequence
from math import floor, inf
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.geometry import Region
from textual.strip import Strip

from gossiplab.events import Injected, Learned, Retired
from gossiplab.tui.ascii import is_plain
from gossiplab.tui.canvas import Canvas, fitting
from gossiplab.tui.canvas_view import CanvasView
from gossiplab.tui.choice import Choice, first_choice, nearest
from gossiplab.tui.diagram import Picture, Place, gap_for
from gossiplab.tui.margins import FEET, draw_axis, draw_legend, draw_names, marks_in_sight
from gossiplab.tui.marks import Mark, sign_of
from gossiplab.tui.reel import Reel
from gossiplab.tui.view import Scene, Sign
from gossiplab.world.history import History, Step

SCALES = tuple(digit * 10.0**power for power in range(-6, 4) for digit in (1, 2, 5))
"""Seconds in a column."""
_USUAL = 0.05  # s in a column at first: 160 columns are eight seconds
_RIGHT = 3  # columns that stay free to the right of the present
_AHEAD = 0.25  # of the columns: what is seen of the future of an instant in the past


class SpaceTime(CanvasView):
    """Who told whom when, and what could have caused what."""

    title = "space-time"
    about = (
        "Every row is a node and time runs to the right; a line leads from where a message was sent to where it "
        "arrived, a cross is where it was lost, and a row becomes thick where its node learns the rumor (★). "
        "Choose an event with the arrows or a click: all that may have caused it stays bright to its left, all that "
        "it may have caused stays bright to its right, and what turns faint is concurrent with it: no chain of messages "
        "leads from one to the other, so neither can know of the other, whichever the clock says came first. "
        "Left and right go from event to event of a node, up and down to the other end of a message or to the next row, "
        "Enter looks at that instant, Esc lets go. z and Z or the wheel zoom, < and > scroll through time, PgUp and "
        "PgDn through the nodes; s sorts the rows by number or by who learned first, / leaves only the selected node "
        "and those it talks with."
    )
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "event(-1)", "The event before, at this node", show=False),
        Binding("right", "event(1)", "The next event at this node", show=False),
        Binding("up", "across(-1)", "The other end of the message, or the row above", show=False),
        Binding("down", "across(1)", "The other end of the message, or the row below", show=False),
        Binding("enter", "seek", "Look at the instant of the chosen event", show=False),
        Binding("escape", "let_go", "Choose no event, and follow time again", show=False),
        Binding("z", "zoom(-1)", "Zoom in", show=False),
        Binding("Z", "zoom(1)", "Zoom out", show=False),
        Binding("less_than_sign", "scroll(-0.5)", "Scroll back in time", show=False),
        Binding("greater_than_sign", "scroll(0.5)", "Scroll on in time", show=False),
        Binding("pageup", "rows(-1)", "Scroll to the rows above", show=False),
        Binding("pagedown", "rows(1)", "Scroll to the rows below", show=False),
        Binding("s", "sort", "Order the rows by number, or by who learned first", show=False),
        Binding("slash", "filter", "Only the selected node and those it talks with, or all", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {mark.component for mark in Mark}
    DEFAULT_CSS = """
    SpaceTime {
        background: $background;
        color: $foreground;
        & > .spacetime--faint { color: $foreground 30%; }
        & > .spacetime--name { color: $foreground 70%; }
        & > .spacetime--chosen-name { color: $text-primary; text-style: bold reverse; }
        & > .spacetime--axis { color: $foreground 70%; }
        & > .spacetime--deed { color: $text-warning; text-style: bold reverse; }
        & > .spacetime--words { color: $foreground 80%; }
        & > .spacetime--now { color: $text-accent; text-style: bold; }
        & > .spacetime--unaware { color: $foreground 45%; }
        & > .spacetime--aware { color: $text-warning; text-style: bold; }
        & > .spacetime--silent { color: $text-success; text-style: bold; }
        & > .spacetime--paused { color: $text-primary; text-style: bold; }
        & > .spacetime--down { color: $text-error 70%; }
        & > .spacetime--other { color: $foreground 60%; }
        & > .spacetime--carrying { color: $text-accent; }
        & > .spacetime--sent { color: $foreground 85%; }
        & > .spacetime--received { color: $foreground; text-style: bold; }
        & > .spacetime--lost { color: $text-error; text-style: bold; }
        & > .spacetime--retired { color: $text-success; text-style: bold; }
        & > .spacetime--rejoined { color: $foreground; text-style: bold; }
        & > .spacetime--left { color: $foreground; text-style: bold; }
        & > .spacetime--dead { color: $text-error; text-style: bold; }
        & > .spacetime--crashed { color: $text-error; text-style: bold; }
        & > .spacetime--learned { color: $text-warning; text-style: bold; }
        & > .spacetime--chosen { color: $text-primary; text-style: bold reverse; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.follows = True  # whether the picture keeps the session's instant in sight
        self.choice = Choice()
        self.by_arrival: bool | None = None  # how rows are ordered; None: as suits the number of nodes
        self.filtered = False
        self._scene: Scene | None = None
        self._reel: Reel | None = None
        self._scale = _USUAL
        self._left = 0
        self._top = 0
        self._selected: int | None = None
        self._place = Place(0, _USUAL, 0, 0, 0, (), 1)
        self._sight: tuple[Mark, ...] = ()  # the marks that are drawn
        self._plain = False  # whether all is shown in ASCII

    # what the app calls ------------------------------------------------------------------------

    def show(self, scene: Scene) -> None:
        if self._scene is None or self._scene.session is not scene.session:
            self._reel = Reel(scene.session)
            self._selected = scene.selected
            self._choose(None)
        self._scene = scene
        if not self.is_mounted or not self.size or self._reel is None:
            return
        if scene.selected != self._selected:
            self._selected = scene.selected
            self._bring_into_sight(scene.selected)
        if self.follows:
            self._left = self._followed(scene)
        place = self._arrange(scene)
        begin = place.start if self.chosen is None else min(place.start, self.chosen.t)
        complete = self._reel.cover(begin, place.stop)
        self.choice.follow(self._reel.history)
        self._picture(scene, self._reel, complete)

    def signs(self) -> tuple[Sign, ...]:
        rumors = self._scene is not None and bool(self._scene.world.rumors)
        shapes = [(mark, sign_of(mark, rumors)) for mark in self._sight]
        return tuple(
            Sign(shape.glyph, mark.component, shape.meaning) for mark, shape in shapes if shape.meaning
        )

    @property
    def chosen(self) -> Step | None:
        """The event that has been chosen."""
        return self.choice.step

    @property
    def history(self) -> History | None:
        """What has been read; None before anything was shown."""
        return self._reel.history if self._reel is not None else None

    # where everything is -----------------------------------------------------------------------

    def _followed(self, scene: Scene) -> int:
        """The first column, so that the session's instant is in sight."""
        columns = max(1, self.size.width - self._gutter(scene))
        now = floor(scene.t / self._scale + 1e-9)
        ahead = _RIGHT if scene.t >= scene.session.end else int(_AHEAD * columns)
        return max(0, now + ahead - columns + 1)

    @staticmethod
    def _gutter(scene: Scene) -> int:
        return len(f"n{max(0, len(scene.world.nodes) - 1)}") + 3

    def _arrange(self, scene: Scene) -> Place:
        width, height = self.size
        room = max(1, height - FEET)
        order = self._order(scene, room)
        gap = gap_for(len(order), room)
        fit = max(1, room // gap)
        self._top = max(0, min(self._top, len(order) - fit))
        nodes = tuple(order[self._top : self._top + fit])
        self._place = Place(self._left, self._scale, self._gutter(scene), width, room, nodes, gap)
        return self._place

    def _order(self, scene: Scene, room: int) -> Sequence[int]:
        """All nodes that have a row, from the top."""
        world = scene.session.latest
        nodes: Sequence[int] = range(len(world.nodes))
        if self.filtered and scene.selected is not None and self._reel is not None:
            start = self._left * self._scale
            steps = self._reel.history.between(scene.selected, start, start + self.size.width * self._scale)
            messages = [step.message for step in steps if step.message is not None]
            nodes = sorted({scene.selected, *(m.src for m in messages), *(m.dst for m in messages)})
        by_arrival = self.by_arrival if self.by_arrival is not None else len(nodes) > room
        if not by_arrival or not 0 <= self._rumor(scene) < len(world.rumors):
            return nodes
        rumor = world.rumors[self._rumor(scene)]
        first = {**rumor.arrivals, **rumor.forgotten}
        return sorted(nodes, key=lambda node: (first[node].t if node in first else inf, node))

    def _rumor(self, scene: Scene) -> int:
        """The rumor that is shown: that of the chosen event or the newest at the session's instant; -1: none."""
        if self.chosen is not None and isinstance(self.chosen.event, Learned | Injected | Retired):
            return self.chosen.event.rumor
        return len(scene.world.rumors) - 1

    def _bring_into_sight(self, node: int | None) -> None:
        """Scroll to the row of a node."""
        if node is None or self._scene is None or node in self._place.nodes:
            return
        order = list(self._order(self._scene, max(1, self.size.height - FEET)))
        if node in order:
            self._top = order.index(node) - len(self._place.nodes) // 2

    # choosing ----------------------------------------------------------------------------------

    def _choose(self, step: Step | None) -> None:
        self.choice.take(step)
        if step is None:
            return
        self.follows = False
        place = self._place
        column = floor(step.t / self._scale + 1e-9)
        if not place.left + 2 <= column < place.left + place.columns - 2:
            self._left = max(0, column - place.columns // 2)
        self._bring_into_sight(step.node)
        if self._scene is not None and step.node != self._scene.selected:
            self._selected = step.node
            self.post_message(self.Selected(step.node))
        self._repaint()

    def action_event(self, way: int) -> None:
        """The next event at this node (1), or the one before (-1)."""
        if self._reel is None or self._choose_some():
            return
        history = self._reel.history
        if step := self.choice.along(history, way):
            self._choose(step)
        elif way < 0 and history.first:
            self.action_scroll(-0.5)  # what was before has still to be read

    def action_across(self, way: int) -> None:
        """The other end of the message if it is there, else the nearest event in the next row up (-1) or down (1)."""
        if self._reel is None or self._scene is None or self._choose_some():
            return
        order = self._order(self._scene, self._place.height)
        if step := self.choice.across(self._reel.history, order, way):
            self._choose(step)

    def _choose_some(self) -> bool:
        """Choose an event to begin with, if there is none yet. Whether there was none."""
        if self.chosen is None and self._reel is not None and self._scene is not None:
            selected, nodes = self._scene.selected, self._place.nodes
            rows = nodes if selected is None else (selected, *nodes)
            if step := first_choice(self._reel.history, self._place, rows, self._scene.t):
                self._choose(step)
            return True
        return False

    def on_click(self, event: events.Click) -> None:
        """Choose the event that was clicked, or was nearly; on a name select its node."""
        at, place = event.get_content_offset(self), self._place
        index = None if at is None else place.row_at(at.y)
        if at is None or index is None or self._reel is None or self._scene is None:
            return
        if at.x < place.gutter:
            self.post_message(self.Selected(place.nodes[index]))
        elif step := nearest(self._reel.history, place, self._rumor(self._scene), at.x, at.y):
            self._choose(step)

    def action_seek(self) -> None:
        """Look at the instant of the chosen event."""
        if self.chosen is None:
            raise SkipAction
        self.post_message(self.Sought(self.chosen.t))

    def action_let_go(self) -> None:
        """Choose no event, and follow time again."""
        if self.chosen is None and self.follows:
            raise SkipAction
        self._choose(None)
        self.follows = True
        self._repaint()

    # moving ------------------------------------------------------------------------------------

    def action_zoom(self, steps: int) -> None:
        """Zoom out (1) or in (-1), around the chosen event, or the session's instant, or the middle."""
        place = self._place
        about = self.chosen.t if self.chosen else self._scene.t if self._scene else 0.0
        if not place.start <= about <= place.stop:
            about = (place.start + place.stop) / 2
        self._zoom(steps, about)

    def _zoom(self, steps: int, about: float) -> None:
        index = min(range(len(SCALES)), key=lambda i: abs(SCALES[i] - self._scale))
        x = self._place.x(about) - self._place.gutter
        self._scale = SCALES[max(0, min(index + steps, len(SCALES) - 1))]
        self._left = max(0, floor(about / self._scale + 1e-9) - x)
        self._repaint()

    def action_scroll(self, share: float) -> None:
        """Scroll by so much of what is in sight on in time, or back."""
        self._scroll(int(share * self._place.columns))

    def _scroll(self, columns: int) -> None:
        self.follows = False
        self._left = max(0, self._left + columns)
        self._repaint()

    def action_rows(self, pages: int) -> None:
        """Scroll to other nodes."""
        self._top += pages * max(1, len(self._place.nodes) - 1)
        self._repaint()

    def action_sort(self) -> None:
        """Order the rows by the nodes' numbers, or by when they learned the rumor."""
        if self._scene is not None:
            by_arrival = self.by_arrival
            if by_arrival is None:
                by_arrival = len(self._scene.world.nodes) > self._place.height
            self.by_arrival = not by_arrival
            self._top = 0
            self._repaint()
            self._bring_into_sight(self._selected)
            self._repaint()

    def action_filter(self) -> None:
        """Show only the selected node and those it talks with, or all."""
        self.filtered = not self.filtered
        self._top = 0
        self._repaint()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Part of Widget."""
        self._wheel(event, -1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Part of Widget."""
        self._wheel(event, 1)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        """Part of Widget."""
        self._scroll(-4)
        event.stop()

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        """Part of Widget."""
        self._scroll(4)
        event.stop()

    def _wheel(self, event: events.MouseEvent, way: int) -> None:
        """Zoom where the mouse is; with shift scroll through time, on the names through the nodes."""
        event.stop()
        at = event.get_content_offset(self)
        if event.shift:
            self._scroll(8 * way)
        elif at is not None and at.x < self._place.gutter:
            self._top += 3 * way
            self._repaint()
        else:
            x = self._place.columns // 2 if at is None else at.x - self._place.gutter
            self._zoom(way, (self._place.left + x) * self._scale)

    # when to draw ------------------------------------------------------------------------------

    def _paint(self) -> None:
        if self._scene is not None and self.display:
            self.show(self._scene)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Part of Widget: without the detour that would add borders and padding, where there are none."""
        if self.gutter or len(self._strips) < crop.bottom:
            return super().render_lines(crop)
        strips = self._strips[crop.y : crop.bottom]
        start, end = crop.column_span
        return (
            strips if (start, end) == (0, self.size.width) else [strip.crop(start, end) for strip in strips]
        )

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Part of Widget: none, because NO_COLOR, ASCII and the like have been done to the palette, once for all frames."""
        return ()

    def _colours(self) -> list[Style]:
        """The style of every mark."""
        if not self._palette:
            segments = [Segment(" ", self.get_component_rich_style(mark.component)) for mark in Mark]
            filters = super().get_line_filters()
            self._plain = is_plain(filters)
            for line_filter in filters:
                segments = line_filter.apply(segments, self.background_colors[1])
            self._palette = [segment.style or Style.null() for segment in segments]
        return self._palette

    # drawing -----------------------------------------------------------------------------------

    def _picture(self, scene: Scene, reel: Reel, complete: bool) -> None:
        place, history = self._place, reel.history
        end, rumor = scene.session.end, self._rumor(scene)
        now, present = place.x(scene.t), place.x(end)
        drawn = (
            place, history.next, history.since, self.choice.cone, now, present, rumor, scene.selected, complete,
            len(scene.world.deeds), self.follows,
        )  # fmt: skip
        if drawn == self._drawn:
            return
        self._drawn = drawn
        width, height = self.size
        if (width, height) != (self._canvas.width, self._canvas.height):
            self._canvas = Canvas(width, height)
        canvas, palette = self._canvas, self._colours()
        canvas.begin()
        picture = Picture(canvas, place, history, end, rumor, self.choice.cone)
        if place.gutter <= now < width:
            for y in range(place.height):
                canvas.put(now, y, picture.glyph(Mark.NOW), Mark.NOW)
        picture.draw()
        self._sight = marks_in_sight(canvas)
        draw_legend(canvas, self._sight, height - 1, bool(scene.world.rumors))
        draw_names(canvas, place, scene.selected)
        draw_axis(canvas, place, scene.session.latest.deeds, now, height - FEET)
        canvas.put(
            1, height - 2, self._words(scene, reel, complete, picture.thinned)[: width - 2], Mark.WORDS
        )
        self._strips = canvas.strips(palette, self._plain)
        self.refresh()

    def _words(self, scene: Scene, reel: Reel, complete: bool, thinned: int) -> str:
        """The line at the bottom."""
        if reel.trouble:
            return reel.trouble
        place, total, since = self._place, len(scene.world.nodes), reel.history.since
        if self.chosen is not None:
            return self.choice.words(reel.history, scene.session.growing, place.width - 2)
        rows = ""
        if self.filtered:
            rows = f"n{scene.selected} and those it talks with"
            if scene.selected is None:
                rows = "/: select a node first"
        elif len(place.nodes) < total:
            rows = f"{len(place.nodes)} of {total} nodes"
        said = (
            "" if complete else "reading",
            f"too much to show before {since:.4g} s: zoom in" if since > place.start else "",
            f"1 message in {thinned} is drawn: zoom in" if thinned > 1 else "",
            rows,
            "" if self.follows else "Esc follows time again",
            "arrows choose an event",
            "z Z zoom",
            "< > scroll",
            "s sort",
            "/ filter",
        )
        return fitting(said, " · ", place.width - 2)
