"""Commands that would change nothing, and why: said to a person before the lab gets them.

The lab itself takes such commands and does nothing, as schedules need it. Imports commands, link and world.
"""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from gossiplab.commands import (
    AnyCommand,
    Backup,
    Calm,
    Command,
    Corrupt,
    Cut,
    Delay,
    Delete,
    Drop,
    Duplicate,
    Flap,
    Heal,
    Hold,
    Inject,
    Kill,
    Leave,
    Partition,
    Pause,
    Read,
    Rejoin,
    Release,
    Resume,
    Shape,
    Skew,
    Wipe,
    Write,
)  # fmt: skip
from gossiplab.errors import UserError
from gossiplab.link import Link, parse_settings
from gossiplab.nodeset import format_nodes, parse_nodes
from gossiplab.world.parts import ALIVE, CRASHED, DEAD, LEFT, PAUSED
from gossiplab.world.world import World

_STATE = {ALIVE: "up", PAUSED: "paused", DEAD: "dead", LEFT: "away", CRASHED: "crashed"}
_MOST_ASKED = 1000  # nodes of whom each is looked at
_NOBODY = "these are no nodes at all: name some."


_Links = tuple[frozenset[int], frozenset[int]]
"""All links from a set of nodes to a set of nodes."""


def why_idle(command: AnyCommand, world: World, link: Link) -> str | None:
    """One sentence that says why `command` would change nothing in `world`; None when it would.

    link: how the experiment has the links.
    """
    if isinstance(command, Shape):
        return _shape(command, world, link)
    why = _REASONS.get(type(command))
    return why(command, world) if why else None


def spared(command: AnyCommand, world: World, link: Link) -> list[int]:
    """Those of a command's nodes for whom alone it would change nothing, where it does something for others."""
    if not isinstance(command, Kill | Leave | Pause | Resume | Rejoin) or len(command.nodes) > _MOST_ASKED:
        return []
    return [node for node in command.nodes if why_idle(replace(command, nodes=(node,)), world, link)]


def _kill(command: Kill, world: World) -> str | None:
    which = command.nodes
    if not any(world.nodes[id].up for id in which):
        return f"{_say(which, world)} already: press r to let {_them(which)} rejoin." if which else _NOBODY
    return None


def _leave(command: Leave, world: World) -> str | None:
    which = command.nodes
    if any(world.nodes[id].status == ALIVE for id in which):
        return None
    if any(world.nodes[id].status == PAUSED for id in which):
        return f"{_say(which, world)}: a frozen node cannot say goodbye, write resume {format_nodes(which)} first."
    return _kill(Kill(which), world)


def _rejoin(command: Rejoin, world: World) -> str | None:
    if all(world.nodes[id].up for id in command.nodes):
        return f"{_say(command.nodes, world)}: only nodes that are down can rejoin."
    return None


def _pause(command: Pause, world: World) -> str | None:
    which = command.nodes
    if any(world.nodes[id].status == ALIVE for id in which):
        return None
    if any(world.nodes[id].status == PAUSED for id in which):
        return (
            f"{_say(which, world)} already: write resume {format_nodes(which)} to let {_them(which)} go on."
        )
    return f"{_say(which, world)}: only a node that is up can be paused." if which else _NOBODY


def _resume(command: Resume, world: World) -> str | None:
    if any(world.nodes[id].status == PAUSED for id in command.nodes):
        return None
    return f"{_say(command.nodes, world)}: only paused nodes can be resumed."


def _inject(command: Inject, world: World) -> str | None:
    status, which = world.nodes[command.node].status, (command.node,)
    if status == PAUSED:
        return f"{_say(which, world)}: write resume n{command.node} before you tell it a rumor."
    if status != ALIVE:
        return f"{_say(which, world)}: press r to let it rejoin before you tell it a rumor."
    return None


def _partition(command: Partition, world: World) -> str | None:
    if command.others is None and len(command.nodes) == len(world.nodes):
        return "all nodes are on one side of this partition: leave some out."
    if not command.nodes or command.others == ():
        return "nobody is on one side of this partition: name some nodes."
    total = len(world.nodes)
    others = command.others if command.others is not None else set(range(total)) - set(command.nodes)
    return _already_cut(command.nodes, others, True, world)


def _cut(command: Cut, world: World) -> str | None:
    if not command.nodes or not command.others:
        return "nobody is at one end of this cut: name some nodes."
    return _already_cut(command.nodes, command.others, False, world)


def _already_cut(nodes: Iterable[int], others: Iterable[int], both: bool, world: World) -> str | None:
    """Whether all of this is cut already; both: in both directions."""
    left = _links(nodes, others, both)
    for cut in world.cuts:
        for links in _links(
            parse_nodes(cut.a, len(world.nodes)), parse_nodes(cut.b, len(world.nodes)), cut.both
        ):
            left = _without(left, links)
    return None if left else "this is cut already: heal mends it."


def _heal(command: Heal, world: World) -> str | None:
    return None if world.cuts else "nothing is cut: there is nothing to heal."


