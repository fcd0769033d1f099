"""Charts: what they draw is what the run did, in every size, and a click or a key goes to an instant."""

import pytest

from gossiplab.tui.ascii import to_ascii
from gossiplab.tui.canvas import BRAILLE, Canvas
from gossiplab.tui.charts import _SIGNS, Charts
from gossiplab.tui.plot import Curve, Pens, Plot, nice, quantity
from tests.helpers import bytes_of, header_of
from tests.tui.driving import LARGE, SMALL, live, replay

pytestmark = pytest.mark.anyio

ALIGNED = {
    "protocol": "epidemic",
    "params": {"direction": "push", "phase": "aligned"},
    "link": {"latency": "0.1"},
}


# plots ----------------------------------------------------------------------------------------------


def drawn(curves, *, top=1.0, width=40, height=12, span=10.0, t=0.0):
    canvas = Canvas(width, height)
    plot = Plot(canvas, 0, 0, width, height)
    plot.draw(curves, top, "", span, t, Pens(1, 2, 3))
    return plot, ["".join(row) for row in canvas.glyphs]


def heights(plot, rows):
    """For each column of cells of the plot the row, from the bottom, of its topmost dot; None: no dot."""
    found = []
    for column in range(plot.left, plot.left + plot.width):
        at = [
            plot.top + plot.height - 1 - y
            for y, row in enumerate(rows)
            if row[column] > BRAILLE[0] and row[column] <= BRAILLE[-1]
        ]
        found.append(max(at, default=None))
    return found


def test_a_curve_rises_from_the_bottom_to_the_top():
    dots = 2 * (40 - 8)
    plot, rows = drawn([Curve([x / (dots - 1) for x in range(dots)], "●", 5)])
    assert plot.dots == dots
    seen = [height for height in heights(plot, rows) if height is not None]
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, plot.height - 1)
    assert any("●" in row for row in rows)


def test_what_has_no_value_is_not_drawn():
    dots = 2 * (40 - 8)
    plot, rows = drawn([Curve([None] * 20 + [0.5] * 10 + [None] * (dots - 30), "●", 5)])
    present = [column for column, height in enumerate(heights(plot, rows)) if height is not None]
    assert set(present) <= set(range(10, 15))


def test_axes_have_numbers_and_units():
    _, rows = drawn([], top=2000.0)
    text = "\n".join(rows)
    assert " 2k│" in text
    assert " 1k│" in text
    assert " 0│" in text
    assert "0 s" in rows[-1]
    assert "5 s" in rows[-1]


