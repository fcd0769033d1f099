"""Forking a recording: up to the instant nothing is different, from there on everything may be."""

from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossiplab.commands import parse_command
from gossiplab.engine.run import run_lab
from gossiplab.errors import RecordingError, UserError
from gossiplab.recording.again import fork
from gossiplab.recording.reader import open_recording
from gossiplab.recording.tape import Tape
from gossiplab.recording.verify import verify
from tests.helpers import bytes_of, events_of, header_of, lab_of, recording_of, specimen

POSTS = [(1.0, "kill n2-n3"), (2.5, "partition n0-n4"), (4.0, "heal"), (4.0, "rejoin n2 fresh")]
FIELDS = {"nodes": 9, "until": 6.0, "at": ["0 kill n6", "5 kill n7"]}


def _forked(path, protocol, t, command, until):
    """The events of a fork that is stopped at `until`, and its recording."""
    recording = open_recording(path)
    header, commands = fork(recording, specimen(protocol), t, parse_command(command, 9))
    pieces: list[bytes] = []
    lab = lab_of(header, Tape(header, pieces.append))
    for instant, each in commands:
        lab.post(each, at=instant)
    lab.stop(at=until)
    run_lab(lab)
    forked = recording_of(path.with_name("fork.gossip"), b"".join(pieces))
    return list(forked.read()), forked


@pytest.mark.parametrize("protocol", ["chatter", "sequences", "rumor", "epidemic"])
@given(t=st.sampled_from([0.0, 0.999, 1.0, 2.0, 2.5, 3.3, 4.0, 5.0, 6.0]))
def test_a_fork_is_the_same_run_up_to_its_instant(tmp_path_factory, protocol, t):
    path = tmp_path_factory.mktemp("fork") / "run.gossip"
    header = header_of(protocol, **FIELDS)
    path.write_bytes(bytes_of(header, POSTS))
    events, forked = _forked(path, protocol, t, "kill n8", 8.0)
    before = [
        event for event in events_of(header, POSTS) if event.t <= t and event.__class__.__name__ != "Ended"
    ]
    assert events[: len(before)] == before
    parent = forked.header.parent
    assert (parent.name, parent.t) == ("run.gossip", t)
    assert events[len(before)].command == "kill n8"
    assert events[len(before)].t == t
    # what the schedule holds still happens, what a person did later does not
    later = [event.command for event in forked.commands() if event.t > t]
    assert later == [text for instant, text in [(5.0, "kill n7")] if instant > t]
    assert verify(forked, specimen(protocol)) is None


def test_a_fork_of_a_fork(tmp_path):
    path = tmp_path / "run.gossip"
    path.write_bytes(bytes_of(header_of("chatter", **FIELDS), POSTS))
    first, _ = _forked(path, "chatter", 3.0, "heal", 5.5)
    (tmp_path / "fork.gossip").rename(tmp_path / "first.gossip")
    second, forked = _forked(tmp_path / "first.gossip", "chatter", 3.5, "kill n1", 5.5)
    same = list(takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))
    assert same[-1][0].t <= 3.5
    assert second[len(same)].command == "kill n1"
    assert forked.header.parent.name == "first.gossip"


def test_what_cannot_be_forked(tmp_path):
    path = tmp_path / "run.gossip"
    path.write_bytes(bytes_of(header_of("chatter", **FIELDS)))
    silent = tmp_path / "silent.gossip"
    silent.write_bytes(bytes_of(header_of("sequences", nodes=9, until=2.0)))
    with pytest.raises(UserError, match="spreads no rumors"):
        fork(open_recording(silent), specimen("sequences"), 1.0, parse_command("inject n0", 9))
    other = specimen("rumor")
    with pytest.raises(RecordingError, match="cannot be executed again"):
        fork(open_recording(path), other, 1.0, parse_command("kill n0", 9))
