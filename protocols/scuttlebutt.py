"""Scuttlebutt (van Renesse, Dumitriu, Gough, Thomas 2008, "Efficient reconciliation and flow control for anti-entropy").

Every participant r owns a mapping from keys to values, which it alone writes and everybody learns. It numbers its
updates 1, 2, 3 ... A participant that has heard of r's updates up to version m says so with the one number m. In every
`period` a participant p calls a random other one, q:

    p -> q   Syn    p's digest, {(r, m)}
    q -> p   Ack    q's digest, and deltas for p: {(r, k, v, n)}, n being above p's m for r
    p -> q   Reply  deltas for q

What one knows already is never sent to it, with a digest of one number a participant. The price: a delta may not be
left out while a higher one of the same r is sent, or m would claim what was never heard. So when not all deltas fit into
the `budget` of a message, the choice is among prefixes. For each r deltas go in the order of their versions, and

    depth     all of the r of which there are most, then all of the next: what is far behind catches up first,
    breadth   the first of every r, in random order, then the second of every r, and so on.

A key that is written again leaves its old version behind: one that waits for its turn may never need to be sent.

Invariant, for any p, r and key k: p holds r's present value of k, or the version of that is above p's m for r. It holds
however messages are lost, doubled and reordered, since deltas say from which version on they are complete (`since`),
and whoever has not heard up to there leaves them.

Here a store key is n3/k7: key k7 of participant n3. A client that writes k7 at n3 writes that one. A deletion is an
update without a value, and stays. A node whose memory or disk was lost, or rolled back, must not use a version
twice: it goes on as a new participant, whose number ends like its own, and learns its old mapping from the others.
Damage to values that leaves versions as they are is not seen: digests have numbers, not hashes.

Left out: the paper's flow control (its section 4), which lets participants agree on their rates of updates.
The budget is for deltas; digests are not counted. A delta larger than the budget goes alone.
"""

from gossiplab import Message, Protocol, Read, Write, every, param
from gossiplab.replica.digest import encoding
from gossiplab.replica.hybrid import Hybrid
from gossiplab.replica.lww_register import LwwRegister

Maxima = dict[int, int]
"""A digest: up to which version the updates of each participant were heard."""


class Run(Message, array_like=True):
    """Deltas of one participant: all those of its present values that are above `since`, from the first on.

    updates: key, value (None: deleted) and version, in the order of their versions.
    """

    owner: int
    since: int
    updates: tuple[tuple[str, str | None, int], ...]


class Syn(Message):
    """The caller's digest."""

    repair: int
    maxima: Maxima


class Ack(Message):
    """The answer. differing: how many keys are newer at the sender; some may not be among the deltas."""

    repair: int
    maxima: Maxima
    deltas: tuple[Run, ...]
    differing: int


class Reply(Message):
    """The last message. differing: how many keys were newer at one of the two."""

    repair: int
    deltas: tuple[Run, ...]
    differing: int


