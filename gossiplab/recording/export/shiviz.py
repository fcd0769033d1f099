r"""A log that ShiViz draws as a space-time diagram (Beschastnikh et al. 2016; bestchai.bitbucket.io/shiviz).

ShiViz takes the first line of a file as the regular expression that finds events, the second as the delimiter
between executions (empty here: there is one), and the rest as the log. An event needs a host, a text and a vector
clock as a JSON object, in which each host counts its own events from 1 in steps of 1; from the clocks alone it works
out who heard of what, so they have to be those of Mattern and Fidge:

    what happens on a node      its own entry goes up by one
    a message arrives           before that, each entry becomes the larger of the node's and the message's,
                                which are those of its sender when it was sent

Events are: sent, delivered, learned, retired, killed, left, rejoined, crashed. What happens to no node (a loss, a cut)
has no place in such a diagram. Imports reader, events and flights.
"""

from collections.abc import Iterator

from gossiplab.events import (
    AnyEvent,
    Crashed,
    Delivered,
    Departed,
    Dropped,
    Duplicated,
    Killed,
    Learned,
    Rejoined,
    Retired,
    Sent,
)  # fmt: skip
from gossiplab.recording.export import Reached, nothing
from gossiplab.recording.export.flights import Flights
from gossiplab.recording.format import encoder
from gossiplab.recording.reader import Recording
from gossiplab.text import visible

PARSER = r"(?<time>\S+) (?<host>\S+) (?<clock>\{\S+\}) (?<event>.*)"
"""What finds an event, in the spelling of ShiViz; `time` is a field that can be searched for there."""

Clock = dict[str, int]


def export_shiviz(recording: Recording, reached: Reached = nothing) -> Iterator[str]:
    """The file, a line at a time. Memory grows with nodes times messages under way, and not with the recording."""
    yield f"{PARSER}\n\n"
    clocks: list[Clock] = [{} for _ in range(recording.header.experiment.nodes)]
    carried: dict[int, Clock] = {}  # the clocks that messages under way bring along
    lost: Clock = {}
    flights = Flights()
    for number, event in enumerate(recording.read()):
        message = flights.follow(event)
        match event, message:
            case Duplicated(), _:
                carried[event.id] = carried.get(event.of, lost)
                continue
            case Dropped(), _:
                lost = carried.pop(event.id)
                continue
            case Sent(), _:
                node, text = event.src, f"sends {visible(event.kind)} to n{event.dst} (message {event.id})"
            case Delivered(), Sent():
                node = message.dst
                text = f"receives {visible(message.kind)} from n{message.src} (message {event.id})"
                _merge(clocks[node], carried.pop(event.id))
            case _:
                local = _local(event)
                if local is None:
                    continue
                node, text = local
        host, clock = f"n{node}", clocks[node]
        clock[host] = clock.get(host, 0) + 1
        if isinstance(event, Sent):
            carried[event.id] = clock.copy()
        yield f"{event.t!r} {host} {encoder.encode(clock).decode()} {text}\n"
        if number % 1000 == 0:
            reached(event.t)


def _merge(clock: Clock, other: Clock) -> None:
    for host, time in other.items():
        if clock.get(host, 0) < time:
            clock[host] = time


def _local(event: AnyEvent) -> tuple[int, str] | None:
    """The node that an event happens on, and what to write of it; None for what happens to no node."""
    match event:
        case Learned():
            by = "" if event.by is None else f" from message {event.by}"
            return event.node, f"learns rumor {event.rumor}{by}"
        case Retired():
            return event.node, f"loses interest in rumor {event.rumor}"
        case Killed():
            return event.node, "is killed"
        case Departed():
            return event.node, "leaves"
        case Rejoined():
            return event.node, f"rejoins {'fresh' if event.fresh else 'with its memory'}"
        case Crashed():
            return event.node, f"crashes: {visible(event.error)}"
        case _:
            return None
