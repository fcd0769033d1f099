"""The command line, run here or in a process of its own."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

COMMAND = (sys.executable, "-m", "gossiplab")
CHECKOUT = Path(__file__).parents[2]


def start(*arguments, **options):
    """A process of its own, with pipes where nothing else is said."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    environment = {**os.environ, **options.pop("env", {})}
    options = {"preexec_fn": _hear, **pipes, **options}
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)], cwd=CHECKOUT, env=environment, text=True, **options
    )


def _hear():
    """Obey signals, also where the tests themselves run in the background or under nohup and do not."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def finish(process):
    """Its exit code, standard output and standard error."""
    try:
        out, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, out, err


def is_one_sentence(text):
    """Whether standard error says one thing, on one line, and no traceback."""
    lines = text.splitlines()
    return (
        len(lines) == 1
        and lines[0].startswith("gossiplab: ")
        and lines[0].endswith((".", "?"))
        and not re.search(r"\w\. ", lines[0])
        and all(character >= " " for character in lines[0])
    )