class Scuttlebutt(Protocol):
    """Scuttlebutt: everybody learns everybody's own mapping, in the order of versions (van Renesse et al. 2008)."""

    order = param(
        "depth",
        choices=("depth", "breadth"),
        doc="what goes first: all of the participant that is furthest behind, or the next of every one",
    )
    budget = param(1400, low=1, high=10_000_000, unit="bytes", doc="of the deltas in a message, at most")
    period = param(1.0, low=0.001, high=3600, unit="s", doc="time from one call of a participant to its next")

    def setup(self) -> None:
        """Know nothing: the keys of a workload are there when their owners write them."""
        self.store = self.open_store("lww", holds=lambda key: False)
        self.checksum = self.store.checksum  # when this node last changed the store
        self.mappings: dict[int, dict[str, int]] = {}  # by participant: versions of its keys, ascending
        self.number = (
            self.id if self.now == 0 else self.draw_number()
        )  # as which participant this node writes
        self.top = 0  # its last version

    def draw_number(self) -> int:
        """Of a new participant on this node."""
        return self.id + 100_000 * self.random.randrange(1, 10_000)

    # clients -----------------------------------------------------------------------------------

    def on_write(self, write: Write) -> None:
        """Update this participant's own mapping."""
        self.look()
        mine, slash, rest = write.key.partition("/")
        if slash and mine != f"n{self.number}":
            self.refuse(write.id, f"n{self.id} writes only its own keys, n{self.number}/...")
            return
        self.top += 1
        self.put(self.number, rest if slash else write.key, write.value, self.top)
        # who asked for k7 cannot be told of a version of n3/k7: to the lab these are two keys
        self.answer(write.id, self.store.get(write.key) if slash else None)

    def on_read(self, read: Read) -> None:
        """Answer with what was heard."""
        self.look()
        if "/" in read.key:
            self.answer(read.id, self.store.get(read.key))
        else:
            self.refuse(read.id, f"say whose {read.key} to read: n{self.id}/{read.key} or another's")

    # a call ------------------------------------------------------------------------------------

    @every("period")
    def call(self) -> None:
        """Exchange digests and deltas with a random other participant."""
        self.look()
        for peer in self.sample(1):
            self.send(peer, Syn(self.begin_repair(peer), self.maxima()))

    def on_syn(self, sender: int, message: Syn) -> None:
        """Answer with digest and deltas."""
        self.look()
        deltas, count = self.deltas(message.maxima)
        self.compared(message.repair)
        self.send(sender, Ack(message.repair, self.maxima(), deltas, count))

    def on_ack(self, sender: int, message: Ack) -> None:
        """Hear, and answer with deltas, if there are any."""
        self.look()
        deltas, count = self.deltas(message.maxima)
        count += message.differing
        self.hear(message.deltas)
        self.compared(message.repair, keys=size(message.deltas))
        if deltas:
            self.send(sender, Reply(message.repair, deltas, count))
        else:
            self.end_repair(message.repair, count)

    def on_reply(self, sender: int, message: Reply) -> None:
        """Hear."""
        self.look()
        self.hear(message.deltas)
        self.compared(message.repair, keys=size(message.deltas))
        self.end_repair(message.repair, message.differing)

    # deltas ------------------------------------------------------------------------------------

    def maxima(self) -> Maxima:
        """This participant's digest."""
        return {owner: self.maximum(owner) for owner in self.mappings}

    def maximum(self, owner: int) -> int:
        """Up to which version the updates of a participant were heard."""
        mapping = self.mappings.get(owner)
        return mapping[next(reversed(mapping))] if mapping else 0

    def deltas(self, maxima: Maxima) -> tuple[tuple[Run, ...], int]:
        """What goes to a participant with such a digest, and how many deltas there would be without a budget."""
        waiting = {owner: self.above(owner, maxima.get(owner, 0)) for owner in self.mappings}
        waiting = {owner: keys for owner, keys in waiting.items() if keys}
        chosen: dict[int, list[tuple[str, str | None, int]]] = {}
        room = self.budget
        for owner, key in self.in_order(waiting):
            update = self.update(owner, key)
            cost = len(encoding(update)) + 1
            if owner not in chosen:
                cost += len(encoding([owner, maxima.get(owner, 0), []])) + 1
            if cost > room and chosen:
                break
            room -= cost
            chosen.setdefault(owner, []).append(update)
        runs = tuple(Run(owner, maxima.get(owner, 0), tuple(updates)) for owner, updates in chosen.items())
        return runs, sum(map(len, waiting.values()))

    def above(self, owner: int, version: int) -> list[str]:
        """The keys of a participant that were updated after a version, in the order of their versions."""
        found: list[str] = []
        mapping = self.mappings[owner]
        for key in reversed(mapping):
            if mapping[key] <= version:
                break
            found.append(key)
        return found[::-1]

    def in_order(self, waiting: dict[int, list[str]]) -> list[tuple[int, str]]:
        """By which deltas are chosen, as owner and key."""
        owners = list(waiting)
        self.random.shuffle(owners)
        if self.order == "depth":
            owners.sort(key=lambda owner: -len(waiting[owner]))
            return [(owner, key) for owner in owners for key in waiting[owner]]
        found: list[tuple[int, str]] = []
        rank = 0
        while owners:
            found += [(owner, waiting[owner][rank]) for owner in owners]
            rank += 1
            owners = [owner for owner in owners if len(waiting[owner]) > rank]
            self.random.shuffle(owners)
        return found

    def update(self, owner: int, key: str) -> tuple[str, str | None, int]:
        """A delta."""
        state = self.store.get(f"n{owner}/{key}")
        assert isinstance(state, LwwRegister)
        return key, state.value, self.mappings[owner][key]

    def hear(self, deltas: tuple[Run, ...]) -> None:
        """Take over what follows on what was heard before."""
        for run in deltas:
            known = self.maximum(run.owner)
            if (
                run.since <= known
            ):  # else there would be a gap: this node has forgotten what it knew when it asked
                for key, value, version in run.updates:
                    if version > known:
                        self.put(run.owner, key, value, version)

    def put(self, owner: int, key: str, value: str | None, version: int) -> None:
        """An update, the newest that is known of its participant."""
        mapping = self.mappings.setdefault(owner, {})
        mapping.pop(key, None)
        mapping[key] = version
        self.store.merge(f"n{owner}/{key}", LwwRegister(Hybrid(float(version), 0, owner), value))
        self.checksum = self.store.checksum

    # damage ------------------------------------------------------------------------------------

    def look(self) -> None:
        """If the disk is not as this node left it, begin anew with what is there, as a new participant."""
        if self.store.checksum == self.checksum:
            return
        found: list[tuple[int, int, str]] = []
        for name in self.store:
            state = self.store.get(name)
            if isinstance(state, LwwRegister):
                owner, _, key = name.partition("/")
                found.append((int(owner[1:]), int(state.stamp.time), key))
        self.mappings = {}
        for owner, version, key in sorted(found):
            self.mappings.setdefault(owner, {})[key] = version
        self.number, self.top = self.draw_number(), 0
        self.checksum = self.store.checksum


def size(deltas: tuple[Run, ...]) -> int:
    """How many deltas there are."""
    return sum(len(run.updates) for run in deltas)
