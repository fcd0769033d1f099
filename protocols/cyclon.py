"""Cyclon: peer sampling by shuffles with the oldest neighbour (Voulgaris, Gavidia, van Steen 2005).

"CYCLON: Inexpensive membership management for unstructured P2P overlays", Journal of Network and Systems
Management 13(2). Every node knows a few others, its cache: entries of an address and an age, in cycles. In
each cycle a node (enhanced shuffling)

    1. makes all entries a cycle older,
    2. takes the oldest, Q, and shuffle_length - 1 others at random,
    3. replaces Q's entry by one of itself, of age 0,
    4. sends these to Q, which sends back as many of its own, chosen at random,
    5. puts what it gets, except itself and what it has, first into empty places, then in place of Q's entry and
       of what it sent. So does Q. When Q has not answered by the next cycle, its entry is removed.

Where a cache has room, nothing takes the place of Q's entry; then it stays, as young as one of a node that
has just been heard should be, or two nodes would know nothing of each other every other cycle.

The links of the overlay have a direction. Every node is told of about as often as every other, so in-degrees
keep closer to the mean than in a random graph; clustering and path lengths become those of a random graph.
Age bounds how long the dead are remembered: they are the ones that nobody refreshes, so they become the oldest,
and are gone after one shuffle without an answer. There is no other detector of failures.

A newcomer asks an introducer (introducers after n0 ask one before them), which starts one random walk for each place in its cache. Where a walk ends,
the newcomer takes the place of a random entry, which it gets in return: no in-degree but its own changes. Walks
are five links long, about the average path length as the paper wants it (and as in the comparison of Leitão et
al. 2007 in the HyParView paper; their caches hold 35, and shuffles are 14 long).

A broadcast is not the paper's business; as in that comparison, whoever hears one first tells `fanout` others.

What becomes of it. The introducer is down: whoever knows nobody asks again every cycle. An introducer that is
alone asks a node at random. All join at once: the first walks are short, shuffles mix the rest. Somebody leaves:
the paper makes no difference between that and a failure. Nearly everybody dies: a node whose cache has only
dead entries loses one a cycle, and joins again when it is empty. A partition: every cycle loses the oldest
entry that does not answer, so after about as many cycles as a cache has entries neither side knows of the
other, and after the heal they stay apart until one side's memory of a node meets that node on the other side,
having restarted, say. When it is shorter they grow together again.
"""

from collections.abc import Iterable

from gossiplab import Message, Protocol, every, param

SETTLED = 10  # cycles after the last join: caches are full and mixed

Entries = tuple[tuple[int, int], ...]  # nodes and their ages


class Shuffle(Message):
    """Some of my entries; send me some of yours."""

    entries: Entries


class ShuffleReply(Message):
    """Some of mine."""

    entries: Entries


class Join(Message):
    """Introduce me."""


class Walk(Message):
    """A newcomer on a random walk, with `ttl` links to go."""

    node: int
    ttl: int


class Welcome(Message):
    """You are in my cache. In your place there was this entry."""

    entry: tuple[int, int]


class Gossip(Message):
    """The payload of a broadcast."""

    rumor: int


