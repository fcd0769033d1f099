"""Running and looking without a screen: the run, its progress bar, and what is printed of it."""

import json
import signal
import sys
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any, Self

import msgspec
from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as RichProgress

from gossiplab.engine.lab import Lab
from gossiplab.engine.run import run_lab
from gossiplab.errors import StorageError
from gossiplab.events import AnyEvent, Header
from gossiplab.experiment import Value
from gossiplab.library import default_path
from gossiplab.nodeset import format_nodes
from gossiplab.protocol import Protocol
from gossiplab.recording.recorder import Recorder
from gossiplab.recording.tape import Tape
from gossiplab.text import many, visible
from gossiplab.world.metrics import (
    EstimateFigures,
    MembershipFigures,
    MessageFigures,
    ReplicaFigures,
    RumorFigures,
    estimate_figures,
    membership_figures,
    message_figures,
    replica_figures,
    rumor_figures,
)
from gossiplab.world.overlay import OverlayFigures, overlay_figures
from gossiplab.world.world import World

_BEAT = 0.1  # s of real time between two pictures of the progress bar


_STOPPED_BY = {
    "converged": "converged, every live node knows every rumor,",
    "quiescent": "quiescent, nobody spreads a rumor any more,",
    "time": "ended at --until",
    "limit": "given up at --limit",
    "stopped": "stopped",
}
"""Why a run ended, as the summary says it: before "after 5 virtual s"."""


class RunFigures(msgspec.Struct, frozen=True):
    """What `gossiplab run --json` prints.

    membership: left out when no node believes anything. overlay: left out when no node keeps views. replicas:
    left out when nobody stores keys. estimates: left out when nobody estimates anything. digest: of
    what happened, recorded or not: the lines of all events but the closing one.
    """

    protocol: str
    nodes: int
    seed: int
    params: dict[str, Value]
    virtual_seconds: float
    wall_seconds: float
    stopped_by: str
    events: int
    messages: MessageFigures
    rumors: list[RumorFigures]
    overlay: OverlayFigures | msgspec.UnsetType
    digest: str
    membership: MembershipFigures | msgspec.UnsetType = msgspec.UNSET
    replicas: ReplicaFigures | msgspec.UnsetType = msgspec.UNSET
    estimates: EstimateFigures | msgspec.UnsetType = msgspec.UNSET


class Report:
    """What came of a run."""

    def __init__(
        self, figures: RunFigures, world: World, cycle: bool, recorded: Path | None, signal: int | None
    ) -> None:
        self.figures = figures
        self._world = world
        self._cycle = cycle
        self._recorded = recorded
        self._signal = signal
        if world.crashes:
            crash, more = world.crashes[0], len(world.crashes) - 1
            print(
                f"gossiplab: n{crash.node} crashed at {crash.t:g} s in {visible(crash.file)}, line {crash.line}: "
                f"{visible(crash.error, 500).rstrip('.')}{f' (and {more} more crashed)' if more else ''}; "
                "mend the protocol and run again.",
                file=sys.stderr,
            )

    @property
    def hung_up(self) -> bool:
        """Whether the run was stopped because its terminal went away."""
        return self._signal == getattr(signal, "SIGHUP", -1)

    @property
    def exit_code(self) -> int:
        """0; 2 when the protocol crashed a node; 128 + n when signal n stopped the run."""
        if self._signal is not None:
            return 128 + self._signal
        return 2 if self._world.crashes else 0

    def print(self) -> None:
        """Print a summary for people."""
        figures, messages = self.figures, self.figures.messages
        print(f"{figures.protocol}: {many(figures.nodes, 'node')}, seed {figures.seed}")
        if figures.params:
            print(f"  {'  '.join(f'{name}={_value(value)}' for name, value in figures.params.items())}")
        why = _STOPPED_BY.get(figures.stopped_by, figures.stopped_by)
        print(f"{why} after {figures.virtual_seconds:g} virtual s ({figures.wall_seconds:.2f} s real)")
        print(
            f"messages: {messages.sent} sent, {messages.delivered} delivered, {messages.dropped} dropped, "
            f"{messages.duplicated} duplicated, {messages.in_flight} in flight, {messages.bytes} bytes"
        )
        for rumor in figures.rumors:
            unit = "cycles" if self._cycle else "s"
            arrived = (
                ""
                if rumor.t_last is None
                else f", arrived after {rumor.t_ave:.4g} {unit} on average, {rumor.t_last:g} at last"
            )
            print(
                f"rumor {rumor.id} from n{rumor.source}: reached {rumor.reached} of {figures.nodes}, "
                f"residue {rumor.residue:.4g}, traffic {rumor.traffic:.4g}{arrived}"
            )
        if figures.membership:
            _print_membership(figures.membership)
        if figures.overlay:
            _print_overlay(figures.overlay)
        if figures.replicas:
            _print_replicas(figures.replicas)
        if figures.estimates:
            each = figures.estimates
            aim = "" if each.truth is None else f", where all should come to {each.truth:.9g}"
            print(f"estimates: {each.low:.9g} to {each.high:.9g}{aim}")
        print(f"{figures.events} events, digest {figures.digest}")
        if self._recorded:
            print(f"recorded to {visible(str(self._recorded), 1000)}")


