"""Commands, schedules and how they are written: reading undoes writing."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossiplab.commands import VERBS, Cut, Heal, Inject, Kill, Leave, Partition, Rejoin, Shape, parse_command
from gossiplab.errors import UserError
from gossiplab.experiment import MOST_SECONDS
from gossiplab.plan import read_scheduled, write_scheduled

N = 12
nodes = st.sets(st.integers(0, N - 1)).map(lambda each: tuple(sorted(each)))
two = st.lists(st.sampled_from([0, 1, 2]), min_size=N, max_size=N).map(
    lambda sides: tuple(tuple(i for i, side in enumerate(sides) if side == which) for which in (0, 1))
)
numbers = st.floats(0, 1).map(repr)
settings_ = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["loss", "jitter", "duplicate", "reorder"]), numbers).map("=".join),
        st.sampled_from(["bandwidth=0", "bandwidth=1e6", "latency=0.5", "latency=0.1..0.2"]),
        st.just("latency=lognormal(0.03,0.5)"),
    ),
    max_size=4,
).map(tuple)
commands = st.one_of(
    st.builds(Kill, nodes),
    st.builds(Leave, nodes),
    st.builds(Rejoin, nodes, st.booleans()),
    st.builds(Partition, nodes),
    two.map(lambda sides: Partition(*sides)),
    two.map(lambda sides: Cut(*sides)),
    st.just(Heal()),
    st.builds(Inject, st.integers(0, N - 1)),
    st.builds(Shape, nodes, nodes, settings_),
)


@given(commands)
def test_what_is_written_is_read(command):
    assert parse_command(str(command), N) == command
    assert str(parse_command(str(command), N)) == str(command)


@given(st.floats(0, MOST_SECONDS), commands)
def test_schedules_too(t, command):
    text = write_scheduled(t, command)
    assert read_scheduled(text, N) == (t, command)
    assert write_scheduled(*read_scheduled(text, N)) == text


def test_spaces_do_not_matter():
    assert read_scheduled("  3   kill    n0,n1 ", 5) == (3.0, Kill((0, 1)))
    assert write_scheduled(3.0, Kill((0, 1))) == "3 kill n0-n1"
    assert write_scheduled(0.5, Heal()) == "0.5 heal"


@pytest.mark.parametrize("text, command", [
    ("kill n3", Kill((3,))),
    ("kill all", Kill(tuple(range(N)))),
    ("rejoin n1,n4", Rejoin((1, 4))),
    ("rejoin n1 fresh", Rejoin((1,), fresh=True)),
    ("leave n0-n7", Leave(tuple(range(8)))),
    ("partition n0-n2", Partition((0, 1, 2))),
    ("partition n0 from n1", Partition((0,), (1,))),
    ("cut n0 to n1", Cut((0,), (1,))),
    ("heal", Heal()),
    ("inject n5", Inject(5)),
    ("link n0 all latency=0.2 loss=0.1", Shape((0,), tuple(range(N)), ("latency=0.2", "loss=0.1"))),
    ("link n0 n1", Shape((0,), (1,))),
])  # fmt: skip
def test_the_vocabulary(text, command):
    assert parse_command(text, N) == command


@pytest.mark.parametrize("text, says", [
    ("", "the commands are kill, rejoin"), ("dance n0", "the commands are"), ("KILL n0", "the commands are"),
    ("kill", "write kill NODES"), ("kill n0 n1", "write kill NODES"), ("kill n99", "there is no node n99"),
    ("rejoin n0 stale", "write rejoin NODES"), ("rejoin n0 fresh now", "write rejoin NODES"),
    ("rejoin fresh", "names no node"), ("leave", "write leave NODES"), ("heal n0", "write heal"),
    ("partition", "write partition NODES"), ("partition n0 to n1", "write partition NODES"),
    ("partition n0 from", "write partition NODES"), ("partition n0-n3 from n3", "n3 cannot stand on both sides"),
    ("cut n0", "write cut NODES to NODES"), ("cut n0 from n1", "write cut NODES to NODES"),
    ("cut n0 to n0", "n0 cannot stand on both sides"),
    ("inject", "write inject NODE"), ("inject n0-n3", "write inject NODE"), ("inject none", "write inject NODE"),
    ("link", "write link NODES"), ("link n0", "write link NODES"), ("link n0 n1 loss", "is no link setting"),
    ("link n0 n1 speed=3", "is no link setting"), ("link n0 n1 loss=2", "a probability from 0 to 1"),
    ("link n0 n1 loss=nan", "a probability from 0 to 1"), ("link n0 n1 loss=", "a probability from 0 to 1"),
    ("link n0 n1 latency=inf", "write seconds as"), ("link n0 n1 latency=", "write seconds as"),
    ("link n0 n1 bandwidth=1e-9", "from 0.001 up"), ("link n0 n1 jitter=-1", "seconds from 0 up"),
])  # fmt: skip
def test_what_is_no_command(text, says):
    with pytest.raises(UserError, match=says) as caught:
        parse_command(text, N)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    "text", ["", "3", "heal", "x heal", "nan heal", "inf heal", "-1 heal", "1e400 heal", "1e7 heal"]
)
def test_what_is_no_schedule(text):
    with pytest.raises(UserError):
        read_scheduled(text, N)


@given(
    st.text()
    | st.lists(st.sampled_from([*VERBS, "n0", "n1-n3", "from", "to", "fresh", "loss=0.1", "="])).map(" ".join)
)
def test_any_text_is_read_or_refused(text):
    try:
        command = parse_command(text, N)
    except UserError:
        pass
    else:
        assert parse_command(str(command), N) == command
    try:
        t, _ = read_scheduled(text, N)
    except UserError:
        return
    assert math.isfinite(t)
