"""Rumors that spread without ever stopping, and the median-counter rule that stops them.

Time is rounds in step: in each round every site acts once on the state at the start of the round.
"""

import math
import random
from typing import Literal, NamedTuple

Direction = Literal["push", "pull", "push-pull"]


class Spread(NamedTuple):
    """How a rumor that never stops reached everybody."""

    rounds: int  # rounds until everybody knows
    informed: list[int]  # how many know after round i; informed[0] is 1, the source


def rounds(n: int, direction: Direction = "push", fanout: int = 1, seed: int = 0) -> Spread:
    """Spread a rumor from site 0 until all n know; each site calls `fanout` distinct others a round.

    With fanout 1 push takes log2 n + ln n + O(1) rounds (Pittel 1987), pull log2 n + log2 ln n + O(1),
    push-pull log3 n + O(ln ln n) (Karp, Schindelhauer, Shenker, Voecking 2000).
    """
    if n < 1 or not 1 <= fanout <= max(1, n - 1):
        raise ValueError("needs n >= 1 and 1 <= fanout <= n - 1")
    rng = random.Random(seed)
    pushes, pulls = direction != "pull", direction != "push"
    knows = {0}
    informed = [1]
    while len(knows) < n:
        learns: set[int] = set()
        for caller in range(n) if pulls else knows:
            for callee in _others(caller, n, fanout, rng):
                if pushes and caller in knows:
                    learns.add(callee)
                if pulls and callee in knows:
                    learns.add(caller)
        knows |= learns
        informed.append(len(knows))
    return Spread(len(informed) - 1, informed)


class Run(NamedTuple):
    """What became of one rumor under the median-counter rule; what arrives in the i-th round has time i."""

    residue: float  # fraction of the sites never reached
    traffic: float  # copies of the rumor sent per site
    t_ave: float  # mean arrival over the sites reached, without the source; 0 if there is none
    t_last: int  # last arrival
    rounds: int  # rounds in which some site still sent


def median_counter(n: int, seed: int = 0, counter_max: int | None = None, cooling: int | None = None) -> Run:
    """Spread a rumor from site 0 of n by push-pull until the median-counter rule has silenced every site.

    After Karp, Schindelhauer, Shenker, Voecking 2000, "Randomized rumor spreading". A site is in state A (has
    not heard), B-m (spreads; its counter m is 1, 2, ...), C (still spreads, cooling down) or D (knows, keeps
    silent).

    In every round every site calls one other, drawn uniformly. Its partners are the one it calls and all that
    call it; two that call each other meet twice. On a call each side tells its state, and a side in B or C
    sends the rumor along: these sendings are the traffic (calls are free: they would serve all rumors alike).
    At the end of the round, by the states at its start:

    - A: to C if a partner was in C; else to B-1 if one was in B; else stays.
    - B-m: to C if a partner was in C or D. Else, if more partners were in a B-m' with m' >= m than in A or in
      a B-m' with m' < m, to B-(m+1), which is C once m + 1 = counter_max. Else stays.
    - C: to D after `cooling` rounds of sending in C.
    - D: stays.

    The source starts in B-1 (in C if counter_max is 1). The paper asks for O(ln ln n) in both places; the
    default for both is ceil(ln ln n) + 1. It leaves open what a B learns from a D: here, the same as from a
    C, so that the last B cannot go on forever among silent sites.
    """
    default = max(0, math.ceil(math.log(math.log(n)))) + 1 if n >= 2 else 1
    top = default if counter_max is None else counter_max
    cooling = default if cooling is None else cooling
    if n < 2 or top < 1 or cooling < 1:
        raise ValueError("needs n >= 2, counter_max >= 1 and cooling >= 1")
    rng = random.Random(seed)
    level = [1] + [0] * (n - 1)  # A is 0, B-m is m, C and D are top
    cooling_left = [cooling] * n  # rounds of sending in C that a site still has before it; in D none
    arrival = {0: 0}
    sent = round_ = 0
    while sending := {site for site in range(n) if level[site] > 0 and cooling_left[site] > 0}:
        round_ += 1
        partners: list[list[int]] = [[] for _ in range(n)]
        for caller in range(n):
            for callee in _others(caller, n, 1, rng):
                partners[caller].append(callee)
                partners[callee].append(caller)
        sent += sum(len(partners[site]) for site in sending)

        start, level = level, level.copy()
        for site, m in enumerate(start):
            if m == top:
                cooling_left[site] -= site in sending
            elif m > 0:
                met = [start[partner] for partner in partners[site]]
                if top in met:
                    level[site] = top
                elif sum(other >= m for other in met) > len(met) / 2:
                    level[site] = m + 1
            elif heard := [start[partner] for partner in partners[site] if partner in sending]:
                level[site] = top if top in heard else 1
                arrival[site] = round_

    t_ave = sum(arrival.values()) / max(1, len(arrival) - 1)  # the source adds nothing and is not counted
    return Run(1 - len(arrival) / n, sent / n, t_ave, max(arrival.values()), round_)


def _others(site: int, n: int, count: int, rng: random.Random) -> set[int]:
    """`count` distinct sites, drawn uniformly among the other n - 1."""
    others: set[int] = set()
    while len(others) < count:
        other = int(rng.random() * (n - 1))
        others.add(other + (other >= site))
    return others
