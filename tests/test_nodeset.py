"""Sets of nodes are read and written without loss."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossiplab.errors import UserError
from gossiplab.nodeset import format_nodes, parse_nodes


@given(st.sets(st.integers(0, 99)))
def test_what_is_written_is_read(nodes):
    text = format_nodes(nodes)
    assert parse_nodes(text, 100) == tuple(sorted(nodes))
    assert format_nodes(parse_nodes(text, 100)) == text


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1))
def test_any_spelling(ranges):
    parts = [f"n{min(r)}-n{max(r)}" if r[0] != r[1] else f"n{r[0]}" for r in ranges]
    expected = {node for low, high in map(sorted, ranges) for node in range(low, high + 1)}
    assert parse_nodes(",".join(parts), 61) == tuple(sorted(expected))


def test_the_shortest_way():
    assert format_nodes([5, 0, 1, 2, 2]) == "n0-n2,n5"
    assert format_nodes([3]) == "n3"
    assert format_nodes([3, 4]) == "n3-n4"
    assert format_nodes([]) == "none"
    assert parse_nodes("n0-2", 5) == (0, 1, 2)
    assert parse_nodes("all", 3) == (0, 1, 2)
    assert parse_nodes("all", 0) == parse_nodes("none", 0) == parse_nodes("none", 5) == ()


@pytest.mark.parametrize("text, says", [
    ("", "names no node"), ("n", "names no node"), ("3", "names no node"), ("n-1", "names no node"),
    ("n1,", "names no node"), (",n1", "names no node"), ("n1 n2", "names no node"), ("N1", "names no node"),
    ("n1-n2-n3", "names no node"), ("n1--n2", "names no node"), ("n1.5", "names no node"), ("all,n1", "names no node"),
    ("n٣", "names no node"), ("n²", "names no node"), ("n0x1", "names no node"), ("n" + "9" * 50, "names no node"),
    ("n5", "there is no node n5: this lab has nodes n0 to n4"), ("n0-n5", "there is no node n5"),
    ("n999999999", "there is no node n999999999"), ("n0-n999999999", "there is no node n999999999"),
    ("n3-n1", "runs backwards: write n1-n3"), ("\x1b[2J", "names no node"),
])  # fmt: skip
def test_what_is_no_set_of_nodes(text, says):
    with pytest.raises(UserError, match=says):
        parse_nodes(text, 5)


def test_a_lab_without_nodes():
    with pytest.raises(UserError, match="no nodes at all"):
        parse_nodes("n0", 0)


@given(st.text())
def test_any_text_is_read_or_refused(text):
    try:
        nodes = parse_nodes(text, 10)
    except UserError:
        return
    assert set(nodes) <= set(range(10))
