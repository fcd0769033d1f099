"""Plumtree: push-lazy-push multicast trees, on top of HyParView (Leitão, Pereira, Rodrigues 2007).

"Epidemic Broadcast Trees", SRDS 2007. Membership is HyParView's (see hyparview.py): its neighbours are the
links, and each node sorts them into two sets:

    eager   gets the payload at once. These links become a spanning tree, which all sources share.
    lazy    gets its announcement (IHAVE), some time later, several in one message.

All links begin as eager, so the first broadcast floods. Whoever gets a payload that it has already answers
PRUNE, and both ends sort the link under lazy: what remains is the tree of the first arrivals, and the next
broadcast to n nodes costs n-1 payloads. Whoever was announced a payload that does not come within `patience`
(the paper's timeout1) asks for it with GRAFT, which makes that link eager again, and goes on to the next
announcer each `patience_again` (timeout2): that is how a broken tree mends itself.

The hop optimisation (the paper's section 3.8): when a payload has come `threshold` or more hops further than an
announcement of it, the announcer's link becomes the eager one, and the link that it came by is pruned. The
paper's experiments use a threshold of 7. It evens out trees that were grown from one source, or that repairs
have made long; a lower threshold makes the tree less stable. 0: never. So n-1 payloads are what a tree at rest
costs: with one source, or without the optimisation. Where the source changes with each broadcast, about every
other one at n = 500 still exchanges a link, for two payloads more.

`patience` has to be longer than the difference between the ways along tree and announcement, else payloads are
asked for that are under way: a second is ample for the lab's own links, whose latency is 0.05 s at most.

Left open by the paper: when announcements are sent (`dispatch` below: `announce_every` after the first
of them), and how long payloads are kept for those who ask (`keep_for`; then the node loses interest).

What becomes of it. A broadcast is for those who are in the overlay when it happens: a node that joins later,
that was alone, or was on the other side of a partition, is not told, unless an announcement of it still comes.
When announcements and payload are all lost on the way to a node, it never hears of them; the paper
has TCP against that. Everything else is HyParView's: see there.
"""

from gossiplab import Message, Timer, param
from gossiplab.builtin import hyparview


class Gossip(Message):
    """The payload. hops: links that it had travelled before this one (the paper's round)."""

    rumor: int
    hops: int


class IHave(Message):
    """Announcements: rumors, and the hops that they had travelled before this link."""

    rumors: dict[int, int]


class Prune(Message):
    """I have got that already: announce your next ones."""


class Graft(Message):
    """Push to me from now on, and first of all this rumor; None: nothing that has been."""

    rumor: int | None


