"""`visible` lets nothing through that a terminal would obey."""

import sys
import unicodedata
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossiplab.text import visible

SEQUENCES = [
    "\x1b[2J", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x1b]52;c;aGVsbG8=\x07", "\x1b]52;c;aGVsbG8=\x1b\\",
    "\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "\x1bc", "\x1b(0", "\x1b[?1049h", "\x1b[?25l", "\x1b[6n", "\x1b[c",
    "\x1bP+q544e\x1b\\", "\x1b_Gf=24;AAAA\x1b\\", "\x1b^privacy\x1b\\", "\x1bXstring\x1b\\", "\x1b[20;1H", "\x1b[10A",
    "\x1b#8", "\x1b[4h", "\x1b[1;31;40m", "\x1b[?2004h", "\x1b[201~", "\x1b", "\x1b\x1b\x1b", "\x9b2J", "\x9b31m",
    "\x9d0;title\x9c", "\x90q\x9c", "\x9e\x9c", "\x9f\x9c", "\x84", "\x85", "\x8d", "\x80", "\x9c", "a\x08\x08\x08b",
    "\rover", "one\ntwo", "one\r\ntwo", "\x0b", "\x0c", "\x07\x07\x07", "\x00", "\x7f", "\x0e\x0f", "\t", "\x1a", "\x05",
    "\x11\x13", "\x04", "\x03", "\x1c\x1d\x1e\x1f",
    "\u202egnp.exe", "\u202d", "\u202a\u202b\u202c", "\u2066\u2067\u2068\u2069", "\u200e\u200f", "\u061c",
    "\u200b", "\u200c", "\u200d", "\u2060", "\u2061\u2062\u2063\u2064", "\ufeff", "\u00ad", "\u180e", "\u2028",
    "\u2029", "\ufff9a\ufffab\ufffb", "\U000e0001", "\U000e0041\U000e0042\U000e007f", "\U0001d173", "\U0001bca0",
    "\ue000", "\uf8ff", "\U000f0000", "\U0010fffd", "\ufdd0", "\uffff", "\U0010ffff", "\u0378",
    "\ud800", "\udfff", "\ud83d", "\ude00", "\ud800a\udc00", "\udc80\udcff", "a\ud800\x1b[2J",
    "\ufe0f\ufe0f", "\u034f", "\u115f\u1160", "\u3164", "\uffa0", "\u2800", "\U000e0100",
    "\u200dinvisible\u200d", "e\u0301", "مرحبا\u202e", "שלום\u200f", "👩\u200d💻", "🇩🇪", "日本語\x1b[1m",
    "[bold]no markup[/bold]", "[red]x", "\\[", "[/]", "[link=http://evil]x[/link]", "[@click=app.quit]x[/]",
    "<U+001B>[2J", "{0}{1}", "%s%n", "$(reboot)", "`reboot`", "'; DROP TABLE", "..\\..\\", "nul\0byte",
    "x" * 100_000, "\x1b" * 100_000, "\u202e" * 300, "é" * 300, "a\u0301" * 300,
]  # fmt: skip


def safe(character):
    return " " <= character <= "~" or unicodedata.category(character) not in {
        "Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp",
    }  # fmt: skip


def check(text, limit):
    shown = visible(text, limit)
    assert all(map(safe, shown)), ascii(shown)
    assert len(shown) <= limit
    assert len(shown.splitlines()) <= 1
    shown.encode()  # can be written
    assert visible(shown, limit) == shown  # once is enough
    return shown


def test_there_are_enough():
    assert len(set(SEQUENCES)) >= 100


@pytest.mark.parametrize("text", SEQUENCES, ids=lambda text: ascii(text[:20]))
@pytest.mark.parametrize("limit", [1, 10, 200, 2000])
def test_hostile_payloads(text, limit):
    for payload in (text, f"before {text} after", text * 3):
        check(payload, limit)


@given(st.text(st.characters(codec=None)), st.integers(1, 300))
def test_any_text(text, limit):
    check(text, limit)


def test_every_character():
    planes = (
        range(0x20000),
        range(0x2FF00, 0x30100),
        range(0xE0000, 0xE0300),
        range(0x10FF00, sys.maxunicode + 1),
    )
    for code in chain(*planes):
        shown = visible(chr(code))
        assert (shown == chr(code) and safe(shown)) or shown == f"<U+{code:04X}>"


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=200))
def test_plain_text_stays_as_it_is(text):
    assert visible(text) == text


def test_what_people_write_stays_as_it_is():
    for text in ("Grüße aus Köln", "日本語のテキスト", "Ωμέγα", "naïve café", "→ ● ▲ ⚠ 🎉", "שלום", "مرحبا"):
        assert visible(text) == text


def test_what_is_cut_says_so():
    assert visible("x" * 200) == "x" * 200
    assert visible("x" * 201) == "x" * 199 + "…"
    assert visible("\x1b[2J") == "<U+001B>[2J"
    assert visible("\x1b" * 100, 20).endswith("…")
