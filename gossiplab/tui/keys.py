"""The keys of the lab screen, in one table: bindings, key bar, help and palette are all read from it.

Imports only textual's Binding.
"""

from typing import NamedTuple

from textual.binding import Binding, BindingType


class Stroke(NamedTuple):
    """One key: how it is drawn, what Textual calls it, the screen's action, and a sentence about it."""

    cap: str
    key: str
    action: str
    doc: str


class Hint(NamedTuple):
    """Keys that belong together, as the key bar shows them: their caps and one word."""

    word: str
    strokes: tuple[Stroke, ...]


TIME: tuple[Hint, ...] = (
    Hint(
        "pause",
        (Stroke("space", "space", "pause", "Pause, and go on. While you look back: play from there."),),
    ),
    Hint(
        "step",
        (
            Stroke(",", "comma", "step(-1)", "One event back. The lab goes on; only your view is held."),
            Stroke(".", "full_stop", "step(1)", "One event on. Live, it pauses the lab and lets one thing happen."),
        ),
    ),
    Hint(
        "speed",
        (
            Stroke("+", "plus,equals_sign", "speed(1)", "Faster: from 1/20 to 100 virtual seconds a second, then as fast as it goes."),
            Stroke("-", "minus", "speed(-1)", "Slower."),
        ),
    ),
    Hint(
        "time",
        (Stroke("t", "t", "timeline", "Go to the timeline and back; there the left and right keys move through time."),),
    ),
    Hint("live", (Stroke("end", "end", "live", "Back to the present: the end of what has happened."),)),
    Hint("help", (Stroke("?", "question_mark", "app.help", "This help."),)),
    Hint("explain", (Stroke("F1", "f1", "app.explain", "Explain what has the focus: this view, or the timeline."),)),
    Hint("quit", (Stroke("q", "q", "app.quit", "Quit. The recording is complete and stays where it is."),)),
    Hint("type", (Stroke(":", "colon", "app.command_palette", "Type a command, such as kill n0-n3, or find a key by its name."),)),
)  # fmt: skip
"""Time, and what concerns the whole. What is needed least stands last, and is left out of a key bar that is short."""

NODES: tuple[Hint, ...] = (
    Hint(
        "select",
        (
            Stroke("←", "left", "arrow(-1, 0)", "Select the next node to the left; on the timeline: back in time."),
            Stroke("→", "right", "arrow(1, 0)", "Select the next node to the right; on the timeline: on in time."),
            Stroke("↑", "up", "arrow(0, -1)", "Select the next node above."),
            Stroke("↓", "down", "arrow(0, 1)", "Select the next node below."),
            Stroke("tab", "tab", "select(1)", "Select the next node by its number. A click selects, too."),
        ),
    ),
    Hint("info", (Stroke("d", "d", "details", "Details: show or hide all about what is selected, or about the run, beside the view."),)),
    Hint("kill", (Stroke("k", "k", "kill", "Kill: the nodes stop at once, in the middle of everything."),)),
    Hint("rejoin", (Stroke("r", "r", "rejoin", "Rejoin: nodes that are down start again and remember what they knew."),)),
    Hint("split", (Stroke("p", "p", "partition", "Partition: cut every link between these nodes and all others."),)),
    Hint("heal", (Stroke("h", "h", "heal", "Heal: mend everything that is cut."),)),
    Hint("inject", (Stroke("i", "i", "inject", "Inject: tell the selected node a new rumor."),)),
    Hint(
        "faults",
        (Stroke("f", "f", "app.faults", "Faults: a form with every command, what each would do now, and a line to write one."),),
    ),
    Hint("mark", (Stroke("m", "m", "mark", "Mark the selected node, or take its mark away."),)),
    Hint("leave", (Stroke("l", "l", "leave", "Leave: the nodes say goodbye and stop."),)),
)  # fmt: skip
"""Choosing nodes, and acting on them. What is needed least stands last."""

SCRUB = Hint("through time", NODES[0].strokes[:2])
"""What the arrows do while the timeline has the focus."""

QUIET: tuple[Stroke, ...] = (
    Stroke(
        "g",
        "g",
        "app.name_run",
        "Name this run: the line for a shell that gives it again, to be copied.",
    ),
    Stroke(
        "n",
        "n",
        "point(1)",
        "Point at the next message of the selected node, pause, and offer what can be done to it.",
    ),
    Stroke("N", "N", "point(-1)", "Point at the message before."),
    Stroke(
        "e",
        "e",
        "link",
        "Look at the next link of the selected node, its settings and what was sent over it.",
    ),
    Stroke(
        "y", "y", "legend", "Go to the legend and back; there the arrows and space mute types of messages."
    ),
    Stroke(
        "a", "a", "order", "Let the nodes stand otherwise: the network, or a field by number or by links."
    ),
    Stroke("shift+tab", "shift+tab", "select(-1)", "Select the node before."),
    Stroke(
        "[",
        "left_square_bracket",
        "notable(-1)",
        "Back to the last mark on the timeline: a command, a crash, a node lost, or all knowing.",
    ),
    Stroke("]", "right_square_bracket", "notable(1)", "On to the next mark on the timeline."),
    Stroke("o", "o", "other", "Show the other future, after you have acted on the past."),
    Stroke("c", "c", "app.compare", "Compare two futures: where they part, and their figures side by side."),
    Stroke("F2", "f2", "app.home", "Home: start another lab, open an experiment or a recording."),
    Stroke("home", "home", "begin", "Look at the very beginning."),
    Stroke(
        "w",
        "w",
        "tree",
        "Who told whom: the way of the rumor to every node, as lines on the stage, and back.",
    ),
    Stroke(
        "R",
        "R",
        "restart",
        "Restart the node that its own protocol stopped: it rejoins and remembers nothing.",
    ),
    Stroke("E", "E", "app.edit", "Open that protocol's file in $EDITOR, at the line where it failed."),
    Stroke("esc", "escape", "clear", "Take all marks away, close a message and go on, leave the timeline."),
)
"""Keys that the key bar has no room for."""


def strokes() -> tuple[Stroke, ...]:
    """All keys, in the order of the help."""
    return tuple(stroke for hint in (*TIME, *NODES) for stroke in hint.strokes) + QUIET


def bindings() -> list[BindingType]:
    """All keys, for a screen."""
    return [Binding(each.key, each.action, each.doc, key_display=each.cap, show=False) for each in strokes()]
