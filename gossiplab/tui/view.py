"""A view: one way to look at a run. Imports session and world.

The lab screen shows one view at a time and hands it a Scene whenever there is something new to draw; keys
that a view binds itself come before the screen's. A view draws the Scene's World. Where that is not enough,
as in a diagram of what happened, it reads events through the session, which takes them from the recording.
"""

from typing import ClassVar, NamedTuple

from textual.message import Message
from textual.widget import Widget

from gossiplab.tui.selection import Selection
from gossiplab.tui.session import Session
from gossiplab.world.world import World


class Scene(NamedTuple):
    """What there is to draw: a World, the instant `t` in seconds, and the nodes a person has selected and marked.

    words: whether figures and words may change, which happens ten times a second and not thirty.
    picked: the node, link or message whose details are shown, which is `selected` unless somebody picked another.
    """

    session: Session
    world: World
    t: float
    selected: int | None
    marked: frozenset[int]
    words: bool
    picked: Selection | None = None


class Sign(NamedTuple):
    """A glyph, the component class of the view that gives it its colour, and what it means."""

    glyph: str
    component: str
    meaning: str


class View(Widget, can_focus=True):
    """One way to look at a run.

    title: one word for it. about: sentences that explain it to somebody who sees it for the first time.
    """

    title: ClassVar[str] = ""
    about: ClassVar[str] = ""

    class Selected(Message):
        """A person chose a node."""

        def __init__(self, node: int) -> None:
            super().__init__()
            self.node = node

    class Picked(Message):
        """A person wants to see the details of a node, a link or a message; None: of none of them."""

        def __init__(self, picked: Selection | None) -> None:
            super().__init__()
            self.picked = picked

    class Sought(Message):
        """A person asks for the instant `t`, in seconds."""

        def __init__(self, t: float) -> None:
            super().__init__()
            self.t = t

    class Acted(Message):
        """A person gives commands, as they are written, all at the instant in view."""

        def __init__(self, *commands: str) -> None:
            super().__init__()
            self.commands = commands

    def show(self, scene: Scene) -> None:
        """Draw a Scene. Called only while the view is on the screen."""
        raise NotImplementedError

    def signs(self) -> tuple[Sign, ...]:
        """All signs with what they mean, for the panel."""
        return ()
