"""How long a command and the lab take to start; and the memory of ten thousand nodes.

Machines are noisy and never equally fast, so every command takes its turn with the others, in processes of their
own, and the median counts: of the CPU seconds that the system accounts to the process, and of the wall's. The
yardsticks say how fast the machine was: a bare Python, and the libraries that the commands cannot do without.
"""

import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Callable
from time import perf_counter

_TEN_THOUSAND = """
import resource
from tests.benchmarks import delivery
delivery.lab_cost(10_000, 1.0)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
_FIRST_FRAME = rb"n29"  # a node of the demo, beside home


def _finished(*arguments: str) -> tuple[float, float]:
    """(CPU, wall) seconds of a Python from its start to its end."""
    start = perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return usage.ru_utime + usage.ru_stime, perf_counter() - start


def _opened(*options: str) -> tuple[float, float]:
    """(CPU, wall) seconds of the lab until its first picture is in the terminal; the CPU's with its end."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 48, 160, 0, 0))
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "TERM": "xterm-256color", "XDG_DATA_HOME": folder}
        start = perf_counter()
        process = subprocess.Popen(
            [sys.executable, *options, "-m", "gossiplab"], stdin=slave, stdout=slave, stderr=slave,
            env=environment, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        seen = b""
        while not re.search(_FIRST_FRAME, seen):
            seen += os.read(master, 1 << 16)
        wall = perf_counter() - start
        process.send_signal(signal.SIGTERM)
        while True:  # it writes on until it ends
            ended, _, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            if select.select([master], [], [], 0.01)[0]:
                try:
                    os.read(master, 1 << 16)
                except OSError:  # the other side is closed
                    continue
        process.returncode = 0
        os.close(master)
    return usage.ru_utime + usage.ru_stime, wall


def main(runs: int = 9) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as empty:
        measures: dict[str, Callable[[], tuple[float, float]]] = {
            "python -c pass": lambda: _finished("-c", "pass"),
            "import cyclopts": lambda: _finished("-c", "import cyclopts"),
            "gossiplab --help": lambda: _finished("-m", "gossiplab", "--help"),
            "import textual.app, trio": lambda: _finished("-c", "import textual.app, trio"),
            "gossiplab, to the first frame": _opened,
            "the same without bytecode": lambda: _opened("-B", "-X", f"pycache_prefix={empty}"),
        }
        goals = {"gossiplab --help": "150 over python", "gossiplab, to the first frame": "1000"}
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in measures}
        for turn in range(runs):
            for name, measure in measures.items():
                if turn < 3 or "without" not in name:  # which takes long
                    times[name].append(measure())
    bare = statistics.median(cpu for cpu, _ in times["python -c pass"])
    print("                                 CPU ms   over python    wall ms   (goal)")
    for name, each in times.items():
        cpu, wall = (statistics.median(column) * 1e3 for column in zip(*each, strict=True))
        print(
            f"  {name:<30} {cpu:6.0f}        {cpu - bare * 1e3:6.0f}     {wall:6.0f}   {goals.get(name, '')}"
        )
    done = subprocess.run([sys.executable, "-c", _TEN_THOUSAND], capture_output=True, text=True, check=True)
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kibibytes elsewhere
    print(f"10,000 nodes: {int(done.stdout) * unit / 1e6:.0f} MB at most (goal 600)")
