"""Whatever a protocol does wrong is its node's crash: an event with file and line, and the run goes on."""

import asyncio
from pathlib import Path

import msgspec
import pytest
import trio

from gossiplab import Protocol, every
from gossiplab.engine import watchdog
from gossiplab.events import Crashed, Delivered, Ended, Shown
from gossiplab.recording.format import encoder, line_decoder
from gossiplab.recording.verify import verify
from tests.helpers import SPECIMENS, bytes_of, events_of, header_of, recording_of, specimen
from tests.specimens.faulty import PLACES

SOURCE = (SPECIMENS / "faulty.py").read_text().splitlines()
AT = ("0 inject n2", "4 leave n2", "5 rejoin n2")

# where the fault is, if not at a line that raises by itself: a word on that line
LINES = {
    "unhandled": "Unheard())", "undecodable": "def on_strict", "unknown-peer": "10_000", "negative-peer": "send(-1", "odd-peer": "send(True", "unencodable": "object()))",
    "no-message": '{"not"', "bad-timer": '"nan"', "bad-show": '"object"', "bad-show-name": 'show("\\ud800"',
    "unknown-rumor": "learn(7)", "odd-rumor": 'learn("rumor")', "unknown-carries": "(5,)",
    "odd-carries": '("x",)', "bad-sample": "sample(-1)", "long-error": "5_000_000", "odd-error": "x1b",
    "mute-error": "raise MuteError", "address": "{object()}", "exit": "SystemExit", "group": "ExceptionGroup(",
}  # fmt: skip


@pytest.mark.parametrize("where", PLACES)
def test_a_fault_is_a_crash_and_the_run_goes_on(where):
    header = header_of("faulty", nodes=4, params={"where": where, "first": 2}, at=AT, until=8)
    events = events_of(header)
    crashes = [event for event in events if isinstance(event, Crashed)]
    assert isinstance(events[-1], Ended)
    assert events[-1].t == 8
    assert any(isinstance(event, Delivered) and event.t > 7 for event in events)  # n0 and n1 go on
    if where == "nowhere":
        assert crashes == []
        return
    assert crashes
    for crash in crashes:
        assert crash.file == "faulty.py"
        assert len(crash.error) <= 1000
        assert crash.node >= 2 or where == "undecodable"  # where the receiver cannot but stumble
        line = SOURCE[crash.line - 1]
        assert LINES.get(where, f"in {where}") in line, (crash, line)
        # it can be written and read back
        assert line_decoder.decode(encoder.encode(crash)) == crash


@pytest.mark.parametrize("where", PLACES)
def test_a_run_with_crashes_is_executed_again_to_the_byte(where, tmp_path):
    header = header_of("faulty", nodes=4, params={"where": where, "first": 2}, at=AT, until=8)
    data = bytes_of(header)
    assert bytes_of(header) == data
    recording = recording_of(tmp_path / "run.gossip", data)
    assert len(recording.at(recording.end).crashes) == data.count(b'{"e":"crashed"')
    assert verify(recording, specimen("faulty")) is None


def test_where_every_node_crashes_the_run_ends():
    header = header_of("faulty", nodes=3, params={"where": "setup"}, at=["0 inject n0"])
    events = events_of(header)
    assert sum(isinstance(event, Crashed) for event in events) == 3
    assert isinstance(events[-1], Ended)
    assert events[-1].t == 0


def test_a_crashed_node_does_nothing_more():
    header = header_of("faulty", nodes=3, params={"where": "setup"}, at=["0 inject n0"], until=5)
    text = b"\n".join(bytes_of(header).splitlines()[1:])
    assert b'"e":"sent"' not in text


def test_the_file_of_a_crash_is_its_name_only():
    header = header_of("faulty", nodes=1, params={"where": "setup"}, until=1)
    (crash,) = [event for event in events_of(header) if isinstance(event, Crashed)]
    assert Path(crash.file).parent == Path()


class OddError(BaseException):
    """Derived from what nothing should be derived from."""


def _cancelled():
    """A Cancelled that trio has raised, kept and raised again where nothing is cancelled."""

    async def main():
        with trio.CancelScope() as scope:
            scope.cancel()
            try:
                await trio.sleep_forever()
            except trio.Cancelled as error:
                kept.append(error)
                raise

    kept = []
    trio.run(main)
    return kept[0]


