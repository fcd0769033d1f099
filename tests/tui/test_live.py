"""A live lab on the screen: what keys do to it, how time is travelled, and what stands in the file afterwards."""

import resource
from math import inf

import pytest

from gossiplab.commands import parse_command
from gossiplab.errors import UserError
from gossiplab.events import Commanded
from gossiplab.recording.reader import open_recording
from gossiplab.recording.verify import verify
from gossiplab.tui.session import SPEEDS
from tests.helpers import bytes_of, header_of, specimen
from tests.tui.driving import live

pytestmark = pytest.mark.anyio


def _commands(path):
    return [event.command for event in open_recording(path).read() if isinstance(event, Commanded)]


async def test_a_whole_afternoon(tmp_path):
    path = tmp_path / "run.gossip"
    async with live(path) as hand:
        before = hand.session.latest.events
        await hand.press("full_stop")
        await hand.until(lambda: hand.session.latest.events > before)
        await hand.run_to(2.0)
        await hand.press("tab", "tab", "k")
        await hand.happened("kill")
        await hand.press("tab", "m", "tab", "m", "p")
        await hand.happened("partition")
        assert not hand.screen.stage.marked
        assert "partitioned" in hand.shown("status")
        await hand.run_to(3.0)
        await hand.press("h")
        await hand.happened("heal")
        await hand.select(1)
        await hand.press("r")
        await hand.happened("rejoin")
        await hand.press("l")
        await hand.happened("leave")
        await hand.select(5)
        await hand.press("i")
        await hand.happened("inject", 2)
        await hand.run_to(4.0)
        await hand.press("home")
        assert hand.session.t == 0
        assert "looking back at 0.000 s, live is at 4.000 s" in hand.shown("status")
        await hand.press("end")
        assert hand.session.world is hand.session.latest
        await hand.press("q")
    recording = open_recording(path)
    assert not recording.torn
    assert recording.end == 4.0
    assert _commands(path) == [
        "inject n0", "kill n1", "partition n2-n3", "heal", "rejoin n1", "leave n1", "inject n5",
    ]  # fmt: skip
    assert verify(recording, specimen("chatter")) is None


async def test_same_bytes_as_without_a_screen(tmp_path):
    posts = [
        (1.0, "kill n2-n3"),
        (1.0, "inject n1"),
        (2.5, "partition n0-n4"),
        (4.0, "heal"),
        (4.0, "rejoin n2 fresh"),
    ]
    async with live(tmp_path / "ui.gossip", posts=posts, speed=inf, paused=False, until=6.0) as hand:
        await hand.until(lambda: hand.session.lab.ended)
    expected = bytes_of(header_of("chatter", nodes=12, until=6.0), posts)
    assert (tmp_path / "ui.gossip").read_bytes() == expected


@pytest.mark.parametrize("protocol", ["chatter", "sequences", "rumor", "epidemic"])
@pytest.mark.parametrize("speed", [20.0, inf])
async def test_what_was_done_at_any_instant_executes_again(tmp_path, protocol, speed):
    path = tmp_path / "run.gossip"
    async with live(path, protocol, speed=speed, paused=False) as hand:
        await hand.select(3)
        for key, verb in (("k", "kill"), ("r", "rejoin"), ("p", "partition"), ("h", "heal")):
            await hand.press(key)
            await hand.happened(verb)
        await hand.press("space", "minus", "minus", "full_stop", "comma", "end", "space")
        await hand.press("l")
        await hand.happened("leave")
    assert verify(open_recording(path), specimen(protocol)) is None


