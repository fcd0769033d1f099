"""gossiplab: a laboratory for gossip protocols that opens in a terminal.

These are the names a protocol file needs; everything else is in the package's modules. They are looked up
when they are asked for, so that a command that runs no protocol does not wait for what protocols need.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gossiplab.experiment import Cycle
    from gossiplab.protocol import Message, Protocol, Read, Timer, Write, every, param
    from gossiplab.replica.membership import ALIVE, DEAD, LEFT, SUSPECTED, UNKNOWN

__all__ = [
    "ALIVE",
    "DEAD",
    "LEFT",
    "SUSPECTED",
    "UNKNOWN",
    "Cycle",
    "Message",
    "Protocol",
    "Read",
    "Timer",
    "Write",
    "every",
    "param",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from gossiplab import experiment, protocol
    from gossiplab.replica import membership

    return next(
        getattr(module, name) for module in (protocol, experiment, membership) if hasattr(module, name)
    )
