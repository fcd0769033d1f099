"""The repair view: what each side has found, where it stands, live, in replays, in any shape of tree."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossiplab.recording.reader import open_recording
from gossiplab.tui.ascii import to_ascii
from gossiplab.tui.descent import Found, follow, lay_out
from gossiplab.tui.repairs import RepairView
from gossiplab.world.replicas import Repair, Step
from tests.helpers import bytes_of, header_of
from tests.tui.driving import LARGE, SMALL, live, replay
from tests.tui.test_screen import Picture, _svg

LAB = {
    "protocol": "merkle_repair",
    "nodes": 3,
    "seed": 4,
    "workload": {"keys": 120},
    "link": {"latency": "0.1..0.2"},
}
FEW = {**LAB, "params": {"fanout": 4, "depth": 2, "batch": 20, "period": 4.0}}
DEEP = {**LAB, "params": {"batch": 20, "period": 4.0}}
POSTS = [(1.0, "corrupt n0 3"), (10.0, "wipe n1")]


@pytest.fixture
def picture(snapshot):
    return snapshot.use_extension(Picture)


# the descent ----------------------------------------------------------------------------------------


@st.composite
def repairs(draw):
    """A repair that has got as far as some level, with a at turn and b at turn; shape and what differs by chance."""
    fanout, depth = draw(st.sampled_from([(2, 0), (2, 3), (4, 2), (16, 2), (3, 5), (16, 4)]))
    leaves = draw(st.sets(st.integers(0, fanout**depth - 1), max_size=60))
    reached = draw(st.integers(-1, depth))
    steps = []
    for level in range(reached + 1):
        nodes = sorted({leaf // fanout ** (depth - level) for leaf in leaves})
        steps.append(Step(float(level), level % 2, level, tuple(nodes), 0, 100))
        if not nodes:
            break
    ended = draw(st.booleans()) and reached == depth
    repair = Repair(0, 1, 0, 0.0, 10, 1000, fanout, depth, steps=steps)
    if ended:
        repair.ended, repair.differing = 9.0, len(leaves)
    return repair, leaves


@given(repairs(), st.integers(16, 60))
def test_signs_stand_in_order_within_the_width_and_show_all_that_differs(drawn, width):
    repair, _ = drawn
    descent = follow(repair)
    rows = lay_out(repair, descent.levels, width)
    assert len(rows) == repair.depth + 1
    whole = repair.fanout**repair.depth <= width
    for level, row in enumerate(rows):
        xs = [cell.x for cell in row]
        assert xs == sorted(set(xs))
        assert all(0 <= x < width for x in xs)
        nodes = [node for cell in row for node in cell.nodes]
        assert nodes == sorted(set(nodes))
        assert set(descent.levels.get(level, ())) <= set(nodes)
        if whole:
            assert nodes == list(range(repair.fanout**level))


@given(repairs(), st.data())
def test_a_side_shows_what_it_has_been_told_and_no_more(drawn, data):
    """By brute force: it knows the levels up to the last that it compared, and that equal nodes have equal children."""
    repair, leaves = drawn
    descent = follow(repair)
    side = data.draw(st.integers(0, 1))
    level = data.draw(st.integers(0, repair.depth))
    node = data.draw(st.integers(0, repair.fanout**level - 1))
    known = max((step.level for step in repair.steps if step.node == side), default=-1)

    def differs(at, index):
        return any(leaf // repair.fanout ** (repair.depth - at) == index for leaf in leaves)

    above = [(at, node // repair.fanout ** (level - at)) for at in range(min(level, known) + 1)]
    if any(not differs(*each) for each in above):
        expected = Found.EQUAL
    elif level > known:
        expected = Found.UNKNOWN
    else:
        expected = Found.MENDED if repair.ended is not None else Found.DIFFERS
    assert descent.judge(repair, side, level, (node,)) == expected


# on the screen --------------------------------------------------------------------------------------


def words(hand):
    return hand.shown("repair")


@pytest.mark.anyio
async def test_the_descent_goes_on_step_by_step_and_the_same_in_a_replay(tmp_path):
    path = tmp_path / "run.gossip"
    fields = {name: value for name, value in FEW.items() if name != "protocol"}
    path.write_bytes(bytes_of(header_of("merkle_repair", until=16.0, **fields), POSTS))
    recording = open_recording(path)
    world = recording.at(recording.end)
    (shown,) = [repair for repair in world.replicas.repairs if repair.differing == 120]
    instants = [*[step.t for step in shown.steps[:5]], shown.ended]
    recording.close()
    seen = []
    async with live(tmp_path / "live.gossip", posts=POSTS, **FEW) as hand:
        await hand.open("repair")
        for t in instants:
            await hand.run_to(t)
            seen.append(words(hand))
    assert len(set(seen)) == len(seen)  # every step is seen
    assert [text.count("◆") for text in seen[:3]] == [1, 1 + 1 + 4, 1 + 4 + 1 + 4 + 16]
    assert "120 values streamed; 120 differed" in seen[-1]
    async with replay(path) as hand:
        await hand.open("repair")
        for t, text in [*zip(instants, seen, strict=True)][::-1]:
            hand.session.seek(t)
            await hand.draw()
            assert words(hand) == text


@pytest.mark.anyio
async def test_messages_are_seen_on_their_way(tmp_path):
    async with live(tmp_path / "run.gossip", posts=POSTS, **FEW) as hand:
        await hand.open("repair")
        await hand.run_to(10.0)
        while not (newest := hand.session.world.replicas.repairs[-1]).found or newest.ended is not None:
            await hand.run_to(hand.session.t + 0.05)
            assert hand.session.t < 30
        flight = max(hand.session.world.flights.values(), key=lambda each: each.t)
        columns = []
        for part in (0.1, 0.5, 0.9):
            t = flight.t + part * (flight.due - flight.t)
            if t > hand.session.t:
                await hand.run_to(t)
            else:
                hand.session.seek(t)
                await hand.draw()
            lines = [line for line in words(hand).splitlines()[2:14] if "●" in line[31:48]]
            columns.append(lines[0].index("●", 31))
        assert columns == sorted(set(columns)) or columns == sorted(set(columns), reverse=True)


@pytest.mark.anyio
async def test_which_repair_is_shown(tmp_path):
    async with live(tmp_path / "run.gossip", posts=POSTS, **FEW) as hand:
        await hand.open("repair")
        assert "nothing has been repaired here yet" in words(hand)
        await hand.run_to(0.9)
        await hand.run_to(20.0)
        found = [repair for repair in hand.session.world.replicas.repairs if repair.found]
        first, last = found[0], found[-1]
        assert words(hand).startswith(f"repair {last.id}, begun at")
        for _ in found:
            await hand.press("up")
        assert words(hand).startswith(f"repair {first.id}, begun at")
        await hand.press("down")
        assert words(hand).startswith(f"repair {found[1].id}, begun at")
        await hand.press("enter")
        await hand.until_drawn(lambda: hand.session.t == found[1].t)
        assert words(hand).startswith(f"repair {found[1].id}, begun at")
        await hand.press("escape", "end")
        await hand.draw()
        assert words(hand).startswith(f"repair {last.id}, begun at")


@pytest.mark.anyio
async def test_what_explains_it(tmp_path):
    async with live(tmp_path / "run.gossip", posts=POSTS, **FEW) as hand:
        await hand.open("repair")
        assert isinstance(hand.screen.view, RepairView)
        assert hand.screen.explanation()._title == "repair"
        signs = hand.screen.view.signs()
        assert len({to_ascii(sign.glyph) for sign in signs}) == len(signs) == 4


@pytest.mark.anyio
@pytest.mark.parametrize("size", [(40, 12), SMALL, LARGE])
@pytest.mark.parametrize(
    "shape", [{"fanout": 2, "depth": 16}, {"fanout": 256, "depth": 1}, {"fanout": 2, "depth": 0}]
)
async def test_trees_of_every_shape_have_room(tmp_path, shape, size):
    fields = {**LAB, "params": {"period": 2.0, **shape}}
    async with live(tmp_path / "run.gossip", posts=POSTS, size=size, **fields) as hand:
        await hand.open("repair")
        for t in (1.5, 3.0, 8.0, 11.0, 16.0):
            await hand.run_to(t)
        assert "a full copy" in words(hand) or size[1] == 12


@pytest.mark.anyio
@pytest.mark.parametrize("protocol", ["rumor", "chatter"])
async def test_a_protocol_without_data(tmp_path, protocol):
    async with live(tmp_path / "run.gossip", protocol) as hand:
        await hand.open("repair")
        await hand.press("up", "down", "escape")
        assert "nothing has been repaired here yet" in words(hand)


@pytest.mark.anyio
async def test_repairs_without_trees(tmp_path):
    fields = {"nodes": 3, "workload": {"keys": 50}, "params": {"compare": "digest"}}
    async with live(tmp_path / "run.gossip", "anti_entropy", posts=[(1.0, "wipe n1")], **fields) as hand:
        await hand.open("repair")
        await hand.run_to(9.0)
        assert "no trees" in words(hand)
        assert "50 keys" in words(hand)


@pytest.mark.anyio
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("fields, t", [(FEW, 13.0), (DEEP, 6.0)], ids=["whole", "opened"])
async def test_picture_of_a_repair(tmp_path, picture, fields, t, size):
    async with live(tmp_path / "run.gossip", posts=POSTS, size=size, **fields) as hand:
        await hand.run_to(t)
        await hand.open("repair")
        assert _svg(hand.app) == picture


@pytest.mark.anyio
async def test_picture_in_ascii(tmp_path, picture):
    async with live(tmp_path / "run.gossip", posts=POSTS, plain=True, **FEW) as hand:
        await hand.run_to(13.0)
        await hand.open("repair")
        assert _svg(hand.app) == picture


@pytest.mark.anyio
async def test_where_no_repair_has_found_anything_the_newest_stays():
    recordings = Path(__file__).parents[2] / "recordings"
    async with replay(recordings / "siblings-resolved.gossip.zst") as hand:
        hand.session.seek(hand.session.end)
        await hand.open("repair")
        await hand.press("down", "up", "down")
        assert hand.app.code is None
