"""The same experiment, seed and commands give the same bytes: again, elsewhere, at any speed, in any loop."""

import asyncio
import os
import subprocess
import sys
from hashlib import sha256
from random import Random
from shutil import which

import pytest
import trio

from gossiplab.commands import parse_command
from gossiplab.engine.scheduling import deterministic_scheduling
from gossiplab.events import Header
from gossiplab.recording.reader import open_recording
from gossiplab.recording.tape import Tape
from gossiplab.recording.verify import verify
from tests.helpers import SPECIMENS, bytes_of, header_of, lab_of, specimen

FAULTS = (
    "0.5 inject n1",
    "1 kill n2,n3",
    "1 rejoin n2",
    "1.5 partition n0-n3",
    "2 cut n4 to n5",
    "2 link n0 n1-n7 latency=0.2 loss=0.1 bandwidth=2000",
    "2.5 heal",
    "3 rejoin n3 fresh",
    "3 leave n6",
    "3 inject n0",
    "4 kill all",
    "4 rejoin all fresh",
    "4 inject n7",
    "4.2 pause n1-n3",
    "4.3 skew n4-n7 1.3",
    "4.4 hold n0",
    "4.5 flap n5 up=0.2 down=0.1 for=0.8",
    "4.5 churn 3 down=0.3 for=1",
    "4.6 duplicate m90",
    "4.7 release",
    "5 resume all",
    "5.1 pause n2",
    "5.2 skew n2,n4 -0.4",
    "5.5 resume n2",
)
LINK = {"latency": "lognormal(0.05,0.8)", "jitter": 0.02, "loss": 0.1, "duplicate": 0.1, "reorder": 0.1}
CASES = {
    "chatter": {
        "nodes": 8, "at": FAULTS, "until": 6, "seed": 3, "link": LINK, "params": {"period": 0.4, "fanout": 2},
    },
    "sequences": {"nodes": 8, "at": [f for f in FAULTS if "inject" not in f], "until": 6, "link": LINK},
    "sequences-in-step": {
        "nodes": 8, "at": [f for f in FAULTS if "inject" not in f], "until": 6, "link": {"latency": "0.1"},
        "topology": "watts-strogatz",
    },
    "ledger": {
        "nodes": 8, "until": 6, "seed": 5, "link": LINK,
        "workload": {"keys": 20, "rate": 20.0, "skew": "zipf", "reads": 0.2, "deletes": 0.2, "concurrent": 0.3, "seconds": 5.0},
        "at": ("1 kill n2", "1.5 write n0 cart milk", "1.5 write n4 cart eggs", "2 wipe n3", "2.5 corrupt n0-n1 4",
               "3 backup n5", "3.5 rejoin n2 fresh", "4 restore n5", "4 restore n6", "4.5 read n2 cart"),
    },
    "sequences-at-once": {"nodes": 4, "until": 3, "link": {"latency": "0"}},
}  # fmt: skip


def _header(case: str) -> Header:
    return header_of(case.partition("-")[0], **CASES[case])


@pytest.fixture(scope="module")
def expected() -> dict[str, bytes]:
    return {case: bytes_of(_header(case)) for case in CASES}


@pytest.mark.parametrize("case", CASES)
def test_twice_in_one_process(case, expected):
    assert bytes_of(_header(case)) == expected[case]
    assert expected[case].count(b"\n") > 500  # it did something


@pytest.mark.parametrize("case", CASES)
def test_another_seed_is_another_run(case, expected):
    fields = {**CASES[case], "seed": 99}
    assert (
        bytes_of(header_of(case.partition("-")[0], **fields)).partition(b"\n")[2]
        != (expected[case].partition(b"\n")[2])
    )


def _command_line(case: str) -> list[str]:
    fields = CASES[case]
    arguments = ["run", case.partition("-")[0], "--protocols", str(SPECIMENS)]
    for name in ("nodes", "until", "seed", "topology"):
        if name in fields:
            arguments += [f"--{name}", str(fields[name])]
    for name, value in fields.get("link", {}).items():
        arguments += [f"--{name}", str(value)]
    for name, value in fields.get("params", {}).items():
        arguments += ["--set", f"{name}={value}"]
    for each in fields.get("at", ()):
        arguments += ["--at", each]
    return arguments


@pytest.mark.parametrize("case, hash_seed", [("chatter", "4711"), ("sequences", "0")])
def test_in_another_process_with_another_hash_seed(case, hash_seed, expected, tmp_path):
    _run_process(sys.executable, case, hash_seed, tmp_path / "run.gossip")
    assert _digest((tmp_path / "run.gossip").read_bytes()) == _digest(expected[case])


@pytest.mark.parametrize("case", ["chatter", "sequences"])
def test_on_another_python(case, expected, tmp_path):
    other = "python3.11" if sys.version_info >= (3, 13) else "python3.13"
    found = which(other)
    probe = "import trio, msgspec, networkx, cyclopts, rich, zstandard"
    if not found or subprocess.run([found, "-c", probe], capture_output=True, check=False).returncode:
        pytest.skip(f"no {other} that has what the lab needs")
    _run_process(found, case, "1", tmp_path / "run.gossip")
    assert _digest((tmp_path / "run.gossip").read_bytes()) == _digest(expected[case])


