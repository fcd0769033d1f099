"""The app: opens a session on the screen, and leaves terminal and recording sane however it ends.

Textual 8.2 restores the terminal when its app exits, but not when SIGTERM, SIGHUP or SIGINT kills the
process, so each of them becomes an exit with its own code. After an exception it prints a page of
traceback and returns 0; here that is one sentence and 1. Imports the screens, the sessions and library.
"""

import asyncio
import gc
import os
import shutil
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, ClassVar, TextIO, cast

from rich.text import Text
from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.message_pump import MessagePump
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

from gossiplab.browser import in_browser
from gossiplab.errors import GossiplabError, StorageError, UserError
from gossiplab.events import Header
from gossiplab.library import (
    default_path,
    experiment_files,
    own_recordings,
    preview_experiment,
    preview_recording,
    recording_files,
)
from gossiplab.protocol import Protocol
from gossiplab.text import visible
from gossiplab.tui.ascii import AsciiFilter
from gossiplab.tui.chooser import Chooser
from gossiplab.tui.editor import edit
from gossiplab.tui.fault_form import FaultForm
from gossiplab.tui.help_screen import HelpScreen
from gossiplab.tui.home import Home
from gossiplab.tui.lab_screen import LEAST_HEIGHT, LEAST_WIDTH, LabScreen
from gossiplab.tui.lasting import Lasting
from gossiplab.tui.legible import legible
from gossiplab.tui.live import LiveLab, lab_of
from gossiplab.tui.new_lab import NewLab
from gossiplab.tui.palette import Palette
from gossiplab.tui.run_name import RunName
from gossiplab.tui.session import Replay, Session
from gossiplab.tui.tracks import Tracks
from gossiplab.tui.unstyled import Unstyled
from gossiplab.tui.write_form import WriteForm

_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_SWITCH = 0.001  # s; Python's own is 5 ms
# New objects between two looks for garbage, 700 by default: what a picture is made of is garbage with the next one, and
# must not grow old before; a look through all that has grown old holds the screen for 20 ms.
_YOUNG = 5000
_LONGEST_KEY = 0.5  # s of real time for which the next key waits at most
_PATIENCE = (
    5.0  # s of real time for a clean exit after a signal: a terminal that is gone may never let us finish
)


def open_lab(
    header: Header,
    protocol: type[Protocol],
    record: Path | None = None,
    at_home: bool = False,
    *,
    plain: bool = False,
) -> int:
    """Run a lab on the screen until the user leaves. Returns the exit code.

    record: the file to record to, a fresh one in the user's folder if None. at_home: with home beside it.
    plain: draw with ASCII only. Raises UserError without a terminal, StorageError when the file cannot be written.
    """
    _need_terminal()
    session = LiveLab(header, protocol, record or default_path(header.experiment.protocol))
    app = GossipApp(session, at_home, plain)
    code = _run(app)
    if code != 1:
        _say_where(app.tracks)
    return code


def open_replay(path: Path, protocol: type[Protocol] | None = None, *, plain: bool = False) -> int:
    """Show a recording on the screen until the user leaves. Returns the exit code.

    protocol: what it ran, if that is no built-in one. plain: draw with ASCII only. Raises UserError without a terminal, RecordingError when the file cannot be used.
    """
    _need_terminal()
    app = GossipApp(Replay(path, protocol=protocol), plain=plain)
    code = _run(app)
    if code != 1 and len(app.tracks.all) > 1:
        _say_where(app.tracks)
    return code


