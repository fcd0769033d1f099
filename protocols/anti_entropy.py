"""Anti-entropy (Demers et al. 1987, "Epidemic algorithms for replicated database maintenance", 1.3, 1.5 and 2).

Every `period` a site calls a random other one, and the two resolve their differences:

    push        the called site takes over what the caller has and it has not, or has older,
    pull        the caller takes over what the called site has,
    push-pull   both.

Of two values the one with the later timestamp stays (conflict = lww), or both do until a write at a site that
holds both (siblings). How the two find out in what they differ is `compare`:

    full        the whole database is sent,
    digest      the fingerprints of all keys, then what differs,
    merkle      hashes of a tree over all keys, level by level where they differ, then as with digest,
    recent      updates younger than `tau` first, together with a checksum. When checksums still disagree, the
                sites peel back: they exchange updates in reverse timestamp order until checksums agree.

A deletion is a death certificate, an update without a value: otherwise the next exchange with a site that has
missed the deletion would bring the value back. Certificates cannot stay for ever. All sites keep them for `tau1`
seconds. Then all forget them but the `retention` sites that the certificate names, drawn at random by the site
that deletes; these keep it dormant, no part of any exchange, for another `tau2` seconds. A site that slept for
longer than tau1 brings the old value back, but when that meets a dormant certificate, it awakens it: the
certificate spreads anew as if it were young. For that it has a second timestamp, the activation, which alone says
how old it is; the ordinary one stays, so that an update made after the deletion survives. Whoever sleeps for longer
than tau1 + tau2 brings the dead back.

With rumor = on, updates are hot rumors as well, from the moment in which a site takes them over: pushed to a
random site every `rumor_period`, until `k` sites in a row knew them already (feedback, counter; see rumor.py).
Anti-entropy then is the backup for what rumors miss, and what it finds becomes a hot rumor again (1.5).

phase = aligned: the paper's cycles. All sites act at common instants, on what they held at the start of the cycle;
what they hear comes into force at its end. An exchange should fit into a cycle. Then the fraction p of sites
that lack an update becomes p^2 per cycle of pull, and p e^-(1-p) of push. phase = random: beats of their own.

Where this departs from the paper. Timestamps are those of hybrid clocks: a site's own clock, or just above the latest that it has
seen, so that a site never writes under what it holds. Ages are measured by the site's own clock, as in the paper.
Peel back sends `batch` updates a message, not one. With push or pull alone checksums agree only if the other
side has nothing that may not be sent; else peel back goes through everything. `recent` takes updates over at once even when
aligned, for checksums are compared after that. Siblings have no timestamps: their age counts from when they came.
Dormant certificates and activations are in memory: wiping a disk leaves them, and rejoining fresh does not.
"""

from collections.abc import Callable, Iterable
from heapq import nlargest

from gossiplab import Message, Protocol, Read, Write, every, param
from gossiplab.replica.digest import Difference, Digest, difference
from gossiplab.replica.hybrid import Hybrid
from gossiplab.replica.lww_register import LwwRegister
from gossiplab.replica.merkle import Items, MerkleTree, Part
from gossiplab.replica.siblings import Siblings, Version

State = LwwRegister | Siblings
"""What a site holds of a key. It is a deletion when it has no values."""

Place = tuple[float, str]
"""In the order of peel back: a timestamp, and a key for those that have the same. Exchanges go downwards."""

TOP: Place = (1e300, "")  # above all of them


class Certificate(Message, array_like=True):
    """What comes on top of a deletion. activated: since when it spreads, in s. sites: which keep it when it is dormant."""

    activated: float
    sites: tuple[int, ...]


class Exchange(Message):
    """A message of a repair, which `caller` began."""

    repair: int
    caller: int


class Ask(Exchange):
    """full: send me your database."""


class Database(Exchange):
    """full: all that the sender has."""

    states: dict[str, State]
    certificates: dict[str, Certificate]


