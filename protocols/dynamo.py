"""Dynamo: a key-value store of quorums that is always writable (DeCandia et al. 2007).

"Dynamo: Amazon's highly available key-value store", SOSP 2007. Section by section:

    4.2, 4.3  Members stand on a ring of hashes, each in `tokens` places (the paper's virtual nodes). A key's preference
              list is the members met clockwise from its own hash, each once; the first n are its homes.
    4.4       Versions are dotted (see gossiplab.replica.siblings): those that do not know of each other stay side by
              side, until a write that has read them. context says what a write has read, for the lab's clients have no
              memory. quorum: the coordinator reads r replicas first, as a client does that gets before it puts. local:
              only its own copy. blind: nothing, so every write leaves a sibling. conflict=lww keeps the version with
              the later stamp instead, and loses the other.
    4.5       A request that reaches a node which shall not hold the key goes to the first in the list that is up. That
              one coordinates: a write is done when w replicas have kept it, a read when r have answered; if they do
              not within `timeout`, it fails. Whoever of the others answers a read with something older is sent the
              newest (read repair). With r + w > n, reads and writes meet in at least one replica.
    4.6       sloppy: requests go to the first n members of the list that are healthy, and one that stands in for a home
              keeps what it is given with a hint, for whom that is. It hands it over when that one is back, and drops it
              (hinted handoff). So a write goes through wherever w members are up, and the price is that quorums on
              two sides of a partition do not meet: r + w > n promises nothing then. With sloppy off only homes count.
    4.7       Every `repair` seconds two members compare what they share, and exchange what differs.
    4.8       Who is up is each member's own belief; here it comes from gossiped heartbeats, see heartbeat.py.

What is acknowledged and what can be lost. With sloppy off and r + w > n a read that begins after a write was acknowledged
finds it, or one that has read it, whatever is killed, cut, lost or sent twice, as long as disks keep what is on them. A
home that comes back with an empty disk answers as one that has never heard of anything: until read repair or a repair
has filled it, a read of it and of another that missed the write is stale. The write is not lost as long as another
of the w has it: with w >= 2 it takes two disks to lose it. A write that is refused may be there all the same.

Where this file departs from the paper, or fills in what it leaves open. A stand-in keeps hinted replicas on the same
disk: it is no home of these keys, so nothing else is there under their names. Repairs compare digests of the shared keys,
not a Merkle tree for each range (merkle_repair.py shows those). Members do not come and go by rebalancing: a ring is of
all that a member has ever heard of, dead or not. Everybody should know everybody from the beginning (topology =
complete), or homes differ until rings agree. Deletions are versions without a value, and are kept for ever. A node that
comes back without memory counts its versions under a new number, node + 100,000 times a number that it draws, so that
none of its new ones is taken for an old one.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from itertools import islice

from gossiplab import Message, Read, Write, every, param
from gossiplab.builtin import heartbeat
from gossiplab.replica.digest import Digest, difference, fingerprint, key_bytes
from gossiplab.replica.dots import Context
from gossiplab.replica.hybrid import Hybrid
from gossiplab.replica.lww_register import LwwRegister
from gossiplab.replica.siblings import Siblings, Version
from gossiplab.replica.store import State

# the ring ------------------------------------------------------------------------------------------


def point(data: bytes) -> int:
    """Where on the ring something stands: 64 bits."""
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")


class Ring:
    """Consistent hashing (section 4.2): members, each in so many places."""

    def __init__(self, members: tuple[int, ...], tokens: int) -> None:
        self.points = sorted(
            (point(f"n{member}/{token}".encode()), member) for member in members for token in range(tokens)
        )
        self._homes: dict[tuple[str, int], tuple[int, ...]] = {}
        self._partners: dict[int, dict[int, tuple[int, ...]]] = {}

    def walk(self, start: int) -> Iterator[int]:
        """All members, each once, clockwise from the first place at or after `start`."""
        first, met = bisect_left(self.points, (start, -1)), set[int]()
        for place in range(first, first + len(self.points)):
            member = self.points[place % len(self.points)][1]
            if member not in met:
                met.add(member)
                yield member

    def homes(self, key: str, n: int) -> tuple[int, ...]:
        """The first n members of a key's preference list."""
        if (key, n) not in self._homes:
            self._homes[key, n] = tuple(islice(self.walk(point(key_bytes(key))), n))
        return self._homes[key, n]

    def partners(self, member: int, n: int) -> tuple[int, ...]:
        """The members with whom it may have keys in common, ascending."""
        if n not in self._partners:
            found: dict[int, set[int]] = {}
            for start, _ in self.points:
                homes = list(islice(self.walk(start), n))
                for home in homes:
                    found.setdefault(home, set()).update(homes)
            self._partners[n] = {home: tuple(sorted(each - {home})) for home, each in found.items()}
        return self._partners[n][member]


