"""The data on the nodes of a lab: their disks, what is on them, what clients ask of them, and damage.

A protocol opens a `Store` and works with it; every change of it becomes an event here, so that no protocol can forget
to say one, and damage needs no protocol's help. Versions get names by which events mean them: a write that is stamped
or dotted is named after that, whatever else after its content. The first time that a name comes up the version itself
is told, once for all nodes.

Imports workload, events, node, faults and the library of replicas; reaches the lab through `ReplicasLab`.
"""

from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import NamedTuple
from typing import Protocol as Interface

import msgspec

from gossiplab.commands import Backup, Corrupt, Delete, Read, Restore, Wipe, Write
from gossiplab.engine.faults import counted, finite, named
from gossiplab.engine.kernel import CLIENT, Kernel, Undone
from gossiplab.engine.node import Node
from gossiplab.errors import ProtocolError
from gossiplab.events import (
    Answered,
    AnyEvent,
    Compared,
    Emptied,
    Placed,
    Refused,
    Repaired,
    Repairing,
    Requested,
    Seeded,
    Stored,
    Versioned,
)
from gossiplab.protocol import Read as Reading
from gossiplab.protocol import Write as Writing
from gossiplab.replica.counters import GCounter, PnCounter
from gossiplab.replica.digest import fingerprint
from gossiplab.replica.dots import Context, Dot
from gossiplab.replica.hybrid import Hybrid
from gossiplab.replica.lww_register import LwwRegister
from gossiplab.replica.merkle import MerkleTree
from gossiplab.replica.mv_register import MvRegister
from gossiplab.replica.or_map import OrMap
from gossiplab.replica.or_set import OrSet
from gossiplab.replica.siblings import Siblings, Version
from gossiplab.replica.store import State, Store
from gossiplab.workload import Clients, What, Workload, make_value, seed_index, seed_key

DataCommand = Write | Delete | Read | Wipe | Backup | Restore | Corrupt
"""The commands that are about data."""

_DEEPEST = 32  # levels of a Merkle tree; see its limits
_TOLD = (LwwRegister, Siblings, MvRegister)  # states whose versions are writes
_LONGEST_VALUE = 80  # characters of a value that go into events
_LONGEST_REASON = 200


class ReplicasLab(Interface):
    """What is needed of the lab."""

    @property
    def nodes(self) -> list[Node]: ...
    @property
    def kernel(self) -> Kernel: ...
    @property
    def seed(self) -> int: ...

    def record(self, event: AnyEvent) -> None: ...


class _Disk:
    """What a node has: its store, which keys belong there (None: all), and the last backup."""

    __slots__ = ("store", "holds", "backup")

    def __init__(self, store: Store, holds: Callable[[str], bool] | None) -> None:
        self.store = store
        self.holds = holds
        self.backup: Store | None = None


class _Face(NamedTuple):
    """How one version is told: its plain name, value, causal history and stamp, as in `Versioned`."""

    name: str
    value: str | None
    clock: tuple[tuple[int, int], ...] = ()
    stamp: tuple[float, int, int] | None = None
    past: Context | None = None

    @property
    def mark(self) -> "_Mark":
        """What tells it from other versions of its key, but for damage."""
        return self.stamp or self.name


_Mark = str | tuple[float, int, int]


