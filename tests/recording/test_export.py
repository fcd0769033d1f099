"""Exports of what was recorded: each is read back by a stranger's rules and says what the events say."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossiplab.errors import RecordingError, UserError
from gossiplab.events import (
    Commanded,
    Crashed,
    Delivered,
    Departed,
    Dropped,
    Duplicated,
    Ended,
    Injected,
    Killed,
    Learned,
    Rejoined,
    Retired,
    Sent,
)
from gossiplab.experiment import Experiment, load_experiment, make_experiment
from gossiplab.link import Link
from gossiplab.plan import plan
from gossiplab.recording.export import table
from gossiplab.recording.export.experiment import experiment_of, export_experiment, write_experiment
from gossiplab.recording.export.jsonl import export_jsonl
from gossiplab.recording.export.shiviz import export_shiviz
from gossiplab.recording.export.table import export_csv, round_step
from gossiplab.recording.format import KEYFRAME_MARK, encoder, line_decoder
from tests.helpers import bytes_of, events_of, header_of, recording_of, specimen
from tests.recording.making import POSTS, events_in, every_bytes, every_header

EVENTS = events_in(every_bytes())


@pytest.fixture
def recording(tmp_path):
    opened = recording_of(tmp_path / "x.gossip", every_bytes())
    yield opened
    opened.close()


# csv -------------------------------------------------------------------------------------------------


def counted(events, t):
    """A row, counted from the events up to `t` without a World."""
    past = [event for event in events if event.t <= t]
    count = lambda kind: sum(isinstance(event, kind) for event in past)  # noqa: E731
    up = dict.fromkeys(range(6), True)
    knows, silent, ever = {}, {}, {}
    sent, redundant = {}, 0
    for event in past:
        match event:
            case Sent():
                sent[event.id] = event
            case Duplicated():
                sent[event.id] = sent[event.of]
            case Delivered():
                message = sent[event.id]
                known = [message.dst in knows[rumor] for rumor in message.carries]
                redundant += bool(known) and all(known)
            case Killed() | Departed() | Crashed():
                up[event.node] = False
            case Rejoined():
                up[event.node] = True
                if event.fresh:
                    for each in (*knows.values(), *silent.values()):
                        each.discard(event.node)
            case Injected():
                knows[event.rumor], silent[event.rumor], ever[event.rumor] = set(), set(), set()
            case Learned():
                knows[event.rumor].add(event.node)
                ever[event.rumor].add(event.node)
            case Retired():
                silent[event.rumor].add(event.node)
    row = {
        "t_seconds": t,
        "events": len(past),
        "alive_nodes": sum(up.values()),
        "sent_messages": count(Sent),
        "delivered_messages": count(Delivered),
        "redundant_messages": redundant,
        "dropped_messages": count(Dropped),
        "duplicated_messages": count(Duplicated),
        "in_flight_messages": count(Sent) + count(Duplicated) - count(Delivered) - count(Dropped),
        "sent_bytes": sum(event.size for event in past if isinstance(event, Sent)),
    }
    for rumor in range(sum(isinstance(event, Injected) for event in events)):
        here = {node for node in knows.get(rumor, ()) if up[node]}
        row |= {
            f"rumor_{rumor}_knowing_nodes": len(here),
            f"rumor_{rumor}_infective_nodes": len(here - silent.get(rumor, set())),
            f"rumor_{rumor}_reached_nodes": len(ever.get(rumor, ())),
            f"rumor_{rumor}_update_messages": sum(
                isinstance(event, Sent) and rumor in event.carries for event in past
            ),
        }
    return row


@pytest.mark.parametrize("step", [None, 0.37, 5.0, 100.0])
def test_csv_counts_what_happened(recording, step):
    lines = "".join(export_csv(recording, step)).splitlines()
    columns = lines[0].split(",")
    first = [name for name in columns if name not in table.OTHER_COLUMNS]
    rows = [
        dict(zip(first, map(float, line.split(",")[: len(first)]), strict=True))
        for line in lines[1 :: 1 if step else 23]
    ]
    assert rows == [counted(EVENTS, row["t_seconds"]) for row in rows]
    assert float(lines[1].split(",")[0]) == 0
    assert float(lines[-1].split(",")[0]) == EVENTS[-1].t


def test_a_table_without_end_is_refused(recording):
    with pytest.raises(UserError, match="give --step a number from"):
        next(export_csv(recording, 1e-12))


def test_csv_columns_are_documented():
    columns = [*table.COLUMNS, *(f"rumor_R_{name}" for name in table.RUMOR_COLUMNS), *table.OTHER_COLUMNS]
    for name in columns:
        assert re.search(rf"^    {name}  ", table.__doc__, re.MULTILINE), name
    guide = (Path(__file__).parents[2] / "docs" / "sharing.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \|", guide, re.MULTILINE)
    assert listed == columns


def test_csv_counts_beliefs_keys_and_estimates_where_there_are_any(tmp_path):
    def rows(protocol, at, columns):
        header = header_of(protocol, nodes=6, until=30.0, at=at)
        lines = "".join(export_csv(recording_of(tmp_path / protocol, bytes_of(header)), 1.0)).splitlines()
        assert lines[0].endswith(f"sent_bytes,{columns}")
        return [line.split(",")[10:] for line in lines[1:]]

    members = rows("swim", ["5 kill n3"], "right_beliefs,false_suspicions,false_deaths,refutations")
    assert members[0] in (["", "", "", ""], ["1.0", "0", "0", "0"])
    assert members[5] == [repr(20 / 25), "0", "0", "0"]  # five that live believe one of five others wrongly
    assert members[-1] == ["1.0", "0", "0", "0"]
    keys = rows("merkle_repair", ["3.5 write n0 k a"], "divergent_keys,stale_reads")
    assert keys[0] == ["", ""]
    assert keys[4] == ["1", "0"]
    assert keys[-1] == ["0", "0"]
    estimates = rows("push_sum", (), "lowest_estimate,middle_estimate,highest_estimate")
    assert estimates[0] == ["0.0", "3.0", "5.0"]
    assert all(abs(float(each) - 2.5) < 0.01 for each in estimates[-1])


@given(st.floats(1e-6, 1e6))
def test_a_step_is_round_and_gives_some_hundred_rows(seconds):
    step = round_step(seconds)
    assert f"{step:e}"[0] in "125"
    assert f"{step:.0e}" == f"{step:.12e}".replace(".000000000000", "")
    assert 199 <= seconds / step <= 501


# jsonl -----------------------------------------------------------------------------------------------


def test_jsonl_has_every_event_and_says_whose_message_it_was(recording):
    lines = "".join(export_jsonl(recording)).splitlines()
    whose, read = {}, []
    for number, line in enumerate(lines, start=1):
        fields = json.loads(line)
        assert list(fields)[:3] == ["number", "e", "t"]
        assert fields.pop("number") == number
        if fields["e"] == "sent":
            whose[fields["id"]] = {name: fields[name] for name in ("src", "dst", "kind")}
        elif fields["e"] in ("delivered", "dropped", "duplicated"):
            whose.setdefault(fields["id"], whose.get(fields.get("of")))
            assert {name: fields.pop(name) for name in ("src", "dst", "kind")} == whose[fields["id"]]
        read.append(line_decoder.decode(json.dumps(fields, separators=(",", ":"))))
    assert [encoder.encode(event) for event in read] == [encoder.encode(event) for event in EVENTS]


def test_jsonl_is_ascii(tmp_path):
    odd = "é\x7f\x9b\u202e\U0001f600\u2028"
    crashed = b'{"e":"crashed","t":1.0,"node":0,"file":"x","line":1,"error":' + encoder.encode(odd) + b"}\n"
    header = bytes_of(header_of("chatter", nodes=1, until=0.5)).splitlines(keepends=True)[0]
    recording = recording_of(tmp_path / "x.gossip", header + crashed)
    (line,) = export_jsonl(recording)
    recording.close()
    assert line.isascii()
    assert line.strip().isprintable()
    assert json.loads(line)["error"] == odd


# shiviz ----------------------------------------------------------------------------------------------


def read_as_shiviz(text):
    """The events of a log, as ShiViz reads an uploaded file: (host, clock, text). Written from its manual and rules:

    the first line is the regular expression, put between ^ and $ and applied to the rest with the flags g and m;
    the second is the delimiter; a clock is a JSON object, has an entry for its own host, and its zeros do not count.
    """
    parser, delimiter, log = text.split("\n", 2)
    assert delimiter == ""
    names = re.findall(r"\(\?<(\w+)>", parser)
    assert {"host", "clock", "event"} <= set(names)
    assert len(names) == len(set(names))
    pattern = re.compile(f"^{parser.replace('(?<', '(?P<')}$", re.MULTILINE)
    events = []
    for match in pattern.finditer(log.strip()):
        clock = {host: time for host, time in json.loads(match["clock"]).items() if time}
        assert match["host"] in clock
        events.append((match["host"], clock, match["event"]))
    assert len(events) == len(log.splitlines())
    return events


def happened(events):
    """What a space-time diagram shows of the events: for each its node, and its causes by number, all of them."""
    sender, sent_by = {}, {}
    nodes, causes, last = [], [], {}

    def add(node, direct):
        before = set()
        for cause in (last.get(node), direct):
            if cause is not None:
                before |= causes[cause] | {cause}
        last[node] = len(nodes)
        nodes.append(node)
        causes.append(before)

    for event in events:
        match event:
            case Sent():
                sender[event.id] = event.dst
                add(event.src, None)
                sent_by[event.id] = len(nodes) - 1
            case Duplicated():
                sender[event.id], sent_by[event.id] = sender[event.of], sent_by[event.of]
            case Delivered():
                add(sender[event.id], sent_by[event.id])
            case Learned() | Retired() | Killed() | Departed() | Rejoined() | Crashed():
                add(event.node, None)
    return nodes, causes


def test_shiviz_clocks_are_happened_before(recording):
    read = read_as_shiviz("".join(export_shiviz(recording)))
    nodes, causes = happened(EVENTS)
    assert [host for host, _, _ in read] == [f"n{node}" for node in nodes]
    own = {}
    for host, clock, _ in read:  # each host counts its own events: 1, 2, 3 ...
        own[host] = own.get(host, 0) + 1
        assert clock[host] == own[host]
    hosts = {host for host, _, _ in read}
    for number, (_, clock, _) in enumerate(read):
        assert set(clock) <= hosts
        before = {
            other
            for other, (host, theirs, _) in enumerate(read)
            if other != number and all(clock.get(each, 0) >= time for each, time in theirs.items())
        }
        assert before == causes[number]


def test_shiviz_lines_stay_lines(tmp_path):
    header = bytes_of(header_of("chatter", nodes=2, until=0.5)).splitlines(keepends=True)[0]
    sent = b'{"e":"sent","t":0.1,"id":0,"src":0,"dst":1,"due":0.2,"kind":"A\\nn9 {\\"n9\\":1} \\u001b[2J","size":1,"carries":[],"body":1}\n'
    got = b'{"e":"delivered","t":0.2,"id":0}\n'
    recording = recording_of(tmp_path / "x.gossip", header + sent + got)
    text = "".join(export_shiviz(recording))
    recording.close()
    assert [host for host, _, _ in read_as_shiviz(text)] == ["n0", "n1"]
    assert "\x1b" not in text


@pytest.mark.parametrize("export", [export_jsonl, export_shiviz])
def test_messages_that_nobody_sent_are_refused(tmp_path, export):
    header = bytes_of(header_of("chatter", nodes=2, until=0.5)).splitlines(keepends=True)[0]
    recording = recording_of(tmp_path / "x.gossip", header + b'{"e":"delivered","t":0.2,"id":7}\n')
    with pytest.raises(RecordingError, match="message 7"):
        list(export(recording))
    recording.close()


# experiment ------------------------------------------------------------------------------------------

values = (
    st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
experiments = st.builds(
    Experiment,
    protocol=st.text(),
    nodes=st.integers(0, 100_000),
    topology=st.text(),
    seed=st.integers(0, 2**63 - 1),
    params=st.dictionaries(st.text(), values),
    link=st.builds(Link, latency=st.sampled_from(["0.03", "0..1", "lognormal(0.1,2)"]), loss=st.floats(0, 1), jitter=st.floats(0, 1e6)),
    at=st.lists(st.text()).map(tuple),
    until=st.floats(0, 1e6) | st.sampled_from(["quiescent", "converged", "stopped"]),
    limit=st.floats(0, 1e6),
)  # fmt: skip


@given(experiments)
def test_any_experiment_is_written_so_that_it_is_read_back(experiment):
    text = "".join(write_experiment(experiment))
    assert make_experiment(tomllib.loads(text)) == experiment
    assert all(character.isprintable() or character == "\n" for character in text)


def again(tmp_path, data):
    """The recording that the experiment exported from a recording makes, by way of a file."""
    recording = recording_of(tmp_path / "first.gossip", data)
    file = tmp_path / "exported.toml"
    file.write_text("".join(export_experiment(recording)), encoding="utf-8")
    protocol = specimen(recording.header.experiment.protocol)
    recording.close()
    return bytes_of(plan(make_experiment(load_experiment(file)), protocol))


def event_lines(data):
    return [line for line in data.splitlines()[1:] if not line.startswith(KEYFRAME_MARK)]


def test_what_nobody_meddled_with_runs_again_to_the_same_bytes(tmp_path):
    data = bytes_of(every_header())
    assert again(tmp_path, data) == data


def test_commands_that_a_person_gave_are_scheduled_and_give_the_same_events(tmp_path):
    data = every_bytes()
    first = again(tmp_path, data)
    assert event_lines(first) == event_lines(data)
    assert again(tmp_path, first) == first


POSTED = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.5, 1.0, 1.25, 2.0, 2.5, 3.0, 9.0]),
        st.sampled_from(["kill n1", "rejoin n1", "kill n0-n2", "rejoin all fresh", "heal", "partition n0,n4", "inject n3", "leave n5", "link all all loss=0.5"]),
    ),
    max_size=5,
)  # fmt: skip


@given(posts=POSTED, until=st.sampled_from(["converged", "quiescent", 3.0]))
def test_given_and_scheduled_commands_are_the_same_run(tmp_path_factory, posts, until):
    header = header_of("chatter", nodes=6, until=until, limit=6, at=["0.5 inject n2", "2 heal", "2 kill n1"], params={"retire_after": 4})  # fmt: skip
    # a person is there only while the run lasts
    end = events_of(header)[-1].t
    posts = sorted([post for post in posts if post[0] < end], key=lambda post: post[0])
    data = bytes_of(header, posts)
    recording = recording_of(tmp_path_factory.mktemp("posts") / "x.gossip", data)
    experiment = experiment_of(recording)
    recording.close()
    assert event_lines(bytes_of(plan(experiment, specimen("chatter")))) == event_lines(data)


def test_what_a_person_ended_ends_at_that_instant(tmp_path):
    from gossiplab.recording.tape import Tape
    from tests.helpers import lab_of, post_all, run_lab

    header = header_of("chatter", nodes=6, until="stopped")
    pieces = []
    lab = lab_of(header, Tape(header, pieces.append))
    post_all(lab, [(1.0, "kill n3")])
    lab.stop(at=2.3)
    run_lab(lab)
    data = b"".join(pieces)
    first = again(tmp_path, data)
    *same, last = event_lines(first)
    assert same == event_lines(data)[:-1]
    assert line_decoder.decode(last) == Ended(2.3, "time")
    assert again(tmp_path, first) == first


def test_what_ends_early_runs_again_up_to_there(tmp_path):
    data = every_bytes()
    data = data[: len(data) // 2]
    lines = event_lines(data[: data.rfind(b"\n") + 1])
    assert event_lines(again(tmp_path, data))[: len(lines)] == lines


def test_an_experiment_holds_every_command(recording):
    experiment = experiment_of(recording)
    commands = [event for event in EVENTS if isinstance(event, Commanded)]
    assert len(experiment.at) == len(commands) == len(every_header().experiment.at) + len(POSTS)
    assert [entry.split(" ", 1)[1] for entry in experiment.at] == [event.command for event in commands]