ring_of = lru_cache(maxsize=1024)(Ring)
"""One ring for all that know the same members: it is the same for all of them, and large."""


def merged(states: Iterable[State | None]) -> State | None:
    """What several replicas together know of a key."""
    whole: State | None = None
    for state in states:
        if state is not None:
            whole = state if whole is None else whole.merge(state)  # pyright: ignore[reportArgumentType]  # of one type
    return whole


# messages ------------------------------------------------------------------------------------------


class Forward(Message):
    """Coordinate this request of a client for me."""

    request: int
    write: bool
    key: str
    value: str | None


class Outcome(Message):
    """What came of a forwarded request. why: it has failed, if not empty."""

    request: int
    state: State | None
    why: str


class Get(Message):
    """What do you have of this key?"""

    request: int
    key: str


class Got(Message):
    """That is what I have."""

    request: int
    state: State | None


class Put(Message):
    """Keep this version. home: the hint, for whom; None: for yourself."""

    request: int
    key: str
    state: State
    home: int | None


class Kept(Message):
    """I have kept the version with this fingerprint."""

    request: int
    version: bytes


class Mend(Message):
    """Read repair: what you answered is old."""

    key: str
    state: State


class Handoff(Message):
    """Hinted handoff: what came for you while you were away."""

    key: str
    state: State


class Taken(Message):
    """I have taken over the state with this fingerprint."""

    key: str
    version: bytes


class Compare(Message):
    """A repair begins: of all keys that we share I have this."""

    repair: int
    checksum: bytes


class Digests(Message):
    """Then it is not the same: here is mine, key by key."""

    repair: int
    digest: Digest


class Exchange(Message):
    """What differs, as I have it, and what I want of you. differing: in how many keys we do."""

    repair: int
    states: dict[str, State]
    wants: tuple[str, ...]
    differing: int


@dataclass
class Operation:
    """A request that a node coordinates.

    asker: the node that the client asked. targets: who shall answer, and in whose place. found: what they have of the
    key. version: what a write has made of it; kept: who has kept that. over: the asker knows what came of it.
    """

    request: int
    write: bool
    key: str
    value: str | None
    asker: int
    targets: dict[int, int | None]
    found: dict[int, State | None] = field(default_factory=dict)
    version: State | None = None
    print: bytes = b""
    kept: set[int] = field(default_factory=set)
    over: bool = False