class Replicas:
    """All data of one lab, as the lab sees it."""

    def __init__(self, lab: ReplicasLab, workload: Workload) -> None:
        self._lab = lab
        self._workload = workload
        self._disks: dict[int, _Disk] = {}
        self._seeds: dict[tuple[str, int, int], Store] = {}  # filled, by conflict and shape of the tree
        self._names: dict[str, dict[tuple[_Mark, str | None], str]] = {}  # by key, then mark and value
        self._pasts: dict[
            str, dict[str, Context]
        ] = {}  # what versions have overwritten, by key and name, oldest first
        self._places: dict[str, list[tuple[int, ...]]] = {}  # by key, one after the other
        self._open: dict[int, str] = {}  # requests that nobody has answered yet, and the keys they are about
        self._keys: list[str] = []  # that requests are or were about
        self._requests = 0
        self._repairs: list[bool] = []  # whether they go on
        self._damages = 0
        self._damaging = False  # whether what a disk says now is damage

    def begin(self) -> None:
        """Let the clients of the workload begin."""
        work, lab = self._workload, self._lab
        if work.rate and lab.nodes:
            self._await(Clients(work, len(lab.nodes), Random(f"{lab.seed}/workload")), work.begin)

    def _await(self, clients: Clients, since: float) -> None:
        draft = clients.next()
        t = since + draft.seconds
        if t > self._workload.begin + self._workload.seconds:
            return

        def ask() -> None:
            for node in draft.nodes:
                self._ask(draft.what, node, draft.key, draft.value)
            self._await(clients, t)

        self._lab.kernel.after_all(t, CLIENT, ask)

    # commands ----------------------------------------------------------------------------------

    def apply(self, command: DataCommand) -> None:
        """Do what a command says."""
        match command:
            case Write(node, key, value):
                self._ask("write", node, key, value)
            case Delete(node, key):
                self._ask("delete", node, key, None)
            case Read(node, key):
                self._ask("read", node, key, None)
            case _:
                for node in command.nodes:
                    if node in self._disks:
                        self._damage(command, node, self._disks[node])

    def _damage(self, command: Wipe | Backup | Restore | Corrupt, node: int, disk: _Disk) -> None:
        match command:
            case Backup():
                disk.backup = Store(disk.store.conflict)
                disk.backup.take(disk.store)
            case Corrupt(keys=count):
                self._corrupt(disk.store, count)
            case Wipe():
                self._empty(node, disk.store)
            case Restore():
                self._empty(node, disk.store)
                if disk.backup is None:
                    self._fill(node, disk)
                else:
                    disk.store.take(disk.backup)
                    for key in disk.store:
                        self._say(node, key, None, disk.store.get(key), None)

    def _empty(self, node: int, store: Store) -> None:
        store.take(Store(store.conflict))
        self._lab.record(Emptied(self._now, node))

    def _corrupt(self, store: Store, count: int) -> None:
        random = Random(f"{self._lab.seed}/corrupt/{self._damages}")
        self._damages += 1
        damaged = {key: _damaged(state) for key in store if (state := store.get(key))}
        keys = [key for key, state in damaged.items() if state is not None]
        for key in sorted(random.sample(keys, min(count, len(keys)))):
            state = damaged[key]
            assert state is not None
            self._damaging = True
            store.replace(key, state)
            self._damaging = False

    # clients -----------------------------------------------------------------------------------

    def _ask(self, what: What, id: int, key: str, value: str | None) -> None:
        node, request = self._lab.nodes[id], self._requests
        self._requests += 1
        self._lab.record(Requested(self._now, request, id, what, key, _cut(value)))
        self._open[request] = key
        self._keys.append(key)
        if not node.up or node.late is not None:
            self.refuse(node, request, f"n{id} is {'paused' if node.up else 'down'}")
        elif what == "read":
            node.call(node.protocol.on_read, Reading(request, key))
        else:
            node.call(node.protocol.on_write, Writing(request, key, value))

    def answer(self, node: Node, request: int, state: object) -> None:
        """A client gets its answer from a node."""
        if state is not None and not isinstance(state, State):
            raise ProtocolError(
                f"n{node.id} answers with {state!r}, no state of a key: give what its store holds"
            )
        key = self._open.pop(request, None)
        if key is not None:
            told = isinstance(
                state, _TOLD
            )  # other states are named by their content, which nobody holds like that
            versions = self._introduce(node.id, key, None, state, made=False) if told else ()
            self._lab.record(Answered(self._now, request, versions))

    def refuse(self, node: Node, request: int, why: str) -> None:
        """A client gets no answer, and is told why."""
        named(why, f"the reason that n{node.id} gives to a client")
        if self._open.pop(request, None) is not None:
            self._lab.record(Refused(self._now, request, why[:_LONGEST_REASON]))

    def undo(self, node: Node, events: Undone) -> None:
        """Make undone what a step has said; the next who holds a version of it tells it again.

        What it has done to its disk is known to nobody, so the disk is lost, as the node's memory is.
        """
        disk = self._disks.get(node.id)
        if disk is not None:
            disk.store = Store(disk.store.conflict)
        unknown: dict[str, set[str]] = {}
        for event in events[Versioned]:
            unknown.setdefault(event.key, set()).add(event.name)
            self._pasts.get(event.key, {}).pop(event.name, None)
        for event in events[Placed]:
            self._places[event.key].pop()
        for event in (*events[Answered], *events[Refused]):
            self._open[event.id] = self._keys[event.id]
        for event in events[Repaired]:
            self._repairs[event.id] = True
        for key, gone in unknown.items():
            self._names[key] = {face: name for face, name in self._names[key].items() if name not in gone}
        self._repairs = self._repairs[: len(self._repairs) - len(events[Repairing])]

    # disks -------------------------------------------------------------------------------------

    def most_keys(self) -> int:
        """How many keys there are on the fullest disk, or will be when it is opened."""
        return max(self._workload.keys, *(len(disk.store) for disk in self._disks.values()), 0)

    def open_store(
        self, node: Node, conflict: str, tree: MerkleTree | None, holds: Callable[[str], bool] | None
    ) -> Store:
        """The disk of a node whose protocol sets itself up."""
        disk, last = _Disk(Store(conflict, tree), holds), self._disks.get(node.id)
        if last is not None:  # a backup lies elsewhere
            disk.backup = last.backup
        if node.life == 0 and self._now == 0:
            self._fill(node.id, disk)
        self._disks[node.id] = disk

        def changed(key: str, before: State | None, state: State | None) -> None:
            self._say(node.id, key, before, state, node.cause)

        disk.store.changed = changed
        return disk.store

    def _fill(self, node: int, disk: _Disk) -> None:
        """Put the keys on a disk that are there from the beginning."""
        work, store = self._workload, disk.store
        if not work.keys or store.conflict == "crdt":
            return
        if disk.holds is None:
            kind = (
                (store.conflict, store.tree.fanout, store.tree.depth)
                if store.tree
                else (store.conflict, 0, 0)
            )
            if kind not in self._seeds:
                self._seeds[kind] = _seed(*kind, work)
            store.take(self._seeds[kind])
            self._lab.record(Seeded(self._now, node, work.keys, self._name_of_seeds(store.conflict)))
            return
        changed, store.changed = store.changed, None
        for key, state in _seed_states(store.conflict, work):
            if disk.holds(key):
                store.replace(key, state)
                self._say(node, key, None, state, None)
        store.changed = changed

    def _name_of_seeds(self, conflict: str) -> str:
        return _faces(_seed_state(conflict, seed_key(0), self._workload))[0].name

    def _say(self, node: int, key: str, before: State | None, state: State | None, by: int | None) -> None:
        """A node holds something else of a key than before."""
        versions = () if state is None else self._introduce(node, key, before, state, made=by is None)
        self._lab.record(Stored(self._now, node, key, versions, by))

    def _introduce(
        self, node: int, key: str, before: State | None, state: State, made: bool
    ) -> tuple[str, ...]:
        """The names of a state's versions; those that come up for the first time are told. made: at this node."""
        names = self._names.get(key)
        if names is None:
            names = self._names[key] = self._seed_names(key, state)
        found: list[str] = []
        for face in _faces(state):
            name = names.get((face.mark, face.value))
            if name is None:
                name = face.name
                if face.stamp and all(mark != face.mark for mark, _ in names) and name in names.values():
                    name = _stamped(face.stamp, digits=17)  # another stamp, so close that it looks the same
                if self._damaging and before is not None and not isinstance(state, _TOLD):
                    # what is named after its content is another thing, and still was meant to be this
                    name = next((names[old.mark, old.value] for old in _faces(before)), name)
                while name in names.values():  # one stamp or dot with two values is damage
                    name += "'"
                names[face.mark, face.value] = name
                # a stamp says whose write it is: one that a coordinator makes while it handles a message is its own
                own = made or (face.stamp is not None and face.stamp[2] == node)
                over = self._over(key, name, face, before if own else None)
                self._lab.record(
                    Versioned(self._now, node, key, name, _cut(face.value), over, face.clock, face.stamp)
                )
            found.append(name)
        return tuple(found)

    def _seed_names(self, key: str, state: State) -> dict[tuple[_Mark, str | None], str]:
        """The name of the version with which a key began, which is never told by itself."""
        work = self._workload
        conflict = (
            "lww" if isinstance(state, LwwRegister) else "siblings" if isinstance(state, Siblings) else ""
        )
        if not conflict or seed_index(key) >= work.keys:
            return {}
        (face,) = _faces(_seed_state(conflict, key, work))
        if face.past is not None:
            self._pasts[key] = {face.name: face.past}
        return {(face.mark, face.value): face.name}

    def _over(self, key: str, name: str, face: _Face, before: State | None) -> tuple[str, ...]:
        """Which versions a new one has overwritten, the nearest only."""
        if face.past is None:
            known = self._names[key]
            held = [known.get((old.mark, old.value)) for old in _faces(before)] if before is not None else []
            return tuple(old for old in held if old is not None and old != name)
        pasts = self._pasts.setdefault(key, {})
        nearest: list[str] = []
        for old in reversed(pasts):
            if _dot(old) in face.past and not any(_dot(old) in pasts[one] for one in nearest):
                nearest.append(old)
        pasts[name] = face.past
        return tuple(sorted(nearest))

    # repairs -----------------------------------------------------------------------------------

    def begin_repair(self, node: Node, peer: int) -> int:
        """A node compares its store with a peer's."""
        disk = self._disks.get(node.id)
        if disk is None:
            raise ProtocolError(f"n{node.id} repairs without a store: open one in setup")
        if type(peer) is not int or not 0 <= peer < len(self._lab.nodes) or peer == node.id:
            raise ProtocolError(f"n{node.id} repairs with {peer!r}: name another node of the lab")
        repair, store = len(self._repairs), disk.store
        self._repairs.append(True)
        other = self._disks[peer].store if peer in self._disks else store
        fuller = max(store, other, key=lambda each: each.bytes)
        shape = (store.tree.fanout, store.tree.depth) if store.tree else (0, 0)
        self._lab.record(Repairing(self._now, repair, node.id, peer, len(fuller), fuller.bytes, *shape))
        return repair

    def compared(self, node: Node, repair: int, level: int, differing: Iterable[int], keys: int) -> None:
        """A step of a repair."""
        if self._goes_on(node, repair):
            found = tuple(sorted(finite(differing)))
            who = f"in its repair n{node.id} compares"
            if type(level) is not int or not -1 <= level <= _DEEPEST:
                raise ProtocolError(f"{who} at level {level!r}: give one from -1, the whole, to {_DEEPEST}")
            counted(keys, f"how many keys {who}")
            for each in found:
                counted(each, f"one of what differs where {who}")
            self._lab.record(Compared(self._now, repair, node.id, level, found, keys, node.cause))

    def end_repair(self, node: Node, repair: int, differing: int) -> None:
        """A repair is over."""
        if self._goes_on(node, repair):
            counted(differing, f"how many keys differed in a repair of n{node.id}")
            self._repairs[repair] = False
            self._lab.record(Repaired(self._now, repair, differing))

    def _goes_on(self, node: Node, repair: int) -> bool:
        if type(repair) is not int or not 0 <= repair < len(self._repairs):
            raise ProtocolError(f"n{node.id} goes on with repair {repair!r}, which nobody began")
        return self._repairs[repair]

    def place(self, node: Node, key: str, nodes: Iterable[int]) -> None:
        """A key belongs on these nodes."""
        named(key, f"a key that n{node.id} places")
        places = finite(nodes)
        if len(set(places)) != len(places) or any(
            type(each) is not int or not 0 <= each < len(self._lab.nodes) for each in places
        ):
            raise ProtocolError(f"n{node.id} places {key!r} on {places}: name each node of the lab once")
        said = self._places.setdefault(key, [])
        if said[-1:] != [places]:
            said.append(places)
            self._lab.record(Placed(self._now, key, places))

    @property
    def _now(self) -> float:
        return self._lab.kernel.clock.now


