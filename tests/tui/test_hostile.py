"""Recordings from somebody who means harm, shown in a real terminal (a pty) in every view and dialog.

What may reach the terminal is said below as a grammar: the control sequences that Textual writes to draw, and
printable characters. Everything that was written has to be made of these. The payloads are none of them, apart from
those that are: colours and a cursor that moves, and they can be told by figures that nothing here draws with.
"""

import json
import re
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gossiplab.text import visible
from tests.tui.test_terminal import Terminal

pytestmark = pytest.mark.slow

_SHOW = Path(__file__).with_name("hostile_show.py")
ESC = "\x1b"

SEQUENCES = (
    # operating system commands: the clipboard, the title, links, colours, files, notifications
    *(f"{ESC}]{body}{end}" for body in (
        "52;c;cHduZWQ=", "0;pwned", "2;pwned", "8;;http://pwned", "4;1;rgb:ff/00/00", "10;#f00", "50;x", "1337;File=:AA=",
        "777;notify;pwned;x", "9;pwned",
    ) for end in ("\a", f"{ESC}\\", "\x9c", "")),
    # control sequences: erase, move, modes, reports, scrolling, keys
    *(f"{start}{body}" for start in (f"{ESC}[", "\x9b") for body in (
        "2J", "3J", "K", "7331;1H", "7331A", "31m", "7331;7m", "?1049l", "?25h", "?1000h", "?2004h", "6n", "c", ">c", "5i",
        "r", "1;7r", "!p", "8;7;7t", "21t", ">4;2m", "?2026l",
    )),
    # strings for the device, other short ones, and single control characters
    f"{ESC}P$q\"p{ESC}\\", f"{ESC}P+q544e{ESC}\\", f"{ESC}P1;1|17/pwned{ESC}\\", "\x90q#1~\x9c", f"{ESC}_Gf=32;AA{ESC}\\",
    f"{ESC}^pwned{ESC}\\", f"{ESC}Xpwned{ESC}\\", f"{ESC}c", f"{ESC}7", f"{ESC}8", f"{ESC}D", f"{ESC}M", f"{ESC}#8", f"{ESC}(0",
    f"{ESC}=", f"{ESC}%@", f"{ESC}n", f"{ESC}{ESC}[A", "\x84\x85\x8d", "\x98pwned\x9c", "\x9dpwned\x9c", "\x9epwned\x9c",
    "\x9fpwned\x9c", "a\0b", "\0", "\a\b\t\n\v\f\r", "\x0e\x0f", "\x05", "\x7f", "a\rb", "\n\n\nn0 was here",
    # what turns the direction of writing, hides, or joins
    "\u202egnippils", "\u202a\u202b\u202d\u202c", "\u2066a\u2069", "\u2067b\u2068", "\u200e\u200f\u061c", "\u200b\u200c\u200d\u2060",
    "\ufeffbom", "\u2028line\u2029paragraph", "\u00adsoft", "\U000e0041\U000e007f", "\ufff9a\ufffab\ufffb", "\ue000\U0010ffff",
    # halves of surrogate pairs
    "\ud800", "a\udfffb", "\udc00\ud800", "\udbff[2J", "\\\ud8ff\\",
)  # fmt: skip
MARKUP = (
    "[red]r[/red]", "[/]", "[/red]", "[bold", "[@click=app.quit]q[/]", "[@click=app.bell]b[/]", "[link=http://x]x[/link]",
    "[on red]x", "[$primary]x[/]", "[not a tag]", "\\[red]", "[[", "]]", "[/[", "[b]\\", ":skull:", "[blink]x[/blink]",
    "[#ff0000]x", "${name}", "{name!r}", "%s%n", "[reverse]x[/reverse]",
)  # fmt: skip
PAYLOADS = SEQUENCES + MARKUP
_PATIENCE = (
    1200.0  # s of real time, on a machine that has other things to do; alone it needs a fraction of it
)
_LONG = "long [b] \x1b[2J"  # again and again

_ALLOWED = re.compile(
    r"""
      \x1b\[ (?: \d+ (?: ; \d+ )? )? H               # the cursor goes to a row and a column
    | \x1b\[ \d{0,3} [ABCDG]                         # or by some
    | \x1b\[ (?: (?: 0 | [1-9] | 2[1-9] | [34]8;2(?:;\d{1,3}){3} | [34]8;5;\d{1,3} | [34][0-79] | 9[0-7] | 10[0-7] ) ;? )* m
    | \x1b\[ \? (?: 25 | 1000 | 1003 | 1004 | 1006 | 1015 | 1016 | 1049 | 2004 | 2026 | 2048 ) [hl]
    | \x1b\[ \? (?: 2026 | 2048 ) \$ p               # does it know this mode?
    | \x1b\[ (?: > \d* | < \d* ) u                   # keys as kitty reports them
    | \x1b\[ \? \d* u
    | \x1b\[ \? 7 [hl]                               # wrapping
    | \x1b\]22;(?:default|pointer|text)\x07          # the shape of the mouse pointer
    | \r | \n
    """,
    re.VERBOSE,
)
_NEVER = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def unlawful(written: str) -> Iterator[str]:
    """Whatever in it is neither printable nor a sequence that Textual draws with, each with its surroundings."""
    end = 0
    for match in _ALLOWED.finditer(written):
        yield from _unprintable(written, end, match.start())
        end = match.end()
    yield from _unprintable(written, end, len(written))