class Listing(Exchange):
    """digest: the fingerprints of all that the caller has."""

    digest: Digest


class Root(Exchange):
    """merkle: the hash of all that the caller has."""

    root: bytes


class Opened(Exchange):
    """merkle: a part of the sender's tree, below nodes that differ."""

    part: Part


class Resolve(Exchange):
    """What the two differ in, which are `differing` keys: updates for you, and keys of which I want yours."""

    differing: int
    states: dict[str, State]
    certificates: dict[str, Certificate]
    want: tuple[str, ...]


class Updates(Exchange):
    """The last message: updates for you."""

    differing: int
    states: dict[str, State]
    certificates: dict[str, Certificate]


class Peel(Exchange):
    """recent: updates of the sender's own choice, and better ones for those that it was sent.

    step: 0 for the first message, which like its answer has recent updates. checksum: of all that the sender has.
    here, there: how far down sender and receiver have sent; None: to the end. differing: keys found to differ so far.
    """

    step: int
    states: dict[str, State]
    better: dict[str, State]
    certificates: dict[str, Certificate]
    checksum: bytes
    here: Place | None
    there: Place | None
    differing: int


class Rumor(Message):
    """Hot updates."""

    states: dict[str, State]
    certificates: dict[str, Certificate]


class Feedback(Message):
    """Which of them the receiver already knew."""

    knew: dict[str, bool]


