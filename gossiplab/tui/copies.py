"""One key in words: what a node holds of it, its versions and how they compare, and how it came there. Imports versions.

Everything is lines of spans, a text and the number of its style, for whoever has a canvas. Data strings are made safe
to show here.
"""

import re
from typing import NamedTuple

from rich.cells import cell_len

from gossiplab.nodeset import format_nodes
from gossiplab.text import many, visible
from gossiplab.world.provenance import copy_chain
from gossiplab.world.replicas import Replicas
from gossiplab.world.versions import AFTER, BEFORE, Copies, Sight, Standing, by_content, compare, lineage

PENS = (
    "void", "word", "faint", "title", "cursor", "edge", "right", "older", "siblings", "corrupt", "curve",
    *(f"newest-{number}" for number in range(4)),
)  # fmt: skip
WORD, FAINT, TITLE, CURSOR, EDGE, RIGHT, OLDER, SIBLINGS, CORRUPT, CURVE, FIRST = range(1, 12)
_SHAPES = "●◆▲■"  # of the newest versions, in the order of their making
_MOST_VERSIONS = 10  # in a list
_MOST_HOPS = 6
_MOST_ROWS = 4  # of a line that is too long
_ONE_LINE = 76  # columns from which a version takes one line
_COLUMN = 34  # where on it that begins which is not its value

Span = tuple[str, int]
"""A text and the number of its style."""


class Sign(NamedTuple):
    """How a node's copy looks."""

    glyph: str
    style: int


MEANINGS: tuple[tuple[str, int, str], ...] = (
    ("●", RIGHT, "the newest version"),
    ("◆", FIRST + 1, "another newest one, concurrent with it"),
    ("2", SIBLINGS, "so many siblings"),
    ("○", OLDER, "an older version"),
    ("×", RIGHT, "deleted"),
    ("·", OLDER, "nothing"),
    ("≠", CORRUPT, "one write, another value: corrupt"),
)


def narrow(text: str, limit: int) -> str:
    """A string from a stranger, of one cell a character; with a question mark for what takes none or two."""
    return "".join(each if cell_len(each) == 1 else "?" for each in visible(text, limit))


def sign_of(sight: Sight, alone: bool) -> Sign:
    """How a standing looks. alone: whether there is only one newest version."""
    standing, which = sight
    match standing:
        case Standing.NEWEST:
            style = RIGHT if alone else FIRST + min(which, len(_SHAPES) - 1)
            return Sign(_SHAPES[min(which, len(_SHAPES) - 1)], style)
        case Standing.SIBLINGS:
            return Sign(str(which) if which < 10 else "+", SIBLINGS)
        case Standing.DELETED:
            return Sign("×", RIGHT if alone else FIRST + min(which, len(_SHAPES) - 1))
        case Standing.OLDER:
            return Sign("○", OLDER)
        case Standing.NONE:
            return Sign("·", OLDER)
        case Standing.CORRUPT:
            return Sign("≠", CORRUPT)
        case Standing.AWAY:
            return Sign(" ", FAINT)


def key_lines(replicas: Replicas, copies: Copies, node: int, width: int) -> list[list[Span]]:
    """All about one key, and what `node` has of it."""
    key = copies.key
    name = narrow(copies.name, 40)
    lines = [[(f"{name} at n{node}: ", TITLE), *_what(copies, node)], _way(copies, node)]
    if key.homes is not None:
        lines.append([(f"{name} belongs on ", FAINT), (", ".join(f"n{home}" for home in key.homes), WORD)])
    waiting = [request for request in replicas.requests.values() if request.key == copies.name]
    if waiting:
        first = waiting[0]
        more = f", and {len(waiting) - 1} more" if len(waiting) > 1 else ""
        lines.append(
            [(f"a client waits at n{first.node} for a {first.what} since {first.t:.3f} s{more}", OLDER)]
        )
    shown = _shown(copies)
    lines.append([(_heading(copies, shown), FAINT)])
    parents = lineage(key, shown)
    for version, stem, under in _tree(parents):
        lines += _version(copies, version, node, (stem, under), parents[version], width)
    return [row for line in lines for row in wrapped(line, width)]


