"""A stage alone in an app, with Worlds made of events: what is drawn in which cell, for the tests of the stage."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from msgspec import Raw
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot

from gossiplab.events import AnyEvent, Injected, Learned, Sent
from gossiplab.topology import build_edges
from gossiplab.tui.ascii import AsciiFilter
from gossiplab.tui.ground import Net
from gossiplab.tui.layout import Cell
from gossiplab.tui.stage import Stage
from gossiplab.world.parts import Node
from gossiplab.world.world import World

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


def legend(seen: Seen) -> list[str]:
    return [f"{entry.glyph} {entry.word}" for entry in seen.stage.legend()]
