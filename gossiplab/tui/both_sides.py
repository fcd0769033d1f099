"""Writes on two sides of a partition at one instant, as commands. Imports sides and view."""

from random import Random

from gossiplab.tui.sides import split
from gossiplab.tui.view import Scene
from gossiplab.world.parts import ALIVE


def concurrent_writes(scene: Scene, key: str, node: int) -> tuple[str, str]:
    """Two writes of one key that cannot know of each other: on two sides of the present cut, else at two random nodes.

    The chosen node is the one of its side.
    """
    world, header = scene.world, scene.session.header
    sides = split(len(world.nodes), world.cuts)
    up = [each for each, state in enumerate(world.nodes) if state.status == ALIVE] or list(
        range(len(world.nodes))
    )
    known = world.replicas.keys.get(key) if world.replicas else None
    homes = [each for each in up if known is None or known.homes is None or each in known.homes]
    count = len(known.versions) + 1 if known else 1
    random = Random(f"{header.experiment.seed}/both/{len(world.deeds)}")
    pairs = sorted(sides.apart) or [(0, 0)]
    pair = next((pair for pair in pairs if sides.of[node] == pair[0]), pairs[0])
    chosen: list[int] = []
    for side in pair:
        here = [each for each in homes if sides.of[each] == side] or [
            each for each in up if sides.of[each] == side
        ]
        here = [each for each in here if each not in chosen] or [
            each for each in range(len(world.nodes)) if each not in chosen
        ]
        chosen.append(node if node in here else random.choice(here))
    words = ("left", "right") if sides.apart else ("one", "other")
    one, other = (f"write n{each} {key} {word}-{count}" for each, word in zip(chosen, words, strict=True))
    return one, other
