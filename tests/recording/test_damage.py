"""Recordings that are torn, corrupted or hostile: what can be read is right, what cannot is refused in a sentence."""

import json
import os
import re

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from gossiplab.errors import RecordingError
from gossiplab.headless import world_figures
from gossiplab.recording import tape
from gossiplab.recording.format import KEYFRAME_MARK
from gossiplab.recording.reader import open_recording
from gossiplab.recording.source import compress_segments
from gossiplab.recording.verify import verify
from gossiplab.world.world import new_world
from tests.helpers import bytes_of, header_of, specimen
from tests.recording.making import events_in, every_bytes

SMALL = {"nodes": 3, "seed": 2, "until": 1.5, "at": ("0 inject n0", "0.5 kill n1", "1 rejoin n1")}


@pytest.fixture(scope="module")
def small():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tape, "keyframe_interval", lambda nodes: 12)
        yield bytes_of(header_of("chatter", **SMALL))


def packed(path, data):
    """The path of a compressed recording of these bytes, with frames where a Recorder puts them."""
    plain = path.with_name("plain")
    plain.write_bytes(data)
    starts = [0]
    offset = 0
    for line in data.splitlines(keepends=True):
        if line.startswith(KEYFRAME_MARK):
            starts.append(offset)
        offset += len(line)
    compress_segments(plain, path, starts)
    plain.unlink()
    return path


