"""Whatever a person gets wrong: exit code 2, one sentence on standard error, nothing on standard output."""

import os

import pytest

from gossiplab.library import own_recordings
from tests.cli.running import finish, is_one_sentence, start
from tests.helpers import bytes_of, header_of

FLAGS = [
    "--nodes -1", "--nodes 1.5", "--nodes nan", "--nodes inf", "--nodes 1e400", "--nodes x", "--nodes=",
    "--nodes 99999999999999999999999999", "--nodes 100001", "--nodes ٣", "--nodes --1",
    f"--nodes {'9' * 10_000}", "--nodes",
    "--seed -1", "--seed 1.5", "--seed nan", "--seed 1e400", "--seed=", "--seed 9223372036854775808",
    "--until nan", "--until inf", "--until=-1", "--until 1e400", "--until=", "--until never",
    "--until stopped", "--until 1000001",
    "--limit nan", "--limit inf", "--limit=-1", "--limit 1e400", "--limit=", "--limit x",
    "--loss nan", "--loss 2", "--loss=-0.1", "--loss inf", "--loss=", "--loss x",
    "--duplicate 1.5", "--reorder -1", "--jitter inf", "--jitter=-1", "--bandwidth=-1", "--bandwidth nan",
    "--latency nan", "--latency inf", "--latency=-1", "--latency 0.5..0.1", "--latency 1e400",
    "--latency lognormal(0,1)", "--latency lognormal(1,1e9)", "--latency=", "--latency x",
    "--topology nonesuch", "--topology=", "--topology ring(", "--topology ring(k=1)",
    "--topology watts-strogatz(k=nan)", "--topology watts-strogatz(k=x)", "--topology erdos-renyi(p=2)",
    "--topology watts-strogatz(k=-1)", "--topology watts-strogatz(k=1e400)", "--topology tree(r=0)",
    "--topology barabasi-albert(m=0)",
    "--set", "--set=", "--set fanout", "--set nonesuch=1", "--set fanout=", "--set fanout=0",
    "--set fanout=1.5", "--set fanout=nan", "--set fanout=1e400", "--set fanout=9999999999999999999999",
    "--set period=inf", "--set period=nan", "--set period=-1", "--set period=0", "--set direction=up",
    "--set phase=", "--set =1",
    "--at", "--at=", "--at 3", "--at|kill n0", "--at|x kill n0", "--at|nan kill n0", "--at|inf kill n0",
    "--at=-1 kill n0", "--at|1e400 kill n0", "--at|3 dance n0", "--at|3 kill", "--at|3 kill n0 n1",
    "--at|3 kill n30", "--at|3 kill n-1", "--at|3 kill n3-n1", "--at|3 kill n99999999999999999999",
    "--at|3 kill n0,", "--at|3 kill 0", "--at|3 rejoin n0 stale", "--at|3 leave", "--at|3 heal n0",
    "--at|3 partition n0 from n0", "--at|3 partition n0 to n1", "--at|3 cut n0 from n1", "--at|3 inject n0-n3",
    "--at|3 link n0", "--at|3 link n0 n1 loss=nan", "--at|3 link n0 n1 loss", "--at|3 link n0 n1 speed=1",
    "--at|3 link n0 n1 latency=nan", "--at|3 link n0 n1 bandwidth=inf",
    "--protocols /nonesuch", "--nonesuch", "--nods 3", "extra", "--record", "--json=maybe",
]  # fmt: skip

