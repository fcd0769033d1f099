"""The space-time diagram: what a student sees of a run, and what the keys and the mouse choose there."""

import math
import re

import pytest
from msgspec import Raw

from gossiplab.events import (
    Commanded,
    Crashed,
    Delivered,
    Departed,
    Dropped,
    Duplicated,
    Ended,
    Injected,
    Killed,
    Learned,
    Paused,
    Rejoined,
    Resumed,
    Retired,
    Sent,
    Shown,
    Skewed,
    Wired,
)  # fmt: skip
from gossiplab.recording.tape import Tape
from gossiplab.tui.ascii import to_ascii
from gossiplab.tui.canvas import BRAILLE
from gossiplab.tui.diagram import mark_of
from gossiplab.tui.marks import DOTTED, SHAPES, SOLID, Mark
from gossiplab.tui.reel import MOST_STEPS, Reel
from gossiplab.tui.session import Replay
from gossiplab.tui.spacetime import SpaceTime
from gossiplab.tui.views import VIEWS
from gossiplab.world.causality import Relation
from tests.helpers import bytes_of, header_of
from tests.tui.driving import LARGE, SMALL, live, replay
from tests.tui.test_screen import Picture, _svg

pytestmark = pytest.mark.anyio

HERE = str(VIEWS.index(SpaceTime) + 1)  # the diagram's key
RUMOR = {
    "protocol": "epidemic", "topology": "watts-strogatz(k=4,p=0.2)", "seed": 3, "link": {"latency": "0.3..0.6"},
}  # fmt: skip
FRAME = {
    Mark.VOID,
    Mark.NAME,
    Mark.CHOSEN_NAME,
    Mark.AXIS,
    Mark.DEED,
    Mark.WORDS,
}  # what is no sign of a node
FLAT_AND_STEEP = (0x12, 0x24, 0x47, 0xB8)  # the dots of cells on the way of a line
POSTS = [(1.2, "kill n5"), (2.0, "partition n0-n3"), (4.0, "heal"), (4.5, "rejoin n5")]


@pytest.fixture(autouse=True)
def _read_all_at_once(monkeypatch):
    """How much is read in a frame depends on the machine; here it is all there is."""
    monkeypatch.setattr("gossiplab.tui.reel._BUDGET", 60.0)


@pytest.fixture
def picture(snapshot):
    return snapshot.use_extension(Picture)


def diagram(hand) -> SpaceTime:
    return hand.screen.query_one(SpaceTime)


async def press(hand, *keys):
    """Press keys, each once the screen shows what the one before did."""
    for key in keys:
        await hand.press(key)
        await hand.draw()
    await hand.draw()


def rows(hand):
    return hand.shown("space-time").splitlines()


def written(path, events, nodes=3):
    """A recording of these events."""
    pieces = []
    tape = Tape(header_of("chatter", nodes=nodes, until=5.0), pieces.append)
    tape([Wired(0.0, None), *events])
    path.write_bytes(b"".join(pieces))
    return path


def sent(t, id, src, dst, due, carries=()):
    return Sent(t, id, src, dst, due, "Push", 2, carries, Raw(b"{}"))


# n0 tells n1, n1 tells n2; n2 had sent something to n0 before it heard
STORY = [
    Injected(0.0, 0, 0), Learned(0.0, 0, 0, None), sent(0.2, 0, 0, 1, 0.6, (0,)), sent(0.4, 1, 2, 0, 1.6),
    Delivered(0.6, 0), Learned(0.6, 1, 0, 0), sent(1.0, 2, 1, 2, 1.4, (0,)), Delivered(1.4, 2),
    Learned(1.4, 2, 0, 2), Delivered(1.6, 1), Retired(1.8, 2, 0), Ended(2.0, "time"),
]  # fmt: skip


# pictures -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
async def test_picture_of_a_chosen_event_in_a_replay(tmp_path, picture, size):
    path = tmp_path / "run.gossip"
    fields = {name: value for name, value in RUMOR.items() if name != "protocol"}
    path.write_bytes(bytes_of(header_of("epidemic", nodes=12, until=6.0, **fields), POSTS))
    async with replay(path, size=size) as hand:
        hand.session.seek(3.0)
        await press(hand, HERE, "tab", "tab", "tab", "right", "left", "left")
        chosen = diagram(hand).chosen.t
        await press(hand, "enter")
        await hand.until(lambda: hand.session.t == chosen)
        await hand.draw()
        assert _svg(hand.app) == picture


