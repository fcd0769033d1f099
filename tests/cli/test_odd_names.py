"""Names that no file can have, encodings that lack letters, streams that are closed."""

import os
import subprocess
import sys

import pytest

from tests.cli.running import finish, is_one_sentence, start

LONG = "x" * 300


@pytest.mark.parametrize(
    "arguments",
    [
        ("replay", LONG, "--headless"), ("verify", LONG), ("run", f"{LONG}.toml"), ("run", f"{LONG}.py"),
        ("run", "epidemic", "--protocols", LONG), ("protocols", LONG), ("run", "epidemic", "--record", LONG),
    ],
)  # fmt: skip
def test_names_that_no_file_can_have(arguments):
    code, out, err = finish(start(*arguments))
    assert (code, out) == (2, "")
    assert is_one_sentence(err)
    assert "File name too long" in err
    assert "output" not in err


@pytest.mark.parametrize("encoding", ["ascii", "ascii:strict", "latin1"])
def test_an_encoding_that_lacks_letters_is_no_error(encoding, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from gossiplab import Protocol, param\nclass Mine(Protocol):\n"
        '    """Größe → ∞."""\n    x = param("ö", choices=("ö", "日"), doc="ä")\n',
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "gossiplab", "protocols", tmp_path],
        capture_output=True, check=False, env={**os.environ, "PYTHONIOENCODING": encoding},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\u65e5" in done.stdout


def test_a_lab_without_any_stream():
    for command in ("", "lab epidemic", "run epidemic --nodes 3 --no-record"):
        line = f'"$0" -m gossiplab {command} <&- >&- 2>"$1"'
        reading, writing = os.pipe()
        done = subprocess.run(
            ["/bin/sh", "-c", line, sys.executable, f"/dev/fd/{writing}"], check=False, pass_fds=[writing]
        )
        os.close(writing)
        with os.fdopen(reading) as pipe:
            err = pipe.read()
        assert "Traceback" not in err
        assert done.returncode == (0 if "run" in command else 2), err
