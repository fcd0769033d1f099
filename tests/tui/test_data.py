"""The data view: copies by shape, the order of versions, the form for a write, and writes on two sides at once."""

import re

import pytest
from textual.widgets import Button, Input, Static

from gossiplab.commands import VERBS
from gossiplab.events import Commanded
from gossiplab.recording.reader import open_recording
from gossiplab.tui.ascii import to_ascii
from gossiplab.tui.copies import MEANINGS
from gossiplab.tui.data import DataView
from gossiplab.tui.explain import Explain
from gossiplab.tui.live import LiveLab
from gossiplab.tui.outlook import Target, begun, why_not
from gossiplab.tui.write_form import WriteForm
from tests.helpers import bytes_of, header_of, only, specimen
from tests.tui.driving import LARGE, SMALL, live, replay
from tests.tui.test_screen import Picture, _svg

pytestmark = pytest.mark.anyio

LAB = {"protocol": "copycat", "nodes": 12, "workload": {"keys": 4}}
POSTS = [
    (1.0, "write n0 cart milk"), (3.0, "partition n0-n5"), (3.5, "write n2 cart milk and eggs"),
    (3.5, "write n8 cart beer"), (5.0, "delete n3 k2"), (5.5, "write n9 k3 x"), (6.5, "kill n10"), (7.5, "heal"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def picture(snapshot):
    return snapshot.use_extension(Picture)


def lines(hand):
    return [line.rstrip() for line in hand.shown("data").splitlines()]


def row(hand, key):
    """The cells of a key."""
    (line,) = (line for line in lines(hand) if line[1:].startswith(f"{key} ") and "%" in line[:15])
    return line[15:52].split("│")[0].split()


def commands(path):
    return [(each.t, each.command) for each in only(open_recording(path).read(0), Commanded)]


# pictures -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
async def test_picture_of_two_sides(tmp_path, picture, size):
    async with live(tmp_path / "run.gossip", posts=POSTS, size=size, **LAB) as hand:
        await hand.run_to(8.0)
        await hand.open("data")
        await hand.press("pagedown", "right", "right")
        await hand.draw()
        assert _svg(hand.app) == picture


async def test_picture_of_many_keys(tmp_path, picture):
    posts = [*POSTS, (7.9, "wipe n6")]
    async with live(
        tmp_path / "run.gossip", "copycat", posts=posts, size=LARGE, nodes=60, workload={"keys": 500}
    ) as hand:
        await hand.run_to(8.0)
        await hand.open("data")
        assert _svg(hand.app) == picture


async def test_picture_of_estimates_in_a_replay(tmp_path, picture):
    path = tmp_path / "run.gossip"
    path.write_bytes(bytes_of(header_of("push_sum", nodes=40, until=20.0, params={"value": "random"})))
    async with replay(path, size=LARGE) as hand:
        hand.session.seek(6.0)
        await hand.open("data")
        await hand.press("right", "right")
        await hand.draw()
        assert _svg(hand.app) == picture


# what is drawn --------------------------------------------------------------------------------------


def test_every_sign_is_one_of_its_kind_in_ascii_too():
    glyphs = [glyph for glyph, _, _ in MEANINGS]
    assert len(set(glyphs)) == len(set(map(to_ascii, glyphs))) == len(glyphs)


async def test_a_partition_leaves_two_newest_versions_and_siblings_after_it(tmp_path):
    posts = [
        (1.0, "write n0 cart a"), (8.0, "partition n0-n3"), (8.5, "write n0 cart b"), (8.5, "write n7 cart c"),
        (16.0, "heal"),
    ]  # fmt: skip
    async with live(
        tmp_path / "run.gossip", "copycat", nodes=8, posts=posts, params={"period": 0.25}
    ) as hand:
        await hand.run_to(16.0)
        await hand.open("data")
        hand.session.seek(7.9)
        await hand.draw()
        assert row(hand, "cart") == [*"●" * 8]
        hand.session.seek(15.9)
        await hand.draw()
        assert row(hand, "cart") == [*"●●●●◆◆◆◆"]
        text = "\n".join(lines(hand))
        assert '├─● n0.2 "b"' in text
        assert '└─◆ n7.1 "c"' in text
        assert "concurrent  held by n4-n7" in text
        hand.session.go_live()
        await hand.run_to(26.0)
        assert row(hand, "cart") == [*"2" * 8]
        assert '2 siblings: "b", "c"' in "\n".join(lines(hand))


async def test_damage_is_seen(tmp_path):
    posts = [(0.2, "wipe n1"), (0.2, "corrupt n2 3")]
    async with live(
        tmp_path / "run.gossip",
        "copycat",
        nodes=4,
        posts=posts,
        workload={"keys": 3},
        params={"period": 100.0},
    ) as hand:
        await hand.run_to(0.5)
        await hand.open("data")
        assert [row(hand, key) for key in ("k0", "k1", "k2")] == [["●", "·", "≠", "●"]] * 3
        assert "3 keys, 3 divergent" in lines(hand)[0]
        await hand.press("right", "right")
        assert "corrupt" in "\n".join(lines(hand))
        assert hand.screen.stage.selected == 2


async def test_many_keys_are_an_overview_and_those_written_a_list(tmp_path):
    async with live(
        tmp_path / "run.gossip",
        "copycat",
        posts=[(0.2, "write n3 k250 x"), (0.2, "write n3 cart x")],
        workload={"keys": 300},
    ) as hand:
        await hand.run_to(0.5)
        await hand.open("data")
        assert re.search(r"a cell: \d+ keys x 1 node,", lines(hand)[0])
        await hand.press("u")
        assert "only those that were written" in lines(hand)[0]
        assert row(hand, "k250").count("●") == row(hand, "cart").count("●") == 1
        await hand.press("down")
        assert hand.screen.query_one(DataView).key == "cart"
        await hand.press("u")
        assert hand.screen.query_one(DataView).key == "cart"
        await hand.press("z")
        assert "a cell:" not in lines(hand)[0]
        assert any(line.startswith(">cart") for line in lines(hand))


@pytest.mark.parametrize("size", [SMALL, LARGE, (40, 12)])
async def test_estimates_live_and_while_one_looks_back(tmp_path, size):
    async with live(tmp_path / "run.gossip", "push_sum", nodes=20, size=size, plain=size == SMALL) as hand:
        await hand.open("data")
        for t in (0.5, 6.0, 30.0):
            await hand.run_to(t)
        assert lines(hand)[0].startswith("20 nodes estimate 9.")
        await hand.press("right", "z", "z")
        assert lines(hand)[1][2:].startswith("n1 estimates 9.")
        hand.session.seek(0.0)
        await hand.draw()
        assert lines(hand)[0].startswith("20 nodes estimate 0 to 19")


@pytest.mark.parametrize("nodes", [0, 1, 2])
@pytest.mark.parametrize("protocol", ["copycat", "push_sum", "rumor"])
async def test_the_smallest_labs(tmp_path, nodes, protocol):
    async with live(tmp_path / "run.gossip", protocol, nodes=nodes) as hand:
        await hand.open("data")
        await hand.press("down", "left", "z", "u", "x", "v", "b", "pagedown")
        await hand.run_to(1.5)
        assert hand.screen.view is hand.screen.query_one(DataView)


async def test_without_data_it_says_what_would_show_some(tmp_path):
    async with live(tmp_path / "run.gossip", "rumor") as hand:
        await hand.open("data")
        assert "rumor stores no keys" in lines(hand)[1]
        await hand.press("b")
        assert hand.said == "Rumor stores no keys: leave out `write n" + hand.said.partition("write n")[2]
    async with live(tmp_path / "two.gossip", "copycat") as hand:
        await hand.open("data")
        assert "press Enter to write one" in "".join(lines(hand))


async def test_it_is_explained(tmp_path):
    async with live(tmp_path / "run.gossip", **LAB) as hand:
        await hand.open("data")
        await hand.press("f1")
        await hand.until(lambda: isinstance(hand.app.screen, Explain))


# acting ---------------------------------------------------------------------------------------------


async def _form(hand):
    await hand.press("enter")
    await hand.until(lambda: isinstance(hand.app.screen, WriteForm) and hand.app.screen.query(Button))
    await hand.settle()
    return hand.app.screen


def _said(form):
    return str(form.query_one("#outlook", Static).content)


async def test_a_write_from_the_form(tmp_path):
    path = tmp_path / "run.gossip"
    async with live(path, **LAB) as hand:
        await hand.open("data")
        await hand.press("down", "right", "right")
        form = await _form(hand)
        assert [form.query_one(f"#write-{name}", Input).value for name in ("key", "value", "node")] == [
            "k1",
            "",
            "n2",
        ]
        assert _said(form) == "○ give a key, a value and a node."
        await hand.press("enter")
        assert hand.app.screen is form
        await hand.type("two words")
        await hand.until(lambda: _said(form).startswith("→ Enter does it now: write n2 k1 two words"))
        await hand.press("enter")
        await hand.happened("write")
        assert hand.app.screen is hand.screen
        assert hand.screen.focused is hand.screen.view
    assert [command for _, command in commands(path)] == ["write n2 k1 two words"]


@pytest.mark.parametrize(
    "field, text, why",
    [
        ("key", "two words", "✗ a key is one word"),
        ("node", "n99", "✗ there is no node n99"),
        ("node", "n3", "○ this would change nothing: n3 is dead and answers no client"),
        ("key", "", "○ give a key"),
    ],
)
async def test_the_form_says_why_not(tmp_path, field, text, why):
    async with live(tmp_path / "run.gossip", posts=[(0.1, "kill n3")], **LAB) as hand:
        await hand.run_to(0.5)
        await hand.open("data")
        form = await _form(hand)
        form.query_one("#write-value", Input).value = "x"
        form.query_one(f"#write-{field}", Input).value = text
        await hand.until(lambda: _said(form).startswith(why))
        await hand.press("enter")
        assert hand.app.screen is form
        await hand.press("escape")
        assert hand.app.screen is hand.screen


async def test_delete_and_read_act_on_the_chosen_key_at_the_chosen_node(tmp_path):
    path = tmp_path / "run.gossip"
    async with live(path, **LAB) as hand:
        await hand.open("data")
        await hand.press("down", "down", "right", "x")
        await hand.happened("delete")
        await hand.press("v")
        await hand.happened("read")
        assert row(hand, "k2")[1] == "×"
    assert [command for _, command in commands(path)] == ["delete n1 k2", "read n1 k2"]


@pytest.mark.parametrize("cut", ["partition n0-n3", "cut n0-n3 to n4-n11", ""])
async def test_one_key_writes_on_both_sides_at_one_instant(tmp_path, cut):
    path = tmp_path / "run.gossip"
    async with live(path, posts=[(0.5, cut)] if cut else [], **LAB) as hand:
        await hand.run_to(1.0)
        await hand.open("data")
        await hand.press("down", "right", "b")
        await hand.happened("write", 2)
        sides = {"◆", "●"}
        assert sides <= set(row(hand, "k1"))
    (t, one), (u, other) = commands(path)[-2:]
    assert t == u
    (_, a, key, value), (_, b, also, another) = one.split(), other.split()
    assert key == also == "k1"
    assert value != another
    assert a == "n1" if cut else a != b
    if cut:
        assert int(b[1:]) >= 4


async def test_in_a_recording_both_begin_one_other_future(tmp_path):
    path = tmp_path / "run.gossip"
    fields = {name: value for name, value in LAB.items() if name != "protocol"}
    header = header_of("copycat", until=6.0, at=["1 partition n0-n5"], **fields)
    path.write_bytes(bytes_of(header))
    async with replay(path) as hand:
        hand.session._protocol = specimen("copycat")
        hand.session.seek(2.0)
        await hand.open("data")
        assert lines(hand)[-1].startswith("to act here begins another future")
        await hand.press("b")
        await hand.until(lambda: isinstance(hand.app.session, LiveLab))
        await hand.until(lambda: len(hand.app.session.latest.deeds) == 3)
        deeds = hand.app.session.latest.deeds[1:]
        assert [deed.t for deed in deeds] == [2.0, 2.0]
        assert len({deed.command.split()[1] for deed in deeds}) == 2


async def test_commands_about_data_are_begun_whole_and_grey_where_they_mean_nothing(tmp_path):
    data = ("write", "delete", "read", "wipe", "backup", "restore", "corrupt")
    async with live(tmp_path / "one.gossip", **LAB) as hand:
        await hand.open("data")
        await hand.press("down", "right")
        assert hand.screen.target.key == "k1"
        assert begun("write", hand.screen.target) == "write n1 k1 hello"
        assert begun("corrupt", hand.screen.target) == "corrupt n1 1"
        assert all(why_not(verb, hand.session, hand.screen.target) is None for verb in data)
    async with live(tmp_path / "two.gossip") as hand:
        for target in (Target(), Target((1,))):
            for verb in data:
                assert "stores no keys" in (why_not(verb, hand.session, target) or ""), verb
    assert set(data) <= set(VERBS)


async def test_keys_and_values_of_every_kind_stay_in_their_columns(tmp_path):
    strange = ("\u6f22\u5b57", "e\u0301\u0301", "\u202eabc", "a\x1b[2J", "\U0001f600" * 9, "x" * 300)
    posts = [(0.1, f"write n1 {key} {key}") for key in strange]
    async with live(
        tmp_path / "run.gossip", "copycat", size=LARGE, posts=posts, params={"period": 9.0}
    ) as hand:
        await hand.run_to(0.11)
        await hand.open("data")
        cells = [line for line in lines(hand) if "%" in line[:15]]
        assert len(cells) == len(strange)
        assert [line[15:60].split("│")[0].split() for line in cells] == [["·", "●", *"·" * 10]] * len(strange)
        assert not any(character in "".join(cells) for character in "\u202e\x1b")


async def test_damage_to_a_state_is_no_newer_state(tmp_path):
    """States of CRDTs are named by their content, and what they have merged nobody says."""
    path = tmp_path / "run.gossip"
    at = ["1 write n0 a x", "1 write n2 a y", "6 corrupt n0 1"]
    path.write_bytes(bytes_of(header_of("crdt_gossip", nodes=4, seed=9, until=6.0, at=at)))
    async with replay(path) as hand:
        hand.session.seek(5.9)
        await hand.open("data")
        await hand.draw()
        before = hand.shown("data")
        assert "concurrent" not in before
        assert "wrote it" not in before
        hand.session.seek(6.0)
        await hand.draw()
        assert row(hand, "a") == ["≠", "●", "●", "●"]
        assert "n0's disk changed it at 6.000 s" in hand.shown("data")
