"""Commands that would change nothing, and why: said to a person before the lab gets them.

The lab itself takes such commands and does nothing, as schedules need it. Imports commands and world.
"""

from gossiplab.commands import AnyCommand, Cut, Heal, Inject, Kill, Leave, Partition, Rejoin, Shape
from gossiplab.nodeset import format_nodes
from gossiplab.world.world import ALIVE, CRASHED, DEAD, LEFT, World

_STATE = {ALIVE: "up", DEAD: "dead", LEFT: "away", CRASHED: "crashed"}


def why_idle(command: AnyCommand, world: World) -> str | None:
    """One sentence that says why `command` would change nothing in `world`; None when it would."""
    nodes = world.nodes
    match command:
        case Kill(which) | Leave(which):
            if not any(nodes[id].status == ALIVE for id in which):
                return f"{_say(which, world)} already: press r to let {_them(which)} rejoin."
        case Rejoin(which, _):
            if all(nodes[id].status == ALIVE for id in which):
                return f"{_say(which, world)}: only nodes that are down can rejoin."
        case Inject(which):
            if nodes[which].status != ALIVE:
                return f"{_say((which,), world)}: press r to let it rejoin before you tell it a rumor."
        case Partition(which, others):
            if others is None and len(which) == len(nodes):
                return "all nodes are on one side of this partition: leave some out."
        case Heal():
            if not world.cuts:
                return "nothing is cut: there is nothing to heal."
        case Cut() | Shape():
            pass
    return None


def _say(which: tuple[int, ...], world: World) -> str:
    """Name the nodes and their state: "n3 is dead", "n1, n2 are down"."""
    states = {_STATE[world.nodes[id].status] for id in which}
    state = states.pop() if len(states) == 1 else "down"
    return f"{format_nodes(which)} {'is' if len(which) == 1 else 'are'} {state}"


def _them(which: tuple[int, ...]) -> str:
    return "it" if len(which) == 1 else "them"
