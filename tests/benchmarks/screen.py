"""What a picture costs and how soon a key is answered, at 160 by 48. Printed, never asserted: figures of a machine.

The stage alone: a World that is folded from events is shown in a real Textual app, whose driver takes every
byte that a terminal would get and forgets it. The whole: a lab that runs, recorded, in the app as people use it.
Both in CPU time of the whole process from one frame to the next: lab, drawing, compositing, encoding.

A key: the lab runs as fast as it can in a process and a pseudo-terminal of its own, and what counts is the time from
the space bar to the word "paused" on the screen.
"""

import asyncio
import fcntl
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random
from time import perf_counter, process_time
from unittest.mock import patch

from msgspec import Raw
from textual.app import App, ComposeResult
from textual.drivers.headless_driver import HeadlessDriver

from gossiplab.events import AnyEvent, Delivered, Injected, Learned, Sent
from gossiplab.topology import build_edges
from gossiplab.tui.app import GossipApp, collect_rarely
from gossiplab.tui.ground import Arrangement
from gossiplab.tui.lab_screen import FRAME, LabScreen
from gossiplab.tui.live import LiveLab
from gossiplab.tui.stage import Stage
from gossiplab.world.world import World, new_world
from tests.helpers import header_of, specimen

SIZE = 160, 48
FRAMES = 240
WARM = 15  # frames that fill caches
GOAL, WHOLE_GOAL = 0.016, 0.020  # s of CPU a frame
KEYS = 200
KEY_GOAL = 0.050  # s


class NullDriver(HeadlessDriver):
    """A terminal that counts what it gets. Not headless, so that Textual encodes everything."""

    written = 0

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        NullDriver.written += len(data)


class Bench(App[None]):
    """A stage that fills the screen."""

    def compose(self) -> ComposeResult:
        yield Stage()


def traffic(nodes: int, flights: int, seed: int) -> Iterator[tuple[World, float]]:
    """A World at one frame after the other, with about so many messages in flight, half of which carry a rumor."""
    rng = Random(seed)
    world = new_world(header_of("epidemic", nodes=nodes))
    world.apply([Injected(0.0, 0, 0), Learned(0.0, 0, 0, None)])
    due: dict[int, Sent] = {}
    sent = 0
    for frame in range(FRAMES):
        t = frame * FRAME
        batch: list[AnyEvent] = []
        for id in [id for id, message in due.items() if message.due <= t]:
            message = due.pop(id)
            batch.append(Delivered(t, id))
            if message.carries and message.dst not in world.rumors[0].arrivals and rng.random() < 0.2:
                batch.append(Learned(t, message.dst, 0, id))
        while len(due) < flights:
            a, b = rng.sample(range(nodes), 2)
            carries = (0,) if rng.random() < 0.5 else ()
            kind = rng.choice(("Push", "Pull", "Ack"))
            due[sent] = Sent(t, sent, a, b, t + 0.3 + rng.random(), kind, 10, carries, Raw(b"{}"))
            batch.append(due[sent])
            sent += 1
        world.apply(batch)
        yield world, t


async def stage_alone(topology: str, nodes: int, flights: int, arrangement: Arrangement) -> list[float]:
    """CPU seconds of each frame."""
    app = Bench(driver_class=NullDriver)
    costs: list[float] = []

    async def play() -> None:
        stage = app.query_one(Stage)
        stage.open(nodes, build_edges(topology, nodes, 1), 1)
        stage.arrangement = arrangement
        await asyncio.sleep(0.2)
        for frame, (world, t) in enumerate(traffic(nodes, flights, 1)):
            begin, wall = process_time(), perf_counter()
            stage.draw(world, t, moving=True)
            await asyncio.sleep(max(0.0, FRAME - (perf_counter() - wall)))
            if frame >= WARM:
                costs.append(process_time() - begin)
        app.exit()

    await app.run_async(size=SIZE, mouse=False, auto_pilot=lambda pilot: play())
    return costs


