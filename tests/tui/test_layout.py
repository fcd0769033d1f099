"""Where nodes stand: the same on every machine, each on a cell of its own, and quickly imported."""

import subprocess
import sys
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossiplab.topology import TOPOLOGIES, build_edges
from gossiplab.tui.field import by_links, field
from gossiplab.tui.ground import Net
from gossiplab.tui.layout import has_room, lay_out, name_nodes, seat


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("nodes", [1, 2, 3, 12, 30, 100, 200, 1000])
@pytest.mark.parametrize("size", [(80, 22), (160, 46)])
def test_every_node_has_a_cell_of_its_own(topology: str, nodes: int, size: tuple[int, int]):
    net = Net(nodes, build_edges(topology, nodes, 1), 1)
    for arrangement in net.arrangements(*size):
        cells = net.seats(arrangement, *size).cells
        assert len(set(cells)) == nodes
        assert all(0 <= x < size[0] and 0 <= y < size[1] for x, y in cells)
    assert net.layout == Net(nodes, net.edges, 1).layout


@given(st.integers(1, 3000), st.integers(1, 100), st.integers(1, 50), st.randoms(use_true_random=False))
def test_a_field_has_room_for_any_number(nodes: int, width: int, height: int, random: Random):
    order = list(range(nodes))
    random.shuffle(order)
    seats = field(order, width, height)
    ranked = [seats.cells[node] for node in order]
    assert all(0 <= x < width and 0 <= y < height for x, y in ranked)
    assert ranked == sorted(ranked, key=lambda cell: (cell[1], cell[0]))
    sharing = [ranked[first : first + seats.share] for first in range(0, nodes, seats.share)]
    assert all(len(set(cells)) == 1 for cells in sharing)
    assert len({cells[0] for cells in sharing}) == len(sharing)
    written = {(x + offset, y) for id, (x, y) in seats.names.items() for offset in range(len(f"n{id}"))}
    assert written.isdisjoint(ranked)
    assert all(0 <= x < width and 0 <= y < height for x, y in written)
    if seats.gaps:
        beside = {(x + 1, y) for x, y in ranked}
        assert beside.isdisjoint(ranked)
        assert beside.isdisjoint(written)
        assert all(x < width for x, _ in beside)


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_the_order_by_links_has_every_node_once(topology: str):
    for nodes in (0, 1, 2, 50):
        assert sorted(by_links(nodes, build_edges(topology, nodes, 1))) == list(range(nodes))


def test_linked_nodes_stand_closer_by_links_than_by_number():
    edges = build_edges("barabasi-albert", 300, 3) or ()
    place = {node: rank for rank, node in enumerate(by_links(300, edges))}
    assert sum(abs(place[a] - place[b]) for a, b in edges) < 0.8 * sum(abs(a - b) for a, b in edges)


@given(st.data())
def test_any_graph_can_be_laid_out(data: st.DataObject):
    nodes = data.draw(st.integers(0, 24))
    pairs = [(a, b) for b in range(nodes) for a in range(b)]
    edges = tuple(sorted(data.draw(st.sets(st.sampled_from(pairs))))) if pairs else ()
    layout = lay_out(nodes, edges, 0)
    assert len(layout.points) == nodes
    assert all(-1e-9 <= x <= 1 + 1e-9 and -1e-9 <= y <= 1 + 1e-9 for x, y in layout.points)
    width, height = data.draw(st.integers(0, 40)), data.draw(st.integers(0, 20))
    seats = seat(layout, nodes, width, height)
    if has_room(nodes, width, height):
        assert len(set(seats.cells)) == nodes
    if width and height:
        names = name_nodes(seats, layout, [[0] * width] * height)
        written = [(x + offset, y) for id, (x, y) in names.items() for offset in range(len(f"n{id}"))]
        assert len(set(written)) == len(written)
        assert set(written).isdisjoint(seats.cells)


def test_ten_thousand_nodes_share_cells_evenly():
    for size, share in (((160, 40), 2), ((80, 22), 10), ((80, 15), 20)):
        seats = field(range(10_000), *size)
        assert seats.share == share
        assert len(set(seats.cells)) == 10_000 // share


def test_neighbours_stand_nearer_than_strangers():
    edges = build_edges("barabasi-albert", 60, 3) or ()
    points = lay_out(60, edges, 3).points

    def apart(a: int, b: int) -> float:
        return ((points[a][0] - points[b][0]) ** 2 + (points[a][1] - points[b][1]) ** 2) ** 0.5

    linked = sum(apart(a, b) for a, b in edges) / len(edges)
    everybody = [apart(a, b) for a in range(60) for b in range(a)]
    assert linked < 0.7 * sum(everybody) / len(everybody)


def test_the_stage_imports_networkx_and_numpy_only_when_it_needs_them():
    code = (
        "import sys, gossiplab.tui.stage as s; s.Net(30, None, 1).layout;"
        "assert not {'networkx', 'numpy', 'scipy'} & set(sys.modules), 'imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
