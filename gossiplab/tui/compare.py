"""Two futures side by side: the first event that differs, and their figures. Imports tracks, metrics and saying."""

from collections.abc import Mapping
from contextlib import suppress
from typing import ClassVar

import msgspec
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from gossiplab.errors import GossiplabError
from gossiplab.events import AnyEvent, Sent
from gossiplab.text import visible
from gossiplab.tui.modal import Modal
from gossiplab.tui.session import why_ended
from gossiplab.tui.tracks import Track, Tracks
from gossiplab.world.metrics import (
    estimate_figures,
    membership_figures,
    message_figures,
    replica_figures,
    rumor_figures,
)
from gossiplab.world.overlay import overlay_figures
from gossiplab.world.saying import about, say_event
from gossiplab.world.world import World

_MOST_RUMORS = _MOST_FAILURES = 3
_LONGEST = 200  # characters of an event


class Compare(Modal[None]):
    """The track that is shown and the one it was forked from."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,c,q,enter,space", "dismiss", "Close")]

    def __init__(self, tracks: Tracks) -> None:
        super().__init__()
        self._tracks = tracks

    def compose(self) -> ComposeResult:
        tracks, current = self._tracks, self._tracks.all[self._tracks.current]
        other = tracks.other
        assert other is not None
        older, newer = sorted((current, other), key=tracks.all.index)
        with VerticalScroll(id="comparison"):
            yield Static(Content(f"{older.letter} and {newer.letter}"), classes="title")
            yield Static(self._parting(older, newer))
            yield Static(self._figures(older, newer))
            yield Static(Content("Esc closes this."))

    def _parting(self, older: Track, newer: Track) -> Content:
        """Where the two part, in words."""
        all_tracks = self._tracks.all
        try:
            parting = self._tracks.part(all_tracks.index(older), all_tracks.index(newer))
        except GossiplabError as error:
            return Content(visible(str(error), 1000))
        if parting.first is None and parting.second is None:
            return Content(f"All {parting.events:,} events are the same so far.")
        first, second = (_say(event, parting.flights) for event in (parting.first, parting.second))
        if first == second:  # what differs is said by the bytes alone, such as those of a message
            first, second = (_encoded(event) for event in (parting.first, parting.second))
        return Content(
            f"The first {parting.events:,} events are the same. Then\n"
            f"{older.letter}: {first}\n{newer.letter}: {second}"
        )

    def _figures(self, older: Track, newer: Track) -> Table:
        """The figures of both; of the one that has come further also those of the instant at which the other ends."""
        columns = [(track.letter, track.session.latest, track.session.end) for track in (older, newer)]
        short, long = sorted((older, newer), key=lambda track: track.session.end)
        end = short.session.end
        if end < long.session.end:
            with suppress(GossiplabError):  # said above
                then = (f"{long.letter} at {end:.3f} s", long.session.recording().at(end), end)
                columns.insert(1, then)
        table = Table(expand=True, box=None)
        table.add_column("")
        for heading, _, _ in columns:
            table.add_column(Text(heading), justify="right")
        cells = [_cells(world, t) for _, world, t in columns]
        for name in dict.fromkeys(name for each in cells for name in each):
            table.add_row(Text(name), *(Text(each.get(name, "-")) for each in cells))
        return table


def _say(event: AnyEvent | None, flights: Mapping[int, Sent]) -> str:
    if event is None:
        return "nothing more has happened yet"
    return f"at {event.t:.3f} s {say_event(event, about(event, flights))}"


def _encoded(event: AnyEvent | None) -> str:
    return visible(msgspec.json.encode(event).decode(), _LONGEST)


def _cells(world: World, end: float) -> dict[str, str]:
    """The figures of a future up to the instant `end`, by their names."""
    messages = message_figures(world)
    cells = {
        "over": why_ended(world.ended) if world.ended else "not yet",
        "virtual seconds": f"{end:.3f}",
        "nodes up": f"{world.alive} of {len(world.nodes)}",
        "messages sent": f"{messages.sent:,}",
        "delivered": f"{messages.delivered:,}",
        "dropped": f"{messages.dropped:,}",
        "bytes": f"{messages.bytes:,}",
    }
    for rumor in rumor_figures(world)[:_MOST_RUMORS]:
        unit = "cycles" if world.cycle else "s"
        last = "never" if rumor.t_last is None else f"{rumor.t_last:.3f}".rstrip("0").rstrip(".") + f" {unit}"
        cells |= {
            f"rumor {rumor.id}: the last to know, after": last,
            f"rumor {rumor.id}: reached": f"{rumor.reached:,}",
            f"rumor {rumor.id}: residue": f"{rumor.residue:.4f}",
            f"rumor {rumor.id}: traffic": f"{rumor.traffic:.2f}",
        }
    return cells | _of_membership(world) | _of_overlay(world) | _of_replicas(world) | _of_estimates(world)


def _of_membership(world: World) -> dict[str, str]:
    figures = membership_figures(world)
    if figures is None:
        return {}
    cells: dict[str, str] = {}
    for each in figures.failures[-_MOST_FAILURES:]:
        times = (each.first_suspected, each.first_declared, each.last_to_know)
        said = " / ".join("never" if t is None else f"{t:.3f}" for t in times)
        cells[f"n{each.node} lost at {each.at:g} s: suspected / declared / known to all, after"] = said
    return cells | {
        "false suspicions": f"{figures.false_suspicions:,}",
        "false deaths": f"{figures.false_deaths:,}",
        "refutations": f"{figures.refutations:,}",
    }


def _of_overlay(world: World) -> dict[str, str]:
    figures = overlay_figures(world)
    if figures is None:
        return {}
    cells = {"parts of the overlay": f"{figures.components:,}"}
    if figures.redundancy is not None:
        cells["last broadcast: payloads"] = f"{figures.payloads_per_broadcast:,}"
        cells["last broadcast: redundancy"] = f"{figures.redundancy:.3g}"
    return cells


def _of_replicas(world: World) -> dict[str, str]:
    figures = replica_figures(world)
    if figures is None:
        return {}
    counts = {
        "keys that differ": figures.divergent_keys,
        "reads that were stale": figures.stale_reads,
        "siblings created": figures.siblings_created,
        "siblings resolved": figures.siblings_resolved,
        "deletions undone": figures.resurrected_deletes,
        "writes lost": figures.lost_writes,
        "bytes of repairs": sum(each.bytes for each in figures.repairs),
    }
    return {name: f"{count:,}" for name, count in counts.items() if count is not None}


def _of_estimates(world: World) -> dict[str, str]:
    figures = estimate_figures(world)
    return {} if figures is None else {"estimates": f"{figures.low:.6g} to {figures.high:.6g}"}