class Progress:
    """A progress bar on standard error, on a terminal; nothing where there is none, or when it shall be quiet."""

    def __init__(self, what: str, end: float | None, *, quiet: bool = False, unit: str = "virtual s") -> None:
        self._shown = sys.stderr.isatty() and not quiet
        self._next = perf_counter() + _BEAT
        if self._shown:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[t]:.4g} {task.fields[unit]}"),
            )
            self._bar = RichProgress(
                *columns, console=Console(stderr=True), transient=True, auto_refresh=False
            )
            self._task = self._bar.add_task(what, total=end, t=0.0, unit=unit)

    def __enter__(self) -> Self:
        if self._shown:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._shown:
            with suppress(OSError):
                self._bar.stop()

    def at(self, t: float) -> None:
        """The virtual instant `t` is reached, or so many of another unit."""
        if self._shown and perf_counter() >= self._next:
            self._next = perf_counter() + _BEAT
            try:
                self._bar.update(self._task, completed=t, t=t)
                self._bar.refresh()
            except OSError:  # the terminal is gone, which is no reason to end the run
                self._shown = False


def run_headless(
    header: Header, protocol: type[Protocol], record: Path | None = None, *, by_default: bool = False
) -> Report:
    """Run to the end, recording to `record`; with `by_default` to a fresh file of the user's folder.

    Raises StorageError when the disk refuses `record`. When it refuses what nobody asked for by name, that is
    said on standard error and the run goes on unrecorded.
    """
    experiment = header.experiment
    end = experiment.until if isinstance(experiment.until, float) else None
    started = perf_counter()
    sink = _unasked(header) if by_default else Recorder(record, header) if record else Tape(header, _discard)
    try:
        with Progress(f"running {experiment.protocol}", end) as progress:

            def watch(batch: list[AnyEvent]) -> None:
                sink(batch)
                progress.at(sink.world.t)

            lab = Lab(header, protocol, watch)
            run_lab(lab)
    finally:
        if isinstance(sink, Recorder):
            sink.close()
    recorded = sink.target if isinstance(sink, Recorder) and not sink.abandoned else None
    if lab.abandoned:
        print(
            f"gossiplab: {format_nodes(lab.abandoned)} had tasks that would not end with the node, and which were "
            "abandoned: let trio.Cancelled pass, and shield only what ends by itself.",
            file=sys.stderr,
        )
    if lab.threaded:
        print(
            f"gossiplab: {format_nodes(lab.threaded)} waited for a thread, which a lab has none of because threads know "
            "no virtual time: do without trio.to_thread and trio.open_file.",
            file=sys.stderr,
        )
    world = sink.world
    figures = RunFigures(
        protocol=experiment.protocol,
        nodes=experiment.nodes,
        seed=experiment.seed,
        params=experiment.params,
        virtual_seconds=world.t,
        wall_seconds=perf_counter() - started,
        stopped_by=world.ended or "stopped",
        events=world.events,
        messages=message_figures(world),
        rumors=rumor_figures(world),
        membership=membership_figures(world) or msgspec.UNSET,
        overlay=overlay_figures(world) or msgspec.UNSET,
        replicas=replica_figures(world) or msgspec.UNSET,
        estimates=estimate_figures(world) or msgspec.UNSET,
        digest=sink.digest,
    )
    return Report(figures, world, header.cycle is not None, recorded, lab.signal)


class _UnaskedRecorder(Recorder):
    """Records what nobody asked for by name: where the disk refuses, the run matters more than the recording."""

    def flush(self) -> None:
        try:
            super().flush()
        except StorageError as error:
            self.abandon()
            _say_unrecorded(error)


def _unasked(header: Header) -> Recorder | Tape:
    """A recording in the user's folder; where there can be none, a sink that only keeps the World."""
    try:
        return _UnaskedRecorder(default_path(header.experiment.protocol), header)
    except StorageError as error:
        _say_unrecorded(error)
        return Tape(header, _discard)


def _say_unrecorded(error: StorageError) -> None:
    print(
        f"gossiplab: {visible(str(error), 1000).rstrip('.')}; this run goes on unrecorded.", file=sys.stderr
    )


def world_figures(world: World, t: float) -> dict[str, Any]:
    """A World as plain values, with its one-word state and its figures."""
    fields: dict[str, Any] = json.loads(msgspec.json.encode(world))
    figures = {"messages": message_figures(world), "rumor_figures": rumor_figures(world)}
    membership = msgspec.to_builtins(membership_figures(world))
    fields["membership"] |= (
        membership or {}
    )  # failures are told by how long after the fault they were noticed
    overlay = msgspec.to_builtins(overlay_figures(world))
    fields["overlay"] = overlay and {**overlay, "views": fields["overlay"]}
    replicas = msgspec.to_builtins(replica_figures(world))
    if replicas:
        fields["replicas"] = {**replicas, "data": fields["replicas"]}
    return {"at": t, "word": world.word(), **fields, **msgspec.to_builtins(figures)}


