"""`gossiplab sweep`: which runs it makes, what it says of them, and how it refuses what cannot be."""

import json
from itertools import product
from statistics import mean, stdev

import pytest

from tests.cli.running import is_one_sentence
from tests.helpers import SPECIMENS

RUMOR = ("rumor", "--nodes", "30")
SWIM = ("swim", "--nodes", "8", "--at", "3 kill n3", "--until", "20")


def test_a_row_is_the_mean_of_the_runs_that_run_makes(gossiplab):
    code, out, err = gossiplab(
        "sweep", *RUMOR, "--vary", "k=1,3", "--vary", "loss=0,0.2", "--seed", "5", "--seeds", "3", "--json"
    )
    assert (code, err) == (0, "")
    sweep = json.loads(out)
    assert sweep["seeds"] == [5, 6, 7]
    assert [row["settings"] for row in sweep["rows"]] == [
        {"k": k, "loss": loss} for k, loss in product(("1", "3"), ("0", "0.2"))
    ]
    for row in sweep["rows"]:
        runs = []
        for seed in sweep["seeds"]:
            k, loss = row["settings"].values()
            flags = ("--set", f"k={k}", "--loss", loss, "--seed", seed, "--no-record", "--json")
            runs.append(json.loads(gossiplab("run", *RUMOR, *flags)[1])["rumors"][0])
        for name in ("residue", "traffic", "t_last"):
            there = [each[name] for each in runs if each[name] is not None]
            figure = row["figures"][name]
            assert (figure["count"], figure["missing"]) == (len(there), 3 - len(there))
            assert figure["mean"] == pytest.approx(mean(there))
            assert figure["sd"] == pytest.approx(stdev(there))
            assert (figure["low"], figure["high"]) == (min(there), max(there))


def test_membership_is_a_table_with_a_chart(gossiplab, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = gossiplab("sweep", *SWIM, "--vary", "period=0.5,1,2", "--seeds", "2")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].startswith("swim: 3 combinations, 2 runs each, seeds 0 to 1")
    for word in ("suspected", "declared", "all know", "false susp.", "false deaths"):
        assert word in lines[1]
    assert [line.split()[:2] for line in lines[2:5]] == [["a", "0.5"], ["b", "1"], ["c", "2"]]
    assert lines[5] == ""
    assert "of healthy" in lines[6]  # what has no room beside it, for the same rows
    assert [line.split()[:2] for line in lines[7:10]] == [["a", "0.5"], ["b", "1"], ["c", "2"]]
    (axis,) = [place for place, line in enumerate(lines) if "+---" in line]
    bottom = lines[
        axis - 1
    ]  # nobody is accused falsely, so all stand on the axis, the slower the further right
    assert bottom.index("a") < bottom.index("b") < bottom.index("c")
    assert lines[axis + 1].split()[0] == "0"


