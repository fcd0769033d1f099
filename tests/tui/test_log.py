"""The log: what a filter lets through, what a search finds in a long recording, and what is on the screen."""

import msgspec
import pytest

from gossiplab.errors import UserError
from gossiplab.events import Delivered, Dropped, Duplicated, Killed, Learned, Rejoined, Sent
from gossiplab.recording.reader import open_recording
from gossiplab.tui.chronicle import Chronicle
from gossiplab.tui.filter import parse_filter
from gossiplab.tui.search import Search
from gossiplab.tui.session import Replay
from gossiplab.world.saying import message_id, say_event
from tests.helpers import bytes_of, header_of
from tests.tui.driving import LARGE, SMALL, live, replay

pytestmark = pytest.mark.anyio

POSTS = [(1.0, "kill n2-n3"), (2.0, "partition n0-n4"), (3.0, "heal"), (3.0, "rejoin n2 fresh")]
LINK = {"loss": 0.1, "duplicate": 0.1, "latency": "0.05..0.6"}


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    path = tmp_path_factory.mktemp("short") / "run.gossip"
    path.write_bytes(bytes_of(header_of("chatter", nodes=12, until=5.0, link=LINK), POSTS))
    return path


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """Three segments, and messages under way at their borders."""
    path = tmp_path_factory.mktemp("long") / "run.gossip"
    busy = {"period": 0.1, "fanout": 6}
    path.write_bytes(bytes_of(header_of("chatter", nodes=12, until=32.0, params=busy, link=LINK), POSTS))
    assert open_recording(path).length > 41_000
    return path


def sendings(events):
    """The sending of every message, of copies that of the original."""
    sent = {}
    for event in events:
        if isinstance(event, Sent):
            sent[event.id] = event
        elif isinstance(event, Duplicated):
            sent[event.id] = sent[event.of]
    return sent


# filters --------------------------------------------------------------------------------------------


def ends(event, sent):
    """The nodes that an event is about."""
    id = message_id(event)
    message = () if id is None else (sent[id].src, sent[id].dst)
    return {getattr(event, "node", None), getattr(event, "about", None), *message}


FILTERS = [
    ("node:n3", lambda e, s: 3 in ends(e, s)),
    ("node:n3-n5", lambda e, s: {3, 4, 5} & ends(e, s)),
    ("from:n1 to:n2-n6", lambda e, s: message_id(e) is not None
     and (s[message_id(e)].src, s[message_id(e)].dst) in {(1, 2), (1, 3), (1, 4), (1, 5), (1, 6)}),
    ("kind:dropped", lambda e, s: isinstance(e, Dropped)),
    ("kind:Killed,rejoined", lambda e, s: isinstance(e, Killed | Rejoined)),
    ("type:word", lambda e, s: message_id(e) is not None and s[message_id(e)].kind.lower().startswith("word")),
    ("rumor:0", lambda e, s: e.rumor == 0 if hasattr(e, "rumor")
     else message_id(e) is not None and 0 in s[message_id(e)].carries),
    ("message:5", lambda e, s: message_id(e) == 5 or getattr(e, "of", None) == 5),
    ("t>3", lambda e, s: e.t > 3),
    ("t>=2 t<3s", lambda e, s: 2 <= e.t < 3),
    ("t=3", lambda e, s: e.t == 3),
    ("-kind:sent -kind:delivered", lambda e, s: not isinstance(e, Sent | Delivered)),
    ("HEARS", lambda e, s: isinstance(e, Learned) and e.by is not None),
    ("hears -n1", lambda e, s: isinstance(e, Learned) and e.by is not None
     and "n1" not in say_event(e, s[e.by])),
]  # fmt: skip


@pytest.mark.parametrize("text, wanted", FILTERS, ids=[text for text, _ in FILTERS])
def test_a_filter_lets_through_what_it_says(short, text, wanted):
    events = list(open_recording(short).read())
    sent = sendings(events)
    test = parse_filter(text, 12)
    passed = [e for e in events if test(e, None if message_id(e) is None else sent[message_id(e)])]
    assert passed == [e for e in events if wanted(e, sent)]
    assert passed


def test_an_empty_filter_is_none():
    assert parse_filter("   ", 12) is None


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("node:n99", "there is no node n99: this lab has nodes n0 to n11."),
        ("kind:droped", "there is no kind of event 'droped': write sent, delivered, dropped"),
        ("rumor:x", "'x' is no rumor: write its number, as rumor:0."),
        ("message:-1", "'-1' is no message"),
        ("t>soon", "t>soon gives no time: write seconds, as in t>3 or t<=4.5."),
        ("node:", "node: wants something after the colon"),
        ("-", "a minus alone leaves nothing out"),
        ("kind:\x1b[2J", "there is no kind of event '<U+001B>[2j'"),
    ],
)
def test_what_is_wrong_with_a_filter_is_said_in_a_sentence(text, sentence):
    with pytest.raises(UserError) as caught:
        parse_filter(text, 12)
    assert str(caught.value).startswith(sentence)
    assert str(caught.value).isprintable()
    assert str(caught.value).endswith(".")


