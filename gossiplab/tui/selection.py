"""What a person has selected: a node, a link or a message. Imports nothing.

The stage's own `selected` is the node that keys act on. A link or a message is picked beside it, to be looked
at; choosing a node lets go of it.
"""

from typing import NamedTuple


class PickedNode(NamedTuple):
    """A node, 0 .. n-1."""

    node: int


class PickedLink(NamedTuple):
    """The link between nodes `a` and `b`, in both directions."""

    a: int
    b: int


class PickedMessage(NamedTuple):
    """A message by its number. It may not have been sent yet, be under way, or have arrived."""

    id: int


Selection = PickedNode | PickedLink | PickedMessage
