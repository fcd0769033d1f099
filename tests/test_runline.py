"""The line that names a run: the command line reads it back as the same run, and a shell gives the same digest."""

import json
import shlex
import subprocess
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossiplab import cli, headless
from gossiplab.errors import UserError
from gossiplab.plan import plan
from gossiplab.runline import run_line
from gossiplab.tui import app
from tests.cli.running import CHECKOUT
from tests.helpers import SPECIMENS, header_of, make_experiment, specimen
from tests.recording.making import every_header


class _ReadError(Exception):
    """Carries what was read out of the command line, instead of running it."""

    def __init__(self, header):
        self.header = header


def read(line):
    """The header that a line leads to."""

    def stop(header, *_, **__):
        raise _ReadError(header)

    command, *words = shlex.split(line)
    assert command == "gossiplab"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(headless, "run_headless", stop)
        patch.setattr(app, "open_lab", stop)
        patch.setattr(cli, "_need_terminal", lambda instead: None)
        with pytest.raises(_ReadError) as caught:
            assert cli.run_command_line(words) == 0
    return caught.value.header


ATS = st.lists(
    st.builds(
        "{!r} {}".format,
        st.floats(0, 1e6) | st.sampled_from([0, 0.0, 3]),
        st.sampled_from(["inject n0", "inject n1", "kill all", "rejoin n0-n1 fresh", "partition n0 from n1",
                         "link n0 all latency=lognormal(0.1,1) loss=0.5", "heal"]),
    ),
    max_size=3,
)  # fmt: skip
PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "direction": st.sampled_from(["push", "pull", "push-pull"]),
        "fanout": st.integers(1, 1000),
        "period": st.floats(0.001, 3600),
        "stop": st.sampled_from(["never", "median-counter"]),
    },
)
SEVERAL = {
    "nodes": st.integers(2, 100_000), "seed": st.integers(0, 2**63 - 1), "params": PARAMS, "at": ATS,
    "topology": st.sampled_from(["complete", "ring", "watts-strogatz(k=6,p=0.2)", "tree( r = 3 )"]),
    "until": st.floats(0, 1e6) | st.sampled_from(["quiescent", "converged", "stopped"]),
    "limit": st.floats(0, 1e6),
    "link": st.fixed_dictionaries({}, optional={
        "latency": st.sampled_from(["0.3..0.6", "lognormal(0.03, 0.5)"]), "loss": st.floats(0, 1),
        "jitter": st.floats(0, 1), "bandwidth": st.floats(0.001, 1e15), "reorder": st.floats(0, 1),
    }),
}  # fmt: skip


@given(fields=st.fixed_dictionaries({}, optional=SEVERAL), known=st.booleans())
def test_a_line_is_read_back_as_the_same_run(fields, known):
    header = header_of("epidemic", **fields)
    assert read(run_line(header, specimen("epidemic") if known else None)) == header


@pytest.mark.parametrize("name", ["epidemic", "cyclon", "swim"])
def test_another_protocol_of_that_name_says_nothing_about_the_run(name):
    header = header_of(name)
    other = msgspec.structs.replace(header.experiment, params={"volume": 11})
    line = run_line(msgspec.structs.replace(header, experiment=other), specimen(name))
    assert "--set volume=11" in line
    assert "--until" in line


SWIM = st.fixed_dictionaries(
    {},
    optional={
        "profile": st.sampled_from(["paper", "lan", "wan", "local"]),
        "period": st.sampled_from([1.0, 2.0, 5.0]),
        "suspicion": st.integers(3, 6),
        "precedence": st.sampled_from(["swim", "memberlist"]),
        "phase": st.sampled_from(["aligned", "random"]),
    },
)


@given(params=SWIM)
def test_what_a_profile_fills_in_is_left_out(params):
    header = header_of("swim", params=params)
    line = run_line(header, specimen("swim"))
    assert line.count("--set") <= len(params)
    assert read(line) == header


@pytest.mark.parametrize("name", ["rumor", "epidemic", "swim", "plumtree", "cyclon"])
def test_what_is_as_it_would_be_anyway_is_left_out(name):
    header = header_of(name)
    assert run_line(header, specimen(name)) == f"gossiplab run {name}"
    assert read(run_line(header)) == header


def test_an_example():
    header = header_of(
        "epidemic", nodes=40, seed=7, params={"fanout": 2}, at=["3 kill n0"], link={"latency": "0.3..0.6"}
    )
    assert run_line(header, specimen("epidemic")) == (
        "gossiplab run epidemic --nodes 40 --seed 7 --set fanout=2 --latency 0.3..0.6 --at '3 kill n0'"
    )


@pytest.mark.parametrize(
    "text", ["", " ", " x", "x ", "a b", "it's", '"', "a=b", "$HOME", "`id`", "-x", "é\n"]
)
def test_any_text_survives_the_shell(text):
    from gossiplab import Protocol, param

    class Texts(Protocol):
        text = param("", doc="any")

    header = plan(make_experiment({"protocol": "texts", "until": 1, "params": {"text": text}}), Texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gossiplab.content.load_protocol", lambda *_: Texts)
        assert read(run_line(header, Texts)) == header


@pytest.mark.parametrize(
    "name", ["p/pwn.py", "pwn.py", "x.toml", "--record=x", "-h", "../x", "", "a\nb", "\x1b[2Jx", " x"]
)
def test_what_a_stranger_calls_a_protocol_names_no_file_and_no_option(name):
    header = header_of("epidemic")
    strange = msgspec.structs.replace(header.experiment, protocol=name)
    with pytest.raises(UserError, match="is no protocol's name"):
        run_line(msgspec.structs.replace(header, experiment=strange))


def test_folders_are_named():
    header = every_header()
    assert read(run_line(header, None, [SPECIMENS])) == header


def test_pasted_into_a_shell_it_gives_the_same_digest(tmp_path):
    def digest(line):
        words = f"{shlex.join([sys.executable, '-m', 'gossiplab'])} {line.removeprefix('gossiplab ')} --json --no-record"
        done = subprocess.run(["sh", "-c", words], cwd=CHECKOUT, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)["digest"]

    header = header_of("epidemic", nodes=9, topology="watts-strogatz(k=4,p=0.5)", params={"period": 0.5}, at=["1 partition n0-n3", "2 heal"])  # fmt: skip
    first = digest(run_line(header, specimen("epidemic")))
    assert first == digest(run_line(header))
    assert first != digest(run_line(msgspec.structs.replace(header, experiment=header_of("epidemic", nodes=9).experiment)))  # fmt: skip


@pytest.mark.parametrize(
    "at, limit, expected", [((), 1000, 60), (("5 kill n1", "2 kill n2"), 1000, 65), (("5 kill n1",), 20, 20)]
)
def test_without_rumors_a_run_ends_a_while_after_its_last_command(at, limit, expected):
    header = header_of("swim", nodes=5, at=at, limit=limit)
    assert header.experiment.until == expected
    assert "--until" not in run_line(header, specimen("swim"))
