"""The command line in this process: its exit code, standard output and standard error."""

import pytest

from gossiplab.cli import run_command_line


@pytest.fixture
def gossiplab(capsys):
    """Run one command."""

    def run(*arguments):
        code = run_command_line([str(each) for each in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def own(tmp_path, monkeypatch):
    """An empty folder for recordings of one's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "own"))
    return tmp_path / "own" / "gossiplab" / "recordings"