class Dynamo(heartbeat.Heartbeat):
    """Quorums over a preference list, with hinted handoff, read repair and siblings (DeCandia et al. 2007)."""

    n = param(3, low=1, high=100, unit="nodes", doc="homes of a key")
    r = param(2, low=1, high=100, unit="nodes", doc="how many have to answer a read")
    w = param(2, low=1, high=100, unit="nodes", doc="how many have to keep a write")
    sloppy = param(True, doc="others stand in for homes that are down, with a hint")
    conflict = param("siblings", choices=("siblings", "lww"), doc="what concurrent writes become")
    context = param("quorum", choices=("quorum", "local", "blind"), doc="what has been read before a write")
    timeout = param(1.0, low=0.001, high=3600, unit="s", doc="after which a request has failed")
    handoff = param(
        2.0, low=0.01, high=1e6, unit="s", doc="time between two tries to hand over what is hinted"
    )
    repair = param(10.0, low=0.01, high=1e6, unit="s", doc="time between two comparisons with another home")
    tokens = param(16, low=1, high=1000, doc="places of a member on the ring")
    fanout = param(2, low=1, high=100, unit="nodes", doc="to how many others a list of heartbeats is sent")
    fail_after = param(
        6.0, low=0.001, high=1e6, unit="s", doc="timeout: silence after which a member is down"
    )
    cleanup = param(1e6, low=0.001, high=1e6, unit="s", doc="silence after which a dead member is forgotten")

    @classmethod
    def complete(cls, params: dict) -> dict:
        """More answers than there are homes never come."""
        for name in ("r", "w"):
            if params[name] > params["n"]:
                raise ValueError(
                    f"the parameter {name} cannot be {params[name]}: a key has n={params['n']} homes, give at most as many."
                )
        return params

    def setup(self) -> None:
        """Have an empty disk, or the keys of the workload that belong here."""
        super().setup()
        self.members = {self.id, *self.peers}  # being down does not take anybody off the ring
        self.ring = ring_of(tuple(sorted(self.members)), self.tokens)
        life = self.random.getrandbits(24) if self.now else 0
        self.replica = self.id + 100_000 * life
        self.counts: dict[str, int] = {}  # own versions of each key; in memory, for a disk may be rolled back
        self.clock = Hybrid(0.0, 0, self.id)
        self.hints: dict[str, set[int]] = {}  # for whom the keys are here that do not belong here
        self.operations: dict[int, Operation] = {}
        self.coordinated: set[int] = set()  # requests that are or were, for a network may say them twice
        self.waiting: set[int] = set()  # requests of clients here
        self.store = self.open_store(self.conflict, holds=self.begins_here)

    def begins_here(self, key: str) -> bool:
        """Whether a key of the workload belongs here."""
        self.place(key, self.homes(key))
        if self.replica == 0:
            self.counts[key] = 1  # its first version is the lab's, which signs as replica 0
        return self.id in self.homes(key)

    # who is asked ------------------------------------------------------------------------------

    def homes(self, key: str) -> tuple[int, ...]:
        """Where a key belongs."""
        return self.ring.homes(key, self.n)

    def hear(self, member: int, count: int) -> None:
        """A counter has risen: of somebody new, perhaps, who takes over keys then."""
        super().hear(member, count)
        if member not in self.members:
            self.members.add(member)
            self.ring = ring_of(tuple(sorted(self.members)), self.tokens)
            for key in self.store:
                if self.id not in self.homes(key):
                    self.hint(key, self.homes(key))

    def targets(self, key: str) -> dict[int, int | None]:
        """Who shall answer a request, in order of preference, and for which home each stands in."""
        homes = self.homes(key)
        self.place(key, homes)
        if not self.sloppy:
            return dict.fromkeys(homes)
        up = (each for each in self.ring.walk(point(key_bytes(key))) if each not in self.dead)
        healthy = list(islice(up, self.n))
        absent = iter([home for home in homes if home not in healthy])
        return {each: None if each in homes else next(absent, None) for each in healthy}

    # requests ----------------------------------------------------------------------------------

    def on_write(self, write: Write) -> None:
        """Write, delete, or have it done."""
        self.take(write.id, True, write.key, write.value)

    def on_read(self, read: Read) -> None:
        """Read, or have it done."""
        self.take(read.id, False, read.key, None)

    def take(self, request: int, write: bool, key: str, value: str | None) -> None:
        """Coordinate a client's request, or forward it to one who does."""
        self.waiting.add(request)
        targets = self.targets(key)
        if self.id in targets:
            self.coordinate(Operation(request, write, key, value, self.id, targets))
        else:
            first = next((each for each in targets if each not in self.dead), next(iter(targets)))
            self.send(first, Forward(request, write, key, value))
            self.after(2 * self.timeout, self.tell, request, None, f"n{first} did not answer")

    def on_forward(self, sender: int, ask: Forward) -> None:
        """Coordinate for the sender."""
        targets = self.targets(ask.key)
        self.coordinate(Operation(ask.request, ask.write, ask.key, ask.value, sender, targets))

    def on_outcome(self, sender: int, outcome: Outcome) -> None:
        """Tell the client."""
        self.tell(outcome.request, outcome.state, outcome.why)

    def tell(self, request: int, state: State | None, why: str) -> None:
        """Tell a client what came of its request, if it does not know."""
        if request in self.waiting:
            self.waiting.remove(request)
            if why:
                self.refuse(request, why)
            else:
                self.answer(request, state)

    # coordinating ------------------------------------------------------------------------------

    def coordinate(self, op: Operation) -> None:
        """Ask the targets: first what they have, unless a write need not know."""
        if op.request in self.coordinated:
            return
        self.coordinated.add(op.request)
        self.operations[op.request] = op
        self.after(self.timeout, self.close, op)
        if op.write and self.context != "quorum":
            self.write(op, self.store.get(op.key) if self.context == "local" else None)
            return
        for peer in op.targets:
            if peer == self.id:
                self.find(op, peer, self.store.get(op.key))
            else:
                self.send(peer, Get(op.request, op.key))

    def on_get(self, sender: int, get: Get) -> None:
        """Say what is here, hinted or not."""
        self.send(sender, Got(get.request, self.store.get(get.key)))

    def on_got(self, sender: int, got: Got) -> None:
        """A replica has answered."""
        op = self.operations.get(got.request)
        if op is not None and sender in op.targets:
            self.find(op, sender, got.state)

    def find(self, op: Operation, peer: int, state: State | None) -> None:
        """Go on when r replicas have said what they have; mend those that lag behind when all have."""
        if peer in op.found:
            return
        op.found[peer] = state
        if len(op.found) == self.r and not op.over:
            if op.write:
                known = merged(op.found.values())
                if known is not None and self.id in op.targets:
                    self.keep_here(op.key, known, op.targets[self.id])
                self.write(op, known)
            else:
                self.finish(op, merged(op.found.values()))
        if not op.write and len(op.found) == len(op.targets):
            self.mend(op)

    def write(self, op: Operation, known: State | None) -> None:
        """Make the version of a write that has read what is `known`, and have the targets keep it."""
        op.version = version = self.make(op.key, op.value, known)
        op.print = fingerprint(version)
        for peer, home in op.targets.items():
            if peer == self.id:
                self.keep_here(op.key, version, home)
                self.count(op, peer)
            else:
                self.send(peer, Put(op.request, op.key, version, home))

    def make(self, key: str, value: str | None, known: State | None) -> State:
        """A new version over those that are known."""
        if self.conflict == "lww":
            stamped = isinstance(known, LwwRegister)
            self.clock = self.clock.receive(known.stamp, self.now) if stamped else self.clock.tick(self.now)
            return LwwRegister(self.clock, value)
        past = known.context if isinstance(known, Siblings) else Context()
        count = max(past.next(self.replica)[1], self.counts.get(key, 0) + 1)
        self.counts[key] = count
        return Siblings((Version((self.replica, count), past, value),))

    def on_put(self, sender: int, put: Put) -> None:
        """Keep a version, for oneself or for somebody who is away."""
        self.keep_here(put.key, put.state, put.home)
        self.send(sender, Kept(put.request, fingerprint(put.state)))

    def on_kept(self, sender: int, kept: Kept) -> None:
        """A replica has kept a version; that of this life, if its number was used before."""
        op = self.operations.get(kept.request)
        if op is not None and sender in op.targets and kept.version == op.print:
            self.count(op, sender)

    def count(self, op: Operation, peer: int) -> None:
        """A write is done when w replicas have it."""
        op.kept.add(peer)
        if len(op.kept) == self.w:
            self.finish(op, op.version)

    def finish(self, op: Operation, state: State | None, why: str = "") -> None:
        """Say what came of a request, once."""
        if not op.over:
            op.over = True
            if op.asker == self.id:
                self.tell(op.request, state, why)
            else:
                self.send(op.asker, Outcome(op.request, state, why))

    def close(self, op: Operation) -> None:
        """Wait no longer."""
        del self.operations[op.request]
        answers, needed = (len(op.kept), self.w) if op.version else (len(op.found), self.r)
        self.finish(op, None, f"only {answers} of {needed} replicas answered")
        if not op.write and len(op.found) < len(op.targets):
            self.mend(op)

    def mend(self, op: Operation) -> None:
        """Read repair: homes that answered with something old get the newest."""
        whole = merged(op.found.values())
        for peer, state in op.found.items():
            if whole is not None and state != whole and op.targets[peer] is None:
                if peer == self.id:
                    self.store.merge(op.key, whole)
                else:
                    self.send(peer, Mend(op.key, whole))

    def on_mend(self, sender: int, mend: Mend) -> None:
        """Take over what is newer."""
        self.store.merge(mend.key, mend.state)

    # hinted handoff ----------------------------------------------------------------------------

    def keep_here(self, key: str, state: State, home: int | None) -> None:
        """Keep a version, with a hint if it belongs elsewhere."""
        self.store.merge(key, state)
        if self.id not in self.homes(key):
            self.hint(key, self.homes(key) if home is None else (home,))

    def hint(self, key: str, homes: Iterable[int]) -> None:
        """Remember to hand a key over."""
        self.hints.setdefault(key, set()).update(homes)
        self.show("hints", len(self.hints))

    @every("handoff")
    def hand_over(self) -> None:
        """Send what is hinted to those for whom it is, as far as they are up."""
        for key, homes in list(self.hints.items()):
            state = self.store.get(key)
            if state is None:  # the disk has lost it
                self.settle(key)
            else:
                for home in sorted(homes - self.dead.keys()):
                    self.send(home, Handoff(key, state))

    def on_handoff(self, sender: int, handoff: Handoff) -> None:
        """Take over what has come while this node was away."""
        self.keep_here(handoff.key, handoff.state, None)
        self.send(sender, Taken(handoff.key, fingerprint(handoff.state)))

    def on_taken(self, sender: int, taken: Taken) -> None:
        """Drop what its homes have, unless there is more by now."""
        homes = self.hints.get(taken.key, set())
        state = self.store.get(taken.key)
        if sender in homes and state is not None and fingerprint(state) == taken.version:
            homes.remove(sender)
            if not homes:
                self.settle(taken.key)
                self.store.drop(taken.key)

    def settle(self, key: str) -> None:
        """There is nothing to hand over of a key any more."""
        del self.hints[key]
        self.show("hints", len(self.hints))

    # repair ------------------------------------------------------------------------------------

    @every("repair")
    def compare(self) -> None:
        """Compare what one has with another home of some of it."""
        up = [each for each in self.ring.partners(self.id, self.n) if each not in self.dead]
        if up:
            peer = self.random.choice(up)
            self.send(peer, Compare(self.begin_repair(peer), fingerprint(self.shared(peer))))

    def shared(self, peer: int) -> Digest:
        """The digest of all keys whose home is here and at a peer."""
        both = {self.id, peer}
        return {key: state for key, state in self.store.digest().items() if both.issubset(self.homes(key))}

    def on_compare(self, sender: int, compare: Compare) -> None:
        """Answer with one's digest if it is not the same."""
        mine = self.shared(sender)
        self.compared(compare.repair)
        if fingerprint(mine) == compare.checksum:
            self.end_repair(compare.repair, 0)
        else:
            self.send(sender, Digests(compare.repair, mine))

    def on_digests(self, sender: int, digests: Digests) -> None:
        """Send what the other lacks, and ask for what it has."""
        found = difference(self.shared(sender), digests.digest)
        states = self.states((*found.here, *found.unequal))
        wants = (*found.there, *found.unequal)
        self.compared(digests.repair)
        if found:
            differing = len(found.here) + len(wants)
            self.send(sender, Exchange(digests.repair, states, wants, differing))
        else:
            self.end_repair(digests.repair, 0)  # it has come by another way meanwhile

    def on_exchange(self, sender: int, exchange: Exchange) -> None:
        """Take over, and give what is wanted."""
        for key, state in exchange.states.items():
            self.store.merge(key, state)
        states = self.states(exchange.wants)
        self.compared(exchange.repair, keys=len(exchange.states))
        if states:
            self.send(sender, Exchange(exchange.repair, states, (), exchange.differing))
        else:
            self.end_repair(exchange.repair, exchange.differing)

    def states(self, keys: Iterable[str]) -> dict[str, State]:
        """The states of some keys, as far as they are here."""
        found = ((key, self.store.get(key)) for key in keys)
        return {key: state for key, state in found if state is not None}

    # what else happens -------------------------------------------------------------------------

    def rejoin(self) -> None:
        """Be back: whoever waited for an answer has gone."""
        self.operations.clear()
        for request in sorted(self.waiting):
            self.tell(request, None, f"n{self.id} went down")
        super().rejoin()
