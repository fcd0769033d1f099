"""Entry point of the `gossiplab` command. Turns every error into one sentence and an exit code."""

import gc
import io
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

# New objects between two looks for garbage, 700 by default. Modules and what a command line is read with stay to the end:
# looking through them again and again is a twentieth of what `gossiplab --help` costs.
_YOUNG = 100_000


def main() -> int:
    """Run the command line. Returns the exit code: 0 done, 1 a difference or our fault, 2 the user's input."""
    gc.set_threshold(_YOUNG)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started us, as `>&-` does
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115  # for as long as we live
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # an encoding that lacks a letter is no error
    code = _run()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # nobody takes it any more: Python would try again at exit, and exit with 120
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    content = sys.modules.get("gossiplab.content")
    if content is not None and content.any_own():
        # a stranger's protocol may have left a thread or a finalizer that never comes to its end; all is written and closed
        os._exit(code)
    return code


def _run() -> int:
    code = 0
    try:
        from gossiplab.cli import run_command_line

        code = run_command_line(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        return 128 + signal.SIGPIPE  # whoever read our output has gone, which is their right
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except OSError as error:
        if code > 128:  # after a hang-up there may be nobody to write for
            return code
        if error.filename is not None:  # a name that no file can have
            _say(f"{error.filename} cannot be used: {error.strerror}; give another name.")
        else:
            _say(f"the output cannot be written: {error.strerror}; free some room.")
        return 2
    return code


def _say(text: str) -> None:
    from gossiplab.text import visible_ends

    with suppress(OSError):  # nobody may hear it
        print(f"gossiplab: {visible_ends(text, 2000)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
