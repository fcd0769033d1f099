"""Reading some events of a recording, by their numbers: the same as reading all and taking those."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossiplab.errors import RecordingError
from gossiplab.recording.reader import open_recording
from tests.helpers import bytes_of, header_of


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A recording with a keyframe in it, and all its events."""
    busy = {"period": 0.1, "fanout": 6}
    path = tmp_path_factory.mktemp("windows") / "run.gossip"
    path.write_bytes(bytes_of(header_of("chatter", nodes=12, until=16.0, params=busy)))
    recording = open_recording(path)
    events = list(recording.read())
    assert len(events) == recording.length > 21_000  # beyond the first keyframe
    return recording, events


@given(st.data())
@settings(max_examples=60)
def test_a_window_is_what_lies_between(whole, data):
    recording, events = whole
    numbers = st.one_of(st.integers(0, len(events) + 5), st.integers(20_100, 20_140))
    start = data.draw(numbers)
    stop = data.draw(st.one_of(st.none(), numbers, st.integers(start, start + 200)))
    assert list(recording.read(start, stop)) == events[start:stop]


def test_what_lies_before_a_window_need_not_be_sound(whole, tmp_path):
    recording, events = whole
    lines = recording.path.read_bytes().splitlines(keepends=True)
    path = tmp_path / "corrupted.gossip"
    path.write_bytes(b"".join([*lines[:5000], b"#" * (len(lines[5000]) - 1) + b"\n", *lines[5001:]]))
    corrupted = open_recording(path)
    assert list(corrupted.read(19_000, 19_050)) == events[19_000:19_050]
    with pytest.raises(RecordingError, match="is corrupted at byte"):
        list(corrupted.read(4000, 5500))