def _run_process(python: str, case: str, hash_seed: str, path) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(SPECIMENS.parent.parent)}
    done = subprocess.run(
        [python, "-m", "gossiplab", *_command_line(case), "--record", str(path)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()  # bytes that differ make an unreadable diff


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("turn, events", [(-1, 1), (1000, 10**6)])
def test_however_often_the_screen_gets_its_turn(case, turn, events, expected, monkeypatch):
    monkeypatch.setattr("gossiplab.engine.kernel._TURN", turn)
    monkeypatch.setattr("gossiplab.engine.kernel._SLICE", events)
    assert _digest(bytes_of(_header(case))) == _digest(expected[case])


# at any speed, as a guest of another loop, with a person at the keys ------------------------------


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("speed", [float("inf"), 500.0])
def test_as_a_guest_of_asyncio_at_any_speed(case, speed, expected):
    pieces: list[bytes] = []
    header = _header(case)
    lab = lab_of(header, Tape(header, pieces.append))
    lab.clock.speed = speed
    asyncio.run(_as_guest(lab))
    assert _digest(b"".join(pieces)) == _digest(expected[case])


class Person:
    """Does things to a lab at arbitrary moments, of a wall clock that is moved by hand."""

    def __init__(self, lab, seed, texts=()):
        self.lab = lab
        self.rng = Random(seed)
        self.texts = texts
        self.wall = 0.0
        lab.clock.speed = 2.0

    def meddle(self) -> None:
        """One of the things that can be done, a moment later."""
        clock, kernel, rng = self.lab.clock, self.lab.kernel, self.rng
        if clock.speed < float("inf"):
            self.wall += rng.expovariate(5) / clock.speed
        kind = rng.random()
        if kind < 0.4 and self.texts and not self.lab.ended:
            for _ in range(rng.choice([1, 1, 2])):
                self.lab.post(parse_command(rng.choice(self.texts), len(self.lab.nodes)))
        elif kind < 0.6:
            clock.paused = not clock.paused
        elif kind < 0.7:
            kernel.step()
        elif kind < 0.9:
            clock.speed = rng.choice([0.05, 1.0, 20.0, 100.0])
        elif kind < 0.91:
            clock.speed = float("inf")
        kernel.poke()

    def let_go(self) -> None:
        """Enough: to the end, or stop here."""
        self.lab.clock.paused = False
        self.lab.clock.speed = float("inf")
        if self.texts and self.rng.random() < 0.5:
            self.lab.stop()
        self.lab.kernel.poke()


TEXTS = [
    "kill n0-n3", "rejoin all", "rejoin n1 fresh", "partition n0,n2", "heal", "leave n3", "cut n1 to n2",
    "link n0 n1 loss=0.5", "kill n1",
]  # fmt: skip


def _live(case, seed, texts=(), passes=60) -> bytes:
    pieces: list[bytes] = []
    header = _header(case)
    lab = lab_of(header, Tape(header, pieces.append))
    with pytest.MonkeyPatch.context() as patch:
        person = Person(lab, seed, texts)
        patch.setattr("gossiplab.engine.clock.perf_counter", lambda: person.wall)
        lab.clock.speed = 1.0  # by the clock that is moved by hand
        asyncio.run(_as_guest(lab, [person.meddle] * passes + [person.let_go]))
    return b"".join(pieces)


@pytest.mark.parametrize("case", CASES)
def test_pausing_stepping_and_hurrying_change_nothing(case, expected):
    for seed in range(3):
        assert _digest(_live(case, seed)) == _digest(expected[case])


def _live_commands(case, seed, path):
    texts = list(TEXTS)
    kind = specimen(case.partition("-")[0])
    if kind.spreads_rumors:
        texts += ["inject n0", "inject n3"]
    path.write_bytes(_live(case, f"{case}/{seed}", texts))
    recording = open_recording(path)
    assert not recording.torn
    assert verify(recording, kind) is None
    recording.close()


@pytest.mark.parametrize("case", CASES)
def test_live_commands_at_arbitrary_moments_are_executed_again_to_the_byte(case, tmp_path):
    for seed in range(4):
        _live_commands(case, seed, tmp_path / "live.gossip")


@pytest.mark.soak
@pytest.mark.parametrize("case", CASES)
def test_many_live_commands(case, tmp_path):
    for seed in range(1000, 1200):
        _live_commands(case, seed, tmp_path / "live.gossip")


async def _as_guest(lab, actions=()) -> None:
    """Run a lab as the app does: trio as a guest of asyncio, spoken to through its token."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    with deterministic_scheduling():
        trio.lowlevel.start_guest_run(
            lab.main,
            clock=lab.clock,
            instruments=[lab.kernel],
            run_sync_soon_threadsafe=loop.call_soon_threadsafe,
            done_callback=done.set_result,
            host_uses_signal_set_wakeup_fd=True,
        )
        token = trio.lowlevel.current_trio_token()
        for number, action in enumerate(actions):
            heard = asyncio.Event()

            def act(action=action, heard=heard) -> None:
                heard.set()
                action()

            try:
                token.run_sync_soon(act)
            except trio.RunFinishedError:
                break
            await asyncio.wait(
                (done, hearing := asyncio.ensure_future(heard.wait())), return_when="FIRST_COMPLETED"
            )
            hearing.cancel()
            for _ in range(
                number % 20
            ):  # sometimes at once after the one before, sometimes when all is quiet
                await asyncio.sleep(0)
        outcome = await done
    outcome.unwrap()
