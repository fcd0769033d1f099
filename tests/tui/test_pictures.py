"""Pictures of every view in every state: running, paused, replayed, cut in two, in colour, without, in ASCII, large.

A view that is added has its pictures here by itself; `LABS` says in which lab there is something to see in it. What only
one view can show (a chosen event, who told whom, a message that is pointed at) is pictured where that view is tested.
"""

import re
from typing import Any

import pytest

from gossiplab.tui.views import VIEWS
from tests.helpers import bytes_of, header_of
from tests.tui.driving import LARGE, SMALL, live, replay
from tests.tui.test_screen import Picture, _svg

pytestmark = pytest.mark.anyio

RUMOR: dict[str, Any] = {"protocol": "epidemic", "nodes": 40, "seed": 3, "link": {"latency": "0.1..0.3"}}
MEMBERS: dict[str, Any] = {"protocol": "swim", "nodes": 24, "seed": 2}
COPIES: dict[str, Any] = {
    "protocol": "merkle_repair", "nodes": 12, "seed": 4, "workload": {"keys": 40},
    "params": {"fanout": 4, "depth": 2, "batch": 20, "period": 1.0},
}  # fmt: skip
LABS = {"beliefs": MEMBERS, "data": COPIES, "repair": COPIES}
BEFORE = {"epidemic": [(1.2, "kill n5"), (1.5, "pause n7"), (3.0, "partition n0-n9"), (4.0, "inject n30")],
          "swim": [(1.2, "kill n5"), (1.5, "pause n7"), (3.0, "partition n0-n9")],
          "merkle_repair": [(1.0, "corrupt n0 3"), (1.2, "kill n5"), (1.5, "pause n7"), (3.0, "partition n0-n4"),
                            (3.2, "write n1 k3 left"), (3.4, "write n9 k3 right")]}  # fmt: skip
INSTANT = 5.0


@pytest.fixture(autouse=True)
def _read_all_at_once(monkeypatch):
    """How much of a recording is read in a frame depends on the machine; here it is all there is."""
    monkeypatch.setattr("gossiplab.tui.reel._BUDGET", 60.0)


@pytest.fixture
def picture(snapshot):
    return snapshot.use_extension(Picture)


def labs() -> list[dict[str, Any]]:
    return [RUMOR, MEMBERS, COPIES]


async def compare(hand, lab, picture, check=None):
    """Hold every view that this lab is for against its picture."""
    for view in VIEWS:
        if LABS.get(view.title, RUMOR)["protocol"] == lab["protocol"]:
            await hand.open(view.title)
            for _ in range(4):  # the log and the panel read a little each frame
                await hand.draw()
            svg = _svg(hand.app)
            if check:
                check(svg)
            assert svg == picture(name=view.title)


@pytest.mark.parametrize("lab", labs(), ids=lambda lab: lab["protocol"])
async def test_running(tmp_path, picture, lab):
    async with live(tmp_path / "run.gossip", posts=BEFORE[lab["protocol"]][:1], **lab) as hand:
        await hand.run_to(2.2)
        hand.session.lab.clock.speed = 1e-9  # it runs, and no picture differs from the next
        await hand.press("space")
        await hand.until(lambda: hand.session.running)
        for _ in range(60):  # until what lingers has gone
            await hand.draw()
        await compare(hand, lab, picture)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("lab", labs(), ids=lambda lab: lab["protocol"])
async def test_paused_after_a_partition(tmp_path, picture, lab, size):
    async with live(tmp_path / "run.gossip", posts=BEFORE[lab["protocol"]], size=size, **lab) as hand:
        await hand.run_to(INSTANT)
        await compare(hand, lab, picture)


@pytest.mark.parametrize("lab", labs(), ids=lambda lab: lab["protocol"])
async def test_in_the_middle_of_a_replay(tmp_path, picture, lab):
    path = tmp_path / "run.gossip"
    path.write_bytes(bytes_of(header_of(until=8.0, **lab), BEFORE[lab["protocol"]]))
    async with replay(path, size=LARGE) as hand:
        hand.session.seek(INSTANT)
        await compare(hand, lab, picture)


@pytest.mark.parametrize("lab", labs(), ids=lambda lab: lab["protocol"])
async def test_without_colour(tmp_path, picture, monkeypatch, lab):
    def grey(svg):
        colours = {found.lower() for found in re.findall(r"fill: (#[0-9a-fA-F]{6})", svg)}
        assert all(colour[1:3] == colour[3:5] == colour[5:7] for colour in colours - {"#c5c8c6"})

    monkeypatch.setenv("NO_COLOR", "1")
    async with live(tmp_path / "run.gossip", posts=BEFORE[lab["protocol"]], **lab) as hand:
        await hand.run_to(INSTANT)
        await compare(hand, lab, picture, grey)


@pytest.mark.parametrize("lab", labs(), ids=lambda lab: lab["protocol"])
async def test_in_ascii(tmp_path, picture, lab):
    def ascii_alone(svg):
        shown = "".join(re.findall(r"<text class=[^>]*>([^<]*)</text>", svg))
        assert shown.replace("&#160;", " ").isascii()

    async with live(tmp_path / "run.gossip", posts=BEFORE[lab["protocol"]], plain=True, **lab) as hand:
        await hand.run_to(INSTANT)
        await compare(hand, lab, picture, ascii_alone)


@pytest.mark.parametrize("lab", labs(), ids=lambda lab: lab["protocol"])
async def test_a_thousand_nodes(tmp_path, picture, lab):
    large = {**lab, "nodes": 1000}
    posts = [(1.0, "corrupt n0 3" if lab is COPIES else "kill n5")]
    async with live(tmp_path / "run.gossip", posts=posts, size=LARGE, **large) as hand:
        await hand.run_to(4.0 if lab is RUMOR else 1.5)
        await compare(hand, lab, picture)
