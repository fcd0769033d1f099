"""How long a command takes to start, over a bare Python; and the memory of ten thousand nodes."""

import statistics
import subprocess
import sys
from time import perf_counter

_TEN_THOUSAND = """
import resource
from tests.benchmarks import delivery
delivery.lab_cost(10_000, 1.0)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def main(runs: int = 7) -> None:
    """Print the table."""
    commands = {"python -c pass": ["-c", "pass"], "gossiplab --help": ["-m", "gossiplab", "--help"]}
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, arguments in commands.items():
            start = perf_counter()
            subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
            times[name].append(perf_counter() - start)
    bare, started = (statistics.median(each) for each in times.values())
    print(f"gossiplab --help: {(started - bare) * 1e3:.0f} ms over a bare Python's {bare * 1e3:.0f} ms")
    done = subprocess.run([sys.executable, "-c", _TEN_THOUSAND], capture_output=True, text=True, check=True)
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kibibytes elsewhere
    print(f"10,000 nodes: {int(done.stdout) * unit / 1e6:.0f} MB at most (goal 600)")
