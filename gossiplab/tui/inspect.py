"""Details of a node, a link or a message, as lines for the panel. Imports world, recent and selection."""

from collections.abc import Iterable
from reprlib import Repr

from textual.content import Content

from gossiplab.errors import UserError
from gossiplab.events import Delivered, Dropped, Header, Sent
from gossiplab.experiment import Value
from gossiplab.link import Link, parse_settings
from gossiplab.nodeset import parse_nodes
from gossiplab.text import visible
from gossiplab.tui.chronicle import Entry
from gossiplab.world.parts import CRASHED, DEAD, LEFT, PAUSED
from gossiplab.world.provenance import Chain, chain_to
from gossiplab.world.saying import say_event
from gossiplab.world.world import World

LINE = 28  # cells of a line
_STATUS = {PAUSED: "paused", DEAD: "dead", LEFT: "away: it left", CRASHED: "crashed"}
_MOST_RUMORS = 6
_MOST_SHOWN = 12
_MOST_HOPS, _FEW_HOPS = 8, 4  # lines for the way of the newest rumor, and of others
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = LINE
_BODY = 4 * LINE  # characters of a message's body


def title(text: str) -> Content:
    """A heading."""
    return Content.styled(text, "bold")


def node_lines(header: Header, world: World, id: int, entries: Iterable[Entry]) -> list[Content]:
    """A node: its state, what it knows, what its protocol shows, its parameters, and what happened to it last."""
    node = world.nodes[id]
    status = _STATUS.get(node.status, "up") + (f" since {node.since:.2f} s" if node.since else "")
    lines = [title(f"n{id}"), Content(status), Content(f"sent {node.sent:,}, received {node.received:,}")]
    if id in world.clocks:
        clock = world.clocks[id]
        lines.append(Content(f"its clock: {clock.ahead(world.t):+.3f} s, {clock.rate:g}x"))
    if node.lives > 1:
        lines.append(Content(f"started {node.lives} times"))
    lines += _incarnation(world, id)
    for rumor in range(len(world.rumors))[-_MOST_RUMORS:]:
        lines += [Content(), *_rumor(world, id, rumor)]
    if node.shown:
        lines += [Content(), title("it shows")]
        shown = list(node.shown.items())[-_MOST_SHOWN:]
        lines += [Content(visible(f"{name[:LINE]}: {_short(value)}", LINE)) for name, value in shown]
    if header.experiment.params:
        lines += [Content(), Content.styled(_params(header.experiment.params), "$text-muted")]
    return [*lines, *_last(entries, f"n{id} ")]


def link_lines(header: Header, world: World, a: int, b: int, entries: Iterable[Entry]) -> list[Content]:
    """A link: whether it is cut, its settings, what is under way on it, and what happened there last."""
    lines = [title(f"n{a} – n{b}")]
    there, back = world.cut(a, b), world.cut(b, a)
    if there and back:
        lines.append(Content("cut: nothing gets through"))
    elif there or back:
        lines.append(Content(f"cut from n{a if there else b} to n{b if there else a}"))
    flights = [(flight.src, flight.dst) for flight in world.flights.values()]
    for src, dst in ((a, b), (b, a)):
        lines.append(Content(f"under way to n{dst}: {flights.count((src, dst))}"))
    settings = {(a, b): _settings(header, world, a, b), (b, a): _settings(header, world, b, a)}
    if settings[a, b] == settings[b, a]:
        lines += [Content(visible(each, LINE)) for each in settings[a, b]]
    else:
        for (_, dst), each in settings.items():
            lines += [title(f"to n{dst}"), *[Content(visible(one, LINE)) for one in each]]
    return [*lines, *_last(entries, "")]


def message_lines(
    world: World, t: float, id: int, message: Sent | None, entries: list[Entry]
) -> list[Content]:
    """A message: what it is, where it is at the instant `t`, what it says, and what happened to it.

    message: its sending, if known.
    """
    lines = [title(f"message {id}")]
    if message is None:
        return [*lines, Content("nothing is known of it at this instant"), *_last(entries, "")]
    carries = ", ".join(map(str, message.carries[:6])) or "no rumor"
    lines += [
        Content(visible(message.kind, LINE)),
        Content(f"from n{message.src} to n{message.dst}"),
        Content(f"{message.size:,} B, carries {carries}"),
        Content(f"sent at {message.t:.3f} s"),
        Content(_whereabouts(world, t, id, message, entries)),
    ]
    body = bytes(message.body)[: 4 * _BODY].decode("utf-8", "replace")
    lines += [Content(), title("it says"), Content(visible(body, _BODY))]
    return [*lines, *_last(entries, "")]


def arrival(world: World, t: float, flight: Sent) -> str:
    """When a message in flight arrives, or since when it is held at the instant `t`, or waits for a paused node."""
    if flight.due < t and flight.dst in parse_nodes(world.held, len(world.nodes)):
        return f"held since {flight.due:.3f} s"
    if flight.due < t and world.nodes[flight.dst].status == PAUSED:
        return f"waiting since {flight.due:.3f} s"
    return f"arrives at {flight.due:.3f} s"


