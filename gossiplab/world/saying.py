"""An event in words: one line that a person understands. Imports events and text.

Everything that comes from a recording passes `visible`, so a line can go to a terminal as it is.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from gossiplab.events import (
    Answered,
    AnyEvent,
    Began,
    Believed,
    Calmed,
    Commanded,
    Compared,
    Crashed,
    Delayed,
    Delivered,
    Departed,
    Dropped,
    Duplicated,
    Emptied,
    Ended,
    Event,
    Healed,
    Held,
    Injected,
    Kept,
    Killed,
    Learned,
    Listed,
    Paused,
    Placed,
    Refused,
    Rejoined,
    Repaired,
    Repairing,
    Requested,
    Resumed,
    Retired,
    Seeded,
    Sent,
    Severed,
    Shaped,
    Shown,
    Skewed,
    Stored,
    Versioned,
    Wired,
)  # fmt: skip
from gossiplab.nodeset import format_nodes
from gossiplab.text import visible

_KIND, _NAME, _LONG = 30, 60, 160  # characters at most of a message's type, of a name, of whatever is longer

KINDS: dict[type[Event], str] = {
    Sent: "sent", Delivered: "delivered", Dropped: "dropped", Duplicated: "duplicated", Learned: "learned",
    Retired: "retired", Shown: "shown", Injected: "injected", Commanded: "command", Killed: "killed", Departed: "left",
    Crashed: "crashed", Believed: "believed", Listed: "listed", Kept: "kept", Rejoined: "rejoined", Severed: "severed", Healed: "healed", Shaped: "shaped", Wired: "wired",
    Paused: "paused", Resumed: "resumed", Skewed: "skewed", Began: "began", Calmed: "calmed", Held: "held",
    Delayed: "delayed", Ended: "ended", Seeded: "seeded", Emptied: "emptied", Placed: "placed", Versioned: "version",
    Stored: "stored", Requested: "requested", Answered: "answered", Refused: "refused", Repairing: "repairing",
    Compared: "compared", Repaired: "repaired",
}  # fmt: skip
"""The kinds of events by the names they have in a recording."""


class Way(Protocol):
    """What there is to say of a message: its type, and from whom to whom."""

    @property
    def kind(self) -> str: ...

    @property
    def src(self) -> int: ...

    @property
    def dst(self) -> int: ...


def message_id(event: AnyEvent) -> int | None:
    """The message that an event is about, by its number; None when it is about none."""
    match event:
        case Sent(id=id) | Duplicated(id=id) | Delayed(id=id) | Delivered(id=id) | Dropped(id=id):
            return id
        case Learned(by=by) | Stored(by=by) | Compared(by=by):
            return by
        case _:
            return None


def note(event: AnyEvent, messages: dict[int, Sent]) -> None:
    """Keep what a later event about the same message needs: `messages` has every message's sending by its number."""
    if isinstance(event, Sent):
        messages[event.id] = event
    elif isinstance(event, Duplicated) and event.of in messages:
        messages[event.id] = messages[event.of]


def about(event: AnyEvent, messages: Mapping[int, Sent]) -> Sent | None:
    """The sending of the message that an event is about, if it is known."""
    if isinstance(event, Sent):
        return event
    id = message_id(event)
    return None if id is None else messages.get(id)


def say_event(event: AnyEvent, message: Way | None = None) -> str:
    """What happened, without the instant, at most some hundred characters, none of which a terminal obeys.

    message: the message that the event is about (`about`), without which only its number is said.
    """
    return _SAY[event.__class__](event, message)


def _way(event: Any, message: Way | None) -> str:
    """A message and its way: "Push from n1 to n2"."""
    if message is None:
        return f"message {event.id}"
    return f"{visible(message.kind, _KIND)} from n{message.src} to n{message.dst}"


def _number(event: Any, message: Way | None) -> str:
    return "" if message is None else f" (message {event.id})"


def _rumors(carries: tuple[int, ...]) -> str:
    if not carries:
        return ""
    some = ", ".join(map(str, carries[:5])) + (" ..." if len(carries) > 5 else "")
    return f", with rumor{'s' if len(carries) > 1 else ''} {some}"


def _sent(event: Sent, _: Way | None) -> str:
    return (
        f"n{event.src} sends {visible(event.kind, _KIND)} to n{event.dst}"
        f"{_rumors(event.carries)} (message {event.id}, {event.size:,} B)"
    )


def _delivered(event: Delivered, message: Way | None) -> str:
    if message is None:
        return f"message {event.id} arrives"
    return f"n{message.dst} gets {visible(message.kind, _KIND)} from n{message.src} (message {event.id})"


def _believed(event: Believed, _: Way | None) -> str:
    return f"n{event.node} takes n{event.about} for {visible(event.state, _KIND)} (incarnation {event.incarnation})"


def _listed(event: Listed, _: Way | None) -> str:
    about = visible(event.about, _NAME)
    return f"n{event.node} takes {about} for {visible(event.state, _KIND)} (incarnation {event.incarnation})"


def _kept(event: Kept, _: Way | None) -> str:
    return f"n{event.node} keeps {visible(format_nodes(event.peers), _NAME)} in its {event.view} view"


_WHY = {"loss": "lost on its way", "cut": "cut off", "down": "nobody is there", "command": "by command"}


def _dropped(event: Dropped, message: Way | None) -> str:
    why = _WHY.get(event.why) or visible(event.why, _NAME)
    return f"{_way(event, message)} does not arrive: {why}{_number(event, message)}"


def _duplicated(event: Duplicated, message: Way | None) -> str:
    return f"{_way(event, message)} has a second copy (message {event.id} of {event.of})"