async def test_looking_back_holds_the_view_and_not_the_lab(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await hand.run_to(2.0)
        await hand.press("comma")
        seen, t = hand.session.world.events, hand.session.t
        assert seen == hand.session.latest.events - 1
        hand.session.speed = inf
        hand.session.lab.clock.paused = False
        hand.session.speed = inf
        await hand.until(lambda: hand.session.latest.events > seen + 100)
        assert (hand.session.world.events, hand.session.t) == (seen, t)
        await hand.press("end")
        assert hand.session.world.events > seen + 100


async def test_stepping_goes_one_event_at_a_time_and_back_into_the_present(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await hand.run_to(1.0)
        total = hand.session.latest.events
        await hand.press("comma", "comma", "comma")
        assert hand.session.world.events == total - 3
        await hand.press("full_stop", "full_stop")
        assert hand.session.world.events == total - 1
        await hand.press("full_stop")
        assert hand.session.world is hand.session.latest
        await hand.press("full_stop")
        await hand.until(lambda: hand.session.latest.events > total)
        assert hand.session.lab.clock.paused
        for _ in range(3):
            await hand.press("home", "comma")
        assert hand.session.world.events >= 0


async def test_playing_from_the_past_arrives_in_the_present(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await hand.run_to(2.0)
        hand.session.speed = 0.05
        await hand.press("home", "space")
        assert hand.session.running
        hand.session.advance(10.0)
        assert 0.5 <= hand.session.t < 2.0
        hand.session.advance(100.0)
        await hand.until(lambda: hand.session.world is hand.session.latest)
        assert hand.session.lab.clock.paused


async def test_left_and_right_scrub_when_the_timeline_has_the_focus(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await hand.run_to(5.0)
        await hand.press("t", "left", "left")
        assert "←→ through time" in hand.shown("keys")
        column = hand.screen.timeline.column
        assert hand.session.t == pytest.approx(5.0 - 2 * column)
        await hand.press("right", "right")
        assert hand.session.world is hand.session.latest
        await hand.press("t", "right")
        assert "←→↑↓ tab select" in hand.shown("keys")
        assert hand.screen.stage.selected is not None


async def test_a_click_on_the_timeline_goes_there(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await hand.run_to(5.0)
        await hand.pilot.click("#timeline", offset=(20, 0))
        await hand.until(lambda: hand.session.t < 5.0)
        assert hand.session.t == pytest.approx(19.5 * hand.screen.timeline.column)
        await hand.pilot.click("#timeline", offset=(70, 0))
        await hand.until(lambda: hand.session.world is hand.session.latest)


async def test_the_end_of_a_run_can_be_looked_at_and_played_again(tmp_path):
    async with live(tmp_path / "run.gossip", until=1.0, speed=inf, paused=False) as hand:
        await hand.until(lambda: hand.session.lab.ended)
        await hand.draw()
        assert hand.shown("status").startswith("■ ended at 1.000 s: the time is up")
        await hand.press("k")
        assert "no node to kill" in hand.said
        await hand.press("full_stop")
        assert "nothing happens after this" in hand.said
        hand.session.speed = 0.05
        await hand.press("space")
        assert hand.session.t < 1.0
        assert hand.session.running
        await hand.press("end")
        assert hand.session.t == 1.0


REFUSED = [
    ("kill n3", "n3 is dead already"),
    ("kill n1,n3", "n1,n3 are down already"),
    ("leave n3", "n3 is dead already"),
    ("rejoin n0", "n0 is up: only nodes that are down can rejoin"),
    ("resume n0", "n0 is up: only paused nodes can be resumed"),
    ("pause n3", "n3 is dead: only a node that is up can be paused"),
    ("drop m999", "there is no message m999 yet"),
    ("release", "no messages are held"),
    ("calm", "it is calm"),
    ("partition bridge", "the topology complete has no bridge to cut"),
    ("kill random 13", "asks for more nodes than this lab has"),
    ("inject n3", "n3 is dead: press r"),
    ("heal", "nothing is cut"),
    ("partition all", "all nodes are on one side"),
]


async def test_what_can_have_no_effect_says_so(tmp_path):
    async with live(tmp_path / "run.gossip", posts=[(0.0, "kill n3"), (0.0, "leave n1")]) as hand:
        await hand.happened("leave")
        for command, sentence in REFUSED:
            with pytest.raises(UserError, match=sentence):
                hand.session.act(parse_command(command, hand.session.roster()))


async def test_a_protocol_without_rumors_says_so(tmp_path):
    async with live(tmp_path / "run.gossip", "sequences") as hand:
        await hand.press("tab", "i")
        assert "spreads no rumors" in hand.said


async def test_acting_on_nothing_says_what_to_do(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        for key, what in (("k", "kill"), ("p", "split off"), ("m", "mark"), ("i", "hear the rumor")):
            await hand.press(key)
            assert what in hand.said


async def test_speeds(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        seen = [hand.session.speed]
        for _ in range(9):
            await hand.press("plus")
            seen.append(hand.session.speed)
        assert seen == [*SPEEDS[4:], inf, inf]
        assert "as fast as it goes" in hand.shown("status")
        for _ in range(20):
            await hand.press("minus")
        assert "1/20x" in hand.shown("status")


async def test_nothing_happens_while_paused(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await hand.run_to(1.0)
        events = hand.session.latest.events
        for _ in range(20):
            await hand.press("tab")
        assert (hand.session.latest.events, hand.session.t) == (events, 1.0)


@pytest.mark.parametrize("nodes", [0, 1, 2])
async def test_tiny_labs(tmp_path, nodes):
    path = tmp_path / "run.gossip"
    async with live(path, nodes=nodes, speed=inf, paused=False) as hand:
        await hand.press("tab", "k", "m", "p", "r", "i", "h", "comma", "full_stop", "end", "t", "left", "d")
    assert verify(open_recording(path), specimen("chatter")) is None


async def test_a_crash_is_told_with_file_and_line(tmp_path):
    fields = {"params": {"where": "round", "first": 9}, "nodes": 12, "speed": inf, "paused": False}
    async with live(tmp_path / "run.gossip", "faulty", size=(160, 48), until=3.0, **fields) as hand:
        await hand.until(lambda: hand.session.lab.ended)
        await hand.draw()
        said = " ".join(hand.shown("banner").split())
        assert "n11 was stopped by its own protocol at 2.000 s, in faulty.py, line" in said
        assert "RuntimeError: in round (2 crashed before it)" in said
        await hand.press("escape")
        assert not hand.screen.query_one("#banner").display


async def test_a_full_disk_pauses_the_lab_and_loses_nothing(tmp_path):
    path = tmp_path / "run.gossip"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        async with live(path, speed=inf, until=1e5) as hand:
            resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 5000, limits[1]))
            await hand.press("space")
            await hand.until(lambda: hand.session.trouble)
            await hand.draw()
            assert hand.session.lab.clock.paused
            assert "nothing is lost, space tries again" in " ".join(hand.shown("banner").split())
            await hand.press("space")
            assert hand.session.trouble
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            await hand.press("space")
            assert not hand.session.trouble
            assert not hand.session.lab.clock.paused
            await hand.until(lambda: hand.session.latest.events > 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert verify(open_recording(path), specimen("chatter")) is None


async def test_a_compressed_recording_is_complete_after_quitting(tmp_path):
    path = tmp_path / "run.gossip.zst"
    async with live(path) as hand:
        await hand.run_to(2.0)
        await hand.press("home", "end", "q")
    assert open_recording(path).at(2.0).ended == "stopped"


async def test_everything_shown_is_in_the_file_already(tmp_path):
    path = tmp_path / "run.gossip"
    async with live(path) as hand:
        for t in (0.5, 1.0, 1.5):
            await hand.run_to(t)
            assert open_recording(path).length == hand.session.world.events


async def test_unlimited_speed_pauses_where_the_rumor_has_got_as_far_as_it_gets(tmp_path):
    async with live(tmp_path / "run.gossip", "epidemic", speed=inf, paused=False) as hand:
        await hand.until(lambda: hand.session.lab.clock.paused)
        assert hand.session.latest.word() == "converged"
        assert hand.session.end < 100
        await hand.press("space")
        await hand.until(lambda: hand.session.end > 100)
