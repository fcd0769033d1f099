"""How far a lab without rumors has come, as a share from 0 to 1. Imports membership.

Where nodes believe something of one another it is the share of their beliefs that are right; where they only keep
neighbours, the accuracy of HyParView's paper (Leitao et al. 2007, section 5.1): the share of a node's neighbours that
live, on average.
"""

from collections.abc import Mapping, Sequence

from gossiplab.events import View
from gossiplab.world.membership import Membership

MOST_SHARES = 256  # kept; beyond, every second one goes

Share = tuple[float, float]
"""An instant in seconds, and the share from then on until the next point."""


def agreed_share(
    membership: Membership, overlay: Sequence[Mapping[View, tuple[int, ...]]], up: Sequence[bool]
) -> float | None:
    """The share now, to four places; None where nobody believes anything or keeps neighbours. up: whether each node is."""
    if membership.beliefs:
        return round(membership.right(up), 4)
    if overlay:
        return round(_accuracy(overlay, up), 4)
    return None


def keep_share(points: list[Share], t: float, now: float) -> None:
    """Add to what is kept of the course of a run, if it has changed."""
    if not points or points[-1][1] != now:
        points.append((t, now))
        if len(points) > MOST_SHARES:
            del points[1:-1:2]


def _accuracy(overlay: Sequence[Mapping[View, tuple[int, ...]]], up: Sequence[bool]) -> float:
    """Whoever is up and keeps nobody counts as 0."""
    total = 0.0
    for node, views in enumerate(overlay):
        peers = views.get("active", ())
        if up[node] and peers:
            total += sum(up[peer] for peer in peers) / len(peers)
    alive = sum(up)
    return total / alive if alive else 1.0
