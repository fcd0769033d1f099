"""HyParView: a few neighbours to talk to, many others in reserve (Leitão, Pereira, Rodrigues 2007).

"HyParView: a membership protocol for reliable gossip-based broadcast", DSN 2007; the numbers of sections
below are the paper's. Every node has two partial views (4.1):

    active     its neighbours; always mutual, or on the way to be: a symmetric overlay of small degree
    passive    nodes that it knows and does not talk to, from which failed neighbours are replaced

A newcomer asks a contact, which takes it in whatever it costs, and sends its name on random walks through the
overlay: where a walk ends, after ARWL links, it is taken in too, and at PRWL links from the end it is
remembered (4.2). A failed neighbour is replaced from the passive view; a node without any neighbour asks with
high priority and is never refused, others are refused where there is no room (4.3). Passive views are
refreshed by shuffles, which walk, too (4.4). Sizes and lengths are those of the paper's experiments (5.1),
the time to live of a shuffle, which it does not print, is that of a join.

A broadcast floods the active views, as the paper's experiments do: each node tells all neighbours once.

Where the lab differs. The paper keeps a TCP connection to every neighbour, and is told by it at once when one
fails. The lab has datagrams, so here a connection is what it is under the hood, messages that keep it alive:

    Connected   "you are in my active view". Sent when a peer is taken in, and every `keepalive` seconds from
                then on. A stranger who says so is taken in if there is room, else told Disconnect; so views
                become mutual again whatever was lost or overtaken on the way.
    failed      a neighbour that was silent for three keepalives, or a peer that did not answer a NEIGHBOR
                within `timeout`. It is forgotten, as when a connection breaks or cannot be made.

A node that lacks neighbours asks for them at every keepalive, one peer after the other, and a contact when its
passive view is empty. Any node can reach any other: the lab's topology has no part in it.

What becomes of it. The contacts are down: whoever knows nobody asks again every second, and is alone until one
is back; those who are in do not need them. n0 waits for the first to come; the other contacts join through one
before them. A contact that is alone later asks a node at random, as a person would tell it one. All join at once:
contacts throw out the last ones for the next, whose walks find them others; with four contacts or more, that has left
one overlay of forty nodes in ten in two parts (none with one or two, or with seconds to join in). Everybody left
or died: the views of whoever comes back lead nowhere, are emptied one by one, and it joins again. A partition: each side closes over, and forgets as many of the other as it asks in vain. If after it
is healed both sides have full active views, nobody has a reason to ask across, and they stay apart until
one side's memory of a node meets that node on the other side, having restarted, say; the paper does not treat it.
"""

from collections.abc import Iterable

from gossiplab import Message, Protocol, Timer, every, param

SILENCE = 3  # keepalives; the paper's TCP notices sooner, but two lost datagrams in a row are no failure
SETTLED = 5.0  # s after the last join: views are full and mutual


class Join(Message):
    """Take me in."""


class ForwardJoin(Message):
    """A newcomer on its random walk, with `ttl` links to go."""

    node: int
    ttl: int


class Neighbor(Message):
    """Be my neighbour; `high`: I have none."""

    high: bool


class Reject(Message):
    """There is no room."""


class Connected(Message):
    """You are in my active view."""


class Disconnect(Message):
    """You are not, or not any more."""


class Shuffle(Message):
    """Nodes that `origin` knows, on a random walk, with `ttl` links to go."""

    origin: int
    ttl: int
    nodes: tuple[int, ...]


class ShuffleReply(Message):
    """As many nodes in return."""

    nodes: tuple[int, ...]


class Gossip(Message):
    """The payload of a broadcast."""

    rumor: int


