"""The one use of trio's private parts: a scheduler that runs tasks in the order of their creation.

Trio shuffles the tasks that are runnable at the same time, on purpose: nobody shall rely on their
order. A lab must, since the same seed has to give the same run to the byte, and it is the only one that
does: within a lab, and only while it runs, tasks take their turns in the order in which they were created.
Trio carries this switch for its own tests and for hypothesis, under private names; if a release of trio
moves them, `deterministic_scheduling` refuses to start, and the test beside it says so first.
"""

from collections.abc import Generator, MutableSequence
from contextlib import contextmanager
from random import Random
from typing import Any, cast

import trio


class _InOrder(Random):
    """In place of trio's generator, which shuffles the sorted tasks and then takes them from the end."""

    def shuffle(self, x: MutableSequence[Any]) -> None:
        x.reverse()


@contextmanager
def deterministic_scheduling() -> Generator[None]:
    """Within this context, runnable tasks run in the order of their creation. Raises RuntimeError if trio cannot."""
    run = cast(Any, trio)._core._run
    if not (hasattr(run, "_ALLOW_DETERMINISTIC_SCHEDULING") and hasattr(run, "_r")):
        raise RuntimeError(
            f"trio {trio.__version__} no longer has its scheduling switch: install an older trio."
        )
    before = run._ALLOW_DETERMINISTIC_SCHEDULING, run._r
    run._ALLOW_DETERMINISTIC_SCHEDULING, run._r = True, _InOrder(0)
    try:
        yield
    finally:
        run._ALLOW_DETERMINISTIC_SCHEDULING, run._r = before