def _shape(command: Shape, world: World, link: Link) -> str | None:
    if not command.nodes or not command.others:
        return "nobody is at one end of these links: name some nodes."
    left = _links(command.nodes, command.others, not command.one_way)
    if not left:
        return "no link leads from a node to itself: name two nodes."
    wanted = parse_settings(command.settings, link)
    for shape in reversed(world.shapes):  # the last that names a link is in force
        a, b = parse_nodes(shape.a, len(world.nodes)), parse_nodes(shape.b, len(world.nodes))
        for links in _links(a, b, shape.both):
            rest = _without(left, links)
            if rest is not left and not _says(shape.settings, wanted, link):
                return None
            left = rest
    if left and wanted != link:
        return None
    setting = "" if command.settings else ", as loss=0.3"
    return f"these links are so already: name a setting to change{setting}."


def _says(settings: tuple[str, ...], wanted: Link, link: Link) -> bool:
    """Whether settings over the experiment's own `link` make it the one that is wanted."""
    try:
        return parse_settings(settings, link) == wanted
    except UserError:  # a recording may say anything
        return False


def _links(a: Iterable[int], b: Iterable[int], both: bool) -> list[_Links]:
    """The links from `a` to `b`, and with `both` those back, but for a node's to itself."""
    one, other = frozenset(a), frozenset(b)
    return [links for links in ((one, other), (other, one))[: 1 + both] if _some(links)]


def _without(left: list[_Links], links: _Links) -> list[_Links]:
    """`left` itself when none of it is among `links`."""
    a, b = links
    if not any(_some((c & a, d & b)) for c, d in left):
        return left
    return [rest for c, d in left for rest in ((c - a, d), (c & a, d - b)) if _some(rest)]


def _some(links: _Links) -> bool:
    a, b = links
    return bool(a and b) and (len(a) > 1 or a != b)


def _skew(command: Skew, world: World) -> str | None:
    if not command.nodes:
        return _NOBODY
    clocks = [world.clocks.get(id) for id in command.nodes]
    if command.offset == 0:
        return f"by 0 s no clock changes: write skew {format_nodes(command.nodes)} +0.5."
    if command.offset is None and command.rate is None and not any(clocks):
        return f"the clock of {format_nodes(command.nodes)} is right: write skew {format_nodes(command.nodes)} 1.05."
    if command.rate is not None and all((clock.rate if clock else 1) == command.rate for clock in clocks):
        return f"the clock of {format_nodes(command.nodes)} runs at that rate already: write another."
    return None


def _flap(command: Flap, world: World) -> str | None:
    return None if command.nodes else _NOBODY


def _calm(command: Calm, world: World) -> str | None:
    return None if world.unrest else "nothing flaps and there is no churn: it is calm."


def _message(command: Drop | Delay | Duplicate, world: World) -> str | None:
    id = command.message
    if id in world.flights:
        return None
    if id >= world.sent + world.duplicated:
        return f"there is no message m{id} yet: choose one that is in flight."
    return f"m{id} is not in flight any more, it has arrived or was lost: choose one that is in flight."


def _hold(command: Hold, world: World) -> str | None:
    held = set(parse_nodes(world.held, len(world.nodes)))
    which = range(len(world.nodes)) if command.nodes is None else command.nodes
    if not which:
        return _NOBODY
    return (
        "these messages are held already: write release to let them arrive."
        if held.issuperset(which)
        else None
    )


def _release(command: Release, world: World) -> str | None:
    held = set(parse_nodes(world.held, len(world.nodes)))
    if not held:
        return "no messages are held: there is nothing to release."
    if command.nodes is not None and held.isdisjoint(command.nodes):
        return f"messages to {format_nodes(command.nodes)} are not held: those to {format_nodes(held)} are."
    return None


def _request(command: Write | Delete | Read, world: World) -> str | None:
    which = (command.node,)
    status = world.nodes[command.node].status
    if status == ALIVE:
        return None
    remedy = f"write resume n{command.node}" if status == PAUSED else "press r to let it rejoin"
    return f"{_say(which, world)} and answers no client: {remedy} first."


def _disk(command: Wipe | Backup | Corrupt, world: World) -> str | None:
    if not command.nodes:
        return _NOBODY
    replicas = world.replicas
    if replicas and any(
        replicas.seeded[id] or any(replicas.held(id, name) for name in replicas.keys) for id in command.nodes
    ):
        return None
    return f"there is nothing on the disk of {format_nodes(command.nodes)}: write a key first."


_REASONS: dict[type[Command], Callable[[Any, World], str | None]] = {
    Kill: _kill, Leave: _leave, Rejoin: _rejoin, Pause: _pause, Resume: _resume, Inject: _inject,
    Partition: _partition, Cut: _cut, Heal: _heal, Skew: _skew, Flap: _flap, Calm: _calm,
    Drop: _message, Delay: _message, Duplicate: _message, Hold: _hold, Release: _release,
    Write: _request, Delete: _request, Read: _request, Wipe: _disk, Backup: _disk, Corrupt: _disk,
}  # fmt: skip


def _say(which: tuple[int, ...], world: World) -> str:
    """Name the nodes and their state: "n3 is dead", "n1, n2 are down"."""
    states = {_STATE[world.nodes[id].status] for id in which}
    living = states & {"up", "paused"}
    mixed = "up or down" if living and living < states else "up or paused" if living else "down"
    state = states.pop() if len(states) == 1 else mixed
    return f"{format_nodes(which)} {'is' if len(which) == 1 else 'are'} {state}"


def _them(which: tuple[int, ...]) -> str:
    return "it" if len(which) == 1 else "them"
