"""`make bench`: measures the lab against its yardsticks and prints the tables. Asserts nothing.

Names after the command choose tables: make bench ARGS="delivery screen".
"""

import sys

from tests.benchmarks import (
    delivery,
    diagram,
    membership,
    overlays,
    replica,
    screen,
    seeking,
    starting,
    views,
)

TABLES = {
    "delivery": delivery.main,
    "membership": membership.main,
    "overlays": overlays.main,
    "replica": replica.main,
    "seeking": seeking.main,
    "screen": screen.main,
    "diagram": diagram.main,
    "views": views.main,
    "starting": starting.main,
}

for name in sys.argv[1:] or TABLES:
    print(f"== {name}")
    TABLES[name]()
