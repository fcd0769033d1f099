"""Keeps peers at random in views of all kinds, passes rumors along them, and can be told to keep what is none."""

from gossiplab import Message, Protocol, every, param

WRONG = {"view": ("friends", [1]), "itself": ("active", [0]), "nobody": ("active", [99]), "negative": ("eager", [-1]),
         "a bool": ("lazy", [True]), "a word": ("passive", ["n1"])}  # fmt: skip


class News(Message):
    """Rumors."""

    rumors: tuple[int, ...]


class Keeper(Protocol):
    """Changes its views all the time."""

    wrong = param("", doc="what n0 does wrong at 2 s: a key of WRONG")

    def setup(self):
        """Keep nobody."""
        self.known = []
        self.neighbours = []
        self.keep("active", self.neighbours)
        if self.wrong and self.id == 0 and self.now == 0:
            self.after(2.0, self.keep, *WRONG[self.wrong])

    @every(0.5)
    def change(self):
        """Keep others in one of the views, some twice, and tell neighbours what is known."""
        view = self.random.choice(["active", "passive", "eager", "lazy"])
        peers = (
            [self.random.choice(self.peers) for _ in range(self.random.randrange(4))] if self.peers else []
        )
        if view == "active":
            self.neighbours = peers
        self.keep(view, reversed(peers))
        self.keep(view, set(peers))  # the same again
        for peer in self.neighbours:
            self.send(peer, News(tuple(self.known)), carries=tuple(self.known))

    def on_news(self, sender, news):
        """Learn."""
        for rumor in news.rumors:
            if self.learn(rumor):
                self.known.append(rumor)

    def on_inject(self, rumor):
        """Know it."""
        self.known.append(rumor)
