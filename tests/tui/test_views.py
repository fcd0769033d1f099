"""Pictures of the panel; strings from strangers in them; the keys between marks."""

import re

import msgspec
import pytest
from rich.cells import cell_len

from gossiplab.events import Crashed, Delivered, Ended, Header, Injected, Learned, Sent, Shaped, Shown, Wired
from gossiplab.experiment import Experiment
from gossiplab.recording.reader import open_recording
from gossiplab.recording.tape import Tape
from gossiplab.tui.log import Log
from gossiplab.tui.selection import PickedLink, PickedMessage, PickedNode
from gossiplab.tui.stage import Stage
from gossiplab.tui.timeline import Timeline
from gossiplab.tui.view import View
from gossiplab.tui.views import VIEWS
from tests.tui.driving import LARGE, SMALL, live, replay
from tests.tui.test_screen import Picture, _svg

pytestmark = pytest.mark.anyio

LAB = {"protocol": "epidemic", "nodes": 60, "seed": 3, "link": {"latency": "0.1..0.3"}}
POSTS = [(1.2, "kill n5"), (3.0, "partition n0-n9"), (4.0, "inject n40"), (6.0, "heal")]


@pytest.fixture
def picture(snapshot):
    return snapshot.use_extension(Picture)


# pictures -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["node", "link", "message"])
async def test_picture_of_the_panel(tmp_path, picture, what):
    async with live(tmp_path / "run.gossip", posts=POSTS, size=LARGE, **LAB) as hand:
        await hand.run_to(5.0)
        flight = max(hand.session.world.flights)
        picked = {"node": PickedNode(42), "link": PickedLink(3, 30), "message": PickedMessage(flight)}[what]
        hand.screen.view.post_message(View.Picked(picked))
        await hand.settle()
        for _ in range(4):
            await hand.draw()
        assert _svg(hand.app) == picture


# the panel ------------------------------------------------------------------------------------------


def pick(hand, picked):
    hand.screen.view.post_message(View.Picked(picked))


async def panel(hand):
    for _ in range(4):
        await hand.draw()
    return " ".join(hand.shown("panel").split())


async def test_a_message_is_followed_from_its_sending_to_its_end(tmp_path):
    path = tmp_path / "run.gossip"
    async with live(path, posts=POSTS, size=LARGE, **LAB) as hand:
        await hand.run_to(2.0)
        flight = next(iter(hand.session.world.flights.values()))
        pick(hand, PickedMessage(flight.id))
        await hand.settle()
        text = await panel(hand)
        assert f"message {flight.id} {flight.kind} from n{flight.src} to n{flight.dst}" in text
        assert f"under way, arrives at {flight.due:.3f} s" in text
        await hand.run_to(4.5)
        assert f"arrived at {flight.due:.3f} s" in await panel(hand)
        hand.session.seek(flight.t / 2)
        assert "not sent yet" in await panel(hand)
        await hand.press("escape")
        assert "message" not in (await panel(hand)).split("legend")[0]


@pytest.mark.parametrize("fault, waits", [("hold n5", "held"), ("pause n5", "waiting")])
async def test_a_message_that_does_not_arrive_in_time_says_since_when_it_waits(tmp_path, fault, waits):
    async with live(tmp_path / "run.gossip", posts=[(1.0, fault)], size=LARGE, **LAB) as hand:
        await hand.run_to(4.0)
        flight = next(each for each in hand.session.world.flights.values() if each.dst == 5)
        assert flight.due < 4.0
        pick(hand, PickedMessage(flight.id))
        await hand.settle()
        assert f"under way, {waits} since {flight.due:.3f} s" in await panel(hand)
        hand.screen.post_message(Stage.Pointed(flight.id))
        await hand.settle()
        assert str(hand.screen.menu.border_subtitle) == f"{waits} since {flight.due:.3f} s"


async def test_a_member_says_its_incarnation_once_whether_it_shows_it_or_not(tmp_path):
    posts = [(1.0, "pause n3"), (4.0, "resume n3")]
    async with live(tmp_path / "run.gossip", "swim", size=LARGE, posts=posts) as hand:
        await hand.select(3)
        for t, said in (0.5, "incarnation 1"), (12.0, "incarnation: 2"):
            await hand.run_to(t)
            text = (await panel(hand)).split(" profile ")[0]
            assert said in text
            assert text.count("incarnation") == 1


