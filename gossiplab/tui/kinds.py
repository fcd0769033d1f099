"""The shapes of messages: one for each type, filled when it carries the rumor and hollow when not. Imports text.

A type keeps its shape for as long as a lab is open. The names that the literature uses have shapes that are
theirs, so that a ping looks like a ping in every protocol; every other name gets the next one that is free.
"""

import re
from typing import NamedTuple

from gossiplab.text import visible


class Shape(NamedTuple):
    """How messages of a type look, with the rumor that is shown and without it. One cell each."""

    carrying: str
    other: str


PUSH, PULL, BOTH = Shape("▲", "△"), Shape("▼", "▽"), Shape("■", "□")
ASK, ANSWER = Shape("►", "▻"), Shape("◄", "◅")
DIGEST, DELTA = Shape("▮", "▯"), Shape("▬", "▭")
REFUSE, VIA, SPARE, LAST = Shape("◥", "◹"), Shape("◤", "◸"), Shape("◣", "◺"), Shape("◢", "◿")
SHAPES = (PUSH, PULL, BOTH, ASK, ANSWER, DIGEST, DELTA, REFUSE, VIA, SPARE, LAST)
MANY = Shape("•", "◦")  # for the types beyond those

_TELLING: dict[str, Shape] = {
    **dict.fromkeys(("push", "rumor", "update", "broadcast", "payload"), PUSH),
    **dict.fromkeys(("pull", "want", "graft"), PULL),
    **dict.fromkeys(("pushpull", "gossip", "exchange", "shuffle", "share"), BOTH),
    **dict.fromkeys(("ping", "probe", "call", "request", "query", "connect", "join", "heartbeat"), ASK),
    **dict.fromkeys(("ack", "pong", "answer", "reply", "response", "accept", "feedback", "shufflereply"), ANSWER),
    **dict.fromkeys(("digest", "syn", "ihave", "summary", "root", "hashes"), DIGEST),
    **dict.fromkeys(("delta", "data", "diff", "sync", "state", "repair"), DELTA),
    **dict.fromkeys(("nack", "reject", "prune", "disconnect", "refuse"), REFUSE),
    **dict.fromkeys(("pingreq", "indirect", "forward", "forwardjoin"), VIA),
}  # fmt: skip


class Kinds(dict[str, Shape]):
    """The shapes that the types of messages have in one lab, given out in the order in which types come up.

    kinds[type] is the same every time; no other type has it, as long as there are enough.
    """

    def __missing__(self, kind: str) -> Shape:
        taken = set(self.values())
        wanted = _TELLING.get(re.sub("[^a-z]", "", kind[:40].lower()))
        # from the end: at the beginning are those that some name may yet ask for
        free = [shape for shape in (wanted, *reversed(SHAPES)) if shape and shape not in taken]
        shape = self[kind] = free[0] if free else MANY
        return shape


def kind_word(kind: str) -> str:
    """A type's name in a line of words: "PushPull" is "push-pull"."""
    return visible(re.sub("(?<=[a-z0-9])(?=[A-Z])", "-", kind[:40]).lower(), 16)
