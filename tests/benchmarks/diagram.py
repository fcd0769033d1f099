"""What a frame of the space-time diagram costs, 30 frames a second at 160 by 48.

A run is shown in a real Textual app, whose driver takes every byte that a terminal would get and forgets it.
CPU time of the whole process, from one frame to the next: reading events, drawing, compositing, encoding.
The last figures are of a whole lab that runs as fast as it can while its diagram is shown: what a frame then
takes of the wall, and how far behind the lab the diagram is. Printed, never asserted: figures of a machine.
"""

import asyncio
import statistics
import tempfile
from collections.abc import Iterator
from math import inf
from pathlib import Path
from random import Random
from time import perf_counter, process_time

from msgspec import Raw
from textual.app import App, ComposeResult
from textual.drivers.headless_driver import HeadlessDriver

from gossiplab.content import load_protocol
from gossiplab.events import AnyEvent, Delivered, Header, Injected, Learned, Sent
from gossiplab.experiment import Experiment, make_experiment
from gossiplab.plan import plan
from gossiplab.tui.app import GossipApp
from gossiplab.tui.lab_screen import LabScreen
from gossiplab.tui.live import LiveLab
from gossiplab.tui.spacetime import SpaceTime
from gossiplab.tui.view import Scene, View
from gossiplab.tui.views import VIEWS
from gossiplab.world.world import World, new_world

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
    """A view that fills the screen."""

    def __init__(self, view: type[View]) -> None:
        super().__init__(driver_class=NullDriver)
        self.view = view()

    def compose(self) -> ComposeResult:
        yield self.view


class Growing:
    """A session that is nothing but the events so far."""

    def __init__(self, nodes: int) -> None:
        self.header = Header(gossiplab=1, version="", experiment=Experiment(protocol="epidemic", nodes=nodes))
        self.world = self.latest = new_world(self.header)
        self.taken: list[AnyEvent] = []
        self.end = 0.0
        self.growing = True

    def events(self, start: int = 0, stop: int | None = None) -> Iterator[AnyEvent]:
        return iter(self.taken[start:stop])

    def at(self, t: float) -> World:
        world = new_world(self.header)
        world.apply(event for event in self.taken if event.t <= t)
        return world


def traffic(session: Growing, nodes: int, flights: int, seed: int) -> Iterator[float]:
    """One frame after the other of a session with about so many messages in flight, half of which carry a rumor."""
    rng = Random(seed)
    world = session.world
    session.taken = [Injected(0.0, 0, 0), Learned(0.0, 0, 0, None)]
    world.apply(session.taken)
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
        session.taken += batch
        session.end = t
        yield t


async def measure(view: type[View], topology: str, nodes: int, flights: int) -> list[float]:
    """CPU seconds of each frame."""
    app = Bench(view)
    costs: list[float] = []

    async def play() -> None:
        session = Growing(nodes)
        await asyncio.sleep(0.2)
        for frame, t in enumerate(traffic(session, nodes, flights, 1)):
            begin, wall = process_time(), perf_counter()
            app.view.show(Scene(session, session.world, t, None, frozenset(), False))
            await asyncio.sleep(max(0.0, FRAME - (perf_counter() - wall)))
            if frame >= 10:  # the first frames fill caches
                costs.append(process_time() - begin)
        app.exit()

    await app.run_async(size=SIZE, mouse=False, auto_pilot=lambda pilot: play())
    return costs


async def measure_live(nodes: int, seconds: float) -> tuple[list[float], list[int], float, int]:
    """A lab as fast as it goes behind its diagram: seconds of the wall of each frame, events not yet read after
    each, virtual seconds passed, and events kept.
    """
    fields = {"protocol": "epidemic", "nodes": nodes, "until": "stopped", "params": {"period": 0.2}}
    protocol = load_protocol("epidemic", ())
    header = plan(make_experiment(fields), protocol)
    with tempfile.TemporaryDirectory() as folder:
        session = LiveLab(header, protocol, Path(folder) / "run.gossip", inf)
        app = GossipApp(session)
        app.driver_class = NullDriver
        frames: list[float] = []
        behind: list[int] = []
        kept = 0

        async def play() -> None:
            nonlocal kept
            await asyncio.sleep(0.5)
            while session.running:  # noqa: ASYNC110  # it rests once the rumor has reached everybody
                await asyncio.sleep(0.1)
            session.toggle()
            screen = app.screen
            assert isinstance(screen, LabScreen)
            screen.action_view(VIEWS.index(SpaceTime))
            diagram = screen.query_one(SpaceTime)
            show = diagram.show

            def timed(scene: Scene) -> None:
                begin = perf_counter()
                show(scene)
                frames.append(perf_counter() - begin)
                behind.append(session.latest.events - diagram.history.next)

            diagram.show = timed  # type: ignore[method-assign]
            await asyncio.sleep(seconds)
            kept = len(diagram.history.steps)
            app.exit()

        await app.run_async(size=SIZE, mouse=False, auto_pilot=lambda pilot: play())
        return frames, behind, session.latest.t, kept


def main() -> None:
    """Print the table."""
    print(f"a frame at {SIZE[0]}x{SIZE[1]}, ms of CPU                        min  median    p99    kB")
    for view, topology, nodes, flights in (
        (SpaceTime, "complete", 40, 60),
        (SpaceTime, "complete", 200, 300),
        (SpaceTime, "complete", 1000, 1000),
    ):
        NullDriver.written = 0
        costs = sorted(asyncio.run(measure(view, topology, nodes, flights)))
        least, median, worst = costs[0], statistics.median(costs), costs[int(0.99 * len(costs))]
        goal = f"  goal {1000 * GOAL:.0f}" if nodes == 200 else ""
        print(
            f"  {view.title:<10} {nodes} nodes, {flights} in flight, {topology:<16}"
            f"{1000 * least:8.1f}{1000 * median:8.1f}{1000 * worst:7.1f}"
            f"{NullDriver.written / FRAMES / 1000:6.1f}{goal}"
        )
    frames, behind, t, kept = asyncio.run(measure_live(1000, 10.0))
    frames.sort()
    print(
        f"  {SpaceTime.title} of 1000 nodes, live, as fast as it goes: {1000 * statistics.median(frames):.1f} ms "
        f"of the wall a frame, p99 {1000 * frames[int(0.99 * len(frames))]:.1f}; "
        f"{len(frames) / 10:.0f} frames a second, {t:.0f} virtual seconds; "
        f"at most {max(behind):,} events behind, {kept:,} kept"
    )


if __name__ == "__main__":
    main()
