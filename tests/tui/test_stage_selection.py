"""Selecting on the stage: what a click, an arrow or tab selects, and how that is shown."""

import pytest

from gossiplab.tui.stage import Stage
from tests.tui.staging import HEARD, stage_of

pytestmark = pytest.mark.anyio


async def test_a_click_selects_the_node_that_it_nearly_hits():
    async with stage_of(8) as seen:
        await seen.show(HEARD, 1.0)
        x, y = seen.cells[5]
        await seen.pilot.click(Stage, offset=(x + 1, y))
        assert seen.stage.selected == 5
        assert seen.at((x, y), 1, 1) == "[○]"
        await seen.pilot.click(Stage, offset=(x, y))
        await seen.pilot.click(Stage, offset=(0, 0))
        assert seen.app.chosen == [5]


async def test_arrows_select_the_nearest_node_in_their_direction():
    async with stage_of(9, "grid") as seen:
        await seen.show(HEARD, 1.0)
        stage = seen.stage
        stage.select_towards(0, 1)
        assert stage.selected == 0
        path = []
        for dx, dy in ((1, 0), (0, 1), (1, 0), (1, 0), (0, 1), (-1, 0), (0, -1), (0, -1), (0, -1)):
            stage.select_towards(dx, dy)
            path.append(stage.selected)
        assert path == [1, 4, 5, 5, 8, 7, 4, 1, 1]
        await seen.pilot.pause()
        assert seen.app.chosen == [0, 1, 4, 5, 8, 7, 4, 1]


async def test_every_node_can_be_reached_by_arrows():
    for topology in ("complete", "erdos-renyi", "tree", "two-clusters"):
        async with stage_of(20, topology) as seen:
            await seen.show(HEARD, 1.0)
            reached, frontier = {0}, [0]
            while frontier:
                node = frontier.pop()
                for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                    seen.stage.selected = node
                    seen.stage.select_towards(dx, dy)
                    if seen.stage.selected not in reached:
                        reached.add(seen.stage.selected)
                        frontier.append(seen.stage.selected)
            assert reached == set(range(20)), topology


async def test_tab_goes_round_by_number():
    async with stage_of(3) as seen:
        await seen.show(HEARD, 1.0)
        order = []
        for step in (1, 1, 1, 1, -1, -1):
            seen.stage.select_next(step)
            order.append(seen.stage.selected)
        assert order == [0, 1, 2, 0, 2, 1]
        seen.stage.selected = None
        seen.stage.select_next(-1)
        assert seen.stage.selected == 2


async def test_marks_and_the_selection_are_signs_beside_the_node():
    async with stage_of(8) as seen:
        await seen.show(HEARD, 1.0)
        seen.stage.marked = frozenset({2, 3})
        seen.stage.selected = 3
        assert seen.at(seen.cells[2], 1, 1) == "<○>"
        assert seen.at(seen.cells[3], 1, 1) == "{○}"
        seen.stage.marked = frozenset()
        assert seen.at(seen.cells[2], 1, 1) != "<○>"
        assert seen.at(seen.cells[3], 1, 1) == "[○]"


async def test_a_selected_node_shows_its_name_where_names_have_no_room():
    async with stage_of(140, size=(80, 24)) as seen:
        await seen.show(HEARD, 1.0)
        assert not any("n57" in row for row in seen.rows())
        seen.stage.selected = 57
        assert any("n57" in row for row in seen.rows())