async def test_picture_of_a_large_lab(tmp_path, picture):
    large = {**RUMOR, "nodes": 1000, "topology": "complete"}
    async with live(tmp_path / "run.gossip", size=LARGE, **large) as hand:
        await press(hand, HERE)
        await hand.run_to(3.0)
        assert "38 of 1000 nodes" in rows(hand)[-2]
        first = [line.split()[0] for line in rows(hand)[:4]]
        rumor = hand.session.latest.rumors[0]
        assert first == [f"n{node}" for node in list(rumor.arrivals)[:4]]  # who learned first, above
        await hand.select(next(iter(rumor.arrivals)))
        await press(hand, "slash", "d")  # without the panel, which reads a little each frame
        await hand.draw()
        assert _svg(hand.app) == picture


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
async def test_picture_of_who_told_whom(tmp_path, picture, size):
    async with live(tmp_path / "run.gossip", size=size, **RUMOR) as hand:
        await hand.run_to(4.0)
        await hand.select(list(hand.session.latest.rumors[0].arrivals)[-1])
        await press(hand, "w")
        assert _svg(hand.app) == picture
        await press(hand, "w")
        assert not hand.screen.tracing


# what is seen ---------------------------------------------------------------------------------------


async def test_a_story_reads_from_left_to_right(tmp_path):
    async with replay(written(tmp_path / "run.gossip", STORY)) as hand:
        await press(hand, HERE, "end")
        lines = rows(hand)
        n0, n1, n2 = lines[1], lines[4], lines[7]
        assert (n0[1:3], n1[1:3], n2[1:3]) == ("n0", "n1", "n2")
        assert n0.index("★") < n0.index("┯") < n1.index("★") < n1.index("┯") < n2.index("★") < n2.index("◆")
        assert "┷" in n2
        assert "▴" in n0
        assert "━" in n1[n1.index("★") :]
        assert "━" not in n1[: n1.index("★")]
        assert "╌" in n2[n2.index("◆") :]
        assert "0.0" in lines[-3] or "|" in lines[-3]


async def test_down_time_losses_and_crashes_have_shapes_of_their_own(tmp_path):
    events = [
        Commanded(0.1, "kill n0"), Killed(0.1, 0), sent(0.2, 0, 1, 0, 0.5), Dropped(0.5, 0, "down"), Rejoined(0.8, 0, True),
        sent(0.9, 1, 1, 2, 1.3), Dropped(0.9, 1, "loss"), Departed(1.0, 1), Crashed(1.2, 2, "x.py", 1, "boom"),
        Ended(2.0, "time"),
    ]  # fmt: skip
    async with replay(written(tmp_path / "run.gossip", events)) as hand:
        await press(hand, HERE, "end")
        lines = rows(hand)
        assert re.search(r"─†▒+×▒+├─", lines[1])
        assert "◌▒" in lines[4]
        assert "‼▒" in lines[7]
        assert any("×" in line for line in lines[5:7])  # lost half way
        assert "k" in lines[-3]


async def test_a_frozen_node_has_a_bar_of_its_own_until_it_goes_on_or_dies(tmp_path):
    events = [
        Paused(0.2, 0), Paused(0.2, 1), Skewed(0.4, 2, 1.05, -0.5), Resumed(1.0, 0), Killed(1.2, 1), Resumed(1.4, 1),
        Ended(2.0, "time"),
    ]  # fmt: skip
    async with replay(written(tmp_path / "run.gossip", events)) as hand:
        await press(hand, HERE, "end")
        lines = rows(hand)
        assert re.search(r"─‖{16}─+", lines[1])
        assert re.search(r"─‖{20}†▒+", lines[4])
        assert "▒ down" in lines[-1]
        assert "‖ paused" in lines[-1]
        said = []
        for _ in range(3):
            await press(hand, "right")
            said.append(rows(hand)[-2])
            await press(hand, "down")
        assert "0.200 s: n0 is paused" in said[0] or "1.000 s: n0 goes on" in said[0]
        assert any("the clock of n2 is -0.5 s off" in line for line in said)
        hand.session.seek(0.5)
        await press(hand, "escape")
        reel = Reel(hand.session)
        assert reel._open(0.5).lives(0) == [(-math.inf, "paused")]


