"""The stage, driven through Textual: what a person sees of a World's nodes, links and partitions."""

import pytest
from textual.geometry import Region

from gossiplab.events import (
    AnyEvent,
    Believed,
    Crashed,
    Departed,
    Dropped,
    Healed,
    Injected,
    Kept,
    Killed,
    Learned,
    Listed,
    Rejoined,
    Retired,
    Severed,
    View,
)
from gossiplab.tui.canvas import BRAILLE
from tests.tui.staging import HEARD, SIZE, Seen, legend, sent, stage_of, world_of

pytestmark = pytest.mark.anyio


# what is drawn ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "events, glyph",
    [
        ([], "○"),
        ([Learned(1.0, 3, 0, None)], "●"),
        ([Learned(1.0, 3, 0, None), Retired(2.0, 3, 0)], "◆"),
        ([Learned(8.9, 3, 0, None)], "★"),
        ([Learned(1.0, 3, 0, None), Killed(2.0, 3)], "†"),
        ([Learned(1.0, 3, 0, None), Departed(2.0, 3)], "◌"),
        ([Crashed(2.0, 3, "mine.py", 1, "ValueError")], "‼"),
        ([Learned(1.0, 3, 0, None), Killed(2.0, 3), Rejoined(3.0, 3, fresh=False)], "●"),
        ([Learned(1.0, 3, 0, None), Killed(2.0, 3), Rejoined(3.0, 3, fresh=True)], "○"),
        ([Learned(1.0, 3, 0, None), Killed(2.0, 3), Rejoined(8.5, 3, fresh=True)], "↻"),
        ([Listed(1.0, 4, "n0-n5", "alive", 0), Believed(2.0, 4, 3, "suspected", 0)], "?"),
        ([Believed(2.0, 4, 3, "suspected", 0), Killed(3.0, 3)], "†"),
    ],
)
async def test_every_state_of_a_node_has_a_shape(events: list[AnyEvent], glyph: str):
    async with stage_of(6) as seen:
        await seen.show([*HEARD, *events], 9.0)
        assert seen.node(3) == glyph
        assert seen.node(0) == "●"
        assert seen.node(4) == "○"


async def test_without_a_rumor_nobody_knows_anything():
    async with stage_of(6) as seen:
        await seen.show([Killed(1.0, 5)], 2.0)
        assert [seen.node(id) for id in range(6)] == [*"◉◉◉◉◉†"]


async def test_the_newest_rumor_is_shown_unless_another_is_chosen():
    async with stage_of(6) as seen:
        await seen.show([*HEARD, Injected(1.0, 1, 4), Learned(1.0, 4, 1, None)], 5.0)
        assert (seen.node(0), seen.node(4)) == ("○", "●")
        seen.stage.rumor = 0
        assert (seen.node(0), seen.node(4)) == ("●", "○")
        seen.stage.rumor = 7
        assert (seen.node(0), seen.node(4)) == ("○", "●")


async def test_a_partition_is_a_wall_and_broken_links_until_it_is_healed():
    async with stage_of(16, "grid") as seen:
        world = world_of(16, HEARD)
        await seen.draw(world, 1.0)
        whole = seen.rows()
        world.apply([Severed(1.0, "n0-n7", "n8-n15", both=True)])
        await seen.draw(world, 1.0)
        left, right = min(seen.cells)[0], max(seen.cells)[0]
        walled = [row for row in seen.rows() if row[left:right].count("░") > 0.8 * (right - left)]
        assert len(walled) == 1
        backgrounds = {
            segment.style.bgcolor
            for strip in seen.stage.render_lines(Region(0, 0, *SIZE))
            for segment in strip
            if segment.style
        }
        assert len(backgrounds) == 2
        world.apply([Healed(2.0)])
        await seen.draw(world, 2.0)
        assert seen.rows() == whole


async def test_a_link_is_cut_only_between_the_sides_that_were_named():
    async with stage_of(12, "ring", size=(120, 40)) as seen:
        await seen.show([*HEARD, Severed(1.0, "n0-n2", "n3-n5", both=False)], 2.0)
        assert seen.between(2, 3, 3 / 8) in "→←↑↓"
        assert all(seen.between(a, a + 1, 0.5) not in " ░" for a in (0, 1, 3, 4, 5, 6, 9))


