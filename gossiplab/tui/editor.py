"""Opening a protocol's file in the user's own editor, in place of the app for as long as that lasts.

Only ever a file that this process has loaded as a protocol: a recording may name whatever it likes.
"""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from textual.app import App, SuspendNotSupported

from gossiplab.errors import UserError
from gossiplab.protocol import Protocol

# editors that want FILE:LINE; all others take +LINE FILE, as vi does
_COLON = {
    "code": ["--wait", "--goto"],
    "codium": ["--wait", "--goto"],
    "hx": [],
    "subl": ["--wait"],
    "zed": ["--wait"],
}


def protocol_file(protocol: type[Protocol], name: str) -> Path:
    """Where the file of a protocol is, if that is called `name`. Raises UserError."""
    file: str | None = getattr(sys.modules.get(protocol.__module__), "__file__", None)
    if file is None or Path(file).name != name or not Path(file).is_file():
        raise UserError(f"{name} is not among the protocol files that this lab runs: open it by hand.")
    return Path(file)


def edit_command(editor: str | None, path: Path, line: int) -> list[str]:
    """How an editor is told to open a file at a line. Raises UserError when there is no editor."""
    try:
        words = shlex.split(editor or "")
    except ValueError:
        words = []
    if not words:
        raise UserError(
            f"EDITOR names no editor: set it, for example to nano, or open {path}, line {line}, by hand."
        )
    options = _COLON.get(Path(words[0]).name)
    if options is None:
        return [*words, f"+{max(line, 1)}", str(path)]
    return [*words, *options, f"{path}:{max(line, 1)}"]


def edit(app: App[None], path: Path, line: int) -> None:
    """Let the user edit a file; returns when the editor has ended. Raises UserError."""
    command = edit_command(os.environ.get("VISUAL") or os.environ.get("EDITOR"), path, line)
    try:
        with app.suspend():
            process = subprocess.Popen(command)  # noqa: S603  # what the user has set
            # a Ctrl-C in the editor is for the editor; set after its start, since it would inherit this
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)
            try:
                process.wait()
            finally:
                signal.signal(signal.SIGINT, before)
    except OSError as error:
        raise UserError(
            f"{command[0]} cannot be started: {error.strerror}; set EDITOR to another editor."
        ) from None
    except SuspendNotSupported:
        raise UserError(f"an editor cannot be opened here: open {path}, line {line}, by hand.") from None
