"""A live lab on the screen: trio as a guest of the app's asyncio loop. Imports session, engine and recording.

One thread, no locks: the kernel gives the turn back every few milliseconds and the screen draws in
between. What a person does goes to the lab through trio's token, which wakes a lab that stands still.
Everything is recorded from the first event, and only what has gone to the file is drawn. Looking back
reads that file: the lab goes on meanwhile.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import islice
from math import inf
from pathlib import Path
from time import perf_counter

import trio
from outcome import Outcome

from gossiplab.commands import AnyCommand
from gossiplab.content import load_protocol
from gossiplab.engine.kernel import END
from gossiplab.engine.lab import Lab
from gossiplab.engine.scheduling import deterministic_scheduling
from gossiplab.errors import GossiplabError, StorageError, UserError, first_of
from gossiplab.events import AnyEvent, Header
from gossiplab.experiment import load_experiment, make_experiment
from gossiplab.library import default_path
from gossiplab.plan import check_command, plan
from gossiplab.protocol import Protocol
from gossiplab.recording.reader import Recording, open_recording
from gossiplab.recording.recorder import Recorder
from gossiplab.tui.idle import why_idle
from gossiplab.tui.player import Player
from gossiplab.tui.session import Headline, Session, why_ended
from gossiplab.world.world import World

_COURTESY = 0.03  # s of real time for which the lab stands back after a key, unless the key is about the lab
_NAP = 0.002  # s of real time between two looks whether it still does
_RECENT = 32_768  # events: some frames' worth of a large lab at full speed, a few megabytes
_PASSES = 6  # passes of the host's loop for each of trio's: a key press needs several to reach the screen


class LiveLab(Session):
    """A lab that runs.

    path: the file to record to. speed: virtual seconds in a real second. paused: begin with a pause right
    after the instant 0. failure: why the lab itself broke down, if it did; it is our fault then.
    Raises StorageError when the file cannot be written.
    """

    def __init__(
        self, header: Header, protocol: type[Protocol], path: Path, speed: float = 1.0, paused: bool = False
    ) -> None:
        super().__init__(header, path)
        self._protocol = protocol
        self._recorder = Recorder(path, header)
        self._target: float | None = None  # the instant up to which the lab executes again
        self.lab = Lab(header, protocol, self._sink)
        self.lab.on_endless = self._halt
        self._halted = False  # whether it was us who paused, because a node had to be interrupted
        self.lab.clock.speed = speed
        self.lab.clock.paused = paused
        self.failure: BaseException | None = None
        self._recent = deque[AnyEvent](maxlen=_RECENT)  # the last events, also in memory
        self._refused = False  # whether the disk does not take what the lab does
        self._rushing = False  # whether it goes on as fast as it goes up to some instant
        self._rested = False  # whether it paused by itself
        self._spreads = (
            True  # whether a rumor was still to come or on its way, when unlimited speed was last looked at
        )
        self._past: Player | None = None
        self._recording: Recording | None = None
        self._waits_until = 0.0  # in real time: until then the screen answers a key, and the lab stands back
        self._token: trio.lowlevel.TrioToken | None = None
        self._done = asyncio.Event()
        self._on_failure: Callable[[BaseException], None] = lambda error: None

    # the guest ---------------------------------------------------------------------------------

    def start(self, on_failure: Callable[[BaseException], None]) -> None:
        loop = asyncio.get_running_loop()
        self._on_failure = on_failure
        self._context = ExitStack()
        self._context.enter_context(deterministic_scheduling())
        trio.lowlevel.start_guest_run(
            self.lab.main,
            clock=self.lab.clock,
            instruments=[self.lab.kernel],
            run_sync_soon_threadsafe=loop.call_soon_threadsafe,
            run_sync_soon_not_threadsafe=lambda tick: self._after_passes(loop, tick, _PASSES),
            done_callback=self._finish,
            host_uses_signal_set_wakeup_fd=True,
        )
        self._token = trio.lowlevel.current_trio_token()

    async def close(self) -> None:
        if self._token is not None:
            self.stop()
            await self._done.wait()
        self.go_live()
        if self._recording is not None:
            self._recording.close()
            self._recording = None
        self._recorder.close()

    def stop(self) -> None:
        self._tell(self.lab.stop)

    def give_way(self) -> None:
        self._waits_until = perf_counter() + _COURTESY

    def _after_passes(self, loop: asyncio.AbstractEventLoop, tick: Callable[[], object], passes: int) -> None:
        """Call `tick` once the loop has gone round so many times: what the screen has to do comes first."""
        if passes:
            loop.call_soon(self._after_passes, loop, tick, passes - 1)
        elif perf_counter() < self._waits_until:
            loop.call_later(_NAP, self._after_passes, loop, tick, 0)
        else:
            tick()

    def run_to(self, t: float) -> None:
        """Go on as fast as it goes, and pause once everything that is due at the instant `t` has happened."""
        clock, speed = self.lab.clock, self.lab.clock.speed

        def hold() -> None:
            clock.speed, clock.paused = speed, True

        self._rush(t, hold)

    def execute_to(self, t: float) -> None:
        """Go on as fast as it goes up to the instant `t`, where what was executed again ends, and then as before."""
        clock, speed = self.lab.clock, self.lab.clock.speed
        self._target = t

        def arrive() -> None:
            self._target, clock.speed = None, speed

        self._rush(t, arrive)

    def _rush(self, t: float, arrived: Callable[[], None]) -> None:
        self._rushing = True

        def stop() -> None:
            self._rushing = False
            arrived()

        def go() -> None:
            self.lab.kernel.after_all(t, END, stop)
            self.lab.clock.speed, self.lab.clock.paused = inf, False

        self._tell(go)  # in one turn: the lab must not run before it knows how far

    def _finish(self, outcome: "Outcome[None]") -> None:
        self._context.close()
        self._done.set()
        try:
            outcome.unwrap()
        except BaseException as error:  # noqa: BLE001  # whatever it is must not get lost in asyncio's log
            self.failure = first_of(error)
            self._on_failure(self.failure)

    def _tell(self, action: Callable[[], object]) -> None:
        """Call something of the lab in trio's own turn, which also wakes it."""
        self._waits_until = 0.0
        if self._token is not None:
            with suppress(trio.RunFinishedError):  # the run is over, and nothing can be told it any more
                self._token.run_sync_soon(action)

    def _wake(self) -> None:
        self._tell(self.lab.kernel.poke)

    def _halt(self) -> None:
        """A node was interrupted, which has taken time: let a person read that, and not wait for the next as well."""
        if self._target is None and not self.lab.clock.paused:
            self._halted = self.lab.clock.paused = True
            self.lab.kernel.interrupt()

    def go_on(self) -> None:
        if self._halted:
            self._halted = self.lab.clock.paused = False
            self._wake()

    # the recording -----------------------------------------------------------------------------

    def _sink(self, batch: list[AnyEvent]) -> None:
        self._recent.extend(batch)
        try:
            self._recorder(batch)
        except StorageError as error:
            self._refuse(error)

    def _refuse(self, error: StorageError) -> None:
        """The disk refuses: hold the lab, so that nothing happens that cannot be kept."""
        self._refused = self.lab.clock.paused = True
        self.trouble = f"the lab is paused and nothing is lost, space tries again: {error}"

    def _retry(self) -> None:
        try:
            self._recorder.flush()
        except StorageError as error:
            self._refuse(error)
        else:
            self._refused, self.trouble = False, ""

    def _look_back(self) -> Player:
        """A player for what is recorded so far, which becomes the view once it stands where it should."""
        return self._past or Player(self.recording())

    def recording(self) -> Recording:
        if self._recording is None:
            self._recording = open_recording(self._recorder.path)
        elif self._recording.length < self._recorder.world.events:
            self._recording.refresh()
        return self._recording

    # the view ----------------------------------------------------------------------------------

    @property
    def world(self) -> World:
        return self._past.world if self._past else self._recorder.world

    @property
    def t(self) -> float:
        return self._past.t if self._past else self.end

    @property
    def latest(self) -> World:
        return self._recorder.world

    def events(self, start: int = 0, stop: int | None = None) -> Iterator[AnyEvent]:
        late = self.latest.events - start  # a view that keeps up asks for the last few, thirty times a second
        if late > len(self._recent):
            return self.recording().read(start, stop)
        events = list(islice(reversed(self._recent), max(0, late)))[::-1]
        return iter(events if stop is None else events[: max(0, stop - start)])

    @property
    def end(self) -> float:
        return self.lab.clock.now if self.lab.ended else self.lab.clock.view()

    @property
    def growing(self) -> bool:
        return not self.lab.ended

    @property
    def running(self) -> bool:
        if self._past:
            return self._past.playing
        return not (self.lab.clock.paused or self.lab.ended)

    @property
    def headline(self) -> Headline:
        if self._past:
            live = f"it ended at {self.end:.3f} s" if self.lab.ended else f"live is at {self.end:.3f} s"
            return Headline(
                "▷" if self._past.playing else "◁", f"looking back at {self._past.t:.3f} s, {live}"
            )
        if self._target is not None:
            done = self.end / self._target if self._target else 1.0
            how_far = f"{done:.0%} of {self._target:.3f} s"
            if self.lab.clock.paused:
                return Headline("‖", f"paused, space goes on executing again: {how_far}")
            return Headline("↻", f"executing again {bar(done)} {how_far}")
        if self.lab.ended:
            return Headline("■", f"ended at {self.end:.3f} s: {why_ended(self.lab.ended)}")
        if self.lab.clock.paused:
            why = f": {self.latest.word()}, space goes on" if self._rested else ""
            return Headline("‖", f"paused at {self.end:.3f} s{why}")
        return Headline("▶", f"live {self.end:.3f} s")

    @property
    def speed(self) -> float:
        return self.lab.clock.speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self.lab.clock.speed = speed
        self._wake()

    def advance(self, seconds: float) -> None:
        self.lab.flush()
        self._rest()
        past = self._past
        if past is not None and past.playing and seconds:
            try:
                # at unlimited speed a look back would be over at once
                past.advance(seconds * (self.speed if self.speed < inf else 100.0))
            except GossiplabError as error:
                past.playing, self.trouble = False, str(error)
            self._catch_up(past)

    def _rest(self) -> None:
        """At unlimited speed, pause where a rumor has got as far as it gets: virtual years may follow in a second."""
        clock, endless = self.lab.clock, self.header.experiment.until == "stopped"
        if endless and clock.speed == inf and not clock.paused and not self._rushing:
            spreading = not self.latest.rumors or self.latest.word() == "spreading"
            if self._spreads and not spreading and not self.lab.kernel.commands_pending():
                clock.paused = self._rested = True
            self._spreads = spreading

    def toggle(self) -> None:
        if self._refused:
            self._retry()
            if self._refused:
                return
        if self._past:
            self._past.playing = not self._past.playing
        elif self.lab.ended:
            self.seek(0.0)
            assert self._past
            self._past.playing = True
        else:
            self._halted = self._rested = False
            self.lab.clock.paused = not self.lab.clock.paused
            self._wake()

    def step(self, events: int) -> None:
        if events < 0 or self._past:
            self._step_past(events)
        elif self.lab.ended:
            raise UserError(f"the run has ended, {why_ended(self.lab.ended)}: nothing happens after this.")
        else:
            self.lab.clock.paused = True
            self._tell(self.lab.kernel.step)

    def _step_past(self, events: int) -> None:
        if events < 0 and not self.world.events:
            raise UserError("this is the beginning: nothing happened before it.")
        count = self.world.events
        past = self._look_back()
        past.playing = False
        if self._past:
            past.step(events)
        else:
            past.go(max(0, count + events))
        self._past = past
        self._catch_up(past)

    def seek(self, t: float) -> None:
        if t >= self.end:
            self.go_live()
        else:
            past = self._look_back()
            past.seek(max(t, 0.0))
            self._past = past

    def go_live(self) -> None:
        self._past = None

    def _catch_up(self, past: Player) -> None:
        """The present begins where nothing more is recorded."""
        if past.world.events >= self._recorder.world.events:
            self.go_live()

    # the person --------------------------------------------------------------------------------

    @property
    def present(self) -> bool:
        return self._past is None and not self.lab.ended

    @property
    def protocol(self) -> type[Protocol]:
        return self._protocol

    @property
    def repeating(self) -> bool:
        return self._target is not None

    def act(self, *commands: AnyCommand) -> None:
        if not self.present:
            raise UserError("this is the past, and what has happened cannot be changed.")
        if self._target is not None:
            raise UserError(f"the lab executes again what happened up to {self._target:.3f} s: wait for it.")
        for command in commands:
            check_command(command, self._protocol)
            if why := why_idle(command, self.latest, self.header.experiment.link):
                raise UserError(why)

        def post() -> None:
            t: float | None = None
            for command in commands:
                t = self.lab.post(command, at=t)

        self._tell(post)


def lab_of(path: Path) -> LiveLab:
    """The lab of an experiment file, which goes on until it is stopped. Raises GossiplabError when it cannot be."""
    fields = {"until": "stopped", **load_experiment(path)}
    experiment = make_experiment(fields, str(path))
    protocol = load_protocol(experiment.protocol)
    return LiveLab(plan(experiment, protocol), protocol, default_path(experiment.protocol))


def bar(done: float, width: int = 10) -> str:
    """A progress bar for a fraction from 0 to 1."""
    full = int(done * width)
    return "█" * full + "░" * (width - full)
