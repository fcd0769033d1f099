"""Rumor mongering (Demers et al. 1987, "Epidemic algorithms for replicated database maintenance", 1.4).

A site is susceptible (has not heard), infective (has heard and spreads) or removed (has heard and lost
interest). In each cycle every site acts once on the state at the *start* of the cycle; effects come into
force at its end. So the whole protocol is three questions, asked in this order in every cycle:

1. Who sends the update to whom? A connection lets its caller send (push), its callee (pull), or both
   (push-pull).
2. Which of these sendings were useful, which unnecessary?
3. Which senders lose interest?

Where the definition leaves a choice, a comment marked CHOICE says what was rejected and which published
figure decides. Table 1 is push, feedback, counter; Table 2 push, blind, coin; Table 3 pull, feedback,
counter; n = 1000.
"""

import random
from collections import Counter
from typing import Literal, NamedTuple

Direction = Literal["push", "pull", "push-pull"]
Stop = Literal["coin", "counter"]


class Run(NamedTuple):
    """What became of one rumor; times count cycles, and what arrives in the i-th cycle has time i."""

    residue: float  # fraction of the sites never reached
    traffic: float  # updates sent per site
    t_ave: float  # mean arrival over the sites reached, without the source; 0 if there is none
    t_last: int  # last arrival
    cycles: int  # cycles in which some site was still infective


def simulate(
    n: int,
    direction: Direction = "push",
    feedback: bool = True,
    stop: Stop = "counter",
    k: int = 1,
    connection_limit: int | None = None,
    hunt_limit: int = 0,
    minimize: bool = False,
    seed: int = 0,
) -> Run:
    """Spread one rumor from site 0 of n until no site is infective."""
    if n < 2 or k < 1 or hunt_limit < 0 or (connection_limit is not None and connection_limit < 1):
        raise ValueError("needs n >= 2, k >= 1, connection_limit >= 1 or None, and hunt_limit >= 0")
    rng = random.Random(seed)
    pushes, pulls = direction != "pull", direction != "push"
    # Minimization compares counters in an exchange. CHOICE: without counters or exchange it has no effect.
    minimize = minimize and pushes and pulls and stop == "counter"
    arrival = {0: 0}  # site that has heard -> cycle in which it first did
    counter = {0: 0}  # infective site -> its unnecessary contacts, see 3; a removed one has no entry
    sent = cycle = 0

    while counter:
        cycle += 1

        # 1. The updates sent. In push only infective sites act. A pulling site cannot know that there is
        # nothing new, so all sites poll in every cycle, removed and infective ones too. CHOICE: in push-pull
        # two infective sites that meet both send (two updates): rumors go both ways, neither side knows what
        # the other has.
        updates: list[tuple[int, int]] = []
        callers = list(range(n)) if pulls else list(counter)
        for caller, callee in _connections(callers, n, connection_limit, hunt_limit, rng):
            if pushes and caller in counter:
                updates.append((caller, callee))
            if pulls and callee in counter:
                updates.append((callee, caller))
        sent += len(updates)

        # 2. The verdicts, on the start of the cycle: two updates that reach a susceptible site at once are
        # both useful. Only senders are judged; to be told again what one knows has no effect. A blind sender
        # takes every sending for unnecessary. Minimization spares the larger counter of two sites that both
        # know; a removed site's counter is at least k, which no infective site exceeds.
        useful: set[int] = set()
        unnecessary: Counter[int] = Counter()
        for sender, receiver in updates:
            if feedback and receiver not in arrival:
                useful.add(sender)
            elif not (minimize and counter[sender] > counter.get(receiver, k)):
                unnecessary[sender] += 1

        # 3. The effects. CHOICE: a counter moves once a cycle, to 0 if any receiver needed the update, else
        # up by one however many did not. A push sender has one receiver a cycle, so only its reset can be
        # doubted; without it Table 1 at k = 2 has residue 0.049 (printed 0.037). For pull Table 3 at k = 2
        # decides: up by every receiver gives 0.0034, no reset 0.0028 (printed 0.00058). Push-pull and blind
        # follow the same rule; no figure is printed for them. CHOICE: a coin is tossed for each unnecessary
        # sending, not once a cycle, nor only in cycles without a useful one; the paper's equation says so:
        # di/dt = si - (1-s)i/k.
        for site in useful:
            counter[site] = 0
        for site, times in unnecessary.items():
            if stop == "coin":
                loses_interest = any(rng.random() < 1 / k for _ in range(times))
            else:
                counter[site] += site not in useful
                loses_interest = counter[site] >= k
            if loses_interest:
                del counter[site]
        learned = [receiver for _, receiver in updates if receiver not in arrival]
        arrival.update(dict.fromkeys(learned, cycle))
        counter.update(dict.fromkeys(learned, 0))

    t_ave = sum(arrival.values()) / max(1, len(arrival) - 1)  # the source adds nothing and is not counted
    return Run(1 - len(arrival) / n, sent / n, t_ave, max(arrival.values()), cycle)


def _connections(
    callers: list[int], n: int, limit: int | None, hunt_limit: int, rng: random.Random
) -> list[tuple[int, int]]:
    """The (caller, callee) pairs of one cycle: each caller in at most one, each callee in at most `limit`.

    Callers arrive in random order. One that is rejected hunts: it tries up to `hunt_limit` further sites,
    none of them twice. If all reject it, it goes without: it sends nothing and its counter or coin rests.

    CHOICE: a site's limit is on what it accepts, its own call is not counted; so limit 1 with endless hunting
    pairs callers and callees one to one, as the paper says. CHOICE: a caller ends its hunt before the next
    one arrives. (If all first tries came before all second ones, fewer hunts would succeed: with limit 1 and
    hunt limit 1, of n callers 74 % would connect instead of 76 %. No printed figure decides.)
    """
    if limit is None:
        return [(caller, _other(caller, n, rng)) for caller in callers]
    rejections = min(hunt_limit, n - 2)  # it may suffer before its last try, or its last site
    accepted = [0] * n
    connections: list[tuple[int, int]] = []
    for caller in sorted(callers, key=lambda _: rng.random()):
        rejected_by: set[int] = set()
        while len(rejected_by) <= rejections:
            callee = _other(caller, n, rng)
            if accepted[callee] < limit:
                accepted[callee] += 1
                connections.append((caller, callee))
                break
            rejected_by.add(callee)  # it stays full this cycle, so drawing it again is not another try
    return connections


def _other(site: int, n: int, rng: random.Random) -> int:
    """A site drawn uniformly among the other n - 1."""
    other = int(rng.random() * (n - 1))
    return other + (other >= site)
