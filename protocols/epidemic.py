"""Epidemics: push, pull and push-pull in rounds, for ever or until the median counter stops them.

In each round every node calls `fanout` others. Push: a caller that knows rumors tells them. Pull: a called
node that knows rumors tells them. Push-pull: both. A call and its answer are two messages.

phase = aligned: all rounds begin at common instants, and what is learned in a round is passed on from the
next, as the theory has it; a call and its answer should fit into the round. With fanout 1 a rumor has
reached all n nodes after log2 n + ln n + O(1) rounds of push (Pittel 1987), and log3 n + O(ln ln n) of
push-pull (Karp, Schindelhauer, Shenker, Voecking 2000, "Randomized rumor spreading"). phase = random: each
node has a beat of its own and passes on at once what it knows, so a rumor may go several steps within one
period, and needs fewer of them.

stop = never: a node that knows a rumor tells it for ever.

stop = median-counter (Karp et al. 2000): the nodes find out by themselves when nearly all know, after
O(n ln ln n) tellings. Towards a rumor a node is in one of four states, which callers and called tell each
other with every call. Below they are one number, the level, which never falls:

    state   level               the node             becomes, by those it met in a round (callers and called)
    A       (none)              has not heard        C if one in C told it the rumor, else B-1 if one in B did
    B-m     m = 1, 2, ...       tells                C if it met one in C or D; else B-(m+1) if it met more in
                                                     B-m and above than below; B-(counter_max) is C
    C       from counter_max    still tells          D after `cooling` rounds
    D       cooling above that  knows, is silent     D

The paper wants counter_max and cooling to be O(ln ln n) and leaves the constants open. It says nothing of
what a B learns from a D: here, the same as from a C, so that the last B does not go on among the silent. Its
cap on the age of a rumor, a safeguard against faults, is left out. The paper has push-pull in mind; under
push or pull alone the rumor goes one way only, and the states go both ways all the same.
"""

import math

from gossiplab import Cycle, Message, Protocol, every, param


class Call(Message):
    """The caller's side of a call: the rumors it tells; with the median counter its levels in all it knows."""

    rumors: tuple[int, ...]
    levels: dict[int, int]


class Answer(Call):
    """The called node's side of it."""


class Epidemic(Protocol):
    """Push, pull and push-pull, for ever or until the median counter says so (Pittel 1987; Karp et al. 2000)."""

    direction = param(
        "push-pull",
        choices=("push", "pull", "push-pull"),
        doc="who tells whom: the caller, the called node, or both",
    )
    fanout = param(1, low=1, high=1000, unit="nodes", doc="how many others a node calls in a round")
    period = param(1.0, low=0.001, high=3600, unit="s", doc="time from one round to the next")
    phase = param(
        "random",
        choices=("aligned", "random"),
        doc="all rounds at common instants, or each node on a beat of its own",
    )
    stop = param("never", choices=("never", "median-counter"), doc="when a node stops telling a rumor")
    counter_max = param(
        0,
        high=1000,
        doc="median counter: the level at which state C begins; 0: ceil(ln ln n) + 1, n - 1 being a node's peers",
    )
    cooling = param(
        0, high=1000, unit="rounds", doc="median counter: how long state C lasts; 0: as for counter_max"
    )

    @classmethod
    def cycle(cls, params: dict) -> Cycle:
        """Rumors count rounds."""
        return Cycle(params["period"], aligned=params["phase"] == "aligned")

    @classmethod
    def stops_itself(cls, params: dict) -> bool:
        """With the median counter."""
        return params["stop"] == "median-counter"

    def setup(self) -> None:
        """Know nothing."""
        self.pushes = self.direction != "pull"
        self.pulls = self.direction != "push"
        self.counts = self.stop == "median-counter"
        default = max(0, math.ceil(math.log(math.log(max(2, len(self.peers) + 1))))) + 1
        self.c = self.counter_max or default
        self.d = self.c + (self.cooling or default)
        self.levels: dict[int, int] = {}  # of the rumors that this node knows
        self.hot: tuple[int, ...] = ()  # those of them that it tells
        self.news: dict[int, int] = {}  # rumors heard in this round, and the level to begin at
        self.met: list[dict[int, int]] = []  # the levels of those met in this round

    # a round -----------------------------------------------------------------------------------

    @every("period", phase="phase")
    def act(self) -> None:
        """One round: the effects of the last one come into force, then call some others."""
        self.end_round()
        if self.pulls or self.hot or self.counts:
            for peer in self.sample(self.fanout):
                self.tell(peer, Call, self.hot if self.pushes else ())

    def on_call(self, sender: int, call: Call) -> None:
        """Answer, then listen."""
        if (self.pulls and self.hot) or self.counts:
            self.tell(sender, Answer, self.hot if self.pulls else ())
        self.hear(call)

    def on_answer(self, sender: int, answer: Answer) -> None:
        """Listen."""
        self.hear(answer)

    def tell(self, peer: int, kind: type[Call], rumors: tuple[int, ...]) -> None:
        """Say one's side of a call."""
        self.send(peer, kind(rumors, self.levels if self.counts else {}), carries=rumors)

    def hear(self, side: Call) -> None:
        """Learn the rumors that the other one tells, and remember its levels."""
        for rumor in side.rumors:
            if self.learn(rumor):
                self.news[rumor] = 1
            if rumor in self.news and side.levels.get(rumor, 1) >= self.c:
                self.news[rumor] = self.c
        if self.counts:
            self.met.append(side.levels)
        if self.news and self.phase == "random":
            self.begin_news()

    def end_round(self) -> None:
        """Let those met in the round move the levels, then begin with what was heard in it."""
        if self.counts:
            for rumor in [each for each in self.levels if each not in self.news]:
                self.move(rumor, self.levels[rumor], [levels.get(rumor, 0) for levels in self.met])
            self.met = []
        self.begin_news()
        self.news = {}

    def move(self, rumor: int, level: int, met: list[int]) -> None:
        """The median-counter rule: the level that follows on `level` after having met these."""
        if level >= self.c:
            after = min(level + 1, self.d)
        elif any(each >= self.c for each in met):
            after = self.c
        else:
            after = level + (sum(each >= level for each in met) > len(met) / 2)
        self.levels[rumor] = after
        if self.state(after) != self.state(level):
            self.show(f"state of rumor {rumor}", self.state(after))
            if after == self.d:
                self.retire(rumor)

    def state(self, level: int) -> str:
        """What the paper calls a level."""
        return f"B-{level}" if level < self.c else "C" if level < self.d else "D"

    def begin_news(self) -> None:
        """Tell what was heard from now on."""
        self.levels.update(self.news)
        self.hot = tuple(rumor for rumor, level in self.levels.items() if level < self.d)

    # what else happens -------------------------------------------------------------------------

    def on_inject(self, rumor: int) -> None:
        """A new rumor: tell it, if there is anybody to tell and an end to it."""
        self.news[rumor] = 1
        if self.phase == "random":
            self.begin_news()
        if self.counts and not self.peers:
            self.retire(rumor)

    def rejoin(self) -> None:
        """Be back: the round in which this node stopped has ended."""
        self.end_round()