def _seed_states(conflict: str, work: Workload) -> Iterator[tuple[str, State]]:
    """The keys that are there from the beginning, and what of them."""
    for index in range(work.keys):
        key = seed_key(index)
        yield key, _seed_state(conflict, key, work)


def _seed_state(conflict: str, key: str, work: Workload) -> State:
    """The state with which a key begins: one version that nobody has written."""
    value = make_value(f"{key}=0", work.size)
    if conflict == "lww":
        return LwwRegister(Hybrid(0.0, 0, 0), value)
    return Siblings((Version((0, 1), Context(), value),))


def _seed(conflict: str, fanout: int, depth: int, work: Workload) -> Store:
    """A store that holds all of them. fanout: of its tree, 0 for none."""
    store, filled = Store(conflict), Store(conflict, MerkleTree(fanout, depth) if fanout else None)
    for key, state in _seed_states(conflict, work):
        store.replace(key, state)
    filled.take(store)  # which hashes every node of the tree once
    return filled


def _faces(state: State) -> list[_Face]:
    """The versions that a state consists of."""
    if isinstance(state, LwwRegister):
        stamp = msgspec.structs.astuple(state.stamp)
        return [_Face(_stamped(stamp), state.value, stamp=stamp)]
    if isinstance(state, Siblings):
        return [
            _Face(_dotted(each.dot), each.value, tuple(each.history.clock.items()), past=each.past)
            for each in state.versions
        ]
    if isinstance(state, MvRegister):
        return [_Face(_dotted((by, n)), value) for by, n, value in state.held]
    value = str(state.value) if isinstance(state, GCounter | PnCounter) else _listed(state)
    return [_Face(fingerprint(state).hex()[:8], value)]


