"""Push-sum: an average, a sum or a count of what all nodes hold (Kempe, Dobra, Gehrke 2003).

"Gossip-based computation of aggregate information". Every node has two numbers, a sum s and a weight w, and
estimates the aggregate as s / w. In each round it keeps half of both and sends the other half to a node at random;
what arrives is added. At the beginning:

    aggregate   s            w
    average     the input    1
    sum         the input    1 at node n0, 0 elsewhere
    count       1            1 at node n0, 0 elsewhere

Mass is conserved: the s of all nodes and of all messages under way add up to what they were at the beginning, and so
do the w. While that holds, every estimate goes to the same s / w: the paper's potential, the squares of how unevenly
contributions have spread, halves in a round on average, so after O(log n + log 1/error) rounds all estimates are
within that relative error. A node that no weight has reached yet has no estimate.

phase = aligned: all rounds begin at common instants, as in the paper; a message should arrive within its round.
phase = random: each node has a beat of its own.

What breaks the law: a lost message takes its s and w away, a duplicated one brings them twice, and the estimates
agree on something else. A killed node keeps its mass in memory and brings it back when it rejoins, but what is sent
to it meanwhile is lost; when it rejoins fresh it begins anew, and its input counts once more. A fresh n0 brings a
second weight, and halves a sum. A node that leaves sends all it has to another one, so nothing is lost.

Where this file departs from the paper: a node never picks itself; inputs do not change while it runs; and the paper's
quantiles, which count again and again around a random pivot, are left out, as is what ends a computation.
"""

from gossiplab import Cycle, Message, Protocol, every, param


class Share(Message):
    """A part of what the sender had."""

    s: float
    w: float


class PushSum(Protocol):
    """Average, sum and count by gossip: keep half, send half (Kempe, Dobra, Gehrke 2003)."""

    aggregate = param("average", choices=("average", "sum", "count"), doc="what all nodes estimate")
    value = param(
        "index",
        choices=("index", "random", "single"),
        doc="a node's input: its number, a random one from 0 to 1, or 1 at n0 and 0 elsewhere",
    )
    period = param(1.0, low=0.001, high=3600, unit="s", doc="time from one round to the next")
    phase = param(
        "random",
        choices=("aligned", "random"),
        doc="all rounds at common instants, or each node on a beat of its own",
    )

    @classmethod
    def cycle(cls, params: dict) -> Cycle:
        """Time counts in rounds."""
        return Cycle(params["period"], aligned=params["phase"] == "aligned")

    def setup(self) -> None:
        """Have one's input, and a weight."""
        self.s = 1.0 if self.aggregate == "count" else self.input()
        self.w = 1.0 if self.aggregate == "average" or self.id == 0 else 0.0
        self.show("input", (self.s, self.w))
        self.tell()

    def input(self) -> float:
        """What this node brings to an average or a sum."""
        if self.value == "random":
            return self.random.random()
        return float(self.id if self.value == "index" else self.id == 0)

    @every("period", phase="phase")
    def act(self) -> None:
        """One round: keep half, send half."""
        for peer in self.sample(1):
            self.s /= 2
            self.w /= 2
            self.send(peer, Share(self.s, self.w))
            self.show("mass", (self.s, self.w))

    def on_share(self, sender: int, share: Share) -> None:
        """Add what arrives."""
        self.s += share.s
        self.w += share.w
        self.tell()

    def tell(self) -> None:
        """Let it be seen."""
        self.show("mass", (self.s, self.w))
        self.show("estimate", self.s / self.w if self.w else None)

    def leave(self) -> None:
        """Give all to somebody else."""
        for peer in self.sample(1):
            self.send(peer, Share(self.s, self.w))
            self.s = self.w = 0.0
            self.tell()