FILES = {
    "broken": "nodes = = 3",
    "no protocol": "nodes = 3",
    "empty": "",
    "unknown protocol": 'protocol = "nonesuch"',
    "protocol is a number": "protocol = 3",
    "protocol is a path": 'protocol = "../../etc/passwd"',
    "unknown key": 'protocol = "epidemic"\nnods = 3',
    "unknown table": 'protocol = "epidemic"\n[links]\nloss = 0.5',
    "unknown link key": 'protocol = "epidemic"\n[link]\nlos = 0.5',
    "unknown param": 'protocol = "epidemic"\n[params]\nfan = 3',
    "nodes is a string": 'protocol = "epidemic"\nnodes = "3"',
    "nodes is a float": 'protocol = "epidemic"\nnodes = 1.5',
    "nodes is true": 'protocol = "epidemic"\nnodes = true',
    "nodes is huge": f'protocol = "epidemic"\nnodes = {"9" * 400}',
    "nodes is negative": 'protocol = "epidemic"\nnodes = -1',
    "seed is negative": 'protocol = "epidemic"\nseed = -1',
    "seed is huge": f'protocol = "epidemic"\nseed = {"9" * 5000}',
    "until nan": 'protocol = "epidemic"\nuntil = nan',
    "until inf": 'protocol = "epidemic"\nuntil = inf',
    "until is a list": 'protocol = "epidemic"\nuntil = []',
    "limit nan": 'protocol = "epidemic"\nlimit = nan',
    "limit 1e400": 'protocol = "epidemic"\nlimit = 1e400',
    "loss nan": 'protocol = "epidemic"\n[link]\nloss = nan',
    "loss is a string": 'protocol = "epidemic"\n[link]\nloss = "much"',
    "latency is no number": 'protocol = "epidemic"\n[link]\nlatency = nan',
    "latency is true": 'protocol = "epidemic"\n[link]\nlatency = true',
    "link is a number": 'protocol = "epidemic"\nlink = 3',
    "params is a list": 'protocol = "epidemic"\nparams = [1]',
    "param nan": 'protocol = "epidemic"\n[params]\nperiod = nan',
    "param is a list": 'protocol = "epidemic"\n[params]\nperiod = [1]',
    "param is a date": 'protocol = "epidemic"\n[params]\nperiod = 1979-05-27',
    "param is huge": f'protocol = "epidemic"\n[params]\nperiod = {"9" * 400}',
    "at is a string": 'protocol = "epidemic"\nat = "3 kill n0"',
    "at holds a number": 'protocol = "epidemic"\nat = [3]',
    "at is no command": 'protocol = "epidemic"\nat = ["3 dance"]',
    "an escape": 'protocol = "epidemic"\nat = ["3 \\u001B[2J\\u202E"]',
    "an escape in a key": 'protocol = "epidemic"\n"\\u001B[2J\\nx" = 1',
    "deep": 'protocol = "epidemic"\nat = ' + "[" * 5000 + "]" * 5000,
}  # fmt: skip

PROTOCOLS = {
    "syntax error": "class Mine(:",
    "no class": "x = 1",
    "empty": "",
    "raises": "1 / 0",
    "exits": "raise SystemExit(0)",
    "speaks twice": "raise ValueError('one\\ntwo\\x1b[2J')",
    "imports nothing there": "import nonesuch_module",
    "not text": "\x00",
    "bad param": "from gossiplab import Protocol, param\nclass Mine(Protocol):\n    x = param(3, low=5, doc='')",
}  # fmt: skip


def split(text):
    return text.split("|") if "|" in text else text.split(" ") if "=-1 " not in text else [text]


def refused(result):
    code, out, err = result
    assert is_one_sentence(err), err
    assert (code, out) == (2, "")


@pytest.mark.parametrize("flags", FLAGS, ids=lambda flags: flags[:40])
def test_flags(gossiplab, flags):
    refused(gossiplab("run", "epidemic", "--no-record", *split(flags)))


@pytest.mark.parametrize("name", FILES)
def test_experiment_files(gossiplab, tmp_path, name):
    file = tmp_path / "experiment.toml"
    file.write_text(FILES[name])
    refused(gossiplab("run", file))


