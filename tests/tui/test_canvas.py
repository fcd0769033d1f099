"""The canvas: what was drawn is what the strips show, in as few segments as that takes."""

from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from gossiplab.tui.canvas import Canvas, fitting

PALETTE = [
    Style(),
    Style(color="red"),
    Style(color="blue", bold=True),
    Style(color="red", bgcolor="green"),
    Style(color="red", underline=True),
    Style(color="red", reverse=True),
    Style(color="red", strike=True),
]
LETTERS = range(1, len(PALETTE))

cells = st.one_of(st.just((" ", 0)), st.tuples(st.sampled_from("ab "), st.sampled_from(LETTERS)))
rows = st.lists(cells, min_size=1, max_size=30)


def shown(row: list[tuple[str, int]]) -> tuple[list[tuple[str, Style]], int]:
    """Every cell of a row as it is shown, and how many segments that took."""
    canvas = Canvas(len(row), 1)
    for x, (glyph, style) in enumerate(row):
        canvas.put(x, 0, glyph, style)
    segments = list(canvas.strips(PALETTE)[0])
    return [(glyph, segment.style or Style()) for segment in segments for glyph in segment.text], len(
        segments
    )


def seen(glyph: str, style: Style) -> tuple[object, ...]:
    """What of a style is to be seen: of a blank, no colour of letters."""
    marks = (style.bgcolor, bool(style.reverse), bool(style.underline), bool(style.strike))
    letters = style.reverse or style.underline or style.strike or glyph != " "
    return (*marks, style.color if letters else None, bool(style.bold) and glyph != " ")


@given(rows)
def test_every_cell_looks_as_it_was_drawn(row: list[tuple[str, int]]):
    got, _ = shown(row)
    assert [(glyph, *seen(glyph, style)) for glyph, style in got] == [
        (glyph, *seen(glyph, PALETTE[number])) for glyph, number in row
    ]


def test_blanks_between_letters_of_one_colour_need_no_segments_of_their_own():
    assert shown([("a", 1), (" ", 0), ("b", 1), (" ", 0), ("a", 1)])[1] == 1
    assert shown([("a", 1), (" ", 0), ("b", 2)])[1] == 2


def test_a_blank_does_not_join_what_would_show_on_it():
    for style in (3, 4, 5, 6):
        assert shown([("a", style), (" ", 0), ("b", style)])[1] == 3


def test_of_words_that_do_not_all_fit_the_last_are_left_out_whole():
    parts = ["first", "", "second", "third"]
    assert [fitting(parts, " - ", room) for room in (99, 22, 21, 14, 13, 5, 1)] == [
        *["first - second - third"] * 2, *["first - second"] * 2, *["first"] * 3,
    ]  # fmt: skip
    assert fitting([], " ", 9) == ""
