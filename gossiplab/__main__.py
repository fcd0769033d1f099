"""Entry point of the `gossiplab` command. Turns every error into one sentence and an exit code."""

import os
import signal
import sys
from pathlib import Path


def main() -> int:
    """Run the command line. Returns the exit code: 0 done, 1 a difference or our fault, 2 the user's input."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us, as `>&-` does
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  # for as long as we live
    from gossiplab.cli import run_command_line

    try:
        code = run_command_line(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # whoever read our output has gone, which is their right; keep Python from complaining at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except OSError as error:
        print(f"gossiplab: the output cannot be written: {error.strerror}; free some room.", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    return code


if __name__ == "__main__":
    sys.exit(main())
