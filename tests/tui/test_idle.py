"""What a person is told before a command goes to the lab: that it would change nothing, exactly when that is so."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossiplab.commands import VERBS, parse_command
from gossiplab.events import Commanded, Severed, Shaped
from gossiplab.tui.idle import why_idle
from gossiplab.tui.timeline import _MARKS
from gossiplab.world.world import new_world
from tests.helpers import events_of, header_of

BEFORE = (
    "kill n1", "kill n0,n2", "rejoin all", "leave n3", "pause n1", "pause n0,n3", "resume all", "hold", "hold n2-n3",
    "release n2", "skew n1 1.5", "skew n0 +0.3", "flap n2 up=9 down=9", "churn 0.2", "calm", "partition n0-n1", "heal",
    "link n0 n1 loss=1", "link n0 n1-n4 loss=1.0", "link all all duplicate=0.5", "link all all loss=0", "cut n0 to n2-n3",
    "cut n2-n3 to n0",
)  # fmt: skip
COMMANDS = (
    "kill n1", "kill all", "kill none", "rejoin n1", "rejoin all", "leave n3", "leave n1,n3", "pause n1", "pause all",
    "pause n0,n3", "resume n1", "resume all", "resume none", "inject n1", "inject n3", "partition n0", "partition all",
    "partition none", "partition n0 from none", "cut n0 to n1", "cut none to n1", "heal", "hold", "hold n2", "hold none",
    "release", "release n2", "release n0", "drop m3", "drop m40", "delay m41 2", "duplicate m42", "drop m9999", "calm",
    "flap n1 up=1 down=1", "flap none up=1 down=1", "churn 5", "link n0 n1", "link n0 n1 loss=1", "link none n1 loss=1",
    "link n0 to n1,n3 loss=1", "link n2 n3 duplicate=0.5", "link n3 n3 loss=1", "link all all duplicate=0", "cut n0 to n3",
    "skew n1 1.5", "skew n1 2", "skew n1 off", "skew n0 +1", "skew n0 +0", "skew none 2",
)  # fmt: skip


def run(*at):
    header = header_of(
        "chatter", nodes=5, until=4, seed=3, link={"latency": "0.1..1.5"}, params={"period": 0.3}, at=["0 inject n0", *at]
    )  # fmt: skip
    return header, events_of(header)


@given(st.lists(st.sampled_from(BEFORE), max_size=4), st.sampled_from(COMMANDS))
@settings(max_examples=150, deadline=None)
def test_a_command_is_idle_exactly_when_it_changes_nothing(before, command):
    schedule = [f"2 {each}" for each in before]
    header, events = run(*schedule, f"3 {command}")
    place = next(i for i, e in enumerate(events) if isinstance(e, Commanded) and e.t == 3)
    world = new_world(header)
    world.apply(events[:place])
    why = why_idle(parse_command(command, 5), world, header.experiment.link)
    without = run(*schedule)[1]
    rest = list(events[place + 1 :])
    if why is None:
        assert rest != without[place:]
    else:
        assert why.endswith(".")
        # a link that is as it was may be said to be so, and one that is cut be cut
        said = Shaped, Severed
        assert [e for e in rest if not isinstance(e, said)] == [
            e for e in without[place:] if not isinstance(e, said)
        ]


@pytest.mark.parametrize("before, command, says", [
    (["2 pause n1"], "pause n1", "n1 is paused already: write resume n1 to let it go on."),
    (["2 pause n1,n3"], "pause n1,n3", "n1,n3 are paused already: write resume n1,n3 to let them go on."),
    ([], "resume n1", "n1 is up: only paused nodes can be resumed."),
    (["2 kill n1"], "resume n1", "n1 is dead: only paused nodes can be resumed."),
    (["2 kill n1"], "pause n1", "n1 is dead: only a node that is up can be paused."),
    (["2 pause n1"], "leave n1", "n1 is paused: a frozen node cannot say goodbye, write resume n1 first."),
    (["2 pause n1"], "inject n1", "n1 is paused: write resume n1 before you tell it a rumor."),
    ([], "drop m0", "m0 is not in flight any more, it has arrived or was lost: choose one that is in flight."),
    ([], "duplicate m9999", "there is no message m9999 yet: choose one that is in flight."),
    ([], "release", "no messages are held: there is nothing to release."),
    (["2 hold n1"], "release n2", "messages to n2 are not held: those to n1 are."),
    (["2 hold"], "hold n2", "these messages are held already: write release to let them arrive."),
    ([], "calm", "nothing flaps and there is no churn: it is calm."),
    ([], "skew n1 off", "the clock of n1 is right: write skew n1 1.05."),
    (["2 skew n1 1.5"], "skew n1 1.5", "the clock of n1 runs at that rate already: write another."),
    ([], "link n1 n2", "these links are so already: name a setting to change, as loss=0.3."),
    ([], "link n1 n2 loss=0", "these links are so already: name a setting to change."),
    (["2 link n1 n2 loss=0.30"], "link n1 to n2 loss=0.3", "these links are so already: name a setting to change."),
    (["2 link n1 to n2 loss=0.3"], "link n1 n2 loss=0.3", None),
    (["2 link n1 n2 loss=0.3", "2 link n1 n3 loss=0.3"], "link n1-n3 n1 loss=0.3",
     "these links are so already: name a setting to change."),
    (["2 link n1 n2 loss=0.3", "2 link n1 n3 loss=0.3", "2.5 link n2 to n1"], "link n1-n3 n1 loss=0.3", None),
    (["2 link all all loss=0.3"], "link n1 n2 loss=0", None),
    (["2 link n1 n2 loss=0.3"], "link n1 n2", None),
    ([], "link n1 n1 loss=0.3", "no link leads from a node to itself: name two nodes."),
    (["2 cut n0 to n1-n3", "2 cut n1-n2 to n0"], "partition n0 from n1-n2", "this is cut already: heal mends it."),
    (["2 cut n0 to n1-n3", "2 cut n1-n2 to n0"], "partition n0 from n1-n3", None),
    ([], "heal", "nothing is cut: there is nothing to heal."),
])  # fmt: skip
def test_what_is_said(before, command, says):
    header, events = run(*before)
    world = new_world(header)
    world.apply(e for e in events if e.t <= 3)
    assert why_idle(parse_command(command, 5), world, header.experiment.link) == says


def test_every_command_has_a_mark_of_its_own_on_the_timeline():
    assert _MARKS.keys() == VERBS.keys()
    assert len(set(_MARKS.values())) == len(_MARKS)
    assert all(len(mark) == 1 and mark.isascii() for mark in _MARKS.values())