class HyParView(Protocol):
    """Membership by a small active and a larger passive view; a broadcast floods (Leitão et al. 2007)."""

    active_size = param(5, low=1, high=1000, unit="nodes", doc="the most neighbours: size of the active view")
    passive_size = param(30, low=1, high=10_000, unit="nodes", doc="size of the passive view")
    arwl = param(6, high=100, unit="links", doc="active random walk length: how far a join walks")
    prwl = param(3, high=100, unit="links", doc="passive: with so many left, the newcomer is remembered")
    shuffle_period = param(10.0, low=0.01, high=3600, unit="s", doc="time from one shuffle to the next")
    shuffle_ttl = param(6, low=1, high=100, unit="links", doc="how far a shuffle walks")
    ka = param(3, high=1000, unit="nodes", doc="nodes of the active view in a shuffle")
    kp = param(4, high=1000, unit="nodes", doc="nodes of the passive view in a shuffle")
    keepalive = param(1.0, low=0.01, high=3600, unit="s", doc="time from one sign of life to the next")
    timeout = param(0.5, low=0.001, high=3600, unit="s", doc="wait for the answer to a NEIGHBOR request")
    contacts = param(
        1,
        high=100_000,
        unit="nodes",
        doc="n0, n1 ...: through whom others join; 0: whomever they are linked with",
    )
    join_over = param(
        5.0, high=3600, unit="s", doc="nodes join at random instants of so many seconds; 0: all at once"
    )

    @classmethod
    def first_rumor(cls, params: dict) -> float:
        """When all have joined."""
        return params["join_over"] + SETTLED

    def setup(self) -> None:
        """Know nobody; the contacts are there at once, the others join in the course of time."""
        self.active: dict[int, float] = {}  # the neighbours, and when they were heard last
        self.passive: list[int] = []
        self.asked: int | None = None  # the peer that was asked to be a neighbour
        self.deadline: Timer | None = None
        self.refused: list[int] = []  # those that had no room, since the last keepalive
        self.offered: tuple[int, ...] = ()  # the nodes in the last shuffle
        self.joined = self.now == 0 == self.id < self.contacts
        self.keep("active", self.active)
        if not self.joined:
            at_once = self.now > 0 or self.id < self.contacts
            self.after(0 if at_once else self.random.random() * self.join_over, self.join)

    # join (4.2) --------------------------------------------------------------------------------

    def join(self) -> None:
        """Ask a contact."""
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
        """Take the newcomer in, and let its name walk."""
        self.take_in(sender)
        for peer in self.active:
            if peer != sender:
                self.send(peer, ForwardJoin(sender, self.arwl))

    def on_forward_join(self, sender: int, walk: ForwardJoin) -> None:
        """The end of a walk takes the newcomer in."""
        others = [peer for peer in self.active if peer not in (sender, walk.node)]
        if walk.node == self.id:
            return
        if walk.ttl == 0 or not others:
            self.take_in(walk.node)
            return
        if walk.ttl == self.prwl:
            self.remember([walk.node])
        self.send(self.random.choice(others), ForwardJoin(walk.node, walk.ttl - 1))

    # the active view (4.3) ---------------------------------------------------------------------

    def take_in(self, peer: int) -> None:
        """Have a peer as neighbour, in place of a random one if there is no room."""
        if peer not in self.active:
            if len(self.active) >= self.active_size:
                self.disconnect(self.random.choice([*self.active]))
            self.connect(peer)
        self.send(peer, Connected())

    def connect(self, peer: int) -> None:
        """Put a peer into the active view, where there is room for it."""
        self.active[peer] = self.now
        if peer in self.passive:
            self.passive.remove(peer)
        self.keep("active", self.active)
        self.keep("passive", self.passive)
        self.neighbour_up(peer)

    def forget(self, peer: int) -> None:
        """Take a peer out of the active view."""
        del self.active[peer]
        self.keep("active", self.active)
        self.neighbour_down(peer)

    def disconnect(self, peer: int) -> None:
        """Part from a neighbour that has not failed."""
        self.send(peer, Disconnect())
        self.forget(peer)
        self.remember([peer])

    def on_disconnect(self, sender: int, disconnect: Disconnect) -> None:
        """A neighbour parts."""
        if sender in self.active:
            self.forget(sender)
            self.remember([sender])

    def on_connected(self, sender: int, connected: Connected) -> None:
        """A neighbour is alive; or a peer has taken this node in, and expects the same."""
        self.answered(sender)
        if sender in self.active:
            self.active[sender] = self.now
        elif len(self.active) < self.active_size:
            self.connect(sender)
        else:
            self.send(sender, Disconnect())

    @every("keepalive")
    def stay_connected(self) -> None:
        """Tell the neighbours that this node is alive, and replace those that are not."""
        for peer, heard in [*self.active.items()]:
            if self.now - heard > SILENCE * self.keepalive:
                self.forget(peer)
            else:
                self.send(peer, Connected())
        self.refused.clear()
        if self.joined:
            self.fill()

    def fill(self) -> None:
        """Ask a passive peer to be a neighbour, if there is room for one; whoever knows nobody joins again."""
        if self.asked is not None or len(self.active) >= self.active_size:
            return
        if not self.active and not self.passive:
            self.join()
            return
        known = self.passive or self.a_contact()
        peers = [peer for peer in known if peer not in self.refused and peer not in self.active]
        if peers:
            self.asked = self.random.choice(peers)
            self.send(self.asked, Neighbor(high=not self.active))
            self.deadline = self.after(self.timeout, self.give_up)

    def on_neighbor(self, sender: int, request: Neighbor) -> None:
        """Take a peer in if it has nobody else, or if there is room."""
        if request.high or sender in self.active or len(self.active) < self.active_size:
            self.take_in(sender)
        else:
            self.send(sender, Reject())

    def on_reject(self, sender: int, reject: Reject) -> None:
        """Ask another one; this one stays in the passive view."""
        if self.answered(sender):
            self.refused.append(sender)
            self.fill()

    def answered(self, sender: int) -> bool:
        """Whether it was the peer that this node has asked; if so, it need not be waited for any more."""
        if sender != self.asked or self.deadline is None:
            return False
        self.asked = None
        self.deadline.cancel()
        return True

    def give_up(self) -> None:
        """The peer that was asked does not answer: it has failed."""
        if self.asked in self.passive:
            self.passive.remove(self.asked)
            self.keep("passive", self.passive)
        self.asked = None
        self.fill()

    # the passive view (4.4) --------------------------------------------------------------------

    def remember(self, nodes: Iterable[int], offered: tuple[int, ...] = ()) -> None:
        """Put nodes into the passive view, in place of those that were offered to others, or of random ones."""
        spare = [*offered]
        for node in nodes:
            if node == self.id or node in self.active or node in self.passive:
                continue
            if len(self.passive) >= self.passive_size:
                spare = [each for each in spare if each in self.passive]
                self.passive.remove(spare.pop(0) if spare else self.random.choice(self.passive))
            self.passive.append(node)
        self.keep("passive", self.passive)

    @every("shuffle_period")
    def shuffle(self) -> None:
        """Send some of both views on a random walk."""
        if self.active:
            self.offered = (self.id, *self.some(self.active, self.ka), *self.some(self.passive, self.kp))
            peer = self.random.choice([*self.active])
            self.send(peer, Shuffle(self.id, self.shuffle_ttl, self.offered))

    def on_shuffle(self, sender: int, walk: Shuffle) -> None:
        """The end of a walk remembers the nodes, and tells the origin as many."""
        ttl = walk.ttl - 1
        others = [peer for peer in self.active if peer not in (sender, walk.origin)]
        if ttl > 0 and others:
            self.send(self.random.choice(others), Shuffle(walk.origin, ttl, walk.nodes))
        elif walk.origin != self.id:
            offered = self.some(self.passive, len(walk.nodes))
            self.send(walk.origin, ShuffleReply(offered))
            self.remember(walk.nodes, offered)

    def on_shuffle_reply(self, sender: int, reply: ShuffleReply) -> None:
        """Remember them."""
        self.remember(reply.nodes, self.offered)

    def some(self, nodes: Iterable[int], k: int) -> tuple[int, ...]:
        """At most k of these, at random."""
        these = [*nodes]
        return tuple(self.random.sample(these, min(k, len(these))))

    # what else happens -------------------------------------------------------------------------

    def leave(self) -> None:
        """Part from all neighbours."""
        for peer in self.active:
            self.send(peer, Disconnect())

    def rejoin(self) -> None:
        """Be back: all connections are broken, and those at their other ends have other neighbours by now."""
        self.asked = None
        before = [*self.active]
        for peer in before:
            self.forget(peer)
        self.remember(before)
        self.fill()

    # broadcast ---------------------------------------------------------------------------------

    def on_inject(self, rumor: int) -> None:
        """Flood."""
        self.flood(rumor, self.id)

    def on_gossip(self, sender: int, gossip: Gossip) -> None:
        """Tell all other neighbours, the first time."""
        if self.learn(gossip.rumor):
            self.flood(gossip.rumor, sender)

    def flood(self, rumor: int, sender: int) -> None:
        """Tell all neighbours but one, once."""
        for peer in self.active:
            if peer != sender:
                self.send(peer, Gossip(rumor), carries=(rumor,))
        self.retire(rumor)

    # for broadcast protocols on top: the peer sampling service of the Plumtree paper ------------

    def neighbour_up(self, peer: int) -> None:
        """A peer has become a neighbour."""

    def neighbour_down(self, peer: int) -> None:
        """A peer is no neighbour any more."""
