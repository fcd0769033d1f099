"""Somebody who presses keys, clicks, drags and resizes at random: whatever they do, the lab goes on."""

import asyncio
from random import Random

import pytest
from textual import events

from gossiplab.tui.lab_screen import LabScreen
from gossiplab.tui.tracks import Tracks
from tests.tui.driving import live

pytestmark = pytest.mark.anyio

KEYS = [
    "space", "comma", "full_stop", "plus", "minus", "d", "w", "m", "k", "r", "l", "p", "h", "i", "f", "g", "n", "N",
    "y", "a", "t", "o", "c", "e", "1", "2", "3", "4", "5", "6", "7", "E", "left_square_bracket",
    "right_square_bracket", "slash", "colon", "question_mark", "up", "down", "left", "right", "tab", "shift+tab",
    "enter", "escape", "f1", "f2", "home", "end", "pageup", "pagedown", "backspace", "b", "x", "v", "z", "u",
]  # fmt: skip
COMMANDS = ("kill n1", "kill random 10%", "rejoin all", "leave n2", "pause n0", "resume all", "skew n1 1.5", "churn 2 for=3",
            "flap n1 up=1 down=1", "calm", "partition half", "partition bridge", "cut n0 to n1", "heal", "hold", "release",
            "drop m3", "delay m5 2", "duplicate m6", "inject n0", "write n0 a 1", "wipe n0", "backup n0", "restore n0",
            "corrupt n0 5", "link all all loss=0.2", "kill 😀", "delay m3 nan", "quite wrong")  # fmt: skip
SIZES = [(80, 24), (120, 36), (200, 60), (20, 5), (1, 1), (81, 10)]
LABS = [
    {"protocol": "epidemic", "nodes": 12}, {"protocol": "swim", "nodes": 9}, {"protocol": "epidemic", "nodes": 300},
    {"protocol": "dynamo", "nodes": 5, "workload": {"keys": 20, "rate": 5}},
    {"protocol": "merkle_repair", "nodes": 1, "workload": {"keys": 20, "rate": 5}},
]  # fmt: skip


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 25))])
async def test_nothing_that_is_pressed_ends_the_lab(tmp_path, seed):
    random = Random(seed)
    lab = LABS[seed % len(LABS)]
    async with live(tmp_path / "run.gossip", **lab, size=SIZES[seed % 3], paused=False) as hand:
        app = hand.app
        tracks: Tracks = app.tracks
        for _ in range(250):
            await _something(app, hand.pilot, random)
            await asyncio.sleep(0)  # or not even one frame
            assert app.code in (None, 0), app._exception
            if app.code == 0:
                return  # there is a button for that
            if app.tracks is not tracks:  # it has opened another lab
                await hand.until(
                    lambda: isinstance(app.screen, LabScreen) and app.screen.tracks is app.tracks
                )
                return
        await hand.pilot.pause()


async def _something(app, pilot, random):
    chance = random.random()
    width, height = app.size
    if chance < 0.7:
        app.simulate_key(random.choice(KEYS))
        if random.random() < 0.5:
            await pilot.pause(0)
    elif chance < 0.85:
        _mouse(app, random, width, height, random.choice([0, 0, 1, 4]))
    elif chance < 0.94:
        for key in ("escape", "escape", "colon"):
            app.simulate_key(key)
        await pilot.pause(0)
        app.post_message(events.Paste(random.choice(COMMANDS)))
        app.simulate_key("enter")
    elif chance < 0.97:
        await pilot.resize_terminal(*random.choice(SIZES))
    else:
        app.post_message(events.Paste(random.choice(["hello\nworld", "kill n1\n", "x" * 3000, "\x1b[31m"])))


def _mouse(app, random, width, height, moves):
    """A click, or a drag of so many steps."""

    def event(kind):
        x, y = random.randrange(max(1, width)), random.randrange(max(1, height))
        return kind(None, x, y, 0, 0, 1, False, False, False, screen_x=x, screen_y=y)

    down = event(events.MouseDown)
    app.post_message(down)
    for _ in range(moves):
        app.post_message(event(events.MouseMove))
    x, y = down.screen_x, down.screen_y
    app.post_message(
        events.MouseUp(None, x, y, 0, 0, 1, False, False, False, screen_x=x, screen_y=y)
        if not moves
        else event(events.MouseUp)
    )