@pytest.mark.parametrize("name", FILES)
def test_experiment_files_with_flags_over_them(gossiplab, tmp_path, name):
    file = tmp_path / "experiment.toml"
    file.write_text(FILES[name])
    code, out, err = gossiplab(
        "run", file, "--loss", "0.1", "--set", "fanout=2", "--at", "1 heal", "--no-record", "--limit", "5"
    )
    assert (code, out) == (2, "") or name in {"loss nan", "loss is a string", "limit nan", "limit 1e400"}
    assert code in {0, 2}
    assert code == 0 or is_one_sentence(err), err


@pytest.mark.parametrize(
    "target", ["nonesuch", "", "nonesuch.toml", "nonesuch.py", "a\x1b[2Jb", "é.toml", "../rumor"]
)
def test_targets_that_are_not_there(gossiplab, target):
    refused(gossiplab("run", target))


def test_targets_that_cannot_be_read(gossiplab, tmp_path):
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "folder.py").mkdir()
    for name in ("folder.toml", "bytes.toml", "folder.py"):
        refused(gossiplab("run", tmp_path / name))


@pytest.mark.parametrize(
    "arguments",
    [[], ["run"], ["replay"], ["verify"], ["nonesuch"], ["--nonesuch"], ["run", "epidemic", "x", "y"]],
)
def test_commands(gossiplab, arguments):
    refused(gossiplab(*arguments))  # without any: the demo, which needs a terminal


@pytest.mark.parametrize("name", PROTOCOLS)
def test_protocol_files(gossiplab, tmp_path, name):
    file = tmp_path / "mine.py"
    file.write_text(PROTOCOLS[name])
    refused(gossiplab("run", file, "--no-record"))
    refused(gossiplab("run", "mine", "--protocols", tmp_path, "--no-record"))
    code, out, err = gossiplab("protocols", tmp_path)
    assert (code, err) == (0, "")
    assert "epidemic  Push" in out
    assert "\x1b" not in out


def test_a_protocol_that_fails_in_a_handler_keeps_what_happened(gossiplab, tmp_path):
    from gossiplab.recording.reader import open_recording
    from tests.helpers import SPECIMENS

    file = tmp_path / "run.gossip"
    code, out, err = gossiplab(
        "run", SPECIMENS / "faulty.py", "--set", "where=handler", "--set", "first=2", "--nodes", "3",
        "--until", "5", "--record", file, "--json",
    )  # fmt: skip
    assert code == 2
    assert is_one_sentence(err)
    assert "n2 crashed" in err
    assert "faulty.py, line " in err
    assert '"stopped_by": "time"' in out
    recording = open_recording(file)
    assert not recording.torn
    assert [crash.node for crash in recording.at(5).crashes] == [2]
    recording.close()
    code, _, _ = gossiplab("verify", file, "--protocols", SPECIMENS)
    assert code == 0


def test_places_that_cannot_be_recorded_to(gossiplab, tmp_path):
    foreign = tmp_path / "thesis.txt"
    foreign.write_text("years of work")
    for place in (tmp_path / "nonesuch" / "x.gossip", tmp_path, foreign, "/dev/full", "", foreign / "x"):
        refused(gossiplab("run", "epidemic", "--record", place))
        refused(gossiplab("run", "epidemic", "--record", place, "--json"))
    refused(gossiplab("run", "epidemic", "--record", tmp_path / "nonesuch" / "x.gossip.zst"))
    refused(gossiplab("run", "epidemic", "--record", tmp_path / "x.gossip", "--no-record"))
    assert foreign.read_text() == "years of work"
    assert sorted(tmp_path.iterdir()) == [foreign]


