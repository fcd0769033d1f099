"""The app in a real terminal (a pty): however it ends, terminal, recording and exit code are as they should be."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from time import perf_counter

import pytest

from gossiplab.recording.reader import open_recording
from gossiplab.recording.verify import verify
from tests.helpers import SPECIMENS, specimen

pytestmark = pytest.mark.slow

_PATIENCE = 60.0  # s of real time for what has to come, on a machine that has other things to do
_ON, _OFF = b"\x1b[?1049h", b"\x1b[?1049l"  # the alternate screen
_BROKEN = """
import sys
from gossiplab.__main__ import main
from gossiplab.tui import lab_screen, live

def frame(self, before=lab_screen.LabScreen.frame):
    before(self)
    if self.session.end > 0.5:
        raise ValueError("a view is broken")

def start(self, on_failure, before=live.LiveLab.start):
    self.lab.kernel.after_all(0.5, 0, lambda: 1 / 0)
    before(self, on_failure)

if sys.argv.pop(1) == "screen":
    lab_screen.LabScreen.frame = frame
else:
    live.LiveLab.start = start
sys.exit(main())
"""


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, *command: str, size: tuple[int, int] = (80, 24)) -> None:
        self.output = b""
        self.open = True
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.before = termios.tcgetattr(slave)
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "", "LINES": ""}
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  # one call to the system needs no lock
        )  # fmt: skip
        self.slave = slave

    def read_until(self, pattern: bytes) -> None:
        give_up = perf_counter() + _PATIENCE
        while not re.search(pattern, self.output):
            assert perf_counter() < give_up, self.output[-2000:]
            self._read()

    def press(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def hang_up(self) -> None:
        os.close(self.slave)
        os.close(self._master)
        self.open = False

    def end(self, patience: float = _PATIENCE) -> int:
        """Wait for the program, at most so many real seconds; its exit code."""
        give_up = perf_counter() + patience
        while self.process.poll() is None:
            assert perf_counter() < give_up, self.output[-2000:]
            if self.open:
                self._read()
        while self.open and self._read():
            pass
        return self.process.returncode

    def _read(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], 0.05)
        if ready:
            self.output += os.read(self._master, 1 << 20)
        return bool(ready)


@pytest.fixture
def terminal():
    opened = []

    def start(*command, **kwargs):
        opened.append(Terminal(*command, **kwargs))
        return opened[-1]

    yield start
    for each in opened:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()
        if each.open:
            each.hang_up()


@pytest.fixture
def lab(tmp_path, terminal):
    """A lab that runs, and its recording."""

    def start(*arguments):
        path = tmp_path / "run.gossip"
        opened = terminal(
            sys.executable, *(arguments or ("-m", "gossiplab")), "lab", "epidemic", "--record", str(path)
        )
        if not arguments:
            opened.read_until(rb"delivered [1-9]")
        return opened, path

    return start


def _sane(opened):
    assert opened.output.count(_ON) == opened.output.count(_OFF) == 1
    after = opened.output.rpartition(_OFF)[2]
    for shown in (b"\x1b[?25h", b"\x1b[?1004l"):  # the cursor; no reports of the focus
        assert shown in after
    assert b"\x1b[?1000l" in opened.output  # no reports of the mouse
    assert termios.tcgetattr(opened.slave) == opened.before
    assert b"Traceback" not in opened.output


def _complete(path, protocol="epidemic"):
    recording = open_recording(path)
    assert not recording.torn
    assert verify(recording, specimen(protocol)) is None


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name
)
def test_a_signal(lab, number):
    opened, path = lab()
    opened.process.send_signal(number)
    assert opened.end() == 128 + number
    _sane(opened)
    _complete(path)


@pytest.fixture
def stuck(tmp_path, terminal):
    """A lab in which one node blocks in its second round, and its recording."""
    path = tmp_path / "run.gossip"
    opened = terminal(
        sys.executable, "-m", "gossiplab", "lab", "stuck", "--protocols", str(SPECIMENS), "--nodes", "12",
        "--set", "where=round", "--set", "way=sleep", "--set", "first=11", "--record", str(path),
    )  # fmt: skip
    opened.read_until(rb"delivered [1-9]")  # which is after the first round
    return opened, path


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name
)
def test_a_signal_while_a_protocol_blocks(stuck, number):
    opened, path = stuck
    opened.read_until(rb"1\.9|2\.0")
    opened.process.send_signal(number)
    assert opened.end() == 128 + number
    _sane(opened)
    _complete(path, "stuck")


def test_a_protocol_that_blocks_is_told_and_left_behind(stuck):
    opened, path = stuck
    opened.read_until(rb"n11 was stopped by its own protocol at 2\.000 s")
    opened.read_until(rb"paused at 2\.000 s")
    opened.press(b"\x1b")
    opened.read_until(rb"live [3-9]\.")
    opened.press(b"q")
    assert opened.end() == 0
    _sane(opened)
    _complete(path, "stuck")


@pytest.mark.parametrize(
    "key, code", [(b"q", 0), (b"\x03", 130), (b"\x11", 0)], ids=["q", "ctrl-c", "ctrl-q"]
)
def test_a_key(lab, key, code):
    opened, path = lab()
    opened.press(key)
    assert opened.end() == code
    _sane(opened)
    _complete(path)
    assert b"see them again with gossiplab replay" in b" ".join(opened.output.split())


def test_every_future_is_named_in_the_end(lab):
    opened, path = lab()
    opened.press(b"\x1b[H")
    opened.read_until(rb"looking back at 0\.000 s")
    opened.press(b"\tk")
    opened.read_until(rb"another future")
    opened.press(b"q")
    assert opened.end() == 0
    first, second = b" ".join(opened.output.rpartition(_OFF)[2].split()).split(b"gossiplab: ")[1:]
    assert first.startswith(b"A: ")
    assert str(path).encode() in first
    assert second.startswith(b"B: ")


@pytest.mark.parametrize("keys, shown", [(b"", b"know"), (b":kill n", b"kill NODES"), (b"f", b"Faults")])
def test_a_terminal_that_goes_away(lab, keys, shown):
    opened, path = lab()
    opened.press(keys or b"d")
    opened.read_until(shown)
    opened.hang_up()
    assert opened.end() == 129
    _complete(path)


def test_a_kill_loses_nothing_that_was_shown(lab):
    opened, path = lab()
    opened.process.kill()
    opened.end()
    recording = open_recording(path)
    assert recording.torn
    shown = max(map(int, re.findall(rb"delivered (\d+)", opened.output)))
    assert recording.at_event(recording.length).delivered >= shown > 0
    assert verify(recording, specimen("epidemic")) is None


@pytest.mark.parametrize("broken, sentence", [("screen", b"a view is broken"), ("lab", b"division by zero")])
def test_an_exception_is_one_sentence(lab, broken, sentence):
    opened, path = lab("-c", _BROKEN, broken)
    assert opened.end() == 1
    _sane(opened)
    told = b" ".join(opened.output.rpartition(_OFF)[2].split())
    assert told.count(b"gossiplab:") == 1
    assert sentence in told
    assert open_recording(path).length > 3


def test_a_replay(lab, terminal):
    opened, path = lab()
    opened.press(b"q")
    assert opened.end() == 0
    again = terminal(sys.executable, "-m", "gossiplab", "replay", str(path))
    again.read_until(rb"[0-9]/30 know")
    again.press(b"q")
    assert again.end() == 0
    _sane(again)


def test_a_terminal_that_is_too_small(terminal):
    opened = terminal(sys.executable, "-m", "gossiplab", size=(39, 12))
    assert opened.end() == 2
    assert b"39 columns and 12 rows" in b" ".join(opened.output.split())
    assert _ON not in opened.output


@pytest.mark.parametrize("command", [[], ["lab", "epidemic"]])
def test_no_terminal(command):
    done = subprocess.run(
        [sys.executable, "-m", "gossiplab", *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
    assert done.stderr.count("\n") == 1
