"""The shapes of messages, and what stands for every glyph where there is ASCII only."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from gossiplab.tui.ascii import to_ascii
from gossiplab.tui.kinds import MANY, SHAPES, Kinds, kind_word
from gossiplab.tui.log import _SIGNS
from gossiplab.tui.symbols import ARROWS, MARKED, SELECTED, SELECTED_AND_MARKED, SHARES, SYMBOLS, Role
from gossiplab.tui.timeline import _BLOCKS

NODES = [
    SYMBOLS[role].glyph
    for role in (
        Role.SUSCEPTIBLE, Role.LEARNED, Role.INFECTIVE, Role.REMOVED, Role.REJOINED, Role.SUSPECTED, Role.PAUSED,
        Role.DEAD, Role.LEFT, Role.CRASHED,
    )
]  # fmt: skip


@given(st.lists(st.text(max_size=30), max_size=40))
def test_every_type_keeps_its_shape_and_shares_it_with_no_other(names: list[str]):
    kinds = Kinds()
    first = {name: kinds[name] for name in names}
    assert {name: kinds[name] for name in reversed(names)} == first
    given_out = [shape for shape in first.values() if shape is not MANY]
    assert len(set(given_out)) == len(given_out)
    assert len(given_out) == min(len(first), len(SHAPES))


def test_what_the_literature_calls_so_looks_the_same_in_every_protocol():
    swim, demers = Kinds(), Kinds()
    for name in ("Ping", "PingReq", "Ack", "Nack"):
        swim[name]
    for name in ("Whatever", "Push", "Pull", "PushPull", "Ack"):
        demers[name]
    assert swim["Ack"] == demers["Ack"]
    assert [demers[name].carrying for name in ("Push", "Pull", "PushPull")] == ["▲", "▼", "■"]


def test_every_shape_is_one_cell_and_differs_from_all_others_even_in_ascii():
    messages = [glyph for shape in (*SHAPES, MANY) for glyph in shape]
    for glyphs in (messages, NODES):
        assert all(cell_len(glyph) == 1 for glyph in glyphs)
        assert len(set(glyphs)) == len(glyphs)
        assert len(set(map(to_ascii, glyphs))) == len(glyphs)
    assert set(messages).isdisjoint(NODES)
    assert set(map(to_ascii, messages)).isdisjoint(map(to_ascii, [*NODES, SYMBOLS[Role.LOST].glyph]))


def test_no_message_looks_like_a_wall_or_like_the_sign_of_a_chosen_node():
    around = {*ARROWS.values(), *SELECTED, *MARKED, *SELECTED_AND_MARKED, SYMBOLS[Role.WALL].glyph}
    shapes = {to_ascii(glyph) for shape in (*SHAPES, MANY) for glyph in shape}
    assert shapes.isdisjoint(map(to_ascii, around))


def test_the_signs_of_the_log_differ_in_ascii_too():
    signs = [glyph for glyph, _ in _SIGNS.values()]
    assert len(signs) == len(set(signs)) == len(set(map(to_ascii, signs)))


def test_bars_rise_and_arrows_point_in_ascii_too():
    for bars in (SHARES, _BLOCKS):
        assert len(set(to_ascii(bars))) == len(bars)
    assert len(set(map(to_ascii, ARROWS.values()))) == 4


@given(st.text())
def test_ascii_is_ascii_and_as_wide_as_before(text: str):
    plain = to_ascii(text)
    assert plain.isascii()
    assert cell_len(plain) == cell_len(text) or not text.isprintable()


def test_names_of_types_are_words():
    assert [kind_word(name) for name in ("PushPull", "Ack", "IHave")] == ["push-pull", "ack", "ihave"]
    assert "\x1b" not in kind_word("\x1b]52;c;x\x07")
    assert len(kind_word("Very" * 100)) <= 16
