"""Strings from strangers, made safe to show: the one boundary between data and a terminal. Imports nothing.

A recording, an experiment or a protocol may hold escape sequences, control characters (C0 and C1),
characters that turn the direction of writing, and lone surrogates. `visible` shows all of them as
readable text, and cuts what is too long to show.
"""

import re
import unicodedata

_RISKY = re.compile(r"[^\x20-\x7e]")
# Unicode categories that print nothing, look like a space that they are not, or act on the terminal
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}
# letters and marks that print nothing either: fillers, joiners, selectors of variants
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def visible(text: str, limit: int = 200) -> str:
    r"""`text` on one line without anything a terminal would obey, at most `limit` characters long.

    What cannot be shown stands as its code point: "\x1b[2J" becomes "<U+001B>[2J".
    """
    shown = _RISKY.sub(_show, text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def visible_ends(text: str, limit: int) -> str:
    """Like `visible`, but what is too long loses its middle: a long name in a sentence does not hide the reason."""
    if len(text) <= limit:
        return visible(text, limit)
    return visible(text[: limit // 2], limit // 2) + "…" + visible(text[-(limit // 2) :], limit // 2)


def many(count: int, what: str) -> str:
    """A count of things: "1 node", "1,000 nodes"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _show(match: re.Match[str]) -> str:
    character = match[0]
    if unicodedata.category(character) in _HIDDEN or _BLANK.match(character):
        return f"<U+{ord(character):04X}>"
    return character
