"""The `gossiplab` command: reads flags, calls the parts, prints. Thin on purpose.

Each command imports what it needs when it runs, so that `gossiplab --help` costs neither Textual nor
networkx. Standard output is data; everything said about it goes to standard error.
"""

import json
import shutil
import sys
from contextlib import closing, nullcontext, suppress
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter

from gossiplab import __version__
from gossiplab.browser import in_browser
from gossiplab.errors import GossiplabError, UserError
from gossiplab.flags import Flags, check_record, fields_of, number, plan_of, plans_of, varied, whole
from gossiplab.overview import commands, overview
from gossiplab.text import visible, visible_ends

app = App(
    name="gossiplab",
    version=__version__,
    help_format="plaintext",  # rich would import its Markdown, which costs more than all the rest
    help="A laboratory for gossip protocols: rumors spread, nodes fail and recover, every run replays to the byte.",
)


_Protocol = Annotated[
    str, Parameter(name="PROTOCOL", help="Its name, a file of your own (.py), or an experiment (.toml).")
]
_Recording = Annotated[
    str, Parameter(name="RECORDING", help="A file, or a name that `gossiplab recordings` lists.")
]


Plain = Annotated[bool, Parameter(name="--ascii", negative=(), help="Draw with ASCII characters only.")]


@app.default
def demo(*, plain: Plain = False) -> int:
    """Open the demo, 30 nodes and a rumor that spreads by push-pull, with home beside it."""
    from gossiplab.library import demo_experiment

    return _open_lab(demo_experiment(), Flags(), plain, at_home=True)


@app.command
def lab(protocol: _Protocol, /, flags: Flags | None = None, *, plain: Plain = False) -> int:
    """Open a lab with a protocol, or with an experiment file (.toml)."""
    flags = flags or Flags()
    fields = fields_of(protocol, flags)
    fields.setdefault("until", "stopped")
    return _open_lab(fields, flags, plain)


@app.command
def run(
    protocol: _Protocol,
    /,
    flags: Flags | None = None,
    *,
    no_record: Annotated[bool, Parameter(negative=(), help="Record nothing.")] = False,
    json: bool = False,
) -> int:
    """Run a protocol, or an experiment file (.toml), without a screen and print what came of it.

    Without --record it is recorded to a new file of your own, which `gossiplab recordings` lists.
    """
    import msgspec

    from gossiplab.headless import run_headless

    flags = flags or Flags()
    header, kind = plan_of(fields_of(protocol, flags), tuple(flags.protocols), protocol)
    if header.experiment.until == "stopped":
        raise UserError("a run without a screen has to end: give --until quiescent, converged or seconds.")
    if no_record and flags.record:
        raise UserError("a run cannot be recorded and not recorded: give --record or --no-record, not both.")
    check_record(flags)
    by_default = flags.record is None and not no_record
    report = run_headless(header, kind, flags.record, by_default=by_default)
    # after a hang-up there may be nobody to print for
    with suppress(OSError) if report.hung_up else nullcontext():
        if json:
            _print_json(msgspec.to_builtins(report.figures))
        else:
            report.print()
        sys.stdout.flush()
    return report.exit_code


@app.command
def sweep(
    protocol: _Protocol,
    /,
    flags: Flags | None = None,
    *,
    vary: Annotated[
        list[str] | None,
        Parameter(
            negative=(),
            help="What to vary, as NAME=V1,V2: a protocol's parameter, or a flag such as nodes or loss.",
        ),
    ] = None,
    seeds: Annotated[str, Parameter(help="How many runs of each combination, from --seed on.")] = "10",
    json: bool = False,
) -> int:
    """Run all combinations of settings over some seeds, and print a table of their figures.

    Detection times and false alarms for membership, with a chart of one against the other; residue, traffic and
    t_last for rumors. Nothing is recorded: `gossiplab run` with the settings of a row and a seed shows any of its runs.
    """
    import msgspec

    from gossiplab.sweep import MOST_RUNS, combinations, print_sweep, run_sweep, say_what_went_wrong

    flags = flags or Flags()
    if flags.record is not None or flags.force:
        raise UserError(
            "a sweep records nothing: leave out --record, and record one of its runs with gossiplab run."
        )
    settings, count = combinations(vary or ()), whole("seeds", seeds)
    if not 0 < count * len(settings) <= MOST_RUNS:
        raise UserError(
            f"a sweep cannot have {count * len(settings)} runs: give --seeds from 1 up, and at most {MOST_RUNS} runs."
        )
    plans = [(each, plans_of(protocol, varied(flags, each), count)) for each in settings]
    result = run_sweep(plans)
    if json:
        _print_json(msgspec.to_builtins(result))
    else:
        print_sweep(result)
    sys.stdout.flush()
    return say_what_went_wrong(result)