async def test_the_legend_has_the_marks_that_are_in_sight(tmp_path):
    async with replay(written(tmp_path / "run.gossip", STORY)) as hand:
        await press(hand, HERE, "end")
        legend = rows(hand)[-1]
        assert "★ learns" in legend
        assert "◆ retires" in legend
        assert "dies" not in legend
        assert "concurrent" not in legend
        await press(hand, "right")
        assert "· concurrent" in rows(hand)[-1]


async def test_the_words_below_are_whole_where_there_is_little_room(tmp_path):
    async with live(tmp_path / "run.gossip", "epidemic", nodes=40) as hand:
        await hand.run_to(3.0)
        await press(hand, HERE, "less_than_sign")
        assert rows(hand)[-2].strip().endswith((" · z Z zoom", " · < > scroll", " · s sort", " · / filter"))
        await press(hand, "right")
        assert re.search(r"\d s: n\d+ (sends|hears) .*\w; .* concurrent$", rows(hand)[-2])
        assert "…" not in rows(hand)[-2]


async def test_choosing_an_event_tells_past_future_and_concurrent_apart(tmp_path):
    async with replay(written(tmp_path / "run.gossip", STORY)) as hand:
        await press(hand, HERE, "end")
        view = diagram(hand)
        await press(hand, "tab", "tab", "right")
        assert view.chosen is not None
        assert view.chosen.node == 1
        while not isinstance(view.chosen.event, Learned):
            await press(hand, "left")
        assert "0.600 s: n1 hears rumor 0 from message 0; 4 before, 4 after, 2 concurrent" in rows(hand)[-2]
        n2 = rows(hand)[7]
        assert "┷" not in n2  # what n2 sent before it heard is concurrent, and so is its time until then
        assert "─" not in n2[: n2.index("★")]
        assert "━" in n2[n2.index("★") :]
        assert re.search(r"\[★\]", rows(hand)[4])
        await press(hand, "escape")
        assert view.chosen is None
        assert "┷" in rows(hand)[7]


async def test_keys_go_along_rows_and_along_messages(tmp_path):
    async with replay(written(tmp_path / "run.gossip", STORY)) as hand:
        await press(hand, HERE, "end", "tab", "right")
        view = diagram(hand)
        assert view.chosen.node == hand.screen.stage.selected == 0
        for _ in range(9):
            await press(hand, "left")
        assert isinstance(view.chosen.event, Injected)
        await press(hand, "right", "right")
        assert isinstance(view.chosen.event, Sent)
        await press(hand, "down")  # along the message
        assert isinstance(view.chosen.event, Delivered)
        assert view.chosen.node == hand.screen.stage.selected == 1
        await press(hand, "up")
        assert isinstance(view.chosen.event, Sent)
        await press(hand, "right")  # the delivery of what n2 sent
        assert view.chosen.message.id == 1
        await press(hand, "down")
        assert (view.chosen.node, view.chosen.t) == (2, 0.4)
        await press(hand, "enter")
        await hand.until(lambda: hand.session.t == 0.4)


async def test_a_click_chooses_an_event_or_selects_a_node(tmp_path):
    async with replay(written(tmp_path / "run.gossip", STORY)) as hand:
        await press(hand, HERE, "end")
        view = diagram(hand)
        await hand.pilot.click(view, offset=(rows(hand)[7].index("★"), 7))
        await hand.draw()
        assert isinstance(view.chosen.event, Learned)
        assert view.chosen.node == hand.screen.stage.selected == 2
        await hand.pilot.click(view, offset=(2, 4))
        await hand.draw()
        assert hand.screen.stage.selected == 1
        assert view.chosen.node == 2


async def test_it_follows_time_until_somebody_scrolls(tmp_path):
    async with live(tmp_path / "run.gossip", **RUMOR) as hand:
        await press(hand, HERE)
        view = diagram(hand)
        await hand.run_to(8.0)
        assert "▴" in rows(hand)[-3]
        await press(hand, "less_than_sign", "less_than_sign")
        here = rows(hand)[-3]
        await hand.run_to(9.0)
        assert rows(hand)[-3] == here
        assert "Esc follows" in rows(hand)[-2]
        await press(hand, "escape")
        assert view.follows
        assert "▴" in rows(hand)[-3]


