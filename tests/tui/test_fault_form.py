"""The form for faults, the same greying in the palette, and the line that names a run and is copied."""

import shlex
import subprocess
import sys

import pytest
from textual.command import CommandInput, CommandList
from textual.geometry import Region
from textual.widgets import Input, OptionList, Static

from gossiplab.commands import VERBS, parse_command
from gossiplab.events import Commanded
from gossiplab.recording.reader import open_recording
from gossiplab.tui.fault_form import FaultForm, entry
from gossiplab.tui.idle import why_idle
from gossiplab.tui.outlook import Target, begun, outlook
from gossiplab.tui.run_name import RunName, unfit
from gossiplab.tui.selection import PickedLink, PickedMessage
from gossiplab.world.world import new_world
from tests.helpers import bytes_of, events_of, header_of, only
from tests.tui.driving import LARGE, SMALL, live, replay

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


async def _form(hand):
    await hand.press("f")
    await hand.until(lambda: isinstance(hand.app.screen, FaultForm) and hand.app.screen.query("#do"))
    await hand.settle()
    return hand.app.screen


async def _write(hand, form, text):
    line = form.query_one(Input)
    line.value = ""
    form.set_focus(line)
    await hand.settle()
    await hand.type(text)
    await hand.until(lambda: line.value == text)
    await hand.settle()
    return _said(form)


def _said(form):
    return str(form.query_one("#outlook", Static).content)


def _entries(form):
    faults = form.query_one(OptionList)
    return {option.id: str(option.prompt) for option in faults.options}


@pytest.mark.parametrize("text, said", [
    ("skew n2 1.5", "Enter does it now: skew n2 1.5 (let clocks run at 1.5 times the pace)."),
    ("skew n2 -2", "Enter does it now: skew n2 -2 (let clocks jump by -2 s)."),
    ("skew n2 off", "let clocks be right again"),
])  # fmt: skip
async def test_a_skew_is_explained_by_its_own_numbers(tmp_path, text, said):
    async with live(tmp_path / "run.gossip", posts=[(0.0, "skew n2 2")]) as hand:
        await hand.run_to(1.0)
        assert said in await _write(hand, await _form(hand), text)


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_every_command_is_there_and_what_would_change_nothing_says_why(tmp_path, size):
    async with live(tmp_path / "run.gossip", size=size) as hand:
        await hand.select(3)
        entries = _entries(await _form(hand))
        assert list(entries) == list(VERBS)
        assert all(entries[verb].startswith(VERBS[verb][0].usage) for verb in VERBS)
        for verb, why in {
            "rejoin": "n3 is up: only nodes that are down can rejoin.",
            "resume": "n3 is up: only paused nodes can be resumed.",
            "heal": "nothing is cut: there is nothing to heal.",
            "calm": "nothing flaps and there is no churn: it is calm.",
            "release": "no messages are held: there is nothing to release.",
        }.items():
            assert entries[verb].endswith(f"○ {why}")
        for verb in ("kill", "leave", "pause", "partition", "cut", "link", "skew", "flap", "churn", "hold"):
            assert entries[verb].endswith(VERBS[verb][0].doc)


