"""Writing: nothing that was shown is lost, and the bytes are the run's, whoever runs it and wherever."""

import errno
import json
import os
import signal
import subprocess
import sys

import pytest

from gossiplab.errors import StorageError
from gossiplab.recording.reader import open_recording
from gossiplab.recording.recorder import Recorder
from gossiplab.recording.verify import verify
from tests.helpers import SPECIMENS, events_of, specimen
from tests.recording.making import EVERY, POSTS, digest_of, every_bytes, every_header


@pytest.fixture
def events():
    return events_of(every_header(), POSTS)


def pieces(events, size=10):
    return [events[start : start + size] for start in range(0, len(events), size)]


@pytest.mark.parametrize("size", [1, 3, 10**6])
def test_the_bytes_do_not_depend_on_the_batches(tmp_path, events, size):
    path = tmp_path / "x.gossip"
    with Recorder(path, every_header()) as recorder:
        for batch in pieces(events, size):
            recorder(batch)
    assert path.read_bytes() == every_bytes(10**6)


@pytest.mark.parametrize("name", ["x.gossip", "x.gossip.zst"])
def test_two_labs_never_record_to_one_file(tmp_path, events, name):
    path = tmp_path / name
    with Recorder(path, every_header()) as recorder:
        recorder(events[:100])
        with pytest.raises(StorageError, match=r"another lab records to .* now: choose another name"):
            Recorder(path, every_header())
        recorder(events[100:])
    assert list(open_recording(path).read(0)) == events
    with Recorder(path, every_header()) as again:
        again(events[:10])
    assert list(open_recording(path).read(0)) == events[:10]


def test_what_was_shown_is_on_disk(tmp_path, events):
    path = tmp_path / "x.gossip"
    with Recorder(path, every_header()) as recorder:
        for batch in pieces(events, 7):
            recorder(batch)
            reading = open_recording(path)
            assert reading.length == recorder.world.events
            reading.close()


def test_a_compressed_one_is_plain_while_it_is_written(tmp_path, events):
    path = tmp_path / "x.gossip.zst"
    with Recorder(path, every_header()) as recorder:
        recorder(events[:50])
        reading = open_recording(recorder.path)
        assert reading.length == 50
        reading.close()
        assert not path.exists()
        recorder(events[50:])
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("room", [0, 1, 1000, 3000, 9000])
def test_a_full_disk_loses_nothing(tmp_path, events, monkeypatch, room):
    path = tmp_path / "x.gossip"
    recorder = Recorder(path, every_header())
    write, left, refused = os.write, room, []

    def full(fd, data):
        nonlocal left
        if not left:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = write(fd, data[: min(left, 100)])  # and a few bytes at a time
        left -= written
        return written

    monkeypatch.setattr(os, "write", full)
    for batch in pieces(events):
        try:
            recorder(batch)
        except StorageError as error:
            refused.append(str(error))
    assert set(refused) == {
        f"the recording cannot be written to {path}: No space left on device; free some room."
    }
    assert recorder.world.events == len(events)
    assert every_bytes(10**6).startswith(path.read_bytes())
    left = 10**9
    recorder.flush()
    assert path.read_bytes() == every_bytes(10**6)
    assert recorder.digest == digest_of(path.read_bytes())
    recorder.close()
    recorder.close()


def test_abandoned_it_ends_early_and_the_digest_goes_on(tmp_path, events):
    path = tmp_path / "x.gossip"
    recorder = Recorder(path, every_header())
    recorder(events[:50])
    recorder.abandon()
    recorder(events[50:])
    recorder.close()
    assert recorder.world.events == len(events)
    assert recorder.digest == digest_of(every_bytes(40))
    reading = open_recording(path)
    assert (reading.length, reading.torn) == (50, True)
    reading.close()


def test_others_files_are_left_alone(tmp_path):
    path = tmp_path / "thesis.txt"
    path.write_text("years of work")
    with pytest.raises(StorageError, match="is no recording"):
        Recorder(path, every_header())
    assert path.read_text() == "years of work"
    path.write_bytes(every_bytes())
    Recorder(path, every_header()).close()  # a recording may be made again
    assert path.read_bytes().count(b"\n") == 1


def run(*arguments, seed="0", **options):
    return subprocess.Popen(
        [sys.executable, "-m", "gossiplab", "run", *map(str, arguments)],
        env={**os.environ, "PYTHONHASHSEED": seed},
        stdout=subprocess.PIPE,
        **options,
    )


@pytest.mark.parametrize("protocol", ["chatter", "sequences"])
def test_every_process_writes_the_same_bytes(tmp_path, protocol):
    file = tmp_path / "x.toml"
    schedule = [text for text in EVERY["at"] if protocol == "chatter" or "inject" not in text]
    file.write_text(
        f'protocol = "{protocol}"\nnodes = 6\nseed = 11\nuntil = 4.0\ntopology = "watts-strogatz(k=4,p=0.2)"\n'
        f"at = {json.dumps(schedule)}\n"
        '[link]\nlatency = "0.05..0.4"\nloss = 0.1\nduplicate = 0.1\nreorder = 0.1\n'
    )
    paths = [tmp_path / f"{seed}.gossip" for seed in (0, 1, 4711)]
    started = [
        run(file, "--protocols", SPECIMENS, "--record", path, "--json", seed=path.stem) for path in paths
    ]
    digests = {json.loads(process.communicate(timeout=60)[0])["digest"] for process in started}
    contents = {path.read_bytes() for path in paths}
    assert {process.returncode for process in started} == {0}
    (content,) = contents
    assert digests == {digest_of(content)}


@pytest.mark.parametrize("kilobytes", [1, 50, 300])
def test_killed_it_is_a_recording_that_ends_early(tmp_path, kilobytes):
    path = tmp_path / "x.gossip"
    process = run("chatter", "--protocols", SPECIMENS, "--nodes", 20, "--until", 1e6, "--record", path)
    while not path.exists() or path.stat().st_size < kilobytes * 1000:
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    recording = open_recording(path)
    assert recording.torn
    assert recording.at(recording.end).events == recording.length
    assert verify(recording, specimen("chatter")) is None
    recording.close()