async def whole(nodes: int, latency: str, path: Path) -> tuple[list[float], list[int]]:
    """CPU seconds from frame to frame of a lab on the screen at 1x, and the messages in flight then."""
    header = header_of("epidemic", nodes=nodes, until="stopped", link={"latency": latency}, seed=1)
    session = LiveLab(header, specimen("epidemic"), path)
    app = GossipApp(session)
    app.driver_class = NullDriver
    instants: list[float] = []
    flying: list[int] = []

    class Watched(LabScreen):
        """A lab screen that is looked at."""

        def frame(self) -> None:
            instants.append(process_time())
            flying.append(len(session.latest.flights))
            super().frame()

    async def watch() -> None:
        while len(instants) < FRAMES:  # noqa: ASYNC110  # the wall is what is measured
            await asyncio.sleep(0.2)
        app.leave(0)

    with patch("gossiplab.tui.app.LabScreen", Watched):
        await app.run_async(size=SIZE, mouse=False, auto_pilot=lambda pilot: watch())
    await app.close()
    costs = [after - before for before, after in pairwise(instants)]
    return costs[2 * WARM :], flying[2 * WARM :]


def key_latency(nodes: int, folder: str) -> list[float]:
    """Seconds from each key to its effect on the screen, while the lab runs as fast as it goes."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
    environment = {
        **os.environ,
        "TERM": "xterm-256color",
        "XDG_DATA_HOME": folder,
        "COLUMNS": "",
        "LINES": "",
    }
    command = (sys.executable, "-m", "gossiplab", "lab", "epidemic", "--nodes", str(nodes))
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environment)

    def read_until(word: bytes, patience: float) -> bool:
        give_up, seen = perf_counter() + patience, b""
        while word not in seen and perf_counter() < give_up:
            if select.select([master], [], [], 0.01)[0]:
                seen += os.read(master, 1 << 20)
        return word in seen

    try:
        read_until(b"delivered", 30)
        os.write(master, b"+" * 7)
        read_until(b"space goes on", 30)  # it rests once the rumor has reached everybody
        os.write(master, b" ")
        read_until(b"live", 5)
        rng, costs = Random(1), list[float]()
        for _ in range(KEYS):
            read_until(b"never", 0.05 + rng.random() * 0.1)  # not in step with the frames
            os.write(master, b" ")
            begin = perf_counter()
            if read_until(b"paused at", 5):
                costs.append(perf_counter() - begin)
            os.write(master, b" ")
            read_until(b"live", 5)
        return costs
    finally:
        process.kill()
        process.wait()
        os.close(slave)
        os.close(master)


def main() -> None:
    """Print the tables."""
    print(f"a frame at {SIZE[0]}x{SIZE[1]}, ms of CPU               min  median    p99     kB")
    collect_rarely()  # as the app does
    network, numbered = Arrangement.NETWORK, Arrangement.NUMBERED
    for topology, nodes, flights, arrangement in (
        ("complete", 200, 300, network),
        ("watts-strogatz", 200, 300, network),
        ("complete", 200, 300, numbered),
        ("complete", 1000, 1000, numbered),
        ("complete", 10_000, 10_000, numbered),
    ):
        NullDriver.written = 0
        costs = asyncio.run(stage_alone(topology, nodes, flights, arrangement))
        words = "network" if arrangement is network else "field"
        goal = f"  goal {1000 * GOAL:.0f}" if nodes == 200 else ""
        _row(f"stage: {nodes} nodes, {flights} flying, {topology}, {words}", costs, FRAMES, goal)
    for nodes, latency in ((200, "0.6..0.9"), (1000, "0.8..1.2"), (1000, "0.01..0.05")):
        NullDriver.written = 0
        with tempfile.TemporaryDirectory() as folder:
            costs, flying = asyncio.run(whole(nodes, latency, Path(folder) / "run.gossip"))
        goal = f"  goal {1000 * WHOLE_GOAL:.0f}" if nodes == 1000 else ""
        _row(f"whole: {nodes} nodes, {statistics.median(flying):.0f} flying", costs, len(costs), goal)
    print(f"{KEYS} keys while the lab runs as fast as it goes, ms      min  median    p99")
    for nodes in (30, 1000):
        with tempfile.TemporaryDirectory() as folder:
            costs = key_latency(nodes, folder)
        _row(f"{nodes} nodes, {KEYS - len(costs)} keys unanswered", costs, 0, f"  goal {1000 * KEY_GOAL:.0f}")


def _row(words: str, costs: list[float], frames: int, goal: str) -> None:
    costs = sorted(costs)
    least, median, worst = costs[0], statistics.median(costs), costs[int(0.99 * len(costs))]
    size = f"{NullDriver.written / frames / 1000:7.1f}" if frames else " " * 7
    print(f"  {words:<52}{1000 * least:6.1f}{1000 * median:8.1f}{1000 * worst:7.1f}{size}{goal}", flush=True)


if __name__ == "__main__":
    main()