async def test_a_one_way_cut_is_a_wall_of_arrows_that_point_the_way_that_is_open():
    async with stage_of(16, "grid") as seen:
        await seen.show([*HEARD, Severed(1.0, "n0-n7", "n8-n15", both=False)], 2.0)
        middle = (seen.cells[4][1] + seen.cells[8][1]) // 2
        wall = [row for row in seen.rows() if row.count("↑") > 40]
        assert len(wall) == 1
        assert not any("░" in row or "↓" in row for row in seen.rows())
        assert seen.rows().index(wall[0]) in (middle, middle + 1)
        assert "→ one way" in legend(seen)


async def test_links_can_be_traced():
    async with stage_of(12, "ring", size=(120, 40)) as seen:
        await seen.show(HEARD, 1.0)
        assert seen.between(3, 4, 0.5) > "\u2800"
        seen.stage.trace = ((0, 6),)
        assert seen.between(3, 4, 0.5) == " "
        assert seen.between(0, 6, 0.5) > "\u2800"
        seen.stage.trace = None
        assert seen.between(3, 4, 0.5) > "\u2800"


async def test_names_stand_where_there_is_room():
    for nodes, size, all_of_them in ((30, (80, 24), True), (100, (160, 48), True), (140, (80, 24), False)):
        async with stage_of(nodes, size=size) as seen:
            await seen.show([], 0.0)
            words = " ".join(seen.rows()).split()
            assert all(f"n{id}" in words for id in range(nodes)) == all_of_them
            assert sum(word.startswith("n") for word in words) >= 10


async def test_a_thousand_nodes_have_a_cell_each():
    for size in ((80, 24), (160, 48)):
        async with stage_of(1000, size=size) as seen:
            learned = [Learned(1.0, id, 0, None) for id in range(500)]
            await seen.show([Injected(0.0, 0, 0), *learned, sent(1.0, 0, 4, 900, 3.0)], 2.0)
            text = "".join(seen.rows())
            assert (text.count("●"), text.count("○")) == (500, 500)
            assert "n0 " in text


async def test_ten_thousand_nodes_are_drawn_as_shares_that_the_legend_explains():
    async with stage_of(10_000, size=(160, 40)) as seen:
        told = [Learned(1.0, id, 0, None) for id in range(5001)]
        down = [Killed(1.5, id) for id in range(9000, 10_000)]
        await seen.show([Injected(0.0, 0, 0), *told, *down], 5.0)
        text = "".join(seen.rows())
        assert text.count("█") == 2500
        assert text.count("▁") == 4500 - 2501
        assert text.count("†") == 500
        assert seen.stage.legend()[0].word == "of 2 nodes know"
        counts = {entry.word: entry.number for entry in seen.stage.legend()}
        assert (counts["spreads"], counts["unaware"], counts["dead"]) == (5001, 3999, 1000)


async def test_the_nodes_stand_otherwise_when_asked():
    async with stage_of(30, "ring", size=(120, 40)) as seen:
        await seen.show(HEARD, 1.0)
        seen.stage.selected = 29
        pictures = []
        for _ in range(3):
            pictures.append(seen.rows())
            seen.stage.rearrange()
            await seen.pilot.pause()
        assert seen.rows() == pictures[0]
        assert len({tuple(picture) for picture in pictures}) == 3


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (5, 3), (12, 4), (40, 12)])
async def test_any_size_will_do(size: tuple[int, int]):
    async with stage_of(0, size=size) as seen:
        for nodes in (0, 1, 2, 3, 40, 500):
            seen.nodes = nodes
            seen.stage.open(nodes, None, 1)
            events: list[AnyEvent] = [*HEARD] if nodes else []
            if nodes > 2:
                events += [
                    sent(0.0, 0, 0, 1, 1.0, carries=(0,)), sent(0.0, 1, 1, 2, 1.0), Dropped(0.0, 1, "cut"),
                    Severed(0.0, "n0", f"n1-n{nodes - 1}", both=True),
                ]  # fmt: skip
            await seen.show(events, 0.6)
            seen.stage.select_next(1)
            seen.stage.select_towards(1, 0)
            await seen.pilot.pause()
            assert [len(row) for row in seen.rows()] == [size[0]] * size[1]


