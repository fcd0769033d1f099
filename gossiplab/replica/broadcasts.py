"""News that one node has still to pass on, piggybacked on whatever it sends. Imports membership.

Infection-style dissemination (SWIM, section 4.1): of all news those go first that were sent least, and each is sent a
limited number of times. Among those sent equally often the newest goes first, as in memberlist's `queue.go`. News
about a member replaces older news about it.
"""

from gossiplab.replica.membership import ALIVE, DEAD, LEFT, SUSPECTED

Update = tuple[int, str, int, int]
"""News: about which member, its state, its incarnation, and by whom that was found out."""

PACKET = 1400
"""Bytes for one packet (memberlist's UDPBufferSize)."""

SIZE = {ALIVE: 67, SUSPECTED: 37, DEAD: 37, LEFT: 37}
"""Bytes of PACKET that news takes. As memberlist encodes it for a name of four letters, an IPv4 address and no meta
data: so a packet holds as much news as there, although the lab's own encoding is shorter."""


class Broadcasts:
    """The news that a node has still to send. True as long as there is any."""

    __slots__ = ("_sent", "_tiers")

    def __init__(self) -> None:
        self._sent: dict[int, int] = {}  # about whom there is news, and how often it was sent
        self._tiers: list[dict[int, Update]] = [{}]  # by how often it was sent; the newest last

    def __bool__(self) -> bool:
        return bool(self._sent)

    def put(self, update: Update) -> None:
        """Send this, from now on, instead of what was to be sent about the same member."""
        about = update[0]
        sent = self._sent.get(about)
        if sent is not None:
            del self._tiers[sent][about]
        self._sent[about] = 0
        self._tiers[0][about] = update

    def take(self, limit: int) -> list[Update]:
        """News for one packet, as much as fits. limit: how often each is sent altogether."""
        taken: list[Update] = []
        if not self._sent:
            return taken
        room = PACKET
        tiers, places = self._tiers, self._sent
        moved: list[tuple[int, list[Update]]] = []
        for sent, tier in enumerate(tiers):
            start = len(taken)
            while tier:
                about, update = tier.popitem()
                room -= SIZE[update[1]]
                if room < 0:
                    tier[about] = update
                    break
                taken.append(update)
            if len(taken) > start:
                moved.append((sent + 1, taken[start:]))
            if room < 0:
                break
        for sent, updates in moved:
            if sent >= limit:
                for update in updates:
                    del places[update[0]]
                continue
            if sent == len(tiers):
                tiers.append({})
            tier = tiers[sent]
            for update in reversed(updates):
                about = update[0]
                tier[about] = update
                places[about] = sent
        return taken
