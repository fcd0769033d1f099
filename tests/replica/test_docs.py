"""docs/replica.md: its examples do what it says, and all of the library is told there."""

import doctest
from pathlib import Path

import gossiplab.replica

DOCS = Path(__file__).parents[2] / "docs" / "replica.md"
ELSEWHERE = {"__init__", "broadcasts", "membership", "probing", "suspicion"}  # told in docs/membership.md


def test_the_examples_work():
    failed, tried = doctest.testfile(str(DOCS), module_relative=False, encoding="utf-8")
    assert (failed, tried > 20) == (0, True)


def test_every_module_is_told_of():
    folder = Path(gossiplab.replica.__file__).parent
    told = DOCS.read_text(encoding="utf-8")
    for file in folder.glob("*.py"):
        assert file.stem in ELSEWHERE or f"`{file.stem}." in told, file.stem