def _tree(parents: dict[str, tuple[str, ...]]) -> list[tuple[str, str, str]]:
    """The versions so that each stands below the last of its parents: its name, and the lines before it and below it."""
    children: dict[str, list[str]] = {}
    for version, before in parents.items():
        children.setdefault(before[-1] if before else "", []).append(version)
    rows: list[tuple[str, str, str]] = []
    waiting = [(root, "", "") for root in reversed(children.get("", []))]
    while waiting:
        version, stem, under = waiting.pop()
        rows.append((version, stem, under))
        below = children.get(version, [])
        for child in reversed(below):
            last = child == below[-1]
            waiting.append((child, f"{under}{'└─' if last else '├─'}", f"{under}{'  ' if last else '│ '}"))
    return rows


def wrapped(line: list[Span], width: int) -> list[list[Span]]:
    """A line in as many rows as it needs; further rows are indented."""
    rows: list[list[Span]] = [[]]
    x = 0
    for text, style in line:
        for word in re.findall(r" *[^ ]+| +", text):
            if x + len(word) > width and x > 2 and len(rows) < _MOST_ROWS:
                rows.append([("  ", FAINT)])
                x = 2
            rows[-1].append((word.lstrip() if x == 2 and len(rows) > 1 else word, style))
            x += len(rows[-1][-1][0])
    return rows


def _what(copies: Copies, node: int) -> list[Span]:
    """What a node holds."""
    held, sight = copies.held[node], copies.sights[node]
    sign = sign_of(sight, len(copies.newest) == 1)
    match sight.standing:
        case Standing.AWAY:
            return [("nothing, and it does not belong there", WORD)]
        case Standing.NONE:
            return [(sign.glyph, sign.style), (" nothing", WORD)]
        case Standing.SIBLINGS:
            values = ", ".join(_value(copies, version) for version in copies.key.values(held))
            return [(sign.glyph, sign.style), (f" siblings: {values}", WORD)]
        case Standing.OLDER:
            said = "an older version, "
        case Standing.CORRUPT:
            said = "corrupt: the same write elsewhere has another value, here "
        case _:
            said = "" if len(copies.newest) == 1 else "one of the newest, "
    return [
        (sign.glyph, sign.style),
        (f" {said}{', '.join(_value(copies, version) for version in held)}", WORD),
    ]


def _way(copies: Copies, node: int) -> list[Span]:
    """How it came there: delivery by delivery, back to the write."""
    chain = copy_chain(copies.key, node)
    if chain.hops and not copies.held[node]:
        return [(f"nothing of it is here since {chain.hops[0].t:.3f} s", FAINT)]
    if not chain.hops:
        return [("as at the beginning" if copies.held[node] else "nothing of it ever came here", FAINT)]
    words: list[str] = []
    hops = chain.hops
    for place, hop in enumerate(hops):
        if len(hops) > _MOST_HOPS and place == _MOST_HOPS - 2:
            words.append(f"... {len(hops) - _MOST_HOPS + 1} more ...")
        if place >= _MOST_HOPS - 2 and place != len(hops) - 1 and len(hops) > _MOST_HOPS:
            continue
        last = place == len(hops) - 1
        if hop.sender is not None:
            words.append(f"n{hop.node} got it at {hop.t:.3f} s, m{hop.message}")
            if last:
                holds = "something else" if copies.held[hop.sender] else "nothing of it"
                words.append(f"n{hop.sender}, which holds {holds} now")
        elif chain.whole and (origin := _origin(copies, hop.node, hop.t)):
            words.append(origin)
        elif hop.message is None and hop.t == 0:
            words.append(f"n{hop.node} had it from the beginning")
        else:
            words.append(f"n{hop.node} since {hop.t:.3f} s")
    return [(" ← ".join(words), WORD)]


def _origin(copies: Copies, node: int, t: float) -> str | None:
    """How a version that a node holds came to be there at that instant, if that is where it began."""
    for version in copies.held[node]:
        known = copies.key.versions.get(version)
        if known is not None and (known.node, known.t) == (node, t):
            if version.endswith("'"):
                return f"n{node}'s disk changed it at {t:.3f} s"
            return f"n{node} {'made' if by_content(copies.key, version) else 'wrote'} it at {t:.3f} s"
    return None


