"""A stretch of a run, node by node: what happened at each node, and the messages between them. Imports world and events.

A World says what is so; a space-time diagram and the causal order need what has happened. A History begins
at a World, takes the events after it in batches, and forgets its oldest part when told to, so it is as
large as whoever looks at it needs. What happens to the network (a cut, a command) happens at no node and is
no Step.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable
from math import inf

import msgspec

from gossiplab.events import (
    AnyEvent,
    Believed,
    Crashed,
    Delayed,
    Delivered,
    Departed,
    Dropped,
    Duplicated,
    Event,
    Injected,
    Killed,
    Learned,
    Listed,
    Paused,
    Rejoined,
    Resumed,
    Retired,
    Sent,
    Shown,
    Skewed,
)
from gossiplab.world.parts import ALIVE, CRASHED, DEAD, LEFT, PAUSED
from gossiplab.world.world import World

UNAWARE, AWARE, SILENT = "unaware", "aware", "silent"
"""What a node makes of a rumor: susceptible, infective, removed."""
_OF_A_NODE = Shown | Believed | Listed | Skewed  # and that change nothing of what is kept here
_TURNS = (
    Learned | Retired | Injected | Killed | Departed | Rejoined | Crashed | Paused | Resumed
)  # what changes the state of a node
_STATUS: dict[type[Event], str] = {
    Killed: DEAD, Departed: LEFT, Crashed: CRASHED, Rejoined: ALIVE, Paused: PAUSED, Resumed: ALIVE,
}  # fmt: skip


class Message(msgspec.Struct, gc=False):
    """One message, or one copy of it, from its sending at `t` to its end.

    sent, got: numbers of the events of sending and delivery; -1: before the history, or not (yet). end: when it
    was delivered or lost, in seconds; None while it is under way. fate: "" under way, "delivered", or why it
    was lost: "loss", "cut", "down". twin: the copy that the network made.
    """

    id: int
    src: int
    dst: int
    t: float
    due: float
    kind: str
    carries: tuple[int, ...]
    sent: int = -1
    got: int = -1
    end: float | None = None
    fate: str = ""
    twin: "Message | None" = None


class Step(msgspec.Struct, frozen=True, gc=False):
    """An event that happened at a node. number: its place in the recording, from 0. message: sent or received here."""

    number: int
    t: float
    node: int
    event: AnyEvent
    message: Message | None


class History:
    """What happened after a World, which may change afterwards.

    steps: all, in the order of the recording. rows: those of each node; turns: of these, those that
    change what the node is or knows, which are few. first, next: numbers of the first event
    taken and of the next one. since, t: everything after the instant `since` up to the event at `t` is here.
    """

    def __init__(self, world: World, since: float) -> None:
        """`since`: an instant such that `world` is what is so after everything up to then; -inf for nothing."""
        self.first = self.next = world.events
        self.since = since
        self.t = world.t
        self.steps: list[Step] = []
        self.rows: list[list[Step]] = [[] for _ in world.nodes]
        self.turns: list[list[Step]] = [[] for _ in world.nodes]
        self.longest = 0.0  # s: the longest flight so far
        self._flights = {id: _message(sent, -1) for id, sent in world.flights.items()}
        self._lost = _message(world.lost[-1].message, -1) if world.lost else None
        self._lives = [[(-inf, node.status)] for node in world.nodes]
        self._minds: list[dict[int, list[tuple[float, str]]]] = []  # of each rumor, by node
        for rumor in world.rumors:
            mind = {node: [(arrival.t, AWARE)] for node, arrival in rumor.arrivals.items()}
            for node, t in rumor.retired.items():
                mind.setdefault(node, []).append((t, SILENT))
            self._minds.append(mind)

    def take(self, batch: Iterable[AnyEvent]) -> None:
        """Add events, in their order. Raises LookupError at the first one that cannot have happened."""
        number, flights, rows = self.next, self._flights, self.rows
        add = self.steps.append
        try:
            for event in batch:
                message: Message | None = None
                if isinstance(event, Sent):
                    flights[event.id] = message = _message(event, number)
                    node = event.src
                elif isinstance(event, Delivered):
                    message = flights.pop(event.id)
                    message.end, message.fate, message.got = event.t, "delivered", number
                    self.longest = max(self.longest, event.t - message.t)
                    node = message.dst
                elif isinstance(event, _OF_A_NODE):
                    node = event.node
                elif isinstance(event, _TURNS):
                    node = event.node
                    self._turn(event)
                else:
                    if isinstance(event, Dropped):
                        self._lose(event)
                    elif isinstance(event, Duplicated):
                        self._copy(event)
                    elif isinstance(event, Delayed):
                        flights[event.id].due = event.due
                    self.t = event.t
                    number += 1
                    continue
                step = Step(number, event.t, node, event, message)
                if message is None and isinstance(event, _TURNS):
                    self.turns[node].append(step)
                rows[node].append(step)
                add(step)
                self.t = event.t
                number += 1
        finally:
            self.next = number

    def forget(self, until: float) -> None:
        """Forget what happened up to the instant `until`."""
        count = bisect_right(self.steps, until, key=_instant)
        if count:
            self.first = self.steps[count - 1].number + 1
            for node, old in Counter(step.node for step in self.steps[:count]).items():
                del self.rows[node][:old]
                turns = self.turns[node]
                if turns and turns[0].number < self.first:
                    del turns[: bisect_left(turns, self.first, key=_number)]
            del self.steps[:count]
        self.since = max(self.since, until)

    # questions ---------------------------------------------------------------------------------

    def step(self, number: int) -> Step | None:
        """The step with this number, if it is here."""
        index = bisect_left(self.steps, number, key=_number)
        found = index < len(self.steps) and self.steps[index].number == number
        return self.steps[index] if found else None

    def between(self, node: int, start: float, stop: float) -> list[Step]:
        """What happened at a node at the instants from `start` up to and with `stop`."""
        row = self.rows[node]
        return row[bisect_left(row, start, key=_instant) : bisect_right(row, stop, key=_instant)]

    def lives(self, node: int) -> list[tuple[float, str]]:
        """The states of a node and since when: ALIVE, PAUSED, DEAD, LEFT or CRASHED."""
        return self._lives[node]

    def minds(self, node: int, rumor: int) -> list[tuple[float, str]]:
        """What a node made of a rumor and since when: AWARE, SILENT or, when it had forgotten, UNAWARE."""
        return self._minds[rumor].get(node, []) if 0 <= rumor < len(self._minds) else []

    # taking ------------------------------------------------------------------------------------

    def _lose(self, event: Dropped) -> None:
        message = self._flights.pop(event.id)
        message.end, message.fate = event.t, event.why
        self._lost = message

    def _copy(self, event: Duplicated) -> None:
        original = self._flights.get(event.of)
        if original is None:  # the network has just lost the original and kept the copy
            original = self._lost
            if original is None or original.id != event.of:
                raise LookupError(event.of)
        copy = Message(
            event.id, original.src, original.dst, event.t, event.due, original.kind, original.carries,
            original.sent, twin=original.twin,
        )  # fmt: skip
        original.twin = self._flights[event.id] = copy

    def _turn(
        self,
        event: Learned | Retired | Injected | Killed | Departed | Rejoined | Crashed | Paused | Resumed,
    ) -> None:
        """What changes the state of a node."""
        node = event.node
        if isinstance(event, Injected):
            self._minds.append({})
        elif isinstance(event, Learned):
            self._minds[event.rumor].setdefault(node, []).append((event.t, AWARE))
        elif isinstance(event, Retired):
            self._minds[event.rumor].setdefault(node, []).append((event.t, SILENT))
        elif not isinstance(event, Paused | Resumed) or self._lives[node][-1][1] in (ALIVE, PAUSED):
            self._lives[node].append((event.t, _STATUS[event.__class__]))
            if isinstance(event, Rejoined) and event.fresh:
                for mind in self._minds:
                    if node in mind:
                        mind[node].append((event.t, UNAWARE))


def _message(sent: Sent, number: int) -> Message:
    return Message(sent.id, sent.src, sent.dst, sent.t, sent.due, sent.kind, sent.carries, number)


def _instant(step: Step) -> float:
    return step.t


def _number(step: Step) -> int:
    return step.number
