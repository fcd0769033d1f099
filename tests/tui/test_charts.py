"""Charts: what they draw is what the run did, in every size, and a click or a key goes to an instant."""

import asyncio

import pytest
from textual.events import Click

from gossiplab.tui.ascii import to_ascii
from gossiplab.tui.chart import Chart
from gossiplab.tui.charts import Charts
from gossiplab.tui.drawings import SIGNS
from gossiplab.tui.numbers import nice, quantity
from tests.helpers import bytes_of, header_of
from tests.tui.driving import LARGE, SMALL, live, replay

pytestmark = pytest.mark.anyio

ALIGNED = {
    "protocol": "epidemic",
    "params": {"direction": "push", "phase": "aligned"},
    "link": {"latency": "0.1"},
}


# numbers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value, text", [(0, "0"), (0.25, "0.25"), (1, "1"), (12, "12"), (999, "999"), (1500, "1.5k"),
                                         (20_000, "20k"), (3.2e6, "3.2M"), (5e9, "5G"), (7e12, "7T")])  # fmt: skip
def test_quantities_for_people(value, text):
    assert quantity(value) == text


def test_nice_numbers():
    assert [nice(x) for x in (0.03, 1, 1.1, 3, 7, 40, 99)] == pytest.approx([0.05, 1, 2, 5, 10, 50, 100])


# the view -------------------------------------------------------------------------------------------


async def chart_of(hand):
    """What stands in the view, once every chart has had its frame."""
    for _ in range(5):
        await hand.draw()
    return "\n".join(hand.seen(hand.screen.query_one(Charts)))


BRAILLE = range(0x2801, 0x2900)


def inked(rows):
    """The columns in which there is a curve, and in each the row, from the top, of its topmost dot."""
    found = {}
    for y, row in enumerate(rows):
        for x, glyph in enumerate(row):
            if ord(glyph) in BRAILLE:
                found.setdefault(x, y)
    return {x: found[x] for x in sorted(found)}


async def test_a_curve_rises_from_the_bottom_to_the_top_between_axes(tmp_path):
    path = tmp_path / "run.gossip"
    path.write_bytes(bytes_of(header_of("epidemic", nodes=12, topology="ring", until="converged")))
    async with replay(path) as hand:
        await hand.open("charts")
        text = await chart_of(hand)
        assert all(label in text for label in ("100 %", "50 %", " 0 %", "0 s", "no prediction"))
        first, *_, last = [y for y, line in enumerate(text.splitlines()) if "0 % " in line]
        heights = list(inked(text.splitlines()).values())
        assert heights == sorted(heights, reverse=True)
        assert heights[-1] - first <= 1
        assert last - heights[0] <= 2


async def test_the_predicted_curve_and_the_measured_one_stand_in_one_chart_and_look_different(tmp_path):
    async with live(tmp_path / "run.gossip", nodes=60, **ALIGNED) as hand:
        await hand.run_to(6.0)
        await hand.open("charts")
        text = await chart_of(hand)
        assert "heard, % of nodes" in text
        assert "predicted: push: p → p e^-(1-p) (Pittel 1987)" in text
        rows = text.splitlines()
        now = next(row.index("│") for row in rows if "│" in row)
        dots = lambda part: {(ord(each) - 0x2800).bit_count() for row in rows[3:] for each in part(row) if ord(each) in BRAILLE}  # noqa: E731  # fmt: skip
        assert dots(lambda row: row[now + 1 :]) == {1}
        assert max(dots(lambda row: row[:now])) > 1
    assert len(set(map(to_ascii, SIGNS))) == len(SIGNS)


async def test_where_theory_has_nothing_to_say_it_says_why(tmp_path):
    async with live(tmp_path / "run.gossip", topology="ring", **ALIGNED) as hand:
        await hand.run_to(2.0)
        await hand.open("charts")
        assert "no prediction: it holds where everybody can call everybody" in await chart_of(hand)


async def test_a_disturbed_run_has_a_prediction_for_the_undisturbed_one(tmp_path):
    posts = [(1.0, "kill n3")]
    async with live(tmp_path / "run.gossip", posts=posts, **ALIGNED) as hand:
        await hand.run_to(2.0)
        await hand.open("charts")
        assert "predicted, if undisturbed: push" in await chart_of(hand)


