"""Epidemics: push, pull and push-pull that never stop.

Every node calls `fanout` others in every round. Who knows a rumor pushes it to those it calls; who calls
is told what the other knows (pull); or both.

phase = aligned: all rounds begin at common instants, and what is learned in a round is passed on from
the next. Push then takes log2 n + ln n + O(1) rounds to reach everybody (Pittel 1987), push-pull
log3 n + O(ln ln n) (Karp, Schindelhauer, Shenker, Voecking 2000). phase = random: each node has a beat
of its own and passes on at once what it knows.
"""

from gossiplab import Cycle, Message, Protocol, every, param


class Push(Message):
    """Here are rumors."""

    rumors: tuple[int, ...]


class Pull(Message):
    """Tell me what you know."""


class PushPull(Message):
    """Here are rumors, tell me what you know."""

    rumors: tuple[int, ...]


class Epidemic(Protocol):
    """Push, pull and push-pull that never stop (Pittel 1987; Karp et al. 2000)."""

    direction = param(
        "push-pull",
        choices=("push", "pull", "push-pull"),
        doc="who tells whom: the caller, the called, or both",
    )
    fanout = param(1, low=1, high=1000, doc="how many others a node calls in a round")
    period = param(1.0, low=0.001, high=3600, unit="s", doc="time from one round to the next")
    phase = param(
        "random",
        choices=("aligned", "random"),
        doc="rounds at common instants, or each node on a beat of its own",
    )

    @classmethod
    def cycle(cls, params):
        """Rumors count rounds."""
        return Cycle(params["period"], aligned=params["phase"] == "aligned")

    def setup(self):
        """Know nothing."""
        self.known = ()  # rumors, in the order in which this node learned them
        self.told = ()  # those of them that it passes on

    @every("period", phase="phase")
    def gossip(self):
        """A round: call some others."""
        self.told = self.known
        for peer in self.sample(self.fanout):
            if self.direction == "pull":
                self.send(peer, Pull())
            elif self.direction == "push-pull":
                self.send(peer, PushPull(self.told), carries=self.told)
            elif self.told:
                self.send(peer, Push(self.told), carries=self.told)

    def on_push(self, sender, message):
        """Learn."""
        for rumor in message.rumors:
            self.hear(rumor)

    def on_pull(self, sender, message):
        """Tell what there is to tell."""
        if self.told:
            self.send(sender, Push(self.told), carries=self.told)

    def on_push_pull(self, sender, message):
        """Tell and learn."""
        self.on_pull(sender, message)
        self.on_push(sender, message)

    def on_inject(self, rumor):
        """Begin to spread a rumor."""
        self.hear(rumor)

    def hear(self, rumor):
        """Know a rumor; when rounds are aligned, it is passed on from the next."""
        self.learn(rumor)
        if rumor not in self.known:
            self.known += (rumor,)
            if self.phase == "random":
                self.told = self.known