def _listed(state: OrSet | OrMap) -> str:
    return ", ".join(state.values if isinstance(state, OrSet) else state.names())


def _stamped(stamp: tuple[float, int, int], digits: int = 9) -> str:
    time, count, replica = stamp
    return f"{time:.{digits}g}{f'+{count}' if count else ''}@n{replica}"


def _dotted(dot: Dot) -> str:
    return f"n{dot[0]}.{dot[1]}"


def _dot(name: str) -> Dot:
    replica, _, n = name.rstrip("'")[1:].partition(".")
    return int(replica), int(n)


def _damaged(state: State) -> State | None:
    """A state with one value changed and all that tells of changes as it was; None: it has no value."""
    match state:
        case LwwRegister(stamp, str(value)):
            return LwwRegister(stamp, _garbled(value))
        case Siblings(versions) if any(each.value is not None for each in versions):
            return Siblings(
                tuple(
                    each if each.value is None else Version(each.dot, each.past, _garbled(each.value))
                    for each in versions
                )
            )
        case MvRegister(held, seen) if held:
            return MvRegister(tuple((by, n, _garbled(value)) for by, n, value in held), seen)
        case GCounter(counts) if counts:
            return GCounter({by: count + 1 for by, count in counts.items()})
        case PnCounter(ups, downs) if ups:
            return PnCounter({by: count + 1 for by, count in ups.items()}, downs)
        case OrSet(dots, seen) if dots:
            return OrSet({_garbled(element): each for element, each in dots.items()}, seen)
        case _:
            return None


def _garbled(value: str) -> str:
    """A value with a bit of its first character flipped, as a failing disk does."""
    return chr(ord(value[0]) ^ 1) + value[1:] if value else "\x00"


def _cut(value: str | None) -> str | None:
    """The beginning of a value, which is what events tell."""
    return value if value is None or len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}..."
