"""The recordings that come along: each is what its experiment gives, to the byte, and shows what its name says."""

import pytest

from gossiplab.content import content_folder, load_protocol
from gossiplab.events import Believed
from gossiplab.experiment import load_experiment, make_experiment
from gossiplab.plan import plan
from gossiplab.recording.reader import open_recording
from gossiplab.recording.verify import verify
from gossiplab.world.metrics import membership_figures, replica_figures, rumor_figures

FOLDER = content_folder("recordings")
FILES = sorted(FOLDER.glob("*.gossip.zst"))


@pytest.fixture(params=FILES, ids=lambda path: path.name)
def path(request):
    return request.param


@pytest.fixture
def recording(path):
    recording = open_recording(path)
    yield recording
    recording.close()


def test_there_are_some():
    names = {path.name.removesuffix(".gossip.zst") for path in FILES}
    assert names >= {"rumor-dies-too-early", "partition-and-heal"}
    assert {path.stem for path in FOLDER.glob("*.toml")} == names


def test_it_verifies_to_the_byte(recording):
    again = f"gossiplab run recordings/NAME.toml --record {recording.path.name}"
    difference = verify(recording, load_protocol(recording.header.experiment.protocol))
    assert difference is None, f"a change of the lab or the protocol: if it is meant, make it again: {again}"


def test_it_is_what_its_experiment_gives(path, recording):
    toml = path.with_name(path.name.replace(".gossip.zst", ".toml"))
    experiment = make_experiment(load_experiment(toml))
    header = plan(experiment, load_protocol(experiment.protocol))
    assert header.experiment == recording.header.experiment
    assert header.cycle == recording.header.cycle


def test_it_is_small_and_whole(path, recording):
    assert path.stat().st_size < 200_000
    assert not recording.torn
    assert recording.at_event(recording.length).ended


def test_rumor_dies_too_early():
    recording = open_recording(FOLDER / "rumor-dies-too-early.gossip.zst")
    world = recording.at(recording.end)
    (rumor,) = rumor_figures(world)
    assert world.ended == "quiescent"
    assert 0.1 < rumor.residue < 0.25  # of a thousand it would be 0.18
    assert len(world.rumors[0].retired) == rumor.reached
    recording.close()


def test_partition_and_heal():
    recording = open_recording(FOLDER / "partition-and-heal.gossip.zst")
    one, other = set(range(15)), set(range(15, 30))

    before = recording.at(7.9)
    assert before.word() == "partitioned"
    assert before.alive == 27
    assert set(before.rumors[0].arrivals) == one  # the dead included
    assert set(before.rumors[1].arrivals) == other - {20}

    back = recording.at(10.6)
    assert 12 in back.rumors[0].arrivals
    assert 8 not in back.rumors[0].arrivals

    end = recording.at(recording.end)
    assert end.word() == "converged"
    assert end.alive == 30
    recording.close()


def rows(world):
    """What each node believes of all."""
    return [beliefs.states for beliefs in world.membership.beliefs]


def test_refuted_suspicion():
    recording = open_recording(FOLDER / "refuted-suspicion.gossip.zst")
    before = recording.at(7.9)
    assert all(row[5] == "s" for node, row in enumerate(rows(before)) if node != 5)
    back = recording.at(10)
    assert all(row[5] == "a" for row in rows(back))
    assert {beliefs.incarnation_of(5) for beliefs in back.membership.beliefs} == {2}
    figures = membership_figures(recording.at(recording.end))
    assert figures.false_suspicions
    assert figures.refutations
    assert figures.false_deaths == 0
    (failure,) = figures.failures
    assert failure.node == 9
    assert failure.last_to_know - failure.first_declared < 1
    recording.close()


def test_slow_members():
    recording = open_recording(FOLDER / "slow-members.gossip.zst")
    slow, killed = {3, 11}, 19
    accusers, accused = set(), set()
    for event in recording.read():
        if isinstance(event, Believed) and event.state == "dead" and event.about not in {*slow, killed}:
            accusers.add(event.node)
            accused.add(event.about)
    assert accusers == slow  # whoever holds a healthy member for dead is slow itself
    figures = membership_figures(recording.at(recording.end))
    assert figures.false_deaths_of_healthy == len(accused) == 5
    assert [failure.node for failure in figures.failures] == [killed]
    recording.close()