def test_recordings_that_cannot_be_used(gossiplab, tmp_path):
    good = bytes_of(header_of("epidemic", nodes=3))
    line, _, rest = good.partition(b"\n")
    contents = {
        "empty": b"",
        "newline": b"\n",
        "text": b"once upon a time\n",
        "json": b'{"hello": 1}\n',
        "list": b"[1]\n",
        "binary": os.urandom(4096),
        "zeros": bytes(4096),
        "torn header": line[:100],
        "header without its newline": line,
        "newer": line.replace(b'{"gossiplab":1', b'{"gossiplab":99') + b"\n" + rest,
        "version is a string": line.replace(b'{"gossiplab":1', b'{"gossiplab":"1"') + b"\n" + rest,
        "version is zero": line.replace(b'{"gossiplab":1', b'{"gossiplab":0') + b"\n" + rest,
        "version is true": line.replace(b'{"gossiplab":1', b'{"gossiplab":true') + b"\n" + rest,
        "unknown field": line[:-1] + b',"x":1}\n' + rest,
        "nodes": line.replace(b'"nodes":3', b'"nodes":-3') + b"\n" + rest,
        "zstd of nothing": b"\x28\xb5\x2f\xfd",
        "zstd and noise": b"\x28\xb5\x2f\xfd" + os.urandom(100),
    }
    places = [tmp_path / "nonesuch", tmp_path, "", tmp_path / "fifo", "/dev/full", "/dev/zero"]
    os.mkfifo(tmp_path / "fifo")
    for name, content in contents.items():
        places.append(tmp_path / f"{name}.gossip")
        places[-1].write_bytes(content)
    for place in places:
        refused(gossiplab("verify", place))
        refused(gossiplab("replay", place, "--headless"))
        refused(gossiplab("replay", place, "--headless", "--at", 1, "--json"))


@pytest.mark.parametrize("t", ["nan", "inf", "-1", "x", "", "1e400"])
def test_instants_that_cannot_be_looked_at(gossiplab, tmp_path, t):
    file = tmp_path / "x.gossip"
    file.write_bytes(bytes_of(header_of("epidemic", nodes=3)))
    refused(gossiplab("replay", file, "--headless", f"--at={t}"))


def test_nothing_was_recorded_of_what_was_refused(gossiplab, own):
    refused(gossiplab("run", "epidemic", "--nodes", "-1"))
    refused(gossiplab("run", "epidemic", "--at", "3 kill n99"))
    assert own_recordings() == own
    assert not own.exists()


def test_the_lab_needs_a_terminal(gossiplab, own):
    refused(gossiplab())
    refused(gossiplab("lab", "epidemic"))
    refused(gossiplab("replay", "rumor-dies-too-early"))
    assert not own.exists()


def test_a_protocol_that_fails_on_every_node_says_it_once(gossiplab):
    from tests.helpers import SPECIMENS

    code, _, err = gossiplab(
        "run", SPECIMENS / "faulty.py", "--set", "where=setup", "--nodes", "5", "--no-record"
    )
    assert code == 2
    assert is_one_sentence(err), err
    assert "n0 crashed" in err
    assert "(and 4 more crashed)" in err


@pytest.mark.parametrize("arguments, said", [
    (["run"], "gossiplab run needs PROTOCOL: write, for instance, gossiplab run epidemic."),
    (["lab"], "gossiplab lab needs PROTOCOL: write, for instance, gossiplab lab epidemic."),
    (["export", "x"], "gossiplab export needs --to: write, for instance, gossiplab export FILE --to csv."),
    (["run", "/"], "/ is a folder: name a protocol, or a file in it that ends in .py or .toml."),
    (["run", "epidemic", "--nods", "3"], "gossiplab run has no option --nods: perhaps you mean --nodes, see gossiplab run --help."),
    (["run", "epidemic", "--loss", "x"], "--loss cannot be 'x': give a number, such as 0.5."),
    (["run", "epidemic", "--at", "-1 kill n0"], "'-1 kill n0' cannot happen at -1 s: give seconds from 0 to 1000000."),
    (["run", "epidemic", "--at"], "--at needs a value after it: see gossiplab run --help."),
    (["run", "epidemic", "--json=maybe"], "--json cannot be 'maybe': give true, false or nothing after it, see gossiplab run --help."),
    (["run", "epidemic", "--seed", "1", "--seed", "2"], "--seed is given twice: give it once."),
    (["--ascii", "replay", "x y"], "options stand behind the command: write gossiplab replay 'x y' --ascii."),
    (["--ascii", "lab", "rumor", "--nods", "3"], "options stand behind the command: write gossiplab lab rumor --nods 3 --ascii."),
    (["--nods", "3", "rumor"], "gossiplab has no option --nods: see gossiplab --help."),
    (["run", "dynamo", "--set", "r=4"], "the parameter r cannot be 4: a key has n=3 homes, give at most as many."),
    (["--ascii", "swim"], "there is nothing to do with 'swim': write a command, such as gossiplab run epidemic, or see --help."),
    (["run", "epidemic", "replay"], "there is nothing to do with 'replay': write a command, such as gossiplab run epidemic, or see --help."),
    (["replay", "nonesuch"], "nonesuch cannot be used: there is no such file: list yours with `gossiplab recordings`."),
    (["serve", "rumor", "--nodes", "x"], "--nodes cannot be 'x': give a whole number."),
    (["serve", "rumor", "--record", "x"], "every page gets a lab of its own, and they cannot all record to one file: leave out --record."),
])  # fmt: skip
def test_what_is_said(gossiplab, arguments, said):
    code, out, err = gossiplab(*arguments)
    assert (code, out, err) == (2, "", f"gossiplab: {said}\n")


