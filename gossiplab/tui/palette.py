"""The command palette: keys by their names, and commands as they are written everywhere else.

Imports commands, keys and outlook. What is chosen or typed goes to the lab screen as a message.
"""

import re
from functools import partial
from typing import Any, Protocol

from textual import on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.command import Command, CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.message import Message
from textual.message_pump import MessagePump
from textual.widgets import Input, OptionList

from gossiplab.commands import VERBS
from gossiplab.text import visible
from gossiplab.tui.fault_form import entry, idle
from gossiplab.tui.keys import Stroke, strokes
from gossiplab.tui.options import Options
from gossiplab.tui.outlook import Target, outlook, why_not
from gossiplab.tui.session import Session


class Typed(Message):
    """The user has written a command such as "kill n0-n3"; nobody has looked yet whether it is one."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Unfinished:
    """What stands behind a hit that only says how a command is written: choosing it begins the command."""

    def __init__(self, verb: str) -> None:
        self.verb = verb

    def __call__(self) -> None:
        """Do nothing: the palette puts the verb into its input instead."""


class _Lab(Protocol):
    """What the palette has to know of the screen it lies over."""

    @property
    def session(self) -> Session: ...

    @property
    def target(self) -> Target: ...

    def why_not(self, action: str) -> str | None: ...


class LabCommands(Provider):
    """How each command is written, and every key."""

    async def discover(self) -> Hits:
        for verb, (kind, _) in VERBS.items():
            yield DiscoveryHit(self._shown(verb), Unfinished(verb), kind.usage)
        for stroke in _named():
            yield DiscoveryHit(self._key(stroke), self._press(stroke), _name(stroke))

    async def search(self, query: str) -> Hits:
        if verb := _verb(query):
            kind, _ = VERBS[verb]
            how, sentence = outlook(query, self._lab.session)
            # what is not written to its end is not wrong yet, unless it will be however it ends
            why = why_not(verb, self._lab.session, Target()) if how == "wrong" else None
            said = (why or kind.doc) if how == "wrong" else sentence
            grey = how == "idle" or why is not None
            shown = Content.assemble(visible(query), "\n  ", (said, "" if grey else "$text-muted"))
            if grey:
                shown = shown.stylize("dim")
            yield Hit(1.0, shown, partial(self._type, query), visible(query))
            # as plain content: a usage has brackets, which are not markup
            if query != kind.usage:
                yield Hit(0.99, Content(f"{kind.usage}"), Unfinished(verb), kind.usage)
            return
        matcher = self.matcher(query)
        for verb, (kind, _) in VERBS.items():
            # a long sentence has the letters of nearly every word somewhere: it counts less than a name
            if score := matcher.match(verb) or matcher.match(f"{kind.usage} {kind.doc}") / 4:
                yield Hit(score, self._shown(verb), Unfinished(verb), kind.usage)
        for stroke in _named():
            if score := matcher.match(_name(stroke)):
                yield Hit(score / 2, self._key(stroke), self._press(stroke), _name(stroke))

    @property
    def _lab(self) -> "_Lab":
        screen: Any = self.screen  # the one that this palette was opened over
        return screen

    def _shown(self, verb: str) -> Content:
        return entry(verb, why_not(verb, self._lab.session, self._lab.target))

    def _key(self, stroke: Stroke) -> Content:
        """A key by its name; below it, if it would change nothing now, why."""
        why = self._lab.why_not(stroke.action)
        name = Content(_name(stroke))
        return name if why is None else idle(name, why)

    def _press(self, stroke: Stroke) -> "partial[object]":
        return partial(self.screen.run_action, stroke.action)

    def _type(self, text: str) -> None:
        self.screen.post_message(Typed(text))


class _Commands(CommandList, Options):
    """The palette's list. In this order: stylesheets know a widget by the first of its bases."""


class Palette(CommandPalette):
    """Textual's palette, in which a command that was typed to its end is run as it stands.

    Its search takes a moment: without this, a quick Enter would run what was typed a letter ago.
    """

    def __init__(self, screen: MessagePump, text: str = "") -> None:
        """`text`: what stands in its input at the beginning."""
        super().__init__(
            placeholder="a command, such as kill n0-n3, or what you are looking for", id="palette"
        )
        self._lab_screen = screen
        self._text = text

    def compose(self) -> ComposeResult:
        for widget in super().compose():
            yield _Commands() if isinstance(widget, CommandList) else widget

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Part of Screen; see `Modal`."""
        return super().dismiss(result) if self.is_active else AwaitComplete.nothing()

    def on_mount(self) -> None:
        if self._text:
            field = self.query_one(Input)
            field.value = self._text
            field.action_end()

    @on(Input.Submitted)
    def _run_typed(self, event: Input.Submitted) -> None:
        text = event.value.strip()
        highlighted = self.query_one(OptionList).highlighted
        if _verb(text) and highlighted in (None, 0):
            event.stop()
            event.prevent_default()
            self.dismiss()
            self._lab_screen.post_message(Typed(text))

    @on(OptionList.OptionSelected)
    def _begin(self, event: OptionList.OptionSelected) -> None:
        if isinstance(event.option, Command) and isinstance(event.option.hit.command, Unfinished):
            event.stop()
            event.prevent_default()
            field = self.query_one(Input)
            field.value = f"{event.option.hit.command.verb} "
            field.action_end()


def _verb(text: str) -> str | None:
    """The command that a text begins with, if it begins with one."""
    words = text.split(maxsplit=1)
    return words[0] if words and words[0] in VERBS else None


def _named() -> tuple[Stroke, ...]:
    """The keys that are worth finding by name."""
    return tuple(each for each in strokes() if not each.action.startswith(("arrow", "app.command_palette")))


def _name(stroke: Stroke) -> str:
    """What a key's sentence begins with, and the key: "Kill (k)"."""
    return f"{re.split('[:.,;]', stroke.doc)[0]} ({stroke.cap})"
