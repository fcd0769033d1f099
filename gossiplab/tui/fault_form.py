"""The form for faults: every command there is, what it would do now, and a line to write it. Imports outlook.

What is written goes to the lab screen as text, as it does from the palette: one reader, one way to act.
"""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Key, Paste
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from gossiplab.commands import VERBS
from gossiplab.text import visible
from gossiplab.tui.modal import Modal
from gossiplab.tui.options import Options
from gossiplab.tui.outlook import Target, begun, outlook, why_not
from gossiplab.tui.session import Session

_LOOK = 0.5  # s of real time between two looks at a lab that goes on meanwhile
_LONGEST = 300  # characters of a reason


class FaultForm(Modal[str | None]):
    """Choose a fault and write it to its end. Gives the command's text, or None.

    session: asked again and again, since another future may take the place of the one that was shown.
    target: whom a command is begun with.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back to the list, or close"),
    ]

    def __init__(self, session: Callable[[], Session], target: Target) -> None:
        super().__init__()
        self._session = session
        self._target = target
        self._whys: list[str | None] = []

    def compose(self) -> ComposeResult:
        self._whys = self._judge()
        with Vertical(classes="dialog"):
            yield Static(Content("Faults"), classes="title")
            yield Options(
                *(Option(entry(verb, why), id=verb) for verb, why in zip(VERBS, self._whys, strict=True)),
                id="faults",
            )
            yield Input(
                placeholder="choose one, or write a command such as kill n0-n3",
                id="fault",
                compact=True,
                select_on_focus=False,
            )
            yield Static(id="outlook")
            with Horizontal(id="buttons"):
                yield Button("Do it", id="do", variant="primary", compact=True)
                yield Static(Content("  Enter chooses, then does it; tab goes on, Esc goes back."))

    def on_mount(self) -> None:
        self.set_interval(_LOOK, self._look)

    def on_key(self, event: Key) -> None:
        """Part of Widget: what is typed beside the line is meant for it."""
        if event.is_printable and event.character:
            event.stop()
            self._type(event.character)

    def on_paste(self, event: Paste) -> None:
        """Part of Widget: so is what is pasted there."""
        if self.focused is not self.query_one(Input) and event.text:
            event.stop()
            self._type(event.text.splitlines()[0])

    def _type(self, text: str) -> None:
        line = self.query_one(Input)
        self.set_focus(line)
        line.insert_text_at_cursor(text)

    @on(OptionList.OptionSelected)
    def _choose(self, event: OptionList.OptionSelected) -> None:
        line = self.query_one(Input)
        line.value = begun(str(event.option_id), self._target)
        self.set_focus(line)
        line.action_end()  # after the focus, which selects all of it

    @on(Input.Changed)
    def _changed(self) -> None:
        self._foresee()

    @on(Input.Submitted)
    @on(Button.Pressed)
    def _do(self) -> None:
        """Do what is written, unless nothing would come of it; that is said already."""
        text = self._text
        if text and outlook(text, self._session()).how == "does":
            self.dismiss(text)
        else:
            self._foresee()

    def action_back(self) -> None:
        """From the line to the list, and from there to the lab."""
        faults = self.query_one(OptionList)
        if self.focused is faults:
            self.dismiss(None)
        else:
            self.set_focus(faults)

    @property
    def _text(self) -> str:
        return self.query_one(Input).value.strip()

    def _look(self) -> None:
        """The lab goes on: what would change something a moment ago may not any more."""
        whys = self._judge()
        for index, (verb, before, why) in enumerate(zip(VERBS, self._whys, whys, strict=True)):
            if before != why:
                self.query_one(OptionList).replace_option_prompt_at_index(index, entry(verb, why))
        self._whys = whys
        self._foresee()

    def _judge(self) -> list[str | None]:
        session = self._session()
        return [why_not(verb, session, self._target) for verb in VERBS]

    def _foresee(self) -> None:
        """Say below the line what would come of it."""
        text, said = self._text, self.query_one("#outlook", Static)
        if text in VERBS and begun(text, Target()) != text:
            # only begun: how it goes on helps more than that it is not whole
            how, sentence = "does", f"go on as in {VERBS[text][0].usage}."
        else:
            how, sentence = outlook(text, self._session()) if text else ("does", "")
        said.set_class(how == "wrong", "-wrong")
        said.set_class(how == "idle", "-idle")
        said.update(Content(f"{_SIGNS[how]} {sentence}" if sentence else ""))


_SIGNS = {"does": "→", "idle": "○", "wrong": "✗"}


def entry(verb: str, why: str | None) -> Content:
    """A command in a list: how it is written, and below it what it does, or why it would change nothing now."""
    kind = VERBS[verb][0]
    rest = kind.usage.removeprefix(verb)
    if why is None:
        return Content.assemble((verb, "bold"), rest, "\n  ", (kind.doc, "$text-muted"))
    return idle(Content(f"{verb}{rest}"), why)


def idle(name: Content, why: str) -> Content:
    """What would change nothing now, in a list: grey, and why."""
    return Content.assemble(name, "\n  ○ ", visible(why, _LONGEST)).stylize("dim")
