"""The lab screen: pictures of it, the palette, the help, small windows, themes."""

import re
from pathlib import Path

import pytest
from rich.style import Style
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.command import CommandInput, CommandList
from textual.events import Click, Paste
from textual.widgets import Static

from gossiplab.recording.reader import open_recording
from gossiplab.tui.ascii import to_ascii
from gossiplab.tui.keys import NODES, TIME, strokes
from gossiplab.tui.status import speed_text
from tests.helpers import bytes_of, header_of
from tests.tui.driving import LARGE, SMALL, live, replay

pytestmark = pytest.mark.anyio

README = Path(__file__).parents[2] / "README.md"

RUMOR = {
    "protocol": "epidemic",
    "topology": "watts-strogatz(k=4,p=0.2)",
    "seed": 3,
    "link": {"latency": "0.3..0.6"},
}
POSTS = [(1.2, "kill n5"), (2.0, "partition n0-n3"), (2.5, "inject n7")]


class Picture(SingleFileSnapshotExtension):
    """A picture of the screen that a browser shows, without what differs from run to run."""

    _write_mode = WriteMode.TEXT
    file_extension = "svg"


@pytest.fixture
def picture(snapshot):
    return snapshot.use_extension(Picture)


def _svg(app):
    svg = re.sub(r"terminal-\d+", "terminal", app.export_screenshot())
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
async def test_picture_of_a_live_lab(tmp_path, picture, size):
    async with live(tmp_path / "run.gossip", posts=POSTS, size=size, **RUMOR) as hand:
        await hand.run_to(3.0)
        await hand.select(1)
        await hand.draw()
        assert _svg(hand.app) == picture


async def test_picture_of_the_past(tmp_path, picture):
    async with live(tmp_path / "run.gossip", posts=POSTS, **RUMOR) as hand:
        await hand.run_to(3.0)
        hand.session.seek(1.5)
        await hand.press("tab", "c")
        await hand.draw()
        assert _svg(hand.app) == picture


async def test_picture_of_a_replay(tmp_path, picture):
    path = tmp_path / "run.gossip"
    fields = {name: value for name, value in RUMOR.items() if name != "protocol"}
    path.write_bytes(bytes_of(header_of("epidemic", nodes=12, until=4.0, **fields), POSTS))
    async with replay(path, size=LARGE) as hand:
        hand.session.seek(2.75)
        await hand.press("tab")
        assert _svg(hand.app) == picture


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
async def test_picture_of_the_help(tmp_path, picture, size):
    async with live(tmp_path / "run.gossip", size=size, **RUMOR) as hand:
        await hand.press("question_mark")
        assert _svg(hand.app) == picture
        await hand.press("escape")
        assert hand.app.screen is hand.screen


async def test_picture_in_the_light_theme(tmp_path, picture):
    async with live(tmp_path / "run.gossip", posts=POSTS, **RUMOR) as hand:
        hand.app.theme = "textual-light"
        await hand.run_to(3.0)
        assert _svg(hand.app) == picture


def _contrast(style):
    """Of a piece of text with its ground, after WCAG 2.2."""
    levels = []
    for colour in (style.color, style.bgcolor):
        parts = [c / 255 for c in colour.get_truecolor()]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        levels.append(
            0.05 + sum(c * share for c, share in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))
        )
    return max(levels) / min(levels)


async def test_keys_and_the_state_of_the_lab_can_be_read_in_every_theme(tmp_path):
    async with live(tmp_path / "run.gossip", posts=POSTS, size=LARGE, **RUMOR) as hand:
        themes = [theme for theme in hand.app.available_themes.values() if not theme.ansi]
        assert len(themes) > 10
        for theme in themes:
            hand.app.theme = theme.name
            await hand.run_to(hand.session.end + 0.1)
            for part in ("#keys", "#status", "#tabs"):
                widget = hand.screen.query_one(part)
                pieces = [piece for y in range(widget.size.height) for piece in widget.render_line(y)]
                for text, style, _ in pieces:
                    assert not text.strip() or _contrast(style) >= 4.5, (theme.name, part, text, style)