def test_membership_heals():
    recording = open_recording(FOLDER / "membership-heals.gossip.zst")
    assert set("".join(row[6:] for row in rows(recording.at(22.9))[:6])) <= set("ds")
    assert set("".join(row[:6] for row in rows(recording.at(22.9))[6:])) == {"d"}
    assert rows(recording.at(recording.end)) == ["a" * 12] * 12
    figures = membership_figures(recording.at(recording.end))
    assert (figures.false_deaths, figures.refutations) == (12, 12)
    recording.close()


def test_the_dead_come_back():
    recording = open_recording(FOLDER / "the-dead-come-back.gossip.zst")
    dead, again = recording.at(20), recording.at(24)
    assert dead.nodes[7].status == again.nodes[7].status == "dead"
    assert {row[7] for row in rows(dead)[:4]} == {"d"}
    assert {row[7] for row in rows(again)[:4]} == {"a"}
    known = [membership_figures(recording.at(t)).failures[0].last_to_know for t in (20, 24, recording.end)]
    assert known[0] < 7
    assert known[1] is None  # it looked as if everybody knew
    assert known[2] > 18
    recording.close()


def test_the_deleted_come_back():
    recording = open_recording(FOLDER / "the-deleted-come-back.gossip.zst")

    def with_a_cart(t):
        replicas = recording.at(t).replicas
        values = replicas.keys["cart"].values
        return {node for node in range(8) if values(replicas.held(node, "cart"))}

    assert with_a_cart(12.9) == {6, 7}
    assert with_a_cart(15.9) == {7}
    assert with_a_cart(29.9) == {7}
    assert with_a_cart(recording.end) == set(range(8))
    assert replica_figures(recording.at(29.9)).resurrected_deletes == 0
    assert replica_figures(recording.at(recording.end)).resurrected_deletes == 7


def test_siblings_resolved():
    recording = open_recording(FOLDER / "siblings-resolved.gossip.zst")
    apart = recording.at(15.9).replicas
    values = {
        apart.keys["cart"].versions[name].value for node in (6, 7, 0) for name in apart.held(node, "cart")
    }
    assert values == {"milk eggs", "milk tea"}
    assert [len(apart.held(node, "cart")) for node in (6, 7, 0)] == [1, 1, 1]
    healed = recording.at(23.9).replicas
    assert [len(healed.held(node, "cart")) for node in (6, 7, 0)] == [2, 2, 2]
    end = recording.at(recording.end)
    (name,) = end.replicas.held(6, "cart")
    assert end.replicas.keys["cart"].versions[name].value == "milk eggs tea"
    assert [end.replicas.held(node, "cart") for node in range(8)] == [(name,), *[()] * 5, (name,), (name,)]
    figures = replica_figures(end)
    assert (figures.siblings_created, figures.siblings_resolved) == (1, 1)
    assert (figures.lost_writes, figures.divergent_keys, figures.failed_writes) == (0, 0, 0)
    recording.close()


def test_stale_read():
    recording = open_recording(FOLDER / "stale-read.gossip.zst")
    assert replica_figures(recording.at(15)).stale_reads == 0
    assert replica_figures(recording.at(17)).stale_reads == 1
    end = replica_figures(recording.at(recording.end))
    assert (end.reads, end.stale_reads, end.lost_writes, end.divergent_keys) == (2, 1, 0, 0)
    recording.close()


def test_disk_lost_and_repaired():
    recording = open_recording(FOLDER / "disk-lost-and-repaired.gossip.zst")
    assert replica_figures(recording.at(13.9)).divergent_keys == 0  # the one write has reached everybody
    assert replica_figures(recording.at(14)).divergent_keys == 5
    lost = recording.at(26)
    assert lost.replicas.seeded[2] == 0
    assert replica_figures(lost).divergent_keys == 241
    end = replica_figures(recording.at(recording.end))
    assert (end.divergent_keys, end.lost_writes) == (0, 0)
    cheap, *_, damage, disk = [repair for repair in end.repairs if repair.differing]
    assert (cheap.differing, damage.differing, disk.differing) == (1, 5, 241)
    assert cheap.bytes < cheap.full_copy_bytes / 15
    assert disk.bytes > disk.full_copy_bytes  # a tree is worth its hashes when little differs
    recording.close()
