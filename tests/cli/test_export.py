"""`gossiplab export`: every format by way of the command line, and what it refuses."""

import csv
import json
import re
import shlex

import msgspec
import pytest

from gossiplab.engine.run import run_lab
from gossiplab.events import Parent
from gossiplab.recording.recorder import Recorder
from tests.cli.running import CHECKOUT, finish, is_one_sentence, start
from tests.helpers import SPECIMENS, bytes_of, header_of, lab_of, post_all

TEXT = ["csv", "jsonl", "shiviz", "experiment", "line"]
DRAWN = ["svg", "asciicast"]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "x.gossip"
    path.write_bytes(bytes_of(header_of("epidemic", nodes=6, at=["1 kill n1"], until=2.0)))
    return path


def refused(result):
    code, out, err = result
    assert is_one_sentence(err), err
    assert (code, out) == (2, "")
    return err


@pytest.mark.parametrize("to", TEXT + DRAWN)
def test_to_a_file_and_to_standard_output(gossiplab, file, tmp_path, to):
    output = tmp_path / "out.toml"
    assert gossiplab("export", file, "--to", to, "--output", output) == (0, "", "")
    code, out, err = gossiplab("export", file, "--to", to)
    assert (code, err) == (0, "")
    assert out
    assert output.read_text(encoding="utf-8") == out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.toml", "x.gossip"]


@pytest.mark.parametrize("name", ["x", "x.experiment", ".toml.gz", "x.TOML"])
def test_an_experiment_that_could_not_be_run_is_not_written(gossiplab, file, tmp_path, name):
    assert ".toml" in refused(gossiplab("export", file, "--to", "experiment", "--output", tmp_path / name))
    assert list(tmp_path.iterdir()) == [file]


def test_a_built_in_recording_by_name(gossiplab):
    code, out, _ = gossiplab("export", "partition-and-heal", "--to", "csv", "--step", "1")
    rows = list(csv.DictReader(out.splitlines()))
    assert code == 0
    assert [float(row["t_seconds"]) for row in rows] == [float(t) for t in range(15)]


def test_the_experiment_runs_to_the_same_digest(gossiplab, file, tmp_path):
    toml = tmp_path / "x.toml"
    assert gossiplab("export", file, "--to", "experiment", "--output", toml)[0] == 0
    again = tmp_path / "again.gossip"
    digests = [
        json.loads(gossiplab("run", toml, "--json", *flags)[1])["digest"]
        for flags in (["--no-record"], ["--record", again])
    ]
    assert digests[0] == digests[1]
    assert again.read_bytes() == file.read_bytes()  # nobody gave commands: to the byte


@pytest.mark.parametrize("until", ["stopped", "converged", 9.0])
def test_what_a_person_steered_and_ended_runs_again_to_the_same_digest(gossiplab, tmp_path, until):
    def digest(*arguments):
        code, out, _ = gossiplab(*arguments, "--json")
        assert code == 0
        return json.loads(out)["digest"]

    file, toml = tmp_path / "x.gossip", tmp_path / "x.toml"
    header = header_of("epidemic", nodes=9, until=until, at=["1 kill n8", "8 kill n7"], params={"fanout": 2})
    with Recorder(file, msgspec.structs.replace(header, parent=Parent("a.gossip", 0.5, 7))) as recorder:
        lab = lab_of(header, recorder)
        post_all(lab, [(0.25, "partition n0-n4"), (2.5, "inject n3"), (3.0, "heal"), (3.0, "rejoin n8")])
        lab.stop(at=3.4321)
        run_lab(lab)
    assert recorder.world.ended == "stopped"
    original = digest("replay", file, "--headless")
    assert original == recorder.digest
    assert digest("replay", file, "--headless", "--at", 3) != original
    assert gossiplab("export", file, "--to", "experiment", "--output", toml)[0] == 0
    again = tmp_path / "again.gossip.zst"
    assert digest("run", toml, "--record", again) == original
    assert digest("replay", again, "--headless") == original
    line = shlex.split(gossiplab("export", file, "--to", "line")[1])
    assert digest(*line[1:], "--no-record") == original


