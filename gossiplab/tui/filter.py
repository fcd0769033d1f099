"""The log's filter: which events a person wants to see, from what they type. Imports saying and nodeset.

A filter is words with spaces between them, all of which must hold; a minus before one turns it around:

    node:n7  node:n0-n9     it concerns one of these nodes
    from:n1  to:n2          it is about a message from, to one of these nodes
    kind:dropped,learned    it is one of these kinds of events
    type:push               it is about a message of this type, or one that begins so
    rumor:0                 it is about this rumor, or a message that carries it
    message:12              it is about this message
    t>3  t<=4.5             when it happened, in seconds
    anything else           it is in the text
"""

import math
import operator
import re
from collections.abc import Callable

from gossiplab.errors import UserError
from gossiplab.events import AnyEvent, Sent
from gossiplab.nodeset import parse_nodes
from gossiplab.text import visible
from gossiplab.world.saying import KINDS, message_id, say_event

Test = Callable[[AnyEvent, Sent | None], bool]
"""Whether an event, about the message that was sent so if it is known, is wanted."""

USAGE = "node:n7 from:n1 to:n2 kind:dropped type:push rumor:0 message:12 t>3 -not text"
_TIME = re.compile(r"t(<=|>=|<|>|=)(.*)")
_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq}


def parse_filter(text: str, nodes: int) -> Test | None:
    """The test that a filter stands for; None when it is empty. Raises UserError, in one sentence."""
    tests = [_negated(word[1:], nodes) if word[:1] == "-" else _term(word, nodes) for word in text.split()]
    if len(tests) <= 1:
        return tests[0] if tests else None
    return lambda event, message: all(test(event, message) for test in tests)


def _negated(word: str, nodes: int) -> Test:
    if not word:
        raise UserError("a minus alone leaves nothing out: write -kind:sent, or -word.")
    test = _term(word, nodes)
    return lambda event, message: not test(event, message)


def _term(word: str, nodes: int) -> Test:
    name, colon, value = word.partition(":")
    if colon and (make := _TERMS.get(name.lower())):
        if not value:
            raise UserError(f"{name}: wants something after the colon, as in {USAGE}.")
        return make(value, nodes)
    if match := _TIME.fullmatch(word):
        return _time(match[1], match[2], word)
    wanted = word.casefold()
    return lambda event, message: wanted in say_event(event, message).casefold()


def _time(sign: str, text: str, word: str) -> Test:
    try:
        instant = float(text.removesuffix("s"))
    except ValueError:
        instant = math.nan
    if math.isnan(instant):
        raise UserError(f"{visible(word, 40)} gives no time: write seconds, as in t>3 or t<=4.5.")
    compare = _COMPARE[sign]
    return lambda event, _: compare(event.t, instant)


def _node(value: str, nodes: int) -> Test:
    wanted = parse_nodes(value.lower(), nodes)

    def test(event: AnyEvent, message: Sent | None) -> bool:
        if message is not None and (message.src in wanted or message.dst in wanted):
            return True
        return getattr(event, "node", None) in wanted or getattr(event, "about", None) in wanted

    return test


def _from(value: str, nodes: int) -> Test:
    wanted = parse_nodes(value.lower(), nodes)
    return lambda event, message: message is not None and message.src in wanted


def _to(value: str, nodes: int) -> Test:
    wanted = parse_nodes(value.lower(), nodes)
    return lambda event, message: message is not None and message.dst in wanted


def _kind(value: str, nodes: int) -> Test:
    names = set(value.lower().split(","))
    known = dict(zip(KINDS.values(), KINDS, strict=True))
    if unknown := sorted(names - known.keys()):
        raise UserError(f"there is no kind of event {visible(unknown[0], 30)!r}: write {', '.join(known)}.")
    wanted = {known[name] for name in names}
    return lambda event, _: event.__class__ in wanted


def _type(value: str, nodes: int) -> Test:
    wanted = value.casefold()
    return lambda _, message: message is not None and message.kind.casefold().startswith(wanted)


def _rumor(value: str, nodes: int) -> Test:
    wanted = _number("rumor", value)

    def test(event: AnyEvent, message: Sent | None) -> bool:
        rumor = getattr(event, "rumor", None)
        return rumor == wanted if rumor is not None else message is not None and wanted in message.carries

    return test


def _message(value: str, nodes: int) -> Test:
    wanted = _number("message", value)
    return lambda event, _: wanted in (message_id(event), getattr(event, "of", None))


def _number(what: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 20):
        raise UserError(f"{visible(value, 30)!r} is no {what}: write its number, as {what}:0.")
    return int(value)


_TERMS: dict[str, Callable[[str, int], Test]] = {
    "node": _node, "from": _from, "to": _to, "kind": _kind, "type": _type, "rumor": _rumor, "message": _message,
}  # fmt: skip
