"""Rumor mongering (Demers et al. 1987, "Epidemic algorithms for replicated database maintenance", 1.4).

A site is susceptible (has not heard the rumor), infective (has heard and spreads it) or removed (has heard
and lost interest). Time goes in cycles of one second. In each cycle

    push        every infective site calls a random other one and tells it the rumor,
    pull        every site calls a random other one, which tells it the rumor if it is infective,
    push-pull   both, over the same connection.

A site loses interest after unnecessary contacts: those in which its partner already knew (feedback), or
all of them (blind); with probability 1/k at each (coin), or after k of them in a row (counter).

    counter     At most once a cycle: back to 0 if any partner needed the rumor, else up by one if some
                did not. (Table 3 decides that for pull; in push there is one partner a cycle anyway.)
    coin        Tossed for each unnecessary contact: the paper's di/dt = si - (1-s)i/k has it so.
    minimize    Push-pull with counters: of two infective sites that meet only the smaller counter goes up,
                both when they are equal.

All sites act on the state at the start of the cycle, and effects come into force at its end: a site that
hears in a cycle "did not know" until the next one begins, and passes the rumor on from then.

A contact is up to three messages, one after the other (pull, update, feedback): they fit into a cycle when
links take less than 0.33 s, and 0.12 s with a connection limit. The lab's own links take 0.01 to 0.05 s. On
slower ones the protocol still works, but a verdict that comes late counts for the next cycle, and the
figures are no longer those of the paper.

With a connection limit, a site accepts so many callers a cycle, its own call not counted, and a rejected
caller hunts for another site, never the same one twice. Each hunt has to end before the next begins, with
callers in a random order; on a network they all come at once. So each caller draws a lot; for the first
half of the cycle a site keeps the callers with the lowest lots waiting, and then accepts them. That is the
deferred acceptance of Gale and Shapley (1962): when all sites rank callers alike, its outcome is the one
that the callers reach by coming one by one in the order of their lots, however long messages take. A hunt
that needs more than half a second has failed: long ones need links of a smaller latency.
"""

from gossiplab import Cycle, Message, Protocol, every, param

PERIOD = 1.0  # s, one cycle
SETTLED = 0.5  # s after the start of a cycle: connections are settled, contacts begin


class Push(Message):
    """The update: rumors that the sender is infective with, each with its counter."""

    counters: dict[int, int]


class Pull(Message):
    """Tell me your rumors."""


class PushPull(Push):
    """The update, and: tell me yours."""


class Feedback(Message):
    """What became of an update: for each rumor, whether the receiver already knew it."""

    knew: dict[int, bool]


class Connect(Message):
    """May I call you? The lowest lots have precedence."""

    lot: float


class Accept(Message):
    """You may call me."""


class Reject(Message):
    """Too many callers: hunt elsewhere."""


