"""Deliveries per second of the overlays at 500 nodes: joining, then a broadcast every second. Not compared to anything.

CPU time of the lab alone, without a recording.
"""

import gc
from time import process_time

from gossiplab.content import load_protocol
from gossiplab.engine.lab import Lab
from gossiplab.engine.run import run_lab
from gossiplab.experiment import Experiment
from gossiplab.plan import plan

NODES, UNTIL, FIRST = 500, 60.0, 15  # nodes, virtual s, the second of the first broadcast


def main() -> None:
    """Print the table."""
    at = tuple(f"{t} inject n{7 * t % NODES}" for t in range(FIRST, int(UNTIL)))
    print(f"{NODES} nodes, {UNTIL:g} virtual s     deliveries   CPU s   deliveries per second of CPU")
    for name in ("cyclon", "hyparview", "plumtree"):
        protocol = load_protocol(name)
        lab = Lab(plan(Experiment(protocol=name, nodes=NODES, until=UNTIL, at=at), protocol), protocol)
        gc.collect()
        start = process_time()
        run_lab(lab)
        seconds = process_time() - start
        delivered = lab.network.delivered
        print(f"  {name:<24}{delivered:12,}{seconds:8.2f}{delivered / seconds:16,.0f}")
