"""Protocol Push-Sum straight from the paper, all nodes at once (Kempe, Dobra, Gehrke 2003, section 2.1)."""

from random import Random


def rounds_until(error: float, inputs: list[float], seed: int) -> int:
    """How many rounds until the average is known to everybody within a relative error."""
    random = Random(seed)
    n = len(inputs)
    truth = sum(inputs) / n
    s, w = list(inputs), [1.0] * n
    rounds = 0
    while max(abs(a / b - truth) for a, b in zip(s, w, strict=True)) > error * truth:
        rounds += 1
        halves = [(a / 2, b / 2) for a, b in zip(s, w, strict=True)]
        s, w = [a for a, _ in halves], [b for _, b in halves]
        for node, (a, b) in enumerate(halves):
            other = random.randrange(n - 1)
            other += other >= node
            s[other] += a
            w[other] += b
    return rounds
