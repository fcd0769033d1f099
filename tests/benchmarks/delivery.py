"""Deliveries per second, against yardsticks that run in turns with the lab: a bare heap loop, and SimPy.

1,000 nodes, each sending one message every 0.2 s to a random peer, latency 5 to 50 ms. The bare loop does
only the same pops, pushes and random draws. Machines are noisy, so lab and yardstick take turns in one
process, both are measured in CPU time, and the median of the ratios is what counts.
"""

import gc
import statistics
import tempfile
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from pathlib import Path
from random import Random
from time import process_time
from typing import Any, NamedTuple

import simpy

from gossiplab.content import load_protocol_file
from gossiplab.engine.lab import Lab
from gossiplab.engine.run import run_lab
from gossiplab.experiment import Experiment
from gossiplab.link import Link
from gossiplab.plan import plan
from gossiplab.recording.recorder import Recorder

PERIOD, LOW, WIDTH = 0.2, 0.005, 0.045  # s
_BEAT = Path(__file__).with_name("beat.py")


class Cost(NamedTuple):
    """CPU seconds of a lab: per delivery, before its first event, and after its last (all its tasks end)."""

    delivery: float
    begin: float
    end: float


def lab_cost(nodes: int, until: float, record: Path | None = None) -> Cost:
    """Run a lab of so many nodes for so many virtual seconds."""
    protocol = load_protocol_file(_BEAT)
    header = plan(
        Experiment(protocol="beat", nodes=nodes, until=until, link=Link(latency="0.005..0.05")), protocol
    )
    gc.collect()
    start = process_time()
    recorder = Recorder(record, header) if record else None
    lab = Lab(header, protocol, recorder)
    marks: list[float] = []
    after = lab.kernel.after_slice

    def watch() -> None:
        if not marks or lab.ended:
            marks.append(process_time())
        after()

    lab.kernel.after_slice = watch
    run_lab(lab)
    if recorder:
        recorder.close()
    closed = process_time()
    first, last = marks[0], marks[1] if not record else closed  # what is recorded has to be written, too
    return Cost((last - first) / lab.network.delivered, first - start, closed - last)


def bare_seconds(nodes: int, until: float) -> float:
    """CPU seconds per delivery of a loop with the same pops, pushes and draws and nothing else."""
    random = Random(1).random
    heap: list[tuple[float, int, int, int]] = []
    for node in range(nodes):
        heappush(heap, (random() * PERIOD, node, 0, node))
    sequence, delivered = nodes, 0
    start = process_time()
    while heap:
        t, _, kind, node = heappop(heap)
        if t > until:
            break
        if kind:
            delivered += 1
        else:
            heappush(heap, (t + LOW + WIDTH * random(), sequence, 1, int(random() * (nodes - 1))))
            heappush(heap, (t + PERIOD, sequence + 1, 0, node))
            sequence += 2
    return (process_time() - start) / delivered


def simpy_processes(nodes: int, until: float) -> float:
    """CPU seconds per delivery of SimPy with a process a node and a store for what arrives."""
    env, random, delivered = simpy.Environment(), Random(1).random, [0]
    stores = [simpy.Store(env) for _ in range(nodes)]

    def sender(node: int) -> Iterator[Any]:
        yield env.timeout(random() * PERIOD)
        while True:
            env.process(carry(int(random() * (nodes - 1)), LOW + WIDTH * random()))
            yield env.timeout(PERIOD)

    def carry(peer: int, latency: float) -> Iterator[Any]:
        yield env.timeout(latency)
        yield stores[peer].put(1)

    def receiver(node: int) -> Iterator[Any]:
        while True:
            yield stores[node].get()
            delivered[0] += 1

    for node in range(nodes):
        env.process(sender(node))
        env.process(receiver(node))
    return _timed(lambda: env.run(until), delivered)


def simpy_callbacks(nodes: int, until: float) -> float:
    """CPU seconds per delivery of SimPy with callbacks on timeouts, and no process."""
    env, random, delivered = simpy.Environment(), Random(1).random, [0]

    def beat(_: object) -> None:
        env.timeout(LOW + WIDTH * random(), int(random() * (nodes - 1))).callbacks.append(arrive)
        env.timeout(PERIOD).callbacks.append(beat)

    def arrive(_: object) -> None:
        delivered[0] += 1

    for _ in range(nodes):
        env.timeout(random() * PERIOD).callbacks.append(beat)
    return _timed(lambda: env.run(until), delivered)


def _timed(run: Callable[[], object], delivered: list[int]) -> float:
    start = process_time()
    run()
    return (process_time() - start) / delivered[0]


def main(turns: int = 5, until: float = 12.0) -> None:
    """Print the table. until: virtual seconds in each of the turns; five of 12 make the 60 of the goal."""
    rows: dict[str, list[float]] = {}
    bare: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(turns):
            yardstick = bare_seconds(1000, until)
            bare.append(yardstick)
            for name, seconds in (
                ("lab", lab_cost(1000, until).delivery),
                ("lab, recording", lab_cost(1000, until, Path(folder) / "run.gossip").delivery),
                ("SimPy, callbacks", simpy_callbacks(1000, until)),
                ("SimPy, processes", simpy_processes(1000, until / 4)),
            ):
                rows.setdefault(name, []).append(yardstick / seconds)
    loop = statistics.median(bare)
    print("1,000 nodes, deliveries per second of CPU       ratio   (goal)")
    print(f"  bare heap loop               {1 / loop:12,.0f}      1")
    goals = {"lab": "0.40", "lab, recording": "0.20"}
    for name, ratios in rows.items():
        ratio = statistics.median(ratios)
        print(f"  {name:<28} {ratio / loop:12,.0f}      {ratio:.2f}  {goals.get(name, '')}")
    print("nodes     us a delivery   begin s   end s   of the cost at 100   (goal)")
    costs: dict[int, list[Cost]] = {}
    for _ in range(turns):
        for nodes, seconds in ((100, until * 10), (1000, until), (10_000, until / 4)):
            costs.setdefault(nodes, []).append(lab_cost(nodes, seconds))
    base = statistics.median(cost.delivery for cost in costs[100])
    for nodes, runs in costs.items():
        delivery, begin, end = (statistics.median(each) for each in zip(*runs, strict=True))
        goal = "2" if nodes == 10_000 else ""
        print(
            f"  {nodes:<6}  {delivery * 1e6:10.2f}   {begin:8.2f}  {end:6.2f}   {delivery / base:10.2f}           {goal}"
        )