async def test_zoom_keeps_the_instant_in_its_place(tmp_path):
    async with replay(written(tmp_path / "run.gossip", STORY)) as hand:
        await press(hand, HERE)
        hand.session.seek(1.0)
        await hand.draw()
        before = rows(hand)[-3].index("▴")
        view = diagram(hand)
        view.follows = False
        await press(hand, "z", "z")
        assert abs(rows(hand)[-3].index("▴") - before) <= 1 or rows(hand)[-3].index("▴") > before
        wide = rows(hand)[-3]
        await press(hand, "Z", "Z", "Z")
        assert rows(hand)[-3] != wide


async def test_rows_are_ordered_and_filtered(tmp_path):
    async with live(tmp_path / "run.gossip", **{**RUMOR, "nodes": 60}) as hand:
        await press(hand, HERE)
        await hand.run_to(4.0)

        def names():
            return [found[1] for line in rows(hand) if (found := re.match(r" +(n\d+)", line))]

        arrivals = list(hand.session.latest.rumors[0].arrivals)
        others = [node for node in range(60) if node not in arrivals]
        fit = len(names())
        assert names() == [f"n{node}" for node in [*arrivals, *others][:fit]]
        await press(hand, "s")
        fit = len(names())
        assert names() == [f"n{node}" for node in range(fit)]
        await press(hand, "pagedown")
        assert names() == [f"n{node}" for node in range(fit - 1, 2 * fit - 1)]
        await hand.select(40)
        await press(hand, "slash")
        await hand.draw()
        partners = {
            m.dst if m.src == 40 else m.src for s in diagram(hand).history.rows[40] if (m := s.message)
        }
        assert set(names()) == {"n40", *(f"n{node}" for node in partners)}


@pytest.mark.parametrize("nodes", [0, 1, 2])
async def test_tiny_labs(tmp_path, nodes):
    async with live(tmp_path / "run.gossip", nodes=nodes) as hand:
        await press(hand, HERE)
        await hand.run_to(2.0)
        for key in (
            "right",
            "left",
            "up",
            "down",
            "enter",
            "s",
            "slash",
            "z",
            "Z",
            "pagedown",
            "escape",
            "slash",
            "w",
            HERE,
        ):
            await press(hand, key)
        assert len([line for line in rows(hand) if re.match(r" n\d", line)]) == nodes


async def test_an_empty_run(tmp_path):
    async with replay(written(tmp_path / "run.gossip", [])) as hand:
        await press(hand, HERE, "right", "down", "enter", "escape", "w", HERE)
        assert rows(hand)[1].startswith(" n0")


async def test_strings_from_strangers_are_shown_and_not_obeyed(tmp_path):
    evil = "\x1b]52;c;AAAA\x07\x1b[2J[bold]\u202e" + "x" * 100_000
    quoted = '"\\u001b[2J' + "y" * 5000 + '"'
    events = [
        Shown(0.1, 0, evil, Raw(quoted.encode())), Sent(0.2, 0, 0, 1, 0.5, evil, 2, (), Raw(b"{}")),
        Crashed(0.4, 0, evil, 1, evil), Dropped(0.5, 0, "down"), Commanded(0.6, "kill n1"), Ended(1.0, "time"),
    ]  # fmt: skip
    async with replay(written(tmp_path / "run.gossip", events)) as hand:
        await press(hand, HERE, "end", "tab", "right")
        seen = set()
        for _ in range(4):
            line = rows(hand)[-2]
            assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", "\n".join(rows(hand)).replace("\n", ""))
            assert "before" in line
            seen.add(line.split(": ")[1][:12])
            await press(hand, "left")
        assert len(seen) == 3


async def test_what_cannot_have_happened_is_said(tmp_path):
    path = written(tmp_path / "run.gossip", STORY)
    lines = path.read_bytes().splitlines(keepends=True)
    index = next(i for i, line in enumerate(lines) if b'"delivered"' in line)
    lines[index] = lines[index].replace(b'"id":0', b'"id":9')
    lines[-1:] = [
        b'{"e":"sent","t":2.0,"id":50,"src":0,"dst":1,"due":2.5,"kind":"Push","size":2,"carries":[],"body":{}}\n'
    ]
    path.write_bytes(b"".join(lines))
    reel = Reel(_Unchecked(path))
    assert reel.cover(0.0, 5.0)
    assert "cannot have happened" in reel.trouble


