"""The menu beside a message: what can be done to it while the lab stands still. Imports inspect and kinds.

Every choice but the first becomes a command, as if somebody had typed it.
"""

from typing import ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Offset, Size
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from gossiplab.events import Sent
from gossiplab.text import visible
from gossiplab.tui.inspect import arrival
from gossiplab.tui.kinds import kind_word
from gossiplab.tui.options import Options
from gossiplab.world.world import World

Deed = Literal["inspect", "drop", "delay", "duplicate"]

_DEEDS: dict[Deed, tuple[str, str]] = {
    "inspect": ("i", "what is in it"),
    "drop": ("x", "it never arrives"),
    "delay": ("w", "it arrives later"),
    "duplicate": ("c", "it arrives twice"),
}
_MOST_BODY = 2000  # bytes that are shown
WIDTH, HEIGHT = 34, len(_DEEDS) + 2


class MessageMenu(Options):
    """What can be done to one message. id of the message: `about`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key, f"do('{deed}')", doc, show=False) for deed, (key, doc) in _DEEDS.items()),
        Binding("escape", "close", "Close", show=False),
    ]

    class Chosen(Message):
        """A person wants something done to a message."""

        def __init__(self, deed: Deed, about: int) -> None:
            super().__init__()
            self.deed: Deed = deed
            self.about = about

    class Closed(Message):
        """A person wants nothing done."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(
            *(
                Option(Content.assemble((key, "bold"), f" {deed:<9} {doc}"), id=deed)
                for deed, (key, doc) in _DEEDS.items()
            ),
            id=id,
            compact=True,
        )
        self.about = -1

    def open(self, world: World, t: float, message: Sent, at: Offset, within: Size) -> None:
        """Offer what can be done to a message at the instant `t`, beside the cell `at` of a screen."""
        self.about = message.id
        self.border_title = Content(
            f"m{message.id} {kind_word(message.kind)} n{message.src} to n{message.dst}"
        )
        self.border_subtitle = Content(arrival(world, t, message))
        left = at.x + 3 if at.x + 3 + WIDTH <= within.width else max(0, at.x - 2 - WIDTH)
        top = min(max(0, at.y - HEIGHT // 2), max(0, within.height - HEIGHT))
        self.offset = Offset(left, top)
        self.highlighted = 0
        self.display = True
        self.screen.set_focus(self)

    def action_do(self, deed: Deed) -> None:
        self.post_message(self.Chosen(deed, self.about))

    def action_close(self) -> None:
        self.post_message(self.Closed())

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        for deed in _DEEDS:
            if deed == event.option_id:
                self.post_message(self.Chosen(deed, self.about))


def describe(world: World, t: float, message: Sent) -> str:
    """What is in a message, and where it is at the instant `t`, in lines."""
    rumors = ", ".join(map(str, message.carries))
    return "\n".join(
        (
            f"{kind_word(message.kind)} from n{message.src} to n{message.dst}, {message.size:,} bytes",
            f"sent at {message.t:.3f} s, {arrival(world, t, message)}",
            f"carries {'rumor ' + rumors if rumors else 'no rumor'}",
            visible(bytes(memoryview(message.body)[:_MOST_BODY]).decode(errors="replace"), _MOST_BODY),
        )
    )
