"""Files that are nearly recordings, and places that are nearly files."""

import os

import pytest
import zstandard

from gossiplab import Protocol, every, param
from gossiplab.errors import RecordingError, StorageError
from gossiplab.recording import source, tape
from gossiplab.recording.format import KEYFRAME_MARK
from gossiplab.recording.reader import open_recording
from gossiplab.recording.recorder import Recorder
from gossiplab.recording.verify import verify
from tests.helpers import bytes_of, events_of, header_of, recording_of, specimen
from tests.recording.making import POSTS, every_bytes, every_header


@pytest.fixture
def lines(monkeypatch):
    monkeypatch.setattr(tape, "keyframe_interval", lambda nodes: 40)
    return every_bytes().splitlines(keepends=True)


def verdict(path, data):
    """The number of the first event that differs; None: nothing does; or why it cannot be used."""
    try:
        recording = recording_of(path, data)
    except RecordingError as error:
        return str(error)
    difference = verify(recording, specimen("chatter"))
    recording.close()
    return difference and difference.event


@pytest.mark.parametrize("number", [3, 30])
def test_a_newline_that_became_another_blank_is_found(tmp_path, lines, number):
    changed = b"".join([*lines[:number], lines[number][:-1], b"\r", *lines[number + 1 :]])
    assert len(changed) == len(b"".join(lines))
    assert verdict(tmp_path / "x.gossip", changed) == number


def test_whatever_stands_behind_the_end_is_found(tmp_path, lines):
    whole, events = b"".join(lines), sum(not line.startswith(KEYFRAME_MARK) for line in lines) - 1
    path = tmp_path / "x.gossip"
    assert verdict(path, whole) is None
    assert verdict(path, whole + b"x") == events + 1
    assert verdict(path, whole + lines[-1]) == events + 1
    assert "is corrupted" in str(verdict(path, whole + b"\n"))
    assert "is corrupted" in str(verdict(path, whole + b" \n"))


def test_an_empty_line_at_the_beginning(tmp_path, lines):
    for rest in (b"", b"\n", lines[1]):
        assert "is corrupted" in str(verdict(tmp_path / "x.gossip", lines[0] + b"\n" + rest))


def test_keyframes_that_are_not_in_order(tmp_path, lines):
    marked = [line for line in lines if line.startswith(KEYFRAME_MARK)]
    for old, new in ((b'"events":40', b'"events":99'), (b'"t":', b'"t":9')):
        changed = b"".join(lines).replace(marked[0], marked[0].replace(old, new, 1))
        assert isinstance(verdict(tmp_path / "x.gossip", changed), str)


def test_a_few_bytes_that_stand_for_more_than_there_is_memory(tmp_path, lines, monkeypatch):
    monkeypatch.setattr(source, "LONGEST_LINE", 2**22)
    path = tmp_path / "x.gossip.zst"
    compressor = zstandard.ZstdCompressor().compressobj()  # which does not say how much it will be
    bomb = b"".join([compressor.compress(bytes(2**20)) for _ in range(64)] + [compressor.flush()])
    path.write_bytes(zstandard.ZstdCompressor().compress(lines[0]) + bomb)
    assert len(bomb) < 10_000
    with pytest.raises(RecordingError, match="is longer than 4 MiB, so gossiplab did not write it"):
        open_recording(path)


def test_a_frame_that_lies_about_its_size(tmp_path, lines):
    """Half of what it says: what is there can be read, or it is refused."""
    frame = bytearray(zstandard.ZstdCompressor().compress(b"".join(lines)))
    for byte in range(4, 9):
        for value in (0, 1, 0x7F, 0xFF):
            changed = bytes([*frame[:byte], value, *frame[byte + 1 :]])
            path = tmp_path / "x.gossip.zst"
            path.write_bytes(changed)
            try:
                recording = open_recording(path)
                list(recording.read())
                recording.at(recording.end)
                verify(recording, specimen("chatter"))
            except RecordingError:
                continue


def test_one_frame_made_by_somebody_elses_zstd_is_read(tmp_path, lines):
    path = tmp_path / "x.gossip.zst"
    path.write_bytes(zstandard.ZstdCompressor(level=19).compress(b"".join(lines)))
    recording = open_recording(path)
    assert verify(recording, specimen("chatter")) is None
    recording.close()


# half of a surrogate pair, which no gossiplab writes ---------------------------------------------------


class Showing(Protocol):
    """Shows one text, as name and as value."""

    text = param("", doc="what it shows")

    @every(0.1)
    def tick(self):
        self.show(self.text, [{self.text: self.text}])


@pytest.mark.parametrize(
    "escapes, text",
    [
        (r"\ud800", "<U+D800>"),
        (r"\uDfFf", "<U+DFFF>"),
        (r"\udc00\udbff", "<U+DC00><U+DBFF>"),
        (r"\ud83d\ud83d\ude00\ude00", "<U+D83D>\U0001f600<U+DE00>"),
        (r"\ud800\\udc00", r"<U+D800>\udc00"),
        (r"\\ud800\\\ud800\"", r'\ud800\<U+D800>"'),
    ],
)
@pytest.mark.parametrize("name", ["x.gossip", "x.gossip.zst"])
def test_half_of_a_surrogate_pair_is_read_as_the_text_that_is_shown_of_it(
    tmp_path, monkeypatch, name, escapes, text
):
    monkeypatch.setattr(tape, "keyframe_interval", lambda nodes: 10)
    mark = "x" * len(escapes)  # so that keyframes stay where they are
    header = header_of(Showing, nodes=2, until=2.0, params={"text": mark})
    data = bytes_of(header, [(1.0, "kill n1")], Showing)
    assert b"".join(data.splitlines()[-12:]).count(KEYFRAME_MARK)
    data = zstandard.compress(data.replace(mark.encode(), escapes.encode()))
    recording = recording_of(tmp_path / name, data if name.endswith(".zst") else zstandard.decompress(data))
    assert recording.header.experiment.params == {"text": text}
    for world in (recording.at(0.5), recording.at(1.0), recording.at_event(recording.length)):
        assert world.nodes[0].shown == {text: [{text: text}]}
    shown = [event for event in recording.read() if type(event).__name__ == "Shown"]
    assert {event.name for event in shown} == {text}
    assert [event.command for event in recording.commands()] == ["kill n1"]
    assert (recording.length, recording.torn) == (len(list(recording.read())), False)
    recording.close()


