"""The timeline: the whole run in two rows, with the view's place in it. Imports world.

Above, the fraction of nodes that have heard the newest rumor of the moment, or without rumors how far the nodes agree,
as a curve of blocks; below, the seconds and a mark for every command and whatever else was notable. What lies after the view is dim, where the view stands is a bar.
"""

from bisect import bisect_right
from itertools import groupby
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from gossiplab.world.agreement import agreement, heard_times
from gossiplab.world.parts import LOST
from gossiplab.world.world import World

_BLOCKS = " ▁▂▃▄▅▆▇█"
_CURSOR, _LIVE = "┃", "╎"
_MARKS = {
    "kill": "k", "leave": "l", "rejoin": "r", "partition": "p", "cut": "c", "heal": "h", "inject": "i", "link": "~",
    "pause": "P", "resume": "R", "skew": "s", "flap": "f", "churn": "C", "calm": "=", "hold": "H", "release": "L",
    "drop": "x", "delay": ">", "duplicate": "2", "write": "w",
    "delete": "d", "read": "v", "wipe": "W", "backup": "b", "restore": "B", "corrupt": "X",
}  # fmt: skip
_SEVERAL, _CRASH, _FORK = "+", "!", "Y"
_LOST, _CONVERGED = "†", "✓"
_SPANS = (10, 15, 20, 30, 40, 60, 90)  # s; a growing timeline is so long, or ten times as long, and so on
_TICKS = (1, 2, 5)


class Second(NamedTuple):
    """A second track: the letters of the first and of this one, its latest World, its end and where they part, in s."""

    first: str
    letter: str
    world: World
    end: float
    parting: float


