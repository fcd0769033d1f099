"""What one node believes of the others, and which news overrides which belief. Imports nothing of the lab.

A belief is a state and an incarnation number. Every news item (state, incarnation) that arrives is held against
what is stored; the precedence rules say whether it overrides that. There are two sets of rules, as tables below:

    swim        Das, Gupta, Motivala 2002, "SWIM: scalable weakly-consistent infection-style process group
                membership protocol", section 4.2. Confirm (here: dead) is final.
    memberlist  HashiCorp's library, `state.go`: aliveNode, suspectNode, deadNode, mergeState. A dead member
                comes back with a higher incarnation.

Only a member itself raises its incarnation: to refute what others say of it. Leaving is the last thing a member
says of itself, and overrides what death overrides.

The known hole of memberlist's rules: a member is Alive@1 and Dead@1 for us. Dead@10 arrives and is ignored, for it
is dead already; so the 10 is forgotten, and a late Alive@2 brings it back to life.
"""

import math
from collections.abc import Iterable

ALIVE, SUSPECTED, DEAD, LEFT, UNKNOWN = "alive", "suspected", "dead", "left", "unknown"

STATES = (ALIVE, SUSPECTED, DEAD, LEFT, UNKNOWN)
"""What a node may believe of another. UNKNOWN: it has never heard of it, or has forgotten it."""

NEVER, GREATER, AT_LEAST, ALWAYS = "never", ">", ">=", "always"
"""How the incarnation that arrives has to compare with the stored one."""

Rules = dict[str, dict[str, str]]
"""By the state that arrives, then by the stored one: which incarnations override."""

_CONFIRM = {ALIVE: ALWAYS, SUSPECTED: ALWAYS, DEAD: NEVER, LEFT: NEVER, UNKNOWN: NEVER}
_DEATH = {ALIVE: AT_LEAST, SUSPECTED: AT_LEAST, DEAD: NEVER, LEFT: NEVER, UNKNOWN: NEVER}

PRECEDENCE: dict[str, Rules] = {
    "swim": {
        ALIVE: {ALIVE: GREATER, SUSPECTED: GREATER, DEAD: NEVER, LEFT: NEVER, UNKNOWN: ALWAYS},
        SUSPECTED: {ALIVE: AT_LEAST, SUSPECTED: GREATER, DEAD: NEVER, LEFT: NEVER, UNKNOWN: NEVER},
        DEAD: _CONFIRM,
        LEFT: _CONFIRM,
    },
    "memberlist": {
        ALIVE: {ALIVE: GREATER, SUSPECTED: GREATER, DEAD: GREATER, LEFT: GREATER, UNKNOWN: ALWAYS},
        SUSPECTED: {ALIVE: AT_LEAST, SUSPECTED: NEVER, DEAD: NEVER, LEFT: NEVER, UNKNOWN: NEVER},
        DEAD: _DEATH,
        LEFT: _DEATH,
    },
}
"""Which news overrides which belief about somebody else."""

REFUTED: dict[str, dict[str, str]] = {
    "swim": {ALIVE: NEVER, SUSPECTED: AT_LEAST, DEAD: NEVER, LEFT: NEVER},
    "memberlist": {ALIVE: GREATER, SUSPECTED: AT_LEAST, DEAD: AT_LEAST, LEFT: AT_LEAST},
}
"""Which news about itself a member refutes, by how the incarnation in it compares with its own."""

HANDED: dict[str, dict[str, str]] = {
    "swim": {},
    "memberlist": {DEAD: SUSPECTED},
}
"""What a state counts as when it comes in a whole list (a push/pull), where it is not the same."""

FIRST = {"swim": 0, "memberlist": 1}
"""The incarnation a member begins with."""


BIG = 32  # members: memberlist's pushPullScaleThreshold


def push_pull_factor(members: int) -> int:
    """How many times longer than in a small cluster it is between exchanges of whole lists: 2 from 33 members, 3 from 65."""
    return math.ceil(math.log2(members) - math.log2(BIG)) + 1 if members > BIG else 1


def holds(rule: str, arriving: int, stored: int) -> bool:
    """Whether an incarnation that arrives compares with the stored one as a rule wants it."""
    if rule == GREATER:
        return arriving > stored
    if rule == AT_LEAST:
        return arriving >= stored
    return rule == ALWAYS


class Membership:
    """The membership table of one node: what it believes of each member it knows, itself included.

    precedence: a key of `PRECEDENCE`. members: whom it holds for alive from the start. states, incarnations: by
    member. since: at which instant the dead and the left were found to be so, in that order. Read them, and write with
    `put` and `forget` only.
    """

    __slots__ = ("incarnations", "precedence", "since", "states", "_rules")

    def __init__(self, precedence: str, members: Iterable[int] = ()) -> None:
        self.precedence = precedence
        self.states: dict[int, str] = dict.fromkeys(members, ALIVE)
        self.incarnations: dict[int, int] = dict.fromkeys(self.states, FIRST[precedence])
        self.since: dict[int, float] = {}
        self._rules = PRECEDENCE[precedence]

    def state(self, member: int) -> str:
        """What is believed of a member; UNKNOWN when nothing is."""
        return self.states.get(member, UNKNOWN)

    def overrides(self, member: int, state: str, incarnation: int) -> bool:
        """Whether this news about somebody else overrides what is believed of it."""
        stored = self.states.get(member, UNKNOWN)
        return holds(self._rules[state][stored], incarnation, self.incarnations.get(member, 0))

    def refutes(self, me: int, state: str, incarnation: int) -> bool:
        """Whether a member refutes this news about itself, by an incarnation above both."""
        return holds(REFUTED[self.precedence][state], incarnation, self.incarnations[me])

    def put(self, member: int, state: str, incarnation: int, t: float = 0.0) -> None:
        """Believe this from the instant `t` on."""
        self.states[member] = state
        self.incarnations[member] = incarnation
        self.since.pop(member, None)
        if state in (DEAD, LEFT):
            self.since[member] = t

    def forget(self, member: int) -> None:
        """Know nothing of a member any more."""
        del self.states[member], self.incarnations[member]
        self.since.pop(member, None)

    def everything(self) -> list[tuple[int, str, int]]:
        """The whole table, for a push/pull: member, state, incarnation."""
        return [(member, state, self.incarnations[member]) for member, state in self.states.items()]


def tables(precedence: str) -> str:
    """The rules of one precedence as Markdown, as docs/membership.md shows them."""
    stored = (ALIVE, SUSPECTED, DEAD, LEFT, UNKNOWN)
    rows = [
        f"| {state} i | {' | '.join(_condition(rules[about]) for about in stored)} | {_refuted(precedence, state)} |"
        for state, rules in PRECEDENCE[precedence].items()
    ]
    head = " | ".join(about if about == UNKNOWN else f"{about} j" for about in stored)
    lines = [
        f"| arrives \\ stored | {head} | about itself, at j |",
        f"|---|{'---|' * (len(stored) + 1)}",
        *rows,
    ]
    return "\n".join(lines)


def _condition(rule: str) -> str:
    return {GREATER: "i > j", AT_LEAST: "i >= j", ALWAYS: "yes", NEVER: "-"}[rule]


def _refuted(precedence: str, state: str) -> str:
    rule = REFUTED[precedence][state]
    return "-" if rule == NEVER else f"refutes if {_condition(rule)}"
