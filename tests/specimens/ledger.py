"""Keeps a store and pushes all of it to a random peer; forgets deletions after a while, as no good protocol does so soon."""

from gossiplab import Message, Protocol, every, param
from gossiplab.replica.hybrid import Hybrid
from gossiplab.replica.merkle import MerkleTree
from gossiplab.replica.store import State


class Page(Message):
    """All that a node holds, as part of a repair."""

    repair: int
    states: dict[str, State]


class Ledger(Protocol):
    """Everybody tells everything, now and then."""

    period = param(0.5, unit="s", doc="between two pages")
    conflict = param("siblings", choices=("lww", "siblings"), doc="of the store")
    forget = param(1.0, unit="s", doc="after which deletions are forgotten")
    tree = param(True, doc="whether the store has a Merkle tree")

    def setup(self):
        """An empty disk, or a full one."""
        self.store = self.open_store(self.conflict, MerkleTree(4, 3) if self.tree else None)
        self.clock = Hybrid(0.0, 0, self.id)

    @every("period")
    def tell(self):
        """Push."""
        for peer in self.sample(1):
            repair = self.begin_repair(peer)
            self.send(peer, Page(repair, {key: self.store.get(key) for key in self.store}))

    def on_page(self, sender, page):
        """Take it over."""
        news = 0
        for key, state in page.states.items():
            news += self.store.merge(key, state)
            self.look(key)
        self.compared(page.repair, 0, (1,) if news else (), news)
        self.end_repair(page.repair, news)

    def on_write(self, write):
        """Here and at once; keys that begin with x are refused."""
        if write.key.startswith("x"):
            self.refuse(write.id, "it begins with x")
            return
        self.clock = self.clock.tick(self.now)
        context = self.store.read(write.key)[1]
        # a key that was forgotten would number its writes anew, so every write has a replica of its own
        one = int(1e6 * self.now) * 1000 + self.id
        delta = self.store.put(write.key, write.value, replica=one, stamp=self.clock, context=context)
        self.look(write.key)
        self.answer(write.id, delta)
        self.answer(write.id)  # which nobody hears

    def on_read(self, read):
        """Whatever is here."""
        self.answer(read.id, self.store.get(read.key))

    def look(self, key):
        """Forget a deletion in a while."""
        if key in self.store and not self.store.read(key)[0]:
            self.after(self.forget, self.forget_key, key)

    def forget_key(self, key):
        """If it is one still."""
        if key in self.store and not self.store.read(key)[0]:
            self.store.drop(key)
