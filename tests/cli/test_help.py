"""The pages of help: the first one, and those of commands."""

import re
import shlex
import subprocess
import sys

import pytest

from gossiplab import cli
from gossiplab.cli import app, run_command_line

COMMANDS = ("lab", "run", "sweep", "replay", "verify", "export", "serve", "recordings", "protocols")


@pytest.fixture
def page(capsys, monkeypatch):
    def shown(*arguments, columns=80):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert run_command_line(list(arguments)) == 0
        return capsys.readouterr().out

    return shown


def test_the_first_page_says_what_each_command_says_of_itself(page):
    words = " ".join(page("--help").split())
    for command in COMMANDS:
        first = getattr(cli, command).__doc__.split("\n\n")[0]
        assert f"{command} {' '.join(first.split())}" in words
    assert set(COMMANDS) == {name for name in app if not name.startswith("-")}


@pytest.mark.parametrize("columns", [1, 40, 80, 200])
def test_the_first_page_fits_the_terminal(page, columns):
    lines = page("--help", columns=columns).splitlines()
    assert len(lines) < 60
    assert max(map(len, lines)) <= max(40, min(columns, 100))


def test_what_the_first_page_proposes_can_be_typed(page):
    begin = page("--help", columns=100).partition("To begin with\n")[2]
    proposed = re.findall(r"^  gossiplab(.*?)  ", begin, re.MULTILINE)
    assert len(proposed) > 3
    for line in proposed:
        app.parse_args(shlex.split(line), print_error=False, exit_on_error=False)


@pytest.mark.parametrize(
    "arguments", [["-h"], ["--ascii", "--help"], ["--help", "--help"], ["nonesuch", "--help"]]
)
def test_without_a_command_help_is_the_first_page(page, arguments):
    assert page(*arguments) == page("--help")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_of_a_command(page, command):
    for arguments in ((command, "--help"), ("--help", command)):
        assert page(*arguments).startswith(f"Usage: gossiplab {command}")


def test_the_first_page_is_drawn_without_rich():
    script = "import sys; from gossiplab.cli import run_command_line; run_command_line(['--help']); sys.exit('rich' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