def param_text(value: Value) -> str:
    """A parameter's value as people write it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _short(value: object) -> str:
    """The beginning of whatever a protocol shows, without spelling out megabytes first."""
    return value[:LINE] if isinstance(value, str) else _SHORT.repr(value)


def _whereabouts(world: World, t: float, id: int, message: Sent, entries: list[Entry]) -> str:
    if world.t < message.t:
        return "not sent yet"
    if flight := world.flights.get(id):
        return f"under way, {arrival(world, t, flight)}"
    for _, event, _ in entries:
        if isinstance(event, Delivered) and event.id == id:
            return f"arrived at {event.t:.3f} s"
        if isinstance(event, Dropped) and event.id == id:
            return f"lost at {event.t:.3f} s: {visible(event.why, 10)}"
    return "not under way any more"


def _incarnation(world: World, id: int) -> list[Content]:
    """A member's own incarnation, unless its protocol shows it anyway."""
    beliefs = world.membership.beliefs
    if not beliefs or not beliefs[id].states or "incarnation" in world.nodes[id].shown:
        return []
    return [Content(f"incarnation {beliefs[id].incarnation_of(id)}")]


def _rumor(world: World, id: int, number: int) -> list[Content]:
    """How a node came to know a rumor: from whom, and they from whom, back to the source."""
    rumor = world.rumors[number]
    arrival = rumor.arrivals.get(id)
    head = title(f"rumor {number}" if len(world.rumors) > 1 else "the rumor")
    if arrival is None:
        return [head, Content("forgotten" if id in rumor.forgotten else "not heard yet")]
    if arrival.message is None:
        lines = [head, Content("its source")]
    else:
        sender = "a message" if arrival.sender is None else f"n{arrival.sender}"
        lines = [head, Content(f"heard from {sender}")]
    lines.append(Content(f"at {arrival.t:.3f} s{_cycles(world, rumor.t, arrival.t)}"))
    chain = chain_to(rumor, id)
    if chain.length > 1:  # else all is said
        lines.append(Content(f"{chain.length} hops:"))
        lines += _chain(chain, _MOST_HOPS if number == len(world.rumors) - 1 else _FEW_HOPS)
    if id in rumor.retired:
        lines.append(Content(f"silent since {rumor.retired[id]:.3f} s"))
    return lines


def _chain(chain: Chain, most: int) -> list[Content]:
    """A line for each node on the way back to the source; of a long way its two ends."""
    lines: list[Content] = []
    for place, hop in enumerate(chain.hops):
        if len(chain.hops) > most and place == most - 2:
            lines.append(Content.styled(f"  ... {len(chain.hops) - most + 1} more", "$text-muted"))
        if place < most - 2 or place == len(chain.hops) - 1 or len(chain.hops) <= most:
            name = f"{'<-' if place else '  '} n{hop.node}"
            by = "" if hop.message is None else f"  m{hop.message}"
            lines.append(Content(f"{name:<9}{hop.t:>8.3f} s{by}"))
    if chain.whole:
        lines[-1] += Content("  source")
    elif chain.hops[-1].sender is not None:
        lines.append(Content(f"<- n{chain.hops[-1].sender}, which is not known"))
    return lines


def _cycles(world: World, start: float, t: float) -> str:
    return f", cycle {world.cycle.count(start, t)}" if world.cycle else ""


def _params(params: dict[str, Value]) -> str:
    return visible(
        ", ".join(f"{name[:LINE]} {param_text(value)[:LINE]}" for name, value in params.items()), 8 * LINE
    )


def _settings(header: Header, world: World, a: int, b: int) -> list[str]:
    """What is in force from `a` to `b`: the last shape that names the link, or the experiment's own."""
    link, n = header.experiment.link, len(world.nodes)
    for shape in reversed(world.shapes):
        first, second = parse_nodes(shape.a, n), parse_nodes(shape.b, n)
        if (a in first and b in second) or (shape.both and a in second and b in first):
            try:
                link = parse_settings(shape.settings, link)
            except UserError:  # a recording may say anything
                return [each[:LINE] for each in shape.settings[:6]]
            break
    numbers = [
        f"{name} {getattr(link, name):g}" for name in Link.__struct_fields__[1:] if getattr(link, name)
    ]
    return [f"latency {link.latency} s", *numbers]


def _last(entries: Iterable[Entry], subject: str) -> list[Content]:
    """The last events, newest first, without the words that are in the title anyway."""
    said = [
        Content.assemble(
            (f"{event.t:.3f} ", "$text-muted"), _cut(say_event(event, message).removeprefix(subject))
        )
        for _, event, message in reversed(list(entries))
    ]
    return [Content(), title("last"), *said] if said else []


def _cut(text: str) -> str:
    return text if len(text) <= 2 * LINE - 8 else f"{text[: 2 * LINE - 9]}…"