def print_world(world: World, t: float) -> None:
    """Print a World for people."""
    print(
        f"at {t:g} s: {world.word()}, {world.alive} of {many(len(world.nodes), 'node')} alive, {many(world.events, 'event')}"
    )
    for status in sorted({node.status for node in world.nodes}):
        these = [id for id, node in enumerate(world.nodes) if node.status == status]
        print(f"  {status}: {format_nodes(these)}")
    for id, rumor in enumerate(world.rumors):
        print(f"  rumor {id} from n{rumor.source}: known to {format_nodes(rumor.arrivals)}")
    messages = message_figures(world)
    print(
        f"  messages: {messages.sent} sent, {messages.delivered} delivered, {messages.dropped} dropped, {messages.in_flight} in flight"
    )
    figures = membership_figures(world)
    if figures:
        _print_membership(figures, "  ")
    overlay = overlay_figures(world)
    if overlay:
        _print_overlay(overlay, "  ")
    replicas = replica_figures(world)
    if replicas:
        _print_replicas(replicas, "  ")


def _print_membership(figures: MembershipFigures, margin: str = "") -> None:
    """Print for people how failures were detected."""
    for failure in figures.failures:
        noticed = (
            f"{what} {'never' if after is None else f'after {after:.4g} s'}"
            for what, after in (
                ("suspected", failure.first_suspected),
                ("declared dead", failure.first_declared),
                ("known to all", failure.last_to_know),
            )
        )
        print(f"{margin}n{failure.node} failed at {failure.at:g} s: {', '.join(noticed)}")
    load = ""
    if figures.messages_per_member_period is not None:
        load = (
            f"; per member and period {figures.messages_per_member_period:.4g} messages, "
            f"{figures.bytes_per_member_period:.4g} bytes"
        )
    healthy = figures.false_deaths_of_healthy
    of_healthy = "" if healthy == figures.false_deaths else f" ({healthy} of members that were never paused)"
    print(
        f"{margin}membership: {figures.false_suspicions} false suspicions, {figures.false_deaths} false deaths{of_healthy}, "
        f"{figures.refutations} refutations{load}"
    )


def _print_replicas(figures: ReplicaFigures, margin: str = "") -> None:
    """Print for people what became of replicated data."""
    print(
        f"{margin}replicas: {figures.keys:,} keys, {figures.divergent_keys:,} divergent; "
        f"siblings {figures.siblings_created} created, {figures.siblings_resolved} resolved; "
        f"{figures.resurrected_deletes} resurrected deletes{_told(figures.lost_writes, 'lost writes')}"
    )
    if figures.writes or figures.failed_writes or figures.reads or figures.failed_reads:
        by = f" by {figures.staleness_mean:.4g} s on average" if figures.staleness_mean is not None else ""
        print(
            f"{margin}requests: {figures.writes} writes, {figures.failed_writes} failed; {figures.reads} reads, "
            f"{figures.failed_reads} failed{_told(figures.stale_reads, 'stale')}{by}"
        )
    if figures.repairs:
        share = sum(each.bytes for each in figures.repairs)
        full = sum(each.full_copy_bytes for each in figures.repairs)
        differing = sum(each.differing or 0 for each in figures.repairs)
        print(
            f"{margin}repairs: {len(figures.repairs)}, of {differing:,} differing keys in all, "
            f"{share:,} bytes, where full copies would cost {full:,}"
        )


def _told(count: int | None, what: str) -> str:
    """A figure that not every protocol lets anybody know."""
    return "" if count is None else f", {count} {what}"


def _value(value: Value) -> str:
    """A parameter's value as --set takes it."""
    return str(value).lower() if isinstance(value, bool) else visible(str(value))


def _print_overlay(figures: OverlayFigures, margin: str = "") -> None:
    """Print the figures of an overlay for people: its shape, then the newest broadcast."""
    said = ["connected" if figures.connected else f"in {figures.components} parts"]
    if figures.in_degree and figures.out_degree:
        said += [
            f"{name} {spread.min} to {spread.max}, {spread.mean:.4g} on average"
            for name, spread in (("out-degree", figures.out_degree), ("in-degree", figures.in_degree))
        ]
    if figures.clustering is not None:
        said.append(f"clustering {figures.clustering:.3g}")
    if figures.path_length is not None:
        said.append(f"path length {figures.path_length:.4g}")
    print(f"{margin}overlay: {', '.join(said)}")
    if figures.redundancy is not None:
        print(
            f"{margin}last broadcast: {figures.payloads_per_broadcast} payloads, redundancy {figures.redundancy:.3g}, "
            f"last delivery after {figures.last_delivery_hop} hops"
        )


def _discard(data: bytes) -> None:
    """Where the bytes of a run go that nobody records."""
