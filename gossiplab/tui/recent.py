"""What happened last to a node, a link or a message, up to the instant in view. Imports chronicle and selection.

Looks at what is new, and goes further back a piece at a time, so that it costs a few milliseconds however long
the recording is. A lab that runs faster than that shows what it did last, and not everything.
"""

from collections import deque

from gossiplab.errors import GossiplabError
from gossiplab.tui.chronicle import Chronicle, Entry
from gossiplab.tui.selection import PickedLink, PickedMessage, PickedNode, Selection
from gossiplab.tui.session import Session
from gossiplab.world.saying import message_id

_MOST = 6  # events
_PIECE = 1_500  # events that are looked at in a frame
_FURTHEST = 60_000  # events back, after which nothing more is looked for
_SLICE = 0.003  # s of a frame


class Recent:
    """The last events that concern a selection, oldest first. All of them happened before the instant in view."""

    def __init__(self) -> None:
        self._chronicle: Chronicle | None = None
        self._session: Session | None = None
        self._picked: Selection | None = None
        self._low = self._high = 0
        self.entries: deque[Entry] = deque()

    def look(self, session: Session, picked: Selection) -> None:
        """Bring `entries` up to the instant in view. What a corrupted recording does not give is left out."""
        if self._chronicle is None or session is not self._session:
            self._chronicle, self._session, self._picked = Chronicle(session), session, None
        now = session.world.events
        try:
            if picked != self._picked or now < self._high:
                self._picked, self._low, self._high = picked, now, now
                self.entries.clear()
            if now > self._high:
                self._ahead(self._chronicle, now)
            elif len(self.entries) < _MOST and self._low > max(0, now - _FURTHEST):
                self._back(self._chronicle)
        except GossiplabError:
            self._low = 0

    def _ahead(self, chronicle: Chronicle, now: int) -> None:
        start = max(self._high, now - _PIECE)
        for entry in chronicle.entries(start, now, _SLICE):
            if concerns(entry, self._picked):
                self.entries.append(entry)
        while len(self.entries) > _MOST:
            self.entries.popleft()
        self._high = now

    def _back(self, chronicle: Chronicle) -> None:
        start = max(0, self._low - _PIECE)
        for entry in reversed(chronicle.entries(start, self._low, _SLICE)):
            if len(self.entries) < _MOST and concerns(entry, self._picked):
                self.entries.appendleft(entry)
        self._low = start


def concerns(entry: Entry, picked: Selection | None) -> bool:
    """Whether an event is about a node, a link or a message."""
    _, event, message = entry
    match picked:
        case PickedNode(node):
            return node in (getattr(event, "node", None), getattr(event, "about", None)) or (
                message is not None and node in (message.src, message.dst)
            )
        case PickedLink(a, b):
            return message is not None and {message.src, message.dst} == {a, b}
        case PickedMessage(id):
            return message_id(event) == id or getattr(event, "of", None) == id
        case None:
            return False
