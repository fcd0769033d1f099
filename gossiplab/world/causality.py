"""Happened before (Lamport 1978): which events may have caused an event, and which it may have caused. Imports history.

An event happened before another if it came earlier at the same node, if it is the sending and the other the
delivery of one message, or if there is a chain of such steps between them. Two events of which neither
happened before the other are concurrent, whatever the clock on the wall says. A node stays one process when
it is killed and rejoins, even with an empty memory: what it does comes after what it did.

All that happened before an event is, at every node, what happened there up to some last event: a vector
clock says just that, and so does a Cone, which holds these bounds for one event in both directions. A
recording lists events in an order that no cause contradicts, so one pass back and one pass on finds them, in
time linear in the steps passed over. Every chain between two events lies between them in the recording: within the
steps of a History the answer is exact, however little of the run is there.
"""

from bisect import bisect_left
from collections.abc import Iterable
from enum import Enum

from gossiplab.world.history import History, Message, Step


class Relation(Enum):
    """What an event is to the one that is looked at."""

    SELF = "itself"
    BEFORE = "before"
    AFTER = "after"
    CONCURRENT = "concurrent"


class Cone:
    """The causal past and future of a step of a history.

    last: by node, the last step that happened before it; first: the first that happened after it; the step
    itself is in both. A node that is not there has none. before, after, concurrent: how many steps of the
    history are what.
    """

    def __init__(self, history: History, step: Step) -> None:
        self.step = step
        self.last = {step.node: step}
        self.first = {step.node: step}
        self.before = self.after = self.concurrent = 0
        place = bisect_left(history.steps, step.number, key=lambda each: each.number)
        self._look_back(history.steps[:place])
        self._next = step.number + 1
        self.extend(history.steps[place + 1 :])

    def relation(self, step: Step) -> Relation:
        """What a step of the history is to the one looked at."""
        if step.number == self.step.number:
            return Relation.SELF
        if self.is_before(step.node, step.number):
            return Relation.BEFORE
        return Relation.AFTER if self.is_after(step.node, step.number) else Relation.CONCURRENT

    def is_before(self, node: int, number: int) -> bool:
        """Whether what happened at a node as event `number` happened before the step, or is it."""
        last = self.last.get(node)
        return last is not None and number <= last.number

    def is_after(self, node: int, number: int) -> bool:
        """Whether what happened at a node as event `number` happened after the step, or is it."""
        first = self.first.get(node)
        return first is not None and number >= first.number

    def holds(self, message: Message) -> bool:
        """Whether a message is on a chain: its delivery is in the past, or its sending in the future."""
        return (message.got >= 0 and self.is_before(message.dst, message.got)) or self.is_after(
            message.src, message.sent
        )

    def follow(self, history: History) -> None:
        """Take in what has happened since."""
        steps = history.steps
        if steps and steps[-1].number >= self._next:
            self.extend(steps[bisect_left(steps, self._next, key=lambda each: each.number) :])

    def extend(self, steps: Iterable[Step]) -> None:
        """Take in steps that happened after all that were taken in before, in their order."""
        first = self.first
        for step in steps:
            self._next = step.number + 1
            if step.node in first:
                self.after += 1
                continue
            message = step.message
            # at the sender's, a message that was sent after the first event of the future is in it too
            if (
                message is not None
                and message.got == step.number
                and self.is_after(message.src, message.sent)
            ):
                first[step.node] = step
                self.after += 1
            else:
                self.concurrent += 1

    def _look_back(self, steps: list[Step]) -> None:
        last = self.last
        sendings: set[int] = set()  # numbers of those whose messages were delivered in the past
        self._add_sending(self.step, sendings)
        for step in reversed(steps):
            if step.node not in last:
                if step.number not in sendings:
                    self.concurrent += 1
                    continue
                last[step.node] = step
            self.before += 1
            self._add_sending(step, sendings)

    @staticmethod
    def _add_sending(step: Step, sendings: set[int]) -> None:
        message = step.message
        if message is not None and message.got == step.number:
            sendings.add(message.sent)
