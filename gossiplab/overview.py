"""The first page of help: what there is to do, in the order in which a person does it. Imports cyclopts, whose App it reads.

cyclopts would draw it with rich, reading which takes longer than all the rest of `gossiplab --help`; the pages of single
commands, with their many options, are drawn so.
"""

from collections.abc import Iterable, Iterator
from textwrap import wrap

from cyclopts import App

_WIDEST = 100  # columns; longer lines are hard to follow
_NARROWEST = 24  # columns, for text beside names
_EXAMPLES = (
    ("gossiplab", "the demo, and from there everything else"),
    ("gossiplab lab swim --nodes 50", "a lab: space pauses, k kills a node, ? tells all keys"),
    ("gossiplab run epidemic --nodes 1000", "the same without a screen"),
    ("gossiplab run --help", "what a command takes"),
)  # fmt: skip
_OPTIONS = (
    ("--ascii", "Draw with ASCII characters only."),
    ("--help, -h", "Say this; behind a command, what it takes."),
    ("--version", "Say which version this is."),
)  # fmt: skip


def overview(app: App, columns: int) -> str:
    """The page for a terminal with so many `columns`: its commands with the first paragraph of what they say of themselves."""
    width = max(40, min(columns, _WIDEST))
    parts = [
        wrap(app.help, width),
        ["Usage: gossiplab [--ascii]", "       gossiplab COMMAND [OPTIONS]"],
        ["Commands", *_table([(name, _doc(app[name])) for name in commands(app)], width)],
        ["Options", *_table(_OPTIONS, width)],
        ["To begin with", *_table(_EXAMPLES, width)],
    ]
    return "\n\n".join("\n".join(part) for part in parts)


def commands(app: App) -> list[str]:
    """The names of its commands; cyclopts counts `--help` among them."""
    return [name for name in app if not name.startswith("-")]


def _doc(command: App) -> str:
    said = command.default_command.__doc__ or "" if command.default_command else ""
    return " ".join(said.partition("\n\n")[0].split())


def _table(rows: Iterable[tuple[str, str]], width: int) -> Iterator[str]:
    """Two columns, the second in as many lines as it needs; below the first where there is no room beside it."""
    rows = list(rows)
    indent = max(len(name) for name, _ in rows) + 4
    for name, text in rows:
        if width < indent + _NARROWEST:
            yield f"  {name}"
            yield from wrap(text, width, initial_indent="      ", subsequent_indent="      ")
            continue
        yield from wrap(text, width, initial_indent=f"  {name}".ljust(indent), subsequent_indent=" " * indent)
