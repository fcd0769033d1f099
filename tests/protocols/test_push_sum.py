"""Push-sum: mass is conserved, estimates close in as the paper says, and what faults do to them."""

from itertools import groupby, pairwise
from math import fsum, log2

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gossiplab.events import Dropped, Duplicated, Sent
from gossiplab.world.world import World, new_world
from tests.helpers import events_of, header_of
from tests.oracles.push_sum import rounds_until
from tests.protocols.figures import assert_same_mean, world_of

ERROR = 1e-6


def masses(world: World) -> list[tuple[float, float]]:
    """What every node has: (s, w)."""
    return [tuple(node.shown["mass"]) for node in world.nodes]


def shares(messages) -> list[tuple[float, float]]:
    """What these messages carry: (s, w)."""
    bodies = [msgspec.json.decode(message.body) for message in messages]
    return [(body["s"], body["w"]) for body in bodies]


def total(pairs) -> tuple[float, float]:
    """The sums of both."""
    return fsum(s for s, _ in pairs), fsum(w for _, w in pairs)


def estimates(world: World) -> list[float | None]:
    return [node.shown["estimate"] for node in world.nodes]


def errors(world: World, truth: float) -> float:
    """The largest relative error of an estimate; infinite while a node has none."""
    return max(abs(e - truth) / truth if e is not None else float("inf") for e in estimates(world))


def after_rounds(rounds, **fields):
    """The World between any two rounds: of a run on common beats in which a message takes a tenth of a round."""
    fields["params"] = {"phase": "aligned", **fields.get("params", {})}
    header = header_of("push_sum", until=rounds + 0.4, link={"latency": "0.1"}, **fields)
    world = new_world(header)
    for _, batch in groupby(events_of(header), key=lambda event: int(event.t + 0.5)):
        world.apply(list(batch))
        yield world


# what it comes to ---------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["aligned", "random"])
@pytest.mark.parametrize(
    "aggregate, value, truth",
    [("average", "index", 9.5), ("average", "single", 1 / 20), ("sum", "index", 190), ("count", "index", 20)],
)
def test_all_nodes_come_to_the_aggregate(aggregate, value, truth, phase):
    params = {"aggregate": aggregate, "value": value, "phase": phase}
    world = world_of("push_sum", nodes=20, until=60, params=params)
    assert errors(world, truth) < ERROR


def test_the_average_of_random_inputs():
    world = world_of("push_sum", nodes=30, until=60, params={"value": "random"})
    inputs = [node.shown["input"][0] for node in world.nodes]
    assert len(set(inputs)) == 30
    assert all(0 <= x < 1 for x in inputs)
    assert errors(world, sum(inputs) / 30) < ERROR


@pytest.mark.parametrize("topology", ["ring", "grid", "two-clusters"])
def test_on_any_connected_graph(topology):
    world = world_of("push_sum", nodes=16, until=1000, topology=topology)
    assert errors(world, 7.5) < ERROR


def rounds_of(n: int, seed: int) -> int:
    """Rounds until all nodes know the average of one input of 1 and many of 0, the hardest to spread."""
    worlds = after_rounds(int(2 * log2(n)) + 50, nodes=n, seed=seed, params={"value": "single"})
    return next(k for k, world in enumerate(worlds) if errors(world, 1 / n) <= ERROR)


def test_it_takes_the_oracles_rounds():
    oracle = [rounds_until(ERROR, [1.0] + [0.0] * 63, seed) for seed in range(200)]
    assert_same_mean("rounds", [rounds_of(64, seed) for seed in range(10)], oracle)


def test_rounds_grow_like_log_n():
    """Potential halves in a round: from 1 to n (error / n)^2 takes log2 n + 2 log2(1/error); the worst node is later."""
    rounds = {n: rounds_of(n, seed=1) for n in (64, 256, 1024)}
    for n, taken in rounds.items():
        assert 0 < taken - 2 * log2(1 / ERROR) < 3 * log2(n)
    assert 2 <= rounds[1024] - rounds[64] <= 14  # 16 times the nodes are 4 doublings


def test_the_potential_halves_in_a_round():
    """Kempe et al., lemma 3.3: by 1/2 - 1/(2n) on average; seen here through the inputs, whose mean is 0."""
    potential = []
    for world in after_rounds(40, nodes=500, params={"value": "random"}):
        s, w = total(masses(world))
        potential.append(fsum((each - s / w * weight) ** 2 for each, weight in masses(world)))
    ratios = [after / before for before, after in pairwise(potential)]
    assert sum(ratios) / len(ratios) == pytest.approx(0.5, rel=0.03)


# mass ---------------------------------------------------------------------------------------------

