"""What reading owes to writing: any instant and any event are what folding from the start gives."""

import hashlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossiplab.events import Commanded, Ended
from gossiplab.recording import tape
from gossiplab.recording.format import KEYFRAME_MARK, Keyframe, line_decoder
from gossiplab.recording.reader import open_recording
from gossiplab.recording.recorder import Recorder
from gossiplab.recording.verify import verify
from gossiplab.world.world import new_world
from tests.helpers import lab_of, only, post_all, recording_of, run_lab, specimen
from tests.recording.making import POSTS, events_in, every_bytes, every_header

EVENTS = events_in(every_bytes())
INTERVALS = [5, 50, 10**6]  # the first divides the number of events: the last line is a keyframe


def folded(events):
    world = new_world(every_header())
    world.apply(events)
    return msgspec.json.encode(world)


def as_bytes(world):
    return msgspec.json.encode(world)


@pytest.fixture(
    scope="module", params=[(interval, zst) for interval in INTERVALS for zst in ("", ".zst")], ids=str
)
def recording(request, tmp_path_factory):
    interval, suffix = request.param
    path = tmp_path_factory.mktemp("laws") / f"x.gossip{suffix}"
    record(path, interval)
    opened = open_recording(path)
    yield opened
    opened.close()


def record(path, interval):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tape, "keyframe_interval", lambda nodes: interval)
        with Recorder(path, every_header()) as recorder:
            lab = lab_of(every_header(), recorder)
            post_all(lab, POSTS)
            run_lab(lab)


def test_the_recording_is_what_it_is_meant_to_be():
    kinds = {type(event).__name__ for event in EVENTS}
    assert len(EVENTS) % INTERVALS[0] == 0
    assert kinds >= {
        "Sent",
        "Dropped",
        "Duplicated",
        "Severed",
        "Shaped",
        "Rejoined",
        "Departed",
        "Killed",
        "Believed",
        "Listed",
    }


def test_opening_knows_the_end(recording):
    assert recording.length == len(EVENTS)
    assert recording.end == EVENTS[-1].t
    assert not recording.torn
    assert recording.header == every_header()


def test_every_event_is_read(recording):
    assert list(recording.read()) == EVENTS
    assert list(recording.commands()) == only(EVENTS, Commanded)


def test_every_number_of_events(recording):
    for count in (*range(0, len(EVENTS), 5), len(EVENTS) - 1, len(EVENTS), len(EVENTS) + 1):
        assert as_bytes(recording.at_event(count)) == folded(EVENTS[:count])


@given(t=st.one_of(st.floats(-1, 7), st.sampled_from([event.t for event in EVENTS])))
def test_any_instant(recording, t):
    assert as_bytes(recording.at(t)) == folded([event for event in EVENTS if event.t <= t])


@given(start=st.integers(0, len(EVENTS) + 3), stop=st.none() | st.integers(0, len(EVENTS) + 3))
def test_any_piece(recording, start, stop):
    assert list(recording.read(start, stop)) == EVENTS[start:stop]


def test_a_world_is_nobody_elses(recording):
    first = recording.at(3.0)
    before = as_bytes(first)
    later = recording.at(3.0)
    later.apply([event for event in EVENTS if event.t > 3.0])
    later.nodes[0].shown["mine"] = 1
    assert as_bytes(first) == before == as_bytes(recording.at(3.0))


def test_bytes_are_those_of_the_tape(recording, request):
    interval, _ = request.node.callspec.params["recording"]
    expected = every_bytes(interval)
    assert recording.bytes_at(0, len(expected) + 10) == expected
    assert recording.bytes_at(5, 10) == expected[5:15]


def test_verifying_agrees(recording, request, monkeypatch):
    interval, _ = request.node.callspec.params["recording"]
    monkeypatch.setattr(tape, "keyframe_interval", lambda nodes: interval)
    seen = []
    assert verify(recording, specimen("chatter"), seen.append) is None
    assert seen == sorted(seen)
    assert seen[-1] == EVENTS[-1].t


def test_keyframes_carry_the_digest_of_all_before_them():
    data = every_bytes()
    offset, last = 0, None
    for line in data.splitlines(keepends=True):
        if line.startswith(KEYFRAME_MARK):
            keyframe = line_decoder.decode(line)
            assert isinstance(keyframe, Keyframe)
            assert keyframe.digest == hashlib.blake2b(data[:offset], digest_size=16).hexdigest()
            assert keyframe.previous == last
            assert keyframe.events % 40 == 0
            last = offset
        offset += len(line)
    assert last is not None


def test_verifying_names_the_first_event_that_differs(tmp_path):
    lines = every_bytes(10**6).splitlines(keepends=True)
    for number in (1, 2, 60, len(EVENTS)):
        line = lines[number]
        # the same event, one byte longer
        with_change = b"".join([*lines[:number], line.replace(b"}\n", b" }\n"), *lines[number + 1 :]])
        recording = recording_of(tmp_path / "x.gossip", with_change)
        difference = verify(recording, specimen("chatter"))
        recording.close()
        assert difference is not None
        assert difference.event == number
        assert difference.got.encode() + b"\n" == line


def test_a_file_that_grows_is_looked_at_again(tmp_path):
    data = every_bytes()
    path = tmp_path / "x.gossip"
    half = data.index(b"\n", len(data) // 2) + 1
    recording = recording_of(path, data[:half])
    assert recording.torn
    length = recording.length
    with path.open("ab") as file:
        file.write(data[half:-3])
        file.flush()
        recording.refresh()
        assert recording.torn
        assert length < recording.length == len(EVENTS) - 1
        file.write(data[-3:])
    recording.refresh()
    assert not recording.torn
    assert as_bytes(recording.at_event(len(EVENTS))) == folded(EVENTS)
    assert isinstance(EVENTS[-1], Ended)
    recording.close()


@pytest.mark.parametrize("suffix", ["", ".zst"])
def test_nothing_stays_behind(tmp_path: Path, suffix):
    record(tmp_path / f"x.gossip{suffix}", 40)
    assert [path.name for path in tmp_path.iterdir()] == [f"x.gossip{suffix}"]