def test_the_instant_in_view_is_marked():
    plot, rows = drawn([], t=5.0)
    assert rows[-1].index("▴") == plot.left + plot.width // 2
    assert all(row[plot.left + plot.width // 2] == "│" for row in rows[plot.top : plot.top + plot.height])


def test_measured_and_predicted_look_different_in_ascii_too():
    dots = 64
    _, measured = drawn([Curve([x / dots for x in range(dots)], "●", 5)])
    _, predicted = drawn([Curve([x / dots for x in range(dots)], ".", 5, dotted=True)])
    _, nothing = drawn([])

    def ink(rows):
        return {to_ascii(glyph) for row, empty in zip(rows, nothing, strict=True) for glyph, was in zip(row, empty, strict=True) if glyph != was}  # fmt: skip

    assert ink(measured) >= {"@"}
    assert ink(predicted) == {"'"}
    assert ink(measured) >= {".", ":"}
    assert len(set(map(to_ascii, _SIGNS))) == len(_SIGNS)


@pytest.mark.parametrize("width, height", [(0, 0), (3, 2), (12, 4), (15, 5), (20, 30)])
def test_a_plot_fits_wherever_it_is_put(width, height):
    _, rows = drawn([Curve([0.5] * 200, "●", 5)], width=width, height=height)
    assert [len(row) for row in rows] == [width] * height


@pytest.mark.parametrize("value, text", [(0, "0"), (0.25, "0.25"), (1, "1"), (12, "12"), (999, "999"), (1500, "1.5k"),
                                         (20_000, "20k"), (3.2e6, "3.2M"), (5e9, "5G"), (7e12, "7T")])  # fmt: skip
def test_quantities_for_people(value, text):
    assert quantity(value) == text


def test_nice_numbers():
    assert [nice(x) for x in (0.03, 1, 1.1, 3, 7, 40, 99)] == pytest.approx([0.05, 1, 2, 5, 10, 50, 100])


# the view -------------------------------------------------------------------------------------------


def chart_of(hand):
    return "\n".join(hand.text_of(hand.screen.query_one(Charts)))


async def test_the_predicted_curve_and_the_measured_one_stand_in_one_chart(tmp_path):
    async with live(tmp_path / "run.gossip", nodes=60, **ALIGNED) as hand:
        await hand.run_to(9.0)
        await hand.open("charts")
        text = chart_of(hand)
        assert "heard, % of nodes" in text
        assert "predicted: push: p → p e^-(1-p) (Pittel 1987)" in text
        assert "100 %" in text


async def test_where_theory_has_nothing_to_say_it_says_why(tmp_path):
    async with live(tmp_path / "run.gossip", topology="ring", **ALIGNED) as hand:
        await hand.run_to(2.0)
        await hand.open("charts")
        assert "no prediction: it holds where everybody can call everybody" in chart_of(hand)


async def test_a_disturbed_run_has_a_prediction_for_the_undisturbed_one(tmp_path):
    posts = [(1.0, "kill n3")]
    async with live(tmp_path / "run.gossip", posts=posts, **ALIGNED) as hand:
        await hand.run_to(2.0)
        await hand.open("charts")
        assert "predicted, if undisturbed: push" in chart_of(hand)


async def test_one_chart_where_there_is_little_room_and_four_where_there_is_more(tmp_path):
    async with live(tmp_path / "run.gossip", **ALIGNED) as hand:
        await hand.run_to(3.0)
        await hand.open("charts")
        seen = []
        for _ in range(4):
            seen.append(
                next(line for line in chart_of(hand).splitlines() if " of 4)" in line).split("  ")[0].strip()
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
        assert "(1 of 4)" in chart_of(hand)
    async with live(tmp_path / "other.gossip", size=LARGE, **ALIGNED) as hand:
        await hand.run_to(3.0)
        await hand.open("charts")
        assert all(title in chart_of(hand) for title in seen)
        await hand.press("enter")
        assert "(1 of 4)" in chart_of(hand)


async def test_without_rumors_the_chart_of_messages_is_first_until_a_person_chooses(tmp_path):
    async with live(tmp_path / "run.gossip", "merkle_repair") as hand:
        await hand.run_to(3.0)
        await hand.open("charts")
        assert "messages sent a second   (2 of 4)" in hand.shown("charts")
        await hand.press("up")
        await hand.draw()
        assert "no rumor yet" in hand.shown("charts")


async def test_without_rumors_the_first_chart_is_how_far_nodes_agree(tmp_path):
    async with live(tmp_path / "run.gossip", "swim", posts=[(1.0, "kill n3-n8")]) as hand:
        await hand.run_to(3.0)
        await hand.open("charts")
        assert "right beliefs, %   (1 of 4)" in hand.shown("charts")
        plot = hand.screen.query_one(Charts)._plots[0]
        heights = {
            next(y for y, row in enumerate(column) if row != " ")
            for column in list(zip(*hand.shown("charts").splitlines()[plot.top :], strict=False))[plot.left : plot.left + plot.width // 4]
        }  # fmt: skip
        assert len(heights) > 1  # it falls when half of them die


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
async def test_a_click_and_the_arrows_go_to_an_instant(tmp_path, size):
    path = tmp_path / "run.gossip"
    path.write_bytes(bytes_of(header_of("epidemic", nodes=12, until=10.0)))
    async with replay(path, size=size) as hand:
        await hand.open("charts")
        charts = hand.screen.query_one(Charts)
        plot = charts._plots[0]
        await hand.pilot.click(Charts, offset=(plot.left + plot.width // 2, plot.top + 1))
        await hand.until(lambda: hand.session.t > 0)
        assert hand.session.t == pytest.approx(5.0, abs=10.0 / plot.width)
        before = hand.session.t
        await hand.press("right")
        await hand.until(lambda: hand.session.t > before)
        assert hand.session.t == pytest.approx(before + 10.0 / plot.width)


async def test_live_and_replay_draw_the_same(tmp_path):
    path = tmp_path / "run.gossip"
    async with live(path, posts=[(2.0, "kill n3")], stop=6.0, **ALIGNED) as hand:
        hand.session.toggle()
        hand.session.speed = 100.0
        await hand.until(lambda: not hand.session.growing)
        hand.session.seek(3.0)
        await hand.open("charts")
        one = chart_of(hand)
    async with replay(path) as hand:
        hand.session.seek(3.0)
        await hand.open("charts")
        assert chart_of(hand) == one
