"""Runs of failure detectors: what they believed, and their figures."""

from functools import lru_cache

from gossiplab.content import load_protocol
from gossiplab.engine.run import run_lab
from gossiplab.events import Believed, Crashed, Listed
from gossiplab.nodeset import parse_nodes
from gossiplab.world.metrics import membership_figures
from gossiplab.world.world import World, new_world
from tests.helpers import header_of, lab_of, post_all

_load = lru_cache(load_protocol)


class Run:
    """One run of a protocol: its events, the World at its end, and its figures."""

    def __init__(self, protocol, posts=(), keep=True, **fields):
        kind = _load(protocol)
        header = header_of(kind, **fields)
        self.events = []
        self.world: World = new_world(header)
        self.nodes = header.experiment.nodes

        def sink(batch):
            self.world.apply(batch)
            if keep:
                self.events += batch

        lab = lab_of(header, sink, kind)
        post_all(lab, posts)
        run_lab(lab)
        self.figures = membership_figures(self.world)

    def crashes(self):
        """What crashed: nothing should."""
        return [event for event in self.events if isinstance(event, Crashed)]

    def beliefs(self):
        """Everything that was ever believed: (t, node, about, state, incarnation)."""
        for event in self.events:
            if isinstance(event, Believed):
                yield event.t, event.node, event.about, event.state, event.incarnation
            elif isinstance(event, Listed):
                for about in parse_nodes(event.about, self.nodes):
                    yield event.t, event.node, about, event.state, event.incarnation

    def matrix(self, nodes=None):
        """What each of some nodes believes of all at the end, as rows of letters."""
        rows = self.world.membership.beliefs
        return [rows[node].states for node in (range(self.nodes) if nodes is None else nodes)]


def run_swim(nodes, until, *at, seed=0, keep=True, link=None, **params):
    """One run of SWIM."""
    fields = {"link": link} if link else {}
    return Run("swim", nodes=nodes, until=until, at=at, seed=seed, params=params, keep=keep, **fields)