async def test_a_window_that_changes_its_size_is_drawn_anew():
    async with stage_of(12) as seen:
        await seen.show(HEARD, 1.0)
        await seen.pilot.resize_terminal(120, 40)
        await seen.pilot.pause()
        seen.size = 120, 40
        assert "".join(seen.rows()).count("○") == 11


async def test_a_world_of_another_lab_is_not_drawn():
    async with stage_of(12) as seen:
        await seen.draw(world_of(5, HEARD), 1.0)
        assert not any(row.strip() for row in seen.rows())


# how it looks -------------------------------------------------------------------------------------


async def test_the_legend_tells_what_is_in_sight():
    async with stage_of(6) as seen:
        world = world_of(6, HEARD)
        await seen.draw(world, 1.0)
        assert legend(seen) == ["○ unaware", "● spreads"]
        world.apply([Killed(2.0, 3), Severed(2.0, "n1", "n2", both=True), sent(2.0, 0, 0, 4, 3.0)])
        await seen.draw(world, 2.0)
        assert legend(seen) == ["○ unaware", "● spreads", "† dead", "░ cut", "▲△ push"]


def colours(seen: Seen) -> set[tuple[int, ...]]:
    return {
        tuple(colour.get_truecolor())
        for strip in seen.stage.render_lines(Region(0, 0, *seen.size))
        for segment in strip
        if segment.style
        for colour in (segment.style.color, segment.style.bgcolor)
        if colour
    }


async def test_without_colour_only_greys_are_left(monkeypatch: pytest.MonkeyPatch):
    events = [*HEARD, Killed(1.0, 3), Severed(1.0, "n1", "n2", both=True), sent(1.0, 0, 0, 4, 3.0, (0,))]
    async with stage_of(6) as seen:
        await seen.show(events, 2.0)
        assert any(len(set(colour)) > 1 for colour in colours(seen))
        rows = seen.rows()
    monkeypatch.setenv("NO_COLOR", "1")
    async with stage_of(6) as seen:
        await seen.show(events, 2.0)
        assert all(len(set(colour)) == 1 for colour in colours(seen))
        assert seen.rows() == rows


async def test_a_change_of_theme_is_seen_at_once():
    async with stage_of(6) as seen:
        await seen.show(HEARD, 1.0)
        dark = colours(seen)
        seen.app.theme = "textual-light"
        await seen.pilot.pause()
        await seen.pilot.pause()
        assert min(dark) not in colours(seen)


async def test_plain_is_ascii_alone():
    async with stage_of(12, plain=True) as seen:
        events = [
            *HEARD, Learned(1.0, 2, 0, None), Retired(1.1, 2, 0), Killed(1.0, 3), Learned(1.9, 1, 0, None),
            Departed(1.9, 4), Crashed(1.9, 5, "a.py", 1, "E"), Severed(1.0, "n6", "n7", both=True),
            sent(1.0, 0, 0, 8, 3.0, (0,)), sent(1.0, 1, 8, 9, 3.0), sent(0.0, 2, 0, 9, 3.0), Dropped(0.0, 2, "loss"),
        ]  # fmt: skip
        await seen.show(events, 2.0)
        assert "".join(seen.rows()).isascii()
        shapes = [seen.node(id) for id in range(7)]
        assert shapes == [*"@&%+_!o"]


# the overlay --------------------------------------------------------------------------------------


def kept(node: int, view: View, *peers: int) -> Kept:
    return Kept(1.0, node, view, peers)


async def test_an_overlay_is_drawn_in_place_of_the_links_and_changes_while_nodes_stay():
    async with stage_of(12) as seen:
        await seen.show(HEARD, 1.0)
        everybody = "".join(seen.rows())
        one = [*HEARD, kept(2, "active", 8), kept(8, "active", 2), kept(3, "passive", 9)]
        await seen.show(one, 1.0)
        assert seen.between(2, 8, 0.5) in BRAILLE[1:]
        assert seen.between(3, 9, 0.4) == seen.between(1, 7, 0.4) == " "
        assert seen.node(2) == "○"
        links = sum(glyph in BRAILLE[1:] for glyph in "".join(seen.rows()))
        assert 0 < links < sum(glyph in BRAILLE[1:] for glyph in everybody) / 5
        await seen.show([*one, kept(2, "active"), kept(8, "active"), kept(3, "active", 9)], 1.0)
        assert seen.between(2, 8, 0.4) == " "
        assert seen.between(3, 9, 0.4) in BRAILLE[1:]
        assert seen.node(2) == "○"


