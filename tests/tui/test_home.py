"""Home: the ways on from it, the form for a new lab, and the chooser of files, used rightly and wrongly."""

import pytest
from textual.widgets import Input, OptionList, Select, Static

from gossiplab.library import demo_experiment
from gossiplab.tui.app import GossipApp
from gossiplab.tui.lab_screen import LabScreen
from gossiplab.tui.live import LiveLab
from gossiplab.tui.session import Replay
from gossiplab.world.world import new_world
from tests.helpers import bytes_of, events_of, header_of, specimen
from tests.tui.driving import SMALL, Hand, live

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


async def _go(hand, way):
    """From the lab home, and on."""
    await hand.press("f2")
    await hand.until(lambda: hand.app.screen.query("#ways"))
    await hand.press(*["down"] * way, "enter")
    await hand.until(lambda: not hand.app.screen.query("#ways"))
    await hand.settle()


def _said(hand, id):
    return str(hand.app.screen.query_one(f"#{id}", Static).content)


async def test_home_lies_beside_the_running_demo(tmp_path):
    header = header_of(**demo_experiment())
    app = GossipApp(
        LiveLab(header, specimen("epidemic"), tmp_path / "run.gossip", 1.0, paused=True), at_home=True
    )
    async with app.run_test(size=SMALL) as pilot:
        hand = Hand(pilot, app, app.session)
        await hand.until(lambda: app.screen.query("#ways") and app.session.latest.events)
        assert not app.session.lab.ended
        await hand.press("enter")
        await hand.until(lambda: app.screen is hand.screen)