async def test_one_chart_where_there_is_little_room_and_four_where_there_is_more(tmp_path):
    async with live(tmp_path / "run.gossip", **ALIGNED) as hand:
        await hand.run_to(3.0)
        await hand.open("charts")
        seen = []
        for _ in range(4):
            seen.append(
                next(line for line in (await chart_of(hand)).splitlines() if " of 4)" in line)
                .split("  ")[0]
                .strip()
            )
            await hand.press("down")
        assert seen == [
            "heard, % of nodes",
            "messages sent a second",
            "bytes sent a second",
            "redundant, % of deliveries with a rumor",
        ]
        await hand.press("enter")
        await hand.press("enter")
        assert "(1 of 4)" in await chart_of(hand)
    async with live(tmp_path / "other.gossip", size=LARGE, **ALIGNED) as hand:
        await hand.run_to(3.0)
        await hand.open("charts")
        text = await chart_of(hand)
        assert all(title in text for title in seen)
        await hand.press("enter")
        assert "(1 of 4)" in await chart_of(hand)


async def test_without_rumors_the_chart_of_messages_is_first_until_a_person_chooses(tmp_path):
    async with live(tmp_path / "run.gossip", "merkle_repair") as hand:
        await hand.run_to(3.0)
        await hand.open("charts")
        assert "messages sent a second   (2 of 4)" in await chart_of(hand)
        await hand.press("up")
        await hand.draw()
        assert "no rumor yet" in await chart_of(hand)


async def test_without_rumors_the_first_chart_is_how_far_nodes_agree(tmp_path):
    async with live(tmp_path / "run.gossip", "swim", posts=[(1.0, "kill n3-n8")]) as hand:
        await hand.run_to(3.0)
        await hand.open("charts")
        text = await chart_of(hand)
        assert "right beliefs, %   (1 of 4)" in text
        assert len(set(inked(text.splitlines()).values())) > 1  # it falls when half of them die


async def test_a_click_before_a_chart_has_a_size_is_nothing(tmp_path):
    async with live(tmp_path / "run.gossip", "epidemic", size=LARGE) as hand:
        charts = hand.screen.query_one(Charts)
        hand.app.simulate_key("3")
        for _ in range(40):  # from before there are charts until they have been drawn
            x, y, width, height = charts.region
            at = (x + width // 4, y + height // 4)
            charts.on_click(Click(charts, *at, 0, 0, 1, False, False, False, screen_x=at[0], screen_y=at[1]))
            await asyncio.sleep(0)
        await hand.until(lambda: hand.screen.view is charts)
        assert hand.app.code is None
        assert await chart_of(hand)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
async def test_a_click_and_the_arrows_go_to_an_instant(tmp_path, size):
    path = tmp_path / "run.gossip"
    path.write_bytes(bytes_of(header_of("epidemic", nodes=12, until=10.0)))
    async with replay(path, size=size) as hand:
        await hand.open("charts")
        await chart_of(hand)
        chart = hand.screen.query(Chart).first()
        x, y, width, height = chart.plot.query_one("#plot").region
        await hand.pilot.click(offset=(x + width // 2, y + height // 2))
        await hand.until(lambda: hand.session.t > 0)
        assert hand.session.t == pytest.approx(5.0, abs=20.0 / width)
        before = hand.session.t
        await hand.press("right")
        await hand.until(lambda: hand.session.t > before)
        assert hand.session.t == pytest.approx(before + 10.0 / chart.columns)
        now = hand.session.t
        await hand.pilot.click(offset=(x + 2, y - 2))  # the heading is no instant
        await hand.settle()
        assert hand.session.t == now


async def test_live_and_replay_draw_the_same(tmp_path):
    path = tmp_path / "run.gossip"
    async with live(path, posts=[(2.0, "kill n3")], stop=6.0, **ALIGNED) as hand:
        hand.session.toggle()
        hand.session.speed = 100.0
        await hand.until(lambda: not hand.session.growing)
        hand.session.seek(3.0)
        await hand.open("charts")
        one = await chart_of(hand)
    async with replay(path) as hand:
        hand.session.seek(3.0)
        await hand.open("charts")
        assert await chart_of(hand) == one
