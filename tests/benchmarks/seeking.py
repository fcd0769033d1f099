"""Opening a recording of a million events and going to any instant of it, and what memory that takes."""

import statistics
import tempfile
import tracemalloc
from pathlib import Path
from random import Random
from time import perf_counter

from gossiplab.content import load_protocol_file
from gossiplab.engine.lab import Lab
from gossiplab.engine.run import run_lab
from gossiplab.experiment import Experiment
from gossiplab.link import Link
from gossiplab.plan import plan
from gossiplab.recording.reader import open_recording
from gossiplab.recording.recorder import Recorder

_BEAT = Path(__file__).with_name("beat.py")


def main(until: float = 100.0, seeks: int = 50) -> None:
    """Print the table. until: virtual seconds; a hundred make a million events."""
    protocol = load_protocol_file(_BEAT)
    header = plan(
        Experiment(protocol="beat", nodes=1000, until=until, link=Link(latency="0.005..0.05")), protocol
    )
    rng = Random(1)
    print("recording            events   open ms (goal 1000)   seek ms: median   worst (goal 100)   MB held")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("run.gossip", "run.gossip.zst"):
            path = Path(folder) / name
            with Recorder(path, header) as recorder:
                run_lab(Lab(header, protocol, recorder))
            start = perf_counter()
            recording = open_recording(path)
            opened = perf_counter() - start
            times: list[float] = []
            for _ in range(seeks):
                start = perf_counter()
                recording.at(rng.random() * until)
                times.append(perf_counter() - start)
            length = recording.length
            recording.close()
            tracemalloc.start()
            recording = open_recording(path)
            recording.at(until / 2)
            held = tracemalloc.get_traced_memory()[0]
            tracemalloc.stop()
            recording.close()
            print(
                f"  {name:<16} {length:9,}   {opened * 1e3:12.1f}   {statistics.median(times) * 1e3:22.1f}"
                f"   {max(times) * 1e3:7.1f}   {held / 1e6:17.1f}"
            )