class AntiEntropy(Protocol):
    """Anti-entropy: replicas reconcile with random others; deletions are death certificates (Demers et al. 1987)."""

    direction = param(
        "push-pull",
        choices=("push", "pull", "push-pull"),
        doc="who takes over updates: the called site, the caller, or both",
    )
    compare = param(
        "digest",
        choices=("full", "digest", "merkle", "recent"),
        doc="find differences by the whole database, fingerprints, hash trees, or recent updates and checksums",
    )
    conflict = param(
        "lww",
        choices=("lww", "siblings"),
        doc="of two writes keep the later one, or both if neither has seen the other",
    )
    period = param(1.0, low=0.001, high=3600, unit="s", doc="time from one call of a site to its next")
    phase = param(
        "random",
        choices=("aligned", "random"),
        doc="cycles that are common to all sites, or each on a beat of its own",
    )
    fanout = param(16, low=2, high=256, doc="merkle: children of a tree node")
    depth = param(3, high=8, doc="merkle: levels of the tree above its leaves")
    tau = param(
        5.0,
        high=1e6,
        unit="s",
        doc="recent: how young updates are that are sent before checksums are compared",
    )
    batch = param(8, low=1, high=100_000, unit="updates", doc="recent: how many are peeled back in a message")
    tau1 = param(60.0, high=1e6, unit="s", doc="how long every site keeps a death certificate")
    tau2 = param(600.0, high=1e6, unit="s", doc="how much longer retention sites keep it dormant")
    retention = param(4, high=1000, unit="sites", doc="how many retention sites a death certificate has")
    rumor = param("off", choices=("on", "off"), doc="whether updates also spread as hot rumors, by push")
    rumor_period = param(0.2, low=0.001, high=3600, unit="s", doc="rumor: time from one push to the next")
    k = param(
        2,
        low=1,
        high=1000,
        unit="contacts",
        doc="rumor: after how many unnecessary ones in a row a site stops",
    )

    @classmethod
    def complete(cls, params: dict) -> dict:
        """A tree of so many leaves has to be possible."""
        MerkleTree(params["fanout"], params["depth"])
        return params

    def setup(self) -> None:
        """An empty database, or what the workload puts there."""
        self.pushes = self.direction != "pull"
        self.pulls = self.direction != "push"
        tree = MerkleTree(self.fanout, self.depth) if self.compare == "merkle" else None
        self.store = self.open_store(self.conflict, tree)
        self.clock = Hybrid(0.0, 0, self.id)
        # a site that has lost its memory must not use a dot twice, so it writes under another number, which ends like its own
        self.name = self.id if self.now == 0 else self.id + 100_000 * self.random.randrange(1, 10_000)
        self.dots: dict[str, int] = {}  # siblings: this site's last write of each key
        self.came: dict[str, float] = {}  # siblings: when each key changed here
        self.certificates: dict[str, Certificate] = {}  # of the deletions in the store
        self.dormant: dict[str, tuple[State, Certificate]] = {}
        self.young: dict[str, None] = {}  # recent: keys that may be younger than tau, as they came
        self.hot: dict[str, int] = {}  # rumors, and their counters
        self.heard: list[
            tuple[str, State, Certificate | None]
        ] = []  # aligned: what comes into force with the next cycle

    # clients -----------------------------------------------------------------------------------

    def on_write(self, write: Write) -> None:
        """Take a write or a deletion: one replica is enough, the others hear of it."""
        held = self.held(write.key)
        if self.conflict == "lww":
            self.clock = self.clock.tick(self.now)
            delta: State = LwwRegister(self.clock, write.value)
        else:  # it overwrites what this site holds, as if its client had read that
            past = held.context if isinstance(held, Siblings) else Siblings().context
            self.dots[write.key] = n = max(past.next(self.name)[1], self.dots.get(write.key, 0) + 1)
            delta = Siblings((Version((self.name, n), past, write.value),))
        certificate = None
        if write.value is None:
            sites = [self.id, *self.peers]
            drawn = self.random.sample(sites, min(self.retention, len(sites)))
            certificate = Certificate(self.now, tuple(sorted(drawn)))
        self.take(write.key, delta, certificate)
        self.answer(write.id, delta)

    def on_read(self, read: Read) -> None:
        """Answer with what is here."""
        self.answer(read.id, self.held(read.key))

    # a call ------------------------------------------------------------------------------------

    @every("period", phase="phase")
    def call(self) -> None:
        """Resolve all differences with a random other site."""
        self.begin_cycle()
        for peer in self.sample(1):
            repair, store = self.begin_repair(peer), self.store
            if self.compare == "digest":
                self.send(peer, Listing(repair, self.id, store.digest()))
            elif store.tree is not None:
                self.send(peer, Root(repair, self.id, store.tree.root))
            elif self.compare == "recent":
                self.peel(peer, Peel(repair, self.id, -1, {}, {}, {}, b"", TOP, TOP, 0), {}, 0)
            elif self.pushes:
                self.send(peer, Database(repair, self.id, *self.bundle(store)))
            else:
                self.send(peer, Ask(repair, self.id))

    def begin_cycle(self) -> None:
        """What was heard in the last cycle comes into force."""
        heard, self.heard = self.heard, []
        for update in heard:
            self.take(*update)

    def gives(self, message: Exchange) -> bool:
        """Whether updates may go from here to the other site."""
        return self.pushes if message.caller == self.id else self.pulls

    def takes(self, message: Exchange) -> bool:
        """Whether updates may come."""
        return self.pulls if message.caller == self.id else self.pushes

    # full --------------------------------------------------------------------------------------

    def on_ask(self, sender: int, message: Ask) -> None:
        """Send everything."""
        self.compared(message.repair)
        self.send(sender, Database(message.repair, message.caller, *self.bundle(self.store)))

    def on_database(self, sender: int, message: Database) -> None:
        """Find the differences, and answer with what is better here."""
        theirs = message.states
        differing = [key for key in self.store if self.held(key) != theirs.get(key)]
        count = len(differing) + sum(key not in self.store for key in theirs)
        better = [key for key in differing if self.gives(message) and self.improves(key, theirs.get(key))]
        updates = Updates(message.repair, message.caller, count, *self.bundle(better))
        self.hear(theirs, message.certificates)
        self.compared(message.repair, keys=len(theirs))
        if better:
            self.send(sender, updates)
        else:
            self.end_repair(message.repair, count)

    # digest and merkle -------------------------------------------------------------------------

    def on_listing(self, sender: int, message: Listing) -> None:
        """Find the differences."""
        self.resolve(sender, message, difference(self.store.digest(), message.digest))

    def on_root(self, sender: int, message: Root) -> None:
        """Descend, if the trees differ."""
        tree = self.store.tree
        if tree is None or tree.root == message.root:
            self.compared(message.repair, 0)
            self.end_repair(message.repair, 0)
        else:
            self.compared(message.repair, 0, (0,))
            self.send(sender, Opened(message.repair, message.caller, tree.open(0, (0,))))

    def on_opened(self, sender: int, message: Opened) -> None:
        """Descend further, or find the differences in opened leaves."""
        tree, part = self.store.tree, message.part
        if tree is None:
            return
        if isinstance(part, Items):
            self.resolve(sender, message, tree.difference(part))
            return
        nodes = tree.differing(part)
        self.compared(message.repair, part.level + 1, nodes)
        if nodes:
            self.send(sender, Opened(message.repair, message.caller, tree.open(part.level + 1, nodes)))
        else:  # others have mended it meanwhile
            self.end_repair(message.repair, 0)

    def resolve(self, sender: int, message: Exchange, found: Difference) -> None:
        """Send what may be sent of the differences, and ask for what may come."""
        give = found.here + found.unequal if self.gives(message) else ()
        want = found.there + found.unequal if self.takes(message) else ()
        count = len(found.here) + len(found.there) + len(found.unequal)
        self.compared(message.repair)
        if give or want:
            states, certificates = self.bundle(give)
            self.send(sender, Resolve(message.repair, message.caller, count, states, certificates, want))
        else:
            self.end_repair(message.repair, count)

    def on_resolve(self, sender: int, message: Resolve) -> None:
        """Answer with what is wanted, if it is better than what came."""
        better = [key for key in message.want if self.improves(key, message.states.get(key))]
        updates = Updates(message.repair, message.caller, message.differing, *self.bundle(better))
        self.hear(message.states, message.certificates)
        self.compared(message.repair, keys=len(message.states))
        if better:
            self.send(sender, updates)
        else:
            self.end_repair(message.repair, message.differing)

    def on_updates(self, sender: int, message: Updates) -> None:
        """The end of a repair."""
        self.hear(message.states, message.certificates)
        self.compared(message.repair, keys=len(message.states))
        self.end_repair(message.repair, message.differing)

    # recent ------------------------------------------------------------------------------------

    def on_peel(self, sender: int, message: Peel) -> None:
        """Take over, and go on until the checksums agree or nothing is left."""
        came, repair = message.states | message.better, message.repair
        differing = message.differing + sum(self.held(key) != state for key, state in message.states.items())
        self.hear(came, message.certificates)
        better = {
            key: state for key, state in came.items() if self.gives(message) and self.improves(key, state)
        }
        self.compared(repair, keys=len(came))
        over = not better and message.here is None and message.there is None
        if over or message.checksum == self.checksum():
            self.end_repair(repair, differing)
        else:
            self.peel(sender, message, better, differing)

    def peel(self, peer: int, last: Peel, better: dict[str, State], differing: int) -> None:
        """Answer with recent updates, or those that follow below; but none of those that just came."""
        here, chosen = last.there, list[Place]()
        if not self.gives(last):
            here = None
        elif last.step < 1:
            chosen = self.recent()
            here = chosen[-1] if chosen else here
        elif here is not None:
            below = [place for key in self.store if (place := (self.time(key), key)) < here]
            chosen = nlargest(self.batch, below)
            here = chosen[-1] if len(chosen) < len(below) else None
        came = last.states.keys() | last.better.keys()
        states, certificates = self.bundle(key for _, key in chosen if key not in came)
        better, more = self.bundle(better)
        self.send(
            peer,
            Peel(
                last.repair, last.caller, last.step + 1, states, better, certificates | more, self.checksum(),
                here, last.here, differing,
            ),
        )  # fmt: skip

    def recent(self) -> list[Place]:
        """The updates that are younger than tau, youngest first."""
        for key in [key for key in self.young if self.now - self.time(key) >= self.tau]:
            del self.young[key]
        return sorted(((self.time(key), key) for key in self.young), reverse=True)

    def checksum(self) -> bytes:
        """Of everything."""
        return self.store.checksum.to_bytes(16, "big")

    def time(self, key: str) -> float:
        """The timestamp of what is held of a key, which for a death certificate is its activation."""
        if key in self.certificates:
            return self.certificates[key].activated
        state = self.held(key)
        return state.stamp.time if isinstance(state, LwwRegister) else self.came.get(key, 0.0)

    # rumors ------------------------------------------------------------------------------------

    @every("rumor_period", phase="phase")
    def spread(self) -> None:
        """Push what is hot to a random site."""
        if self.rumor == "on":
            self.begin_cycle()
            if self.hot:
                for peer in self.sample(1):
                    self.send(peer, Rumor(*self.bundle(self.hot)))

    def on_rumor(self, sender: int, message: Rumor) -> None:
        """Hear, and say what was already known."""
        knew = {key: not self.learns(key, state) for key, state in message.states.items()}
        self.hear(message.states, message.certificates)
        self.send(sender, Feedback(knew))

    def on_feedback(self, sender: int, message: Feedback) -> None:
        """Lose interest in what k sites in a row knew already."""
        for key, knew in message.knew.items():
            if key in self.hot:
                self.hot[key] = self.hot[key] + 1 if knew else 0
                if self.hot[key] >= self.k:
                    del self.hot[key]

    # updates -----------------------------------------------------------------------------------

    def held(self, key: str) -> State | None:
        """What is here of a key."""
        state = self.store.get(key)
        return state if isinstance(state, State) else None

    def improves(self, key: str, theirs: State | None) -> bool:
        """Whether a site that holds this state of a key would take over something from here."""
        mine = self.held(key)
        return mine is not None and (theirs is None or join(theirs, mine) != theirs)

    def learns(self, key: str, theirs: State) -> bool:
        """Whether this site would take over something from such a state."""
        mine = self.held(key)
        return mine is None or join(mine, theirs) != mine

    def bundle(self, keys: Iterable[str]) -> tuple[dict[str, State], dict[str, Certificate]]:
        """States of keys for a message, and the certificates of those that are deleted."""
        states = {key: state for key in keys if (state := self.held(key)) is not None}
        return states, {
            key: self.certificate(key, state) for key, state in states.items() if not state.values
        }

    def certificate(self, key: str, state: State) -> Certificate:
        """What belongs to a deletion. A disk that was rolled back may hold one of which that is not known any more."""
        if key not in self.certificates:
            time = state.stamp.time if isinstance(state, LwwRegister) else self.now
            self.bury(key, Certificate(time, ()))
        return self.certificates[key]

    def hear(self, states: dict[str, State], certificates: dict[str, Certificate]) -> None:
        """Take updates over, now or with the next cycle."""
        for key, state in states.items():
            if self.phase == "aligned" and self.compare != "recent":
                self.heard.append((key, state, certificates.get(key)))
            else:
                self.take(key, state, certificates.get(key))

    def take(self, key: str, state: State, certificate: Certificate | None = None) -> None:
        """Merge an update of a key into the database, unless a death certificate is against it."""
        update = self.judge(key, state, certificate)
        if update is None:
            return
        state, certificate = update
        if self.store.merge(key, state):
            self.came[key] = self.now
            if self.compare == "recent":
                self.young.pop(key, None)
                self.young[key] = None
            if self.rumor == "on":
                self.hot[key] = 0
        merged = self.held(key)
        if isinstance(merged, LwwRegister) and merged.stamp > self.clock:
            self.clock = self.clock.receive(merged.stamp, self.now)
        if merged is None or merged.values:
            self.certificates.pop(key, None)
        elif certificate is not None:
            self.bury(key, certificate)

    # death certificates ------------------------------------------------------------------------

    def judge(
        self, key: str, state: State, certificate: Certificate | None
    ) -> tuple[State, Certificate | None] | None:
        """What an update is to be taken for, with regard to old death certificates, here or come; None: for nothing."""
        old = certificate is not None and self.is_old(certificate)
        if key in self.dormant:
            buried, grave = self.dormant[key]
            both = join(buried, state)
            awakes = bool(state.values) and not both.values  # the update is older than the deletion
            if not both.values and not awakes and (certificate is None or old):
                return None
            del self.dormant[key]
            self.show_dormant()
            return both, Certificate(self.now, grave.sites) if awakes else certificate
        if certificate is not None and old:
            mine = self.held(key)
            if mine is None:  # nothing to cancel: this site has had it and forgotten it, or never needed it
                return None
            if mine.values and not join(mine, state).values:
                certificate = Certificate(self.now, certificate.sites)
        return state, certificate

    def is_old(self, certificate: Certificate) -> bool:
        """Whether it is dormant, by this site's clock."""
        return self.now - certificate.activated >= self.tau1

    def bury(self, key: str, certificate: Certificate) -> None:
        """Keep a death certificate for tau1 from its activation, the latest that is known."""
        known = self.certificates.get(key)
        if known is None or known.activated < certificate.activated:
            self.certificates[key] = certificate
            self.wait(certificate, self.tau1, self.expire, key)

    def wait(self, certificate: Certificate, age: float, then: Callable[[str], None], key: str) -> None:
        """Do something when a certificate has a certain age."""
        self.after(max(0.0, certificate.activated + age - self.now), then, key)

    def expire(self, key: str) -> None:
        """Forget a death certificate that is old enough, or keep it dormant."""
        certificate, state = self.certificates.get(key), self.held(key)
        if certificate is None:
            return
        if state is None or state.values:  # the disk was damaged behind our back
            del self.certificates[key]
        elif self.now - certificate.activated < self.tau1 - 1e-9:  # activated anew, or the clock was set back
            self.wait(certificate, self.tau1, self.expire, key)
        else:
            del self.certificates[key]
            self.store.drop(key)
            self.hot.pop(key, None)
            self.young.pop(key, None)
            if self.id in certificate.sites:
                self.dormant[key] = state, certificate
                self.show_dormant()
                self.wait(certificate, self.tau1 + self.tau2, self.forget, key)

    def forget(self, key: str) -> None:
        """Forget a dormant death certificate that is old enough."""
        if key in self.dormant:
            certificate = self.dormant[key][1]
            if self.now - certificate.activated < self.tau1 + self.tau2 - 1e-9:
                self.wait(certificate, self.tau1 + self.tau2, self.forget, key)
            else:
                del self.dormant[key]
                self.show_dormant()

    def show_dormant(self) -> None:
        """Let be seen what no exchange shows."""
        self.show("dormant certificates", sorted(self.dormant))

    # what else happens -------------------------------------------------------------------------

    def rejoin(self) -> None:
        """Be back: the cycle has ended, and certificates have aged."""
        self.begin_cycle()
        for key, certificate in self.certificates.items():
            self.wait(certificate, self.tau1, self.expire, key)
        for key, (_, certificate) in self.dormant.items():
            self.wait(certificate, self.tau1 + self.tau2, self.forget, key)


def join(a: State, b: State) -> State:
    """Both, by the rule for conflicts."""
    if isinstance(a, LwwRegister) and isinstance(b, LwwRegister):
        return a.merge(b)
    assert isinstance(a, Siblings)
    assert isinstance(b, Siblings)
    return a.merge(b)
