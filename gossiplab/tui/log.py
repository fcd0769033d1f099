"""The log: one line an event, filtered as you type. Imports chronicle, search, filter and saying.

A list that is never whole: it reads the events that are on the screen, by their numbers, from the recording, and
with a filter it shows what a search has found so far. The newest line is at the bottom as long as nobody scrolls;
while a person looks back, the line of the instant in view stands in the middle, and later ones are dim.
"""

import math
from bisect import bisect_right
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, Static

from gossiplab.errors import GossiplabError, UserError
from gossiplab.events import (
    Commanded,
    Crashed,
    Departed,
    Dropped,
    Ended,
    Event,
    Injected,
    Killed,
    Learned,
    Rejoined,
    Sent,
)
from gossiplab.text import visible
from gossiplab.tui.chronicle import Chronicle, Entry
from gossiplab.tui.filter import USAGE, parse_filter
from gossiplab.tui.search import Search
from gossiplab.tui.view import Scene, View
from gossiplab.world.saying import KINDS, say_event

_SLICE = 0.006  # s of a frame for reading, and for searching while time passes
_LONG_SLICE = 0.020  # s of a frame for searching while it does not
_SIGNS: dict[type[Event], tuple[str, str]] = {  # a shape for what is worth a look, beside its colour
    Dropped: ("×", "bad"), Crashed: ("‼", "bad"), Killed: ("†", "bad"), Departed: ("◌", "bad"), Learned: ("★", "good"),
    Injected: ("●", "good"), Rejoined: ("○", "good"), Commanded: ("◈", "deed"), Ended: ("■", "deed"), Sent: ("→", "line"),
}  # fmt: skip