class _Unchecked:
    """A session over a recording whose World nobody has folded."""

    def __init__(self, path):
        from gossiplab.recording.reader import open_recording
        from gossiplab.world.world import World

        self._recording = open_recording(path)
        self.header = self._recording.header
        self.latest = self.world = World(events=self._recording.length)

    def events(self, start=0, stop=None):
        return self._recording.read(start, stop)

    def at(self, t):
        return self._recording.at(t)


# reading --------------------------------------------------------------------------------------------


async def test_reading_jumps_and_keeps_no_more_than_it_may(tmp_path, monkeypatch):
    monkeypatch.setattr("gossiplab.tui.reel.MOST_STEPS", 400)
    monkeypatch.setattr("gossiplab.tui.reel._LEAP", 300)
    monkeypatch.setattr("gossiplab.tui.reel._PIECE", 16)
    monkeypatch.setattr("gossiplab.tui.reel._SLACK", 50)
    path = tmp_path / "run.gossip"
    path.write_bytes(
        bytes_of(header_of("chatter", nodes=12, until=40.0), [(1.0, "kill n2"), (20.0, "rejoin n2")])
    )
    session = Replay(path)
    everything = list(session.events())
    reel = Reel(session)

    def read(start, stop):
        while not reel.cover(start, stop):
            pass
        assert len(reel.history.steps) <= 500
        got = [step.event for step in reel.history.steps if start < step.t <= stop]
        assert not reel.trouble
        return got

    def expected(start, stop):
        lab = (Wired, Commanded, Dropped, Duplicated, Ended)
        return [event for event in everything if start < event.t <= stop and not isinstance(event, lab)]

    for start, stop in ((0, 2), (2, 4), (30, 32), (29, 31), (5, 6), (0, 1), (38, 45)):
        assert read(float(start), float(stop)) == expected(start, stop)
        assert reel.history.lives(2)[-1][1] == ("dead" if 1 <= reel.history.t < 20 else "alive")
    crowded = read(0.0, 40.0)  # more than it may keep: the latest
    assert crowded == expected(0.0, 40.0)[-len(crowded) :]
    assert 300 < len(crowded) <= 500
    read(0.0, 40.0)
    assert read(0.0, 2.0) == expected(0.0, 2.0)  # zooming in shows what was left out
    assert MOST_STEPS > 400
    await session.close()


async def test_a_live_lab_gives_its_last_events_from_memory_and_older_ones_from_the_file(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("gossiplab.tui.live._RECENT", 50)
    async with live(tmp_path / "run.gossip") as hand:
        await hand.run_to(5.0)
        session = hand.session
        total = session.latest.events
        everything = list(session.events())
        assert len(everything) == total > 200
        for start in (0, total - 60, total - 50, total - 49, total - 1, total, total + 5):
            assert list(session.events(start)) == everything[start:]
            assert list(session.events(start, total - 2)) == everything[start : total - 2]
        assert session.at(2.0).t <= 2.0
        assert session.at(2.0).events == sum(event.t <= 2.0 for event in everything)


def test_every_mark_has_a_shape_of_its_own():
    glyphs = [glyph for shape in SHAPES.values() for glyph in shape.glyph]
    assert len(glyphs) == len(set(glyphs)) == len(set(map(to_ascii, glyphs)))
    assert set(SHAPES) >= set(Mark) - FRAME
    # the lines of messages with the rumor and without it are told apart by their dots
    shapes = [{to_ascii(BRAILLE[way[bits]]) for bits in FLAT_AND_STEEP} for way in (SOLID, DOTTED)]
    assert shapes[0].isdisjoint(shapes[1])


async def test_ascii_is_ascii(tmp_path):
    async with replay(written(tmp_path / "run.gossip", STORY)) as hand:
        hand.app._plain.enabled = True
        hand.app.refresh_css()
        view = diagram(hand)
        view.notify_style_update()
        await press(hand, HERE, "end", "tab", "right")
        assert all(line.isascii() for line in rows(hand))
        assert view.choice.cone.relation(view.chosen) is Relation.SELF
        assert mark_of(view.chosen, 0) in (Mark.RECEIVED, Mark.RETIRED)