@pytest.mark.parametrize("width", [40, 60, 80, 120, 500])
def test_the_table_is_as_wide_as_the_terminal(gossiplab, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    flags = (*SWIM, "--vary", "period=0.5,1", "--vary", "lifeguard=off,memberlist", "--seeds", "2")
    lines = gossiplab("sweep", *flags)[1].splitlines()
    table = lines[1 : next(place for place, line in enumerate(lines) if "against" in line) - 1]
    assert max(map(len, table)) <= width
    blocks = "\n".join(table).split("\n\n")
    assert len(blocks) == 1 or width < 500
    heads = [block.splitlines()[0] for block in blocks]
    for word in ("suspected s", "declared s", "all know s", "false susp.", "of healthy", "msg/period"):
        assert sum(word in head for head in heads) == 1
    for block in blocks:
        rows = [line.split()[:3] for line in block.splitlines()[1:]]
        assert rows == [
            [sign, *each]
            for sign, each in zip("abcd", product(("0.5", "1"), ("off", "memberlist")), strict=True)
        ]


def test_rows_that_fall_together_in_the_chart_are_named(gossiplab):
    out = gossiplab("sweep", *SWIM, "--vary", "push_pull=300,400,500", "--seeds", "1")[1]
    assert out.endswith("\n* is, from top to bottom: a and b and c\n")
    assert max(map(len, out.splitlines())) <= 80


def test_what_never_happened_is_counted_apart(gossiplab):
    flags = ("--nodes", "8", "--at", "3 kill n3", "--until", "5", "--vary", "period=1,2", "--seeds", "2")
    code, out, _ = gossiplab("sweep", "swim", *flags, "--json")
    assert code == 0
    for row in json.loads(out)["rows"]:
        declared = row["figures"]["first_declared"]
        assert (declared["count"], declared["missing"], declared["mean"]) == (0, 2, None)
    assert gossiplab("sweep", "swim", *flags)[1].count("never") >= 4


def test_values_with_commas_in_parentheses_stay_whole(gossiplab):
    vary = "topology=complete,watts-strogatz(k=4,p=0.1)"
    rows = json.loads(gossiplab("sweep", *RUMOR, "--vary", vary, "--seeds", "1", "--json")[1])["rows"]
    assert [row["settings"]["topology"] for row in rows] == ["complete", "watts-strogatz(k=4,p=0.1)"]


def test_random_sets_are_drawn_anew_for_every_seed(gossiplab):
    """The run with a seed is that of `gossiplab run` with it: another random member dies."""
    base = ("swim", "--nodes", "8", "--at", "3 kill random 1", "--until", "20")
    rows = json.loads(gossiplab("sweep", *base, "--vary", "period=1", "--seeds", "4", "--json")[1])["rows"]
    runs = [
        json.loads(gossiplab("run", *base, "--seed", seed, "--no-record", "--json")[1])["membership"][
            "failures"
        ][0]
        for seed in range(4)
    ]
    assert len({each["node"] for each in runs}) > 1
    declared = rows[0]["figures"]["first_declared"]
    assert declared["mean"] == pytest.approx(mean(each["first_declared"] for each in runs))


@pytest.mark.parametrize(
    "flags, word",
    [
        ((), "--vary"),
        (("--vary", "k"), "--vary"),
        (("--vary", "k="), "--vary"),
        (("--vary", "k=1,,2"), "--vary"),
        (("--vary", "=1"), "--vary"),
        (("--vary", "k=1,1"), "twice"),
        (("--vary", "k=1", "--vary", "k=2"), "twice"),
        (("--vary", "seed=1,2"), "--seeds"),
        (("--vary", "nosuch=1,2"), "nosuch"),
        (("--vary", "k=1,x"), "k"),
        (("--vary", "nodes=5,x"), "nodes"),
        (("--vary", "until=5,stopped"), "--until"),
        (("--vary", "k=1", "--seeds", "0"), "--seeds"),
        (("--vary", "k=1", "--seeds", "x"), "--seeds"),
        (("--vary", "k=1", "--seeds", "1000000"), "100000"),
        (("--vary", "k=1", "--record", "x.gossip"), "--record"),
        (("--vary", "\x1b[31m=\x1b"), "no parameter"),
    ],
)
def test_what_cannot_be_swept_is_said_in_a_sentence(gossiplab, flags, word):
    code, out, err = gossiplab("sweep", *RUMOR, *flags)
    assert (code, out) == (2, "")
    assert word in err
    assert is_one_sentence(err)


def test_a_protocol_that_crashes_is_said(gossiplab):
    code, out, err = gossiplab(
        "sweep",
        "faulty",
        "--set",
        "where=setup",
        "--protocols",
        SPECIMENS,
        "--nodes",
        "3",
        "--until",
        "2",
        "--vary",
        "nodes=3,4",
        "--seeds",
        "1",
    )
    assert code == 2
    assert out
    assert "crashed" in err
    assert is_one_sentence(err)
