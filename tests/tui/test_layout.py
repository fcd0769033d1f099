"""Where nodes stand: the same on every machine, each on a cell of its own, and quickly imported."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossiplab.topology import TOPOLOGIES, build_edges
from gossiplab.tui.layout import lay_out, name_nodes, seat


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("nodes", [1, 2, 3, 12, 30, 100, 200, 1000])
@pytest.mark.parametrize("size", [(80, 22), (160, 46)])
def test_every_node_has_a_cell_of_its_own(topology: str, nodes: int, size: tuple[int, int]):
    edges = build_edges(topology, nodes, 1)
    layout = lay_out(nodes, edges, 1)
    cells = seat(layout, nodes, *size).cells
    assert len(set(cells)) == nodes
    assert all(0 <= x < size[0] and 0 <= y < size[1] for x, y in cells)
    assert lay_out(nodes, edges, 1) == layout


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
    if width * height >= 7 * nodes:
        assert len(set(seats.cells)) == nodes
    if width and height:
        names = name_nodes(seats, layout, [[0] * width] * height)
        written = [(x + offset, y) for id, (x, y) in names.items() for offset in range(len(f"n{id}"))]
        assert len(set(written)) == len(written)
        assert set(written).isdisjoint(seats.cells)


def test_more_nodes_than_cells_share_them_in_order():
    cells = seat(lay_out(10_000, None, 0), 10_000, 80, 22).cells
    assert all(0 <= x < 80 and 0 <= y < 22 for x, y in cells)
    assert cells == sorted(cells, key=lambda cell: (cell[1], cell[0]))


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
        "import sys, gossiplab.tui.stage as s; s.lay_out(30, None, 1);"
        "assert not {'networkx', 'numpy', 'scipy'} & set(sys.modules), 'imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
