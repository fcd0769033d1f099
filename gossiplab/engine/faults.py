"""Faults: what a protocol may do wrong in a lab, and the words for it. Imports errors, and the watchdog's door."""

import re
import signal
from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

from gossiplab.engine.watchdog import door
from gossiplab.errors import ProtocolError

_MOST_ITEMS = 1_000_000  # of what a protocol hands over at once: ten times as many as there can be nodes
_LONGEST_ERROR = 500  # characters of an error that go into its event
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
T = TypeVar("T")


def finite(items: Iterable[T]) -> tuple[T, ...]:
    """What a protocol hands over, before anything is done with it. Raises ProtocolError when there is no end of it."""
    taken = tuple(islice(items, _MOST_ITEMS + 1))
    if len(taken) > _MOST_ITEMS:
        raise ProtocolError(f"it hands over more than {_MOST_ITEMS:,} items at once: let them come to an end")
    return taken


def counted(number: object, what: str) -> None:
    """Raises ProtocolError unless what a protocol hands over is a number that a recording can count with."""
    if type(number) is not int or not 0 <= number < 2**63:
        raise ProtocolError(f"{what} is {str(number)[:50]}: give a whole number from 0 up, below 2^63")


def named(name: object, what: str) -> None:
    """Raises ProtocolError, or UnicodeEncodeError, unless what a protocol hands over is a string that can be written."""
    if type(name) is not str:
        raise ProtocolError(f"{what} is {str(name)[:50]}, which is no string")
    name.encode()


def endless() -> ProtocolError:
    """The fault of a node whose steps follow one another without end at one instant."""
    return ProtocolError("it acts without end while no virtual time passes: wait between steps")


def nested() -> ProtocolError:
    """The fault of a node whose tasks have tasks below them without end."""
    return ProtocolError(
        "it opens nurseries within nurseries without end: start tasks beside one another in one"
    )


def uncancelled() -> ProtocolError:
    """The fault of a node whose task ends another in trio's name."""
    return ProtocolError(
        "its task raised trio.Cancelled though nothing was cancelled: let it pass where it comes up"
    )


def endless_step(name: str) -> ProtocolError:
    """The fault of a node whose step had to be interrupted."""
    return ProtocolError(
        f"{name} does not return: a step may not block or loop for ever, to wait there are self.after and await"
    )


def is_ctrl_c(error: BaseException) -> bool:
    """Whether an error that came out of a protocol says that somebody has pressed Ctrl-C, and is nobody's fault.

    That is so where Ctrl-C raises wherever it strikes, as in a program that runs a lab and hears no signals.
    """
    handler: object = signal.getsignal(signal.SIGINT)
    raises = handler == signal.default_int_handler or getattr(handler, "__module__", "") == "trio._core._ki"
    return raises and isinstance(error, KeyboardInterrupt)


@door("node", "say")
def why(node: object, error: BaseException) -> str:
    """Type and text of an error, the same on every machine: no addresses, and nothing that cannot be written."""
    say = type(error).__str__
    try:
        text = say(error)
    except BaseException:
        text = "it cannot say why"
    text = _ADDRESS.sub("", f"{type(error).__name__}: {text}"[:_LONGEST_ERROR])
    return text.encode("utf-8", "backslashreplace").decode()
