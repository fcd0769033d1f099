"""Clocks against the happened-before relation of random message graphs, found by brute force."""

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossiplab.errors import ProtocolError
from gossiplab.replica.hybrid import Hybrid
from gossiplab.replica.lamport import Lamport
from gossiplab.replica.vector import AFTER, BEFORE, CONCURRENT, EQUAL, VectorClock

PROCESSES = 4

# A step: who acts; which earlier event's message it receives (None: a local event, or one that sends); how far
# everybody's physical clock has moved since the last step, and how far apart the clocks of the processes are.
steps = st.lists(
    st.tuples(
        st.integers(0, PROCESSES - 1), st.none() | st.integers(0, 99), st.sampled_from([0.0, 0.25, 1.0])
    ),
    max_size=25,
)
offsets = st.tuples(*[st.sampled_from([0.0, 0.5, 2.0])] * PROCESSES)


def play(steps, clocks, tick, receive):
    """(by whom, its clock, its direct causes) for each event. tick(clock, who), receive(clock, who, message)."""
    events, last = [], {}
    clocks = list(clocks)
    for who, source, passed in steps:
        causes = [last[who]] if who in last else []
        if source is None or not events:
            clocks[who] = tick(clocks[who], who, passed)
        else:
            causes.append(source % len(events))
            clocks[who] = receive(clocks[who], who, passed, events[causes[-1]][1])
        last[who] = len(events)
        events.append((who, clocks[who], causes))
    return events


def before(events):
    """Which event happened before which: the transitive closure of direct causes (Warshall 1962)."""
    all_ = range(len(events))
    reaches = [[a in events[b][2] for b in all_] for a in all_]
    for middle, a in product(all_, all_):
        if reaches[a][middle]:
            for b in all_:
                reaches[a][b] = reaches[a][b] or reaches[middle][b]
    return reaches


@given(steps)
def test_vector_clocks_order_events_exactly_as_they_happened_before_each_other(steps):
    events = play(
        steps,
        [VectorClock()] * PROCESSES,
        lambda clock, who, _: clock.tick(who),
        lambda clock, who, _, message: clock.merge(message).tick(who),
    )
    reaches = before(events)
    for a, b in product(range(len(events)), repeat=2):
        order = BEFORE if reaches[a][b] else AFTER if reaches[b][a] else CONCURRENT
        expected = EQUAL if a == b else order
        assert events[a][1].compare(events[b][1]) == expected


clocks = st.dictionaries(st.integers(0, 4), st.integers(0, 3)).map(VectorClock)


@given(clocks, clocks, clocks)
def test_vector_clocks_merge_like_sets(a, b, c):
    assert a.merge(b) == b.merge(a)
    assert a.merge(b).merge(c) == a.merge(b.merge(c))
    assert a.merge(a).compare(a) == EQUAL  # entries of 0 are as good as none
    assert a.merge(b).descends(a)
    assert list(a.merge(b).entries) == sorted(a.merge(b).entries)
    assert 0 not in a.merge(b).entries.values()
    for who in range(5):
        assert a.merge(b).of(who) == max(a.of(who), b.of(who))


@given(steps)
def test_lamport_clocks_never_contradict_causality(steps):
    events = play(
        steps,
        [Lamport(0, who) for who in range(PROCESSES)],
        lambda clock, who, _: clock.tick(),
        lambda clock, who, _, message: clock.receive(message),
    )
    reaches = before(events)
    longest = []  # the longest causal chain that ends in each event
    for _, clock, causes in events:
        longest.append(1 + max((longest[cause] for cause in causes), default=0))
        assert clock.count == longest[-1]
    for a, b in product(range(len(events)), repeat=2):
        assert not reaches[a][b] or events[a][1] < events[b][1]
    assert len({(clock.count, clock.replica) for _, clock, _ in events}) == len(events)


def hybrids(steps, offsets):
    """Events as above with hybrid clocks, and the physical time at which each happened, on its process's clock."""
    shown, now = [], 1.0  # later than the 0 with which clocks begin
    for who, _, passed in steps:
        now += passed
        shown.append(now + offsets[who])
    times = iter(shown)
    events = play(
        steps,
        [Hybrid(0.0, 0, who) for who in range(PROCESSES)],
        lambda clock, who, _: clock.tick(next(times)),
        lambda clock, who, _, message: clock.receive(message, next(times)),
    )
    return events, shown


@given(steps, offsets)
def test_hybrid_clocks_are_monotone_and_stay_within_the_drift(steps, offsets):
    events, shown = hybrids(steps, offsets)
    reaches = before(events)
    epsilon = max(offsets) - min(offsets)
    for b, (_, clock, _) in enumerate(events):
        heard = [a for a in range(len(events)) if reaches[a][b]]
        assert all(events[a][1] < clock for a in heard)
        # l is the greatest physical time among the event and all that happened before it
        assert clock.time == max([shown[b], *(shown[a] for a in heard)])
        assert 0 <= clock.time - shown[b] <= epsilon
        # c counts events with that l on a causal chain, so there are at least so many
        assert clock.count <= sum(events[a][1].time == clock.time for a in heard)
    assert len({(clock.time, clock.count, clock.replica) for _, clock, _ in events}) == len(events)


@given(steps)
def test_a_hybrid_clock_whose_physical_clock_stands_still_is_a_lamport_clock(steps):
    still = play(
        steps,
        [Hybrid(0.0, 0, who) for who in range(PROCESSES)],
        lambda clock, who, _: clock.tick(0.0),
        lambda clock, who, _, message: clock.receive(message, 0.0),
    )
    lamport = play(
        steps,
        [Lamport(0, who) for who in range(PROCESSES)],
        lambda clock, who, _: clock.tick(),
        lambda clock, who, _, message: clock.receive(message),
    )
    assert [clock.count for _, clock, _ in still] == [clock.count for _, clock, _ in lamport]


def test_receiving_case_by_case_as_in_the_paper():
    """l' above, below and equal to l.m and pt; the columns are l, c, then l.m, c.m, then pt, and what comes out."""
    for own, c, lm, cm, pt, expected in (
        (10, 3, 10, 5, 9, (10, 6)),
        (10, 5, 10, 3, 9, (10, 6)),
        (10, 3, 9, 7, 9, (10, 4)),
        (10, 3, 11, 7, 9, (11, 8)),
        (10, 3, 11, 7, 12, (12, 0)),
        (10, 3, 9, 7, 10, (10, 4)),
        (10, 3, 11, 7, 11, (11, 8)),
    ):
        stamp = Hybrid(own, c, 0).receive(Hybrid(lm, cm, 1), pt)
        assert (stamp.time, stamp.count, stamp.replica) == (*expected, 0)
    assert Hybrid(10, 3, 0).tick(10) == Hybrid(10, 4, 0)
    assert Hybrid(10, 3, 0).tick(9) == Hybrid(10, 4, 0)
    assert Hybrid(10, 3, 0).tick(11) == Hybrid(11, 0, 0)


def test_a_stamp_from_a_broken_clock_is_not_followed():
    clock = Hybrid(10.0, 0, 0)
    broken = Hybrid(99.0, 0, 1)
    assert clock.receive(broken, 11.0, drift=5.0) == Hybrid(11.0, 0, 0)
    assert clock.receive(broken, 94.0, drift=5.0) == Hybrid(99.0, 1, 0)


@pytest.mark.parametrize("now", [math.nan, math.inf])
def test_a_clock_shows_finite_seconds(now):
    with pytest.raises(ProtocolError, match="finite number of seconds"):
        Hybrid(0.0, 0, 0).tick(now)