async def test_a_lab_is_started_from_the_form(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await _go(hand, 1)
        form = hand.app.screen
        await hand.until(lambda: form.query("#param-fanout"))
        form.query_one("#protocol", Select).value = "rumor"
        await hand.until(lambda: form.query("#param-k"))
        form.query_one("#nodes", Input).value = "many"
        await hand.press("ctrl+s")
        assert "nodes cannot be 'many'" in _said(hand, "wrong")
        assert hand.app.focused.id == "nodes"
        form.query_one("#nodes", Input).value = "17"
        form.query_one("#param-k", Input).value = "0.5"
        await hand.press("ctrl+s")
        assert "the parameter k cannot be '0.5'" in _said(hand, "wrong")
        assert hand.app.focused.id == "param-k"
        form.query_one("#param-k", Input).value = "3"
        form.query_one("#topology", Input).value = "moebius"
        await hand.press("ctrl+s")
        assert "there is no topology 'moebius'" in _said(hand, "wrong")
        assert hand.app.focused.id == "topology"
        form.query_one("#topology", Input).value = "ring"
        await hand.press("ctrl+s")
        await hand.until(lambda: hand.app.session is not hand.session)
        experiment = hand.app.session.header.experiment
        assert (experiment.protocol, experiment.nodes, experiment.topology) == ("rumor", 17, "ring")
        assert experiment.params["k"] == 3
        await hand.until(lambda: hand.app.session.latest.events)


async def test_what_is_opened_while_another_lab_comes_is_closed_with_the_old_one(tmp_path):
    async with live(tmp_path / "run.gossip", paused=False) as hand:
        await _go(hand, 1)
        form = hand.app.screen
        await hand.until(lambda: form.query("#param-fanout"))
        for key in ("ctrl+s", "question_mark", "colon", "3", "k"):
            hand.app.simulate_key(key)
        await hand.until(
            lambda: isinstance(hand.app.screen, LabScreen) and hand.app.screen.session is not hand.session
        )
        await hand.pilot.pause()
        assert [type(each) for each in hand.app.screen_stack[1:]] == [LabScreen]
        assert hand.app.code is None


async def test_a_store_is_started_with_clients(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await _go(hand, 1)
        form = hand.app.screen
        await hand.until(lambda: form.query("#param-fanout"))
        assert not form.query("#workload")
        form.query_one("#protocol", Select).value = "dynamo"
        await hand.until(lambda: form.query("#workload"))
        form.query_one("#workload", Input).value = "keys=5 rate=fast"
        await hand.press("ctrl+s")
        assert "the workload's rate cannot be 'fast'" in _said(hand, "wrong")
        assert hand.app.focused.id == "workload"
        form.query_one("#workload", Input).value = "keys=5 rate=2.5"
        await hand.press("ctrl+s")
        await hand.until(lambda: hand.app.session is not hand.session)
        workload = hand.app.session.header.experiment.workload
        assert (workload.keys, workload.rate) == (5, 2.5)


async def test_the_latency_that_is_proposed_is_one_that_the_protocol_can_live_with(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await _go(hand, 1)
        form = hand.app.screen
        protocol, latency = form.query_one("#protocol", Select), form.query_one("#latency", Input)

        for name, proposed in (("rumor", "0.2..0.5"), ("swim", "0.01..0.05"), ("epidemic", "0.2..0.5")):
            protocol.value = name
            await hand.until(lambda: latency.value == proposed)  # noqa: B023
        latency.value = "0.01..0.05"
        protocol.value = "heartbeat"
        await hand.until(lambda: form.query("#param-detector"))
        assert latency.value == "0.01..0.05"  # which somebody has written


async def test_all_protocols_are_in_sight_when_one_is_chosen(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await _go(hand, 1)
        form = hand.app.screen
        await hand.until(lambda: form.query("#param-fanout"))
        below = form.query_one("#nodes").region
        await hand.press("enter")
        await hand.until(lambda: form.query_one("#protocol", Select).expanded)
        await hand.settle()
        options = form.query_one("#protocol OptionList", OptionList)
        assert options.region.height >= options.option_count >= 6
        assert form.query_one("#nodes").region == below


async def test_a_recording_is_chosen_after_a_look_into_it(tmp_path):
    mine = tmp_path / "data" / "gossiplab" / "recordings"
    mine.mkdir(parents=True)
    (mine / "zz.gossip").write_bytes(
        bytes_of(header_of("chatter", nodes=9, until=3.0), [(1.0, "kill n2-n3")])
    )
    async with live(tmp_path / "run.gossip") as hand:
        await _go(hand, 3)
        await hand.press("end")
        await hand.until(lambda: "chatter, 9 nodes" in _said(hand, "contents"))
        assert "1.000 s  kill n2-n3" in _said(hand, "contents")
        await hand.press("enter")
        await hand.until(lambda: isinstance(hand.app.session, Replay))
        assert hand.app.session.header.experiment.nodes == 9


async def test_files_that_cannot_be_opened_are_refused_in_the_chooser(tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text("nodes = ")
    async with live(tmp_path / "run.gossip") as hand:
        await _go(hand, 2)
        chooser = hand.app.screen
        for path, sentence in (
            (tmp_path / "none.toml", "there is no file"),
            (broken, "is not a TOML file"),
            (tmp_path, "is a folder"),
        ):
            chooser.query_one("#path", Input).value = str(path)
            chooser.query_one("#path", Input).focus()
            await hand.press("enter")
            assert sentence in _said(hand, "contents")
        await hand.press("escape")
        await hand.until(lambda: hand.app.screen.query("#ways"))
        assert hand.app.session is hand.session


async def test_an_experiment_that_comes_along_is_opened(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await _go(hand, 2)
        await hand.until(lambda: "protocol =" in _said(hand, "contents"))
        assert hand.app.screen.query_one("#files", OptionList).option_count >= 2
        await hand.press("enter")
        await hand.until(lambda: hand.app.session is not hand.session)
        assert isinstance(hand.app.session, LiveLab)


def test_everybody_knows_every_rumor_at_the_end_of_the_demo():
    header = header_of(**{**demo_experiment(), "until": 30.0})
    world = new_world(header)
    world.apply(events_of(header))
    verbs = {deed.command.split()[0] for deed in world.deeds}
    assert verbs == {"inject", "partition", "heal", "kill", "rejoin"}
    assert world.word() == "converged"


async def test_a_path_of_a_user_who_is_not_there_is_refused(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await _go(hand, 2)
        hand.app.screen.query_one("#path", Input).value = "~nosuchuser/x.toml"
        hand.app.screen.set_focus(hand.app.screen.query_one("#path", Input))
        await hand.press("enter")
        await hand.until(lambda: "there is no user nosuchuser here" in _said(hand, "contents"))


async def test_the_preview_of_an_experiment_begins_with_what_it_is(tmp_path):
    async with live(tmp_path / "run.gossip") as hand:
        await _go(hand, 2)
        await hand.until(lambda: " nodes, " in _said(hand, "contents").splitlines()[0])


async def test_a_window_without_room_for_a_list_ends_nothing(tmp_path):
    for opening in (("f2",), ("f",), ("colon",)):
        async with live(tmp_path / f"{opening[0]}.gossip") as hand:
            await hand.pilot.resize_terminal(1, 1)
            await hand.pilot.resize_terminal(80, 24)
            await hand.press(*opening)
            await hand.pilot.resize_terminal(1, 1)
            await hand.press(
                "pageup", "pagedown", "home", "pageup", "end", "pagedown", "down", "up", "tab", "pageup"
            )
            assert hand.app.code is None
