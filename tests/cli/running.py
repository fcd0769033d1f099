"""The command line, run here or in a process of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

COMMAND = (sys.executable, "-m", "gossiplab")
CHECKOUT = Path(__file__).parents[2]


def start(*arguments, **options):
    """A process of its own, with pipes where nothing else is said."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    environment = {**os.environ, **options.pop("env", {})}
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)], cwd=CHECKOUT, env=environment, text=True, **{**pipes, **options}
    )


def finish(process):
    """Its exit code, standard output and standard error."""
    out, err = process.communicate(timeout=60)
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
