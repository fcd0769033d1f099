"""A sweep: every combination of some settings, over some seeds, without a screen; as a table and as a chart.

Runs one lab after the other and keeps only figures: nothing is recorded, for any run of the sweep is run again with
`gossiplab run`, the settings of its row and its seed. Imports engine, world and headless (for the progress bar).
"""

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from shutil import get_terminal_size
from statistics import fmean, stdev
from string import ascii_letters
from textwrap import wrap

import msgspec

from gossiplab.engine.lab import Lab
from gossiplab.engine.run import run_lab
from gossiplab.errors import UserError
from gossiplab.events import Header
from gossiplab.headless import Progress
from gossiplab.protocol import Protocol
from gossiplab.text import visible
from gossiplab.world.metrics import membership_figures, rumor_figures
from gossiplab.world.world import World, new_world

MOST_RUNS = 100_000

MEMBERSHIP = {
    "first_suspected": "suspected s", "first_declared": "declared s", "last_to_know": "all know s",
    "false_suspicions": "false susp.", "false_deaths": "false deaths", "false_deaths_of_healthy": "of healthy",
    "messages_per_member_period": "msg/period",
}  # fmt: skip
RUMORS = {"residue": "residue", "traffic": "traffic", "t_last": "t_last"}
COLUMNS = MEMBERSHIP | RUMORS
"""The figures of a row, and how they are headed; see `gossiplab.world.metrics` for what they are."""

Plan = tuple[Header, type[Protocol]]
Settings = dict[str, str]

_WIDTH, _HEIGHT = 56, 12  # of the chart, in characters


class Spread(msgspec.Struct, frozen=True):
    """One figure over all runs of a row.

    count: how many values there were; of failures and rumors one for each, of all else one a run. missing: how many
    more there would have been, had it happened: failures that nobody declared, rumors that reached nobody. mean, sd
    (of a sample), low, high: of those that there are; None where that needs more of them.
    """

    count: int
    missing: int
    mean: float | None
    sd: float | None
    low: float | None
    high: float | None


class Row(msgspec.Struct):
    """One combination: its settings, how many runs it had, in how many a node crashed, and its figures by name."""

    settings: Settings
    runs: int
    crashed: int
    figures: dict[str, Spread]


class Sweep(msgspec.Struct):
    """What `gossiplab sweep --json` prints. signal: that which ended it early, if one did; rows that were not begun are missing."""

    protocol: str
    seeds: list[int]
    rows: list[Row]
    signal: int | None = None


def combinations(texts: Iterable[str]) -> list[Settings]:
    """Read "fanout=1,2" and others like it: every combination, the last name varying fastest. Raises UserError."""
    values: dict[str, list[str]] = {}
    for text in texts:
        name, equals, rest = (part.strip() for part in text.partition("="))
        given = [each.strip() for each in _split(rest)]
        if not name or not equals or not all(given):
            raise UserError(
                f"{visible(text, 100)!r} varies nothing: write --vary NAME=V1,V2, as in --vary fanout=1,2,3."
            )
        if name in values:
            raise UserError(f"{visible(name, 100)} is varied twice: give all its values in one --vary.")
        if len(set(given)) < len(given):
            raise UserError(f"{visible(text, 100)!r} has a value twice: give each once.")
        values[name] = given
    if not values:
        raise UserError("a sweep varies something: give --vary NAME=V1,V2, as in --vary fanout=1,2,3.")
    return [dict(zip(values, each, strict=True)) for each in product(*values.values())]


def _split(text: str) -> Iterator[str]:
    """The parts between commas that stand in no parentheses: a topology or a latency may have commas of its own."""
    part, depth = "", 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth <= 0:
            yield part
            part = ""
        else:
            part += letter
    yield part


def run_sweep(plans: Sequence[tuple[Settings, Sequence[Plan]]]) -> Sweep:
    """Run all plans: of each combination one for each seed. A signal ends it after the rows that are whole."""
    experiment = plans[0][1][0][0].experiment
    sweep = Sweep(experiment.protocol, [header.experiment.seed for header, _ in plans[0][1]], [])
    total, done = sum(len(runs) for _, runs in plans), 0
    with Progress(f"sweeping {visible(experiment.protocol)}", total, unit=f"of {total} runs") as progress:
        for settings, runs in plans:
            values: dict[str, list[float | None]] = {}
            crashed = 0
            for header, protocol in runs:
                world, sweep.signal = _run(header, protocol)
                if sweep.signal is not None:
                    return sweep
                crashed += bool(world.crashes)
                for name, value in _figures(world):
                    values.setdefault(name, []).append(value)
                done += 1
                progress.at(done)
            figures = {name: _spread(values[name]) for name in COLUMNS if name in values}
            sweep.rows.append(Row(settings, len(runs), crashed, figures))
    return sweep


def _run(header: Header, protocol: type[Protocol]) -> tuple[World, int | None]:
    """The World at the end of a run, and the signal that ended it."""
    world = new_world(header)
    lab = Lab(header, protocol, world.apply)
    run_lab(lab)
    return world, lab.signal


def _figures(world: World) -> Iterator[tuple[str, float | None]]:
    """The figures of one run: by name, and several of one name where there are several failures or rumors."""
    membership = membership_figures(world)
    if membership:
        for failure in membership.failures:
            yield "first_suspected", failure.first_suspected
            yield "first_declared", failure.first_declared
            yield "last_to_know", failure.last_to_know
        yield "false_suspicions", membership.false_suspicions
        yield "false_deaths", membership.false_deaths
        yield "false_deaths_of_healthy", membership.false_deaths_of_healthy
        if membership.messages_per_member_period is not None:
            yield "messages_per_member_period", membership.messages_per_member_period
    for rumor in rumor_figures(world):
        yield "residue", rumor.residue
        yield "traffic", rumor.traffic
        yield "t_last", rumor.t_last