class GossipApp(App[None]):
    """The lab in a terminal."""

    TITLE = "gossiplab"
    CSS_PATH = "gossiplab.tcss"
    ALLOW_SELECT = False  # dragging moves through time; it does not mark text
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", "Quit", show=False, priority=True),
    ]

    def __init__(self, session: Session, at_home: bool = False, plain: bool = False) -> None:
        """`at_home`: with home beside it. `plain`: draw with ASCII only."""
        # without colours Textual shades in grey, but leaves an ansi theme black on black
        no_color = "NO_COLOR" in os.environ
        super().__init__(ansi_color=False if no_color else None)
        if no_color and self.current_theme.ansi:
            self.theme = "textual-dark"
        self.tracks = Tracks(session)
        self._at_home = at_home
        self._plain = AsciiFilter(enabled=plain)
        self.code: int | None = None
        self._keys: deque[events.Key | events.Paste] = deque()  # the first of them is being dealt with
        self._pressed = 0.0  # since when

    def get_css_variables(self) -> dict[str, str]:
        """Part of App: the colours of the theme, which Textual keeps: it is to keep what is read from here."""
        variables = super().get_css_variables()
        if not self.current_theme.ansi:
            variables |= legible(variables)
        return variables

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Part of App: what every widget's lines go through."""
        before = [Unstyled()] if "NO_COLOR" in os.environ else []
        return [*before, *super().get_line_filters(), *([self._plain] if self._plain.enabled else ())]

    async def on_event(self, event: events.Event) -> None:
        """Part of App: a key or a click is answered before the lab goes on, and a key before the next one.

        Textual hands keys on as fast as they come. What is typed at once after a key that opens or focuses something
        would still act where that key was pressed: `:kill n3` would kill what is selected.
        """
        if isinstance(event, events.InputEvent) and not isinstance(event, events.MouseMove):
            self.session.give_way()
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        late = bool(self._keys) and perf_counter() > self._pressed + _LONGEST_KEY
        if late:
            self._keys.popleft()  # what it does takes its time
        self._keys.append(event)
        if late or len(self._keys) == 1:
            await self._press()

    async def _press(self) -> None:
        """Hand on the first of the keys that wait. It goes to what has the focus, from there outwards, and comes back here.

        What comes of it may take the same way: a field says what it holds, its dialog has a list say what is chosen.
        """
        key, screen, target = self._keys[0], self.screen, self.focused or self.screen
        self._pressed = perf_counter()
        await super().on_event(key)
        way = [*(each for each in target.ancestors_with_self if isinstance(each, Widget)), self]
        await _after(way * 3, partial(self._answered, key, screen))

    async def _answered(self, key: "events.Key | events.Paste", screen: Screen[Any]) -> None:
        """A key that was pressed on a screen has been dealt with: it is the next one's turn."""
        if self.screen is not screen:  # once what it has opened is there, and has its focus
            await _after([self.screen, self], partial(self._answered, key, self.screen))
        elif self._keys and self._keys[0] is key:
            self._keys.popleft()
            if self._keys:
                await self._press()

    @property
    def session(self) -> Session:
        """The run that is shown."""
        return self.tracks.session

    def on_mount(self) -> None:
        self.push_screen(LabScreen(self.tracks, self._fail))
        self.session.start(self._fail)
        if self._at_home:
            self.action_home()

    async def on_unmount(self) -> None:
        await self.close()

    async def close(self) -> None:
        """End the session. May be called twice."""
        try:
            await self.tracks.close()
        except StorageError as error:
            self.code = 1
            self._exit_renderables.append(_sentence(error, self.session.path))

    def leave(self, code: int) -> None:
        """End the lab at this instant and exit."""
        if self.code is None:
            self.code = code
            self.session.stop()
            self.exit(return_code=code)

    async def action_quit(self) -> None:
        self.leave(0)

    def leave_on(self, number: signal.Signals) -> None:
        """Exit because of a signal, in the worst case without saying goodbye to the terminal."""
        code = 128 + number
        last_resort = threading.Timer(_PATIENCE, os._exit, (code,))
        last_resort.daemon = True
        last_resort.start()
        self.leave(code)

    def action_interrupt(self) -> None:
        self.leave(128 + signal.SIGINT)

    @property
    def lab(self) -> LabScreen | None:
        """The lab's screen, if nothing lies above it and no other run is about to be shown."""
        screen = self.screen
        return screen if isinstance(screen, LabScreen) and not screen.left else None

    def action_help(self) -> None:
        self.push_screen(HelpScreen())

    def action_explain(self) -> None:
        if lab := self.lab:
            self.push_screen(lab.explanation())

    def action_compare(self) -> None:
        if self.lab and (comparison := self.lab.comparison()):
            self.push_screen(comparison)

    def action_faults(self) -> None:
        if lab := self.lab:
            lab.hold_still()
            self.push_screen(FaultForm(lambda: self.session, lab.target), lab.fault_chosen)

    def action_write(self) -> None:
        if lab := self.lab:
            lab.hold_still()
            self.push_screen(WriteForm(lambda: self.session, *lab.copy), lab.write_chosen)

    def action_name_run(self) -> None:
        if self.lab and (line := self.lab.line()):
            self.push_screen(RunName(line, self.copy_to_clipboard))

    def action_edit(self) -> None:
        if lab := self.lab:
            lab.edit(lambda path, line: edit(self, path, line))

    def action_command_palette(self, text: str = "") -> None:
        """Part of App. text: what stands in the palette already."""
        if lab := self.lab:
            lab.hold_still()
            self.push_screen(Palette(lab, text))

    # home --------------------------------------------------------------------------------------

    def action_home(self) -> None:
        if self.lab:
            self.push_screen(Home(), self._go)

    def _go(self, way: str | None) -> None:
        dialog: ModalScreen[Session | None]
        match way:
            case "new":
                dialog = NewLab()
            case "experiment":
                dialog = Chooser("Open an experiment", experiment_files(), preview_experiment, lab_of)
            case "recording":
                dialog = Chooser("Open a recording", recording_files(), preview_recording, Replay)
            case _:
                return
        self.push_screen(dialog, self._open)

    def _open(self, session: Session | None) -> None:
        if session is None:
            self.action_home()
        else:
            (screen,) = (each for each in self.screen_stack if isinstance(each, LabScreen))
            screen.leave()
            self.run_worker(self._replace(screen, session), exclusive=True)

    async def _replace(self, screen: LabScreen, session: Session) -> None:
        """End what is shown, and show another run."""
        await self.close()
        self.tracks = Tracks(session)
        session.start(self._fail)  # at once: whoever quits now finds it running, and ends it
        while self.screen is not screen:  # what has been opened above it meanwhile
            await self.pop_screen()
        await self.pop_screen()
        await self.push_screen(LabScreen(self.tracks, self._fail))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Part of App."""
        yield SystemCommand("Theme: light, dark and others", "Choose other colours", self.action_change_theme)
        yield SystemCommand(
            "Picture",
            "Save the screen as an SVG picture",
            lambda: self.set_timer(0.1, self._save_picture),
        )

    def _save_picture(self) -> None:
        """Beside the user's recordings: not every machine has the folder for downloads that Textual would take."""
        folder = own_recordings()
        with suppress(OSError):  # which saving then says
            folder.mkdir(parents=True, exist_ok=True)
        self.deliver_screenshot(path=str(folder))

    def _fail(self, error: BaseException) -> None:
        """The lab broke down."""
        self._exit_renderables.append(_sentence(error, self.session.path))
        self.leave(1)

    def _fatal_error(self) -> None:
        """Part of App, called for an exception that nobody handled: one sentence, not a page of traceback."""
        error = sys.exception()
        if self.debug or error is None:
            super()._fatal_error()
            return
        if self.code != 1:  # the first of them is the one that says what happened
            self.code = 1
            self._exit_renderables.append(_sentence(error, self.session.path))
        self._close_messages_no_wait()


