"""Running a lab without a screen: in a loop of its own, to its end or until a signal ends it. Imports the lab."""

import signal
import threading
from collections.abc import AsyncIterator

import trio

from gossiplab.engine.lab import Lab
from gossiplab.engine.scheduling import deterministic_scheduling
from gossiplab.errors import first_of


def run_lab(lab: Lab) -> None:
    """Run a lab to its end, without a screen, as fast as it goes. What its sink raises ends the run and comes out.

    SIGINT, SIGTERM and SIGHUP end the run too, at the instant it has reached, as a command to stop would;
    but not one that was ignored before, as nohup has it.
    """

    async def main() -> None:
        heeded = _heeded() if threading.current_thread() is threading.main_thread() else []
        if not heeded:
            await lab.main()
            return
        # from before the first step of a protocol: it may be the one that does not return
        with trio.open_signal_receiver(*heeded) as signals:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_stop_on_signal, lab, signals)
                await lab.main()
                nursery.cancel_scope.cancel()

    with deterministic_scheduling():
        try:
            trio.run(main, clock=lab.clock, instruments=[lab.kernel])
        except BaseExceptionGroup as group:
            raise first_of(group) from None


def _heeded() -> list[signal.Signals]:
    """The signals that end a run."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")  # the last is missing on some systems
    numbers = [number for name in names if (number := getattr(signal, name, None)) is not None]
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


async def _stop_on_signal(lab: Lab, signals: AsyncIterator[int]) -> None:
    async for number in signals:
        if lab.signal is None:
            lab.stop()
        else:
            lab.hurry()
        lab.signal = number
