"""News that is still to be passed on: which first, and how often."""

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from gossiplab import ALIVE, SUSPECTED
from gossiplab.replica.broadcasts import PACKET, SIZE, Broadcasts


@given(st.lists(st.integers(0, 60), max_size=150), st.integers(1, 8))
@settings(max_examples=40)
def test_news_is_sent_least_sent_first_and_so_often_and_no_more(abouts, limit):
    broadcasts, sent = Broadcasts(), defaultdict(int)
    for number, about in enumerate(abouts):
        broadcasts.put((about, ALIVE, number, 0))
    newest = {about: number for number, about in enumerate(abouts)}
    while broadcasts:
        packet = broadcasts.take(limit)
        assert sum(SIZE[state] for _, state, _, _ in packet) <= PACKET
        counts = [sent[about] for about, *_ in packet]
        assert counts == sorted(counts)
        assert all(sent[about] <= min(sent[other] for other in newest) + 1 for about, *_ in packet)
        for about, _, number, _ in packet:
            sent[about] += 1
            assert number == newest[about]
    assert sent == dict.fromkeys(newest, limit)


def test_news_replaces_older_news_about_the_same():
    broadcasts = Broadcasts()
    broadcasts.put((1, SUSPECTED, 0, 2))
    assert broadcasts.take(3) == [(1, SUSPECTED, 0, 2)]
    broadcasts.put((1, ALIVE, 1, 1))
    assert [broadcasts.take(3) for _ in range(4)] == [[(1, ALIVE, 1, 1)]] * 3 + [[]]
    assert not broadcasts