async def _after(way: Sequence[MessagePump], then: Callable[[], Awaitable[None]]) -> None:
    """Call `then` as soon as each of these, one after the other, has dealt with all that it had been sent."""
    for number, each in enumerate(way):
        if each.call_later(_after, way[number + 1 :], then):
            return
    await then()


def collect_rarely() -> None:
    """Keep the garbage collector from holding up the screen."""
    gc.freeze()  # modules and classes, 100,000 objects: looking through them takes a tenth of a second
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])


def _run(app: GossipApp) -> int:
    collect_rarely()
    sys.__stderr__ = cast(TextIO, Lasting(cast(TextIO, sys.__stderr__)))
    # the thread that reads keys gets its turn so much sooner while the lab runs as fast as it goes
    sys.setswitchinterval(_SWITCH)
    asyncio.run(_main(app))
    return 1 if app.code is None else app.code


async def _main(app: GossipApp) -> None:
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, app.leave_on, number)
    try:
        await app.run_async()
    finally:
        await app.close()


def _need_terminal() -> None:
    if in_browser():
        return
    # Textual reads standard input, draws on standard error, and asks standard output for the size
    streams = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
    if os.environ.get("TERM") == "dumb" or not all(
        stream is not None and stream.isatty() for stream in streams
    ):
        raise UserError(
            "the lab needs a terminal for input, output and errors: run it in one without redirecting, "
            "or use gossiplab run."
        )
    width, height = shutil.get_terminal_size()
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        raise UserError(
            f"this terminal has {width} columns and {height} rows, too few for the lab: "
            f"make it at least {LEAST_WIDTH} by {LEAST_HEIGHT}."
        )


def _sentence(error: BaseException, path: Path) -> Text:
    """What to say of an exception that ends the app."""
    if isinstance(error, GossiplabError):
        return Text(f"gossiplab: {visible(str(error), 1000)}")
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "gossiplab" in frame.filename] or frames
    place = f"{Path(ours[-1].filename).name}, line {ours[-1].lineno}" if ours else "an unknown place"
    what = visible(f"{type(error).__name__}: {error}", 300).rstrip(".")
    return Text(
        f"gossiplab: it broke down in {place}, which is our fault ({what}); what happened until then is in {path}."
    )


def _say_where(tracks: Tracks) -> None:
    """Name the file of every future, last that of the one that was shown."""
    for letter, session, *_ in sorted(tracks.all, key=lambda track: track.session is tracks.session):
        which = f"{letter}: " if len(tracks.all) > 1 else ""
        what = f"{session.latest.t:.3f} s and {session.latest.events:,} events"
        _say(f"{which}{what} are in {session.path}: see them again with gossiplab replay.")


def _say(text: str) -> None:
    with suppress(OSError):  # the terminal may be gone
        sys.stderr.write(f"gossiplab: {visible(text, 1000)}\n")
