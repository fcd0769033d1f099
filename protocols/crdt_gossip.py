"""Replicated data types by gossip: whole states, deltas, or operations in causal order.

Shapiro, Preguiça, Baquero, Zawirski 2011, "A comprehensive study of convergent and commutative replicated data types";
Almeida, Shoker, Baquero 2018, "Delta state replicated data types". The types are those of gossiplab.replica; all
keys of a run are of one `type`. An update happens at the node that is asked and is acknowledged at once; how the others
hear of it is the `mode`:

    state      Every period a node sends all it has to `fanout` random neighbours, who merge it. Nothing else is needed.
    delta      An update is a delta: a small state that holds it alone (section 4). A node numbers the deltas that it
               made or that told it something new, and every period sends a random neighbour those that this one has
               not acknowledged, merged into one: a delta interval (algorithm 2). An interval begins where the
               neighbour's knowledge ends, so it never leaves a gap in what is known of a node. Where older deltas are
               gone, since the node restarted (they are kept in memory only) or `keep` was too few, all is sent instead.
    operation  Every update is sent to all neighbours at once, with the vector clock of what its node had delivered before,
               and is delivered after all of that (causal broadcast: Birman, Schiper, Stephenson 1991). What was lost is
               found by comparing clocks with a random neighbour every period. What all neighbours have is
               forgotten; who lacks what is forgotten, such as a node that lost its disk, gets a snapshot.

What a client's text means to a key:

    g-counter, pn-counter     +3 or 3 adds, -3 takes away (not from a g-counter); text that is no number counts 1
    or-set                    +milk or milk adds an element, -milk removes it; delete removes all
    or-map                    name=text writes a register, name+element and name-element change a set, -name removes all of
                              that name; other text writes the register `value`; delete removes all
    lww-register, mv-register text writes; delete removes

A node that comes back without memory goes on under a number that no replica has used, node + 100,000 times its life, and
in mode=delta tells so with every message, so that nobody takes it to know what it knew. One whose disk was wiped or
rolled back behind its back finds out before its next update of a key, since its own last one is missing, and takes a new
number as well: no dot is used twice. But only mode=state gives it back what it lost; in the other modes its neighbours
go by what it has acknowledged. mode=state alone stays right whatever disks do.
"""

from collections.abc import Callable, Iterable

from gossiplab import Message, Protocol, Read, Write, every, param
from gossiplab.replica.counters import GCounter, PnCounter
from gossiplab.replica.hybrid import Hybrid
from gossiplab.replica.lww_register import LwwRegister
from gossiplab.replica.mv_register import MvRegister
from gossiplab.replica.or_map import OrMap
from gossiplab.replica.or_set import OrSet
from gossiplab.replica.store import Crdt, State
from gossiplab.replica.vector import VectorClock

States = dict[str, State]
"""States or deltas, by key."""


class Whole(Message):
    """All that I have."""

    states: States


class Group(Message):
    """A delta interval, up to my number. life: mine; yours: that of you for whom it follows what you have."""

    life: int
    yours: int
    number: int
    states: States


class Ack(Message):
    """I have all of you up to that number. life: yours; mine: who has it."""

    life: int
    mine: int
    number: int


class Operation(Message):
    """An update. clock: all updates that its replica had delivered, itself included."""

    replica: int
    clock: VectorClock
    key: str
    delta: State

    @property
    def dot(self) -> tuple[int, int]:
        """Which one."""
        return self.replica, self.clock.of(self.replica)


class Operations(Message):
    """Updates, new or missed."""

    operations: tuple[Operation, ...]


class Seen(Message):
    """What I have delivered; send me the rest. answer: to yours, so that you need not answer again."""

    clock: VectorClock
    answer: bool


class Snapshot(Message):
    """All that I have, which is all updates in the clock."""

    clock: VectorClock
    states: States


# what an update says -------------------------------------------------------------------------------