# long recordings ------------------------------------------------------------------------------------


def test_the_chronicle_knows_the_message_behind_every_event(long):
    events = list(open_recording(long).read())
    sent = sendings(events)
    chronicle = Chronicle(Replay(long))
    border = chronicle.length_of_segment
    for start in (0, border - 40, 2 * border - 40, len(events) - 60, 300, 2 * border - 40):
        entries = chronicle.entries(start, start + 80, 60.0)
        assert [entry.number for entry in entries] == list(range(start, min(start + 80, len(events))))
        for number, event, message in entries:
            assert event == events[number]
            id = message_id(event)
            if id is not None:  # of a copy: the sending of the original, under its own number
                assert (message.src, message.dst, message.kind) == (sent[id].src, sent[id].dst, sent[id].kind)


def test_what_is_on_the_screen_is_read_even_when_there_is_no_time(long):
    events = list(open_recording(long).read())
    entries = Chronicle(Replay(long)).entries(30_000, 30_050, -1.0)
    assert [entry.event for entry in entries] == events[30_000:30_050]


@pytest.mark.parametrize("text", ["kind:killed", "hears", "t<0", "kind:sent"])
def test_a_search_in_slices_finds_what_there_is(long, text):
    events = list(open_recording(long).read())
    sent = sendings(events)
    test = parse_filter(text, 12)
    search = Search(Chronicle(Replay(long)), test)
    slices, before = 0, 0.0
    while not search.done:
        search.step(0.002)
        slices += 1
        assert list(search.matches) == sorted(search.matches)
        assert 0 <= before <= search.progress <= 1
        before = search.progress
    expected = [
        number
        for number, event in enumerate(events)
        if test(event, None if message_id(event) is None else sent[message_id(event)])
    ]
    assert list(search.matches) == expected
    assert search.progress == 1.0
    assert slices > 3  # it has not held up a frame until it was through


# on the screen --------------------------------------------------------------------------------------


async def test_the_newest_line_is_at_the_bottom_while_the_lab_runs(tmp_path):
    async with live(tmp_path / "run.gossip", posts=POSTS) as hand:
        await hand.open("log")
        for t in (1.0, 2.5, 4.0):
            await hand.run_to(t)
            last = list(open_recording(tmp_path / "run.gossip").read())[-1]
            assert hand.lines()[-1].split() == f"{last.t:.3f} s".split() + hand.lines()[-1].split()[2:]
            assert f"{hand.session.latest.events:,} events" in hand.state()


async def test_filtering_as_you_type(tmp_path):
    async with live(tmp_path / "run.gossip", posts=POSTS) as hand:
        await hand.run_to(3.5)
        await hand.open("log")
        await hand.press("slash")
        await hand.type("kind:killed")
        await hand.draw()
        assert [line.split("s ", 1)[1].strip() for line in hand.lines()] == [
            "† n2 is killed",
            "† n3 is killed",
        ]
        assert hand.state().startswith("2 of ")
        await hand.press("x")
        assert hand.state().startswith("there is no kind of event 'killedx'")
        await hand.press("escape")
        assert hand.app.focused is hand.screen.view


async def test_enter_goes_to_the_instant_of_the_line(tmp_path):
    async with live(tmp_path / "run.gossip", posts=POSTS) as hand:
        await hand.run_to(4.0)
        await hand.open("log")
        await hand.press("slash", *"killed", "enter", "home", "enter")
        await hand.until(lambda: hand.session.t == 1.0)
        await hand.draw()
        assert hand.session.world.nodes[2].status == "dead"
        await hand.press("end")
        await hand.until(lambda: hand.session.t == 4.0)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
async def test_a_long_recording_scrolls_from_end_to_end(long, size):
    async with replay(long, size=size) as hand:
        await hand.press("end")
        await hand.open("log")
        length = open_recording(long).length
        await hand.until_drawn(lambda: f"{length:,} events" in hand.state())
        assert "the run is over" in hand.lines()[-1]
        await hand.press("pageup", "pageup", "up", "home")
        assert "linked" in hand.lines()[0]
        await hand.press("pagedown", "pagedown")
        assert "linked" not in hand.lines()[0]


async def test_the_log_follows_a_person_who_looks_back(long):
    async with replay(long) as hand:
        await hand.open("log")
        hand.session.seek(16.0)
        await hand.draw()
        times = [float(line.split()[0]) for line in hand.lines()]
        assert times[0] < 16.0 < times[-1] or times[0] <= 16.0 <= times[-1]


HOSTILE = (
    "\x1b[2J\x1b]52;c;aGk=\x07",
    "\x9b31m\x90q",
    "\u202egnp.exe\u2066",
    "[bold red]x[/]",
    "[@click=app.bell]y[/]",
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_the_filter_field_takes_anything(short, text):
    async with replay(short) as hand:
        await hand.press("end")
        await hand.open("log")
        await hand.press("slash")
        await hand.type(text)
        await hand.draw()
        assert all(line.isprintable() for line in [*hand.lines(), hand.state()])
        assert msgspec.json.encode(hand.state())