def _shown(copies: Copies) -> list[str]:
    """The versions worth a line, oldest first: those that are held, and the newest of the others."""
    held = list(dict.fromkeys(version for versions in copies.held for version in versions))
    order = {version: number for number, version in enumerate(copies.key.versions)}
    others = [version for version in copies.key.versions if version not in held]
    room = max(0, _MOST_VERSIONS - len(held))
    chosen = held[:_MOST_VERSIONS] + (others[-room:] if room else [])
    return sorted(chosen, key=lambda version: order.get(version, -1))


def _heading(copies: Copies, shown: list[str]) -> str:
    held = len({version for versions in copies.held for version in versions})
    if not shown:
        return "no version of it is known"
    newest = len(copies.newest)
    agree = "" if newest < 2 else f", {newest} newest ones"
    return f"{many(held, 'version')} held{agree}; each below what its writer knew of:"


def _version(
    copies: Copies, version: str, node: int, stems: tuple[str, str], parents: tuple[str, ...], width: int
) -> list[list[Span]]:
    """A version: where it stands in the order, its value, its clock, how it compares, and who holds it."""
    sign = _version_sign(copies, version)
    holders = copies.holders(version)
    who = format_nodes(holders) if holders else "nobody"
    if len(who) > 24:
        who = f"{len(holders)} nodes"
    known = copies.key.versions.get(version)
    clock = ""
    if known is not None and known.clock:
        entries = " ".join(f"n{replica}:{count}" for replica, count in known.clock[:6])
        clock = f"[{entries}{' ...' if len(known.clock) > 6 else ''}]  "
    over = f", joins {' and '.join(narrow(each, 14) for each in parents[:3])}" if len(parents) > 1 else ""
    head = [
        (stems[0], FAINT),
        (sign.glyph, sign.style),
        (f" {narrow(version, 18)} ", TITLE),
        (_value(copies, version), WORD),
    ]
    here = version in copies.held[node]
    rest = f"{clock}{_relation(copies, version, node)}{over}  held by {who}"
    used = sum(len(text) for text, _ in head)
    if width >= _ONE_LINE:
        return [[*head, (" " * max(2, _COLUMN - used) + rest, WORD if here else FAINT)]]
    return [head, [(f"{stems[1]}  ", FAINT), (rest, WORD if here else FAINT)]]


def _relation(copies: Copies, version: str, node: int) -> str:
    """How a version stands to what the node holds."""
    held, key = copies.held[node], copies.key
    if version.endswith("'"):
        return "corrupt, here" if version in held else "corrupt"
    if version in held:
        return "here" if len(held) == 1 else "here, a sibling"
    if not held:
        return ""
    found = {compare(key, version, each) for each in held}
    if BEFORE in found:
        return "before"
    if AFTER in found:
        return "after"
    stamps = [key.versions[each].stamp for each in (version, held[0]) if each in key.versions]
    if len(stamps) == 2 and stamps[0] is not None and stamps[1] is not None and stamps[0] != stamps[1]:
        return f"concurrent, {'later' if stamps[0] > stamps[1] else 'earlier'} by its stamp"
    if by_content(key, version):
        return "another state"
    return "before" if version == copies.seed else "concurrent"


def _version_sign(copies: Copies, version: str) -> Sign:
    if version.endswith("'"):
        return Sign("≠", CORRUPT)
    alone = len(copies.newest) == 1
    if version in copies.newest:
        standing = Standing.DELETED if copies.value(version) is None else Standing.NEWEST
        return sign_of(Sight(standing, copies.newest.index(version)), alone)
    return Sign("○", OLDER if copies.holders(version) else FAINT)


def _value(copies: Copies, version: str) -> str:
    """A value, for people."""
    if version not in copies.key.versions:
        return "the first value"
    value = copies.key.versions[version].value
    return "deleted" if value is None else f'"{narrow(value, 24)}"'
