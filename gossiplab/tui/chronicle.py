"""The chronicle: the events of a session by their numbers, each with the message it is about. Imports session.

An event such as a delivery names its message by a number only. What was sent is found by reading on from the
keyframe before, at which the World knows what was in flight; so the events are read in segments that begin where
keyframes stand, in slices of a few milliseconds, and a few segments are kept. What is wanted at once (the lines
on the screen) is read at once, if need be without the messages, until its segment is read, too.
"""

from time import perf_counter
from typing import NamedTuple

from gossiplab.events import AnyEvent, Sent
from gossiplab.recording.format import keyframe_interval
from gossiplab.tui.session import Session
from gossiplab.world.saying import about, note

_KEPT = 3  # segments
_PIECE = 1000  # events between two looks at the wall


class Entry(NamedTuple):
    """Event number `number`, counted from 0, and the sending of the message that it is about, if it is known."""

    number: int
    event: AnyEvent
    message: Sent | None


class Segment:
    """The events from number `first` on, as far as they have been read. messages: those under way then or sent since."""

    def __init__(self, first: int, messages: dict[int, Sent]) -> None:
        self.first = first
        self.events: list[AnyEvent] = []
        self.messages = messages

    @property
    def read(self) -> int:
        """The number of the event that is read next."""
        return self.first + len(self.events)

    def entry(self, number: int) -> Entry:
        """One of the events that have been read."""
        event = self.events[number - self.first]
        return Entry(number, event, about(event, self.messages))


class Chronicle:
    """Events of a session. Every method raises GossiplabError when the recording is corrupted."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.length_of_segment = keyframe_interval(session.header.experiment.nodes)
        self._segments: dict[int, Segment] = {}

    @property
    def length(self) -> int:
        """How many events there are by now."""
        return self._session.latest.events

    def segment(self, number: int) -> Segment:
        """The segment that event `number` is in, read or not."""
        first = number - number % self.length_of_segment
        segment = self._segments.pop(first, None)
        if segment is None:
            messages: dict[int, Sent] = {}
            if first:
                world = self._session.recording().at_event(first)
                messages = {loss.message.id: loss.message for loss in world.lost} | world.flights
            segment = Segment(first, messages)
            while len(self._segments) >= _KEPT:
                del self._segments[next(iter(self._segments))]
        self._segments[first] = segment  # the last one used is the last to go
        return segment

    def read(self, segment: Segment, upto: int, seconds: float) -> bool:
        """Read on in a segment, for so many seconds. Whether everything before event `upto` has been read."""
        until = perf_counter() + seconds
        upto = min(upto, segment.first + self.length_of_segment, self.length)
        if segment.read >= upto:
            return True
        while segment.read < upto:
            piece = list(self._session.events(segment.read, min(upto, segment.read + _PIECE)))
            for event in piece:
                note(event, segment.messages)
            segment.events += piece
            if not piece or perf_counter() > until:
                break
        return segment.read >= upto

    def entries(self, start: int, stop: int, seconds: float) -> list[Entry]:
        """The events number `start` up to `stop`, at once; their messages if that takes no longer than `seconds`."""
        start, stop = max(0, start), min(stop, self.length)
        entries: list[Entry] = []
        while start < stop:
            segment = self.segment(start)
            end = min(stop, segment.first + self.length_of_segment)
            if self.read(segment, end, seconds):
                entries += [segment.entry(number) for number in range(start, end)]
            else:
                known = (
                    segment.messages | self._session.latest.flights
                    if end == self.length
                    else segment.messages
                )
                events = self._session.events(start, end)
                entries += [
                    Entry(number, event, about(event, known)) for number, event in enumerate(events, start)
                ]
            start = end
        return entries
