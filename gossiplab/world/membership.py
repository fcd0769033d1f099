"""What nodes believe of one another, as a World holds it, and what is right and wrong in it. Imports events.

A row of letters for every node that believes something: cheap to change, small in a keyframe (a quarter of a
megabyte for 500 nodes that know one another), and what a matrix on the screen is drawn from. Incarnations are
nearly all the same, so a row has one for all and a table of the others. How many live nodes believe what of each
node is counted along, so that the moment in which the last one knows is found without looking at all of them.
"""

from bisect import insort
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Protocol as Interface

import msgspec

from gossiplab.events import Believed, Listed
from gossiplab.nodeset import parse_nodes
from gossiplab.replica.membership import ALIVE, DEAD, LEFT, SUSPECTED, UNKNOWN

LETTERS = {ALIVE: "a", SUSPECTED: "s", DEAD: "d", LEFT: "l", UNKNOWN: "?"}
STATES = {letter: state for state, letter in LETTERS.items()}

DOWN = ("dead", "left", "crashed")
"""The status of a node that does not run: what is believed of any other one is held against its being up."""


class Node(Interface):
    """What is needed of `gossiplab.world.parts.Node`."""

    @property
    def status(self) -> str: ...


class Beliefs(msgspec.Struct):
    """What one node believes: a row of the belief matrix.

    states: one of `LETTERS` for each node of the lab; empty as long as it believes nothing. incarnation: that of
    all it knows, except of those in `incarnations`.
    """

    states: str = ""
    incarnation: int = 0
    incarnations: dict[int, int] = {}

    def state(self, about: int) -> str:
        """What is believed of a node, itself included: one of `replica.membership.STATES`."""
        return STATES[self.states[about]] if self.states else UNKNOWN

    def incarnation_of(self, about: int) -> int:
        """The incarnation of a node to which that belongs."""
        return self.incarnations.get(about, self.incarnation)


class Standing(msgspec.Struct):
    """How many live nodes, other than itself, believe a node alive, suspected, dead."""

    alive: int = 0
    suspected: int = 0
    dead: int = 0


class Failure(msgspec.Struct):
    """A node that was killed or crashed, at the instant `t`, and the instants at which others noticed.

    suspected: by the first one. declared: dead, by the first one. known: since when no live node believes it alive or
    suspected; None again when one does anew. None: not until it was back, or until now.
    """

    node: int
    t: float
    suspected: float | None = None
    declared: float | None = None
    known: float | None = None


class Slow(msgspec.Struct):
    """The nodes that have been paused at any time until now, in order; how often one of them was falsely held for dead."""

    nodes: list[int]
    deaths: int = 0


