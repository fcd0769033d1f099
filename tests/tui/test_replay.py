"""A recording on the screen: plays, is scrubbed, and says why nothing can be done to it."""

import re
from math import inf

import msgspec
import pytest

from gossiplab.errors import RecordingError
from gossiplab.events import Commanded, Crashed, Ended, Header, Injected, Learned, Shaped, Shown, Wired
from gossiplab.experiment import Experiment
from gossiplab.recording.reader import open_recording
from gossiplab.recording.tape import Tape
from gossiplab.tui.player import Player
from gossiplab.tui.session import Replay
from tests.helpers import bytes_of, header_of
from tests.tui.driving import LARGE, SMALL, replay

pytestmark = pytest.mark.anyio

POSTS = [(1.0, "kill n2-n3"), (2.0, "partition n0-n4"), (3.0, "heal"), (3.0, "rejoin n2 fresh")]


@pytest.fixture(scope="module")
def data():
    return bytes_of(header_of("chatter", nodes=12, until=5.0), POSTS)


@pytest.fixture
def path(tmp_path, data):
    path = tmp_path / "run.gossip"
    path.write_bytes(data)
    return path


def test_playing_on_shows_what_seeking_shows(path):
    recording = open_recording(path)
    player = Player(recording)
    player.seek(0.0)
    while not player.at_end:
        player.advance(0.037)
        assert player.world == recording.at(player.t)
    assert player.t == recording.end
    while player.world.events:
        player.step(-7)
        assert player.world == recording.at_event(player.world.events)
    player.step(1)
    player.step(1)
    assert player.world == recording.at_event(2)


def test_playing_follows_a_file_that_grows(tmp_path, data):
    path = tmp_path / "growing.gossip"
    path.write_bytes(data[:20_000])
    player = Player(open_recording(path))
    player.advance(100.0)
    assert player.at_end
    path.write_bytes(data)
    player.advance(100.0)
    whole = open_recording(path)
    assert player.world == whole.at(whole.end)


async def test_a_replay_plays_pauses_and_ends(path):
    async with replay(path) as hand:
        assert hand.session.t == 0
        hand.session.toggle()
        assert hand.session.running
        hand.session.advance(1.5)
        assert 0 < hand.session.t <= 1.5  # as far as a frame has time for
        await hand.press("space")
        assert not hand.session.running
        await hand.press("end")
        assert hand.shown("status").startswith("■ the end, 5.000 s: the time is up")
        hand.session.speed = 0.05
        await hand.press("space")
        assert hand.session.t < 5.0


async def test_keys_of_time(path):
    async with replay(path) as hand:
        await hand.press("full_stop")
        first = hand.session.world.events
        await hand.press("full_stop", "full_stop", "comma")
        assert hand.session.world.events == first + 1
        await hand.press("end", "full_stop")
        assert "this is the end" in hand.said
        await hand.press("home")
        assert hand.session.t == 0
        for _ in range(60):
            await hand.press("comma")
        assert "this is the beginning" in hand.said
        await hand.press("t", "right", "right")
        assert hand.session.t == pytest.approx(2 * hand.screen.timeline.column)


async def test_unlimited_speed_reaches_the_end(path):
    async with replay(path) as hand:
        hand.session.speed = inf
        hand.session.toggle()
        await hand.until(lambda: not hand.session.running)
        assert hand.session.t == 5.0


async def test_a_torn_recording_says_where_it_ends(tmp_path, data):
    path = tmp_path / "torn.gossip"
    path.write_bytes(data[: len(data) // 2])
    length = open_recording(path).length
    async with replay(path) as hand:
        assert f"ends early after event {length}" in " ".join(hand.shown("banner").split())
        await hand.press("end", "comma")
        assert hand.session.world.events == length - 1


async def test_a_corrupted_line_is_told_and_the_rest_can_be_seen(tmp_path):
    busy = {"period": 0.1, "fanout": 6}
    data = bytes_of(header_of("chatter", nodes=12, until=12.0, params=busy))
    lines = data.splitlines(keepends=True)
    assert b"keyframe" in data  # what is bad before it need not be read
    path = tmp_path / "corrupted.gossip"
    path.write_bytes(b"".join([*lines[:5000], b"#" * (len(lines[5000]) - 1) + b"\n", *lines[5001:]]))
    async with replay(path) as hand:
        hand.session.speed = inf
        hand.session.toggle()
        await hand.until(lambda: hand.session.trouble)
        await hand.draw()
        assert "is corrupted at byte" in " ".join(hand.shown("banner").split())
        assert not hand.session.running
        await hand.press("end")
        assert hand.session.world.ended == "time"
        hand.session.seek(0.0)
        await hand.press("end", "home", "t", *["right"] * 30)
        assert "is corrupted at byte" in hand.said


async def test_a_small_corrupted_recording_is_refused(tmp_path, data):
    lines = data.splitlines(keepends=True)
    path = tmp_path / "corrupted.gossip"
    path.write_bytes(b"".join([*lines[:50], b"{ no event\n", *lines[51:]]))
    with pytest.raises(RecordingError, match="is corrupted at byte"):
        Replay(path)


HOSTILE = (
    "\x1b[2J\x1b]52;c;aGk=\x07", "\x9b31m\x90q", "\u202egnp.exe\u2066", "[bold red]x[/]", "[/nothing]", "[@click=app.bell]y[/]",
    "\x00\x08\r\n\t", "\u2028\u200b\ufeff", "x" * 100_000, "\ue000\U000e0041",
)  # fmt: skip
_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u2028\u202a-\u202e\u2066-\u2069\ufeff]")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_strings_from_strangers_are_shown_and_not_obeyed(tmp_path, text):
    experiment = Experiment(protocol=text, topology=text, nodes=3, params={text: text})
    pieces = []
    tape = Tape(Header(gossiplab=1, version=text, experiment=experiment), pieces.append)
    value = msgspec.Raw(msgspec.json.encode({text: text}))
    tape([
        Wired(0.0, None), Commanded(0.0, "inject n0"), Injected(0.0, 0, 0), Learned(0.0, 0, 0, None), Shown(0.5, 0, text, value),
        Shaped(0.6, "n0", "n1", (text,)), Crashed(1.0, 1, text, 3, text), Ended(2.0, text),
    ])  # fmt: skip
    path = tmp_path / "hostile.gossip"
    path.write_bytes(b"".join(pieces))
    async with replay(path, size=SMALL) as hand:
        await hand.press("end", "k")
        for size in (SMALL, LARGE):
            await hand.pilot.resize_terminal(*size)
            await hand.press("d", "d")
            for _ in range(2):
                everything = "\n".join(
                    hand.shown(id) for id in ("status", "panel", "banner", "timeline", "notice")
                )
                assert not _OBEYED.search(everything.replace("\n", ""))
                await hand.press("tab")
            if text.startswith("["):
                assert text in everything


async def test_opening_what_is_no_recording(tmp_path):
    path = tmp_path / "no.gossip"
    path.write_text("hello\n")
    with pytest.raises(RecordingError, match="no recording of gossiplab"):
        Replay(path)