def _learned(event: Learned, message: Way | None) -> str:
    if event.by is None:
        return f"n{event.node} knows rumor {event.rumor}"
    source = f"message {event.by}" if message is None else f"n{message.src} (message {event.by})"
    return f"n{event.node} hears rumor {event.rumor} from {source}"


def _shown(event: Shown, _: Way | None) -> str:
    value = bytes(event.value)[: 4 * _LONG].decode("utf-8", "replace")
    return f"n{event.node} shows {visible(event.name, _NAME)}: {visible(value, _LONG)}"


def _crashed(event: Crashed, _: Way | None) -> str:
    where = f"{visible(event.file, _NAME)}, line {event.line}"
    return f"n{event.node} crashes in {where}: {visible(event.error, _LONG)}"


def _severed(event: Severed, _: Way | None) -> str:
    a, b = visible(event.a, _NAME), visible(event.b, _NAME)
    return f"{a} and {b} are cut off from one another" if event.both else f"nothing gets from {a} to {b}"


def _held(event: Held, _: Way | None) -> str:
    return (
        "no messages are held any more"
        if event.nodes == "none"
        else f"messages to {visible(event.nodes, _NAME)} wait"
    )


def _delayed(event: Delayed, message: Way | None) -> str:
    return f"{_way(event, message)} is delayed to {event.due:.3f} s{_number(event, message)}"


def _skewed(event: Skewed, _: Way | None) -> str:
    return f"the clock of n{event.node} is {event.offset:+g} s off and runs at {event.rate:g}x"


def _shaped(event: Shaped, _: Way | None) -> str:
    settings = visible(" ".join([each[:_NAME] for each in event.settings[:10]]), _LONG)
    a, b = visible(event.a, _NAME), visible(event.b, _NAME)
    return f"the links {'between' if event.both else 'from'} {a} {'and' if event.both else 'to'} {b} have {settings}"


def _wired(event: Wired, _: Way | None) -> str:
    return (
        "everybody is linked with everybody"
        if event.edges is None
        else f"there are {len(event.edges):,} links"
    )


def _placed(event: Placed, _: Way | None) -> str:
    return f"{visible(event.key, _NAME)} belongs on {visible(format_nodes(event.nodes), _NAME)}"


def _versioned(event: Versioned, _: Way | None) -> str:
    what = "a deletion" if event.value is None else visible(event.value, _NAME)
    over = f", over {visible(' '.join(event.over[:5]), _NAME)}" if event.over else ""
    return f"version {visible(event.name, _NAME)} of {visible(event.key, _NAME)} is {what}{over}"


def _stored(event: Stored, message: Way | None) -> str:
    what = visible(" ".join(event.versions[:5]), _NAME) or "nothing"
    source = "" if message is None else f", from n{message.src} (message {event.by})"
    return f"n{event.node} holds {what} of {visible(event.key, _NAME)}{source}"


def _requested(event: Requested, _: Way | None) -> str:
    value = "" if event.value is None else f": {visible(event.value, _NAME)}"
    return f"request {event.id}: {event.what} {visible(event.key, _NAME)} at n{event.node}{value}"


def _answered(event: Answered, _: Way | None) -> str:
    what = visible(" ".join(event.versions[:5]), _NAME)
    return f"request {event.id} is answered{f': {what}' if what else ''}"


def _compared(event: Compared, message: Way | None) -> str:
    where = "" if event.level < 0 else f": {len(event.differing)} differ at level {event.level}"
    keys = f", {event.keys} keys" if event.keys else ""
    return f"n{event.node} goes on with repair {event.id}{where}{keys}"


_SAY: dict[type[Event], Callable[[Any, Way | None], str]] = {
    Sent: _sent, Delivered: _delivered, Dropped: _dropped, Duplicated: _duplicated, Learned: _learned,
    Retired: lambda event, _: f"n{event.node} loses interest in rumor {event.rumor}",
    Shown: _shown,
    Injected: lambda event, _: f"rumor {event.rumor} begins at n{event.node}",
    Commanded: lambda event, _: f"command: {visible(event.command, _LONG)}",
    Killed: lambda event, _: f"n{event.node} is killed",
    Departed: lambda event, _: f"n{event.node} leaves",
    Rejoined: lambda event, _: f"n{event.node} is back{', and remembers nothing' if event.fresh else ''}",
    Crashed: _crashed, Believed: _believed, Listed: _listed, Kept: _kept, Severed: _severed,
    Healed: lambda event, _: "all cuts are mended",
    Shaped: _shaped, Wired: _wired, Held: _held, Delayed: _delayed, Skewed: _skewed,
    Paused: lambda event, _: f"n{event.node} is paused",
    Resumed: lambda event, _: f"n{event.node} goes on",
    Began: lambda event, _: f"a fault begins: {visible(event.fault, _LONG)}",
    Calmed: lambda event, _: f"a fault is over: {visible(event.fault, _LONG)}",
    Ended: lambda event, _: f"the run is over: {visible(event.why, _NAME)}",
    Seeded: lambda event, _: f"n{event.node} holds {event.keys:,} keys",
    Emptied: lambda event, _: f"n{event.node} holds nothing any more",
    Placed: _placed, Versioned: _versioned, Stored: _stored, Requested: _requested, Answered: _answered,
    Refused: lambda event, _: f"request {event.id} has failed: {visible(event.why, _LONG)}",
    Repairing: lambda event, _: f"n{event.a} begins repair {event.id} with n{event.b}",
    Compared: _compared,
    Repaired: lambda event, _: f"repair {event.id} is over: {event.differing} keys differed",
}  # fmt: skip
