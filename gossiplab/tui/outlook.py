"""What a command would do, said before anybody gives it. Imports session, idle, commands and world.

The palette, the form for faults and whoever else shows commands to choose from ask here, so that all of them say
the same. Nothing here changes anything.
"""

from typing import Literal, NamedTuple

from gossiplab.commands import AnyCommand, Cut, Inject, Partition, Read, Shape, Skew, parse_command
from gossiplab.errors import GossiplabError
from gossiplab.nodeset import format_nodes
from gossiplab.plan import check_command
from gossiplab.text import visible
from gossiplab.tui.idle import spared, why_idle
from gossiplab.tui.selection import PickedLink, PickedMessage, Selection
from gossiplab.tui.session import Session
from gossiplab.world.parts import ALIVE
from gossiplab.world.world import World

_LONGEST = 300  # characters of a sentence
_ON_NODES = ("kill", "rejoin", "leave", "pause", "resume")
_ON_KEYS = ("write", "delete", "read")
_ON_DISKS = ("wipe", "backup", "restore", "corrupt")
_ON_MESSAGE = ("drop", "delay", "duplicate")
_ALONE = {"heal": "heal", "calm": "calm", "churn": "churn 0.5"}
_BEGUN = {
    "inject": "inject {first}", "cut": "cut {who} to all but {who}", "link": "link {who} all loss=0.3",
    "skew": "skew {who} 1.05", "flap": "flap {who} up=2 down=2", "write": "write {first} {key} hello",
    "delete": "delete {first} {key}", "read": "read {first} {key}", "corrupt": "corrupt {who} 1",
}  # fmt: skip


class Target(NamedTuple):
    """What a command would be about: the marked nodes or the selected one, what else is looked at, and a key."""

    nodes: tuple[int, ...] = ()
    picked: Selection | None = None
    key: str = "k0"


class Outlook(NamedTuple):
    """What comes of a command. how: whether it does something, changes nothing, or cannot be given; text: a sentence."""

    how: Literal["does", "idle", "wrong"]
    text: str


def begun(verb: str, target: Target) -> str:
    """How a command of this kind begins for a target; where there is enough to go by, all of it.

    Numbers that nobody has given are there to be changed.
    """
    nodes, picked, key = target
    who = format_nodes(nodes) if nodes else ""
    if verb in _ON_MESSAGE and isinstance(picked, PickedMessage):
        return f"{verb} m{picked.id}{' 1' if verb == 'delay' else ''}"
    if verb == "link" and isinstance(picked, PickedLink):
        return f"link n{picked.a} n{picked.b} loss=0.3"
    if verb in _ALONE:
        return _ALONE[verb]
    if who and verb not in _ON_MESSAGE:
        return _BEGUN.get(verb, "{verb} {who}").format(verb=verb, who=who, first=f"n{nodes[0]}", key=key)
    return verb if verb in ("hold", "release") else f"{verb} "


def why_not(verb: str, session: Session, target: Target) -> str | None:
    """One sentence that says why a command of this kind would change nothing now; None when it may change something.

    Judged is the command as it is begun; without nodes to go by, whether it could change anything about any of them.
    """
    world, n = session.world, session.header.experiment.nodes
    if not n:
        return "this lab has no nodes."
    text = begun(verb, target)
    if text.endswith(" "):
        if verb in _ON_MESSAGE:
            return None if world.flights else "no message is in flight."
        if verb == "inject" or verb in _ON_KEYS:
            command = Inject(0) if verb == "inject" else Read(0, "k0")
            return _meaningless(command, session) or _nobody_up(world)
        if verb not in (*_ON_NODES, *_ON_DISKS):
            return None
        text = f"{verb} all{' 1' if verb == 'corrupt' else ''}"
    try:
        command = parse_command(text, session.roster())
    except GossiplabError:
        return None
    return _meaningless(command, session) or why_idle(command, world, session.header.experiment.link)


def _nobody_up(world: World) -> str | None:
    if any(node.status == ALIVE for node in world.nodes):
        return None
    return "no node is up that could take it: write rejoin or resume first."


def outlook(text: str, session: Session) -> Outlook:
    """What would come of a command as somebody has written it, at the instant in view."""
    try:
        command = parse_command(text, session.roster())
        check_command(command, session.protocol)
    except GossiplabError as error:
        return Outlook("wrong", visible(str(error), _LONGEST))
    link = session.header.experiment.link
    if why := why_idle(command, session.world, link):
        return Outlook("idle", visible(f"this would change nothing: {why}", _LONGEST))
    doc = _skew(command) if isinstance(command, Skew) else command.doc
    # a set that is drawn is drawn by now: the canonical form says whom it has hit
    what = f"{visible(str(command), 120)} ({doc})"
    if idle := spared(command, session.world, link):
        what += f"; nothing changes for {visible(format_nodes(idle), 60)}"
    if not _linked(command, session.world):
        what += "; the topology has no link there, so it is only for what nodes send past their neighbours"
    if session.present:
        return Outlook("does", f"Enter does it now: {what}.")
    return Outlook("does", f"Enter begins another future from {session.t:.3f} s on: {what}.")


def _linked(command: AnyCommand, world: World) -> bool:
    """Whether what is between two sets of nodes has a link of the topology to be about."""
    if world.edges is None or not isinstance(command, Cut | Partition | Shape) or world.overlay:
        return True
    a = set(command.nodes)
    b = set(range(len(world.nodes))) - a if command.others is None else set(command.others)
    return any((one in a and other in b) or (one in b and other in a) for one, other in world.edges)


def _skew(command: Skew) -> str:
    """What a skew does, by its own numbers; what is said of all skews has others."""
    if command.rate is not None:
        return f"let clocks run at {command.rate:g} times the pace"
    if command.offset is not None:
        return f"let clocks jump by {command.offset:+g} s"
    return "let clocks be right again"


def _meaningless(command: AnyCommand, session: Session) -> str | None:
    """Why a command has no meaning under the protocol, if that can be known here."""
    try:
        protocol = session.protocol
    except GossiplabError:
        return None
    try:
        check_command(command, protocol)
    except GossiplabError as error:
        return str(error)
    return None
