"""The precedence of news about members: every case of both tables, against the words of their sources."""

import re
from itertools import product
from pathlib import Path

import pytest

from gossiplab.replica.membership import (
    ALIVE,
    DEAD,
    HANDED,
    LEFT,
    PRECEDENCE,
    REFUTED,
    STATES,
    SUSPECTED,
    UNKNOWN,
    Membership,
    tables,
)

DOCS = Path(__file__).parents[2] / "docs" / "membership.md"
INCARNATIONS = range(4)


def swim(arriving, i, stored, j):
    """SWIM, section 4.2, sentence by sentence; what is not said there is not overridden."""
    if stored == UNKNOWN:
        return arriving == ALIVE
    if stored in (DEAD, LEFT):  # "Confirm overrides any Alive or Suspect", and nothing overrides it
        return False
    if arriving == ALIVE:
        return i > j
    if arriving == SUSPECTED:
        return i > j if stored == SUSPECTED else i >= j
    return True


def memberlist(arriving, i, stored, j):
    """aliveNode, suspectNode and deadNode of memberlist's state.go, statement by statement."""
    if arriving == ALIVE:
        if stored == UNKNOWN:
            return True
        return not i <= j
    if stored == UNKNOWN:  # "if we've never heard about this node before, ignore it"
        return False
    if i < j:  # "ignore old incarnation numbers"
        return False
    if arriving == SUSPECTED:
        return stored == ALIVE  # a timer that runs is confirmed; "ignore non-alive nodes"
    return stored not in (DEAD, LEFT)  # "ignore if node is already dead"


@pytest.mark.parametrize("name, source", [("swim", swim), ("memberlist", memberlist)])
def test_every_case_of_the_table(name, source):
    for arriving, stored, i, j in product(STATES[:4], STATES, INCARNATIONS, INCARNATIONS):
        table = Membership(name)
        if stored != UNKNOWN:
            table.put(7, stored, j)
        assert table.overrides(7, arriving, i) == source(arriving, i, stored, j), (arriving, i, stored, j)


@pytest.mark.parametrize("name", ["swim", "memberlist"])
def test_every_case_about_oneself(name):
    for arriving, i, mine in product(STATES[:4], INCARNATIONS, INCARNATIONS):
        table = Membership(name)
        table.put(0, ALIVE, mine)
        if arriving == SUSPECTED:
            refutes = i >= mine
        elif name == "swim":
            refutes = False  # only hearing that one is suspected raises an incarnation
        else:
            refutes = i > mine if arriving == ALIVE else i >= mine
        assert table.refutes(0, arriving, i) == refutes


@pytest.mark.parametrize("name", ["swim", "memberlist"])
def test_nothing_overrides_itself_heard_twice(name):
    for arriving, stored, i, j in product(STATES[:4], STATES[:4], INCARNATIONS, INCARNATIONS):
        table = Membership(name)
        table.put(7, stored, j)
        if table.overrides(7, arriving, i):
            table.put(7, arriving, i)
            assert not table.overrides(7, arriving, i)


@pytest.mark.parametrize("name, revived", [("swim", False), ("memberlist", True)])
def test_the_revival_hole(name, revived):
    table = Membership(name)
    for state, incarnation in ((ALIVE, 1), (DEAD, 1), (DEAD, 10), (ALIVE, 2)):
        if table.overrides(7, state, incarnation):
            table.put(7, state, incarnation)
    assert (table.state(7), table.incarnations[7]) == ((ALIVE, 2) if revived else (DEAD, 1))


def test_forgetting():
    table = Membership("swim")
    table.put(7, DEAD, 5)
    table.forget(7)
    assert table.state(7) == UNKNOWN
    assert table.overrides(7, ALIVE, 0)


def test_only_memberlist_doubts_a_death_it_is_handed():
    assert HANDED == {"swim": {}, "memberlist": {DEAD: SUSPECTED}}
    assert set(PRECEDENCE) == set(REFUTED) == set(HANDED)


@pytest.mark.parametrize("name", sorted(PRECEDENCE))
def test_the_documentation_shows_the_tables(name):
    assert tables(name) in DOCS.read_text(), f"put this into {DOCS.name}:\n{tables(name)}"


def test_the_documentation_shows_no_others():
    assert len(re.findall(r"^\| arrives", DOCS.read_text(), re.MULTILINE)) == len(PRECEDENCE)
