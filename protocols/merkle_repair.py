"""Merkle repair: two replicas find what differs by comparing trees of hashes, and exchange that alone.

Dynamo (DeCandia et al. 2007, section 4.7), Cassandra (`nodetool repair`), Riak (active anti-entropy). Every `period`
a node begins a session with a random peer. Its messages go to and fro, one at a time:

    Root      the hash of everything
    Opened    of nodes that differ, the hashes of their children; of leaves, the fingerprints of their keys
    Offer     states of keys that differ, and the names of those that are wanted in return
    Return    the states that were wanted
    Same      nothing differs (any more), the end
    Busy      I am in a session already, the end: try somebody else

Whoever receives an Opened opens, of the nodes in it, those that differ from its own. So the two take turns on the way
down, and whoever receives the leaves knows all differing keys, and streams them in Offers of at most `batch` keys or
about 1 MiB. A replica that receives a state merges it into its own, which is why no harm is done if a session is cut
short, or a client writes meanwhile. For d keys that differ at most d nodes of every level are opened: bytes grow with
d and the depth of the tree, not with the number of keys.

A node is in one session at a time (Riak has a limit, too), or a replica that has lost its disk would get the same keys
from everybody at once. Who is refused tries again at a random instant within a period, as Ethernet does: two that keep
calling each other at the same beat would else refuse each other for ever. A session in which nothing arrives for
`timeout` is forgotten by its side; what comes for it later is ignored. What it has streamed stays; the next one does
the rest.

Writes of clients go to the local store, and are acknowledged at once: repair alone spreads them. So a write that is
acknowledged is lost if its disk is before the next session. What conflicting writes become is the choice of `conflict`:

    lww        the later stamp wins, of hybrid clocks
    siblings   both stay, until a write at a node that knows both. A write counts as based on what its node holds.

A deletion is kept for ever, as a write without a value (see anti_entropy for death certificates that expire). Of a key that is
damaged on a disk, one stamp with two values, both sides take the larger: they agree again, perhaps on the wrong one.

A dot must never be used twice. While a node runs it remembers how many writes of a key it has numbered, even if its
disk is lost or rolled back; once it has lost its memory, too, it numbers them under another name, drawn at random: n3
is then n41730003 or the like.
"""

from dataclasses import dataclass, field
from itertools import islice

from gossiplab import Message, Protocol, Read, Timer, Write, every, param
from gossiplab.replica.hybrid import Hybrid
from gossiplab.replica.lww_register import LwwRegister
from gossiplab.replica.merkle import Hashes, MerkleTree, Part
from gossiplab.replica.siblings import Siblings, Version
from gossiplab.replica.store import State

LARGEST = 2**20  # bytes of states after which a message is full


class Step(Message):
    """Base of all messages. repair: the number of the session. turn: the number of the message in it, from 0."""

    repair: int
    turn: int


class Root(Step):
    """Let us compare."""

    hash: bytes


class Opened(Step):
    """Nodes that differ, opened."""

    part: Part


class Offer(Step):
    """Some of the keys that differ. wanted: in return. last: no more will follow."""

    states: dict[str, State]
    wanted: tuple[str, ...]
    last: bool


class Return(Step):
    """What was wanted, as far as it is another state than the one that was offered. left: did not fit, ask again."""

    states: dict[str, State]
    left: tuple[str, ...]


class Same(Step):
    """Nothing differs."""


class Busy(Step):
    """Not now."""


@dataclass
class Session:
    """What a node remembers of its session. turn: of the message that it waits for.

    The side that streams: todo: keys that are still to come, and whether to give them and whether to want them, in
    the order of their names. differing: how many there were.
    """

    repair: int
    peer: int
    turn: int
    deadline: Timer
    todo: dict[str, tuple[bool, bool]] = field(default_factory=dict)
    differing: int = 0


