"""Commands, schedules and how they are written: reading undoes writing."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossiplab.commands import (
    VERBS,
    Backup,
    Calm,
    Churn,
    Corrupt,
    Cut,
    Delay,
    Delete,
    Drop,
    Duplicate,
    Flap,
    Heal,
    Hold,
    Inject,
    Kill,
    Leave,
    Partition,
    Pause,
    Read,
    Rejoin,
    Release,
    Restore,
    Resume,
    Shape,
    Skew,
    Wipe,
    Write,
    parse_command,
)
from gossiplab.errors import UserError
from gossiplab.experiment import MOST_SECONDS
from gossiplab.plan import read_scheduled, write_scheduled

N = 12
nodes = st.sets(st.integers(0, N - 1)).map(lambda each: tuple(sorted(each)))
two = st.lists(st.sampled_from([0, 1, 2]), min_size=N, max_size=N).map(
    lambda sides: tuple(tuple(i for i, side in enumerate(sides) if side == which) for which in (0, 1))
)
numbers = st.floats(0, 1).map(repr)
lasting = st.floats(0.001, 1e6)
messages = st.integers(0, 10**15 - 1)
word = st.text(min_size=1, max_size=8).filter(lambda text: len(text.split()) == 1 and text == text.strip())
one = st.integers(0, N - 1)
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
    st.builds(Shape, nodes, nodes, settings_, st.booleans()),
    st.builds(Pause, nodes),
    st.builds(Resume, nodes),
    st.builds(Skew, nodes),
    st.builds(Skew, nodes, rate=st.floats(0.01, 100)),
    st.builds(Skew, nodes, offset=st.floats(-1e6, 1e6).map(lambda seconds: seconds + 0.0)),
    st.builds(Flap, nodes, lasting, lasting, st.none() | lasting),
    st.builds(Churn, st.floats(0.001, 1000), lasting, st.none() | lasting, st.booleans()),
    st.just(Calm()),
    st.builds(Drop, messages),
    st.builds(Delay, messages, st.floats(0, 1e6)),
    st.builds(Duplicate, messages),
    st.builds(Hold, st.none() | nodes),
    st.builds(Release, st.none() | nodes),
    st.builds(Write, one, word, st.lists(word, min_size=1, max_size=4).map(" ".join)),
    st.builds(Delete, one, word),
    st.builds(Read, one, word),
    st.builds(Wipe, nodes),
    st.builds(Backup, nodes),
    st.builds(Restore, nodes),
    st.builds(Corrupt, nodes, st.integers(1, 10**6)),
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
    ("link n0 to n1 loss=1", Shape((0,), (1,), ("loss=1",), one_way=True)),
    ("pause n3", Pause((3,))),
    ("resume all", Resume(tuple(range(N)))),
    ("skew n3 1.05", Skew((3,), rate=1.05)),
    ("skew n3 +0.5", Skew((3,), offset=0.5)),
    ("skew n3 -2s", Skew((3,), offset=-2.0)),
    ("skew n3 off", Skew((3,))),
    ("flap n3 up=3 down=1", Flap((3,), 3, 1)),
    ("flap n3 for=2 down=1 up=3", Flap((3,), 3, 1, 2)),
    ("flap n3-n4 up=3 down=1 for=20", Flap((3, 4), 3, 1, 20)),
    ("churn 0.5", Churn(0.5)),
    ("churn 2 down=4 for=10 fresh", Churn(2, 4, 10, fresh=True)),
    ("calm", Calm()),
    ("drop m12", Drop(12)),
    ("delay m12 0.5", Delay(12, 0.5)),
    ("duplicate m12", Duplicate(12)),
    ("hold", Hold()),
    ("hold n1", Hold((1,))),
    ("release", Release()),
    ("release n1-n2", Release((1, 2))),
    ("kill half", Kill(tuple(range(6)))),
    ("kill all but n0-n9", Kill((10, 11))),
    ("rejoin all but half fresh", Rejoin(tuple(range(6, 12)), fresh=True)),
    ("partition half", Partition(tuple(range(6)))),
    ("partition all but n0 from n0", Partition(tuple(range(1, 12)), (0,))),
    ("link n3 all loss=0.3", Shape((3,), tuple(range(N)), ("loss=0.3",))),
    ("link all all latency=0.2", Shape(tuple(range(N)), tuple(range(N)), ("latency=0.2",))),
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
    ("pause", "write pause NODES"), ("pause n0 n1", "write pause NODES"), ("resume", "write resume NODES"),
    ("skew", "write skew NODES RATE"), ("skew n0", "write skew NODES RATE"), ("skew n0 fast", "a factor from 0.01 to 100"),
    ("skew n0 0", "a factor from 0.01"), ("skew n0 nan", "a factor from"), ("skew n0 +inf", "seconds from -1e"),
    ("skew n0 +", "seconds from -1e"), ("skew n0 off off", "write skew NODES RATE"), ("skew n0 1 2", "write skew"),
    ("flap n0", "write flap NODES up=S down=S"), ("flap n0 up=1", "write flap"), ("flap n0 up=1 up=2 down=1", "write flap"),
    ("flap n0 up=0 down=1", "up cannot be '0': give seconds from 0.001"), ("flap n0 up=1 down=x", "down cannot be 'x'"),
    ("flap n0 up=1 down=1 for=0", "for cannot be '0'"), ("flap n0 up=1 down=1 forever", "write flap"),
    ("churn", "write churn RATE"), ("churn 0", "deaths a second from 0.001"), ("churn n0", "deaths a second from"),
    ("churn 1 stale", "write churn RATE"), ("churn 1e9", "deaths a second from 0.001 to 1000"),
    ("calm n0", "write calm"), ("drop", "write drop MESSAGE"), ("drop 12", "write drop MESSAGE"),
    ("drop n1", "write drop MESSAGE"), ("drop m1 m2", "write drop MESSAGE"), ("drop m-1", "write drop MESSAGE"),
    ("delay m1", "write delay MESSAGE S"), ("delay m1 -1", "seconds from 0"), ("delay m1 soon", "seconds from 0"),
    ("duplicate", "write duplicate MESSAGE"), ("hold n99", "there is no node n99"), ("release n0 n1", "write release"),
    ("kill all but", "write kill NODES"), ("kill all but n99", "there is no node n99"), ("kill random", "write kill"),
    ("kill random 3", "a recording names the nodes"), ("kill random n3", "write random 3 or random 10%"),
    ("kill random 101%", "write random 3 or random 10%"), ("kill random 13", "it has 12"),
    ("kill cluster", "a recording has no clusters"), ("partition bridge", "no bridge to cut"),
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


WORDS = (
    "n0", "n1-n3", "from", "to", "fresh", "loss=0.1", "=", "all", "but", "half", "cluster", "random", "3", "10%",
    "bridge", "off", "+1", "-1", "up=1", "down=1", "for=1", "m1", "1.5",
)  # fmt: skip


@given(st.text() | st.lists(st.sampled_from([*VERBS, *WORDS])).map(" ".join))
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


@pytest.mark.parametrize("text, says", [
    ("write n0 k\udcff v", "write it in UTF-8"),
    ("write n0 k v\ud83d", "write it in UTF-8"),
    ("write n0 k " + "x" * (2**20 + 1), "larger than 1 MiB"),
    ("write n0 k " + "\u00e4" * (2**19 + 1), "larger than 1 MiB"),
])  # fmt: skip
def test_what_no_store_takes(text, says):
    """A client gets a sentence, and no node is stopped by it."""
    with pytest.raises(UserError, match=says):
        parse_command(text, N)
    parse_command("write n0 k " + "\u00e4" * 2**19, N)
