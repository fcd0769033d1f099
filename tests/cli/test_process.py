"""The command as a process: signals, pipes, terminals, and what starting it loads."""

import json
import os
import pty
import select
import signal
import subprocess
import sys

import pytest

from gossiplab.recording.reader import open_recording
from gossiplab.recording.verify import verify
from tests.cli.running import COMMAND, finish, is_one_sentence, start
from tests.helpers import SPECIMENS, specimen

ENDLESS = ("run", "chatter", "--protocols", SPECIMENS, "--nodes", 20, "--until", 1e6)


def wait_for(process, path, size=50_000):
    """Until so many bytes are recorded."""
    while not path.exists() or path.stat().st_size < size:
        assert process.poll() is None, process.communicate()


@pytest.mark.parametrize("name, code", [("SIGINT", 130), ("SIGTERM", 143)])
@pytest.mark.parametrize("suffix", ["", ".zst"])
def test_a_signal_closes_the_recording(tmp_path, name, code, suffix):
    path = tmp_path / f"x.gossip{suffix}"
    process = start(*ENDLESS, "--record", path, "--json")
    wait_for(process, path.with_name(path.name + ".part") if suffix else path)
    process.send_signal(getattr(signal, name))
    got, out, err = finish(process)
    assert (got, err) == (code, "")
    figures = json.loads(out)
    assert figures["stopped_by"] == "stopped"
    assert list(tmp_path.iterdir()) == [path]
    recording = open_recording(path)
    assert not recording.torn
    assert recording.length == figures["events"]
    assert verify(recording, specimen("chatter")) is None
    recording.close()


def test_a_full_standard_output_is_said_in_one_sentence():
    with open("/dev/full", "w") as full:  # noqa: PTH123  # a device
        code, _, err = finish(start("run", "epidemic", "--nodes", 3, "--no-record", stdout=full))
    assert code == 2
    assert is_one_sentence(err), err


@pytest.mark.parametrize(
    "arguments", [("run", "epidemic", "--nodes", 3, "--no-record"), ("protocols",), ("recordings",)]
)
def test_a_closed_pipe_is_nobodys_fault(arguments):
    reading, writing = os.pipe()
    os.close(reading)
    process = start(*arguments, stdout=writing)
    os.close(writing)
    code, _, err = finish(process)
    assert (code, err) == (128 + signal.SIGPIPE, "")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_closed_standard_streams(closed):
    line = f'"$0" -m gossiplab run epidemic --nodes 3 --no-record {closed}'
    done = subprocess.run(
        ["/bin/sh", "-c", line, sys.executable], check=False, capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in done.stderr
    assert done.returncode in {0, 2}


def on_a_terminal(*arguments):
    """What a process writes to standard error where that is a terminal, and its standard output, which is piped."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)], stdin=slave, stdout=subprocess.PIPE, stderr=slave,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "80"},
    )  # fmt: skip
    os.close(slave)
    seen = b""
    while process.poll() is None or select.select([master], [], [], 0)[0]:
        if select.select([master], [], [], 0.05)[0]:
            try:
                piece = os.read(master, 4096)
            except OSError:  # the other side is closed
                break
            seen += piece
    os.close(master)
    out, _ = process.communicate(timeout=60)
    return process.returncode, out.decode(), seen.decode()


def test_long_work_shows_a_bar_on_a_terminal_only():
    arguments = (
        "run",
        "chatter",
        "--protocols",
        SPECIMENS,
        "--nodes",
        40,
        "--until",
        60,
        "--no-record",
        "--json",
    )
    code, out, err = on_a_terminal(*arguments)
    assert code == 0
    assert json.loads(out)["stopped_by"] == "time"
    assert "running chatter" in err
    assert "virtual s" in err
    assert err.rstrip().endswith("\x1b[2K") or "\x1b[?25h" in err  # the bar is gone and the cursor is back
    code, out, err = finish(start(*arguments))
    assert (code, err) == (0, "")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["run", "--help"], ["recordings"], ["nonesuch"]]
)
def test_starting_loads_little(arguments):
    script = (
        "import sys; from gossiplab.cli import run_command_line\n"
        f"try: run_command_line({arguments})\n"
        "except SystemExit: pass\n"
        "print('LOADED', *({'textual', 'networkx', 'numpy', 'gossiplab.engine'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "LOADED"


def test_a_run_on_the_complete_topology_loads_no_screen():
    script = (
        "import sys; from gossiplab.cli import run_command_line\n"
        "run_command_line(['run', 'epidemic', '--nodes', '3', '--no-record'])\n"
        "print('LOADED', *({'textual', 'networkx', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "LOADED"


def test_the_version():
    code, out, err = finish(start("--version"))
    assert (code, err) == (0, "")
    assert out.strip()
