"""Pictures and films of a recording, without a terminal."""

import json
import re
import xml.etree.ElementTree as ET

import pytest

from gossiplab.errors import UserError
from gossiplab.recording.reader import open_recording
from gossiplab.tui.asciicast import FRAMES, asciicast, round_speed
from gossiplab.tui.camera import camera
from tests.helpers import bytes_of, header_of

pytestmark = pytest.mark.anyio

AT = ["0 inject n0", "0.4 kill n2-n3", "1 partition n0-n4"]
SIZE = (80, 24)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("camera") / "run.gossip"
    path.write_bytes(bytes_of(header_of("chatter", nodes=12, at=AT, until=1.5)))
    return path


async def text_at(path, t):
    async with camera(path, *SIZE, playing=True) as lens:
        await lens.go(t)
        return [strip.text for strip in lens.rows()]


async def svg_at(path, t):
    async with camera(path, *SIZE, playing=False) as lens:
        await lens.go(t)
        return lens.svg("a <title> & more")


async def test_a_picture_shows_the_instant(path):
    picture = await svg_at(path, 0.5)
    root = ET.fromstring(picture)  # noqa: S314  # ours
    text = "".join(root.itertext()).replace("\xa0", " ")
    assert "paused at 0.500 s of 1.500 s" in text
    assert "n11" in text
    assert "†" in text
    assert "a <title> & more" in text
    assert picture == await svg_at(path, 0.5)
    assert picture != await svg_at(path, 0.1)


@pytest.mark.parametrize("size", [(39, 24), (80, 11), (0, 0), (10_000, 24), (80, 10_000)])
async def test_sizes_that_cannot_be_drawn(path, size):
    with pytest.raises(UserError, match="cannot be drawn: give --width 40 to 500 and --height 12 to 200"):
        async with camera(path, *size, playing=False):
            pass


class Terminal:
    """As much of a terminal as a film uses: it knows no other sequences, and nothing leaves its screen."""

    def __init__(self, columns, rows):
        self.cells = [[" "] * columns for _ in range(rows)]
        self.x = self.y = 0

    def feed(self, data):
        for sequence, character in re.findall(r"\x1b\[([?\d;]*[A-Za-z])|([^\x1b])", data):
            if sequence.endswith("H"):
                self.y, self.x = (int(number) - 1 for number in sequence[:-1].split(";"))
            elif sequence == "2J":
                self.cells = [[" "] * len(row) for row in self.cells]
            elif character == "\r":
                self.x = 0
            elif character == "\n":
                self.y += 1
            elif character:
                assert character.isprintable()
                self.cells[self.y][self.x] = character
                self.x += 1
            else:
                assert sequence.endswith("m") or sequence in ("?25l", "?25h"), sequence


async def film(path, **options):
    recording = open_recording(path)
    lines = [line async for line in asciicast(recording, width=SIZE[0], height=SIZE[1], **options)]
    recording.close()
    return lines


async def test_a_film_is_an_asciicast_of_version_3(path):
    """https://docs.asciinema.org/manual/asciicast/v3, which asks for a header, arrays of three, and intervals."""
    header, *events = map(json.loads, await film(path))
    assert header["version"] == 3
    assert header["term"] == {"cols": 80, "rows": 24}
    assert isinstance(header["title"], str)
    assert set(header) <= {
        "version",
        "term",
        "timestamp",
        "idle_time_limit",
        "command",
        "title",
        "env",
        "tags",
    }
    for interval, code, data in events:
        assert isinstance(interval, int | float)
        assert interval >= 0
        assert code in {"o", "m", "x"}
        assert isinstance(data, str)
    assert [data for _, code, data in events if code == "x"] == ["0"]
    assert events[-1][1] == "x"
    assert sum(interval for interval, _, _ in events) == pytest.approx(1.5)
    t, markers = 0, []
    for interval, code, data in events:
        t += interval
        if code == "m":
            markers.append((round(t, 3), data))
    assert markers == [(0.0, "inject n0"), (0.4, "kill n2-n3"), (1.0, "partition n0-n4")]


@pytest.mark.parametrize("start, speed", [(0.0, None), (0.5, 0.5), (9.0, 3.0)])
async def test_each_frame_is_a_picture(path, start, speed):
    terminal, t, frames = Terminal(*SIZE), 0.0, {}
    begin, end = min(start, 1.5), 1.5
    for interval, code, data in map(json.loads, (await film(path, start=start, speed=speed))[1:-2]):
        t += interval
        if code == "o":
            terminal.feed(data)
            frames[round(t * FRAMES)] = ["".join(row) for row in terminal.cells]
    for number in (0, len(frames) // 2, max(frames)):
        if number in frames:
            instant = min(end, begin + number * (speed or 1.0) / FRAMES)
            assert frames[number] == await text_at(path, instant)


async def test_the_same_film_twice(path):
    assert await film(path, speed=2.0) == await film(path, speed=2.0)


async def test_a_film_without_end_is_refused(path):
    with pytest.raises(UserError, match="too long: give --speed a number above"):
        await film(path, speed=1e-9)


@pytest.mark.parametrize(
    "seconds, speed", [(0, 1), (60, 1), (61, 2), (120, 2), (121, 5), (301, 10), (1000, 20), (1e6, 20_000)]
)
def test_a_film_fits_into_a_minute(seconds, speed):
    assert round_speed(seconds) == speed
