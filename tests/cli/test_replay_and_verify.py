"""`gossiplab replay --headless` and `gossiplab verify`: the World at an instant, and whether a recording is true."""

import json
import signal

import pytest

from gossiplab.recording.reader import open_recording
from gossiplab.world.world import World
from tests.helpers import SPECIMENS, bytes_of, header_of

UNSET = {"replicas", "estimates"}  # in a lab in which nobody keeps keys or estimates anything
FIELDS = {"at", "word", "messages", "rumor_figures", "digest", *World.__struct_fields__} - UNSET


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "x.gossip"
    schedule = ("0.5 kill n1", "1 partition n0,n2", "2 heal", "2 rejoin n1 fresh")
    path.write_bytes(bytes_of(header_of("epidemic", nodes=6, at=schedule, until=4.0)))
    return path


@pytest.mark.parametrize("t", [0, 0.25, 1, 1.5, 2, 3.999, 4, 100])
def test_the_world_at_an_instant(gossiplab, file, t):
    code, out, err = gossiplab("replay", file, "--headless", "--at", t, "--json")
    assert (code, err) == (0, "")
    assert out.count("\n") == 1
    world = json.loads(out)
    assert set(world) == FIELDS
    recording = open_recording(file)
    expected = recording.at(t)
    recording.close()
    assert (world["at"], world["t"], world["events"]) == (t, expected.t, expected.events)
    assert world["word"] == expected.word()
    assert [node["status"] for node in world["nodes"]] == [node.status for node in expected.nodes]
    assert world["messages"]["sent"] == expected.sent
    assert len(world["flights"]) == world["messages"]["in_flight"]
    assert world["nodes"][1]["status"] == ("dead" if 0.5 <= t < 2 else "alive")
    assert (world["word"] == "partitioned") == (1 <= t < 2)


def test_without_an_instant_it_is_the_end(gossiplab, file):
    world = json.loads(gossiplab("replay", file, "--headless", "--json")[1])
    assert (world["at"], world["ended"]) == (4.0, "time")


def test_for_people(gossiplab, file):
    code, out, err = gossiplab("replay", file, "--headless", "--at", 1.5)
    assert (code, err) == (0, "")
    assert out.startswith("at 1.5 s: partitioned, 5 of 6 nodes alive, ")
    assert "  dead: n1\n" in out


def test_a_torn_one_says_so_on_standard_error(gossiplab, file):
    file.write_bytes(file.read_bytes()[:-4])
    code, out, err = gossiplab("replay", file, "--headless", "--json")
    assert code == 0
    length = json.loads(out)["events"]
    assert err == f"gossiplab: {file} ends early after event {length}.\n"
    code, out, err = gossiplab("verify", file)
    assert (code, err) == (0, "")
    assert out == f"{file}: {length} events agree to the byte (it ends early).\n"


def test_escapes_in_a_recording_reach_no_terminal(gossiplab, tmp_path):
    data = bytes_of(header_of("chatter", nodes=3, until=3.0)).splitlines()
    data.insert(
        2, b'{"e":"shown","t":0.0,"node":0,"name":"\\u001b[2J\\u009b2J\\u202e","value":"\\u001b[31m\\ud800"}'
    )
    file = tmp_path / "x.gossip"
    file.write_bytes(b"\n".join(data) + b"\n")
    for arguments in (("replay", file, "--headless", "--json"), ("replay", file, "--headless"), ("verify", file, "--protocols", SPECIMENS)):  # fmt: skip
        _, out, err = gossiplab(*arguments)
        assert all(character == "\n" or " " <= character <= "~" for character in out + err)
        assert not err


def test_a_built_in_one_goes_by_its_name(gossiplab):
    assert gossiplab("verify", "rumor-dies-too-early")[0] == 0
    world = json.loads(gossiplab("replay", "rumor-dies-too-early", "--headless", "--json")[1])
    assert world["ended"] == "quiescent"


def test_verify_agrees(gossiplab, file):
    code, out, err = gossiplab("verify", file)
    assert (code, err) == (0, "")
    assert "events agree to the byte." in out


