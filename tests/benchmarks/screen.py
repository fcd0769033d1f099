"""What a frame of the stage costs: 200 nodes, 300 messages in flight, 30 frames a second at 160 by 48.

A World that is folded from events is shown in a real Textual app, whose driver takes every byte that a
terminal would get and forgets it. CPU time of the whole process, from one frame to the next: drawing,
compositing, encoding. Printed, never asserted: it is a figure of a machine.
"""

import asyncio
import statistics
from collections.abc import Iterator
from random import Random
from time import perf_counter, process_time

from msgspec import Raw
from textual.app import App, ComposeResult
from textual.drivers.headless_driver import HeadlessDriver

from gossiplab.events import AnyEvent, Delivered, Injected, Learned, Sent
from gossiplab.topology import build_edges
from gossiplab.tui.stage import Stage
from gossiplab.world.world import Node, World

SIZE = 160, 48
FRAME = 1 / 30  # s
FRAMES = 240
GOAL = 0.016  # s of CPU a frame


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
    world = World(nodes=[Node(shown={}) for _ in range(nodes)])
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
            due[sent] = Sent(t, sent, a, b, t + 0.3 + rng.random(), "Push", 10, carries, Raw(b"{}"))
            batch.append(due[sent])
            sent += 1
        world.apply(batch)
        yield world, t


async def measure(topology: str, nodes: int, flights: int) -> list[float]:
    """CPU seconds of each frame."""
    app = Bench(driver_class=NullDriver)
    costs: list[float] = []

    async def play() -> None:
        stage = app.query_one(Stage)
        stage.open(nodes, build_edges(topology, nodes, 1), 1)
        await asyncio.sleep(0.2)
        for frame, (world, t) in enumerate(traffic(nodes, flights, 1)):
            begin, wall = process_time(), perf_counter()
            stage.show(world, t)
            await asyncio.sleep(max(0.0, FRAME - (perf_counter() - wall)))
            if frame >= 10:  # the first frames fill caches
                costs.append(process_time() - begin)
        app.exit()

    await app.run_async(size=SIZE, mouse=False, auto_pilot=lambda pilot: play())
    return costs


def main() -> None:
    """Print the table."""
    print(f"a frame of the stage at {SIZE[0]}x{SIZE[1]}, ms of CPU      min  median    p99    kB")
    for topology, nodes, flights in (
        ("complete", 200, 300),
        ("watts-strogatz", 200, 300),
        ("complete", 1000, 1000),
    ):
        NullDriver.written = 0
        costs = sorted(asyncio.run(measure(topology, nodes, flights)))
        least, median, worst = costs[0], statistics.median(costs), costs[int(0.99 * len(costs))]
        goal = f"  goal {1000 * GOAL:.0f}" if nodes == 200 else ""
        print(
            f"  {nodes} nodes, {flights} in flight, {topology:<16}"
            f"{1000 * least:8.1f}{1000 * median:8.1f}{1000 * worst:7.1f}"
            f"{NullDriver.written / FRAMES / 1000:6.1f}{goal}"
        )


if __name__ == "__main__":
    main()