def _unprintable(written: str, start: int, stop: int) -> Iterator[str]:
    for index in range(start, stop):
        if unicodedata.category(written[index]) in _NEVER:
            yield repr(written[max(0, index - 40) : index + 40])


def recording(payloads: list[str]) -> str:
    """A recording that holds each of them in every place of its events, and in turn in every place of its header."""
    turn = (payloads * 8)[: max(8, len(payloads))]
    n = len(payloads) + 2
    header = {
        "gossiplab": 1, "version": turn[0],
        "experiment": {
            "protocol": turn[1], "nodes": n, "topology": turn[2], "until": 9.0, "at": [f"1 {turn[6]}", turn[7]],
            "params": {turn[3]: turn[4], f"b{turn[4]}": turn[3]}, "link": {"latency": "0.1"},
        },
        "parent": {"name": turn[5], "t": 0.5, "events": 1},
    }  # fmt: skip
    events: list[dict[str, Any]] = [
        {"e": "wired", "t": 0.0, "edges": None},
        {"e": "injected", "t": 0.0, "rumor": 0, "node": 0},
    ]
    for id, payload in enumerate(payloads):
        events += [
            {"e": "sent", "t": 1.0, "id": id, "src": id, "dst": id + 1, "due": 3.0 if id % 2 else 8.5, "kind": payload,
             "size": 3, "carries": [0], "body": {payload: [payload]}},
            {"e": "shown", "t": 1.0, "node": id, "name": payload, "value": payload},
            {"e": "shown", "t": 1.0, "node": id, "name": f"deep {payload}", "value": [{payload: payload}]},
            {"e": "shaped", "t": 1.0, "a": "n0", "b": "n1", "settings": [payload, f"loss={payload}"]},
        ]  # fmt: skip
    for command in ("heal\x85\u2028\x1c", "kill\u2029n0\x1d\x1f", "rejoin\x85n0\x0b\x0c"):
        events.append({"e": "command", "t": 2.0, "command": command})
    for id, payload in enumerate(payloads):
        events.append(
            {"e": "dropped", "t": 2.5, "id": id, "why": payload}
            if id % 2
            else {"e": "delivered", "t": 2.6, "id": id}
        )
    events.sort(key=lambda event: event["t"])
    events += [
        {"e": "crashed", "t": 3.0, "node": id, "file": payload, "line": 7, "error": payload} for id, payload in enumerate(payloads)
    ]  # fmt: skip
    events.append({"e": "ended", "t": 9.0, "why": turn[0]})
    # what a terminal obeys stands in the file as an escape or, where JSON allows that, as it is
    text = "".join(
        f"{json.dumps(line, ensure_ascii=bool(number % 2))}\n"
        for number, line in enumerate([header, *events])
    )
    return re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text)


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """Show recordings in a pty; what was written to it."""
    folder = tmp_path / "data" / "gossiplab" / "recordings"
    folder.mkdir(parents=True)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    opened = []

    def show(files: dict[str, str], size: tuple[int, int] = (100, 30)) -> str:
        for name, text in files.items():
            (folder / f"{name}.gossip").write_text(text, encoding="utf-8")
        terminal = Terminal(sys.executable, str(_SHOW), str(folder), size=size)
        opened.append(terminal)
        assert terminal.end(_PATIENCE) == 0, terminal.output[-3000:]
        return terminal.output.decode("utf-8")

    yield show
    for each in opened:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()
        each.hang_up()


def _check(written: str, payloads: list[str]) -> None:
    assert not list(unlawful(written))[:5]
    text = re.sub(r"\s+", " ", _ALLOWED.sub("", written))
    for payload in payloads:
        seen = visible(payload, 40)[:12].strip()
        assert re.sub(r"\s+", " ", seen) in text, seen


def _files(payloads: tuple[str, ...], each: int) -> dict[str, str]:
    return {
        f"{start:03}": recording(list(payloads[start : start + each]))
        for start in range(0, len(payloads), each)
    }


def test_the_grammar_finds_what_it_should():
    assert not list(unlawful("\x1b[1;38;2;1;2;3m\x1b[12;3Hn0 ●\x1b[?25l\r\n"))
    harmless = {
        f"{ESC}[31m",
        f"{ESC}[K",
        f"{ESC}[?1049l",
        f"{ESC}[?25h",
        f"{ESC}[?1000h",
        f"{ESC}[?2004h",
        f"{ESC}[?2026l",
    }
    for payload in SEQUENCES:
        if not _ALLOWED.fullmatch(payload) and set(payload) - {"\r", "\n"} != set(
            payload.replace("\r", "").replace("\n", "a")
        ):
            assert list(unlawful(payload)) or payload in harmless, payload


def test_there_are_enough_of_them():
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 100


def test_nothing_reaches_the_terminal_raw(shown):
    _check(shown(_files(PAYLOADS, 28)), list(PAYLOADS))


@pytest.mark.parametrize("megabytes", [1, pytest.param(5, marks=pytest.mark.soak)])
def test_long_strings(shown, megabytes):
    long = _LONG * (megabytes * 2**20 // len(_LONG) + 1)
    written = shown({"long": recording([long])})
    assert not list(unlawful(written))[:5]
    assert "long [b] <U+001B>" in _ALLOWED.sub("", written)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(6))
@pytest.mark.parametrize("size", [(80, 24), (160, 48), (200, 60)])
def test_each_payload_in_every_place(shown, size, part):
    _check(shown(_files(PAYLOADS[part::6], 1), size), [])