@pytest.mark.parametrize("number", [1, 2, 30, -1])
def test_verify_names_the_first_event_that_differs(gossiplab, file, number):
    lines = file.read_bytes().splitlines()
    honest = lines[number]
    lines[number] = honest.replace(b"}", b" }", 1)
    file.write_bytes(b"\n".join(lines) + b"\n")
    code, out, err = gossiplab("verify", file)
    assert (code, err) == (1, "")
    first, expected, got = out.splitlines()
    assert first == f"{file} differs from its repetition at event {number % len(lines)}:"
    assert expected == f"  expected {lines[number].decode()}"
    assert got == f"  got      {honest.decode()}"


def test_verify_says_where_one_of_them_ends(gossiplab, file):
    lines = file.read_bytes().splitlines(keepends=True)
    number = len(lines) - 1
    file.write_bytes(b"".join([*lines, b'{"e":"healed","t":4.0}\n', lines[-1]]))
    code, out, _ = gossiplab("verify", file)
    assert code == 1
    assert f"at event {number + 1}:" in out
    assert out.endswith("  got      nothing more\n")
    file.write_bytes(b"".join([*lines[:-2], lines[-1]]))  # an event is missing
    code, out, _ = gossiplab("verify", file)
    assert code == 1
    assert f"at event {number - 1}:" in out
    assert f"  got      {lines[-2].decode()}" in out


def test_verify_with_another_protocol_than_it_was_made_with(gossiplab, tmp_path, file):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "epidemic.py").write_text((SPECIMENS / "chatter.py").read_text())
    code, out, err = gossiplab("verify", file, "--protocols", mine)
    assert (code, out) == (2, "")
    assert err.startswith(f"gossiplab: {file} cannot be executed again: ")


def test_verify_loads_no_code_that_a_recording_names(gossiplab, tmp_path):
    file = tmp_path / "chatter.gossip"
    file.write_bytes(bytes_of(header_of("chatter", nodes=3, until=2.0)))
    (tmp_path / "chatter.py").write_text((SPECIMENS / "chatter.py").read_text())
    code, out, err = gossiplab("verify", file)
    assert (code, out) == (2, "")
    assert "there is no protocol 'chatter'" in err
    assert gossiplab("verify", file, "--protocols", tmp_path)[0] == 0


@pytest.mark.parametrize(
    "before, after",
    [('"aligned":false', '"aligned":true'), (',"seed"', ', "seed"'), ('"period":1.0', '"period":2.0')],
)
def test_verify_looks_at_the_header_too(gossiplab, tmp_path, before, after):
    data = bytes_of(header_of("epidemic", nodes=9, until=3.0)).decode()
    head, newline, rest = data.partition("\n")
    assert before in head
    file = tmp_path / "x.gossip"
    cycle = head.index('"cycle"')
    changed = (
        head[:cycle] + head[cycle:].replace(before, after)
        if before in head[cycle:]
        else head.replace(before, after)
    )
    file.write_text(changed + newline + rest)
    code, out, err = gossiplab("verify", file)
    assert (code, err) == (1, "")
    assert "at event 0" in out


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_verify_without_a_verdict(gossiplab, tmp_path, monkeypatch, name):
    (tmp_path / "signalled.py").write_text(_SIGNALLED)
    file, folder = tmp_path / "x.gossip", ("--protocols", tmp_path)
    assert gossiplab("run", "signalled", *folder, "--nodes", 2, "--until", 50, "--record", file)[0] == 0
    assert gossiplab("verify", file, *folder)[0] == 0
    number = getattr(signal, name)
    monkeypatch.setattr("gossiplab.engine.kernel._TURN", -1)  # it is looked for after every event
    monkeypatch.setattr("gossiplab.engine.kernel._SLICE", 1)
    monkeypatch.setenv("TEST_SIGNAL", str(int(number)))
    before = signal.signal(number, signal.SIG_DFL)  # it may be ignored here, and would be there
    try:
        assert gossiplab("verify", file, *folder) == (128 + number, "", "")
    finally:
        signal.signal(number, before)


_SIGNALLED = """
import os
import signal

from gossiplab import Protocol, every


class Signalled(Protocol):
    \"\"\"Its process is signalled at 3 s, if the environment says so.\"\"\"

    @every(1.0, phase="aligned")
    def beat(self):
        if self.now == 3 and self.id == 0 and "TEST_SIGNAL" in os.environ:
            signal.raise_signal(int(os.environ["TEST_SIGNAL"]))
"""
