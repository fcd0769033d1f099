"""A bit of everything: rumors, replies, timers, shown values, and message fields of every type."""

from gossiplab import ALIVE, DEAD, LEFT, SUSPECTED, UNKNOWN, Message, Protocol, every, param


class Word(Message):
    """Something to say, with a field of each kind that has an order of its own."""

    rumors: tuple[int, ...]
    tags: set[str]
    table: dict[str, int]
    note: str = ""


class Reply(Message):
    """An answer."""

    count: int


class Chatter(Protocol):
    """Everybody talks."""

    period = param(1.0, low=0.001, unit="s", doc="time between rounds")
    fanout = param(1, low=0, high=100, doc="peers per round")
    phase = param("random", choices=("aligned", "random"), doc="when rounds begin")
    retire_after = param(0, low=0, high=1000, doc="rounds after which interest is lost; 0: never")
    replies = param(True, doc="whether words are answered")

    def setup(self):
        """Know nothing."""
        self.known = []
        self.rounds_done = 0
        self.heard = 0
        self.show("state", {"fresh": True})
        self.believe([self.id, *self.peers], ALIVE, 1)

    def rejoin(self):
        """Say so."""
        self.show("state", {"fresh": False, "heard": self.heard})

    def leave(self):
        """Say goodbye to all."""
        for peer in self.peers[:3]:
            self.send(peer, Word((), {"bye"}, {}, "leaving"))

    @every("period", phase="phase")
    def gossip(self):
        """Talk."""
        self.rounds_done += 1
        if self.retire_after and self.rounds_done > self.retire_after:
            for rumor in self.known:
                self.retire(rumor)
            return
        for peer in self.sample(self.fanout):
            rumors = tuple(self.known)
            tags = {f"tag{self.random.randrange(50)}" for _ in range(6)}
            self.send(peer, Word(rumors, tags, dict.fromkeys(sorted(tags, reverse=True), 1)), carries=rumors)

    def on_word(self, sender, word):
        """Learn, and answer later."""
        self.heard += 1
        self.believe(sender, (SUSPECTED, DEAD, ALIVE, LEFT, UNKNOWN)[self.heard % 5], self.heard)
        if self.heard % 7 == 0:
            self.believe(self.id, ALIVE, self.heard)
            self.believe(tuple(self.peers), (ALIVE, DEAD, SUSPECTED)[self.heard % 3], 1)
        for rumor in word.rumors:
            if self.learn(rumor):
                self.known.append(rumor)
                self.show("known", sorted(self.known))
        if self.replies and word.note != "leaving":
            self.after(0.1 * self.random.random(), self.answer, sender)

    def answer(self, sender):
        """Answer."""
        self.send(sender, Reply(self.heard))

    def on_reply(self, sender, reply):
        """Show what came back, under a name that is a set's element."""
        self.show(f"from{sender}", {"count": reply.count, "by": {f"x{sender}", "y", "z"}})

    def on_inject(self, rumor):
        """Spread it."""
        self.known.append(rumor)