async def test_a_link_says_whether_it_is_cut_and_how_it_is_shaped(tmp_path):
    posts = [(0.0, "link n1 n2 loss=0.5 latency=0.2"), (1.0, "cut n1 to n2"), (2.0, "cut n2 to n1")]
    async with live(tmp_path / "run.gossip", posts=posts, size=LARGE, **LAB) as hand:
        await hand.run_to(0.5)
        pick(hand, PickedLink(1, 2))
        await hand.settle()
        text = await panel(hand)
        assert "n1 – n2" in text
        assert "latency 0.2 s loss 0.5" in text
        assert "cut" not in text.split("legend")[0]
        await hand.run_to(1.5)
        assert "cut from n1 to n2" in await panel(hand)
        await hand.run_to(2.5)
        assert "cut: nothing gets through" in await panel(hand)


async def test_a_link_is_picked_by_a_click_and_by_a_key(tmp_path):
    async with live(tmp_path / "run.gossip", size=LARGE, **{**LAB, "topology": "ring", "nodes": 6}) as hand:
        await hand.press("e")
        assert "no node is selected" in hand.said
        (x0, y0), (x1, y1) = (hand.screen.stage._cells[node] for node in (1, 2))
        await hand.pilot.click(hand.screen.stage, offset=((x0 + x1) // 2, (y0 + y1) // 2))
        assert set(hand.screen.picked) == {1, 2}
        assert "n1 – n2" in await panel(hand)
        await hand.press("escape")
        assert hand.screen.picked is None
        await hand.select(4)
        seen = []
        for _ in range(3):
            await hand.press("e")
            seen.append(tuple(hand.screen.picked))
        assert seen == [(4, 3), (4, 5), (4, 3)]
        assert "n4 – n3" in await panel(hand)
        await hand.press("f")
        await hand.until(lambda: hand.app.screen.query("#faults"))
        assert hand.screen.target.picked == PickedLink(4, 3)


async def test_where_everybody_is_linked_with_everybody_e_goes_through_all(tmp_path):
    async with live(tmp_path / "run.gossip", size=LARGE, **{**LAB, "nodes": 4}) as hand:
        await hand.select(1)
        seen = []
        for _ in range(4):
            await hand.press("e")
            seen.append(hand.screen.picked.b)
        assert seen == [0, 2, 3, 0]


async def test_the_last_events_of_a_node_are_those_before_the_instant_in_view(tmp_path):
    path = tmp_path / "run.gossip"
    async with live(path, posts=POSTS, size=LARGE, **LAB) as hand:
        await hand.run_to(1.21)
        await hand.select(5)
        assert "1.200 is killed" in await panel(hand)
        hand.session.seek(1.0)
        assert "is killed" not in await panel(hand)
        mine = [
            event.t
            for event in open_recording(path).read()
            if isinstance(event, Sent) and 5 in (event.src, event.dst) and event.t <= 1.0
        ]
        assert f"{mine[-1]:.3f}" in await panel(hand)


async def test_what_is_far_back_is_found_after_a_while(tmp_path):
    busy = {"period": 0.05, "fanout": 6}
    posts = [(0.5, "kill n3")]
    async with live(tmp_path / "run.gossip", posts=posts, size=LARGE, params=busy) as hand:
        await hand.run_to(3.0)
        await hand.select(3)
        pick(hand, PickedLink(3, 3))
        await hand.settle()
        pick(hand, PickedNode(3))
        await hand.settle()
        await hand.until_drawn(lambda: "last" in hand.shown("panel"))


# marks ----------------------------------------------------------------------------------------------


async def test_the_keys_go_from_mark_to_mark(tmp_path):
    async with live(tmp_path / "run.gossip", posts=POSTS, **LAB) as hand:
        await hand.run_to(12.0)
        notable = hand.session.latest.notable()
        assert {t for t, _ in POSTS} < set(notable)  # and that all know each of the rumors
        assert sum(moment.what == "converged" for moment in hand.session.latest.moments) >= 2
        seen = []
        for _ in notable:
            await hand.press("left_square_bracket")
            seen.append(hand.session.t)
        assert seen == notable[::-1]
        await hand.press("left_square_bracket")
        assert "nothing notable happened before this" in hand.said
        await hand.press("right_square_bracket", "right_square_bracket")
        assert hand.session.t == notable[2]


async def test_losses_and_convergence_are_marked(tmp_path):
    async with live(tmp_path / "run.gossip", "faulty", size=LARGE, posts=[(2.5, "kill n3")]) as hand:
        await hand.run_to(6.0)
        axis = hand.shown("timeline").splitlines()[1]
        marks = hand.session.latest
        assert "k" in axis
        assert ("✓" in axis) == any(moment.what == "converged" for moment in marks.moments)
        assert ("!" in axis or "+" in axis) == bool(marks.crashes)


async def test_the_curve_keeps_nodes_that_rejoined_and_forgot(tmp_path):
    posts = [(6.0, "kill n3-n8"), (7.0, "rejoin n3-n8 fresh")]
    async with live(tmp_path / "run.gossip", posts=posts, **{**LAB, "nodes": 12}) as hand:
        await hand.run_to(7.01)
        curve = hand.shown("timeline").splitlines()[0]
        timeline = hand.screen.query_one(Timeline)
        before = [" ▁▂▃▄▅▆▇█".index(glyph) for glyph in curve[1 : 2 + int(6.9 / timeline.column)]]
        assert before == sorted(before)


# strangers ------------------------------------------------------------------------------------------


HOSTILE = (
    "\x1b[2J\x1b]52;c;aGk=\x07", "\x9b31m\x90q", "\u202egnp.exe\u2066", "[bold red]x[/]", "[/nothing]", "[@click=app.bell]y[/]",
    "\x00\x08\r\n\t", "\u2028\u200b\ufeff", "x" * 5_000_000, "\ue000\U000e0041", "字" * 500, "e\u0301" * 300,
)  # fmt: skip
_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u2028\u202a-\u202e\u2066-\u2069\ufeff]")


@pytest.mark.parametrize("size", [SMALL, pytest.param(LARGE, marks=pytest.mark.soak)], ids=["small", "large"])
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_strings_from_strangers_are_shown_and_not_obeyed_in_any_view(tmp_path, text, size):
    value = msgspec.Raw(msgspec.json.encode({text: text}))
    text = text[:1000]  # megabytes are for payloads
    experiment = Experiment(protocol=text, topology=text, nodes=3, params={text: text})
    pieces = []
    tape = Tape(Header(gossiplab=1, version=text, experiment=experiment), pieces.append)
    tape([
        Wired(0.0, None), Injected(0.0, 0, 0), Learned(0.0, 0, 0, None), Shown(0.5, 0, text, value),
        Sent(0.5, 0, 0, 1, 0.9, text, 10, (0,), value), Shaped(0.6, "n0", "n1", (text,)), Delivered(0.9, 0),
        Learned(0.9, 1, 0, 0), Sent(0.9, 1, 0, 1, 5.0, text, 10, (0,), value), Crashed(1.0, 1, text, 3, text), Ended(2.0, text),
    ])  # fmt: skip
    path = tmp_path / "hostile.gossip"
    path.write_bytes(b"".join(pieces))
    async with replay(path, size=size) as hand:
        await hand.press("end", "d" if size == SMALL else "m")
        for view in VIEWS:
            await hand.open(view.title)
            for picked in (None, PickedNode(0), PickedLink(0, 1), PickedMessage(0), PickedMessage(1)):
                pick(hand, picked)
                await hand.settle()
                await hand.draw()
                rows = [strip.text for strip in hand.screen._compositor.render_strips()]
                assert len(rows) == size[1]
                assert {cell_len(row) for row in rows} == {size[0]}
                assert not _OBEYED.search("".join(rows))
        if text.startswith("["):
            await hand.open("log")
            assert hand.screen.view is hand.screen.query_one(Log)
            assert any(text in line for line in hand.lines())