@app.command
def replay(
    recording: _Recording,
    /,
    *,
    headless: bool = False,
    at: str | None = None,
    json: bool = False,
    protocols: Annotated[
        list[Path] | None,
        Parameter(negative=(), help="A folder with the protocol, if it is your own: to act on the past."),
    ] = None,
    plain: Plain = False,
) -> int:
    """Show a recording on the screen; or, with --headless, print the World at an instant."""
    from gossiplab.library import find_recording
    from gossiplab.recording.reader import open_recording

    path = find_recording(recording)
    t = number("at", at)
    if not headless:
        from gossiplab.content import load_recorded

        # what is wrong with it is said even where there is no terminal
        with closing(open_recording(path)) as opened:
            header = opened.header
        folders = tuple(protocols or ())
        protocol = load_recorded(header.experiment.protocol, header.own, folders) if folders else None
        _need_terminal(f"gossiplab replay {recording} --headless")
        from gossiplab.tui.app import open_replay

        return open_replay(path, protocol, plain=plain)
    from gossiplab.headless import print_world, world_figures

    opened = open_recording(path)
    t = opened.end if t is None else t
    if not 0 <= t < float("inf"):
        raise UserError(f"a recording cannot be looked at at {t} s: give --at seconds from 0 up.")
    world = opened.at(t)
    if opened.torn:
        _say(f"{path} ends early after event {opened.length}.")
    if json:
        _print_json({**world_figures(world, t), "digest": opened.digest(world.events)})
    else:
        print_world(world, t)
    return 0


@app.command
def verify(
    recording: _Recording, /, *, protocols: Annotated[list[Path] | None, Parameter(negative=())] = None
) -> int:
    """Execute a recording again: exit code 0 when every byte agrees, 1 when an event differs, 2 when it cannot be used."""
    from gossiplab.content import load_recorded
    from gossiplab.headless import Progress
    from gossiplab.library import find_recording
    from gossiplab.recording.reader import open_recording
    from gossiplab.recording.verify import StoppedError, verify

    path = find_recording(recording)
    opened = open_recording(path)
    header = opened.header
    protocol = load_recorded(header.experiment.protocol, header.own, tuple(protocols or ()))
    try:
        with Progress("verifying", opened.end) as progress:
            difference = verify(opened, protocol, progress.at)
    except StoppedError as stopped:  # without a verdict
        return 128 + stopped.signal
    if difference is not None:
        print(f"{visible(str(path), 1000)} differs from its repetition at event {difference.event}:")
        print(f"  expected {visible(difference.expected, 2000) or 'nothing more'}")
        print(f"  got      {visible(difference.got, 2000) or 'nothing more'}")
        return 1
    early = " (it ends early)" if opened.torn else ""
    print(f"{visible(str(path), 1000)}: {opened.length} events agree to the byte{early}.")
    return 0