FAULTS = (
    "pause n1", "resume all", "skew n2 1.4", "hold n0", "release", "kill n3", "rejoin n3", "leave n1", "rejoin n1",
    "partition n0-n1", "heal", "flap n2 up=0.5 down=0.2 for=2", "link n0 all loss=0.5 duplicate=0.5",
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 2**32),
    nodes=st.integers(4, 12),
    aggregate=st.sampled_from(("average", "sum", "count")),
    at=st.lists(st.tuples(st.integers(1, 190), st.sampled_from(FAULTS)), max_size=8),
    link=st.sampled_from(
        ({"latency": "0.01"}, {"latency": "lognormal(2, 1)", "reorder": 0.3}, {"loss": 0.2, "duplicate": 0.2})
    ),
)
def test_every_bit_of_mass_is_accounted_for(seed, nodes, aggregate, at, link):
    """With nodes and messages under way, those lost and without those duplicated, it is what it was."""
    header = header_of(
        "push_sum", nodes=nodes, seed=seed, until=20, link=link, params={"aggregate": aggregate},
        at=[f"{tenths / 10} {command}" for tenths, command in sorted(at)],
    )  # fmt: skip
    world = new_world(header)
    events = events_of(header)
    world.apply(events)
    sent = {event.id: event for event in events if isinstance(event, Sent)}
    for event in events:
        if isinstance(event, Duplicated):
            sent[event.id] = sent[event.of]
    lost = total(shares(sent[event.id] for event in events if isinstance(event, Dropped)))
    doubled = total(shares(sent[event.id] for event in events if isinstance(event, Duplicated)))
    now = total([*masses(world), *shares(world.flights.values()), lost])
    begin = total([*(node.shown["input"] for node in world.nodes), doubled])
    assert now == pytest.approx(begin, rel=1e-12)


def test_without_loss_mass_is_conserved_at_every_instant():
    header = header_of("push_sum", nodes=50, until=40, link={"latency": "0.1..4", "reorder": 0.2})
    world = new_world(header)
    seen = 0
    for t, batch in groupby(events_of(header), key=lambda event: event.t):
        world.apply(list(batch))
        if int(t * 7) > seen:
            seen = int(t * 7)
            now = total([*masses(world), *shares(world.flights.values())])
            assert now == pytest.approx((50 * 49 / 2, 50), rel=1e-13)
    assert seen > 200


# faults -------------------------------------------------------------------------------------------


def test_loss_makes_the_estimates_agree_on_something_else():
    links = [{"loss": loss} for loss in (0, 0.1)]
    clean, lossy = (world_of("push_sum", nodes=40, until=60, seed=2, link=link) for link in links)
    assert errors(clean, 19.5) < ERROR
    assert errors(lossy, 19.5) > 0.02
    values = estimates(lossy)
    assert max(values) - min(values) < 1e-4  # and yet they agree


def test_a_killed_node_brings_its_mass_back():
    """It rejoins between two rounds, so that nobody sends it anything meanwhile."""
    at = ["4.5 kill n19", "4.6 rejoin n19"]
    world = world_of(
        "push_sum", nodes=20, until=70, params={"phase": "aligned"}, at=at, link={"latency": "0.1"}
    )
    assert errors(world, 9.5) < ERROR


def test_a_node_that_comes_back_fresh_after_it_has_told_counts_twice():
    """After one round n19 has given half of it away; then it begins anew with all of it."""
    at = ["1.5 kill n19", "1.6 rejoin n19 fresh"]
    world = world_of(
        "push_sum", nodes=20, until=70, params={"phase": "aligned"}, at=at, link={"latency": "0.1"}
    )
    assert max(estimates(world)) - min(estimates(world)) < 1e-5
    assert errors(world, 9.5) > 0.005


def test_who_leaves_gives_its_mass_away():
    at = ["3.5 leave n19", "3.5 leave n7"]
    for aggregate, truth in (("average", 9.5), ("sum", 190), ("count", 20)):
        params = {"phase": "aligned", "aggregate": aggregate}
        fields = {"params": params, "at": at, "link": {"latency": "0.1"}}
        world = world_of("push_sum", nodes=20, until=3.9, **fields)
        inputs = total([node.shown["input"] for node in world.nodes])
        assert total(masses(world)) == pytest.approx(inputs, rel=1e-13)
        assert masses(world)[19] == masses(world)[7] == (0, 0)
        assert inputs[0] / inputs[1] == truth


@pytest.mark.parametrize("nodes", [0, 1, 2])
@pytest.mark.parametrize("aggregate", ["average", "count"])
def test_the_smallest_labs(nodes, aggregate):
    world = world_of("push_sum", nodes=nodes, until=60, params={"aggregate": aggregate})
    expected = (nodes - 1) / 2 if aggregate == "average" else nodes
    assert estimates(world) == pytest.approx([expected] * nodes, rel=ERROR)
    assert not world.crashes


def test_mass_that_goes_into_the_void_is_no_crash():
    world = world_of("push_sum", nodes=2, until=1200, at=["1 kill n1"])
    assert not world.crashes
    assert masses(world)[0] == (0, 0)
    assert estimates(world)[0] is None or estimates(world)[0] >= 0