def _spread(values: Sequence[float | None]) -> Spread:
    there = [float(value) for value in values if value is not None]
    return Spread(
        count=len(there),
        missing=len(values) - len(there),
        mean=fmean(there) if there else None,
        sd=stdev(there) if len(there) > 1 else None,
        low=min(there, default=None),
        high=max(there, default=None),
    )


def print_sweep(sweep: Sweep) -> None:
    """Print the table for people, as wide as the terminal, and below it the chart, where failures were detected."""
    if not sweep.rows:
        return
    runs = sweep.rows[0].runs
    first, last = sweep.seeds[0], sweep.seeds[-1]
    print(
        f"{visible(sweep.protocol)}: {len(sweep.rows)} combinations, {runs} runs each, seeds {first} to {last}; mean ± sd"
    )
    for line in [*table(sweep.rows, get_terminal_size().columns), *trade_off(sweep.rows)]:
        print(line)


def table(rows: Sequence[Row], width: int) -> list[str]:
    """Lines of at most `width` characters, if a row's settings and one figure have room in them.

    Where the figures have no room beside one another they follow in further tables, each with the settings again.
    """
    settings = [["", *_signs(len(rows))]]
    settings += [[visible(name), *(visible(row.settings[name]) for row in rows)] for name in rows[0].settings]
    head = _aligned(settings, str.ljust)
    figures = [
        _aligned([[title, *(_cell(row.figures.get(name)) for row in rows)]], str.rjust)
        for name, title in COLUMNS.items()
        if any(name in row.figures for row in rows)
    ]
    tables: list[list[str]] = []
    for column in figures:
        if not tables or len(tables[-1][0]) + 2 + len(column[0]) > width:
            tables.append(head)
        tables[-1] = [f"{line}  {cell}" for line, cell in zip(tables[-1], column, strict=True)]
    return [line.rstrip() for each in tables or [head] for line in ("", *each)][1:]


def _aligned(columns: Sequence[Sequence[str]], align: Callable[[str, int], str]) -> list[str]:
    """The lines of columns beside one another."""
    aligned = [[align(cell, max(map(len, column))) for cell in column] for column in columns]
    return ["  ".join(cells) for cells in zip(*aligned, strict=True)]


def _signs(count: int) -> list[str]:
    """A letter for each row, for the chart to name it by; a dot where letters run out."""
    return [ascii_letters[place] if place < len(ascii_letters) else "." for place in range(count)]


def _cell(spread: Spread | None) -> str:
    if spread is None:
        return "-"
    if spread.mean is None:
        return "never"
    sd = "" if spread.sd is None else f" ± {spread.sd:.2g}"
    return f"{spread.mean:.4g}{sd}{f' ({spread.missing} never)' if spread.missing else ''}"


def trade_off(rows: Sequence[Row]) -> list[str]:
    """Detection time to the right against false deaths upwards, a letter for each row; no lines without failures.

    Of false deaths those of healthy members count, as in the Lifeguard paper; where no row has any, all of them, and
    then false suspicions. Where rows fall together stands a star, and below the chart which they are. Best is the lower
    left corner.
    """
    points: list[tuple[str, float, float]] = []
    counts = ("false_deaths_of_healthy", "false_deaths", "false_suspicions")
    wrong = next((name for name in counts if any(_mean(row, name) for row in rows)), counts[-1])
    for sign, row in zip(_signs(len(rows)), rows, strict=True):
        x, y = _mean(row, "first_declared"), _mean(row, wrong)
        if x is not None and y is not None:
            points.append((sign, x, y))
    if len(points) < 2:
        return []
    right, top = max(x for _, x, _ in points) or 1.0, max(y for _, _, y in points) or 1.0
    places: dict[tuple[int, int], str] = {}
    for sign, x, y in points:
        place = (
            _HEIGHT - 1 - math.floor(y / top * (_HEIGHT - 1) + 0.5),
            math.floor(x / right * (_WIDTH - 1) + 0.5),
        )
        places[place] = places.get(place, "") + sign
    grid = [[" "] * _WIDTH for _ in range(_HEIGHT)]
    for (row, column), signs in places.items():
        grid[row][column] = signs if len(signs) == 1 else "*"
    together = [" and ".join(signs) for _, signs in sorted(places.items()) if len(signs) > 1]
    labels = {0: f"{top:.4g}", _HEIGHT - 1: "0"}
    end = f"{right:.4g} s"
    return [
        "",
        f"{wrong.replace('_', ' ')} a run, against seconds to the first declaration",
        *(f"{labels.get(place, ''):>8} |{''.join(row)}".rstrip() for place, row in enumerate(grid)),
        f"{'':8} +{'-' * _WIDTH}",
        f"{'':9} 0{end.rjust(_WIDTH - 1)}",
        *(wrap(f"* is, from top to bottom: {', '.join(together)}", _WIDTH + 10) if together else ()),
    ]


def _mean(row: Row, name: str) -> float | None:
    return row.figures[name].mean if name in row.figures else None


def say_what_went_wrong(sweep: Sweep) -> int:
    """Say on standard error what keeps the figures from being trusted; returns the exit code, as `run` has it."""
    crashed = sum(row.crashed for row in sweep.rows)
    if sweep.signal is not None:
        print(
            f"gossiplab: the sweep was stopped after {len(sweep.rows)} whole rows; the others are left out.",
            file=sys.stderr,
        )
        return 128 + sweep.signal
    if crashed:
        print(
            f"gossiplab: in {crashed} runs a node crashed: run one of them with `gossiplab run` to see where.",
            file=sys.stderr,
        )
        return 2
    return 0
