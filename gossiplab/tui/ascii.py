"""ASCII only: the one place that says what stands for each glyph of the app, in all its widgets. Imports textual.

Widgets draw as if every terminal knew every glyph. With --ascii the app puts a filter behind all of them,
which turns each line, borders and scroll bars included, into ASCII of the same width. Views that
keep finished Strips apart from Textual's filters ask `to_ascii` themselves; the stage is one.
"""

import unicodedata
from collections.abc import Iterable

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_PAIRS = """
    ◍L ‽% ○o ★& ●@ ◆% ↻R ‖H †+ ◌_ ‼! ×x ░# •* ◦' ∙: ·. ◈#
    ▲P △p ▼Q ▽q ■= □- ▶> ▷) ◀< ◁( ►A ▻a ◄K ◅k ▮I ▯i ▬E ▭e ◥J ◹j ◤T ◸t ◣L ◺l ◢W ◿w
    →> ←< ↑^ ↓v ↵< ⏎< ↳` …~ –- —- ‐- −- ⚠! ✓+ ✗x ▒# ▓@ █@ ▁_ ▂. ▃: ▄- ▅= ▆+ ▇* ▏| ▎| ▍| ▌| ▋| ▊| ▉| ▐| ▔- ▀" ▕|
    ┃| │| ╎: ┆: ┊| ─- ━= ┄- ┈- ╌~ ═= ║| ┴+ ┬+ ┼+ ├( ┤+ ┷i ┯T ┌+ ┐+ └+ ┘+ ╭+ ╮+ ╰+ ╯+ ╱/ ╲\\ ╳X
    ╋+ ┻+ ┳+ ┣+ ┫+ ┏+ ┓+ ┗+ ┛+ ╔+ ╗+ ╚+ ╝+ ╸- ╺- ╹| ╻| ╷| ╵| ╴- ╶- ▖. ▗. ▘' ▝' ▙L ▚\\ ▛P ▜7 ▞/ ▟J
    ‘' ’' “" ”" «< »> ≤< ≥> ≠! ±+ ÷/ ⋯~ ⋮: ◉O ◎O ◇$ ☆& ✱* ✚+ ▪* ▫. ▸> ▹> ◂< ◃< ▴^ ▵^ ▾v ▿v
"""
_TABLE: dict[int, str] = {
    **{ord(pair[0]): pair[1] for pair in _PAIRS.split()},
    # Braille: dots of lines, and the more of them in a cell the heavier
    **{0x2800 + bits: " '.:::::::"[bits.bit_count()] for bits in range(256)},
}


class _Rest(dict[int, str]):
    """The table, and for whatever is not in it its letter without accents, or else question marks as wide as it is."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if code < 0x80:
            text = character
        else:
            width = cell_len(character)
            plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
            text = plain if len(plain) == width else "?" * width
        if len(self) < 10_000:
            self[code] = text
        return text


_ALL = _Rest(_TABLE)


def to_ascii(text: str) -> str:
    """`text` in ASCII, as wide as it was."""
    return text if text.isascii() else text.translate(_ALL)


class AsciiFilter(LineFilter):
    """Turns what widgets draw into ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Part of LineFilter."""
        return [Segment(to_ascii(text), style, control) for text, style, control in segments]


def is_plain(filters: Iterable[LineFilter]) -> bool:
    """Whether what goes through these filters becomes ASCII."""
    return any(isinstance(each, AsciiFilter) for each in filters)
