"""`gossiplab run`: what it prints, how it ends, and where it is recorded."""

import json
import multiprocessing
import os

import msgspec
import pytest

from gossiplab import library
from gossiplab.recording.reader import open_recording
from tests.cli.running import finish, is_one_sentence, start
from tests.helpers import SPECIMENS
from tests.recording.making import digest_of

needs_rights = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


class Messages(msgspec.Struct, forbid_unknown_fields=True):
    sent: int
    delivered: int
    dropped: int
    duplicated: int
    in_flight: int
    bytes: int


class Rumor(msgspec.Struct, forbid_unknown_fields=True):
    id: int
    source: int
    reached: int
    residue: float
    traffic: float
    t_ave: float | None
    t_last: float | None


class Figures(msgspec.Struct, forbid_unknown_fields=True):
    """What the README promises, to the name."""

    protocol: str
    nodes: int
    seed: int
    params: dict[str, bool | int | float | str]
    virtual_seconds: float
    wall_seconds: float
    stopped_by: str
    events: int
    messages: Messages
    rumors: list[Rumor]
    digest: str


@pytest.fixture
def figures(gossiplab):
    """Run with --json; standard error stays silent."""

    def run(*arguments):
        code, out, err = gossiplab("run", *arguments, "--json")
        assert (code, err) == (0, "")
        assert out.count("\n") == 1
        return msgspec.json.decode(out, type=Figures)

    return run


def test_json(figures, own):
    got = figures(
        "epidemic", "--nodes", 8, "--seed", 5, "--set", "fanout=2", "--loss", "0.2", "--duplicate", "0.1"
    )
    assert (got.protocol, got.nodes, got.seed) == ("epidemic", 8, 5)
    assert got.params["fanout"] == 2
    assert got.stopped_by == "converged"
    counts = got.messages
    assert counts.sent + counts.duplicated == counts.delivered + counts.dropped + counts.in_flight
    (rumor,) = got.rumors
    assert (rumor.id, rumor.source, rumor.reached, rumor.residue) == (0, 0, 8, 0.0)
    assert 0 < rumor.t_ave <= rumor.t_last
    (file,) = own.iterdir()
    assert digest_of(file.read_bytes()) == got.digest


def test_an_experiment_file_and_the_flags_over_it(figures, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        'protocol = "epidemic"\nnodes = 9\nseed = 3\nat = ["1 kill n1"]\nuntil = 4\n[params]\nfanout = 2\n[link]\nloss = 0.1\n'
    )
    same = figures(
        "epidemic",
        "--nodes",
        9,
        "--seed",
        3,
        "--at",
        "1 kill n1",
        "--until",
        4,
        "--set",
        "fanout=2",
        "--loss",
        "0.1",
    )
    got = figures(file)
    assert got.digest == same.digest
    assert (got.nodes, got.stopped_by, got.virtual_seconds) == (9, "time", 4.0)
    assert figures(file, "--seed", 4).digest != got.digest


def test_an_experiment_that_comes_along_is_found_by_its_name(gossiplab, tmp_path, monkeypatch):
    def run(*flags):
        code, out, err = gossiplab("run", "the-dead-come-back.toml", *flags, "--no-record", "--json")
        assert (code, err) == (0, "")
        return json.loads(out)

    monkeypatch.chdir(tmp_path)
    assert run()["params"]["precedence"] == "memberlist"
    assert run("--set", "precedence=swim")["params"]["precedence"] == "swim"
    (tmp_path / "the-dead-come-back.toml").write_text('protocol = "rumor"\nnodes = 5\n')
    assert run()["protocol"] == "rumor"  # one's own comes first


@pytest.mark.parametrize("name", ["rumor", "epidemic"])
@pytest.mark.parametrize("nodes", [0, 1, 2])
@pytest.mark.parametrize("until", ["quiescent", "converged", "5"])
def test_very_small_labs_end(figures, name, nodes, until):
    got = figures(name, "--nodes", nodes, "--until", until, "--no-record", "--limit", 20)
    assert got.nodes == nodes
    assert len(got.rumors) == min(nodes, 1)
    if name == "rumor" or until != "quiescent":
        assert got.stopped_by in {"converged", "quiescent", "time"}


@pytest.mark.parametrize(
    "topology",
    ["complete", "ring", "grid", "erdos-renyi", "watts-strogatz", "barabasi-albert", "tree", "two-clusters"],
)
@pytest.mark.parametrize("nodes", [0, 1, 2, 3])
def test_very_small_topologies_end(figures, topology, nodes):
    got = figures("epidemic", "--topology", topology, "--nodes", nodes, "--no-record")
    assert len(got.rumors) == min(nodes, 1)
    if topology in {"complete", "ring", "grid", "tree", "two-clusters"}:  # the others may fall apart
        assert sum(rumor.reached for rumor in got.rumors) == nodes