class Lines(Widget):
    """The lines of the log that are on the screen."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "lines--line", "lines--bad", "lines--good", "lines--deed", "lines--time", "lines--later", "lines--cursor",
    }  # fmt: skip
    DEFAULT_CSS = """
    Lines {
        height: 1fr;
        & > .lines--line { color: $foreground 80%; }
        & > .lines--bad { color: $text-error; text-style: bold; }
        & > .lines--good { color: $text-warning; text-style: bold; }
        & > .lines--deed { color: $text-accent; text-style: bold; }
        & > .lines--time { color: $foreground 70%; }
        & > .lines--later { color: $foreground 40%; }
        & > .lines--cursor { text-style: bold reverse; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[list[Entry], int | None, float] = ([], None, 0.0)
        self._places = 3

    def draw(self, entries: list[Entry], cursor: int | None, t: float, end: float) -> None:
        """Show entries; `cursor` is the number of the chosen event, `t` the instant in view, `end` the last one."""
        shown = entries, cursor, t
        if shown != self._shown:
            self._shown, self._places = shown, len(f"{end:.3f}")
            self.refresh()

    def number_at(self, y: int) -> int | None:
        """The number of the event in row `y`."""
        entries = self._shown[0]
        return entries[y].number if 0 <= y < len(entries) else None

    def render_line(self, y: int) -> Strip:
        entries, cursor, t = self._shown
        if not 0 <= y < len(entries):
            return Strip.blank(self.size.width, self.rich_style)
        _, event, message = entries[y]
        glyph, name = _SIGNS.get(event.__class__, (" ", "line"))
        text = f"{glyph} {say_event(event, message)}"
        time = f" {event.t:{self._places}.3f} s  "
        if entries[y].number == cursor:
            segments = [Segment(f"{time}{text}".ljust(self.size.width), self._style("cursor"))]
        elif event.t > t:
            segments = [Segment(f"{time}{text}", self._style("later"))]
        else:
            segments = [Segment(time, self._style("time")), Segment(text, self._style(name))]
        return Strip(segments).adjust_cell_length(self.size.width, self.rich_style)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"lines--{name}")


class Log(View):
    """The events, one a line."""

    title = "log"
    about = (
        "One line for each event, the newest at the bottom. Up, down, page up and page down choose a line, and Enter "
        "goes to its instant; End follows the newest again. / filters: write words that the text shall have, or "
        "node:n7 (or n0-n9), from:n1, to:n2, kind:dropped (or dropped,learned), type:push, rumor:0, message:12, "
        "t>3, t<=4.5, with a minus before what you do not want. All of them have to hold. The kinds are "
        f"{', '.join(KINDS.values())}."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "first", show=False),
        Binding("end", "newest", show=False),
        Binding("enter", "jump", show=False),
        Binding("slash", "filter", show=False),
    ]
    DEFAULT_CSS = """
    Log {
        layout: vertical;
        & Input { height: 1; border: none; padding: 0 1; background: $surface; }
        & Input:focus { border: none; background: $boost; }
        & Static { height: 1; padding: 0 1; color: $text-muted; }
        & Static.-wrong { color: $text-error; text-style: bold; }
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._lines = Lines()
        self._field = Input(placeholder=f"/ filters, such as  {USAGE}", compact=True, select_on_focus=False)
        self._state = Static(Content())
        self._scene: Scene | None = None
        self._chronicle: Chronicle | None = None
        self._search: Search | None = None
        self._cursor: int | None = (
            None  # the number of the chosen event; None: none, the log follows the view
        )
        self._wrong = ""
        self._said = ""

    def compose(self) -> ComposeResult:
        yield self._field
        yield self._lines
        yield self._state

    def show(self, scene: Scene) -> None:
        if self._chronicle is None or (self._scene and self._scene.session is not scene.session):
            self._chronicle, self._cursor = Chronicle(scene.session), None
            self._scene = scene
            self._refilter(self._field.value)
        self._scene = scene
        if scene.words or self._searching:
            self._draw(self._chronicle)

    @property
    def _searching(self) -> bool:
        return self._search is not None and not self._search.done

    # drawing -----------------------------------------------------------------------------------

    def _draw(self, chronicle: Chronicle) -> None:
        scene = self._scene
        if scene is None or not self._lines.size.height:
            return
        try:
            if self._search:
                self._search.step(_SLICE if scene.session.running else _LONG_SLICE)
            entries = self._window(chronicle)
        except GossiplabError as error:
            self._say(str(error), wrong=True)
            return
        self._lines.draw(entries, self._cursor, scene.t, scene.session.end)
        self._tell(chronicle)

    def _tell(self, chronicle: Chronicle) -> None:
        search = self._search
        if self._wrong:
            self._say(self._wrong, wrong=True)
        elif search is None:
            self._say(f"{chronicle.length:,} events")
        else:
            found = f"{len(search.matches):,} of {chronicle.length:,} events"
            self._say(found if search.done else f"{found}, {100 * search.progress:.0f} % searched ...")

    def _say(self, text: str, wrong: bool = False) -> None:
        if text != self._said:
            self._said = text
            self._state.set_class(wrong, "-wrong")
            self._state.update(Content(visible(text, 300)))

    def _count(self) -> int:
        """How many lines there are."""
        assert self._chronicle
        return len(self._search.matches) if self._search else self._chronicle.length

    def _place(self, number: int) -> int:
        """The line of an event, or the last one before it; -1 when there is none."""
        return bisect_right(self._search.matches, number) - 1 if self._search else number

    def _number(self, place: int) -> int:
        """The number of the event in a line."""
        return self._search.matches[place] if self._search else place

    def _window(self, chronicle: Chronicle) -> list[Entry]:
        """The entries to show."""
        scene, height, count = self._scene, self._lines.size.height, self._count()
        assert scene
        now = self._place(scene.world.events - 1)
        if self._cursor is not None:
            middle = self._place(self._cursor)
        elif scene.world.events >= chronicle.length:
            middle = count  # the newest at the bottom
        else:
            middle = now
        start = max(0, min(middle - height // 2, count - height))
        stop = min(count, start + height)
        search = self._search
        if search is None:
            return chronicle.entries(start, stop, _SLICE)
        numbers = search.matches[start:stop]
        missing = [number for number in numbers if number not in search.entries]
        if missing and missing[-1] - missing[0] < chronicle.length_of_segment:
            read = {each.number: each for each in chronicle.entries(missing[0], missing[-1] + 1, _SLICE)}
        else:
            read = {
                number: each for number in missing for each in chronicle.entries(number, number + 1, _SLICE)
            }
        return [search.entries.get(number) or read[number] for number in numbers]

    # what a person does ------------------------------------------------------------------------

    def action_move(self, lines: int) -> None:
        if self._chronicle is None or self._scene is None or not (count := self._count()):
            return
        chosen = self._scene.world.events - 1 if self._cursor is None else self._cursor
        place = self._place(chosen)
        if self._cursor is not None or lines < 0:
            place += lines
        self._cursor = self._number(max(0, min(place, count - 1)))
        self._draw(self._chronicle)

    def action_page(self, pages: int) -> None:
        self.action_move(pages * max(1, self._lines.size.height - 1))

    def action_first(self) -> None:
        if self._chronicle is not None and self._count():
            self._cursor = self._number(0)
            self._draw(self._chronicle)

    def action_newest(self) -> None:
        """Follow the newest line again, in the present."""
        self._cursor = None
        self.post_message(self.Sought(math.inf))

    def action_jump(self) -> None:
        if self._chronicle is not None and self._cursor is not None:
            (entry,) = self._chronicle.entries(self._cursor, self._cursor + 1, _SLICE)
            self.post_message(self.Sought(entry.event.t))

    def action_filter(self) -> None:
        self.screen.set_focus(self._field)  # at once: what is typed next is meant for it

    def on_click(self, event: events.Click) -> None:
        """Choose a line; a second click goes there."""
        at = event.get_content_offset(self._lines)
        if at is None or self._chronicle is None:
            return
        number = self._lines.number_at(at.y)
        if number is not None:
            again, self._cursor = number == self._cursor, number
            if again:
                self.action_jump()
            self._draw(self._chronicle)

    def on_mouse_scroll_up(self) -> None:
        self.action_move(-3)

    def on_mouse_scroll_down(self) -> None:
        self.action_move(3)

    def on_key(self, event: events.Key) -> None:
        """Leave the filter with Esc or Enter, and what it found stays."""
        if self._field.has_focus and event.key in ("escape", "enter", "down"):
            event.stop()
            event.prevent_default()
            self.screen.set_focus(self)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._refilter(event.value)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.screen.set_focus(self)

    def _refilter(self, text: str) -> None:
        """Search for what a filter asks for, as far as it can be understood."""
        if self._scene is None or self._chronicle is None:
            return
        try:
            test = parse_filter(text, self._scene.session.header.experiment.nodes)
        except UserError as error:
            self._wrong = str(error)
        else:
            self._wrong = ""
            self._search = Search(self._chronicle, test) if test else None
        self._draw(self._chronicle)
