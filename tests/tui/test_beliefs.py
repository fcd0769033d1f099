"""The belief matrix: every verdict is what belief and truth say, in single cells and in blocks, live and replayed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossiplab.tui.ascii import to_ascii
from gossiplab.tui.beliefs import SIGNS, BeliefMatrix, Verdict, judge
from gossiplab.world.membership import Beliefs
from gossiplab.world.parts import Node
from gossiplab.world.world import World
from tests.helpers import bytes_of, header_of
from tests.tui.driving import LARGE, SMALL, live, replay

UP, GONE = ("alive",), ("dead", "crashed", "left")
WRONG = {"s": Verdict.DOUBTED, "d": Verdict.BURIED, "l": Verdict.GONE}


def _brute(letter, status):
    """What a belief is worth, one at a time and in words."""
    if letter == "?":
        return Verdict.NOTHING
    if status in UP:
        return WRONG.get(letter, Verdict.ALIVE)
    if letter == "a":
        return Verdict.STALE
    if letter == "s":
        return Verdict.SUSPECTED
    return Verdict.LEFT if letter == "l" and status == "left" else Verdict.DEAD


@given(st.data())
def test_every_verdict_is_what_belief_and_truth_say(data):
    n = data.draw(st.integers(1, 9))
    statuses = data.draw(st.lists(st.sampled_from(UP + GONE), min_size=n, max_size=n))
    letters = data.draw(
        st.lists(st.just("") | st.text("asdl?", min_size=n, max_size=n), min_size=n, max_size=n)
    )
    world = World(nodes=[Node(status=status) for status in statuses])
    world.membership.beliefs = [Beliefs(row, 0, {}) for row in letters]
    for who, row in enumerate(judge(world)):
        for about, verdict in enumerate(row):
            if statuses[who] in GONE or not letters[who]:
                assert verdict == Verdict.NOTHING
            elif who == about:
                assert verdict == Verdict.SELF
            else:
                assert verdict == _brute(letters[who][about], statuses[about])


def test_every_sign_is_one_of_its_kind_in_ascii_too():
    glyphs = [sign.glyph for sign in SIGNS.values()]
    assert len(set(glyphs)) == len(set(map(to_ascii, glyphs))) == len(glyphs)


def _matrix(hand):
    return [line.rstrip() for line in hand.shown("beliefs").splitlines()]


@pytest.mark.anyio
async def test_wrong_beliefs_stand_out_until_all_are_right(tmp_path):
    async with live(tmp_path / "run.gossip", "believer", nodes=8) as hand:
        await hand.press("2")
        await hand.run_to(2.0)
        lines = _matrix(hand)
        assert lines[0].split() == [str(node) for node in range(8)]
        assert lines[1].split() == ["●"] * 8
        assert lines[2].startswith("n0● \\")
        assert "though up" in lines[-1]
        await hand.run_to(5.0)
        assert _matrix(hand)[-1] == "· right: alive 56"


@pytest.mark.anyio
async def test_what_has_no_room_is_said_and_names_do_not_run_together(tmp_path):
    async with live(tmp_path / "run.gossip", "believer", nodes=24, size=LARGE) as hand:
        await hand.press("2")
        await hand.run_to(2.0)
        lines = _matrix(hand)
        assert lines[0].split() == list(map(str, range(24)))
        assert "rows" not in lines[-2]
    async with live(tmp_path / "again.gossip", "believer", nodes=24, size=SMALL) as hand:
        await hand.press("2")
        await hand.run_to(2.0)
        assert "rows 0-13 of 24" in _matrix(hand)[-2]


@pytest.mark.anyio
@pytest.mark.parametrize("nodes", [12, 34])
async def test_no_line_of_the_matrix_is_cut_off(tmp_path, nodes):
    posts = [(1.0, "kill n2"), (1.6, "leave n11")]
    path, size = tmp_path / "run.gossip", (80, nodes + 12)
    async with live(path, "believer", nodes=nodes, posts=posts, size=size) as hand:
        await hand.press("2")
        await hand.run_to(2.0)
        names = _matrix(hand)[0].split()
        assert names == [str(n) for n in range(nodes) if nodes == 12 or n < 10 or n % 2 == 0]
        said = _matrix(hand)[-1].split("  ")
        assert len(said) > 2
        assert all(re.fullmatch(r"(.) \D+ \d+", each) for each in said)
        assert {each[2:].rstrip("0123456789 ") for each in said} <= {each.meaning for each in SIGNS.values()}


@pytest.mark.anyio
async def test_the_edges_say_what_is_so_and_the_line_below_what_is_believed(tmp_path):
    async with live(tmp_path / "run.gossip", "believer", nodes=8, posts=[(4.0, "kill n2")]) as hand:
        await hand.press("2")
        await hand.run_to(6.0)
        lines = _matrix(hand)
        assert lines[1].split() == ["●", "●", "†", *"●●●●●"]
        assert lines[4] == "n2†"
        assert lines[-1] == "○ alive, though down 7  · right: alive 42"
        await hand.press("down", "right", "right")
        assert _matrix(hand)[-2] == "n1 believes n2 alive, incarnation 3; n2 is dead"
        assert hand.screen.stage.selected == 2


@pytest.mark.anyio
async def test_a_large_lab_is_shown_in_blocks_by_the_worst_belief(tmp_path):
    path = tmp_path / "run.gossip"
    header = header_of("believer", nodes=200, until=1.0, params={"settle": 0.6})
    path.write_bytes(bytes_of(header, [(0.8, "kill n150")]))
    async with replay(path, size=LARGE) as hand:
        await hand.press("2")
        hand.session.seek(0.59)
        await hand.draw()
        lines = _matrix(hand)
        assert "a cell: 6 x 2 beliefs, the worst of them" in lines[-2]
        rows = list(filter(None, lines[1:-2]))
        assert len(rows) == -(-200 // 6)
        assert [row.strip().split("●")[0] for row in (*rows[:2], rows[-1])] == [
            "n0-n5",
            "n6-n11",
            "n198-n199",
        ]
        assert any("╳" in row for row in rows)
        await hand.press("z")
        assert "a cell" not in "".join(_matrix(hand))
        await hand.press("z")
        hand.session.seek(1.0)
        await hand.draw()
        dead = _matrix(hand)[1 + 150 // 6]
        assert dead.strip().startswith("n150-n155†")
        assert [row for row in _matrix(hand)[1:-2] if "†" in row] == [dead]


@pytest.mark.anyio
@pytest.mark.parametrize("nodes", [0, 1, 2])
async def test_the_smallest_labs(tmp_path, nodes):
    async with live(tmp_path / "run.gossip", "believer", nodes=nodes, size=SMALL) as hand:
        await hand.press("2", "down", "z", "left")
        await hand.run_to(1.0)
        assert isinstance(hand.screen.view, BeliefMatrix)


@pytest.mark.anyio
async def test_a_protocol_without_beliefs(tmp_path):
    async with live(tmp_path / "run.gossip", "rumor") as hand:
        await hand.press("2", "down", "right")
        assert "no node here has said what it believes" in hand.shown("beliefs")