@pytest.mark.parametrize("name", ["rumor", "epidemic"])
@pytest.mark.parametrize("until", ["quiescent", "converged"])
def test_it_ends_when_all_are_dead(figures, name, until):
    got = figures(name, "--nodes", 6, "--at", "0.5 kill all", "--until", until, "--no-record")
    assert got.stopped_by == "quiescent"
    assert got.virtual_seconds < 10


@pytest.mark.parametrize("name", ["rumor", "epidemic"])
@pytest.mark.parametrize("until", ["quiescent", "converged"])
def test_it_ends_when_everything_is_lost(figures, name, until):
    got = figures(name, "--nodes", 6, "--loss", 1, "--until", until, "--limit", 30, "--no-record")
    assert got.stopped_by in {"quiescent", "limit"}
    assert got.messages.delivered == 0
    assert got.rumors[0].reached == 1
    assert got.rumors[0].t_last is None


def test_commands_take_effect(figures):
    got = figures("epidemic", "--nodes", 16, "--at", "0 partition n0-n7", "--at", "20 heal", "--no-record")
    assert got.virtual_seconds > 20
    assert got.rumors[0].reached == 16


def test_the_summary_says_where_the_recording_is(gossiplab, own):
    code, out, err = gossiplab("run", "epidemic", "--nodes", 5)
    assert (code, err) == (0, "")
    (file,) = own.iterdir()
    assert out.splitlines()[0] == "epidemic: 5 nodes, seed 0"
    assert out.splitlines()[-1] == f"recorded to {file}"
    assert gossiplab("verify", file)[0] == 0
    assert gossiplab("verify", file.name)[0] == 0  # as `gossiplab recordings` lists it


def test_recording_can_be_left(gossiplab, own):
    code, out, _ = gossiplab("run", "epidemic", "--nodes", 5, "--no-record")
    assert code == 0
    assert "recorded" not in out
    assert not own.exists()


def test_recording_or_not_is_the_same_run(figures, own, tmp_path):
    plain, packed = tmp_path / "x.gossip", tmp_path / "x.gossip.zst"
    digests = {
        figures("epidemic", *flags).digest
        for flags in ([], ["--no-record"], ["--record", plain], ["--record", packed])
    }
    assert len(digests) == 1
    assert [file.read_bytes() for file in own.iterdir()] == [plain.read_bytes()]
    assert sorted(tmp_path.iterdir()) == [tmp_path / "own", plain, packed]


def _make_paths(folder, gate, answers):
    os.environ["XDG_DATA_HOME"] = folder
    gate.wait()
    answers.put([str(library.default_path("same")) for _ in range(20)])


def test_two_runs_of_the_same_second_get_two_files(own):
    context = multiprocessing.get_context("fork")
    gate, answers = context.Barrier(3), context.Queue()
    makers = [
        context.Process(target=_make_paths, args=(os.environ["XDG_DATA_HOME"], gate, answers))
        for _ in range(3)
    ]
    for maker in makers:
        maker.start()
    paths = [path for _ in makers for path in answers.get(timeout=30)]
    for maker in makers:
        maker.join()
    assert len(set(paths)) == 60


def unrecorded(gossiplab, digest):
    code, out, err = gossiplab("run", "epidemic", "--nodes", 5, "--json")
    assert code == 0
    assert json.loads(out)["digest"] == digest
    assert is_one_sentence(err)
    assert "goes on unrecorded" in err
    _, out, _ = gossiplab("run", "epidemic", "--nodes", 5)
    assert "recorded to" not in out


def test_without_a_folder_it_goes_on_unrecorded(gossiplab, figures, tmp_path, monkeypatch):
    digest = figures("epidemic", "--nodes", 5, "--no-record").digest
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    unrecorded(gossiplab, digest)


@needs_rights
def test_with_a_folder_that_is_read_only_it_goes_on_unrecorded(gossiplab, figures, own):
    digest = figures("epidemic", "--nodes", 5, "--no-record").digest
    own.mkdir(parents=True)
    own.chmod(0o500)
    unrecorded(gossiplab, digest)


@pytest.mark.parametrize("room", [0, 100, 2000])
def test_on_a_full_disk_it_goes_on_unrecorded(gossiplab, figures, own, monkeypatch, room):
    digest = figures("epidemic", "--nodes", 5, "--no-record").digest
    left, write = room, os.write

    def short(fd, data):
        nonlocal left
        if not left:
            raise OSError(28, "No space left on device")
        written = write(fd, data[:left])
        left -= written
        return written

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", short)
        unrecorded(gossiplab, digest)
    files = list(own.iterdir())
    assert len(files) == (room > 0)
    if room == 2000:
        with_what_fitted = open_recording(files[0])
        assert with_what_fitted.torn
        with_what_fitted.close()


def test_nothing_breaks_without_a_home(own):
    process = start("run", "epidemic", "--nodes", 3, env={"HOME": "/nonexistent", "XDG_DATA_HOME": ""})
    code, out, err = finish(process)
    assert code == 0
    assert "Traceback" not in err
    assert out