def test_the_line(gossiplab, file):
    assert gossiplab("export", file, "--to", "line")[1] == (
        "gossiplab run epidemic --nodes 6 --at '1 kill n1' --until 2.0\n"
    )


def test_a_line_that_a_terminal_would_obey_is_refused(gossiplab, file):
    file.write_bytes(
        file.read_bytes().replace(b'"protocol":"epidemic"', b'"protocol":"\\u001b[2Jepidemic"', 1)
    )
    err = refused(gossiplab("export", file, "--to", "line"))
    assert "export it as an experiment" in err


def test_what_a_profile_fills_in_is_in_neither(gossiplab, tmp_path):
    file, toml = tmp_path / "x.gossip", tmp_path / "x.toml"
    file.write_bytes(
        bytes_of(header_of("swim", nodes=3, until=2.0, params={"profile": "wan", "period": 2.0}))
    )
    assert gossiplab("export", file, "--to", "line")[1] == (
        "gossiplab run swim --nodes 3 --set profile=wan --set period=2.0 --until 2.0\n"
    )
    assert gossiplab("export", file, "--to", "experiment", "--output", toml)[0] == 0
    assert '[params]\nprofile = "wan"\nperiod = 2.0\n\n' in toml.read_text()
    assert gossiplab("run", toml, "--record", tmp_path / "again.gossip")[0] == 0
    assert (tmp_path / "again.gossip").read_bytes() == file.read_bytes()


def test_the_line_of_a_protocol_that_is_not_built_in(gossiplab, tmp_path):
    path = tmp_path / "x.gossip"
    path.write_bytes(bytes_of(header_of("chatter", nodes=2, until=1.0)))
    code, out, err = gossiplab("export", path, "--to", "line")
    assert code == 0
    assert "--protocols FOLDER" in err
    assert "--set period=" in out


@pytest.mark.parametrize(
    "flags",
    [
        ["--to", "pdf"], ["--to", ""], ["--to", "csv", "--at", "1"], ["--to", "svg", "--step", "1"],
        ["--to", "csv", "--step", "0"], ["--to", "csv", "--step", "nan"], ["--to", "csv", "--step", "x"],
        ["--to", "svg", "--at", "-1"], ["--to", "svg", "--at", "inf"], ["--to", "svg", "--width", "5"],
        ["--to", "svg", "--width", "1.5"], ["--to", "svg", "--height", "100000"], ["--to", "asciicast", "--speed", "0"],
        ["--to", "asciicast", "--speed", "1e-9"], ["--to", "jsonl", "--speed", "1"], [], ["--to"],
    ],
)  # fmt: skip
def test_flags_that_make_no_sense(gossiplab, file, tmp_path, flags):
    output = tmp_path / "out"
    refused(gossiplab("export", file, "--output", output, *flags))
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_only_looks_like_a_part_is_kept(gossiplab, file, tmp_path):
    part = tmp_path / "o.csv.part"
    part.write_text("precious")
    assert gossiplab("export", file, "--to", "csv", "--output", tmp_path / "o.csv")[0] == 0
    assert gossiplab("export", file, "--to", "csv", "--output", tmp_path / "p.csv", "--step", "1e-9")[0] == 2
    assert part.read_text() == "precious"
    assert {each.name for each in tmp_path.iterdir()} >= {"o.csv", "o.csv.part"}
    assert not list(tmp_path.glob("*.part?"))


