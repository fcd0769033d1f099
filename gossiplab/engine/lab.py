"""A lab: an experiment that is running. It owns clock, network and nodes, takes commands and emits events.

Nothing else mutates. The lab knows no screen and no file: what happens leaves it as batches of events
through `sink`. Start it headless with `gossiplab.engine.run`, or as a guest of another loop with `Lab.main`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from types import CodeType
from typing import Any, cast, get_args

import msgspec
import trio

from gossiplab.commands import (
    AnyCommand,
    Backup,
    Calm,
    Churn,
    Corrupt,
    Delete,
    Flap,
    Inject,
    Kill,
    Leave,
    Pause,
    Read,
    Rejoin,
    Restore,
    Resume,
    Skew,
    Wipe,
    Write,
)  # fmt: skip
from gossiplab.engine.clock import VirtualClock
from gossiplab.engine.faults import counted, endless, finite, named, nested
from gossiplab.engine.kernel import COMMAND, END, Entry, Kernel, Undone
from gossiplab.engine.network import Network, encode
from gossiplab.engine.node import Node, Whose, sample, whose
from gossiplab.engine.peers import peers_of_all
from gossiplab.engine.replicas import Replicas
from gossiplab.engine.tasks import DEEPEST, abandon, depth, descendants, innermost, no_threads, wants_thread
from gossiplab.engine.unrest import Unrest
from gossiplab.engine.watchdog import watching
from gossiplab.engine.wheel import Wheel
from gossiplab.errors import ProtocolError, first_line
from gossiplab.events import (
    AnyEvent,
    Began,
    Believed,
    Calmed,
    Commanded,
    Crashed,
    Delivered,
    Departed,
    Ended,
    Header,
    Injected,
    Kept,
    Killed,
    Learned,
    Listed,
    Paused,
    Rejoined,
    Resumed,
    Retired,
    Shown,
    Skewed,
    View,
    Wired,
)  # fmt: skip
from gossiplab.nodeset import format_nodes
from gossiplab.plan import check_command, read_scheduled
from gossiplab.protocol import Protocol
from gossiplab.replica.membership import STATES
from gossiplab.topology import build_edges
from gossiplab.workload import Workload

Sink = Callable[[list[AnyEvent]], None]
_STEPS_PER_INSTANT = (
    40_000  # at one virtual instant, a second and a half; a protocol that needs more will never have enough
)
_PLAIN = (int, float, str, bool, type(None))  # of these it is known that they are written as JSON
_GRACE = 3600.0  # virtual s, after the run, for tasks that shield what they do last
_VIEWS: tuple[View, ...] = get_args(View)
_STEPS_PER_PAIR = 2  # unless it floods: everybody tells everybody at once


class Lab:
    """One run of one experiment.

    header: what to run, from `gossiplab.plan.plan`. protocol: the class that every node runs.
    sink: takes the events, in order and in batches; without one nothing is recorded, which is faster.
    """

    def __init__(self, header: Header, protocol: type[Protocol], sink: Sink | None = None) -> None:
        experiment = header.experiment
        n = experiment.nodes
        self.experiment = experiment
        self.seed = experiment.seed
        self.clock = VirtualClock()
        self._batch: list[AnyEvent] = []
        steps = max(_STEPS_PER_INSTANT, _STEPS_PER_PAIR * n * n)
        self.kernel = Kernel(self.clock, self._batch, self._count, steps)
        self.kernel.after_slice = self.flush
        self.kernel.on_idle = self._idle
        self.kernel.on_stuck = self._stuck
        self.kernel.on_spin = self._spinning
        self.kernel.on_spawn = self._spawned
        self.kernel.counts = whose
        self.ended: str | None = None
        self.signal: int | None = None  # the signal that stopped it, if one did
        self.on_endless: Callable[[], None] = lambda: (
            None
        )  # told when a node was stopped that did not stop itself
        self._protocol = protocol
        self._sink = sink
        self._flushed = 0  # events handed to the sink
        self._emit = self._batch.append if sink else None
        self._edges = build_edges(experiment.topology, n, experiment.seed)
        self.wheel = Wheel(self.kernel)
        self.nodes: list[Node] = []
        self.network = Network(self.kernel, experiment.link, self.nodes, n, protocol, self._emit)
        self.network.changed = self._look
        self.replicas = Replicas(self, experiment.workload or Workload())
        kind = self._wired(protocol)
        for id, peers in enumerate(peers_of_all(n, self._edges)):
            self.nodes.append(Node(id, self.kernel, self, kind, experiment.params, peers, experiment.seed))
        self._nursery: trio.Nursery | None = None
        self._live = n
        self._knowers: list[int] = []  # for each rumor, how many live nodes know it
        self._infective = 0  # (live node, rumor) pairs in which the node still spreads the rumor
        self._ending = False
        self._unrest: list[Unrest] = []  # flapping and churn under way
        self._faults = 0  # how many of them there have been
        self._wild: set[Whose] = set()  # lives that were ended because their tasks had no end in sight
        self.abandoned: set[int] = set()  # nodes that had tasks which would not end
        self.threaded: set[int] = set()  # nodes that waited at the end for a thread, which they do not get
        self._over = trio.Event()
        self._hurried = trio.Event()
        self._waits = trio.CancelScope(shield=True)  # for tasks that do not end
        for text in experiment.at:
            self._schedule(*read_scheduled(text, n))

    def _wired(self, protocol: type[Protocol]) -> type[Protocol]:
        """The protocol with what it calls all the time wired straight to this lab, instead of by way of its host."""
        wires = {"send": self.network.send, "sample": sample}
        own = [name for name in wires if getattr(protocol, name) is not getattr(Protocol, name)]
        for name in own:  # the protocol's own ways lead by way of the host
            del wires[name]
        body = {"__module__": protocol.__module__, "__doc__": protocol.__doc__, **wires}
        return type(protocol.__name__, (protocol,), body)

    # running -----------------------------------------------------------------------------------

    async def main(self) -> None:
        """The run, from its first event to its last. Needs `self.clock` as trio's clock, the kernel as instrument."""
        self.record(Wired(0.0, self._edges))
        with watching(self), no_threads():
            await self._main()

    async def _main(self) -> None:
        async with trio.open_nursery() as last:
            last.start_soon(self._wait_for_ends)
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                try:
                    self._start_tasks(self.nodes)
                    for node in self.nodes:
                        node.begin()
                    self.replicas.begin()
                    self._expect_end()
                    self.flush()
                    await self.kernel.run()
                finally:
                    self._ended()
            self._waits.cancel()

    def _ended(self) -> None:
        """Let all tasks end at once: whatever they still do on their way is not part of the run."""
        assert self._nursery is not None
        for root in self._nursery.child_tasks:
            belongs = whose(root)
            if belongs and any(map(wants_thread, descendants(root))):
                self.threaded.add(belongs[0].id)
        for node in self.nodes:
            node.stop()
        self.clock.release()
        self._over.set()

    async def _wait_for_ends(self) -> None:
        """Give tasks that shield themselves their time, once the run is over; and no more than that."""
        with self._waits:
            await self._over.wait()
            with trio.move_on_after(_GRACE):
                await self._hurried.wait()
            while self._nursery is not None and self._nursery.child_tasks:
                for root in self._nursery.child_tasks:
                    for task in innermost(root):
                        if task is not root:  # which ends with those below it
                            self._abandon(task)
                await trio.lowlevel.checkpoint()

    def hurry(self) -> None:
        """Stop was not enough: end the run now, and the tasks of all nodes with it, whether they like it or not."""
        self._hurried.set()
        self.kernel.end()

    def _abandon(self, task: trio.lowlevel.Task) -> None:
        belongs = whose(task)
        if belongs:
            self.abandoned.add(belongs[0].id)
            abandon(task)

    def _start_tasks(self, nodes: Sequence[Node]) -> None:
        assert self._nursery is not None
        for node in nodes:
            self._nursery.start_soon(node.live, node.life)
        if self._protocol.run is not Protocol.run:
            self.kernel.tasks = 1  # from now on tasks may wait for instants of their own

    def _expect_end(self) -> None:
        until = self.experiment.until
        if isinstance(until, float | int):
            self.kernel.after_all(float(until), END, lambda: self._end("time"))
        elif until != "stopped":
            self.kernel.after_all(self.experiment.limit, END, lambda: self._end("limit"))

    def stop(self, at: float | None = None) -> None:
        """End the run: once nothing else is due at `at`, or at the instant that is being drawn."""
        if self.ended is None:
            self.kernel.after_all(self._instant(at), END, lambda: self._end("stopped"))

    def _end(self, why: str) -> None:
        if self.ended is None:
            self.ended = why
            self.record(Ended(self.clock.now, why))
            self.kernel.end()
            self.flush()

    def flush(self) -> None:
        """Hand all events so far to the sink."""
        if self._sink and self._batch:
            batch = self._batch[:]
            self._batch.clear()  # in place: the network holds on to its append
            self._flushed += len(batch)
            self._sink(batch)

    def record(self, event: AnyEvent) -> None:
        """Something has happened."""
        if self._emit:
            self._emit(event)
        else:
            self._flushed += 1

    def _count(self) -> int:
        return self._flushed + len(self._batch)

    # commands ----------------------------------------------------------------------------------

    def post(self, command: AnyCommand, at: float | None = None) -> float:
        """Have a command take effect at the instant `at`, or at the one that is being drawn; returns the instant.

        Raises UserError when it has no meaning under this protocol.
        """
        check_command(command, self._protocol)
        t = self._instant(at)
        self._schedule(t, command)
        return t

    def _instant(self, at: float | None) -> float:
        return self.clock.hold() if at is None else max(at, self.clock.now)

    def _schedule(self, t: float, command: AnyCommand) -> None:
        self.kernel.after_all(t, COMMAND, lambda: self._apply(command))

    def _apply(self, command: AnyCommand) -> None:
        self.record(Commanded(self.clock.now, str(command)))
        match command:
            case Flap() | Churn():
                self._disturb(command)
            case Calm():
                for fault in tuple(self._unrest):
                    fault.end()
            case Kill() | Leave() | Rejoin() | Pause() | Resume() | Inject() | Skew():
                self._apply_to_nodes(command)
            case Write() | Delete() | Read() | Wipe() | Backup() | Restore() | Corrupt():
                self.replicas.apply(command)
            case _:
                self.network.apply(command)
        self._look()

    def _apply_to_nodes(self, command: AnyCommand) -> None:
        match command:
            case Kill(nodes):
                self.kill(nodes)
            case Leave(nodes):
                for node in self._awake(nodes):  # a frozen node cannot say goodbye
                    self._leave(node)
            case Rejoin(nodes, fresh):
                self.rejoin(nodes, fresh)
            case Pause(nodes):
                for node in self._awake(nodes):
                    node.pause()
                    self.record(Paused(self.clock.now, node.id))
            case Resume(nodes):
                for node in self._which(nodes, up=True):
                    if node.late is not None:
                        self.record(Resumed(self.clock.now, node.id))
                        node.resume()
            case Inject(node):
                self._inject(self.nodes[node])
            case Skew(nodes, rate, offset):
                for id in nodes:
                    changed = self.nodes[id].skew(rate, offset)
                    if changed:
                        self.record(Skewed(self.clock.now, id, *changed))
            case _:
                raise AssertionError(command)

    def _which(self, nodes: Iterable[int], up: bool) -> list[Node]:
        return [self.nodes[id] for id in nodes if self.nodes[id].up == up]

    def _awake(self, nodes: Iterable[int]) -> list[Node]:
        return [node for node in self._which(nodes, up=True) if node.late is None]

    def kill(self, nodes: Iterable[int]) -> list[Node]:
        """Stop those nodes that are up, at once; returns them."""
        killed = self._which(nodes, up=True)
        for node in killed:
            self._stop(node)
            self.record(Killed(self.clock.now, node.id))
        self._look()
        return killed

    def rejoin(self, nodes: Iterable[int], fresh: bool) -> None:
        """Start those nodes that are down."""
        for node in self._which(nodes, up=False):
            self._rejoin(node, fresh)
        self._look()

    def _leave(self, node: Node) -> None:
        node.call(node.protocol.leave)
        if node.up:
            self._stop(node)
            self.record(Departed(self.clock.now, node.id))

    def _stop(self, node: Node) -> None:
        node.stop()
        self._gone(node)

    def _gone(self, node: Node) -> None:
        self._live -= 1
        self._infective -= len(node.active)
        for rumor in node.known:
            self._knowers[rumor] -= 1

    def _disturb(self, command: Flap | Churn) -> None:
        if isinstance(command, Flap) and not command.nodes:
            return
        fault = Unrest(self, command, self._faults)
        self._faults += 1
        self._unrest.append(fault)
        self.record(Began(self.clock.now, str(command)))
        fault.begin()

    def calmed(self, fault: Unrest) -> None:
        """A flap or a churn is over."""
        self._unrest.remove(fault)
        self.record(Calmed(self.clock.now, str(fault.command)))

    def _rejoin(self, node: Node, fresh: bool) -> None:
        fresh = fresh or node.blocked
        self._live += 1
        self.record(Rejoined(self.clock.now, node.id, fresh))
        if not fresh:
            self._infective += len(node.active)
            for rumor in node.known:
                self._knowers[rumor] += 1
        node.rejoin(fresh)
        if node.up:
            self._start_tasks([node])

    def _inject(self, node: Node) -> None:
        if node.up and node.late is None:
            rumor = len(self._knowers)
            self._knowers.append(0)
            self.network.rumors += 1
            self.record(Injected(self.clock.now, rumor, node.id))
            node.learn(rumor)
            node.call(node.protocol.on_inject, rumor)

    # what nodes say: gossiplab.engine.surroundings.NodeLab ---------------------------------------------

    def learned(self, node: Node, rumor: int) -> None:
        if rumor.__class__ is not int or not 0 <= rumor < len(self._knowers):
            raise ProtocolError(
                f"n{node.id} learns rumor {rumor!r}, which nobody injected: use the ids on_inject gives"
            )
        self._knowers[rumor] += 1
        self._infective += 1
        self.record(Learned(self.clock.now, node.id, rumor, node.cause))
        self._look()

    def retired(self, node: Node, rumor: int) -> None:
        self._infective -= 1
        self.record(Retired(self.clock.now, node.id, rumor))
        self._look()

    def shown(self, node: Node, name: str, value: Any) -> None:
        if self._emit:
            named(name, f"the name of what n{node.id} shows")
            data = encode(value)
            if type(value) not in _PLAIN:
                msgspec.json.decode(data)  # raises: bytes that say they are JSON are taken as they are
            self._emit(Shown(self.clock.now, node.id, name, msgspec.Raw(data)))

    def believed(self, node: Node, about: int | Iterable[int], state: str, incarnation: int) -> None:
        if not self._emit:
            return
        if state not in STATES:
            raise ProtocolError(f"n{node.id} believes in state {state!r}: give one of {', '.join(STATES)}")
        counted(incarnation, f"the incarnation that n{node.id} believes in")
        now = self.clock.now
        if isinstance(about, int):
            self._check_member(node, about)
            self._emit(Believed(now, node.id, about, state, incarnation))
        else:
            members = finite(about)
            for member in members:
                self._check_member(node, member)
            if members:
                self._emit(Listed(now, node.id, format_nodes(members), state, incarnation))

    def _check_member(self, node: Node, about: object) -> None:
        if about.__class__ is not int or not 0 <= cast(int, about) < len(self.nodes):
            raise ProtocolError(
                f"n{node.id} believes something of node {about!r}, which does not exist: name a node of the lab"
            )

    def kept(self, node: Node, view: View, peers: tuple[int, ...]) -> None:
        if view not in _VIEWS:
            raise ProtocolError(f"n{node.id} keeps a view {view!r}: the views are {', '.join(_VIEWS)}")
        for peer in peers:
            if type(peer) is not int or not 0 <= peer < len(self.nodes) or peer == node.id:
                raise ProtocolError(f"n{node.id} keeps {peer!r} as a peer: keep the numbers of other nodes")
        self.record(Kept(self.clock.now, node.id, view, peers))

    def crashed(self, node: Node, file: str, line: int, error: str) -> None:
        self._gone(node)
        self.record(Crashed(self.clock.now, node.id, file, line, error))
        self._look()

    # when to stop ------------------------------------------------------------------------------

    def _look(self) -> None:
        """Something changed that may end the run."""
        if not self._ending and self._reached():
            self._ending = True
            self.kernel.after_all(self.clock.now, END, self._end_if_reached)

    def _end_if_reached(self) -> None:
        self._ending = False
        why = self._reached()
        if why:
            self._end(why)

    def _reached(self) -> str | None:
        """What the run waits for and now has: "converged" or "quiescent"."""
        until = self.experiment.until
        if until not in ("converged", "quiescent") or not self._knowers or self.kernel.commands_pending():
            return None
        if until == "converged" and self._live and all(count == self._live for count in self._knowers):
            return "converged"
        if not self._infective and not self.network.carrying:
            return "quiescent"
        return None

    def _idle(self) -> None:
        if self._unrest or self.network.held or any(node.late is not None for node in self.nodes):
            return  # something waits, for a fault to end or for a person: the run goes on to its limit
        if self.experiment.until in ("converged", "quiescent"):
            self._end(self._reached() or "quiescent")

    def _stuck(self, entry: Entry) -> None:
        """Too many steps at one instant: the node whose step is next is at fault."""
        node, function = entry[2].__self__.culprit(entry)
        node.crash(endless(), first_line(function))
        self.on_endless()

    def _spinning(self, task: trio.lowlevel.Task) -> None:
        """Too many steps at one instant: the node whose task takes the next is at fault."""
        self._run_wild(task, endless())

    def _spawned(self, task: trio.lowlevel.Task) -> None:
        """A new task, perhaps one too many below another, or one of a life that ran wild and has ended."""
        if self._wild and whose(task) in self._wild:
            abandon(task)
        elif depth(task) > DEEPEST:
            self._run_wild(task, nested())

    def _run_wild(self, task: trio.lowlevel.Task, error: ProtocolError) -> None:
        """What a task does has no end in sight: end the node's life, and what does not end with it."""
        belongs = whose(task)
        if belongs:
            self._wild.add(belongs)  # what is cancelled can still start tasks, without end
        if belongs and belongs[0].life == belongs[1]:
            belongs[0].spin(task, error)
            self.on_endless()
        elif belongs:  # of an earlier life, which takes every Cancelled for something to be got over
            for each in innermost(task):
                self._abandon(each)

    # what the watchdog asks: gossiplab.engine.watchdog.Watched ---------------------------------

    def turns(self) -> int:
        return self.kernel.turns

    def owner(self, task: trio.lowlevel.Task) -> Node | None:
        belongs = whose(task)
        return belongs and belongs[0]

    def keys(self) -> int:
        return self.replicas.most_keys()

    def overdue(self, node: Node, code: CodeType | None, name: str) -> None:
        belongs = whose(trio.lowlevel.current_task())
        if node.up and (belongs is None or belongs[1] == node.life):
            self._undo(node)
            node.block(code, name)
            self.on_endless()

    def _undo(self, node: Node) -> None:
        """Make the step of `node` that is under way undone: how far it got depends on the machine."""
        mark, batch = self.kernel.mark, self._batch
        if node.cause is not None:  # that a message arrived is so, whatever came of it
            arrived = (
                i for i, event in enumerate(batch) if isinstance(event, Delivered) and event.id == node.cause
            )
            mark = next(arrived, -1) + 1
        undone: Undone = defaultdict(list)
        for event in batch[mark:]:  # which may be millions
            undone[event.__class__].append(event)
        del batch[mark:]
        for event in undone[Learned]:
            self._knowers[event.rumor] -= 1
            node.known.discard(event.rumor)
            if event.rumor in node.active:
                node.active.discard(event.rumor)
                self._infective -= 1
        for event in undone[Retired]:
            if event.rumor in node.known:
                node.active.add(event.rumor)
                self._infective += 1
        self.network.undo(node, undone)
        self.replicas.undo(node, undone)