class Cyclon(Protocol):
    """Peer sampling: caches that are shuffled with the oldest neighbour (Voulgaris et al. 2005)."""

    cache_size = param(20, low=1, high=10_000, unit="entries", doc="how many others a node knows")
    shuffle_length = param(8, low=1, high=10_000, unit="entries", doc="how many it exchanges in a cycle")
    period = param(1.0, low=0.01, high=3600, unit="s", doc="time from one shuffle to the next: a cycle")
    walk = param(5, high=100, unit="links", doc="how far the walks of a newcomer go")
    fanout = param(4, high=10_000, unit="nodes", doc="how many others a node tells a broadcast")
    contacts = param(
        1, high=100_000, unit="nodes", doc="n0, n1 ...: the introducers; 0: whomever a node is linked with"
    )
    join_over = param(
        5.0, high=3600, unit="s", doc="nodes join at random instants of so many seconds; 0: all at once"
    )

    @classmethod
    def first_rumor(cls, params: dict) -> float:
        """When the overlay is mixed."""
        return params["join_over"] + SETTLED * params["period"]

    def setup(self) -> None:
        """Know nobody; the introducers are there at once, the others join in the course of time."""
        self.cache: dict[int, int] = {}  # nodes and the ages of their entries
        self.asked: int | None = None  # the one that has to answer the last shuffle
        self.offered: list[int] = []  # the nodes that it was sent
        self.joined = self.now == 0 == self.id < self.contacts
        self.keep("active", self.cache)
        if not self.joined:
            at_once = self.now > 0 or self.id < self.contacts
            self.after(0 if at_once else self.random.random() * self.join_over, self.join)

    # a cycle -----------------------------------------------------------------------------------

    @every("period")
    def shuffle(self) -> None:
        """Steps 1 to 4, with the oldest neighbour."""
        if self.asked is not None:
            self.cache.pop(self.asked, None)
            self.asked = None
            self.keep("active", self.cache)
        if self.cache:
            for node in self.cache:
                self.cache[node] += 1
            self.asked = max(self.cache, key=self.age)
            self.offered = self.some(self.shuffle_length - 1, but=self.asked)
            self.send(self.asked, Shuffle(((self.id, 0), *self.entries(self.offered))))
        elif self.joined:
            self.join()

    def on_shuffle(self, sender: int, shuffle: Shuffle) -> None:
        """Answer, then take over what came."""
        offered = self.some(self.shuffle_length)
        self.send(sender, ShuffleReply(self.entries(offered)))
        self.merge(shuffle.entries, offered)

    def on_shuffle_reply(self, sender: int, reply: ShuffleReply) -> None:
        """Take over what came, first of all in place of the one that sent it."""
        if sender == self.asked:
            self.asked = None
            if sender in self.cache:
                self.cache[sender] = 0
            self.merge(reply.entries, [sender, *self.offered])

    def merge(self, entries: Entries, offered: list[int]) -> None:
        """Step 5: into empty places, then in place of what was sent."""
        for node, age in entries:
            if node == self.id or node in self.cache:
                continue
            if len(self.cache) >= self.cache_size:
                given = [each for each in offered if each in self.cache]
                if not given:
                    break
                del self.cache[given[0]]
            self.cache[node] = age
        self.keep("active", self.cache)

    def age(self, node: int) -> int:
        """Of an entry, in cycles."""
        return self.cache[node]

    def some(self, k: int, but: int | None = None) -> list[int]:
        """At most k nodes of the cache, at random, all but one of them."""
        nodes = [node for node in self.cache if node != but]
        return self.random.sample(nodes, min(k, len(nodes)))

    def entries(self, nodes: Iterable[int]) -> Entries:
        """The entries of these nodes."""
        return tuple((node, self.cache[node]) for node in nodes)

    # join --------------------------------------------------------------------------------------

    def join(self) -> None:
        """Ask an introducer."""
        self.joined = True
        for contact in self.a_contact():
            self.send(contact, Join())

    def a_contact(self) -> list[int]:
        """One of the contacts at random, at 0 s one before this node; where there is none, a node that it is linked with."""
        # as far as this node can tell how many there are
        there = max([self.id, *self.peers[-1:]]) + 1 if self.contacts > 1 else 1
        before = min(self.contacts, self.id if self.now == 0 < self.id else there)
        contacts = [node for node in range(before) if node != self.id]
        return [self.random.choice(contacts)] if contacts else self.sample(1)

    def on_join(self, sender: int, join: Join) -> None:
        """Start a walk for each place in the newcomer's cache."""
        for _ in range(self.cache_size):
            self.on_walk(sender, Walk(sender, self.walk))

    def on_walk(self, sender: int, walk: Walk) -> None:
        """Go on; at the end, exchange a random entry for one of the newcomer."""
        others = [node for node in self.cache if node != walk.node]
        if walk.ttl > 0 and others:
            self.send(self.random.choice(others), Walk(walk.node, walk.ttl - 1))
        elif walk.node not in self.cache and walk.node != self.id:
            entry = (self.id, 0)
            if len(self.cache) >= self.cache_size:
                given = self.random.choice(others)
                entry = (given, self.cache.pop(given))
            self.cache[walk.node] = 0
            self.send(walk.node, Welcome(entry))
            self.keep("active", self.cache)

    def on_welcome(self, sender: int, welcome: Welcome) -> None:
        """Know one more."""
        self.merge((welcome.entry,), [])

    # broadcast ---------------------------------------------------------------------------------

    def on_inject(self, rumor: int) -> None:
        """Begin to tell it."""
        self.tell(rumor)

    def on_gossip(self, sender: int, gossip: Gossip) -> None:
        """Tell it on, the first time."""
        if self.learn(gossip.rumor):
            self.tell(gossip.rumor)

    def tell(self, rumor: int) -> None:
        """Tell some others, once."""
        for peer in self.some(self.fanout):
            self.send(peer, Gossip(rumor), carries=(rumor,))
        self.retire(rumor)
