"""SWIM (Das, Gupta, Motivala 2002, "SWIM: scalable weakly-consistent infection-style process group membership").

Failure detection. Once in a period a member M probes one other, T:

    M sends T a ping; T answers with an ack.
    No ack within the timeout: M asks k others to ping T in its place (ping-req), and to pass on the ack.
    No ack by the end of the period: M suspects T.
    A suspicion that nobody refutes in time becomes a death (the paper's Confirm).

target = round-robin: M goes through its list in random order, shuffles it when it is through, and puts members
it hears of at random places, so no member waits longer than 2n - 1 periods for a probe. random: any member. With
random targets the first detection of a failure takes 1 / (1 - (1 - 1/(n-1))^(n-1)) periods on average, e/(e-1) for
large n, if all periods begin together (phase = aligned).

Dissemination. News about members (alive, suspected, dead, left) rides on pings, acks and ping-reqs, the least-sent
first, each at most lambda log n times. Only a member itself raises its incarnation number: when it hears that it is
suspected. precedence says which news overrides which belief: two tables, in `gossiplab.replica.membership`, shown in
docs/membership.md.

Where this file follows the paper (profile = paper): the above, a period of 2 s, k = 1, and 3 ceil(ln(n+1)) sends and
periods of suspicion, as in the paper's experiments; Confirm is final. The paper does not say how one joins (here: by
push/pull, below), nor how long a death is remembered (here: 60 s); until then a member that comes back is not let in,
and asks again every period.

Where it follows HashiCorp's memberlist (profile = lan, wan, local: its published figures): news goes out on a gossip
beat of its own, too, also to members that died a short while ago; members exchange their whole lists with a random one
every push_pull seconds (longer in clusters above 32), and in that a death counts as a suspicion; one joins by such a
push/pull with every seed, and seeds do so too, so that they are one cluster; a probe takes its whole period, and one
that falls due meanwhile is made up for; the dead are forgotten when a pass through the list ends and they have been
dead for `forget` seconds. memberlist's tickers begin when a process does; here phase = random spreads them evenly.
Left out: its TCP ping (the lab's links have no second transport, and a push/pull is one message each way), meta data,
protocol versions and addresses. Otherwise than there: of news sent equally often the newest goes first and not the
longest, and the first that does not fit ends a packet; nacks carry no news, and the buddy rule's suspicion comes on
top of what a ping carries; a member that leaves tells as many others at once as news is sent to, and does not wait for
it to get around; new members are put at random places of the list, as in the paper.

lifeguard (Dadgar, Phillips, Currey 2017): a member that has reason to believe that it is slow itself is slower to
accuse others.
    paper       Local health 0 .. 8: -1 for a successful probe, +1 for a failed one, for each missed nack (so a
                failed probe may cost 1 + k) and for having to refute. Period and timeout are multiplied by
                health + 1. Helpers nack after 80 % of the timeout. Suspicions begin long and end with K = 3
                confirmations. A ping to a suspected member tells it so (the buddy rule).
    memberlist  The same with health 0 .. 7; it multiplies the time that a probe has, and neither the timeout nor the
                beat (a probe that has its ack is followed by another a period later); a failed probe costs its
                missing nacks, or 1 if there was no helper; helpers nack after the whole timeout, which is too late
                while health is 0; K = suspicion - 2.

A partition that is longer than a suspicion leaves two clusters that hold one another for dead, and neither SWIM nor
memberlist does anything about it: nobody probes the dead. With reconnect, after Serf (which remembers the dead
for a day), members ask one of the dead they remember for a push/pull now and then: with precedence = memberlist both
sides then refute their deaths and are one again. After `forget` seconds they have forgotten one another, and stay
apart until somebody rejoins through a seed of the other side. With precedence = swim death is final: they can only meet anew after having forgotten.
"""

import math

from gossiplab import ALIVE, DEAD, LEFT, SUSPECTED, UNKNOWN, Cycle, Message, Protocol, every, param
from gossiplab.replica.broadcasts import Broadcasts, Update
from gossiplab.replica.membership import FIRST, HANDED, PRECEDENCE, Membership, push_pull_factor
from gossiplab.replica.probing import ProbeList
from gossiplab.replica.suspicion import Suspicion, suspicion_minimum