# places ----------------------------------------------------------------------------------------------


def test_a_pipe_that_nobody_reads_is_refused_and_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(StorageError, match=r"cannot be written to .*pipe: .*; choose another place"):
        Recorder(pipe, every_header())


def test_a_pipe_that_somebody_reads_is_written(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with Recorder(pipe, every_header()) as recorder:
        recorder(events_of(every_header(), POSTS))
    got = b""
    while part := os.read(reading, 2**16):
        got += part
    os.close(reading)
    assert got == every_bytes(10**6)


def test_a_folder_is_refused_before_the_run(tmp_path):
    folder = tmp_path / "x.gossip.zst"
    folder.mkdir()
    with pytest.raises(StorageError, match="Is a directory; choose another place"):
        Recorder(folder, every_header())
    assert list(tmp_path.iterdir()) == [folder]


def test_somebodys_part_is_left_alone(tmp_path):
    part = tmp_path / "x.gossip.zst.part"
    part.write_text("mine")
    with pytest.raises(StorageError, match="exists and is no recording"):
        Recorder(tmp_path / "x.gossip.zst", every_header())
    assert part.read_text() == "mine"


@pytest.mark.parametrize("name", ["x" * 300, "y/" * 3000 + "x", "missing/x.gossip", "missing/x.gossip.zst"])
def test_names_that_no_file_can_have(tmp_path, name):
    with pytest.raises(StorageError, match="choose another place with --record FILE"):
        Recorder(tmp_path / name, every_header())


def test_a_disk_that_is_full_when_it_is_compressed_keeps_the_events(tmp_path, monkeypatch):
    def full(source, target, starts):
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gossiplab.recording.recorder.compress_segments", full)
    recorder = Recorder(tmp_path / "x.gossip.zst", every_header())
    recorder(events_of(every_header(), POSTS))
    with pytest.raises(StorageError, match=r"No space left on device; it is in .*x\.gossip\.zst\.part"):
        recorder.close()
    assert [path.name for path in tmp_path.iterdir()] == ["x.gossip.zst.part"]
    recording = open_recording(tmp_path / "x.gossip.zst.part")
    assert not recording.torn
    recording.close()


# compressed files that nobody would write -------------------------------------------------------------


def test_a_short_compressed_recording_that_is_cut_off_can_be_read_up_to_there(tmp_path):
    path = tmp_path / "x.gossip.zst"
    with Recorder(path, every_header()) as recorder:
        recorder(events_of(every_header(), POSTS))
    whole = path.read_bytes()
    counts = []
    for share in (0.5, 0.7, 0.95):
        path.write_bytes(whole[: int(len(whole) * share)])
        recording = open_recording(path)
        assert recording.torn
        counts.append(recording.length)
        assert [*recording.read()] == [*events_of(every_header(), POSTS)][: recording.length]
        recording.close()
    assert counts == sorted(set(counts))
    assert counts[0] > 0


def test_a_full_disk_leaves_an_older_compressed_recording_alone(tmp_path, monkeypatch):
    path = tmp_path / "x.gossip.zst"
    with Recorder(path, every_header()) as recorder:
        recorder(events_of(every_header(), POSTS))
    before = path.read_bytes()

    def full(source, target, starts):
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gossiplab.recording.recorder.compress_segments", full)
    recorder = Recorder(path, every_header())
    with pytest.raises(StorageError):
        recorder.close()
    assert path.read_bytes() == before


EMPTY_FRAME = zstandard.ZstdCompressor().compress(b"")
EMPTY_BLOCKS = b"\x28\xb5\x2f\xfd\x00\x00"  # the head of a frame without a size, and blocks of nothing follow


@pytest.mark.parametrize(
    "content, what",
    [(EMPTY_FRAME * 100_001, "100000 frames"), (EMPTY_BLOCKS + bytes(3) * 1_000_001, "1000000 blocks")],
    ids=["frames", "blocks"],
)
def test_a_file_of_nothing_is_not_walked_to_its_end(tmp_path, content, what):
    path = tmp_path / "x.gossip.zst"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=f"it has more than {what}, so gossiplab did not write it"):
        open_recording(path)


def test_what_is_wrong_deep_inside_names_the_file_and_a_remedy(tmp_path):
    path = tmp_path / "x.gossip"
    data = every_bytes(10**6).splitlines(keepends=True)
    path.write_bytes(b"".join([*data[:50], b'{"e":"nonesuch"}\n', *data[50:]]))
    recording = open_recording(path)
    with pytest.raises(
        RecordingError, match=r"x\.gossip is corrupted at byte \d+: .*; take an undamaged copy of it\.$"
    ):
        list(recording.read())
    recording.close()
