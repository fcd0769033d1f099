"""Events in words: every kind has some, they name what matters, and nothing in them is obeyed by a terminal."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossiplab.events import (
    Answered,
    AnyEvent,
    Began,
    Believed,
    Calmed,
    Commanded,
    Compared,
    Crashed,
    Delayed,
    Delivered,
    Departed,
    Dropped,
    Duplicated,
    Emptied,
    Ended,
    Healed,
    Held,
    Injected,
    Kept,
    Killed,
    Learned,
    Listed,
    Paused,
    Placed,
    Refused,
    Rejoined,
    Repaired,
    Repairing,
    Requested,
    Resumed,
    Retired,
    Seeded,
    Sent,
    Severed,
    Shaped,
    Shown,
    Skewed,
    Stored,
    Versioned,
    Wired,
)
from gossiplab.world.saying import KINDS, about, note, say_event

PUSH = Sent(1.0, 7, 1, 2, 1.5, "Push", 1234, (0, 3), msgspec.Raw(b'{"a":1}'))
SAID = [
    (PUSH, "n1 sends Push to n2, with rumors 0, 3 (message 7, 1,234 B)"),
    (Delivered(1.5, 7), "n2 gets Push from n1 (message 7)"),
    (Dropped(1.5, 7, "cut"), "Push from n1 to n2 does not arrive: cut off (message 7)"),
    (Dropped(1.5, 7, "down"), "Push from n1 to n2 does not arrive: nobody is there (message 7)"),
    (Duplicated(1.0, 8, 7, 2.0), "Push from n1 to n2 has a second copy (message 8 of 7)"),
    (Learned(1.5, 2, 0, 7), "n2 hears rumor 0 from n1 (message 7)"),
    (Learned(0.0, 2, 0, None), "n2 knows rumor 0"),
    (Retired(2.0, 2, 0), "n2 loses interest in rumor 0"),
    (Shown(2.0, 2, "counter", msgspec.Raw(b"3")), "n2 shows counter: 3"),
    (Injected(0.0, 0, 2), "rumor 0 begins at n2"),
    (Commanded(0.0, "kill n1"), "command: kill n1"),
    (Killed(0.0, 1), "n1 is killed"),
    (Departed(0.0, 1), "n1 leaves"),
    (Crashed(0.0, 1, "my.py", 3, "KeyError: 1"), "n1 crashes in my.py, line 3: KeyError: 1"),
    (Rejoined(0.0, 1, True), "n1 is back, and remembers nothing"),
    (Rejoined(0.0, 1, False), "n1 is back"),
    (Severed(0.0, "n0", "n1-n3", True), "n0 and n1-n3 are cut off from one another"),
    (Severed(0.0, "n0", "n1-n3", False), "nothing gets from n0 to n1-n3"),
    (Healed(0.0), "all cuts are mended"),
    (Shaped(0.0, "n0", "all", ("loss=0.1",)), "the links between n0 and all have loss=0.1"),
    (Wired(0.0, None), "everybody is linked with everybody"),
    (Wired(0.0, ((0, 1),)), "there are 1 links"),
    (Believed(0.0, 1, 2, "suspect", 4), "n1 takes n2 for suspect (incarnation 4)"),
    (Kept(1.0, 1, "active", (2, 3)), "n1 keeps n2-n3 in its active view"),
    (Listed(0.0, 1, "n2-n9", "alive", 0), "n1 takes n2-n9 for alive (incarnation 0)"),
    (Paused(1.0, 2), "n2 is paused"),
    (Resumed(1.0, 2), "n2 goes on"),
    (Skewed(1.0, 2, 1.5, -0.25), "the clock of n2 is -0.25 s off and runs at 1.5x"),
    (Began(1.0, "churn 1"), "a fault begins: churn 1"),
    (Calmed(1.0, "churn 1"), "a fault is over: churn 1"),
    (Held(1.0, "n1-n3"), "messages to n1-n3 wait"),
    (Held(1.0, "none"), "no messages are held any more"),
    (Delayed(1.0, 7, 3.0), "Push from n1 to n2 is delayed to 3.000 s (message 7)"),
    (Dropped(1.5, 7, "command"), "Push from n1 to n2 does not arrive: by command (message 7)"),
    (Ended(9.0, "converged"), "the run is over: converged"),
    (Seeded(0.0, 1, 1000, "0@n0"), "n1 holds 1,000 keys"),
    (Emptied(1.0, 1), "n1 holds nothing any more"),
    (Placed(1.0, "cart", (3, 1)), "cart belongs on n1,n3"),
    (
        Versioned(1.0, 1, "cart", "n1.2", "milk", ("n1.1",), (), None),
        "version n1.2 of cart is milk, over n1.1",
    ),
    (Versioned(1.0, 1, "cart", "n1.1", None, (), (), None), "version n1.1 of cart is a deletion"),
    (Stored(1.0, 2, "cart", ("n1.2",), 7), "n2 holds n1.2 of cart, from n1 (message 7)"),
    (Stored(1.0, 2, "cart", (), None), "n2 holds nothing of cart"),
    (Requested(1.0, 4, 2, "write", "cart", "milk"), "request 4: write cart at n2: milk"),
    (Requested(1.0, 4, 2, "read", "cart", None), "request 4: read cart at n2"),
    (Answered(1.0, 4, ("n1.2",)), "request 4 is answered: n1.2"),
    (Answered(1.0, 4, ()), "request 4 is answered"),
    (Refused(1.0, 4, "n2 is down"), "request 4 has failed: n2 is down"),
    (Repairing(1.0, 5, 1, 2, 9, 99, 4, 2), "n1 begins repair 5 with n2"),
    (Compared(1.0, 5, 2, 0, (1, 3), 0, 7), "n2 goes on with repair 5: 2 differ at level 0"),
    (Compared(1.0, 5, 2, -1, (), 3, 7), "n2 goes on with repair 5, 3 keys"),
    (Repaired(1.0, 5, 3), "repair 5 is over: 3 keys differed"),
]


@pytest.mark.parametrize(
    "event, text", SAID, ids=lambda each: type(each).__name__ if not isinstance(each, str) else ""
)
def test_what_is_said(event, text):
    messages = {}
    note(PUSH, messages)
    note(event, messages)
    assert say_event(event, about(event, messages)) == text


def test_every_kind_is_said_and_has_the_name_it_has_in_a_recording():
    kinds = AnyEvent.__args__
    assert set(kinds) == set(KINDS) == {type(event) for event, _ in SAID}
    for kind, name in KINDS.items():
        assert kind.__struct_config__.tag == name


def test_without_its_sending_a_message_has_its_number():
    assert say_event(Delivered(1.5, 7)) == "message 7 arrives"
    assert say_event(Dropped(1.5, 7, "loss")) == "message 7 does not arrive: lost on its way"
    assert say_event(Learned(1.5, 2, 0, 7)) == "n2 hears rumor 0 from message 7"
    assert about(Killed(1.0, 2), {}) is None


strange = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)


@given(strange, strange)
def test_nothing_is_obeyed_and_nothing_is_long(a, b):
    raw = msgspec.Raw(msgspec.json.encode(a.encode("utf-8", "replace").decode() * 20))
    message = Sent(1.0, 7, 1, 2, 1.5, a, 5, (0,) * 50, raw)
    events = [
        message, Delivered(1.5, 7), Dropped(1.5, 7, b), Shown(1.0, 1, a, raw), Commanded(1.0, a), Crashed(1.0, 1, a, 2, b),
        Severed(1.0, a, b, True), Severed(1.0, a, b, False), Shaped(1.0, a, b, (a, b) * 20), Ended(1.0, b),
        Believed(1.0, 1, 2, a, 1), Listed(1.0, 1, a, b, 1), Stored(1.0, 1, a, (a, b) * 20, 7), Placed(1.0, a, (1,) * 99),
        Versioned(1.0, 1, a, b, a * 9, (a, b) * 20, (), None), Requested(1.0, 1, 1, "write", a, b * 9),
        Answered(1.0, 1, (a, b) * 20), Refused(1.0, 1, a * 9),
    ]  # fmt: skip
    for event in events:
        said = say_event(event, message)
        assert said.isprintable()
        assert len(said) < 420


def test_a_payload_of_megabytes_is_cut():
    event = Shown(1.0, 1, "x" * 5_000_000, msgspec.Raw(b'"' + b"y" * 5_000_000 + b'"'))
    assert len(say_event(event)) < 420
