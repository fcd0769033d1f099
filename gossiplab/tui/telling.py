"""One event in words: what happened, and what that has to do with the rest. Imports events, history and causality."""

from gossiplab.events import (
    Believed,
    Crashed,
    Departed,
    Injected,
    Killed,
    Learned,
    Listed,
    Rejoined,
    Retired,
    Shown,
)
from gossiplab.text import visible
from gossiplab.world.causality import Cone
from gossiplab.world.history import History, Step

_LONGEST = 24  # characters of a name or a value that a protocol chose


def tell(step: Step, cone: Cone | None, history: History, growing: bool, width: int) -> str:
    """A line of at most `width` characters about a chosen step. growing: whether more may come."""
    said = f"n{step.node} {what(step)} at {step.t:.3f} s"
    if cone is None:
        counts = "too much has happened since to say what came of it"
    else:
        # what is older than the history was not counted, and what has not happened yet cannot be
        older, newer = "+" if history.first else "", "+" if growing else ""
        counts = f"{cone.before:,}{older} before, {cone.after:,}{newer} after, {cone.concurrent:,} concurrent"
    return f"{visible(said, max(1, width - len(counts) - 2))}: {counts}"


def what(step: Step) -> str:
    """What happened at a node, from its own view."""
    event, message = step.event, step.message
    if message is not None:
        kind = visible(message.kind, _LONGEST)
        if message.got == step.number:
            return f"heard {kind} m{message.id} from n{message.src}"
        lost = (
            f", lost ({visible(message.fate, _LONGEST)})"
            if message.end is not None and message.got < 0
            else ""
        )
        return f"sent {kind} m{message.id} to n{message.dst}{lost}"
    match event:
        case Learned():
            return f"learned rumor {event.rumor}" + ("" if event.by is None else f" from m{event.by}")
        case Injected():
            return f"was told rumor {event.rumor}, as its source,"
        case Retired():
            return f"fell silent about rumor {event.rumor}"
        case Shown():
            value = visible(bytes(event.value).decode("utf-8", "replace"), _LONGEST)
            return f"showed {visible(event.name, _LONGEST)}: {value}"
        case Believed():
            return f"took n{event.about} for {visible(event.state, _LONGEST)}"
        case Listed():
            return f"took {visible(event.about, _LONGEST)} for {visible(event.state, _LONGEST)}"
        case Killed():
            return "was killed"
        case Departed():
            return "left"
        case Crashed():
            return f"crashed ({visible(event.error, _LONGEST)})"
        case Rejoined():
            return "rejoined, remembering nothing," if event.fresh else "rejoined"
        case _:
            return visible(type(event).__name__, _LONGEST).lower()