class MerkleRepair(Protocol):
    """Replicas repair one another by comparing trees of hashes (Dynamo, 2007; Cassandra; Riak)."""

    period = param(
        5.0, low=0.01, high=86400, unit="s", doc="time from one session that a node begins to its next"
    )
    phase = param(
        "random",
        choices=("aligned", "random"),
        doc="all begin at common instants, or each node on a beat of its own",
    )
    fanout = param(16, low=2, high=256, doc="children of a node of the tree")
    depth = param(4, high=16, doc="levels of the tree above its leaves: fanout ^ depth leaves, up to 2^32")
    conflict = param("lww", choices=("lww", "siblings"), doc="what concurrent writes of a key become")
    timeout = param(2.0, low=0.01, high=3600, unit="s", doc="how long a session waits for a message")
    batch = param(64, low=1, high=100_000, unit="keys", doc="how many are streamed in a message")

    @classmethod
    def complete(cls, params: dict) -> dict:
        """A tree of so many leaves has to be possible."""
        MerkleTree(params["fanout"], params["depth"])
        return params

    def setup(self) -> None:
        """An empty disk, but for what every replica holds at the start."""
        self.tree = MerkleTree(self.fanout, self.depth)
        self.store = self.open_store(self.conflict, self.tree)
        new = self.now == 0  # else whatever this node has written in an earlier life is forgotten
        self.name = self.id if new else self.random.randrange(1, 10_000) * 10_000 + self.id
        self.clock = Hybrid(0.0, 0, self.name)
        self.numbered: dict[str, int] = {}  # by key: dots that this node has used
        if self.name == 0:
            self.numbered = dict.fromkeys(
                self.store, 1
            )  # what all hold at the start is the first write of n0
        self.session: Session | None = None
        self.again: Timer | None = None  # to try somebody else

    def rejoin(self) -> None:
        """Be back: the session has gone by."""
        self.session = self.again = None

    # clients -----------------------------------------------------------------------------------

    def on_write(self, write: Write) -> None:
        """Take it here; the others get it by repair."""
        if self.conflict == "lww":
            self.clock = self.clock.tick(self.now)
            delta = self.store.put(write.key, write.value, stamp=self.clock)
        else:
            context = self.store.read(write.key)[1]
            number = max(context.next(self.name)[1], self.numbered.get(write.key, 0) + 1)
            self.numbered[write.key] = number
            delta = Siblings((Version((self.name, number), context, write.value),))
            self.store.merge(write.key, delta)
        self.answer(write.id, delta)

    def on_read(self, read: Read) -> None:
        """What is here."""
        self.answer(read.id, self.store.get(read.key))

    # sessions ----------------------------------------------------------------------------------

    @every("period", phase="phase")
    def begin(self) -> None:
        """Begin to compare with a random peer, unless a session goes on."""
        if self.again is not None:
            self.again.cancel()
            self.again = None
        if self.session is None:
            for peer in self.sample(1):
                repair = self.begin_repair(peer)
                self.open(repair, peer, 1)
                self.send(peer, Root(repair, 0, self.tree.root))

    def open(self, repair: int, peer: int, turn: int) -> None:
        """A session begins."""
        self.session = Session(repair, peer, turn, self.after(self.timeout, self.forget))

    def forget(self) -> None:
        """The session is over for this side."""
        self.session = None

    def close(self, session: Session) -> None:
        """The session is over, and nothing more is to come."""
        session.deadline.cancel()
        self.session = None

    def follow(self, sender: int, message: Step) -> Session | None:
        """The session, if this is the message that it waits for; None if it is late, or here for the second time."""
        session = self.session
        if session is None:
            return None
        if (session.repair, session.peer, session.turn) != (message.repair, sender, message.turn):
            return None
        session.turn += 2
        session.deadline.cancel()
        session.deadline = self.after(self.timeout, self.forget)
        return session

    # down the tree -----------------------------------------------------------------------------

    def on_root(self, sender: int, root: Root) -> None:
        """Somebody wants to compare."""
        if self.session is None:
            self.open(root.repair, sender, 0)
        elif self.session.repair != root.repair:
            self.compared(root.repair)
            self.send(sender, Busy(root.repair, 1))
            return
        session = self.follow(sender, root)
        if session is not None:
            differ = (0,) if root.hash != self.tree.root else ()
            self.compared(root.repair, 0, differ)
            self.descend(session, root, 0, differ)

    def on_opened(self, sender: int, opened: Opened) -> None:
        """Open those of the nodes that differ; below the leaves, stream the keys that do."""
        session, part = self.follow(sender, opened), opened.part
        if session is None:
            return
        if isinstance(part, Hashes):
            differ = self.tree.differing(part)
            self.compared(session.repair, part.level + 1, differ)
            self.descend(session, opened, part.level + 1, differ)
            return
        found = self.tree.difference(part)
        self.compared(session.repair)
        keys = sorted((*found.here, *found.there, *found.unequal))
        here, there = set(found.here), set(found.there)
        session.todo = {key: (key not in there, key not in here) for key in keys}
        session.differing = len(keys)
        if session.differing:
            self.stream(session, opened)
        else:
            self.descend(session, opened, 0, ())

    def descend(self, session: Session, message: Step, level: int, nodes: tuple[int, ...]) -> None:
        """Answer with these nodes of a level, opened; without any, that nothing differs."""
        if nodes:
            self.send(session.peer, Opened(session.repair, message.turn + 1, self.tree.open(level, nodes)))
        else:
            self.send(session.peer, Same(session.repair, message.turn + 1))
            self.close(session)

    def on_same(self, sender: int, same: Same) -> None:
        """Done."""
        session = self.follow(sender, same)
        if session is not None:
            self.compared(session.repair)
            self.end_repair(session.repair, 0)
            self.close(session)

    def on_busy(self, sender: int, busy: Busy) -> None:
        """Try somebody else, some time later."""
        session = self.follow(sender, busy)
        if session is not None:
            self.compared(session.repair)
            self.close(session)
            self.again = self.after(self.random.random() * self.period, self.begin)

    # keys, both ways ---------------------------------------------------------------------------

    def stream(self, session: Session, message: Step) -> None:
        """Offer the next keys, in the order of their names, and ask for those that the other one has."""
        states: dict[str, State] = {}
        wanted: list[str] = []
        room = LARGEST
        for key in list(islice(session.todo, self.batch)):
            if room <= 0:
                break
            give, want = session.todo.pop(key)
            state = self.store.get(key)
            if give and state is not None:  # it may have been lost meanwhile
                states[key] = state
                room -= self.store.size(key)
            if want:
                wanted.append(key)
        last = not session.todo
        self.send(session.peer, Offer(session.repair, message.turn + 1, states, tuple(wanted), last))

    def on_offer(self, sender: int, offer: Offer) -> None:
        """Take over what is offered, and return what is wanted."""
        session = self.follow(sender, offer)
        if session is None:
            return
        self.compared(session.repair, keys=len(offer.states))
        self.take_over(offer.states)
        states: dict[str, State] = {}
        left: list[str] = []
        room = LARGEST
        for key in offer.wanted:
            state = self.store.get(key)
            if state is None or state == offer.states.get(key):
                continue
            if room > 0:
                states[key] = state
                room -= self.store.size(key)
            else:
                left.append(key)
        self.send(sender, Return(session.repair, offer.turn + 1, states, tuple(left)))
        if offer.last and not left:
            self.close(session)

    def on_return(self, sender: int, back: Return) -> None:
        """Take over what comes back, and go on."""
        session = self.follow(sender, back)
        if session is None:
            return
        self.compared(session.repair, keys=len(back.states))
        self.take_over(back.states)
        session.todo.update((key, (False, True)) for key in back.left)
        if session.todo:
            self.stream(session, back)
        else:
            self.end_repair(session.repair, session.differing)
            self.close(session)

    def take_over(self, states: dict[str, State]) -> None:
        """Merge what another replica holds into what is here."""
        for key, state in states.items():
            self.store.merge(key, state)
        stamps = [state.stamp for state in states.values() if isinstance(state, LwwRegister)]
        if stamps:
            self.clock = self.clock.receive(max(stamps), self.now)