class Plumtree(hyparview.HyParView):
    """Broadcast along a tree that mends itself by lazy announcements (Leitão et al. 2007)."""

    patience = param(1.0, low=0.001, high=3600, unit="s", doc="wait for an announced payload: timeout1")
    patience_again = param(0.5, low=0.001, high=3600, unit="s", doc="wait for a payload asked for: timeout2")
    announce_every = param(0.1, high=3600, unit="s", doc="how long announcements are gathered")
    threshold = param(7, high=1000, unit="hops", doc="when to change to a shorter way; 0: never")
    keep_for = param(30.0, high=3600, unit="s", doc="how long payloads are kept for those who ask")

    def setup(self) -> None:
        """Have nothing, and no neighbours yet."""
        self.eager: set[int] = set()
        self.lazy: set[int] = set()
        self.received: set[int] = set()
        self.kept: dict[int, int] = {}  # payloads that can still be had here, and the hops they came
        self.missing: dict[int, list[tuple[int, int]]] = {}  # rumor: (announcer, hops), as they came
        self.timers: dict[int, Timer] = {}  # of those that are missing
        self.queues: dict[int, dict[int, int]] = {}  # announcements to come, by peer
        super().setup()

    # push --------------------------------------------------------------------------------------

    def on_inject(self, rumor: int) -> None:
        """Broadcast."""
        self.push(rumor, 0, self.id)

    def push(self, rumor: int, hops: int, sender: int) -> None:
        """Deliver, push to the eager peers, and announce to the lazy ones."""
        self.received.add(rumor)
        self.kept[rumor] = hops
        self.after(self.keep_for, self.discard, rumor)
        for peer in sorted(self.eager - {sender}):
            self.send(peer, Gossip(rumor, hops), carries=(rumor,))
        for peer in sorted(self.lazy - {sender}):
            if not self.queues:
                self.after(self.announce_every, self.dispatch)
            self.queues.setdefault(peer, {})[rumor] = hops

    def dispatch(self) -> None:
        """Send the announcements that have gathered."""
        for peer, rumors in self.queues.items():
            self.send(peer, IHave(rumors))
        self.queues = {}

    def discard(self, rumor: int) -> None:
        """Keep a payload no longer."""
        del self.kept[rumor]
        self.retire(rumor)

    def on_gossip(self, sender: int, gossip: Gossip) -> None:
        """Pass a payload on the first time; a second time, the way that it came is one too many."""
        if self.learn(gossip.rumor):
            self.push(gossip.rumor, gossip.hops + 1, sender)
            self.sort(sender, eager=True)
            self.shorten(gossip, sender)
            self.arrived(gossip.rumor)
        else:
            self.sort(sender, eager=False)
            self.send(sender, Prune())

    def on_prune(self, sender: int, prune: Prune) -> None:
        """Only announce to the sender from now on."""
        self.sort(sender, eager=False)

    # repair ------------------------------------------------------------------------------------

    def on_i_have(self, sender: int, announcement: IHave) -> None:
        """Wait for what is announced, unless it is here."""
        for rumor, hops in announcement.rumors.items():
            if rumor not in self.received:
                self.missing.setdefault(rumor, []).append((sender, hops))
                if rumor not in self.timers:
                    self.timers[rumor] = self.after(self.patience, self.ask, rumor)

    def ask(self, rumor: int) -> None:
        """It has not come: get it from the first announcer, and have it push the next ones, too."""
        if not self.missing.get(rumor):
            self.arrived(rumor)  # or not, but there is nobody left to ask
            return
        peer, _ = self.missing[rumor].pop(0)
        self.timers[rumor] = self.after(self.patience_again, self.ask, rumor)
        self.sort(peer, eager=True)
        self.send(peer, Graft(rumor))

    def on_graft(self, sender: int, graft: Graft) -> None:
        """Push to the sender from now on, and what it has missed at once."""
        self.sort(sender, eager=True)
        if graft.rumor is not None and graft.rumor in self.kept:
            self.send(sender, Gossip(graft.rumor, self.kept[graft.rumor]), carries=(graft.rumor,))

    def arrived(self, rumor: int) -> None:
        """Do not wait for it any more."""
        self.missing.pop(rumor, None)
        timer = self.timers.pop(rumor, None)
        if timer is not None:
            timer.cancel()

    def shorten(self, gossip: Gossip, sender: int) -> None:
        """The hop optimisation: change to an announcer that was much nearer to the source than the sender."""
        for peer, hops in self.missing.get(gossip.rumor, []):
            if self.threshold and gossip.hops - hops >= self.threshold and peer in self.active:
                self.sort(peer, eager=True)
                self.send(peer, Graft(None))
                self.sort(sender, eager=False)
                self.send(sender, Prune())
                return

    # neighbours --------------------------------------------------------------------------------

    def sort(self, peer: int, *, eager: bool) -> None:
        """Have a neighbour among the eager or the lazy ones."""
        if peer in self.active:
            into, out = (self.eager, self.lazy) if eager else (self.lazy, self.eager)
            out.discard(peer)
            into.add(peer)
            self.keep("eager", self.eager)
            self.keep("lazy", self.lazy)

    def neighbour_up(self, peer: int) -> None:
        """A new link is eager, until it turns out to be one too many."""
        self.sort(peer, eager=True)

    def neighbour_down(self, peer: int) -> None:
        """Whatever it has announced cannot be had from it any more."""
        self.eager.discard(peer)
        self.lazy.discard(peer)
        self.keep("eager", self.eager)
        self.keep("lazy", self.lazy)
        self.queues.pop(peer, None)
        for rumor, announcements in self.missing.items():
            self.missing[rumor] = [each for each in announcements if each[0] != peer]

    def rejoin(self) -> None:
        """Be back: whatever was waited for has gone by."""
        self.missing, self.timers, self.queues = {}, {}, {}
        for rumor in self.kept:
            self.after(self.keep_for, self.discard, rumor)
        super().rejoin()
