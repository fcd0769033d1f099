"""A protocol that does not give its turn back is interrupted, in whatever way it does not, and leaves no trace."""

import signal
import subprocess
import sys
import threading
import time
from functools import partial
from itertools import count, cycle
from unittest.mock import MagicMock

import pytest
import trio

from gossiplab import Message, Protocol, every
from gossiplab.engine import tasks, watchdog
from gossiplab.engine.lab import Lab
from gossiplab.engine.run import run_lab
from gossiplab.events import Crashed, Ended, Rejoined, Repairing, Sent, Shown, Versioned
from gossiplab.recording.verify import verify
from gossiplab.replica.hybrid import Hybrid
from gossiplab.replica.merkle import MerkleTree
from gossiplab.replica.store import Store
from tests.helpers import (
    SPECIMENS,
    bytes_of,
    events_of,
    header_of,
    only,
    recording_of,
    run_of,
    specimen,
)
from tests.specimens.stuck import PLACES, WAYS

SOURCE = (SPECIMENS / "stuck.py").read_text().splitlines()
AT = ("0.5 inject n1", "4 leave n1", "5 rejoin n1", "6 inject n0")
DEFS = {
    "setup": "def setup", "round": "@every", "handler": "def on_note", "timer": "def tick", "run": "async def run",
    "child": "async def child", "inject": "def on_inject", "leave": "def leave", "rejoin": "def rejoin",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(watchdog, "PATIENCE", 0.06)


def _header(where, way, **fields):
    fields = {"nodes": 3, "at": AT, "until": 8, **fields}
    return header_of("stuck", params={"where": where, "way": way, "first": 1}, **fields)


def _check(where, way, tmp_path):
    header = _header(where, way)
    data = bytes_of(header)
    recording = recording_of(tmp_path / "run.gossip", data)
    events = list(recording.read())
    crashes = only(events, Crashed)
    assert isinstance(events[-1], Ended)
    assert events[-1].t == 8
    assert any(event.src == 0 and event.t > 6 for event in only(events, Sent))  # n0 goes on
    if where == "nowhere":
        assert not crashes
    else:
        assert crashes
    for crash in crashes:
        assert crash.node >= 1
        assert crash.file == "stuck.py"
        assert DEFS[where] in SOURCE[crash.line - 1]
        assert "does not return" in crash.error
    # nothing of the step is left: neither what it did before nor what it did while it was ended
    assert b"again" not in data
    assert b"not heard" not in data
    assert not [event for event in only(events, Shown) if event.name == "count"]
    assert bytes_of(header) == data
    assert verify(recording, specimen("stuck")) is None


@pytest.mark.parametrize("where", PLACES)
def test_wherever_it_blocks(where, tmp_path):
    _check(where, "loop", tmp_path)


@pytest.mark.parametrize("way", [way for way in WAYS if way != "spin"])
@pytest.mark.parametrize("where", ["round", "run"])
def test_however_it_blocks(where, way, tmp_path):
    _check(where, way, tmp_path)


@pytest.mark.parametrize("way", ["send", "tell"])
@pytest.mark.parametrize(
    "link", [{"latency": "0.1", "loss": 0.5, "duplicate": 0.5}, {"bandwidth": 1000.0, "jitter": 0.05}]
)
def test_what_was_done_on_a_bad_link_is_undone_too(way, link, tmp_path):
    header = _header("inject", way, link=link, at=(*AT, "6.5 rejoin all", "7 inject n1"), until="quiescent")
    recording = recording_of(tmp_path / "run.gossip", bytes_of(header))
    assert len(recording.at(recording.end).crashes) == 2
    assert verify(recording, specimen("stuck")) is None


def test_a_node_that_was_interrupted_remembers_nothing():
    events = events_of(_header("round", "loop", at=("3 rejoin n1-n2",)))
    assert [(event.node, event.fresh) for event in only(events, Rejoined)] == [(1, True), (2, True)]


def test_the_kernel_counts_the_same_as_the_events_after_an_undo(tmp_path):
    header = _header("round", "send", nodes=6, until=5)
    events = []
    lab = Lab(header, specimen("stuck"), events.extend)
    run_lab(lab)
    recording = recording_of(tmp_path / "run.gossip", bytes_of(header))
    world = recording.at(recording.end)
    assert (lab.network.sent, lab.network.delivered, lab.network.dropped) == (
        world.sent, world.delivered, world.dropped,
    )  # fmt: skip
    assert lab.network.carrying == 0


def test_where_every_node_blocks_the_next_gets_less_time(monkeypatch):
    class Blocker(Protocol):
        @every(1.0)
        def gossip(self):
            while True:
                pass

    periods = []
    wind = signal.setitimer

    def setitimer(which, first, period=0.0):
        periods.append(period)
        return wind(which, first, period)

    monkeypatch.setattr(signal, "setitimer", setitimer)
    assert len(only(run_of(Blocker, nodes=20, until=2), Crashed)) == 20
    wound = [period for period in periods if period]
    assert wound[0] == pytest.approx(0.06 / 4)
    assert wound == sorted(wound, reverse=True)
    assert wound[-1] < wound[0] / 5


def test_what_takes_long_in_our_own_code_is_left_alone():
    """A slow disk, or a screen that draws: only a protocol's step is ever interrupted."""

    class Tame(Protocol):
        @every(1.0, phase="aligned")
        def gossip(self):
            for peer in self.sample(1):
                self.show("peer", peer)

    header = header_of(Tame, nodes=3, until=3)
    slow = []

    def sink(batch):
        begun = time.perf_counter()
        while time.perf_counter() - begun < 0.15:
            pass
        slow.extend(batch)

    lab = Lab(header, Tame, sink)
    run_lab(lab)
    assert not only(slow, Crashed)
    assert isinstance(slow[-1], Ended)


def test_what_takes_long_in_the_data_types_of_replicas_is_left_alone():
    """It ends by itself, and how long it takes is a matter of how many keys there are."""

    class Archivist(Protocol):
        def setup(self):
            self.store = self.open_store("lww", MerkleTree(16, 4))

        @every(1.0)
        def copy(self):
            begun = time.process_time()
            while time.process_time() - begun < 0.3:  # five times the patience
                for _ in range(20):  # of all that time next to none is the protocol's own
                    self.store.take(self.store)

        def on_write(self, write):
            pass

    assert not only(run_of(Archivist, nodes=1, until=1.5, workload={"keys": 20_000}), Crashed)


@pytest.mark.parametrize("keys", [1, 10**9])
def test_what_never_leaves_its_store_is_interrupted(keys):
    """Also where it makes the store larger and larger: what it stored itself earns it no time."""

    class Hoards(Protocol):
        def setup(self):
            self.store = self.open_store("siblings")

        @every(1.0)
        def hoard(self):
            count = 0
            while self.id:
                count += 1
                key = f"k{count % keys}"
                self.store.put(key, f"v{count}", context=self.store.read(key)[1])

        def on_write(self, write):
            pass

    begun = time.process_time()
    crashes = only(run_of(Hoards, nodes=2, until=1.5, workload={"keys": 3}), Crashed)
    assert [crash.node for crash in crashes] == [1]
    assert "hoard does not return" in crashes[0].error
    assert time.process_time() - begun < 1.5  # 25 times the patience


def test_steps_that_take_long_together_are_left_alone():
    class Busy(Protocol):
        @every(0.1)
        def gossip(self):
            sum(range(5_000))

    assert not only(run_of(Busy, nodes=4, until=20), Crashed)


def test_the_system_is_left_as_it_was():
    before = signal.getsignal(signal.SIGALRM)
    trace = sys.gettrace()
    events_of(_header("round", "catch-all"))
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert sys.gettrace() is trace


def test_somebody_elses_alarm_is_left_alone():
    def theirs(*_):
        raise AssertionError("nobody rings")

    before = signal.signal(signal.SIGALRM, theirs)
    try:
        events_of(_header("nowhere", "loop"))
        assert signal.getsignal(signal.SIGALRM) is theirs
    finally:
        signal.signal(signal.SIGALRM, before)


def test_without_a_main_thread_or_a_timer_the_lab_runs_without_a_watchdog(monkeypatch):
    expected = bytes_of(_header("nowhere", "loop"))
    got = []
    thread = threading.Thread(target=lambda: got.append(bytes_of(_header("nowhere", "loop"))))
    thread.start()
    thread.join()
    monkeypatch.delattr(signal, "setitimer")
    got.append(bytes_of(_header("nowhere", "loop")))
    assert got == [expected] * 2


@pytest.mark.slow
def test_within_two_seconds_with_the_patience_that_users_get(tmp_path):
    """The one figure here that is a wall's: an hour's sleep ends, in a process of its own."""
    command = (
        "run", "stuck", "--protocols", SPECIMENS, "--nodes", 2, "--until", 3, "--set", "where=round",
        "--set", "way=sleep", "--record", tmp_path / "run.gossip",
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "gossiplab", *map(str, command)],
        check=False, capture_output=True, text=True, timeout=60, cwd=SPECIMENS.parents[1],
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "stuck.py, line" in done.stderr
    assert "beat does not return" in done.stderr


def test_a_beat_while_a_frozen_task_is_woken_changes_nothing(monkeypatch):
    at = [f"{t + part} {verb} all" for t in range(1, 10) for part, verb in ((0, "pause"), (0.6, "resume"))]
    header = header_of("sequences", nodes=6, until=12, at=at)
    expected = bytes_of(header)
    woken = []
    send = tasks._StandIn.send

    def beaten(stand_in, outcome):
        signal.raise_signal(signal.SIGALRM)
        woken.append(stand_in)
        return send(stand_in, outcome)

    monkeypatch.setattr(tasks._StandIn, "send", beaten)
    assert bytes_of(header) == expected
    assert woken


def test_filling_a_disk_is_not_held_against_the_node_that_opens_it(monkeypatch):
    """Many keys take the lab seconds, in the middle of the node's setup."""
    kind = specimen("merkle_repair")
    take = Store.take

    def slow(store, other):
        for _ in range(10):
            signal.raise_signal(signal.SIGALRM)
        take(store, other)

    class Opens(kind):
        """Is looked at right after it has opened its disk."""

        def setup(self):
            """Open it."""
            super().setup()
            signal.raise_signal(signal.SIGALRM)

    monkeypatch.setattr(Store, "take", slow)
    events = events_of(header_of(Opens, nodes=2, until=1.0, workload={"keys": 5_000}), (), Opens)
    assert not only(events, Crashed)


class Hoarder(Protocol):
    """Says and stores more and more, on n1, until it is interrupted; how far it gets depends on the machine."""

    def setup(self):
        self.store = self.open_store("lww")
        self.count = 0

    def on_write(self, write):
        while True:
            for _ in range(3000):
                pass
            self.count += 1
            self.place("shelf", (0, 1) if self.count % 2 else (1, 0))
            self.begin_repair(1 - self.id)
            self.answer(write.id)
            self.store.put(f"x{self.count % 1000}", f"y{self.count}", stamp=Hybrid(1.0, self.count, 1))
            if self.id == 0:
                return


def test_nothing_of_an_interrupted_step_is_left_on_disks_or_in_repairs(monkeypatch):
    at = ("1 write n0 a b", "2 write n1 a b", "3 backup n1", "3 corrupt n1 2", "4 rejoin n1 fresh", "5 restore n1",
          "6 write n0 a b")  # fmt: skip
    header = header_of(Hoarder, nodes=2, until=7.0, at=at, workload={"keys": 3})
    told = []
    for patience in (0.05, 0.3):
        monkeypatch.setattr(watchdog, "PATIENCE", patience)
        told.append(bytes_of(header, kind=Hoarder))
    assert told[0] == told[1]
    events = events_of(header, kind=Hoarder)
    assert [event.node for event in only(events, Crashed)] == [1]
    assert [event.id for event in only(events, Repairing)] == [0, 1]
    assert [event.node for event in only(events, Versioned)] == [0, 0]


class Spawner(Protocol):
    """Starts tasks and never gives the turn back."""

    async def run(self):
        async with trio.open_nursery() as nursery:
            while True:
                nursery.start_soon(trio.sleep, 5)


def test_starting_tasks_without_end_ends(monkeypatch):
    monkeypatch.setattr(watchdog, "PATIENCE", 0.1)
    events = events_of(header_of(Spawner, nodes=1, until=1.0), kind=Spawner)
    assert [event.node for event in only(events, Crashed)] == [0]


def _spin():
    while True:
        pass
    yield 0


class Hands(Protocol):
    """Hands over what never ends, on n1."""

    how = ""

    @every(1.0)
    def beat(self):
        self.show("beat", self.now)
        if self.id and self.how == "carries":
            self.send(0, Handed(), carries=_spin())
        elif self.id and self.how == "carries-all":
            self.send(0, Handed(), carries=cycle([0]))
        elif self.id and self.how == "keep":
            self.keep("active", count())
        elif self.id and self.how == "keep-spin":
            self.keep("active", _spin())
        elif self.id and self.how == "believe":
            self.believe(cycle([0]), "alive", 0)

    @every("pace")
    def other(self):
        pass

    @property
    def pace(self):
        if self.id and self.how == "period":
            list(_spin())
        return 1.0

    def on_inject(self, rumor):
        pass

    def on_handed(self, sender, message):
        pass


class Handed(Message):
    """Something."""


@pytest.mark.parametrize("how", ["carries", "carries-all", "keep", "keep-spin", "believe", "period"])
def test_what_never_ends_may_also_be_handed_over(how):
    kind = type("Hands", (Hands,), {"how": how})
    header = header_of(Hands, nodes=2, until=3, at=["0 inject n0"])
    events = events_of(header, kind=kind)
    assert [crash.node for crash in only(events, Crashed)] == [1]
    assert isinstance(events[-1], Ended)
    assert events[-1].t == 3
    assert bytes_of(header, kind=kind) == bytes_of(header, kind=kind)


class _Itself:
    """What may be called and holds up whoever asks it how it is made."""

    @property
    def func(self):
        return self

    def __call__(self):
        time.sleep(60)


def _caught(level):
    """Except clauses within except clauses, each of which spins."""
    try:
        if level:
            _caught(level - 1)
        while True:
            pass
    except BaseException:  # noqa: BLE001
        while True:
            pass


ACTIONS = {
    "sleep": partial(time.sleep, 60),
    "lock": threading.Lock().acquire,
    "map": partial(list, map(time.sleep, [60] * 3)),
    "mock": MagicMock(side_effect=lambda: time.sleep(60)),
    "itself": _Itself(),
    "caught": partial(_caught, 100),
}


class Timers(Protocol):
    """On n1 a timer calls something that does not return, and that may have no Python code."""

    action = staticmethod(print)

    def setup(self):
        if self.id:
            self.after(1.0, self.action)

    @every(1.0)
    def beat(self):
        self.show("beat", self.now)

    def on_inject(self, rumor):
        pass


@pytest.mark.parametrize("name", ACTIONS)
def test_a_timer_may_call_anything(name):
    if name == "lock":
        ACTIONS[name].__self__.acquire(blocking=False)
    kind = type("Timers", (Timers,), {"action": staticmethod(ACTIONS[name])})
    events = events_of(header_of(Timers, nodes=2, until=3), kind=kind)
    (crash,) = only(events, Crashed)
    assert crash.node == 1
    if name == "sleep":
        assert "sleep does not return" in crash.error
    assert [event.t for event in events if isinstance(event, Ended)] == [3]


class Keepsake(Timers):
    """Holds on n1 what takes its time to go."""

    def setup(self):
        if self.id:
            self.thing = Lingering()


class Lingering:
    """It does not want to go."""

    def __del__(self):
        if Lingering.stays:
            time.sleep(60)

    stays = True


def test_what_does_not_want_to_go_with_a_forgetful_node_is_interrupted(monkeypatch, capfd):
    at = ["1 kill n1", "2 rejoin n1 fresh"]
    events = events_of(header_of(Keepsake, nodes=2, until=4, at=at), kind=Keepsake)
    monkeypatch.setattr(Lingering, "stays", False)
    assert [(crash.node, crash.t) for crash in only(events, Crashed)] == [(1, 2.0)]
    assert events[-1].t == 4
    assert "OverdueError" not in capfd.readouterr().err


class Alarming(Timers):
    """Uses the one alarm there is, as libraries do for their timeouts."""

    def setup(self):
        if self.id:
            self.after(1.0, signal.alarm, 1)
            self.after(2.0, time.sleep, 60)


def test_a_protocol_that_sets_an_alarm_is_watched_on():
    events = events_of(header_of(Alarming, nodes=2, until=4), kind=Alarming)
    assert [(crash.node, crash.t) for crash in only(events, Crashed)] == [(1, 2.0)]


class Asleep(Timers):
    """Sleeps for ever on four nodes; on the fifth it takes a nap, which is none of its business."""

    def setup(self):
        if self.id < 5:
            self.after(1.0 + self.id, time.sleep, 60 if self.id < 4 else 0.02)


def test_what_blocks_in_c_is_not_held_against_what_calls_the_same():
    events = events_of(header_of(Asleep, nodes=6, until=7), kind=Asleep)
    assert [crash.node for crash in only(events, Crashed)] == [0, 1, 2, 3]
