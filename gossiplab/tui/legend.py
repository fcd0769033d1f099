"""The legend: what is in sight on the stage, in two lines under it. Imports stage and keys.

Types of messages are muted here: with a click, or with the arrows and space while the legend has the focus.
"""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from gossiplab.tui.stage import Entry, Stage
from gossiplab.tui.symbols import Role

_HINT = Entry("", "first of a pair: with the rumor", Role.LABEL)


class Legend(Widget, can_focus=True):
    """What the signs in sight mean.

    entries: what is in sight. current: the type of message that the keys act on, while the legend has the focus.
    """

    about = (
        "What is in sight on the stage. Left and right choose a type of message, space mutes it or lets it be seen "
        "again, and so does a click; y or Esc goes back to the stage. What is muted is not drawn and goes on all the same."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "The type before", show=False),
        Binding("right", "move(1)", "The next type", show=False),
        Binding("space,enter", "mute", "Mute it, or show it again", show=False),
    ]

    entries: reactive[tuple[Entry, ...]] = reactive(tuple[Entry, ...]())
    current: reactive[str] = reactive("")

    class Muted(Message):
        """A person wants a type of message muted, or to see it again."""

        def __init__(self, kind: str) -> None:
            super().__init__()
            self.kind = kind

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._stage: Stage | None = None

    def show(self, stage: Stage) -> None:
        """Say what is in sight on a stage."""
        self._stage = stage
        self.entries = tuple(stage.legend())

    def notify_style_update(self) -> None:
        """Part of Widget: the theme or the stylesheet changed."""
        super().notify_style_update()
        self.call_later(self.refresh)

    def render(self) -> Content:
        width = self.size.width
        first = [entry for entry in self.entries if not entry.kind]
        second = [entry for entry in self.entries if entry.kind]
        spilled: list[Entry] = []
        while len(first) > 1 and self._width(first) > width:
            spilled.insert(0, first.pop())
        hint = [_HINT] if any(len(entry.glyph) > 1 for entry in second) else []
        bare = [entry._replace(number=None) for entry in (*spilled, *second)]
        choices = ([*spilled, *second, *hint], [*spilled, *second], bare)
        last = next((each for each in choices if self._width(each) <= width), bare)
        return Content("\n").join([self._line(first), self._line(last)])

    def _line(self, entries: list[Entry]) -> Content:
        return Content("  ").join([self._text(entry) for entry in entries])

    def _width(self, entries: list[Entry]) -> int:
        return self._line(entries).cell_length

    def _text(self, entry: Entry) -> Content:
        style = Style.from_rich_style(self._stage.style_of(entry.role)) if self._stage else Style()
        words = entry.word if entry.number is None else f"{entry.word} {entry.number:,}"
        if entry.muted:
            text = Content.styled(f"({entry.glyph} {words}, muted)", "dim")
        elif entry.glyph:
            text = Content.assemble((entry.glyph, style), f" {words}")
        else:
            text = Content.styled(f"({words})", "dim")
        if entry.kind:
            if self.has_focus and entry.kind == self.current:
                text = Content.styled(f"[{text.plain}]", "bold reverse")
            text = text.stylize(Style.from_meta({"mute": entry.kind}))
        return text

    # choosing ----------------------------------------------------------------------------------

    @property
    def kinds(self) -> list[str]:
        """The types of messages in sight, and those that are muted."""
        return [entry.kind for entry in self.entries if entry.kind]

    def on_focus(self) -> None:
        if self.kinds and self.current not in self.kinds:
            self.current = self.kinds[0]

    def on_click(self, event: events.Click) -> None:
        if kind := event.style.meta.get("mute"):
            self.post_message(self.Muted(kind))

    def action_move(self, step: int) -> None:
        kinds = self.kinds
        if kinds:
            place = kinds.index(self.current) if self.current in kinds else -step
            self.current = kinds[(place + step) % len(kinds)]

    def action_mute(self) -> None:
        if self.current in self.kinds:
            self.post_message(self.Muted(self.current))
