"""Counts over time: against plain counting of all events, however they came and whatever the width of the bins."""

from math import floor

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossiplab.events import Delivered, Dropped, Injected, Learned, Sent
from gossiplab.world.agreement import heard_times
from gossiplab.world.series import FIRST_WIDTH, MOST_BINS, Series, minus, plus
from gossiplab.world.world import MOST_KINDS, OTHER_KINDS, World, new_world
from tests.helpers import events_of, header_of, only
from tests.world.test_world import run, schedules

counters = st.lists(st.tuples(st.floats(0, 2000), st.lists(st.integers(0, 9), max_size=4)), max_size=40)


@given(counters)
def test_bins_add_up_and_lie_where_things_happened(steps):
    """Against the increments themselves, sorted into bins of the final width."""
    steps.sort(key=lambda step: step[0])
    series, total = Series(), ()
    for t, more in steps:
        if t >= series.edge:
            series.close(total, t)
        total = plus(total, tuple(more))
    expected = {}
    for t, more in steps:
        place = floor(t / series.width)
        expected[place] = plus(expected.get(place, ()), tuple(more))
    bins = series.counted(total)
    assert len(bins) <= MOST_BINS
    assert (series.width / FIRST_WIDTH).is_integer()
    assert not steps or (len(bins) - 1) * series.width <= steps[-1][0] < len(bins) * series.width
    for place, counts in enumerate(bins):
        want = expected.pop(place, ())
        assert plus(counts, (0,) * 4) == plus(want, (0,) * 4)
    assert not expected
    assert series.possible()


@given(counters.filter(bool))
def test_sums_and_differences_undo_each_other(steps):
    a, b = tuple(steps[0][1]), tuple(steps[-1][1])
    assert plus(a, b) == plus(b, a)
    assert plus(minus(plus(a, b), a), ()) == (*b, *[0] * (len(a) - len(b)))


@given(schedules, st.integers(0, 20), st.lists(st.integers(1, 30)))
@settings(max_examples=30)
def test_a_series_depends_on_the_events_alone(schedule, seed, sizes):
    header = run(schedule, seed)
    events = events_of(header)
    whole, pieces = new_world(header), new_world(header)
    whole.apply(events)
    rest = iter(events)
    for size in sizes:
        pieces.apply([event for _, event in zip(range(size), rest, strict=False)])
    half = msgspec.json.decode(msgspec.json.encode(pieces), type=World)  # as a keyframe has it
    half.apply(rest)
    assert half.series == whole.series
    assert half.series.counted(half.counts) == whole.series.counted(whole.counts)


@given(schedules, st.integers(0, 20))
@settings(max_examples=40)
def test_a_series_is_what_is_counted_event_by_event(schedule, seed):
    header = run(schedule, seed)
    events = events_of(header)
    world = new_world(header)
    world.apply(events)
    sent, dropped, learned = only(events, Sent), only(events, Dropped), only(events, Learned)
    width, rows = world.series.width, world.series.counted(world.counts)
    for place, counts in enumerate(rows):
        useful, redundant, lost, *kinds = (*counts, *[0] * (3 + 2 * len(world.kinds) - len(counts)))

        def within(event, place=place):
            last = place == len(rows) - 1
            return place * width <= event.t and (last or event.t < (place + 1) * width)

        for kind, number, size in zip(world.kinds, kinds[::2], kinds[1::2], strict=True):
            these = [event for event in sent if event.kind == kind and within(event)]
            assert number == len(these)
            assert size == sum(event.size for event in these)
        assert lost == sum(map(within, dropped))
        told = sum(1 for event in only(events, Delivered) if within(event))
        assert useful + redundant <= told
    assert sum(counts[0] for counts in rows if counts) == world.useful
    assert sum(counts[1] for counts in rows if len(counts) > 1) == world.redundant
    for rumor, times in enumerate(heard_times(world)):
        first = {event.node: event.t for event in reversed(learned) if event.rumor == rumor}
        assert times == sorted(first.values())


def _message(id, dst, carries, kind="Push"):
    return Sent(0.0, id, 0, dst, 1.0, kind, 10, carries, msgspec.Raw(b"{}"))


def test_a_delivery_teaches_nothing_when_the_receiver_knew_all_that_it_carries():
    world = new_world(header_of("chatter", nodes=3))
    world.apply([Injected(0.0, rumor, 0) for rumor in (0, 1)])
    world.apply([_message(0, 1, (0,)), _message(1, 1, (0,)), _message(2, 1, (0, 1)), _message(3, 1, ())])
    world.apply([Delivered(1.0, 0), Learned(1.0, 1, 0, 0)])
    assert (world.useful, world.redundant) == (1, 0)
    world.apply([Delivered(1.0, 1)])  # it knows rumor 0 already
    assert (world.useful, world.redundant) == (1, 1)
    world.apply([Delivered(1.0, 2)])  # of 0 and 1 it does not know 1
    assert (world.useful, world.redundant) == (2, 1)
    world.apply([Delivered(1.0, 3)])  # carries nothing
    assert (world.useful, world.redundant) == (2, 1)


def test_types_without_end_take_no_memory_without_end():
    world = new_world(header_of("chatter", nodes=3))
    world.apply([_message(id, 1, (), f"kind {id}") for id in range(1000)])
    assert len(world.kinds) == MOST_KINDS
    assert world.kinds[OTHER_KINDS].sent == 1000 - (MOST_KINDS - 1)
    assert sum(tally.sent for tally in world.kinds.values()) == 1000


def test_a_long_run_keeps_its_keyframes_small():
    series = Series()
    for second in range(100_000):
        series.close((second, second, second, second, 10 * second), float(second))
    assert len(series.bins) < MOST_BINS
    assert len(msgspec.json.encode(series)) < 8_000


@pytest.mark.parametrize(
    "series",
    [
        Series(width=0.0),
        Series(width=float("nan")),
        Series(width=float("inf")),
        Series(width=-1.0),
        Series(width=0.3),
        Series(bins=[(-1,)]),
        Series(before=(-1,)),
        Series(bins=[()] * MOST_BINS),
        Series(before=(2**80,)),
    ],
    ids=str,
)
def test_impossible_series_are_found_out(series):
    assert not series.possible()
