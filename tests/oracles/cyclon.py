"""Cyclon once more, as simple as can be: no messages, one shuffle after the other (Voulgaris et al. 2005, 3.2)."""

from random import Random


def caches(n, size, length, cycles, seed):
    """The caches, {node: age} for every node, after so many cycles from a random graph."""
    rng = Random(seed)
    all_nodes = range(n)
    cache = [dict.fromkeys(rng.sample([q for q in all_nodes if q != p], size), 0) for p in all_nodes]

    def take_over(p, entries, offered):
        spare = [*offered]
        for node, age in entries:
            if node == p or node in cache[p]:
                continue
            if len(cache[p]) == size:
                del cache[p][spare.pop()]
            cache[p][node] = age

    for _ in range(cycles):
        for p in rng.sample(all_nodes, n):
            cache[p] = {node: age + 1 for node, age in cache[p].items()}
            q = max(cache[p], key=cache[p].__getitem__)
            del cache[p][q]
            offered = rng.sample([*cache[p]], length - 1)
            entries = [(p, 0), *((node, cache[p][node]) for node in offered)]
            answer = rng.sample([*cache[q]], length)
            answered = [(node, cache[q][node]) for node in answer]
            take_over(q, entries, answer)
            take_over(p, answered, offered)
    return cache