PAPER = {
    "period": 2.0, "timeout": 0.5, "helpers": 1, "suspicion": 3, "suspicion_max": 6, "retransmit": 3,
    "gossip_interval": 2.0, "gossip_nodes": 0, "push_pull": 0.0, "forget": 60.0,
    "precedence": "swim", "lifeguard": "off", "phase": "aligned",
}  # fmt: skip
LAN = {  # memberlist's DefaultLANConfig
    "period": 1.0, "timeout": 0.5, "helpers": 3, "suspicion": 4, "suspicion_max": 6, "retransmit": 4,
    "gossip_interval": 0.2, "gossip_nodes": 3, "push_pull": 30.0, "forget": 30.0,
    "precedence": "memberlist", "lifeguard": "memberlist", "phase": "random",
}  # fmt: skip
WAN = {  # DefaultWANConfig
    **LAN, "period": 5.0, "timeout": 3.0, "suspicion": 6, "gossip_interval": 0.5, "gossip_nodes": 4,
    "push_pull": 60.0, "forget": 60.0,
}  # fmt: skip
LOCAL = {  # DefaultLocalConfig
    **LAN, "timeout": 0.2, "helpers": 1, "suspicion": 3, "retransmit": 2, "gossip_interval": 0.1,
    "push_pull": 15.0, "forget": 15.0,
}  # fmt: skip
PROFILES = {"paper": PAPER, "lan": LAN, "wan": WAN, "local": LOCAL}

NACK_AFTER = {"paper": 0.8, "memberlist": 1.0}  # share of the timeout
WORST_HEALTH = {"paper": 8, "memberlist": 7}


class Ping(Message):
    """Are you there?"""

    seq: int
    news: list[Update]


class Ack(Message):
    """I am; or, from a helper: it is."""

    seq: int
    news: list[Update]


class PingReq(Message):
    """Ping the target for me."""

    seq: int
    target: int
    news: list[Update]


class Nack(Message):
    """I have pinged it for you and heard nothing."""

    seq: int


class Gossip(Message):
    """News on a beat of its own."""

    news: list[Update]


class PushPull(Message):
    """My whole list, for yours: (member, state, incarnation)."""

    members: list[tuple[int, str, int]]


class PushPullReply(PushPull):
    """My whole list, for having sent yours."""


