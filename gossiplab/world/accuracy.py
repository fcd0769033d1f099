"""The accuracy of an overlay: how many of the neighbours live. Imports events.

It is that of HyParView's paper (Leitao et al. 2007, section 5.1): the share of a node's neighbours that live, on average.
"""

from collections.abc import Mapping, Sequence

from gossiplab.events import View


def accuracy(overlay: Sequence[Mapping[View, tuple[int, ...]]], up: Sequence[bool]) -> float:
    """A share from 0 to 1. up: whether each node is. Whoever is up and keeps nobody counts as 0."""
    total = 0.0
    for node, views in enumerate(overlay):
        peers = views.get("active", ())
        if up[node] and peers:
            total += sum(up[peer] for peer in peers) / len(peers)
    alive = sum(up)
    return total / alive if alive else 1.0