def everything(path):
    """Use a recording in every way. None when it was refused."""
    try:
        recording = open_recording(path)
    except RecordingError as error:
        sentence(error)
        return None
    worlds = []
    uses = (
        lambda: list(recording.read()),
        lambda: list(recording.commands()),
        lambda: recording.at(recording.end),
        lambda: recording.at(recording.end / 2),
        lambda: recording.at_event(recording.length),
        lambda: recording.at_event(recording.length // 2),
        recording.refresh,
        lambda: verify(recording, specimen(recording.header.experiment.protocol)),
    )
    if recording.header.experiment.protocol != "chatter":
        uses = uses[:-1]
    for use in uses:
        try:
            worlds.append(use())
        except RecordingError as error:
            sentence(error)
            worlds.append(None)
    for world in worlds[2:6]:
        if world is not None:
            json.dumps(world_figures(world, 1.0))
            world.word()
    recording.close()
    return worlds


def sentence(error):
    text = str(error)
    assert "\n" not in text
    assert len(text) < 2000


def test_torn_anywhere(small, tmp_path, monkeypatch):
    monkeypatch.setattr(tape, "keyframe_interval", lambda nodes: 12)
    path = tmp_path / "x.gossip"
    first = small.index(b"\n") + 1
    path.write_bytes(small)
    for size in reversed(range(len(small))):
        data = small[:size]
        os.truncate(path, size)
        if size < first:
            with pytest.raises(RecordingError):
                open_recording(path)
            continue
        recording = open_recording(path)
        whole = data.endswith(b"\n") or size == first
        if size % 97 == 0 or whole:
            events = events_in(data)
            world = new_world(recording.header)
            world.apply(events)
            assert recording.torn
            assert recording.length == len(events)
            assert recording.end == (events[-1].t if events else 0.0)
            assert recording.at_event(len(events)) == world == recording.at(recording.end)
        if size % 499 == 0 or (whole and recording.length % 4 == 0):
            assert verify(recording, specimen("chatter")) is None
        recording.close()


def test_compressed_and_torn_anywhere(small, tmp_path):
    whole = packed(tmp_path / "whole.zst", small).read_bytes()
    all_events = events_in(small)
    path = tmp_path / "x.gossip.zst"
    opened = 0
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        try:
            recording = open_recording(path)
        except RecordingError:
            continue
        opened += 1
        events = list(recording.read())
        assert events == all_events[: len(events)]
        assert recording.torn
        recording.close()
    assert opened


@pytest.mark.parametrize("junk", [b"!", b"junk", b"\x28\xb5\x2f!", b"\n" * 17, b"junk" * 100])
def test_what_stands_behind_a_compressed_recording_is_no_torn_end(small, tmp_path, junk):
    path = packed(tmp_path / "whole.zst", small)
    path.write_bytes(path.read_bytes() + junk)
    with pytest.raises(RecordingError, match="corrupted"):
        open_recording(path)


edits = st.lists(
    st.tuples(
        st.sampled_from(["flip", "insert", "delete", "copy"]),
        st.floats(0, 1),
        st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=4,
)


def edited(data, changes):
    for kind, place, extra in changes:
        at = int(place * (len(data) - 1))
        if kind == "flip":
            data = data[:at] + bytes([data[at] ^ (extra[0] or 1)]) + data[at + 1 :]
        elif kind == "insert":
            data = data[:at] + extra + data[at:]
        elif kind == "delete":
            data = data[:at] + data[at + len(extra) :]
        else:
            data = data[:at] + data[at // 2 : at // 2 + 30] + data[at:]
    return data


@settings(max_examples=120)
@given(changes=edits)
def test_corrupted_anywhere(tmp_path_factory, changes):
    path = tmp_path_factory.getbasetemp() / "corrupted.gossip"
    path.write_bytes(edited(every_bytes(), changes))
    everything(path)


@settings(max_examples=80)
@given(changes=edits)
def test_compressed_and_corrupted_anywhere(tmp_path_factory, changes):
    base = tmp_path_factory.getbasetemp()
    whole = packed(base / "whole.gossip.zst", every_bytes()).read_bytes()
    path = base / "corrupted.gossip.zst"
    path.write_bytes(edited(whole, changes))
    everything(path)


@settings(max_examples=80)
@given(
    number=st.integers(0, 10**6),
    digits=st.sampled_from(
        [b"-1", b"3", b"99999999999", b"1e999", b"-0", b"9" * 5000, b"1.5", b"null", b'"x"', b"true"]
    ),
    data=st.data(),
)
def test_any_number_replaced(tmp_path_factory, number, digits, data):
    whole = every_bytes()
    numbers = list(re.finditer(rb"(?<=[:\[,])-?\d+(?:\.\d+)?(?=[,\]}])", whole))
    match = numbers[number % len(numbers)]
    path = tmp_path_factory.getbasetemp() / "numbers.gossip"
    path.write_bytes(whole[: match.start()] + digits + whole[match.end() :])
    everything(path)


WIRED = '{"e":"wired","t":0.0,"edges":null}'
SENT = '{"e":"sent","t":0.1,"id":0,"src":0,"dst":1,"due":0.2,"kind":"Word","size":3,"carries":[],"body":{}}'
INJECTED = '{"e":"injected","t":0.0,"rumor":0,"node":0}'
DELIVERED = '{"e":"delivered","t":0.2,"id":0}'
KEPT = '{"e":"kept","t":0.0,"node":0,"view":"active","peers":[1,2]}'
HOSTILE = {
    "edge to nobody": ['{"e":"wired","t":0.0,"edges":[[0,3]]}'],
    "edge to a negative": ['{"e":"wired","t":0.0,"edges":[[-1,0]]}'],
    "edge to itself": ['{"e":"wired","t":0.0,"edges":[[1,1]]}'],
    "edge of three": ['{"e":"wired","t":0.0,"edges":[[0,1,2]]}'],
    "wired twice": [WIRED, '{"e":"wired","t":0.0,"edges":[[0,7]]}'],
    "from nobody": [WIRED, SENT.replace('"src":0', '"src":3')],
    "from a negative": [WIRED, SENT.replace('"src":0', '"src":-1')],
    "to nobody": [WIRED, SENT.replace('"dst":1', '"dst":1000000000000')],
    "to a negative": [WIRED, SENT.replace('"dst":1', '"dst":-3')],
    "due before it was sent": [WIRED, SENT.replace('"due":0.2', '"due":-5')],
    "due never": [WIRED, SENT.replace('"due":0.2', '"due":1e999')],
    "due late": [WIRED, SENT.replace('"due":0.2', '"due":1e300')],
    "a negative size": [WIRED, SENT.replace('"size":3', '"size":-3')],
    "a huge size": [WIRED, SENT.replace('"size":3', f'"size":{"9" * 5000}')],
    "a negative id": [WIRED, SENT.replace('"id":0', '"id":-1')],
    "a huge id": [WIRED, SENT.replace('"id":0', f'"id":{2**64}')],
    "carries nothing there": [WIRED, SENT.replace('"carries":[]', '"carries":[0]')],
    "carries a negative": [WIRED, INJECTED, SENT.replace('"carries":[]', '"carries":[-1]')],
    "a body beyond numbers": [WIRED, SENT.replace("{}", "9" * 5000)],
    "delivered what was not sent": [WIRED, DELIVERED],
    "delivered twice": [WIRED, SENT, DELIVERED, DELIVERED],
    "dropped what was not sent": [WIRED, '{"e":"dropped","t":0.2,"id":0,"why":"loss"}'],
    "a copy of nothing": [WIRED, '{"e":"duplicated","t":0.2,"id":1,"of":0,"due":0.4}'],
    "a copy that is due before": [WIRED, SENT, '{"e":"duplicated","t":0.15,"id":1,"of":0,"due":0.1}'],
    "back in time": [WIRED, SENT, '{"e":"healed","t":0.05}'],
    "before the beginning": ['{"e":"wired","t":-1.0,"edges":null}'],
    "after the end of time": [WIRED, '{"e":"healed","t":1e300}'],
    "an instant that is none": [WIRED, '{"e":"healed","t":1e999}'],
    "nan": [WIRED, '{"e":"healed","t":NaN}'],
    "injected into nobody": [WIRED, '{"e":"injected","t":0.0,"rumor":0,"node":3}'],
    "learned by a negative": [WIRED, INJECTED, '{"e":"learned","t":0.0,"node":-1,"rumor":0,"by":null}'],
    "learned by nobody": [WIRED, INJECTED, '{"e":"learned","t":0.0,"node":3,"rumor":0,"by":null}'],
    "learned a negative": [WIRED, INJECTED, '{"e":"learned","t":0.0,"node":1,"rumor":-1,"by":null}'],
    "learned what is unknown": [WIRED, '{"e":"learned","t":0.0,"node":1,"rumor":0,"by":null}'],
    "retired from what is unknown": [WIRED, '{"e":"retired","t":0.0,"node":1,"rumor":0}'],
    "killed nobody": [WIRED, '{"e":"killed","t":0.0,"node":3}'],
    "left a negative": [WIRED, '{"e":"left","t":0.0,"node":-1}'],
    "rejoined nobody": [WIRED, '{"e":"rejoined","t":0.0,"node":3,"fresh":true}'],
    "crashed nobody": [WIRED, '{"e":"crashed","t":0.0,"node":3,"file":"x","line":1,"error":"x"}'],
    "crashed in a negative line": [WIRED, '{"e":"crashed","t":0.0,"node":0,"file":"x","line":-1,"error":"x"}'],
    "severed nobody": [WIRED, '{"e":"severed","t":0.0,"a":"n0","b":"n3","both":true}'],
    "severed nonsense": [WIRED, '{"e":"severed","t":0.0,"a":"\\u001b[2J","b":"n1","both":true}'],
    "shaped nobody": [WIRED, '{"e":"shaped","t":0.0,"a":"n9","b":"n1","settings":[]}'],
    "a command to nobody": [WIRED, '{"e":"command","t":0.0,"command":"kill n3"}'],
    "a command that is none": [WIRED, '{"e":"command","t":0.0,"command":"dance"}'],
    "shown by nobody": [WIRED, '{"e":"shown","t":0.0,"node":3,"name":"x","value":1}'],
    "shown beyond numbers": [WIRED, '{"e":"shown","t":0.0,"node":0,"name":"x","value":1e999}'],
    "shown without end": [WIRED, '{"e":"shown","t":0.0,"node":0,"name":"x","value":' + "[" * 100_000 + "]" * 100_000 + "}"],
    "keeps nobody": [WIRED, KEPT.replace("[1,2]", "[1,3]")],
    "keeps a negative": [WIRED, KEPT.replace("[1,2]", "[-1,2]")],
    "keeps itself": [WIRED, KEPT.replace("[1,2]", "[0,1]")],
    "keeps one twice": [WIRED, KEPT.replace("[1,2]", "[1,1]")],
    "kept by nobody": [WIRED, KEPT.replace('"node":0', '"node":3')],
    "keeps an unknown view": [WIRED, KEPT.replace("active", "friends")],
    "an unknown event": [WIRED, '{"e":"exploded","t":0.0}'],
    "no event": [WIRED, "[]"],
}  # fmt: skip


def hostile(path, lines, end='{"e":"ended","t":9.0,"why":"time"}'):
    header = bytes_of(header_of("chatter", nodes=3, until=9.0)).splitlines()[0]
    text = "\n".join([*lines, end])
    path.write_bytes(header + b"\n" + text.encode() + b"\n")
    return path


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_have_happened_is_refused(tmp_path, name):
    path = hostile(tmp_path / "x.gossip", HOSTILE[name])

    def use():
        recording = open_recording(path)
        try:
            recording.at(recording.end)
        finally:
            recording.close()

    with pytest.raises(RecordingError) as caught:
        use()
    sentence(caught.value)
    everything(path)


def test_its_beginning_can_still_be_looked_at(tmp_path):
    recording = open_recording(
        hostile(tmp_path / "x.gossip", [WIRED, SENT, DELIVERED, '{"e":"killed","t":0.3,"node":3}'])
    )
    assert recording.at(0.1).events == 2
    with pytest.raises(RecordingError, match="after event 3: "):
        recording.at(0.3)
    recording.close()


def test_a_verified_lie_does_not_run_for_ever(tmp_path):
    lines = bytes_of(
        header_of("chatter", nodes=1, until=5.0, params={"period": 0.001, "replies": False})
    ).splitlines()
    forged = [lines[0].replace(b'"until":5.0', b'"until":"stopped"'), *lines[1:]]
    path = tmp_path / "x.gossip"
    path.write_bytes(b"\n".join(forged) + b"\n")
    worlds = everything(path)
    assert worlds is not None
    forged[0] = lines[0].replace(b'"until":5.0', b'"until":1000000.0')
    path.write_bytes(b"\n".join(forged) + b"\n")
    worlds = everything(path)
    assert worlds is not None
    assert worlds[-1].event == len(lines) - 1  # the end, which came too early


KEYFRAME_LIES = {
    "nodes": (
        '"nodes":[{',
        '"nodes":[{"status":"alive","since":0.0,"lives":1,"sent":0,"received":0,"shown":{}},{',
    ),
    "status": ('"status":"alive"', '"status":"asleep"'),
    "source": ('"source":2', '"source":77'),
    "flight": ('"src":', '"src":9'),
    "count": ('"delivered":', '"delivered":-'),
    "events": ('"events":', '"events":1'),
    "width of bins": ('"width":', '"width":1'),
    "bins": ('"bins":[', '"bins":[[-1],'),
    "counted before": ('"before":[', '"before":[99999999,'),
    "down": ('"down":', '"down":9'),
    "live": ('"live":', '"live":9'),
    "moment": ('"moments":[', '"moments":[[0.0,"lost",99],'),
    "useful": ('"useful":', '"useful":-1'),
    "overlay of some": ('"overlay":[]', '"overlay":[{}]'),
    "overlay": ('"overlay":[]', '"overlay":[{"active":[0]},{},{},{},{},{}]'),
    "cycle": ('"cycle":null', '"cycle":{"period":0.0,"aligned":true}'),
}


@pytest.mark.parametrize("name", KEYFRAME_LIES)
def test_keyframes_that_lie_are_refused(tmp_path, name):
    old, new = KEYFRAME_LIES[name]
    lines = every_bytes().decode().splitlines()
    place = max(index for index, line in enumerate(lines) if line.startswith('{"e":"keyframe"'))
    head, mark, world = lines[place].partition('"world":')
    assert old in world
    lines[place] = head + mark + world.replace(old, new, 1)
    path = tmp_path / "x.gossip"
    path.write_text("\n".join(lines) + "\n")
    recording = open_recording(path)
    with pytest.raises(RecordingError):
        recording.at_event(recording.length)
    recording.close()
    everything(path)


@pytest.mark.parametrize("previous", ["-1", "0", "5", "99999999", "1e999", '"x"'])
def test_keyframes_that_lead_nowhere_are_refused(tmp_path, previous):
    data = every_bytes()
    at = data.rfind(b'"previous":')
    end = data.index(b",", at)
    path = tmp_path / "x.gossip"
    path.write_bytes(data[:at] + b'"previous":' + previous.encode() + data[end:])
    with pytest.raises(RecordingError):
        open_recording(path)


def test_headers_that_cannot_be_are_refused(tmp_path):
    data = bytes_of(header_of("epidemic", nodes=3))
    for old, new in {
        b'"period":1.0,"aligned"': b'"period":0,"aligned"',
        b'"nodes":3': b'"nodes":1000000000',
        b'"loss":0.0': b'"loss":1e999',
        b'"seed":0': b'"seed":-1',
    }.items():
        assert old in data
        path = tmp_path / "x.gossip"
        path.write_bytes(data.replace(old, new, 1))
        with pytest.raises(RecordingError) as caught:
            open_recording(path)
        sentence(caught.value)


def test_a_bomb_of_zeros_is_refused(tmp_path):
    path = tmp_path / "x.gossip.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress(bytes(300 * 2**20)))
    everything(path)