@pytest.mark.parametrize("theme", ["textual-dark", "ansi-dark"])
async def test_picture_without_colour(tmp_path, picture, monkeypatch, theme):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr("textual.app.App.theme._default", theme)
    async with live(tmp_path / "run.gossip", posts=POSTS, **RUMOR) as hand:
        await hand.run_to(3.0)
        assert hand.app.theme == "textual-dark"
        svg = _svg(hand.app)
        colours = {found.lower() for found in re.findall(r"fill: (#[0-9a-fA-F]{6})", svg)}
        assert all(colour[1:3] == colour[3:5] == colour[5:7] for colour in colours - {"#c5c8c6"})
        assert svg == picture


async def test_a_window_that_becomes_too_small_says_so_and_recovers(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await hand.pilot.resize_terminal(30, 10)
        await hand.settle()
        assert hand.screen.query_one("#small").display
        assert not hand.screen.stage.display
        await hand.pilot.resize_terminal(80, 24)
        await hand.settle()
        assert hand.screen.stage.display
        assert not hand.screen.query_one("#small").display


@pytest.mark.parametrize("size", [(40, 12), SMALL, (100, 30), LARGE], ids=str)
async def test_the_status_fits(tmp_path, size):
    async with live(tmp_path / "run.gossip", size=size) as hand:
        await hand.run_to(3.0)
        await hand.press("home", "minus", "minus")
        lines = hand.shown("status").splitlines()
        assert len(lines) == 2
        assert "looking back at 0.000 s" in lines[0]
        assert "/12 know" in lines[1]


@pytest.mark.parametrize("width", [40, 80, 100, 200])
async def test_the_bar_names_the_keys_that_are_needed_most_and_none_by_half(tmp_path, width):
    async with live(tmp_path / "run.gossip", size=(width, 24)) as hand:
        bar = "  ".join(hand.shown("keys").splitlines())
        named = [hint.word for hint in (*NODES, *TIME) if hint.word in bar.split()]
        assert re.split("   *", bar) == [hint_text(hint) for hint in (*NODES, *TIME) if hint.word in named]
        if width >= 80:
            assert {"select", "info", "kill", "faults", "pause", "explain", "help", "quit"} <= set(named)
        if width == 200:
            assert len(named) == len(NODES) + len(TIME)


def hint_text(hint):
    caps = "".join(f" {each.cap}" if len(each.cap) > 1 else each.cap for each in hint.strokes).lstrip()
    return f"{caps} {hint.word}"


async def test_a_click_on_the_key_bar_presses_the_key(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        bar = hand.shown("keys").splitlines()
        row = next(y for y, line in enumerate(bar) if "help" in line)
        await hand.pilot.click("#keys", offset=(bar[row].index("help"), row))
        await hand.until(lambda: hand.app.screen is not hand.screen)


async def test_commands_are_typed_in_the_palette(tmp_path):
    path = tmp_path / "run.gossip"
    async with live(path) as hand:
        await hand.press("colon")
        await hand.type("kill n0-n3")
        await hand.press("enter")
        await hand.happened("kill")
        await hand.press("ctrl+p")
        await hand.type("link n0 n1 loss=0.1")
        await hand.press("enter")
        await hand.happened("link")
    assert open_recording(path).at(9).shapes[0].settings == ("loss=0.1",)


async def test_clicks_that_come_late_in_the_palette_do_nothing(tmp_path):
    """What was clicked may have gone from the list, or the palette itself may have gone."""
    async with live(tmp_path / "run.gossip", size=LARGE) as hand:
        await hand.press("colon")
        palette = hand.app.screen
        hits = palette.query_one(CommandList)
        await hand.until(lambda: hits.option_count)
        x, y = hits.region.offset.x + 1, hits.region.offset.y + 1
        gone = Style.from_meta({"option": hits.option_count})
        hits.post_message(Click(hits, 1, 1, 0, 0, 1, False, False, False, screen_x=x, screen_y=y, style=gone))
        await hand.settle()
        assert hand.app.screen is palette
        for _ in range(3):
            palette.dismiss()
        await hand.settle()
        assert hand.app.screen is hand.screen
        await hand.press("question_mark")
        help_screen = hand.app.screen
        assert help_screen is not hand.screen
        for _ in range(3):
            help_screen.dismiss()
        await hand.settle()
        assert hand.app.screen is hand.screen


@pytest.mark.parametrize("opening", [":", "t:", "f", "t4f"])
async def test_a_command_in_one_breath_acts_on_what_it_names_only(tmp_path, opening):
    async with live(tmp_path / "run.gossip") as hand:
        await hand.press("tab", "tab")
        hand.at_once(f"{opening}kill n3\n")
        await hand.happened("kill")
        await hand.until(lambda: hand.app.screen is hand.screen)
        await hand.draw()
    assert [deed.command for deed in hand.session.latest.deeds] == ["inject n0", "kill n3"]


@pytest.mark.parametrize("text", [":kill n6\n:kill n7\n", "fkill n6\n:kill n7\n", "fkill n6\nfkill n7\n"])
async def test_commands_in_one_breath_act_one_after_the_other(tmp_path, text):
    async with live(tmp_path / "run.gossip") as hand:
        await hand.press("tab")
        hand.at_once(text)
        await hand.happened("kill", 2)
        await hand.until(lambda: hand.app.screen is hand.screen)
        hand.at_once(":kill n8\nk")  # and a key after it, which acts on what is selected
        await hand.happened("kill", 4)
    killed = [deed.command for deed in hand.session.latest.deeds if "kill" in deed.command]
    assert killed == ["kill n6", "kill n7", "kill n8", "kill n0"]


@pytest.mark.parametrize("opening", [":", "f"])
async def test_what_is_pasted_in_the_same_breath_goes_where_the_key_leads(tmp_path, opening):
    async with live(tmp_path / "run.gossip") as hand:
        hand.at_once(opening)
        hand.app.post_message(Paste("kill n6"))
        hand.at_once("\n")
        await hand.happened("kill")


async def test_a_filter_in_one_breath_is_a_filter(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await hand.open("log")
        log = hand.screen.view
        await hand.press("1", "tab")
        hand.at_once(f"t{hand.screen.views.index(log) + 1}/kind:injected q\n")
        await hand.until(lambda: hand.screen.view is log)
        await hand.until_drawn(lambda: hand.state().startswith("0 of"))
        hand.at_once("/\b\b\n1")
        await hand.until(lambda: hand.screen.view is hand.screen.stage)
        await hand.open("log")
        assert hand.state().startswith("1 of")
    assert len(hand.session.latest.deeds) == 1


async def test_a_key_that_never_ends_does_not_hold_up_the_next_ones_for_ever(tmp_path, monkeypatch):
    async with live(tmp_path / "run.gossip") as hand:
        answered = hand.app._answered

        async def lost(key, screen):
            monkeypatch.setattr(hand.app, "_answered", answered)

        monkeypatch.setattr(hand.app, "_answered", lost)
        hand.at_once("\t\t")
        await hand.until(lambda: hand.screen.stage.selected is not None)
        await hand.settle()
        assert hand.screen.stage.selected == 0  # the second one waits
        monkeypatch.setattr("gossiplab.tui.app._LONGEST_KEY", 0.0)
        await hand.press("tab")
        await hand.until(lambda: hand.screen.stage.selected == 2)


async def test_what_is_done_in_the_past_in_one_breath_is_done_in_one_future(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await hand.run_to(4.0)
        await hand.press("tab")
        hand.session.seek(2.0)
        hand.at_once("kph")
        await hand.until(lambda: len(hand.app.tracks.all) == 2)
        await hand.until(lambda: len(hand.app.tracks.session.latest.deeds) >= 3)
        await hand.settle()
        deeds = [deed.command for deed in hand.app.tracks.session.latest.deeds]
    assert deeds[:3] == ["inject n0", "kill n0", "partition n0"]
    assert len(hand.app.tracks.all) == 2


async def test_nobody_acts_on_a_lab_that_is_not_seen(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await hand.press("tab")
        await hand.pilot.resize_terminal(39, 11)
        await hand.until(lambda: hand.screen.has_class("-small"))
        await hand.press("k")
        await hand.pilot.resize_terminal(80, 24)
        await hand.until(lambda: not hand.screen.has_class("-small"))
        await hand.press("k")
        await hand.happened("kill")
    assert [deed.command for deed in hand.session.latest.deeds] == ["inject n0", "kill n0"]


async def test_the_tab_of_the_view_is_seen_in_a_narrow_window_too(tmp_path):
    async with live(tmp_path / "run.gossip", size=(40, 14)) as hand:
        await hand.press("7")
        assert hand.shown("tabs").strip() == "1 2 3 4 5 6 [7 repair]"


async def test_no_message_in_sight_is_said(tmp_path):
    async with live(tmp_path / "run.gossip", "merkle_repair") as hand:
        await hand.press("y")
        assert hand.said == "no message is in sight that could be muted."
        assert hand.app.focused is hand.screen.stage


async def test_keys_go_on_where_a_dialog_closes(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await hand.press("tab")
        hand.at_once("?\x1bf\x1bk")
        await hand.happened("kill")


async def test_a_picture_is_saved_beside_the_recordings(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    async with live(tmp_path / "run.gossip") as hand:
        commands = {command.title: command for command in hand.app.get_system_commands(hand.screen)}
        commands["Picture"].callback()
        await hand.until(lambda: list((tmp_path / "data" / "gossiplab" / "recordings").glob("*.svg")))


async def test_a_bad_command_is_told_in_a_sentence(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await hand.press("colon")
        await hand.type("kill n99")
        await hand.press("enter")
        await hand.until(lambda: hand.said)
        assert hand.said == "there is no node n99: this lab has nodes n0 to n11."


async def test_choosing_how_a_command_is_written_begins_it(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await hand.press("colon")
        await hand.type("gracef")
        palette = hand.app.screen
        await hand.until(lambda: palette.query_one(CommandList).option_count)
        await hand.press("enter")
        await hand.until(lambda: palette.query_one(CommandInput).value == "leave ")
        await hand.type("n2")
        await hand.press("enter")
        await hand.happened("leave")


async def test_keys_are_found_by_name(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await hand.press("colon")
        await hand.type("faster")
        palette = hand.app.screen
        await hand.until(lambda: palette.query_one(CommandList).option_count)
        await hand.press("enter")
        await hand.until(lambda: hand.session.speed == 2.0)


async def test_details_can_be_hidden_and_shown(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        panel = hand.screen.query_one("#panel")
        assert not panel.display
        await hand.press("d", "tab")
        assert panel.display
        assert hand.shown("panel").splitlines()[0].strip() == "n0"
        await hand.press("d")
        assert not panel.display


def test_every_key_has_a_sentence():
    assert all(each.doc.endswith(".") for each in strokes())


def test_every_key_is_in_the_readme():
    _, _, lab = README.read_text(encoding="utf-8").partition("## In the lab\n")
    table, _, _ = lab.partition("## ")
    for each in strokes():
        assert f"`{each.cap}`" in table or each.cap in "←→↑↓ shift+tab esc", each.cap


@pytest.mark.parametrize(
    "speed, text",
    [(0.05, "1/20x"), (0.5, "1/2x"), (1, "1x"), (100, "100x"), (float("inf"), "as fast as it goes")],
)
def test_speeds_for_people(speed, text):
    assert speed_text(speed) == text


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
async def test_picture_of_a_thousand_nodes(tmp_path, picture, theme):
    fields = {**RUMOR, "nodes": 1000, "topology": "complete"}
    posts = [(1.0, "partition n0-n299"), (2.0, "kill n500-n519")]
    async with live(tmp_path / "run.gossip", posts=posts, size=LARGE, **fields) as hand:
        hand.app.theme = theme
        await hand.run_to(4.0)
        assert _svg(hand.app) == picture


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
async def test_picture_in_ascii(tmp_path, picture, size):
    async with live(tmp_path / "run.gossip", posts=POSTS, size=size, plain=True, **RUMOR) as hand:
        await hand.run_to(3.0)
        await hand.select(1)
        await hand.draw()
        assert _svg(hand.app) == picture


async def test_everything_is_ascii_when_asked(tmp_path):
    async with live(tmp_path / "run.gossip", posts=POSTS, plain=True, size=LARGE, **RUMOR) as hand:
        await hand.run_to(3.0)
        for keys in (["tab", "d"], ["n"], ["escape", "question_mark"], ["escape", "f1"], ["escape", "colon"]):
            await hand.press(*keys)
            lines = hand.app.screen._compositor.render_strips()
            assert all(strip.text.isascii() for strip in lines)


async def test_in_ascii_nothing_is_called_filled_or_hollow(tmp_path):
    async with live(tmp_path / "run.gossip", plain=True, size=LARGE, **RUMOR) as hand:
        await hand.run_to(2.0)
        assert to_ascii(hand.shown("status")).startswith("H paused at 2.000 s")
        panel = " ".join(hand.shown("panel").split())
        assert "message with rumor: capital, = △ message without it: small, -" in panel
        await hand.press("question_mark")
        help_text = "\n".join(line for each in hand.app.screen.query(Static) for line in hand.text_of(each))
        assert "small" in help_text
        assert "hollow" not in help_text


async def test_picture_of_a_message_that_is_pointed_at(tmp_path, picture):
    async with live(tmp_path / "run.gossip", **RUMOR) as hand:
        await hand.run_to(2.0)
        await hand.press("n")
        assert hand.screen.menu.display
        assert _svg(hand.app) == picture


async def test_pointing_at_a_message_pauses_and_offers_what_can_be_done(tmp_path):
    async with live(tmp_path / "run.gossip", paused=False, **RUMOR) as hand:
        await hand.until(lambda: hand.session.world.flights)
        await hand.press("n")
        await hand.until(lambda: hand.screen.menu.display)
        assert hand.session.lab.clock.paused
        chosen = hand.screen.stage.chosen
        assert chosen in hand.session.world.flights
        await hand.press("i")
        await hand.until(lambda: hand.app.screen is not hand.screen)
        await hand.press("escape")
        await hand.until(lambda: hand.app.screen is hand.screen)
        await hand.press("w")
        await hand.until(lambda: hand.app.screen is not hand.screen)
        palette = hand.app.screen
        await hand.until(lambda: palette.query_one(CommandInput).value == f"delay m{chosen} 1")
        assert not hand.screen.menu.display


async def test_esc_closes_the_menu_of_a_message(tmp_path):
    async with live(tmp_path / "run.gossip", **RUMOR) as hand:
        await hand.run_to(2.0)
        await hand.press("n", "n", "escape")
        assert not hand.screen.menu.display
        assert hand.screen.stage.chosen is None
        assert hand.screen.focused is hand.screen.stage


async def test_types_of_messages_are_muted_in_the_legend(tmp_path):
    async with live(tmp_path / "run.gossip", **RUMOR) as hand:
        await hand.run_to(2.0)
        await hand.press("y", "right", "space")
        (muted,) = hand.screen.stage.muted
        assert f"{muted.lower()}, muted" in hand.shown("legend")
        await hand.press("y")
        assert hand.screen.focused is hand.screen.stage
        row, line = next(
            (y, line) for y, line in enumerate(hand.shown("legend").splitlines()) if "muted" in line
        )
        await hand.pilot.click("#legend", offset=(line.index("muted"), row))
        await hand.until(lambda: not hand.screen.stage.muted)


def test_no_two_keys_are_the_same():
    keys = [key for each in strokes() for key in each.key.split(",")]
    assert len(set(keys)) == len(keys)


async def test_the_nodes_stand_otherwise_and_the_notice_says_how(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await hand.press("a")
        assert hand.said == "the nodes stand in a field, by number."
