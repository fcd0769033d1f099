"""Strings from strangers, made safe to show: the one boundary between data and a terminal. Imports nothing.

A recording, an experiment or a protocol may hold escape sequences, control characters (C0 and C1),
characters that turn the direction of writing, and lone surrogates. `visible` shows all of them as
readable text, and cuts what is too long to show.
"""

import re
import unicodedata

_RISKY = re.compile(r"[^\x20-\x7e]")
_HIDDEN = {
    "Cc",
    "Cf",
    "Cs",
    "Co",
    "Cn",
    "Zl",
    "Zp",
}  # Unicode categories that print nothing or act on the terminal


def visible(text: str, limit: int = 200) -> str:
    r"""`text` on one line without anything a terminal would obey, at most `limit` characters long.

    What cannot be shown stands as its code point: "\x1b[2J" becomes "<U+001B>[2J".
    """
    cut = text[: limit + 1]
    shown = _RISKY.sub(_show, cut)
    return shown if len(cut) <= limit and len(shown) <= 4 * limit else shown[: limit - 1] + "…"


def _show(match: re.Match[str]) -> str:
    character = match[0]
    if unicodedata.category(character) in _HIDDEN:
        return f"<U+{ord(character):04X}>"
    return character