ODD = [
    OddError("odd"),
    GeneratorExit(),
    KeyboardInterrupt(),
    asyncio.CancelledError(),
    SystemExit(7),
    _cancelled(),
]


@pytest.mark.parametrize("error, where", [
    (error, where) for error in ODD for where in ("round", "task", "child")
    if not (isinstance(error, trio.Cancelled) and where == "child")  # which the protocol's own nursery takes for its own
])  # fmt: skip
def test_whatever_is_raised_is_the_fault_of_the_node(error, where):
    class Raises(Protocol):
        @every(1.0, phase="aligned")
        def beat(self):
            self.show("beat", self.now)
            self.fail("round")

        async def run(self):
            await trio.sleep(1.5)
            self.fail("task")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.child)
                await trio.sleep(1)

        async def child(self):
            self.fail("child")

        def fail(self, place):
            if self.id == 1 and self.now > 1 and where == place:
                raise error

    events = events_of(header_of(Raises, nodes=2, until=4), kind=Raises)
    (crash,) = (event for event in events if isinstance(event, Crashed))
    assert crash.node == 1
    if where == "round" or not isinstance(error, trio.Cancelled):
        assert crash.error.startswith(type(error).__name__)
    else:
        assert "raised trio.Cancelled though nothing was cancelled" in crash.error
    assert crash.file == "test_faulty_protocols.py"
    assert crash.line > 0
    assert isinstance(events[-1], Ended)
    assert events[-1].t == 4
    assert [event.t for event in events if isinstance(event, Shown) and event.node == 0] == [1, 2, 3, 4]


def test_an_error_that_never_says_why_is_interrupted(monkeypatch):
    monkeypatch.setattr(watchdog, "PATIENCE", 0.1)

    class EndlessError(Exception):
        def __str__(self):
            while True:
                if not self:
                    return ""

    class Raises(Protocol):
        @every(1.0)
        def beat(self):
            if self.id:
                raise EndlessError

    events = events_of(header_of(Raises, nodes=2, until=2), kind=Raises)
    (crash,) = (event for event in events if isinstance(event, Crashed))
    assert (crash.node, crash.error) == (1, "EndlessError: it cannot say why")
    assert isinstance(events[-1], Ended)


HANDED = {
    "place-number": lambda node: node.place(5, [0]),
    "place-surrogate": lambda node: node.place("\ud800", [0]),
    "place-nobody": lambda node: node.place("k0", [99]),
    "level": lambda node: node.compared(node.repair, 10**30, (), 1),
    "level-below": lambda node: node.compared(node.repair, -2, (), 1),
    "level-word": lambda node: node.compared(node.repair, "x", (), 1),
    "differing": lambda node: node.compared(node.repair, 0, [2**63], 1),
    "keys": lambda node: node.compared(node.repair, 0, (), -3),
    "end-part": lambda node: node.end_repair(node.repair, 1.5),
    "end-none": lambda node: node.end_repair(node.repair, None),
    "refuse": lambda node: node.refuse(0, 5),
    "incarnation": lambda node: node.believe(0, "alive", 2**63),
    "incarnation-of-many": lambda node: node.believe([0], "alive", 2**64),
    "raw": lambda node: node.show("raw", msgspec.Raw(b"\n")),
    "raw-within": lambda node: node.show("raw", {"a": msgspec.Raw(b"{")}),
}


class Handing(Protocol):
    """Hands over on n1 what the lab cannot take."""

    stores_keys = True
    what = ""

    def setup(self):
        self.store = self.open_store("lww")
        self.repair = self.begin_repair(1 - self.id)

    @every(1.0)
    def beat(self):
        if self.id:
            HANDED[self.what](self)


@pytest.mark.parametrize("what", HANDED)
def test_what_the_lab_cannot_record_is_the_fault_of_who_hands_it_over(what, tmp_path):
    kind = type("Handing", (Handing,), {"what": what})
    header = header_of(Handing, nodes=2, until=3)
    recording = recording_of(tmp_path / "run.gossip", bytes_of(header, kind=kind))
    assert [crash.node for crash in recording.at(recording.end).crashes] == [1]
    assert isinstance(list(recording.read())[-1], Ended)
