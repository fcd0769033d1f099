"""What a frame of the whole screen costs with each view, at 160 by 48, 30 frames a second. Printed, never asserted."""

import asyncio
import statistics
import tempfile
from pathlib import Path
from time import process_time

from gossiplab.tui.app import GossipApp
from gossiplab.tui.lab_screen import FRAME
from gossiplab.tui.session import Replay
from gossiplab.tui.views import VIEWS
from tests.benchmarks.screen import FRAMES, SIZE, NullDriver
from tests.helpers import bytes_of, header_of


async def measure(path: Path, title: str) -> list[float]:
    """CPU seconds of each frame of the whole screen, with one view of a recording that plays at 1x."""
    app = GossipApp(Replay(path))
    app.driver_class = NullDriver
    costs: list[float] = []

    async def play() -> None:
        app.session.toggle()
        await asyncio.sleep(0.5)
        app.simulate_key(str(1 + [view.title for view in VIEWS].index(title)))
        app.session.seek(8.0)
        app.session.toggle()
        for frame in range(FRAMES):
            begin = process_time()
            await asyncio.sleep(FRAME)
            if frame >= 10:
                costs.append(process_time() - begin)
        app.exit()

    await app.run_async(size=SIZE, mouse=False, auto_pilot=lambda pilot: play())
    return costs


def main() -> None:
    """Print what each view costs."""
    print(
        f"a frame of the whole screen at {SIZE[0]}x{SIZE[1]}, 1,000 nodes at 1x, ms of CPU     min  median    p99"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.gossip"
        path.write_bytes(bytes_of(header_of("epidemic", nodes=1000, until=20.0)))
        for view in VIEWS:
            costs = sorted(asyncio.run(measure(path, view.title)))
            least, median, worst = costs[0], statistics.median(costs), costs[int(0.99 * len(costs))]
            print(f"  {view.title:<52}{1000 * least:12.1f}{1000 * median:8.1f}{1000 * worst:7.1f}")