def test_a_protocol_of_ones_own_with_the_name_of_a_built_in_one(gossiplab, tmp_path):
    """Copied, changed and run: what is exported of it, and who repeats it, does not take it for the other."""
    folder, path = tmp_path / "own", tmp_path / "run.gossip"
    folder.mkdir()
    text = (CHECKOUT / "protocols" / "rumor.py").read_text()
    changed = text.replace("k = param(2,", "k = param(5,")
    assert changed != text
    (folder / "rumor.py").write_text(changed)
    code, out, _ = gossiplab(
        "run", folder / "rumor.py", "--nodes", 30, "--set", "k=2", "--record", path, "--json"
    )
    digest = json.loads(out)["digest"]
    assert code == 0
    code, line, err = gossiplab("export", path, "--to", "line")
    assert code == 0
    assert "--set k=2" in line
    assert "add --protocols FOLDER" in err
    words = shlex.split(line)[1:]
    code, out, _ = gossiplab(*words, "--protocols", folder, "--no-record", "--json")
    assert json.loads(out)["digest"] == digest
    toml = tmp_path / "again.toml"
    assert gossiplab("export", path, "--to", "experiment", "--output", toml)[0] == 0
    code, out, _ = gossiplab("run", toml, "--protocols", folder, "--no-record", "--json")
    assert json.loads(out)["digest"] == digest
    assert gossiplab("verify", path, "--protocols", folder)[0] == 0
    for command in (["verify", path], ["verify", path, "--protocols", SPECIMENS]):
        code, _, err = gossiplab(*command)
        assert code == 2
        assert "a protocol of somebody's own, also called 'rumor': give --protocols FOLDER" in err


def test_files_that_are_there_are_kept(gossiplab, file, tmp_path):
    output = tmp_path / "thesis"
    output.write_text("years of work")
    assert "--force" in refused(gossiplab("export", file, "--to", "csv", "--output", output))
    assert output.read_text() == "years of work"
    assert gossiplab("export", file, "--to", "csv", "--output", output, "--force")[0] == 0
    assert output.read_text().startswith("t_seconds,")


def test_places_that_cannot_be_written(gossiplab, file, tmp_path):
    before = file.read_bytes()
    for place in (tmp_path, tmp_path / "nonesuch" / "x", file / "x", "", "/dev/full", file, "x" * 300):
        refused(gossiplab("export", file, "--to", "csv", "--output", place))
        refused(gossiplab("export", file, "--to", "csv", "--output", place, "--force"))
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_bytes() == before


@pytest.mark.parametrize("to", TEXT[:4] + DRAWN)
def test_broken_recordings_leave_nothing_behind(gossiplab, file, tmp_path, to):
    data = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*data[:60], b'{"e":"delivered","t":1.0,"id":12345}\n', *data[60:]]))
    refused(
        gossiplab("export", file, "--to", to, "--output", tmp_path / "out")
    ) if to != "experiment" else None
    refused(gossiplab("export", tmp_path / "nonesuch", "--to", to))
    refused(gossiplab("export", tmp_path, "--to", to))
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("to", TEXT + DRAWN)
def test_half_of_a_surrogate_pair_is_exported_as_the_text_that_is_shown_of_it(gossiplab, file, to):
    data = file.read_bytes().splitlines(keepends=True)
    data[0] = data[0].replace(b'"topology":"complete"', b'"topology":"\\ud800"')
    shown = rb'{"e":"shown","t":0.0,"node":0,"name":"\udfff","value":"\udfff"}'
    file.write_bytes(b"".join([*data[:2], shown, b"\n", *data[2:]]))
    code, out, err = gossiplab("export", file, "--to", to)
    assert (code, err) == (0, "")
    if to == "jsonl":
        assert "<U+DFFF>" in out
    if to in ("experiment", "line"):
        assert "<U+D800>" in out


def test_a_recording_that_ends_early_is_exported_up_to_there(gossiplab, file):
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    for to in (*TEXT, "svg"):
        code, out, err = gossiplab("export", file, "--to", to)
        assert code == 0
        assert out
        if to == "experiment":
            assert "The recording ends early" in out
        else:
            assert re.search(r"ends early after event \d+, and so does what is exported", err)


def test_a_full_disk_is_said():
    with open("/dev/full", "w", encoding="utf-8") as full:  # noqa: PTH123
        code, _, err = finish(start("export", "partition-and-heal", "--to", "jsonl", stdout=full))
    assert code == 2
    assert is_one_sentence(err), err