class Swim(Protocol):
    """SWIM failure detection and membership, as in the paper or as in memberlist, with Lifeguard or without."""

    profile = param("lan", choices=tuple(PROFILES), doc="figures of the paper's experiments, or memberlist's")
    target = param("round-robin", choices=("round-robin", "random"), doc="whom to probe next")
    precedence = param(
        "profile", choices=("profile", *PRECEDENCE), doc="which news overrides which; profile: swim for paper"
    )
    lifeguard = param(
        "profile",
        choices=("profile", "off", *WORST_HEALTH),
        doc="distrust of oneself; profile: off for paper, else memberlist",
    )
    start = param("known", choices=("known", "join"), doc="know all others at 0 s, or join through a seed")
    seeds = param(3, low=1, high=1000, unit="nodes", doc="nodes n0, n1, ... through which others join")
    reconnect = param(0.0, high=1e6, unit="s", doc="time between push/pulls with one of the dead; 0: none")
    phase = param(
        "profile",
        choices=("profile", "random", "aligned"),
        doc="whether all periods begin together",
    )
    period = param(-1.0, low=-1, high=3600, unit="s", doc="protocol period; -1, as below: the profile's")
    timeout = param(-1.0, low=-1, high=3600, unit="s", doc="how long a ping may take")
    helpers = param(-1, low=-1, high=100, unit="nodes", doc="k: how many are asked to ping in one's place")
    suspicion = param(-1, low=-1, high=100, doc="suspicion multiplier: periods, times the logarithm of n")
    suspicion_max = param(-1, low=-1, high=100, doc="with lifeguard: how many times longer it begins")
    retransmit = param(-1, low=-1, high=100, doc="lambda: how often news is sent, times the logarithm of n")
    gossip_interval = param(-1.0, low=-1, high=3600, unit="s", doc="time between gossip messages")
    gossip_nodes = param(-1, low=-1, high=100, unit="nodes", doc="to how many; 0: news is only piggybacked")
    push_pull = param(-1.0, low=-1, high=1e6, unit="s", doc="time between exchanges of whole lists; 0: none")
    forget = param(-1.0, low=-1, high=1e6, unit="s", doc="how long the dead are remembered, and gossiped to")

    @classmethod
    def complete(cls, params: dict) -> dict:
        """What is not given is as the profile has it."""
        profile = PROFILES[params["profile"]]
        complete = {
            name: profile[name] if value in (-1, "profile") else value for name, value in params.items()
        }
        for name, value in complete.items():
            if isinstance(value, int | float) and value < 0:
                raise ValueError(
                    f"the parameter {name} cannot be {value}: give -1 for the profile's, or 0 and up."
                )
        if not complete["period"]:
            raise ValueError(
                "the parameter period cannot be 0: give seconds above 0, or -1 for the profile's."
            )
        if complete["gossip_nodes"] and not complete["gossip_interval"]:
            raise ValueError(
                "the parameter gossip_interval cannot be 0: give seconds above 0, or gossip_nodes 0."
            )
        return complete

    @classmethod
    def cycle(cls, params: dict) -> Cycle:
        """Messages are counted by protocol period."""
        return Cycle(params["period"], aligned=False)

    def setup(self) -> None:
        """Know all others, or oneself only."""
        known = self.start == "known" and self.now == 0
        self.others = ProbeList(self.random, self.peers if known else ())
        everybody = [self.id, *self.others]
        self.incarnation = FIRST[self.precedence]
        self.table = Membership(self.precedence, everybody)
        self.believe(everybody, ALIVE, self.incarnation)
        self.broadcasts = Broadcasts()
        self.health = 0  # Lifeguard's score; 0 is best
        self.seq = 0
        self.begin(joined=len(everybody) > 1)

    def begin(self, joined: bool) -> None:
        """What a life begins with, with a memory or without."""
        self.probing: int | None = None  # the number of the ping whose ack this member waits for
        self.due = False  # whether a probe fell due meanwhile
        self.resting = False  # whether the beat is slower than the period, and this one is left out
        self.relayed: dict[int, tuple[int, int]] = {}  # my ping for another: who asked, and its number
        self.suspicions: dict[int, Suspicion] = {}
        self.joined, self.asking = joined, False
        if not joined:
            self.ask_to_join()
        if self.push_pull:
            self.after(self.push_pull * self.random.random(), self.push_pull_later)
        if self.reconnect:
            self.after(self.reconnect * self.random.random(), self.reconnect_to_the_dead)

    # failure detection -------------------------------------------------------------------------

    @every("period", phase="phase")
    def probe(self) -> None:
        """A period begins: ping somebody."""
        if self.resting:
            return
        if self.probing is not None:
            self.due = True  # with bad health the last probe takes longer
            return
        target = self.choose()
        if target is None:
            return
        self.seq += 1
        self.probing, self.probed = self.seq, target
        self.accused = self.table.incarnations[target]
        factor = self.health + 1
        if self.lifeguard == "paper":
            self.resting = True  # the next `health` periods are part of this one
            self.after((factor - 0.5) * self.period, self.end_rest)
        wait = self.timeout * (factor if self.lifeguard == "paper" else 1)
        news = self.news()
        if self.lifeguard != "off" and self.table.states[target] == SUSPECTED:
            news.insert(0, (target, SUSPECTED, self.accused, self.id))  # the buddy rule
        self.send(target, Ping(self.seq, news))
        self.helped = self.nacks = 0
        self.after(wait, self.ask_helpers, self.seq)
        # from now and not from the helpers on: who is paused finds both expired, before any ack that waits
        self.after(max(wait, self.period * factor), self.end_probe, self.seq)

    def ask_helpers(self, seq: int) -> None:
        """No ack within the timeout: ask k others."""
        if seq != self.probing:
            return
        helpers = self.others.draw(self.helpers, lambda m: m != self.probed and self.table.states[m] == ALIVE)
        for helper in helpers:
            self.send(helper, PingReq(seq, self.probed, self.news()))
        self.helped = len(helpers)

    def end_probe(self, seq: int) -> None:
        """No ack by the end of the period: suspect."""
        if seq != self.probing:
            return
        missing = self.helped - self.nacks
        if self.lifeguard == "paper":
            self.feel(1 + missing)
        else:
            self.feel(missing if self.helped else 1)
        self.hear_of(self.probed, SUSPECTED, self.accused, self.id)
        self.finish_probe()

    def end_rest(self) -> None:
        """The next beat is a period again."""
        self.resting = False

    def finish_probe(self) -> None:
        """The probe is over."""
        self.probing = None
        if self.due:
            self.due = False
            self.probe()

    def on_ping(self, sender: int, ping: Ping) -> None:
        self.hear(ping.news)
        self.send(sender, Ack(ping.seq, self.news()))

    def on_ack(self, sender: int, ack: Ack) -> None:
        self.hear(ack.news)
        if ack.seq == self.probing:
            self.feel(-1)
            self.finish_probe()
        elif ack.seq in self.relayed:
            asker, seq = self.relayed.pop(ack.seq)
            self.send(asker, Ack(seq, self.news()))

    def on_ping_req(self, sender: int, request: PingReq) -> None:
        """Ping in another's place."""
        self.hear(request.news)
        self.seq += 1
        self.relayed[self.seq] = sender, request.seq
        self.send(request.target, Ping(self.seq, self.news()))
        self.after(self.timeout * NACK_AFTER.get(self.lifeguard, 1.0), self.give_up, self.seq)

    def give_up(self, seq: int) -> None:
        """No ack for a helper."""
        if seq in self.relayed:
            asker, number = self.relayed.pop(seq)
            if self.lifeguard != "off":
                self.send(asker, Nack(number))

    def on_nack(self, sender: int, nack: Nack) -> None:
        if nack.seq == self.probing:
            self.nacks += 1

    def feel(self, change: int) -> None:
        """Lifeguard: get better, or worse."""
        if self.lifeguard != "off":
            health = max(0, min(self.health + change, WORST_HEALTH[self.lifeguard]))
            if health != self.health:
                self.health = health
                self.show("health", health)

    def choose(self) -> int | None:
        """Whom to probe next, if there is anybody."""
        for _ in range(2):
            for member in self.others.rest():
                if self.target == "random":
                    return next(iter(self.others.draw(1, self.is_up)), None)
                if self.is_up(member):
                    return member
            self.forget_the_dead()
            self.others.shuffle()
        return None

    def is_up(self, member: int) -> bool:
        """Whether a member is believed to be up, if only just."""
        return self.table.states[member] in (ALIVE, SUSPECTED)

    # news --------------------------------------------------------------------------------------

    @every("gossip_interval", phase="phase")
    def gossip(self) -> None:
        """News for a few others, if there is any."""
        if self.broadcasts:
            for peer in self.others.draw(self.gossip_nodes, self.listens):
                news = self.news()
                if news:
                    self.send(peer, Gossip(news))

    def listens(self, member: int) -> bool:
        """Whether to gossip to a member: not to the left, and to the dead for a while, so that they may refute."""
        state = self.table.states[member]
        return state in (ALIVE, SUSPECTED) or (
            state == DEAD and self.now - self.table.since[member] <= self.forget
        )

    def on_gossip(self, sender: int, gossip: Gossip) -> None:
        self.hear(gossip.news)

    def news(self) -> list[Update]:
        """What to pass on with a message."""
        return self.broadcasts.take(self.sends()) if self.broadcasts else []

    def sends(self) -> int:
        """How often news is sent."""
        log = math.log if self.profile == "paper" else math.log10
        return self.retransmit * math.ceil(log(len(self.table.states) + 1))

    def hear(self, news: list[Update]) -> None:
        """Take in what came with a message."""
        states, incarnations = self.table.states, self.table.incarnations
        for about, state, incarnation, by in news:
            if about == self.id:
                self.hear_of_me(state, incarnation)
            elif state == SUSPECTED or states.get(about) != state or incarnation > incarnations[about]:
                self.hear_of(about, state, incarnation, by)  # nearly all else was heard before

    def hear_of(self, about: int, state: str, incarnation: int, by: int) -> None:
        """News about another: believe it and pass it on, if it overrides what this member believes."""
        if self.table.overrides(about, state, incarnation):
            self.accept(about, state, incarnation, by)
            self.believe(about, state, incarnation)
        elif state == SUSPECTED and incarnation >= self.table.incarnations.get(about, 0):
            self.confirm(about, incarnation, by)

    def accept(self, about: int, state: str, incarnation: int, by: int) -> None:
        """Store news that overrides, and pass it on."""
        if self.table.state(about) == UNKNOWN:
            self.others.add(about)
        self.table.put(about, state, incarnation, self.now)
        self.broadcasts.put((about, state, incarnation, by))
        self.suspicions.pop(about, None)
        if state == SUSPECTED:
            self.suspect(about, by)
        elif state != ALIVE and self.profile == "paper":
            self.after(self.forget, self.forget_the_dead)

    def suspect(self, about: int, by: int) -> None:
        """A suspicion begins."""
        n = len(self.table.states)
        if self.profile == "paper":
            low = self.suspicion * math.ceil(math.log(n + 1)) * self.period
        else:
            low = suspicion_minimum(self.suspicion, n, self.period)
        expected = {"off": 0, "paper": 3, "memberlist": self.suspicion - 2}[self.lifeguard]
        if n - 2 < expected:
            expected = 0  # there are not so many who could confirm
        self.suspicions[about] = Suspicion(by, self.now, expected, low, low * self.suspicion_max)
        self.await_end(about)

    def confirm(self, about: int, incarnation: int, by: int) -> None:
        """Somebody suspects the same as this member does: if that shortens the suspicion, pass it on."""
        if about in self.suspicions and self.suspicions[about].confirm(by):
            self.broadcasts.put((about, SUSPECTED, incarnation, by))
            self.await_end(about)

    def await_end(self, about: int) -> None:
        """Look again when a suspicion ends, as things stand."""
        suspicion = self.suspicions[about]
        self.after(max(0.0, suspicion.ends - self.now), self.end_suspicion, about, suspicion, suspicion.ends)

    def end_suspicion(self, about: int, suspicion: Suspicion, ends: float) -> None:
        """A suspicion that nobody refuted is a death. One that was confirmed meanwhile has ended before."""
        if self.suspicions.get(about) is suspicion and ends == suspicion.ends:
            self.hear_of(about, DEAD, self.table.incarnations[about], self.id)

    def hear_of_me(self, state: str, incarnation: int) -> None:
        """News about this member itself: refute it, if it has to be."""
        if self.table.refutes(self.id, state, incarnation):
            self.incarnation = max(self.incarnation, incarnation) + 1
            self.table.put(self.id, ALIVE, self.incarnation, self.now)
            self.believe(self.id, ALIVE, self.incarnation)
            self.show("incarnation", self.incarnation)
            self.broadcasts.put((self.id, ALIVE, self.incarnation, self.id))
            self.feel(1)
        elif state in (DEAD, LEFT) and self.precedence == "swim":
            self.ask_to_join()  # a death is final, until it is forgotten

    def forget_the_dead(self) -> None:
        """Know nothing any more of those who are dead or left for long enough."""
        gone = [member for member, since in self.table.since.items() if self.now - since >= self.forget]
        for member in gone:
            self.others.remove(member)
            self.table.forget(member)
        self.believe(gone, UNKNOWN)

    # joining and leaving -----------------------------------------------------------------------

    def ask_to_join(self) -> None:
        """Ask the seeds for their lists, every period until one has answered and does not hold this member for dead."""
        self.joined = False
        if not self.asking:
            self.asking = True
            self.join()

    def join(self) -> None:
        """Ask all seeds, unless that is done; the only seed asks anybody."""
        seeds = [peer for peer in self.peers if peer < self.seeds] or self.sample(1)
        self.asking = not self.joined and bool(seeds)
        if self.asking:
            for seed in seeds:
                self.send(seed, PushPull(self.table.everything()))
            self.after(self.period, self.join)

    def push_pull_later(self) -> None:
        """Exchange lists after a while, a longer one in a large cluster."""
        self.after(self.push_pull * push_pull_factor(len(self.table.states)), self.exchange)

    def exchange(self) -> None:
        """Exchange lists with a random member."""
        for peer in self.others.draw(1, lambda m: self.table.states[m] == ALIVE):
            self.send(peer, PushPull(self.table.everything()))
        self.push_pull_later()

    def reconnect_to_the_dead(self) -> None:
        """Ask one of the dead, in case it is not."""
        dead = [member for member in self.table.since if self.table.states[member] == DEAD]
        if dead:
            self.send(self.random.choice(dead), PushPull(self.table.everything()))
        self.after(self.reconnect, self.reconnect_to_the_dead)

    def on_push_pull(self, sender: int, list_: PushPull) -> None:
        """Give one's list for another's."""
        self.send(sender, PushPullReply(self.table.everything()))
        self.merge(list_.members)

    def on_push_pull_reply(self, sender: int, list_: PushPullReply) -> None:
        """The other's list."""
        self.joined = True
        self.merge(list_.members)

    def merge(self, members: list[tuple[int, str, int]]) -> None:
        """Take in a whole list: as news, and with one belief for all members of whom nothing was known."""
        new: dict[int, list[int]] = {}
        handed = HANDED[self.precedence]
        for about, told, incarnation in members:
            state = handed.get(told, told)
            if about == self.id:
                self.hear_of_me(state, incarnation)
            elif state == ALIVE and about not in self.table.states:
                self.accept(about, state, incarnation, about)
                new.setdefault(incarnation, []).append(about)
            else:
                self.hear_of(about, state, incarnation, self.id if state == SUSPECTED else about)
        for incarnation, these in new.items():
            self.believe(these, ALIVE, incarnation)

    def leave(self) -> None:
        """Say goodbye: to as many as news is sent to."""
        news: list[Update] = [(self.id, LEFT, self.incarnation, self.id)]
        for peer in self.others.draw(self.sends(), self.is_up):
            self.send(peer, Gossip(news))

    def rejoin(self) -> None:
        """Be back with the memory of before: the suspicions in it begin anew."""
        self.begin(joined=False)
        for member, state in self.table.states.items():
            if state == SUSPECTED:
                self.suspect(member, self.id)