class Timeline(Widget, can_focus=True):
    """The whole run so far."""

    about = (
        "The whole run so far. The curve is the fraction of nodes that have heard the newest rumor; before there is one, of "
        "beliefs that are right, of neighbours that live (none is 0), of keys that are alike everywhere, or how far estimates have "
        "closed in. ! is a crash, † a node lost for another reason, and ✓ says that every node that is up knows a rumor, or "
        "that a node is down. Click, drag, or left and right look back, [ and ] go to the mark before and after, and End "
        "returns to the present: looking back holds only your view, the lab goes on. Y is where another future "
        "began: the letters on the left say which of them is above (o shows the next) and which below, c compares them. A "
        "letter is a command, + several: "
        f"{', '.join(f'{mark} {verb}' for verb, mark in _MARKS.items())}."
    )
    COMPONENT_CLASSES = {  # noqa: RUF012  # Textual reads it off the class
        "timeline--past", "timeline--future", "timeline--cursor", "timeline--axis", "timeline--mark",
    }  # fmt: skip

    class Sought(Message):
        """The user asks for the instant `t`, in seconds."""

        def __init__(self, t: float) -> None:
            super().__init__()
            self.t = t

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._world = World()
        self._t = self._end = 0.0
        self._span = 1.0
        self._drawn: tuple[object, ...] = ()
        self._curve = self._axis = self._other = ""
        self._second: Second | None = None
        self._dragging = False
        self._cursor = self._live = 0
        self._marked: frozenset[int] = frozenset()

    @property
    def column(self) -> float:
        """Seconds in one column."""
        return self._span / max(1, self._width)

    def show(
        self, world: World, t: float, end: float, growing: bool, second: Second | None = None
    ) -> None:  # fmt: skip
        """Draw a run: its latest World, the instant in view, the last instant, and whether that still moves.

        second: another future of the same run, drawn below.
        """
        self._world, self._t, self._end, self._second = world, t, end, second
        self.set_class(second is not None, "-two")
        longest = max(end, second.end) if second else end
        self._span = grown(longest) if growing else max(longest, 1e-3)
        self._lay_out()

    def render_line(self, y: int) -> Strip:
        text = (self._curve, self._axis, self._other)[y]
        segments = [
            Segment("".join(glyph for _, glyph in run), self._style(name))
            for name, run in groupby(enumerate(text), key=lambda cell: self._part(cell[0], y))
        ]
        letters = (self._second.first, " ", self._second.letter) if self._second else "   "
        return Strip(
            [Segment(letters[y], self.rich_style), *segments, Segment(" ", self.rich_style)], len(text) + 2
        )

    def _part(self, x: int, y: int) -> str:
        """What the cell in column `x` belongs to."""
        if y == 2:
            return "future"
        if x == self._cursor:
            return "cursor"
        if y == 0:
            return "past" if x < self._cursor else "future"
        return "mark" if x in self._marked else "axis"

    def _style(self, part: str) -> Style:
        return self.get_component_rich_style(f"timeline--{part}")

    # laying out --------------------------------------------------------------------------------

    @property
    def _width(self) -> int:
        return max(0, self.size.width - 2)

    def _lay_out(self) -> None:
        width, world = self._width, self._world
        self._cursor, self._live = self._x(self._t), self._x(self._end)
        known = sum(len(rumor.arrivals) + len(rumor.forgotten) for rumor in world.rumors)
        drawn = (
            width, self._span, self._cursor, self._live, known, len(world.rumors), len(world.deeds), len(world.crashes),
            len(world.moments), world.moments[-1:], len(world.converged),
            (world.series.shares or ())[-1:], (world.estimates or ())[-1:],
            self._second and self._second[:2],
        )  # fmt: skip
        if drawn == self._drawn:
            return
        self._drawn = drawn
        marks = self._marks()
        curve, axis = self._heights(world, self._end), self._ticks(marks)
        for x, glyph in marks.items():
            axis[x] = glyph
        if width:
            curve[self._live] = _LIVE
            curve[self._cursor] = _CURSOR
        self._marked = frozenset(marks)
        self._curve, self._axis = "".join(curve), "".join(axis)
        if self._second:
            other = self._heights(self._second.world, self._second.end)
            if width:
                other[self._x(self._second.end)] = _LIVE
            self._other = "".join(other)
        self.refresh()

    def _x(self, t: float) -> int:
        return max(0, min(self._width - 1, int(t / self._span * self._width)))

    def _heights(self, world: World, end: float) -> list[str]:
        """The curve of a run up to `end`: at each column, the fraction that has heard the newest rumor there was by then.

        Before there is one, how far the nodes agree.
        """
        n, last = len(world.nodes), self._x(end)
        agreed = agreement(world)
        starts = [rumor.t for rumor in world.rumors]
        arrivals = heard_times(world)
        curve = [" "] * self._width
        for x in range(min(last + 1, self._width)):
            t = min((x + 1) * self.column, end)
            newest = bisect_right(starts, t) - 1
            if newest >= 0 and n:
                know = bisect_right(arrivals[newest], t)
                curve[x] = _BLOCKS[min(8, -(-8 * know // n))]
            elif agreed and (share := agreed.at(t)) is not None:
                curve[x] = _BLOCKS[max(1, int(8 * share))]  # full only when all is right
        return curve

    def _ticks(self, marks: dict[int, str]) -> list[str]:
        """The axis: a number of seconds every so often, where no mark stands in its place."""
        width, axis = self._width, ["─"] * self._width
        step = next(
            step
            for power in range(-4, 9)
            for each in _TICKS
            if (step := each * 10.0**power) * width >= 12 * self._span or power == 8
        )
        count = 0
        while count * step <= self._span and width:
            x = self._x(count * step)
            label = f"┴{'─' * (x in marks)}{count * step:g} s"  # a mark is no digit of it
            if x + len(label) <= width and marks.keys().isdisjoint(range(x + (count > 0), x + len(label))):
                axis[x : x + len(label)] = label
            count += 1
        return axis

    def _marks(self) -> dict[int, str]:
        marks: dict[int, str] = {}
        for deed in self._world.deeds:
            self._mark(marks, deed.t, _MARKS.get(deed.command.partition(" ")[0], "?"))
        for crash in self._world.crashes:
            self._mark(marks, crash.t, _CRASH)
        said = {deed.t for deed in self._world.deeds} | {crash.t for crash in self._world.crashes}
        for moment in self._world.moments:
            if moment.what == LOST and moment.t not in said:  # else its cause has a mark already
                self._mark(marks, moment.t, _LOST)
        for t in self._world.converged:
            self._mark(marks, t, _CONVERGED)
        if self._second and self._width:
            marks[self._x(self._second.parting)] = _FORK
        return marks

    def _mark(self, marks: dict[int, str], t: float, glyph: str) -> None:
        x = self._x(t)
        if self._width:
            marks[x] = glyph if marks.get(x, glyph) == glyph else _SEVERAL

    # the mouse ---------------------------------------------------------------------------------

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._dragging = True
        self.capture_mouse()
        self._seek(event.x)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging:
            self._seek(event.x)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self._dragging = False
        self.release_mouse()

    def _seek(self, x: int) -> None:
        """Look at what lies under column `x`; at the end when that is the last column or beyond."""
        x = max(0, x - 1)
        self.post_message(self.Sought(self._end if x >= self._live else (x + 0.5) * self.column))


def grown(end: float) -> float:
    """The length of a timeline that ends at `end` and grows: longer, and changing only now and then."""
    scale = 1.0
    while end >= _SPANS[-1] * scale:
        scale *= 10
    return next(span * scale for span in _SPANS if span * scale > end)
