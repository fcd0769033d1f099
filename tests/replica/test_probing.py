"""The order in which members are probed, and members drawn at random."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from gossiplab.replica.probing import ProbeList

STEPS = st.lists(
    st.one_of(st.just("probe"), st.tuples(st.just("add"), st.integers(0, 30)), st.just("remove"))
)


@given(st.integers(0, 12), STEPS, st.integers(0, 99))
def test_no_member_waits_for_two_passes(nodes, steps, seed):
    """Whatever comes and goes: nobody is probed twice before all who are there since the pass began are probed once."""
    probes = ProbeList(Random(seed), range(100, 100 + nodes))
    there, waiting = set(range(100, 100 + nodes)), set(range(100, 100 + nodes))
    for step in steps:
        if step == "remove":
            if there:
                gone = min(there)
                probes.remove(gone)
                there.discard(gone)
                waiting.discard(gone)
        elif step == "probe":
            member = next(probes.rest(), None)
            if member is None:
                assert not waiting
                probes.shuffle()
                waiting = set(there)
            else:
                assert member in there
                waiting.discard(member)
        elif step[1] not in there:
            probes.add(step[1])
            there.add(step[1])
        assert sorted(probes) == sorted(there)
        assert len(probes) == len(there)


@given(st.integers(0, 40), st.integers(0, 5), st.integers(0, 99))
def test_members_are_drawn_once_each_and_only_wanted_ones(nodes, k, seed):
    probes = ProbeList(Random(seed), range(nodes))
    drawn = probes.draw(k, lambda member: member % 2 == 0)
    assert len(set(drawn)) == len(drawn) <= k
    assert all(member % 2 == 0 for member in drawn)
    if nodes <= 3 * k:
        assert len(drawn) == min(k, (nodes + 1) // 2)


def test_every_member_is_drawn_as_often():
    probes = ProbeList(Random(1), range(20))
    counts = dict.fromkeys(range(20), 0)
    for _ in range(4000):
        for member in probes.draw(3, lambda member: member != 7):
            counts[member] += 1
    assert counts.pop(7) == 0
    assert all(abs(count - 12000 / 19) < 5 * (12000 / 19) ** 0.5 for count in counts.values())