async def test_what_is_grey_follows_the_lab_that_goes_on(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        form = await _form(hand)
        assert "○" in _entries(form)["heal"]
        hand.session.act(parse_command("partition n0-n3", 12))
        await hand.happened("partition")
        await hand.until(lambda: "○" not in _entries(form)["heal"])


async def test_a_chosen_command_is_begun_with_the_marked_nodes_and_uses_up_the_marks(tmp_path):
    path = tmp_path / "run.gossip"
    async with live(path) as hand:
        for node in (2, 5):
            await hand.select(node)
            await hand.press("m")
        form = await _form(hand)
        await hand.press("enter")
        assert form.query_one(Input).value == "kill n2,n5"
        await hand.until(lambda: _said(form) == "→ Enter does it now: kill n2,n5 (stop nodes at once).")
        await hand.press("enter")
        await hand.happened("kill")
        assert hand.app.screen is hand.screen
        assert not hand.screen.stage.marked
    assert [each.command for each in only(open_recording(path).read(0), Commanded)][-1] == "kill n2,n5"


@pytest.mark.parametrize("text, linked", [
    ("cut n0 to n1", True), ("cut n0 to n3", False), ("link n0 n2-n4 loss=0.5", False), ("link n0 n4-n5 loss=0.5", True),
    ("partition n0 from n2", False), ("partition n0", True), ("kill n3", True),
])  # fmt: skip
async def test_where_no_link_leads_it_is_said(tmp_path, text, linked):
    async with live(tmp_path / "run.gossip", "epidemic", nodes=6, topology="ring") as hand:
        said = outlook(text, hand.session)
        assert said.how == "does"
        assert ("no link there" in said.text) != linked


@pytest.mark.parametrize("text, spared", [
    ("leave n1-n4", "n1,n3"), ("kill n1-n4", "n1"), ("rejoin n0-n2", "n0,n2"), ("pause n2-n4", "n3"), ("kill n4", None),
])  # fmt: skip
async def test_nodes_that_a_command_spares_are_named(tmp_path, text, spared):
    async with live(tmp_path / "run.gossip", posts=[(0.5, "kill n1"), (0.5, "pause n3")]) as hand:
        await hand.run_to(1.0)
        said = outlook(text, hand.session)
        assert said.how == "does"
        assert said.text.partition("nothing changes for ")[2].rstrip(".") == (spared or "")


async def test_while_one_writes_the_line_below_says_what_comes_of_it(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        form = await _form(hand)
        for text, said in (
            ("kill", "→ go on as in kill NODES."),
            ("kill n99", "✗ there is no node n99: this lab has nodes n0 to n11."),
            ("kill n3 now", "✗ 'kill n3 now' is not how kill is written: write kill NODES."),
            ("resume n3", "○ this would change nothing: n3 is up: only paused nodes can be resumed."),
            ("hold", "→ Enter does it now: hold (keep all messages in flight, or those to some nodes)."),
            ("\x1b[2J", "✗ '<U+001B>[2J' is no command"),
        ):
            assert (await _write(hand, form, text)).replace("\\x1b", "<U+001B>").startswith(said)
        drawn = (await _write(hand, form, "kill random 3")).partition(": kill ")[2].partition(" (")[0]
        await hand.press("enter")
        await hand.happened("kill")
        assert hand.session.latest.deeds[-1].command == f"kill {drawn}"


async def test_enter_does_not_do_what_would_change_nothing(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        form = await _form(hand)
        deeds = len(hand.session.latest.deeds)
        await _write(hand, form, "heal")
        await hand.press("enter")
        assert hand.app.screen is form
        assert len(hand.session.latest.deeds) == deeds
        await hand.press("escape")
        assert form.focused is form.query_one(OptionList)
        await hand.press("escape")
        await hand.until(lambda: hand.app.screen is hand.screen)


async def test_the_mouse_chooses_and_does(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await hand.select(4)
        form = await _form(hand)
        await hand.pilot.click("#faults", offset=(3, 0))
        await hand.until(lambda: form.query_one(Input).value == "kill n4")
        await hand.settle()
        await hand.pilot.click("#do")
        await hand.happened("kill")


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_all_of_the_form_is_in_sight(tmp_path, size):
    async with live(tmp_path / "run.gossip", size=size) as hand:
        form = await _form(hand)
        for id in ("faults", "fault", "outlook", "do"):
            assert Region(0, 0, *size).contains_region(form.query_one(f"#{id}").region)
        assert form.query_one("#faults").region.height >= 10


async def test_in_the_past_it_says_that_another_future_begins(tmp_path):
    path = tmp_path / "run.gossip"
    path.write_bytes(bytes_of(header_of("epidemic", nodes=6, until=5.0)))
    async with replay(path) as hand:
        hand.session.seek(2.0)
        await hand.draw()
        form = await _form(hand)
        said = await _write(hand, form, "kill n1")
        assert said == "→ Enter begins another future from 2.000 s on: kill n1 (stop nodes at once)."
        await hand.press("enter")
        await hand.until(lambda: len(hand.app.tracks.all) == 2)
        await hand.until(lambda: any(deed.command == "kill n1" for deed in hand.app.session.latest.deeds))
        assert hand.app.session.header.parent.t == 2.0


async def test_a_recording_whose_protocol_is_not_here_says_so(tmp_path):
    path = tmp_path / "run.gossip"
    path.write_bytes(bytes_of(header_of("chatter", nodes=6, until=5.0)))
    async with replay(path) as hand:
        assert "there is no protocol 'chatter'" in await _write(hand, await _form(hand), "kill n1")


async def test_a_rumor_is_no_use_to_a_protocol_that_spreads_none(tmp_path):
    async with live(tmp_path / "run.gossip", protocol="swim", nodes=4) as hand:
        assert "spreads no rumors" in _entries(await _form(hand))["inject"]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("target", [
    Target((2,)), Target((1, 3)), Target((), PickedMessage(7)), Target((2,), PickedMessage(7)), Target((2,), PickedLink(0, 1)),
])  # fmt: skip
def test_what_is_begun_is_a_command_or_waits_for_an_argument(verb, target):
    text = begun(verb, target)
    if text.endswith(" "):
        assert text == f"{verb} "
    else:
        assert type(parse_command(text, 5)) is VERBS[verb][0]


async def test_the_palette_greys_keys_that_would_change_nothing_too(tmp_path):
    async def keys():
        await hand.press("colon")
        hits = hand.app.screen.query_one(CommandList)
        await hand.until(lambda: hits.option_count)
        shown = [str(option.prompt).partition("\n") for option in hits.options]
        await hand.press("escape")
        return {name.rpartition("(")[2].rstrip(")"): why.strip(" ○") for name, _, why in shown if "(" in name}

    async with live(tmp_path / "run.gossip") as hand:
        grey = await keys()
        for key in "krlpim":
            assert grey[key] == "no node is selected: choose one with tab, the arrows or a click."
        assert grey["h"] == "nothing is cut: there is nothing to heal."
        assert (
            grey["o"]
            == grey["c"]
            == "there is one future only: act while you look at the past to begin another."
        )
        assert grey["R"] == grey["E"] == "no node was stopped by its own protocol."
        assert not grey["space"]
        await hand.select(1)
        grey = await keys()
        assert grey["r"] == "n1 is up: only nodes that are down can rejoin."
        assert not any(grey[key] for key in "klpim")
        hand.session.act(parse_command("pause n1", 12))
        await hand.happened("pause")
        assert not (await keys())["space"]  # which pauses the lab, and not the node
        for why, press in (("", "k"), ("n1 is dead already: press r to let it rejoin.", "k")):
            assert grey["k"] == why
            await hand.press(press)
            await hand.happened("kill")
            grey = await keys()


async def test_a_lab_without_nodes_says_so_of_every_command(tmp_path):
    async with live(tmp_path / "run.gossip", nodes=0) as hand:
        entries = _entries(await _form(hand))
        assert all(entry.endswith("○ this lab has no nodes.") for entry in entries.values())


async def test_the_palette_greys_what_would_change_nothing_and_says_why(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await hand.select(1)
        await hand.press("colon")
        palette = hand.app.screen
        hits = palette.query_one(CommandList)
        await hand.until(lambda: hits.option_count)
        shown = [option.prompt for option in hits.options]
        why = "nothing is cut: there is nothing to heal."
        (heal,) = (each for each in shown if str(each).startswith("heal\n"))
        assert heal == entry("heal", why)
        assert str(heal).endswith(why)
        assert any(each == entry("kill", None) for each in shown)
        await hand.type("resume n1")
        await hand.until(lambda: palette.query_one(CommandInput).value == "resume n1")
        await hand.until(
            lambda: hits.option_count and "only paused nodes" in str(hits.get_option_at_index(0).prompt)
        )


async def test_the_line_of_a_run_is_shown_and_copied_and_gives_the_same_events(tmp_path):
    async with live(tmp_path / "run.gossip", "epidemic", nodes=6, seed=3) as hand:
        await hand.run_to(1.0)
        hand.session.act(parse_command("kill n2", 6))
        await hand.happened("kill")
        await hand.run_to(2.0)
        await hand.press("g")
        await hand.until(lambda: isinstance(hand.app.screen, RunName) and hand.app.screen.query("#line"))
        line = str(hand.app.screen.query_one("#line", Static).content)
        assert line.startswith("gossiplab run epidemic --nodes 6")
        assert "--seed 3" in line
        assert "'1 kill n2'" in line
        await hand.press("c")
        assert hand.app.clipboard == line
        assert "clipboard" in str(hand.app.screen.query_one("#copied", Static).content)
        live_events = list(hand.session.events())
    again = tmp_path / "again.gossip"
    command = [sys.executable, "-m", "gossiplab", *shlex.split(line)[1:], "--record", str(again)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: ASYNC221  # nothing else is to be done
    events = list(open_recording(again).read(0))
    assert events[: len(live_events)] == live_events
    assert {each.__struct_config__.tag for each in events[len(live_events) :]} <= {"ended"}


async def test_the_line_names_the_folder_of_ones_own_protocol(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        assert "--protocols " in (hand.screen.line() or "")


@pytest.mark.parametrize(
    "line", ["run \x1b[2J", "run 'é'", "run\n", "run \x9b", "run '\u202e'", "x" * 60_000]
)
def test_what_is_not_printable_ascii_is_not_copied(line):
    assert "export FILE --to experiment" in (unfit(line) or "")


@pytest.mark.parametrize("text, said", [
    ("partition n0-n2", "this is cut already"), ("partition n3-n5", "this is cut already"),
    ("cut n0-n2 to n3-n5", "this is cut already"), ("cut n0 to n3", "this is cut already"), ("partition n0", None),
    ("resume n0-n5", "up or down"), ("skew n0 +0", "by 0 s no clock changes"),
])  # fmt: skip
def test_what_is_so_already_is_said_as_it_is(text, said):
    header = header_of("epidemic", nodes=6, at=["1 partition n0-n2", "1.5 kill n4"], until=2.0)
    world = new_world(header)
    world.apply(events_of(header))
    why = why_idle(parse_command(text, 6), world, header.experiment.link)
    assert why is None if said is None else said in why
