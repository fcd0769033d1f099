"""What-if: acting on the past begins another future, which can be left, seen again and compared."""

import re

import pytest

from gossiplab.commands import parse_command
from gossiplab.events import Sent
from gossiplab.recording.reader import open_recording
from gossiplab.recording.verify import verify
from gossiplab.tui.live import LiveLab
from gossiplab.tui.session import Replay
from tests.helpers import bytes_of, header_of, specimen
from tests.tui.driving import live, replay

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


async def _forked(hand, count=2):
    """Wait until there are so many futures and the last of them has arrived at its parting."""
    tracks = hand.screen.tracks
    await hand.until(lambda: len(tracks.all) == count)
    await hand.until(lambda: tracks.session.lab.clock.now >= tracks.session.header.parent.t)
    await hand.until(lambda: "executing" not in tracks.session.headline.text)


async def test_acting_on_the_past_of_a_live_lab_begins_another_future(tmp_path):
    path = tmp_path / "run.gossip"
    async with live(path, posts=[(1.0, "kill n2"), (3.0, "kill n4")]) as hand:
        await hand.run_to(4.0)
        hand.session.seek(2.0)
        await hand.select(5)
        await hand.press("k")
        await _forked(hand)
        fork = hand.screen.session
        assert isinstance(fork, LiveLab)
        statuses = [node.status for node in fork.latest.nodes]
        assert (statuses[2], statuses[4], statuses[5]) == ("dead", "alive", "dead")
        assert "another future" in hand.said
        await hand.draw()
        assert hand.shown("timeline").splitlines()[0].startswith("B")
        assert hand.shown("timeline").splitlines()[2].startswith("A")
        forked = fork.path
    parent = open_recording(path)
    assert parent.at_event(parent.length).ended == "stopped"
    assert open_recording(forked).header.parent.name == "run.gossip"
    assert verify(open_recording(forked), specimen("chatter")) is None
    assert verify(parent, specimen("chatter")) is None


@pytest.mark.parametrize("key", ["colon", "f"])
async def test_a_look_back_stands_still_while_somebody_says_what_to_do(tmp_path, key):
    """What is promised for an instant, and of nodes that are drawn, is what is done."""
    path = tmp_path / "run.gossip"
    path.write_bytes(bytes_of(header_of("rumor", nodes=12, until=3.0, at=["1 kill n3"])))
    async with replay(path) as hand:
        hand.session.seek(0.5)
        await hand.press("space")
        assert hand.session.running
        await hand.press(key)
        assert not hand.session.running
        at = hand.session.t
        await hand.type("kill random 25%")
        (promised,) = parse_command("kill random 25%", hand.session.roster()).nodes[:1]
        await hand.press("enter")
        await _forked(hand)
        fork = hand.screen.session
        assert fork.header.parent.t == at
        assert fork.at(at).nodes[promised].status == "dead"


async def test_a_replay_can_be_forked_too_even_at_its_end(tmp_path):
    path = tmp_path / "run.gossip"
    path.write_bytes(bytes_of(header_of("rumor", nodes=12, until=3.0)))
    async with replay(path) as hand:
        hand.session.seek(3.0)
        await hand.press("tab", "k")
        await _forked(hand)
        assert hand.screen.session.latest.nodes[0].status == "dead"
        hand.screen.session.speed = 100.0
        await hand.until(lambda: hand.screen.session.end > 4.0)


async def test_the_other_future_is_a_key_away(tmp_path):
    async with live(tmp_path / "run.gossip", posts=[(1.0, "kill n2")]) as hand:
        await hand.run_to(2.0)
        await hand.press("o")
        assert "one future only" in hand.said
        await hand.press("c")
        assert "one future only" in hand.said
        hand.session.seek(0.5)
        await hand.select(7)
        await hand.press("k")
        await _forked(hand)
        await hand.press("o")
        await hand.until(lambda: hand.screen.tracks.current == 0)
        old = hand.screen.session
        assert isinstance(old, Replay)
        assert old.speed == 1.0  # and not that at which the lab was ended
        assert old.latest.nodes[2].status == "dead"
        await hand.press("o")
        await hand.until(lambda: hand.screen.tracks.current == 1)
        assert hand.screen.session.latest.nodes[7].status == "dead"


def _comparison(hand):
    """The rows of the comparison, as far as they are in sight."""
    widgets = hand.app.screen.query_one("#comparison").children
    return [widget.render_line(y).text for widget in widgets for y in range(widget.size.height)]


@pytest.mark.parametrize("protocol, fields, row, values", [
    ("believer", {"posts": [(1.0, "kill n2")]}, "n2 lost at 1 s: suspected", ["never", "never"]),
    ("believer", {}, "false deaths", None),
    ("merkle_repair", {"workload": {"keys": 20}}, "keys that differ", None),
    ("hyparview", {}, "parts of the overlay", None),
    ("push_sum", {}, "estimates", None),
])  # fmt: skip
async def test_futures_are_compared_by_what_their_protocol_is_about(tmp_path, protocol, fields, row, values):
    async with live(tmp_path / "run.gossip", protocol, size=(110, 60), **fields) as hand:
        await hand.run_to(2.0)
        hand.session.seek(1.5)
        await hand.select(5)
        await hand.press("k")
        await _forked(hand)
        await hand.press("space", "c")
        (line,) = [each for each in _comparison(hand) if row in each]
        assert len(line.split()) > len(row.split()) + 1
        if values is not None:
            assert all(value in line for value in values)


async def test_two_futures_side_by_side(tmp_path):
    async with live(tmp_path / "run.gossip", "rumor", size=(100, 40)) as hand:
        await hand.run_to(4.0)
        hand.session.seek(1.5)
        await hand.select(7)
        events = hand.session.world.events
        await hand.press("k")
        await _forked(hand)
        await hand.press("space", "c")
        text = "\n".join(_comparison(hand))
        assert f"The first {events:,} events are the same" in text
        assert "A: at 2.000 s n0 sends Push to n10, with rumor 0 (message 2, 20 B)" in text
        assert re.search(r"B: at 1\.500 s command: kill n7", text)
        assert "11 of 12" in text
        older, newer = hand.screen.tracks.all
        # of the one that has come further also what was so when the other ends
        end = f"{newer.session.end:.3f}"
        assert older.session.end > newer.session.end
        assert re.search(rf" A +A at {end} s +B", text)
        assert re.search(rf"virtual seconds +{older.session.end:.3f} +{end} +{end}", text)
        sent = sum(
            event.t <= newer.session.end for event in older.session.events(0) if isinstance(event, Sent)
        )
        assert re.search(
            rf"messages sent +{older.session.latest.sent} +{sent} +{newer.session.latest.sent}", text
        )
        assert newer.session.end > newer.session.latest.t
        await hand.press("escape")
        assert hand.app.screen is hand.screen


async def test_what_would_change_nothing_begins_no_future(tmp_path):
    async with live(tmp_path / "run.gossip", posts=[(1.0, "kill n2")]) as hand:
        await hand.run_to(2.0)
        hand.session.seek(1.5)
        await hand.select(2)
        await hand.press("k")
        await hand.until(lambda: hand.said)
        assert "n2 is dead already" in hand.said
        assert len(hand.screen.tracks.all) == 1


async def test_executing_again_can_be_paused(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        session = hand.session
        session.execute_to(1000.0)
        await hand.until(lambda: session.running)
        await hand.press("space")
        assert "paused, space goes on executing again: " in session.headline.text
        await hand.draw()
        assert session.headline.text in hand.shown("status")
        await hand.press("space")
        assert "executing again" in session.headline.text
        assert "paused" not in session.headline.text