async def test_a_lazy_link_is_fainter_than_an_eager_one_in_shape_too():
    def drawn(seen: Seen, a: int, b: int) -> int:
        return sum(seen.between(a, b, way / 20) in BRAILLE[1:] for way in range(2, 19))

    async with stage_of(12) as seen:
        await seen.show([*HEARD, kept(3, "active", 9), kept(3, "eager", 9)], 1.0)
        eager = drawn(seen, 3, 9)
        await seen.show([*HEARD, kept(3, "active", 9), kept(3, "lazy", 9)], 1.0)
        assert 0 < drawn(seen, 3, 9) < eager / 2
        await seen.show([*HEARD, kept(3, "active", 9), kept(3, "lazy", 9), kept(9, "eager", 3)], 1.0)
        assert drawn(seen, 3, 9) == eager


async def test_an_overlay_of_too_many_links_shows_those_in_use():
    async with stage_of(60) as seen:
        thick = [kept(node, "active", *(peer for peer in range(60) if peer != node)) for node in range(60)]
        await seen.show([*HEARD, *thick, sent(1.0, 0, 15, 45, 2.0)], 1.5)
        assert seen.between(15, 45, 0.3) in BRAILLE[1:]
        assert seen.between(0, 30, 0.3) == " "
        assert any(entry.word.startswith("too many neighbours") for entry in seen.stage.legend())


async def test_the_selected_node_s_links_stand_out_and_its_reserve_is_dotted():
    def drawn(seen: Seen, a: int, b: int) -> int:
        return sum(seen.between(a, b, way / 20) in BRAILLE[1:] for way in range(2, 19))

    async with stage_of(12) as seen:
        views = [*HEARD, kept(3, "passive", 9), kept(3, "active", 4)]
        await seen.show(views, 1.0)
        assert drawn(seen, 3, 9) == 0
        whole = drawn(seen, 3, 4)
        seen.stage.selected = 3
        await seen.show(views, 1.0)
        assert 0 < drawn(seen, 3, 9) < 12
        assert drawn(seen, 3, 4) == whole > 0
    async with stage_of(60) as seen:
        thick = [kept(node, "active", *(peer for peer in range(60) if peer != node)) for node in range(60)]
        seen.stage.selected = 0
        await seen.show([*HEARD, *thick], 1.5)
        assert seen.between(0, 30, 0.3) in BRAILLE[1:]


# who told whom --------------------------------------------------------------------------------------


@pytest.mark.parametrize("teller, told, arrow", [(0, 6, "↓"), (6, 0, "↑"), (9, 3, "→"), (3, 9, "←")])
async def test_an_arrow_leads_from_who_told_to_who_was_told(teller, told, arrow):
    async with stage_of(12) as seen:
        await seen.show(HEARD, 1.0)
        seen.stage.trace = ((teller, told),)
        await seen.show(HEARD, 1.0)
        assert seen.between(teller, told, 0.75) == arrow
        assert seen.between(teller, told, 0.5) in BRAILLE[1:]
        assert ("⠒→", "told") in [(entry.glyph, entry.word) for entry in seen.stage.legend()]
        seen.stage.trace = None
        await seen.show(HEARD, 1.0)
        assert "told" not in [entry.word for entry in seen.stage.legend()]


async def test_the_legend_tells_eager_links_from_lazy_ones_and_the_panel_what_is_in_sight():
    async with stage_of(12) as seen:
        await seen.show([*HEARD, kept(3, "active", 9), kept(3, "eager", 9), kept(2, "lazy", 7)], 1.0)
        words = [entry.word for entry in seen.stage.legend()]
        assert "eager" in words
        assert "lazy" in words
        meanings = [sign.meaning for sign in seen.stage.signs()]
        assert "eager link: gets the rumor at once" in meanings
        assert "dead" not in meanings
        await seen.show([*HEARD, Killed(1.0, 5)], 1.0)
        assert "dead" in [sign.meaning for sign in seen.stage.signs()]


async def test_without_rumors_messages_have_but_one_shape():
    async with stage_of(12) as seen:
        await seen.show([sent(1.0, 0, 0, 6, 3.0)], 2.0)
        glyphs = [entry.glyph for entry in seen.stage.legend() if entry.kind]
        assert [len(glyph) for glyph in glyphs] == [1]