class Membership(msgspec.Struct):
    """All beliefs in a lab, and how they compare with what is so. Empty where no protocol believes anything.

    beliefs: a row for each node. standings: for each node what others believe of it. failures: in their order.
    open: the nodes that are not back yet, and their places in `failures`. false_suspicions, false_deaths: how often
    somebody began to suspect a member that was up, or to believe it dead, while nobody else did; a paused one is up.
    slow: those that have been paused, left out as long as there are none. refutations: how often a member raised its
    own incarnation. lived: node-seconds that nodes have run
    until the instant `counted`, since when `running` of them do.
    """

    beliefs: list[Beliefs] = []
    standings: list[Standing] = []
    failures: list[Failure] = []
    open: dict[int, int] = {}
    false_suspicions: int = 0
    false_deaths: int = 0
    refutations: int = 0
    lived: float = 0.0
    counted: float = 0.0
    running: int = 0
    slow: Slow | msgspec.UnsetType = msgspec.UNSET

    def belief(self, node: int, about: int) -> str:
        """What a node believes of another: one of `replica.membership.STATES`."""
        return self.beliefs[node].state(about) if self.beliefs else UNKNOWN

    @property
    def healthy_deaths(self) -> int:
        """How many of the false deaths were about members that had never been paused."""
        return self.false_deaths - (self.slow.deaths if self.slow else 0)

    def paused(self, node: int) -> None:
        """Node `node` is slow from now on, as the Lifeguard paper has it: for the whole run."""
        slow = self.slow or Slow([])
        if node not in slow.nodes:
            insort(slow.nodes, node)
        self.slow = slow

    def right(self, up: Sequence[bool]) -> float:
        """The share of beliefs of live nodes about others that are right, from 0 to 1. up: whether each node is.

        A node that is up has to be believed alive, one that is down neither alive nor suspected.
        """
        alive = sum(up)
        right = beliefs = 0
        for standing, runs in zip(self.standings, up, strict=True):
            others = alive - runs
            beliefs += others
            right += standing.alive if runs else others - standing.alive - standing.suspected
        return right / beliefs if beliefs else 1.0

    def lived_until(self, t: float) -> float:
        """Node-seconds that all nodes together have run until now."""
        return self.lived + self.running * (t - self.counted)

    def believed(self, event: Believed, nodes: Sequence[Node]) -> None:
        """Fold a belief."""
        row = self._row(event.node, len(nodes))
        letter, about = LETTERS[event.state], event.about
        before = row.states[about]
        raised = before == letter == "a" and event.incarnation > row.incarnation_of(about)
        if raised and about == event.node:
            self.refutations += 1
        if letter != before:
            row.states = f"{row.states[:about]}{letter}{row.states[about + 1 :]}"
        _set_incarnation(row, about, letter, event.incarnation)
        if letter != before and about != event.node:
            self._change(before, letter, about, event, nodes)

    def listed(self, event: Listed, nodes: Sequence[Node]) -> None:
        """Fold many equal beliefs."""
        row = self._row(event.node, len(nodes))
        letter = LETTERS[event.state]
        letters = list(row.states)
        if not row.states.strip("?"):
            row.incarnation = event.incarnation
        for about in _members(event.about, len(nodes)):
            before = letters[about]
            letters[about] = letter
            _set_incarnation(row, about, letter, event.incarnation)
            if before != letter and about != event.node:
                self._change(before, letter, about, event, nodes)
        row.states = "".join(letters)

    def stopped(self, node: int, t: float, failed: bool) -> None:
        """Node `node`, which was up, has stopped; failed: without saying goodbye."""
        self._tally(t, -1)
        if not self.beliefs:
            return
        self._count_row(node, -1)
        if failed:
            standing = self.standings[node]
            self.open[node] = len(self.failures)
            self.failures.append(
                Failure(node, t, t if standing.suspected else None, t if standing.dead else None)
            )
        for about in self.open:
            self._look(about, t)

    def rejoined(self, node: int, t: float, fresh: bool) -> None:
        """Node `node`, which was down, is up again, with its beliefs or with none."""
        self._tally(t, 1)
        self.open.pop(node, None)
        if self.beliefs:
            if fresh:
                self.beliefs[node] = Beliefs("", 0, {})
            else:
                self._count_row(node, 1)
            for about in self.open:
                self._look(about, t)

    def _tally(self, t: float, change: int) -> None:
        self.lived, self.counted = self.lived_until(t), t
        self.running += change

    def _row(self, node: int, nodes: int) -> Beliefs:
        if not self.beliefs:
            self.beliefs = [Beliefs("", 0, {}) for _ in range(nodes)]
            self.standings = [Standing() for _ in range(nodes)]
        row = self.beliefs[node]
        if not row.states:
            row.states = "?" * nodes
        return row

    def _change(
        self, before: str, letter: str, about: int, event: Believed | Listed, nodes: Sequence[Node]
    ) -> None:
        if nodes[event.node].status not in DOWN:
            self._count(before, about, -1)
            self._count(letter, about, 1)
            self._notice(letter, about, event.t, nodes[about].status not in DOWN)

    def _count(self, letter: str, about: int, change: int) -> None:
        standing = self.standings[about]
        if letter == "a":
            standing.alive += change
        elif letter == "s":
            standing.suspected += change
        elif letter == "d":
            standing.dead += change

    def _count_row(self, node: int, change: int) -> None:
        for about, letter in enumerate(self.beliefs[node].states):
            if about != node:
                self._count(letter, about, change)

    def _notice(self, letter: str, about: int, t: float, up: bool) -> None:
        """A live node has begun to believe this of `about`; it is counted already."""
        standing = self.standings[about]
        if up:
            if letter == "s" and standing.suspected + standing.dead == 1:
                self.false_suspicions += 1
            elif letter == "d" and standing.dead == 1:
                self.false_deaths += 1
                if self.slow and about in self.slow.nodes:
                    self.slow.deaths += 1
        elif about in self.open:
            failure = self.failures[self.open[about]]
            if letter == "s" and failure.suspected is None:
                failure.suspected = t
            elif letter == "d" and failure.declared is None:
                failure.declared = t
            self._look(about, t)

    def _look(self, about: int, t: float) -> None:
        """Whether everybody knows now that `about` is dead."""
        standing = self.standings[about]
        failure = self.failures[self.open[about]]
        if failure.declared is None or standing.alive or standing.suspected:
            failure.known = None  # or not any more: somebody believes that it is back
        elif failure.known is None:
            failure.known = t


def _set_incarnation(row: Beliefs, about: int, letter: str, incarnation: int) -> None:
    if incarnation == row.incarnation or letter == "?":
        row.incarnations.pop(about, None)
    else:
        row.incarnations[about] = incarnation


@lru_cache(maxsize=1024)
def _members(text: str, total: int) -> Iterable[int]:
    return parse_nodes(text, total)
