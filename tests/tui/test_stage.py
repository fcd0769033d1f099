"""The stage, driven through Textual: what a person sees of a World, and what a click or a key selects."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec import Raw
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot

from gossiplab.events import (
    AnyEvent,
    Believed,
    Crashed,
    Delivered,
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
    Sent,
    Severed,
    View,
)  # fmt: skip
from gossiplab.topology import build_edges
from gossiplab.tui.ascii import AsciiFilter
from gossiplab.tui.canvas import BRAILLE
from gossiplab.tui.ground import Net
from gossiplab.tui.layout import Cell
from gossiplab.tui.stage import Stage
from gossiplab.world.world import Node, World

pytestmark = pytest.mark.anyio

SIZE = 80, 24
HEARD = [Injected(0.0, 0, 0), Learned(0.0, 0, 0, None)]  # n0 is the source of a rumor


class Show(App[None]):
    """A stage and nothing else; keeps what was selected."""

    def __init__(self, plain: bool = False) -> None:
        super().__init__()
        self.ascii = AsciiFilter(enabled=plain)
        self.chosen: list[int] = []
        self.pointed: list[int] = []

    def get_line_filters(self):
        return [*super().get_line_filters(), *([self.ascii] if self.ascii.enabled else [])]

    def compose(self) -> ComposeResult:
        yield Stage()

    def on_stage_pointed(self, event: Stage.Pointed) -> None:
        self.pointed.append(event.id)

    def on_view_selected(self, event: Stage.Selected) -> None:
        self.chosen.append(event.node)


class Seen:
    """A stage in an app, and where its nodes are."""

    def __init__(self, app: Show, pilot: Pilot[Any], nodes: int, edges: Any, size: tuple[int, int]) -> None:
        self.app = app
        self.pilot = pilot
        self.stage = app.query_one(Stage)
        self.size = size
        self.nodes = nodes
        self.stage.open(nodes, edges, 1)
        net = Net(nodes, edges, 1)
        self.cells = net.seats(net.arrangements(*size)[0], *size).cells

    async def show(self, events: list[AnyEvent], t: float) -> None:
        await self.draw(world_of(self.nodes, events), t)

    async def draw(self, world: World, t: float, moving: bool = False) -> None:
        self.stage.draw(world, t, moving)
        await self.pilot.pause()

    def rows(self) -> list[str]:
        return [strip.text for strip in self.stage.render_lines(Region(0, 0, *self.size))]

    def at(self, cell: Cell, left: int = 0, right: int = 0) -> str:
        return self.rows()[cell[1]][cell[0] - left : cell[0] + right + 1]

    def node(self, id: int) -> str:
        return self.at(self.cells[id])

    def between(self, a: int, b: int, way: float) -> str:
        (x0, y0), (x1, y1) = self.cells[a], self.cells[b]
        return self.at((int(x0 + (x1 - x0) * way + 0.5), int(y0 + (y1 - y0) * way + 0.5)))


def world_of(nodes: int, events: list[AnyEvent]) -> World:
    world = World(nodes=[Node(shown={}) for _ in range(nodes)])
    world.apply(events)
    return world


def sent(t: float, id: int, src: int, dst: int, due: float, carries: tuple[int, ...] = ()) -> Sent:
    return Sent(t, id, src, dst, due, "Push", 2, carries, Raw(b"{}"))


@asynccontextmanager
async def stage_of(
    nodes: int, topology: str = "complete", size: tuple[int, int] = SIZE, plain: bool = False
) -> AsyncIterator[Seen]:
    app = Show(plain)
    async with app.run_test(size=size) as pilot:
        yield Seen(app, pilot, nodes, build_edges(topology, nodes, 1), size)


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


async def test_in_a_field_a_message_stands_beside_its_sender_and_then_its_receiver():
    async with stage_of(200) as seen:
        world = world_of(200, [*HEARD, sent(1.0, 0, 7, 130, 3.0), sent(1.0, 1, 0, 55, 3.0, (0,))])
        for t, places in ((1.5, {7: "△", 0: "▲"}), (2.5, {130: "△", 55: "▲"})):
            await seen.draw(world, t)
            for node in (0, 7, 55, 130):
                assert seen.at(seen.cells[node], 0, 1)[1] == places.get(node, " ")
        assert {entry.kind: entry.number for entry in seen.stage.legend() if entry.kind} == {"Push": 2}


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


# selecting ----------------------------------------------------------------------------------------


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


# how it looks -------------------------------------------------------------------------------------


def legend(seen: Seen) -> list[str]:
    return [f"{entry.glyph} {entry.word}" for entry in seen.stage.legend()]


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
