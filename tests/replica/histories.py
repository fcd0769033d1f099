"""Random histories of a few replicas, and the oracle of them all: sets of events, and what each event has seen.

A replica's state is the merge of the deltas that reached it, one by one, in any order, twice or never, or inside of whole
states. Its history is the set of events that made those. What must stand is decided on histories alone: an event
stands unless another in the history has killed it, which it does to those that stood at its replica when it happened.
"""

from itertools import combinations, permutations

from hypothesis import strategies as st

REPLICAS = 3
NAMES = ["", "a", "b", "\u00e4", "a\u0308", "\U0001f419", "\u202e"]


class Event:
    def __init__(self, kind, path, value, killed):
        self.kind, self.path, self.value, self.killed = kind, path, value, killed


class Played:
    """deltas: of all events. states: every state a replica was in, with its history as a set of places in events."""

    def __init__(self, empty):
        self.events, self.deltas = [], []
        self.states = [(empty, frozenset())]
        self.now = [(empty, frozenset())] * REPLICAS

    def standing(self, history):
        killed = {dead for event in history for dead in self.events[event].killed}
        return [event for event in sorted(history) if event not in killed]

    def happens(self, replica, event, delta):
        self.events.append(event)
        self.deltas.append(delta)
        self.receives(replica, delta, {len(self.events) - 1})

    def receives(self, replica, state, history):
        mine, known = self.now[replica]
        self.now[replica] = mine.merge(state), known | history
        self.states.append(self.now[replica])


replicas = st.integers(0, REPLICAS - 1)
names = st.sampled_from(NAMES)
exchanges = st.one_of(
    st.tuples(st.just("state"), replicas, replicas),
    st.tuples(st.just("delta"), replicas, st.integers(0, 99)),
)


def histories(empty, updates, update):
    """updates: a strategy. update(played, replica, drawn) makes it happen."""

    @st.composite
    def play(draw):
        played = Played(empty)
        steps = st.one_of(st.tuples(st.just("update"), replicas, updates), exchanges)
        length = draw(st.integers(0, 14))  # of itself hypothesis rarely draws long lists
        for kind, replica, what in draw(st.lists(steps, min_size=length, max_size=length)):
            if kind == "update":
                update(played, replica, what)
            elif kind == "state":
                played.receives(replica, *played.now[what])
            elif played.deltas:
                chosen = what % len(played.deltas)
                played.receives(replica, played.deltas[chosen], {chosen})
        return played

    return play()


def hold_laws(played, data, encode):
    """Everything that is asked of any type whose states merge. encode: the bytes of a state."""
    states = [state for state, _ in played.states] + played.deltas
    some = st.sampled_from(states)
    a, b, c = data.draw(some), data.draw(some), data.draw(some)
    assert encode(a.merge(b)) == encode(b.merge(a))
    assert encode(a.merge(b).merge(c)) == encode(a.merge(b.merge(c)))
    assert encode(a.merge(a)) == encode(a)
    # any order, any duplicates, whole states or deltas: the same events make the same state, to the byte
    empty = played.states[0][0]
    for (one, history), (other, same) in combinations(played.states, 2):
        if history == same:
            assert encode(one) == encode(other)
    for state, history in played.states[-REPLICAS:]:
        order = data.draw(st.permutations([*sorted(history), *sorted(history)]))
        again = empty
        for event in order:
            again = again.merge(played.deltas[event])
        assert encode(again) == encode(state)
    ends = []
    for order in permutations([state for state, _ in played.now]):
        end = empty
        for state in order:
            end = end.merge(state)
        ends.append(encode(end))
    assert len(set(ends)) == 1