def test_a_long_name_does_not_hide_the_reason():
    code, out, err = finish(start("run", f"{'x' * 5000}.toml"))
    assert (code, out) == (2, "")
    assert len(err) < 2100
    assert err.startswith("gossiplab: xxx")
    assert err.endswith("xxx.toml cannot be used: File name too long; give another name.\n")


def test_the_extra_for_the_browser_is_named(gossiplab, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "textual_serve", None)
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    monkeypatch.delitem(sys.modules, "gossiplab.serve", raising=False)
    result = gossiplab("serve")
    refused(result)
    assert "pip install textual-serve" in result[2]


def test_an_experiment_that_is_no_regular_file_is_refused_at_once(gossiplab, tmp_path):
    pipe, endless, long = tmp_path / "pipe.toml", tmp_path / "zero.toml", tmp_path / "long.toml"
    os.mkfifo(pipe)
    endless.symlink_to("/dev/zero")
    long.write_text("#" * 2_000_000)
    for path, why in (
        (pipe, "no regular file"),
        (endless, "no regular file"),
        (long, "more than 1,048,576 characters"),
    ):
        result = gossiplab("run", path)
        refused(result)
        assert why in result[2]


HOOKS = {
    "complete": ("raise KeyError('x')", "A.complete failed in a.py, line 6 (KeyError: 'x'): mend it."),
    "complete ": ("raise ValueError('k is odd: make it even.')", "k is odd: make it even."),
    "complete  ": ("return {'x': object()}", "A has no parameter 'x': it has none."),
    "complete   ": ("return 5", "A.complete says 5, which has no meaning there: mend it."),
    "stops_itself": (
        "raise SystemExit(9)",
        "A.stops_itself failed in a.py, line 6 (SystemExit: 9): mend it.",
    ),
    "first_rumor": ("return 'x'", "A.first_rumor says 'x', which has no meaning there: mend it."),
    "first_rumor ": ("return float('nan')", "A.first_rumor says nan: give seconds from 0 up."),
    "cycle": ("return 1", "A.cycle says 1, which has no meaning there: mend it."),
}


@pytest.mark.parametrize("hook", HOOKS)
def test_what_a_protocol_says_of_a_run_may_be_wrong(hook, tmp_path):
    body, says = HOOKS[hook]
    text = f"""from gossiplab import Protocol
class A(Protocol):
    def on_inject(self, rumor): pass
    @classmethod
    def {hook.strip()}(cls, params):
        {body}
"""
    (tmp_path / "a.py").write_text(text)
    code, out, err = finish(start("run", tmp_path / "a.py", "--nodes", 3, "--no-record"))
    assert (code, out, err) == (2, "", f"gossiplab: {says}\n")
