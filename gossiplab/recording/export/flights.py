"""Which message an event is about: follows the messages under way while events go by. Imports events."""

import msgspec

from gossiplab.errors import RecordingError
from gossiplab.events import AnyEvent, Delivered, Dropped, Duplicated, Sent


class Flights:
    """The messages under way, by id. Memory grows with them and not with the events."""

    def __init__(self) -> None:
        self._under_way: dict[int, Sent] = {}
        self._lost: Sent | None = None  # the message dropped last: the network may keep its copy

    def follow(self, event: AnyEvent) -> Sent | None:
        """The message that the next event sends, copies, delivers or drops; None when it does none of that.

        A copy has its own id and instants. Raises RecordingError when there is no such message.
        """
        match event:
            case Sent():
                self._under_way[event.id] = event
                return event
            case Delivered():
                return self._take(event.id)
            case Dropped():
                self._lost = self._take(event.id)
                return self._lost
            case Duplicated():
                original = self._under_way.get(event.of)
                if original is None and self._lost is not None and self._lost.id == event.of:
                    original = self._lost
                if original is None:
                    raise _unknown(event.of)
                copy = msgspec.structs.replace(original, id=event.id, t=event.t, due=event.due)
                self._under_way[event.id] = copy
                return copy
            case _:
                return None

    def _take(self, id: int) -> Sent:
        message = self._under_way.pop(id, None)
        if message is None:
            raise _unknown(id)
        return message


def _unknown(id: int) -> RecordingError:
    return RecordingError(
        f"the recording is corrupted: message {id} is under way nowhere; take another recording."
    )
