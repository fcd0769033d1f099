"""When a protocol crashes, hangs or spins: what the screen says of it, and what it offers to do."""

import sys
from math import inf

import pytest

from gossiplab.engine import watchdog
from gossiplab.errors import UserError
from gossiplab.recording.reader import open_recording
from gossiplab.recording.verify import verify
from gossiplab.tui.editor import edit_command, protocol_file
from tests.helpers import SPECIMENS, specimen
from tests.tui.driving import LARGE, SMALL, live, replay

pytestmark = pytest.mark.anyio

STUCK = {"params": {"where": "round", "way": "loop", "first": 11}, "nodes": 12, "speed": inf, "paused": False}
SPINS = {"nodes": 3, "speed": inf, "paused": False, "params": {"where": "timer", "way": "spin", "first": 2}}


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(watchdog, "PATIENCE", 0.06)


def _banner(hand):
    return hand.screen.query_one("#banner")


def _said(hand):
    return " ".join(hand.shown("banner").split())


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_a_node_that_hangs_pauses_the_lab_until_somebody_has_read_it(tmp_path, size):
    path = tmp_path / "run.gossip"
    async with live(path, "stuck", size=size, **STUCK) as hand:
        clock = hand.session.lab.clock
        await hand.until(lambda: hand.session.latest.crashes and clock.paused)
        await hand.draw()
        assert "n11 was stopped by its own protocol at 2.000 s, in stuck.py, line" in _said(hand)
        assert "beat does not return" in _said(hand)
        for choice in ("esc go on without it", "R restart it fresh", "E open stuck.py"):
            assert choice in _said(hand)
        await hand.press("escape")
        assert not _banner(hand).display
        assert not clock.paused
        await hand.until(lambda: hand.session.end > 4)
        await hand.draw()
        assert not _banner(hand).display
        await hand.press("q")
    assert verify(open_recording(path), specimen("stuck")) is None


async def test_a_node_that_spins_is_told_the_same_way(tmp_path):
    async with live(tmp_path / "run.gossip", "stuck", **SPINS) as hand:
        clock = hand.session.lab.clock
        await hand.until(lambda: hand.session.latest.crashes and clock.paused)
        await hand.draw()
        assert "n2 was stopped by its own protocol at 2.250 s, in stuck.py, line" in _said(hand)
        assert "no virtual time passes" in _said(hand)
        await hand.press("escape")
        assert not clock.paused


async def test_a_pause_of_ones_own_stays(tmp_path):
    fields = {**STUCK, "params": {"where": "inject", "way": "loop", "first": 3}}
    async with live(tmp_path / "run.gossip", "stuck", **{**fields, "paused": True}) as hand:
        await hand.select(3)
        await hand.press("i")
        await hand.until(lambda: hand.session.latest.crashes)
        await hand.draw()
        await hand.press("escape")
        assert not _banner(hand).display
        assert hand.session.lab.clock.paused


@pytest.mark.parametrize("by", ["key", "click"])
async def test_restart_rejoins_it_fresh_and_goes_on(tmp_path, by):
    path = tmp_path / "run.gossip"
    async with live(path, "stuck", **STUCK) as hand:
        await hand.until(lambda: hand.session.latest.crashes and hand.session.lab.clock.paused)
        await hand.draw()
        if by == "key":
            await hand.press("R")
        else:
            await _click(hand, "restart")
        await hand.happened("rejoin")
        await hand.until(lambda: len(hand.session.latest.crashes) == 2)  # in its second round, again
        await hand.press("q")
    assert verify(open_recording(path), specimen("stuck")) is None


async def _click(hand, word):
    rows = hand.shown("banner").splitlines()
    row = next(y for y, line in enumerate(rows) if word in line)
    await hand.pilot.click("#banner", offset=(rows[row].index(word), row))
    await hand.settle()


async def test_the_file_opens_in_the_editor(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("gossiplab.tui.app.edit", lambda app, path, line: opened.append((path, line)))
    async with live(tmp_path / "run.gossip", "stuck", **STUCK) as hand:
        await hand.until(lambda: hand.session.latest.crashes and hand.session.lab.clock.paused)
        await hand.draw()
        await hand.press("E")
        await _click(hand, "open")
        line = hand.session.latest.crashes[-1].line
        assert opened == [(SPECIMENS / "stuck.py", line)] * 2
        assert "open a new one to run your change" in hand.said


async def test_without_an_editor_it_says_where_the_file_is(tmp_path, monkeypatch):
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    async with live(tmp_path / "run.gossip", "stuck", **STUCK) as hand:
        await hand.until(lambda: hand.session.latest.crashes and hand.session.lab.clock.paused)
        await hand.draw()
        await hand.press("E")
        assert hand.said.startswith("EDITOR names no editor")
        assert "stuck.py" in hand.said


async def test_where_nothing_crashed_the_keys_say_so(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await hand.press("R")
        assert "select it and press r" in hand.said
        await hand.press("E")
        assert "no line to open" in hand.said


async def test_a_recording_cannot_name_a_file_to_open(tmp_path, monkeypatch):
    """It is a stranger's: only the file that the protocol here was loaded from may be opened."""
    path = tmp_path / "run.gossip"
    async with live(path, "stuck", **STUCK) as hand:
        await hand.until(lambda: hand.session.latest.crashes)
        await hand.press("q")
    data = path.read_bytes().replace(b'"protocol":"stuck"', b'"protocol":"rumor"', 1)
    assert b',"own":true' in data
    path.write_bytes(data.replace(b',"own":true', b"", 1))
    async with replay(path) as hand:
        await hand.press("end")
        await hand.draw()
        assert "in stuck.py" in _said(hand)
        await hand.press("E")
        assert "not among the protocol files" in hand.said


@pytest.mark.parametrize("editor, expected", [
    ("vi", ["vi", "+7", "a.py"]),
    ("/usr/bin/emacs -nw", ["/usr/bin/emacs", "-nw", "+7", "a.py"]),
    ("code", ["code", "--wait", "--goto", "a.py:7"]),
    ("hx", ["hx", "a.py:7"]),
])  # fmt: skip
def test_editors_are_told_the_line(tmp_path, editor, expected):
    path = tmp_path / "a.py"
    told = edit_command(editor, path, 7)
    assert [word.replace(f"{tmp_path}/", "") for word in told] == expected


@pytest.mark.parametrize("editor", [None, "", "  ", '"'])
def test_no_editor_is_a_sentence(tmp_path, editor):
    with pytest.raises(UserError, match="EDITOR names no editor"):
        edit_command(editor, tmp_path / "a.py", 7)


def test_a_protocol_without_a_file_has_none_to_open():
    with pytest.raises(UserError, match="open it by hand"):
        protocol_file(specimen("stuck"), "other.py")
    assert protocol_file(specimen("stuck"), "stuck.py").parent == SPECIMENS
    assert sys.modules[specimen("stuck").__module__]
