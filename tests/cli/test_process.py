"""The command as a process: signals, pipes, terminals, and what starting it loads."""

import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
from pathlib import Path

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


def wait_until_heard(process, number):
    """Until the process has a handler for a signal, which it has before the first step of a protocol."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        pytest.skip("this system does not tell which signals a process handles")
    before = signal.SIGINT  # which Python itself handles, from its start
    while process.poll() is None:
        caught = int(status.read_text().partition("SigCgt:")[2].split()[0], 16)
        if all(caught >> (each - 1) & 1 for each in {number, signal.SIGTERM} - {before}):
            return


@pytest.mark.parametrize("name, code", [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
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


def test_a_run_under_nohup_outlives_the_terminal(tmp_path):
    path = tmp_path / "x.gossip"
    ignore = lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)  # noqa: E731
    process = start(*ENDLESS, "--record", path, "--json", preexec_fn=ignore)
    wait_for(process, path)
    process.send_signal(signal.SIGHUP)
    wait_for(process, path, path.stat().st_size + 50_000)
    process.send_signal(signal.SIGTERM)
    assert finish(process)[0] == 143


# each kind of step, each signal; all of their pairs in make soak
_SOME = {("round", "SIGINT"), ("run", "SIGTERM"), ("setup", "SIGHUP"), ("setup", "SIGTERM")}


@pytest.mark.parametrize("where, name, code", [
    pytest.param(where, name, code, marks=() if (where, name) in _SOME else pytest.mark.soak)
    for where in ("round", "run", "setup") for name, code in (("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129))
])  # fmt: skip
def test_a_signal_while_a_protocol_blocks(tmp_path, name, code, where):
    path = tmp_path / "x.gossip"
    process = start(
        "run", "stuck", "--protocols", SPECIMENS, "--nodes", 5, "--until", 1e6, "--record", path, "--json",
        "--set", f"where={where}", "--set", "way=sleep", "--set", "first=4",
    )  # fmt: skip
    wait_until_heard(process, getattr(signal, name))
    process.send_signal(getattr(signal, name))
    got, out, err = finish(process)
    assert got == code
    assert "Traceback" not in err
    assert json.loads(out)["stopped_by"] == "stopped"
    recording = open_recording(path)
    assert not recording.torn
    assert verify(recording, specimen("stuck")) is None
    recording.close()


def test_a_terminal_that_goes_away_ends_a_run_with_its_recording(tmp_path):
    path = tmp_path / "x.gossip"
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *map(str, ENDLESS), "--record", str(path)], stdin=slave, stdout=slave, stderr=slave,
        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  # one call to the system needs no lock
        env={**os.environ, "TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(slave)
    while not path.exists() or path.stat().st_size < 50_000:
        assert process.poll() is None
        if select.select([master], [], [], 0.05)[0]:
            os.read(master, 4096)
    os.close(master)
    assert process.wait(timeout=60) == 129
    recording = open_recording(path)
    assert not recording.torn
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