@app.command
def export(
    recording: _Recording,
    /,
    *,
    to: Annotated[str, Parameter(help="csv, jsonl, shiviz, asciicast, svg, experiment or line.")],
    output: Annotated[Path | None, Parameter(help="The file to write; standard output if left out.")] = None,
    force: Annotated[bool, Parameter(negative=(), help="Replace the output file if it is there.")] = False,
    at: Annotated[
        str | None,
        Parameter(
            help="svg: the instant in virtual seconds, the end if left out; asciicast: where it begins."
        ),
    ] = None,
    width: Annotated[
        str | None, Parameter(help="svg, asciicast: columns of the screen, 160 if left out.")
    ] = None,
    height: Annotated[
        str | None, Parameter(help="svg, asciicast: rows of the screen, 48 if left out.")
    ] = None,
    speed: Annotated[
        str | None,
        Parameter(
            help="asciicast: virtual seconds in a second; 1 if left out, or more where a minute would not do."
        ),
    ] = None,
    step: Annotated[
        str | None, Parameter(help="csv: virtual seconds between two rows; some 200 to 500 rows if left out.")
    ] = None,
) -> int:
    """Turn a recording into a file for other tools.

    csv: metrics over time; jsonl: events, one object a line; shiviz: a log for ShiViz; asciicast: a film for
    asciinema; svg: a picture of the screen; experiment: a TOML file that runs again, with every command that was
    given; line: the same as a line for a shell.
    """
    from gossiplab.export import Options, export
    from gossiplab.library import find_recording
    from gossiplab.recording.reader import open_recording

    options = Options(
        at=number("at", at),
        width=None if width is None else whole("width", width),
        height=None if height is None else whole("height", height),
        speed=number("speed", speed),
        step=number("step", step),
    )
    path = find_recording(recording)
    export(path, to, output, options, force=force)
    with closing(open_recording(path)) as opened:
        if opened.torn and to != "experiment":  # which says so itself
            _say(f"{path} ends early after event {opened.length}, and so does what is exported.")
        if opened.header.own and to == "line":
            _say("this line is about a protocol of your own: add --protocols FOLDER with its file.")
    return 0


@app.command
def serve(
    *arguments: Annotated[
        str, Parameter(allow_leading_hyphen=True, help="Those of `gossiplab lab`; none for the demo.")
    ],
    host: Annotated[
        str, Parameter(help="The address to listen on; the default is this machine alone.")
    ] = "127.0.0.1",
    port: Annotated[str, Parameter(help="The port to listen on.")] = "8000",
) -> int:
    """Show the lab in a browser: each page that opens the address gets a lab of its own.

    There are no passwords: whoever reaches the address can use the lab.
    """
    if arguments:  # mistakes are said now, and not on every page
        _, bound, _ = app.parse_args(["lab", *arguments], print_error=False, exit_on_error=False)
        flags: Flags = bound.arguments.get("flags") or Flags()
        if flags.record is not None:
            raise UserError(
                "every page gets a lab of its own, and they cannot all record to one file: leave out --record."
            )
        plan_of(fields_of(bound.arguments["protocol"], flags), tuple(flags.protocols))
    try:
        from gossiplab.serve import serve
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("gossiplab"):
            raise
        raise UserError(
            "the lab cannot be in a browser without textual-serve: install it with "
            "pip install textual-serve, or pipx inject gossiplab textual-serve."
        ) from None
    return serve(list(arguments), host, whole("port", port))


@app.command
def recordings() -> int:
    """List the built-in recordings and your own."""
    from gossiplab.library import print_recordings

    print_recordings()
    return 0


@app.command
def protocols(*folders: Path) -> int:
    """List the protocols with their parameters; those in FOLDERS, too."""
    from gossiplab.library import print_protocols

    print_protocols(folders)
    return 0


def run_command_line(arguments: list[str]) -> int:
    """Run one command. Returns its exit code; errors that a person can mend are said in one sentence."""
    if not set(arguments).isdisjoint(app.help_flags) and set(arguments).isdisjoint(commands(app)):
        print(overview(app, shutil.get_terminal_size().columns))
        return 0
    try:
        result = app(arguments, print_error=False, exit_on_error=False, result_action="return_value")
    except CycloptsError as error:
        from gossiplab.usage import complaint

        _say(complaint(error))
        return 2
    except GossiplabError as error:
        _say(str(error))
        return 2
    return result if isinstance(result, int) else 0


def _open_lab(fields: dict[str, Any], flags: Flags, plain: bool, at_home: bool = False) -> int:
    header, protocol = plan_of(fields, tuple(flags.protocols))
    check_record(flags)
    _need_terminal(f"gossiplab run {header.experiment.protocol}")
    from gossiplab.tui.app import open_lab

    return open_lab(header, protocol, flags.record, at_home, plain=plain)


def _need_terminal(instead: str) -> None:
    if not (in_browser() or (sys.stdin.isatty() and sys.stdout.isatty())):
        raise UserError(f"the lab needs a terminal to open in: run it in one, or use `{instead}`.")


def _print_json(value: Any) -> None:
    # ASCII only: what a terminal would obey (C1 controls, direction marks) stays escaped
    print(json.dumps(value, ensure_ascii=True))


def _say(text: str) -> None:
    print(f"gossiplab: {visible_ends(text, 2000)}", file=sys.stderr)