def amount(text: str) -> int:
    """How much a counter is to add."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    if digits.isascii() and digits.isdecimal() and len(digits) < 16:
        return int(text)
    if text != digits or digits.isnumeric():
        raise ValueError(f"a counter cannot add {text[:40]}: write +3 or -3")
    return 1


def count_up(counter: GCounter, replica: int, text: str | None) -> GCounter:
    """The delta of an update of a g-counter."""
    if text is None or amount(text) < 0:
        raise ValueError("a g-counter only grows: write +3")
    return counter.add(replica, amount(text))


def count(counter: PnCounter, replica: int, text: str | None) -> PnCounter:
    """The delta of an update of a pn-counter."""
    if text is None:
        raise ValueError("a counter cannot be deleted: write -3")
    return counter.add(replica, amount(text))


def change_set(elements: OrSet, replica: int, text: str | None) -> OrSet:
    """The delta of an update of a set."""
    if text is None:
        gone = OrSet()
        for element in elements.values:
            gone = gone.merge(elements.remove(element))
        return gone
    if text.startswith("-"):
        return elements.remove(text[1:])
    return elements.add(replica, text.removeprefix("+"))


def change_map(mapping: OrMap, replica: int, text: str | None) -> OrMap:
    """The delta of an update of a map."""
    if text is None:
        gone = OrMap()
        for name in mapping.names():
            gone = gone.merge(mapping.remove([name]))
        return gone
    if text.startswith("-"):
        return mapping.remove([text[1:]])
    place = next((place for place, letter in enumerate(text) if letter in "=+-"), len(text))
    name, sign, what = text[:place], text[place : place + 1], text[place + 1 :]
    if sign == "+":
        return mapping.add(replica, [name], what)
    if sign == "-":
        return mapping.discard([name], what)
    return mapping.put(replica, [name], what) if sign else mapping.put(replica, ["value"], text)


def write_register(register: MvRegister, replica: int, text: str | None) -> MvRegister:
    """The delta of an update of a multi-value register."""
    return register.clear() if text is None else register.put(replica, text)


UPDATES: dict[str, tuple[Crdt, Callable]] = {
    "g-counter": (GCounter(), count_up),
    "pn-counter": (PnCounter(), count),
    "or-set": (OrSet(), change_set),
    "or-map": (OrMap(), change_map),
    "mv-register": (MvRegister(), write_register),
}
"""By type, what a key begins with, and what makes a delta. An LWW register takes stamps, see `CrdtGossip.update`."""


class CrdtGossip(Protocol):
    """State-, delta- and operation-based replication of CRDTs (Shapiro et al. 2011, Almeida et al. 2018)."""

    mode = param("delta", choices=("state", "delta", "operation"), doc="what is sent")
    type = param("or-set", choices=("lww-register", *UPDATES), doc="what keys hold")
    period = param(1.0, low=0.001, high=3600, unit="s", doc="time between two rounds of a node")
    fanout = param(1, low=1, high=100, unit="nodes", doc="to how many neighbours it turns in a round")
    keep_most = param(1000, low=1, doc="deltas or operations kept for those who lag behind")

    def setup(self) -> None:
        """Have nothing."""
        self.life = self.random.getrandbits(24) if self.now else 0
        self.replica = self.id + 100_000 * self.life
        self.stamp = Hybrid(0.0, 0, self.id)
        self.own: States = {}  # one's last update of each key, in memory
        # delta
        self.number = 0  # of the next delta
        self.deltas: dict[int, States] = {}
        self.acked: dict[int, int] = {}  # by neighbour
        self.lives: dict[int, int] = {}  # of neighbours, as far as heard of
        self.blank = self.life > 0  # has lost all, and nobody knows yet
        # operation
        self.clock = VectorClock()  # what has been delivered
        self.log: dict[tuple[int, int], Operation] = {}  # of that, in the order of its delivery
        self.early: dict[tuple[int, int], Operation] = {}  # what comes after something that is missing
        self.seen: dict[int, VectorClock] = {}  # by neighbour
        self.store = self.open_store("crdt")

    # clients -----------------------------------------------------------------------------------

    def on_read(self, read: Read) -> None:
        """Tell what is here."""
        self.answer(read.id, self.store.get(read.key))

    def on_write(self, write: Write) -> None:
        """Update at once; the others hear of it."""
        try:
            delta = self.update(write.key, write.value)
        except ValueError as error:
            self.refuse(write.id, str(error))
            return
        self.own[write.key] = delta
        self.store.merge(write.key, delta)
        if self.mode == "delta":
            self.remember({write.key: delta})
        elif self.mode == "operation":
            self.clock = self.clock.tick(self.replica)
            operation = Operation(self.replica, self.clock, write.key, delta)
            self.take_down(operation)
            for peer in self.peers:
                self.send(peer, Operations((operation,)))
        self.answer(write.id, delta)

    def update(self, key: str, text: str | None) -> State:
        """The delta of an update. Raises ValueError for one that has no meaning."""
        state, last = self.store.get(key), self.own.get(key)
        if last is not None and (state is None or state.merge(last) != state):  # pyright: ignore[reportArgumentType]  # of one type
            self.replica = self.id + 100_000 * self.random.getrandbits(24)  # the disk is not what it was
        if self.type == "lww-register":
            known = state.stamp if isinstance(state, LwwRegister) else None
            self.stamp = self.stamp.receive(known, self.now) if known else self.stamp.tick(self.now)
            return LwwRegister(self.stamp, text)
        empty, make = UPDATES[self.type]
        return make(state or empty, self.replica, text)

    # rounds ------------------------------------------------------------------------------------

    @every("period")
    def gossip(self) -> None:
        """Turn to some neighbours."""
        for peer in self.sample(self.fanout):
            if self.mode == "state":
                self.send(peer, Whole(self.states()))
            elif self.mode == "delta":
                self.send_group(peer)
            else:
                self.send(peer, Seen(self.clock, answer=False))

    def states(self) -> States:
        """All that is here."""
        return {key: state for key in self.store if (state := self.store.get(key)) is not None}

    def merge(self, states: States) -> States:
        """Take over what is new; returns the keys that had some, as they came."""
        return {key: state for key, state in states.items() if self.store.merge(key, state)}

    def on_whole(self, sender: int, whole: Whole) -> None:
        """Merge."""
        self.merge(whole.states)

    # deltas: algorithm 2 -----------------------------------------------------------------------

    def remember(self, states: States) -> None:
        """Keep a delta for the neighbours: one's own, or one that told something new."""
        self.deltas[self.number] = states
        self.number += 1
        while len(self.deltas) > self.keep_most:
            del self.deltas[next(iter(self.deltas))]

    def send_group(self, peer: int) -> None:
        """What a neighbour has not acknowledged, in one; all there is, where that is not known any more."""
        first = self.acked.get(peer, 0)
        if first >= self.number and not self.blank:
            return
        group: States = {}
        if next(iter(self.deltas), self.number) > first:
            group = self.states()
        else:
            for number in range(first, self.number):
                join(group, self.deltas[number])
        self.send(peer, Group(self.life, self.lives.get(peer, 0), self.number, group))

    def on_group(self, sender: int, group: Group) -> None:
        """Merge and acknowledge, unless it was meant for one who knew more."""
        self.recognise(sender, group.life)
        news = self.merge(group.states)
        if news:
            self.remember(news)
        known = group.yours == self.life
        self.blank = self.blank and not known
        self.send(sender, Ack(group.life, self.life, group.number if known else 0))

    def on_ack(self, sender: int, ack: Ack) -> None:
        """Go on from there the next time; what all neighbours have need not be kept."""
        self.recognise(sender, ack.mine)
        if ack.life == self.life:
            self.acked[sender] = max(self.acked.get(sender, 0), ack.number)
            least = min(self.acked.get(peer, 0) for peer in self.peers)
            for number in [number for number in self.deltas if number < least]:
                del self.deltas[number]

    def recognise(self, peer: int, life: int) -> None:
        """Whoever has another life than before knows nothing of what it has acknowledged."""
        if self.lives.get(peer, 0) != life:
            self.lives[peer] = life
            self.acked[peer] = 0

    # operations: causal broadcast --------------------------------------------------------------

    def on_operations(self, sender: int, message: Operations) -> None:
        """Deliver what has all before it, and keep the rest until then."""
        for operation in message.operations:
            self.early[operation.dot] = operation
        self.deliver()

    def deliver(self) -> None:
        """Deliver as long as there is something whose time has come."""
        waiting = True
        while waiting:
            waiting = False
            for dot, operation in list(self.early.items()):
                replica, number = dot
                if number <= self.clock.of(replica):
                    del self.early[dot]
                elif self.clock.merge(operation.clock) == self.clock.tick(replica):
                    del self.early[dot]
                    self.clock = operation.clock.merge(self.clock)
                    self.store.merge(operation.key, operation.delta)
                    self.take_down(operation)
                    waiting = True

    def take_down(self, operation: Operation) -> None:
        """Keep a delivered operation for those who have missed it."""
        self.log[operation.dot] = operation
        while len(self.log) > self.keep_most:
            del self.log[next(iter(self.log))]
        self.show("clock", self.clock.entries)

    def on_seen(self, sender: int, seen: Seen) -> None:
        """Send what a neighbour has missed, and ask for what is missing here; forget what all have."""
        missed = [each for dot, each in self.log.items() if dot[1] > seen.clock.of(dot[0])]
        lacks = sum(max(0, number - seen.clock.of(by)) for by, number in self.clock.entries.items())
        if lacks > len(missed):
            self.send(sender, Snapshot(self.clock, self.states()))
        elif missed:
            self.send(sender, Operations(tuple(missed)))
        if not seen.answer and not self.clock.descends(seen.clock):
            self.send(sender, Seen(self.clock, answer=True))
        self.seen[sender] = seen.clock
        if len(self.seen) == len(self.peers):
            self.forget(self.seen.values())

    def forget(self, clocks: Iterable[VectorClock]) -> None:
        """Forget the operations that are in all of these clocks."""
        for dot in [dot for dot in self.log if all(clock.of(dot[0]) >= dot[1] for clock in clocks)]:
            del self.log[dot]

    def on_snapshot(self, sender: int, snapshot: Snapshot) -> None:
        """Have what its sender has, unless it is all known: a late word of what was seen asks for too much."""
        if self.clock.descends(snapshot.clock):
            return
        self.merge(snapshot.states)
        self.clock = self.clock.merge(snapshot.clock)
        self.show("clock", self.clock.entries)
        self.deliver()

    # what else happens -------------------------------------------------------------------------

    def rejoin(self) -> None:
        """Be back: what is on disk is there, and the deltas that were kept in memory are gone."""
        self.deltas, self.acked = {}, {}


def join(group: States, states: States) -> None:
    """Merge states into those of a group, in place."""
    for key, state in states.items():
        group[key] = group[key].merge(state) if key in group else state  # pyright: ignore[reportArgumentType]  # of one type