def test_protocols(gossiplab):
    code, out, err = gossiplab("protocols")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    names = [line.split()[0] for line in lines if line[0] != " "]
    assert names == sorted(names)
    assert {
        "crdt_gossip",
        "cyclon",
        "dynamo",
        "epidemic",
        "heartbeat",
        "hyparview",
        "plumtree",
        "push_sum",
        "rumor",
        "swim",
    } <= {*names}
    for name in (
        "direction",
        "feedback",
        "stop",
        "k",
        "connection_limit",
        "hunt_limit",
        "minimize",
        "fanout",
        "period",
        "phase",
    ):
        assert any(line.startswith(f"    {name} = ") for line in lines), name
    assert "chatter" in gossiplab("protocols", SPECIMENS)[1]
    code, out, err = gossiplab("protocols", "/nonesuch")
    assert (code, out) == (2, "")
    assert is_one_sentence(err)


def test_recordings(gossiplab, own):
    assert gossiplab("run", "epidemic", "--nodes", 5)[0] == 0
    (file,) = own.iterdir()
    (own / "torn.gossip").write_bytes(file.read_bytes()[:-5])
    (own / "bad\x1b[2J.gossip").write_bytes(b"once upon a time")
    (own / "notes.txt").write_text("not listed")
    code, out, err = gossiplab("recordings")
    assert (code, err) == (0, "")
    assert "partition-and-heal.gossip.zst  epidemic, 30 nodes, " in out
    assert f"{file.name}  epidemic, 5 nodes, " in out
    assert str(file) in out
    assert any(line.startswith("torn.gossip") and line.endswith("ends early") for line in out.splitlines())
    assert "it is no recording of gossiplab" in out
    assert "notes.txt" not in out
    assert "\x1b" not in out


# when nobody says when it ends -----------------------------------------------------------------------


def test_what_stops_by_itself_is_waited_for(figures, tmp_path):
    rumor = figures("rumor", "--nodes", 50, "--no-record")
    assert rumor.stopped_by == "quiescent"
    assert rumor.digest == figures("rumor", "--nodes", 50, "--no-record", "--until", "quiescent").digest
    assert figures("epidemic", "--set", "stop=median-counter", "--no-record").stopped_by == "quiescent"
    file = tmp_path / "x.toml"
    file.write_text('protocol = "rumor"\nnodes = 50\n')
    assert figures(file, "--no-record").digest == rumor.digest


def test_what_never_stops_is_done_when_everybody_knows(figures):
    assert figures("epidemic", "--no-record").stopped_by == "converged"
    assert figures("rumor", "--nodes", 50, "--until", "converged", "--seed", 1, "--set", "k=4", "--no-record").stopped_by == "converged"  # fmt: skip


# a recording that is there ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x.gossip", "x.gossip.zst"])
def test_a_recording_is_not_recorded_over(gossiplab, tmp_path, name):
    file = tmp_path / name
    assert gossiplab("run", "epidemic", "--nodes", 3, "--record", file)[0] == 0
    before = file.read_bytes()
    for flags in ([], ["--json"]):
        code, out, err = gossiplab("run", "epidemic", "--nodes", 4, "--record", file, *flags)
        assert (code, out) == (2, "")
        assert is_one_sentence(err)
        assert "--force" in err
    assert file.read_bytes() == before
    assert gossiplab("run", "epidemic", "--nodes", 4, "--record", file, "--force")[0] == 0
    assert file.read_bytes() != before
    assert gossiplab("verify", file)[0] == 0
    assert list(tmp_path.iterdir()) == [file]


def test_what_a_killed_run_left_is_not_recorded_over(gossiplab, tmp_path):
    assert gossiplab("run", "epidemic", "--nodes", 3, "--record", tmp_path / "whole.gossip")[0] == 0
    part = (tmp_path / "whole.gossip").rename(tmp_path / "x.gossip.zst.part")
    code, _, err = gossiplab("run", "epidemic", "--nodes", 4, "--record", tmp_path / "x.gossip.zst")
    assert code == 2
    assert part.name in err
    assert list(tmp_path.iterdir()) == [part]


def test_force_does_not_reach_what_is_no_recording(gossiplab, tmp_path):
    file = tmp_path / "thesis"
    file.write_text("years of work")
    code, _, err = gossiplab("run", "epidemic", "--nodes", 4, "--record", file, "--force")
    assert code == 2
    assert "is no recording" in err
    assert file.read_text() == "years of work"


# the summary -----------------------------------------------------------------------------------------


def test_the_summary_reads_as_it_is_typed(gossiplab):
    out = gossiplab("run", "rumor", "--nodes", 5, "--until", 2, "--no-record")[1].splitlines()
    assert "feedback=true" in out[1]
    assert "minimize=false" in out[1]
    assert out[2].startswith("ended at --until after 2 virtual s (")
    out = gossiplab("run", "sequences", "--protocols", SPECIMENS, "--until", 1, "--no-record")[1]
    assert "\n  \n" not in out
