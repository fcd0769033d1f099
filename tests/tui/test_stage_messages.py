"""Messages on the stage: where they are under way, what becomes of the lost, what is muted, and how one is pointed at."""

import pytest
from msgspec import Raw

from gossiplab.events import (
    Delivered,
    Dropped,
    Injected,
    Killed,
    Learned,
    Sent,
)
from gossiplab.tui.stage import Stage
from tests.tui.staging import HEARD, sent, stage_of, world_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("topology", ["complete", "ring", "grid", "two-clusters"])
async def test_a_message_is_half_way_at_half_time(topology: str):
    async with stage_of(8, topology) as seen:
        await seen.show([*HEARD, sent(1.0, 0, 0, 1, 3.0, carries=(0,)), sent(1.0, 1, 3, 2, 3.0)], 2.0)
        assert seen.between(0, 1, 0.5) == "▲"
        assert seen.between(3, 2, 0.5) == "△"


async def test_a_message_moves_from_its_sender_to_its_receiver():
    async with stage_of(2, size=(60, 30)) as seen:
        world = world_of(2, [*HEARD, sent(0.0, 0, 0, 1, 1.0, carries=(0,))])
        rows = []
        for step in range(1, 10):
            await seen.draw(world, step / 10)
            rows += [y for y, row in enumerate(seen.rows()) if "▲" in row]
        assert len(rows) == 9
        assert rows == sorted(set(rows))
        world.apply([Delivered(1.0, 0), Learned(1.0, 1, 0, 0)])
        await seen.draw(world, 1.0)
        assert not any("▲" in row for row in seen.rows())
        assert seen.node(1) == "★"


async def test_a_message_that_carries_another_rumor_does_not_carry_the_one_that_is_shown():
    async with stage_of(6) as seen:
        events = [
            *HEARD,
            Injected(0.5, 1, 4),
            Learned(0.5, 4, 1, None),
            sent(1.0, 0, 0, 3, 2.0, carries=(0,)),
        ]
        await seen.show(events, 1.5)
        assert seen.between(0, 3, 0.5) == "△"
        seen.stage.rumor = 0
        assert seen.between(0, 3, 0.5) == "▲"


async def test_a_message_that_its_link_lost_sets_out_and_becomes_a_cross_half_way():
    async with stage_of(6) as seen:
        world = world_of(6, [*HEARD, sent(1.0, 0, 0, 3, 3.0, carries=(0,)), Dropped(1.0, 0, "loss")])
        await seen.draw(world, 1.5)
        assert seen.between(0, 3, 0.25) == "▲"
        for t in (2.1, 2.7):
            await seen.draw(world, t)
            assert seen.between(0, 3, 0.5) == "×"
        await seen.draw(world, 4.0)
        assert not any("×" in row for row in seen.rows())


async def test_a_message_to_a_dead_node_dies_before_it():
    async with stage_of(6) as seen:
        events = [*HEARD, Killed(0.5, 3), sent(1.0, 0, 0, 3, 2.0), Dropped(2.0, 0, "down")]
        await seen.show(events, 2.1)
        assert "×" in {seen.between(0, 3, way / 100) for way in range(80, 100)}


async def test_a_type_that_is_muted_is_not_drawn_and_stays_in_the_legend():
    async with stage_of(6) as seen:
        ack = Sent(1.0, 1, 1, 4, 3.0, "Ack", 2, (), Raw(b"{}"))
        world = world_of(6, [*HEARD, sent(1.0, 0, 0, 3, 3.0), ack, Dropped(1.0, 1, "loss")])
        await seen.draw(world, 2.1)
        assert seen.between(0, 3, 0.55) == "△"
        assert any("×" in row for row in seen.rows())
        seen.stage.muted = frozenset({"Push", "Ack"})
        assert not any("△" in row or "×" in row for row in seen.rows())
        muted = {entry.kind: entry.muted for entry in seen.stage.legend() if entry.kind}
        assert muted == {"Push": True, "Ack": True}
        seen.stage.muted = frozenset()
        assert seen.between(0, 3, 0.55) == "△"


async def test_a_message_that_was_too_fast_to_be_seen_leaves_its_way_behind():
    async with stage_of(100, size=(100, 40)) as seen:
        world = world_of(100, HEARD)
        await seen.draw(world, 0.9, moving=True)
        still = seen.rows()
        world.apply([sent(1.0, 0, 0, 50, 1.01, (0,)), Delivered(1.01, 0), Learned(1.01, 50, 0, 0)])
        drawn = []
        for frame in range(12):
            await seen.draw(world, 1.02 + frame / 30, moving=True)
            drawn.append(sum(dot > "\u2800" for row in seen.rows() for dot in row))
        assert drawn[0] > 10
        assert drawn == sorted(drawn, reverse=True)
        assert drawn[-1] == sum(dot > "\u2800" for row in still for dot in row)
        await seen.draw(world, 1.02)
        assert not any(dot > "\u2800" for row in seen.rows() for dot in row)


async def test_in_a_field_a_message_stands_beside_its_sender_and_then_its_receiver():
    async with stage_of(200) as seen:
        world = world_of(200, [*HEARD, sent(1.0, 0, 7, 130, 3.0), sent(1.0, 1, 0, 55, 3.0, (0,))])
        for t, places in ((1.5, {7: "△", 0: "▲"}), (2.5, {130: "△", 55: "▲"})):
            await seen.draw(world, t)
            for node in (0, 7, 55, 130):
                assert seen.at(seen.cells[node], 0, 1)[1] == places.get(node, " ")
        assert {entry.kind: entry.number for entry in seen.stage.legend() if entry.kind} == {"Push": 2}


async def test_a_click_on_a_message_points_at_it():
    async with stage_of(8) as seen:
        await seen.show([*HEARD, sent(1.0, 5, 0, 4, 3.0)], 2.0)
        (x0, y0), (x1, y1) = seen.cells[0], seen.cells[4]
        await seen.pilot.click(Stage, offset=(int((x0 + x1) / 2 + 0.5), int((y0 + y1) / 2 + 0.5)))
        assert seen.app.pointed == [5]
        assert seen.stage.selected is None


async def test_the_messages_of_the_selected_node_are_walked_through():
    async with stage_of(8) as seen:
        events = [*HEARD, sent(1.0, 0, 0, 4, 3.0), sent(1.0, 1, 4, 5, 4.0), sent(1.0, 2, 6, 7, 5.0)]
        await seen.show(events, 2.0)
        for node, step, expected in ((None, 1, [2, 1, 0, 2]), (4, 1, [1, 0, 1]), (4, -1, [0, 1, 0])):
            seen.stage.selected, seen.stage.chosen = node, None
            seen.app.pointed.clear()
            for _ in expected:
                assert seen.stage.point_next(step)
                await seen.pilot.pause()
                seen.stage.chosen = seen.app.pointed[-1]
            assert seen.app.pointed == expected
        seen.stage.selected = 1
        assert not seen.stage.point_next(1)
