"""SWIM with 500 members and memberlist's LAN figures for 60 virtual seconds: seconds of one core, deliveries per second."""

import gc
from time import process_time

from gossiplab.content import load_protocol
from gossiplab.engine.lab import Lab
from gossiplab.engine.run import run_lab
from gossiplab.experiment import Experiment
from gossiplab.plan import plan
from gossiplab.recording.tape import Tape


def swim_seconds(start: str, at: tuple[str, ...], nodes: int = 500, until: float = 60.0) -> tuple[float, int]:
    """(CPU seconds, deliveries) of a run with everything that goes into a recording."""
    protocol = load_protocol("swim")
    params = {"profile": "lan", "start": start}
    header = plan(Experiment(protocol="swim", nodes=nodes, until=until, params=params, at=at), protocol)
    gc.collect()
    begun = process_time()
    tape = Tape(header, lambda data: None)
    run_lab(Lab(header, protocol, tape))
    return process_time() - begun, tape.world.delivered


def main() -> None:
    """Print the table."""
    print("500 members, profile=lan, 60 virtual s        CPU s   deliveries   per s of CPU   (goal: 30 s)")
    for name, start, at in (
        ("all known, nothing happens", "known", ()),
        ("all known, one dies", "known", ("10 kill n3",)),
        ("all known, 50 die at once", "known", ("10 kill n50-n99",)),
        ("all join at once, one dies", "join", ("30 kill n3",)),
    ):
        seconds, delivered = swim_seconds(start, at)
        print(f"  {name:<40} {seconds:9.1f} {delivered:12,} {delivered / seconds:14,.0f}")