class Rumor(Protocol):
    """Rumor mongering: a hot rumor spreads until those who know it lose interest (Demers et al. 1987)."""

    direction = param(
        "push",
        choices=("push", "pull", "push-pull"),
        doc="who tells whom: the caller, the called site, or both",
    )
    feedback = param(
        True, doc="a contact is unnecessary only if the partner already knew; false (blind): always"
    )
    stop = param(
        "counter",
        choices=("coin", "counter"),
        doc="lose interest with probability 1/k at, or after k, unnecessary contacts",
    )
    k = param(2, low=1, high=1000, unit="contacts", doc="how stubbornly a site keeps spreading a rumor")
    connection_limit = param(
        0, high=100_000, unit="calls", doc="how many calls a site accepts in a cycle; 0: no limit"
    )
    hunt_limit = param(
        0, high=100_000, unit="sites", doc="how many further sites a rejected caller tries in a cycle"
    )
    minimize = param(
        False, doc="push-pull with counters: of two infective sites only the smaller counter goes up"
    )

    @classmethod
    def cycle(cls, params: dict) -> Cycle:
        """Rumors count cycles."""
        return Cycle(PERIOD, aligned=True)

    @classmethod
    def stops_itself(cls, params: dict) -> bool:
        """Sites lose interest: that is the point."""
        return True

    def setup(self) -> None:
        """Know nothing."""
        self.pushes = self.direction != "pull"
        self.pulls = self.direction != "push"
        self.known: set[int] = set()  # rumors, as of the start of this cycle
        self.counters: dict[int, int] = {}  # those that this site is infective with, as of then
        self.news: list[int] = []  # rumors heard in this cycle
        self.useful: set[int] = set()  # rumors that some partner needed
        self.unnecessary: list[tuple[int, int]] = []  # (rumor, partner) of every unnecessary contact
        self.met: dict[int, dict[int, int]] = {}  # infective partners and their counters
        self.settled = True  # whether all connections of this cycle are made
        self.asked: int | None = None  # the site that this one has asked for a connection

    # a cycle -----------------------------------------------------------------------------------

    @every(PERIOD, phase="aligned")
    def act(self) -> None:
        """One cycle: the effects of the last one come into force, then call a random other site."""
        self.end_cycle()
        calls = bool(self.pulls or self.counters) and len(self.peers) > 0
        if self.connection_limit:
            self.open(calls)
        elif calls:
            self.contact(self.sample(1)[0])

    def end_cycle(self) -> None:
        """Lose interest, or not, in each rumor; then be infective with what was heard."""
        for rumor, before in list(self.counters.items()):
            times = sum(each == rumor and not self.spared(rumor, peer) for each, peer in self.unnecessary)
            if self.stop == "coin":
                loses_interest = any(self.random.random() < 1 / self.k for _ in range(times))
            else:
                counter = 0 if rumor in self.useful else before + (times > 0)
                self.counters[rumor] = counter
                loses_interest = counter >= self.k
                if counter != before:
                    self.show(f"counter of rumor {rumor}", counter)
            if loses_interest:
                del self.counters[rumor]
                self.retire(rumor)
        for rumor in self.news:
            self.known.add(rumor)
            self.counters[rumor] = 0
        self.news.clear()
        self.useful.clear()
        self.unnecessary.clear()
        self.met.clear()
        self.settled, self.asked = True, None

    def spared(self, rumor: int, peer: int) -> bool:
        """Whether minimization leaves the counter as it is: the partner was infective too, and its is smaller."""
        return (
            self.minimize
            and self.stop == "counter"
            and self.direction == "push-pull"
            and self.counters[rumor] > self.met.get(peer, {}).get(rumor, self.k)
        )

    # a contact ---------------------------------------------------------------------------------

    def contact(self, peer: int) -> None:
        """Call a site: push, pull, or both."""
        if not self.pushes or not self.counters:
            self.send(peer, Pull())
        else:
            self.tell(peer, PushPull if self.pulls else Push)

    def tell(self, peer: int, kind: type[Push]) -> None:
        """Send the update: it is traffic."""
        self.send(peer, kind(self.counters), carries=tuple(self.counters))
        if not self.feedback:
            self.unnecessary += [(rumor, peer) for rumor in self.counters]

    def on_push(self, sender: int, message: Push) -> None:
        """Hear, and say what was already known at the start of the cycle."""
        self.met[sender] = message.counters
        if self.feedback:
            self.send(sender, Feedback({rumor: rumor in self.known for rumor in message.counters}))
        for rumor in message.counters:
            if self.learn(rumor):
                self.news.append(rumor)

    def on_pull(self, sender: int, message: Message) -> None:
        """Tell what this site is infective with."""
        if self.counters:
            self.tell(sender, Push)

    def on_push_pull(self, sender: int, message: PushPull) -> None:
        """Hear and tell."""
        self.on_push(sender, message)
        self.on_pull(sender, message)

    def on_feedback(self, sender: int, message: Feedback) -> None:
        """The verdict on an update, which takes effect at the end of the cycle."""
        for rumor, knew in message.knew.items():
            if knew:
                self.unnecessary.append((rumor, sender))
            else:
                self.useful.add(rumor)

    # connections, when they are limited --------------------------------------------------------

    def open(self, calls: bool) -> None:
        """Begin to accept callers, and `calls`: to hunt oneself."""
        self.settled = False
        self.waiting: list[tuple[float, int]] = []  # the callers that this site may accept, with their lots
        self.after(SETTLED, self.settle)
        if calls:
            self.lot = self.random.random()
            self.tried: set[int] = set()
            self.hunt()

    def hunt(self) -> None:
        """Ask another site for a connection, if it is not too late and not enough have been tried."""
        self.asked = None
        if not self.settled and len(self.tried) <= min(self.hunt_limit, len(self.peers) - 1):
            while self.asked is None or self.asked in self.tried:
                self.asked = self.sample(1)[0]
            self.tried.add(self.asked)
            self.send(self.asked, Connect(self.lot))

    def on_connect(self, sender: int, message: Connect) -> None:
        """Keep a caller waiting; turn the highest lot away when there are too many."""
        if self.settled:
            self.send(sender, Reject())
            return
        caller = (message.lot, sender)
        if caller not in self.waiting:  # the network may deliver a message twice
            self.waiting = sorted([*self.waiting, caller])
        if len(self.waiting) > self.connection_limit:
            self.send(self.waiting.pop()[1], Reject())

    def on_reject(self, sender: int, message: Reject) -> None:
        """Hunt on."""
        if sender == self.asked:
            self.hunt()

    def settle(self) -> None:
        """Accept the callers that are left."""
        self.settled = True
        for _, caller in self.waiting:
            self.send(caller, Accept())

    def on_accept(self, sender: int, message: Accept) -> None:
        """Go ahead."""
        if sender == self.asked:
            self.asked = None
            self.contact(sender)

    # what else happens -------------------------------------------------------------------------

    def on_inject(self, rumor: int) -> None:
        """A new rumor: spread it from the next cycle, if there is anybody to tell."""
        self.news.append(rumor)
        if not self.peers:
            self.retire(rumor)

    def rejoin(self) -> None:
        """Be back: the cycle in which this site stopped has ended."""
        self.end_cycle()
