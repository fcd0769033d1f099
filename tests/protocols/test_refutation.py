"""What members of SWIM believe of those that are slow, leave, die and come back."""

from collections import defaultdict

import msgspec
import pytest

from gossiplab import ALIVE, DEAD, SUSPECTED
from gossiplab.content import content_folder
from gossiplab.events import Believed, Delivered, Sent
from gossiplab.experiment import load_experiment
from tests.protocols.membership import Run
from tests.protocols.membership import run_swim as run


def test_a_false_suspicion_is_refuted():
    happened = run(8, 40, "5 link n3 all loss=1", "7.5 link n3 all loss=0", lifeguard="memberlist")
    figures = happened.figures
    assert figures.false_suspicions >= 1
    assert figures.refutations >= 1
    assert figures.false_deaths == 0
    assert happened.matrix() == ["a" * 8] * 8
    assert all(row.incarnation_of(3) >= 2 for row in happened.world.membership.beliefs)
    for t, node, about, _, incarnation in happened.beliefs():
        assert (
            t == 0
            or node == about
            or incarnation <= happened.world.membership.beliefs[about].incarnation_of(about)
        )


@pytest.mark.parametrize("lifeguard", ["off", "paper", "memberlist"])
def test_a_paused_member_is_suspected_and_refutes_when_it_goes_on(lifeguard):
    happened = run(24, 40, "10 pause n6", "14.5 resume n6", lifeguard=lifeguard)
    assert [(t > 10, about) for t, _, about, state, _ in happened.beliefs() if state == SUSPECTED]
    assert happened.figures.refutations >= 1
    assert happened.figures.false_deaths == 0
    assert happened.figures.failures == []  # it was up all along
    assert happened.matrix() == ["a" * 24] * 24


def test_a_member_that_is_paused_for_too_long_is_held_for_dead_and_comes_back():
    happened = run(24, 60, "10 pause n6", "30 resume n6")
    assert happened.figures.false_deaths == 1
    assert happened.matrix() == ["a" * 24] * 24


def test_only_a_member_raises_its_own_incarnation():
    happened = run(10, 60, "5 partition n0-n3", "12 heal", "20 kill n4", "22 rejoin n4 fresh", seed=4)
    highest = defaultdict(lambda: 1)
    for _, node, about, _, incarnation in happened.beliefs():
        assert incarnation <= highest[about] or node == about
        highest[about] = max(highest[about], incarnation)


@pytest.mark.parametrize("profile", ["paper", "lan", "wan", "local"])
def test_leaving(profile):
    happened = run(12, 60, "20 leave n5", seed=2, profile=profile, forget=1000)
    assert {row[5] for node, row in enumerate(happened.matrix()) if node != 5} == {"l"}
    assert happened.figures.failures == []
    assert happened.figures.false_deaths == 0


def test_a_leave_that_races_with_a_suspicion():
    for seed in range(8):
        happened = run(
            8, 30, "4 link n5 all loss=1", "6.2 link n5 all loss=0", "6.2 leave n5", seed=seed, forget=1000
        )
        assert happened.figures.false_suspicions
        assert {row[5] for node, row in enumerate(happened.matrix()) if node != 5} == {"l"}


def test_a_leave_that_everybody_misses_is_a_death():
    happened = run(8, 60, "4 link n5 all loss=1", "4 leave n5", forget=1000)
    assert {row[5] for node, row in enumerate(happened.matrix()) if node != 5} == {"d"}


@pytest.mark.parametrize("memory", ["", " fresh"])
def test_the_dead_come_back_in_memberlist(memory):
    happened = run(9, 60, "5 kill n4", f"25 rejoin n4{memory}")
    assert happened.figures.failures[0].last_to_know is not None
    assert happened.matrix() == ["a" * 9] * 9
    assert happened.world.membership.beliefs[0].incarnation_of(4) == 2
    assert happened.figures.refutations == 1


@pytest.mark.parametrize("memory", ["", " fresh"])
def test_the_dead_stay_dead_in_the_paper_until_they_are_forgotten(memory):
    at = ("5 kill n4", f"40 rejoin n4{memory}")
    happened = run(9, 60, *at, profile="paper")
    assert {row[4] for node, row in enumerate(happened.matrix()) if node != 4} == {"d"}
    again = run(9, 200, *at, profile="paper")
    assert again.matrix() == ["a" * 9] * 9


def revived(precedence):
    """Of a shipped experiment, after n7 died: who, holding it for dead, was told of a second death; who was told that it
    had been alive after the first; and who believed that.
    """
    fields = load_experiment(content_folder("recordings") / "the-dead-come-back.toml")
    fields["params"]["precedence"] = precedence
    happened = Run(fields.pop("protocol"), **fields)
    sent, believed = {}, {}
    told, back = {ALIVE: set(), SUSPECTED: set(), DEAD: set()}, set()
    for event in happened.events:
        if isinstance(event, Sent):
            sent[event.id] = event
        elif isinstance(event, Delivered) and event.t > 10:
            message = sent[event.id]
            knew = believed.get(message.dst)
            for about, state, incarnation, _ in msgspec.json.decode(message.body).get("news", []):
                if about == 7 and knew and knew.state == DEAD and incarnation == knew.incarnation + 1:
                    told[state].add(message.dst)
        elif isinstance(event, Believed) and event.about == 7 != event.node:
            if event.t > 10 and event.state == ALIVE:
                assert (believed[event.node].state, believed[event.node].incarnation + 1) == (
                    DEAD,
                    event.incarnation,
                )
                back.add(event.node)
            believed[event.node] = event
    return told[DEAD], told[ALIVE], back


def test_the_revival_hole():
    assert revived("memberlist") == ({1}, {0, 1, 2, 3}, {0, 1, 2, 3})
    dead, alive, back = revived("swim")
    assert dead
    assert alive  # the same late news arrives
    assert not back
