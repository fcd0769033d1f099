"""What can happen in a lab: the closed vocabulary of events. Imports only experiment.

An event is one immutable fact at a virtual time `t`, in seconds. A run is a header and its events in
the order in which they happened; a World is what they add up to. Every line of a recording is one of
the structs below, as a JSON object whose first field `e` names its kind.

Nodes are the integers 0 .. n-1, rumors and messages are numbered from 0 in the order of their birth.
"""

from typing import Literal

import msgspec

from gossiplab.experiment import Cycle, Experiment

View = Literal["active", "passive", "eager", "lazy"]
"""What a node keeps peers for. active: to exchange messages with them, they are its neighbours in the overlay.
passive: to know of them when neighbours fail. eager, lazy: among the active ones, those to which a payload goes at
once, and those to which it is only announced."""

FORMAT = 1  # version of the recording format; raised when an old reader could misread a new file


class Parent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a run was forked: from the recording of that file name, at the instant `t`, after so many events."""

    name: str
    t: float
    events: int


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The first line of a recording: everything needed to execute the run again.

    gossiplab: version of the format. version: the gossiplab that wrote it, for people.
    experiment: complete, with every parameter's value and every scheduled command.
    cycle: how rumors count their time; None when the protocol has no cycles.
    parent: the run that this one was forked from, if any: up to there both are the same.
    own: whether it ran a protocol of somebody's own, which may have the name of a built-in one.
    """

    gossiplab: int
    version: str
    experiment: Experiment
    cycle: Cycle | None = None
    parent: Parent | None = None
    own: bool = False


class Event(msgspec.Struct, frozen=True, gc=False, tag_field="e"):
    """Base of all events. `t` is the virtual instant, in seconds."""

    t: float


class Wired(Event, frozen=True, gc=False, tag="wired"):
    """The lab's links, as pairs of nodes; None: everybody is linked with everybody."""

    edges: tuple[tuple[int, int], ...] | None


class Commanded(Event, frozen=True, gc=False, tag="command"):
    """A command took effect, after everything else that was due at `t`. What it did follows as events."""

    command: str


class Killed(Event, frozen=True, gc=False, tag="killed"):
    """A node stopped at once."""

    node: int


class Departed(Event, frozen=True, gc=False, tag="left"):
    """A node left gracefully."""

    node: int


class Rejoined(Event, frozen=True, gc=False, tag="rejoined"):
    """A node that was down is up again; `fresh`: it remembers nothing."""

    node: int
    fresh: bool


class Crashed(Event, frozen=True, gc=False, tag="crashed"):
    """A node stopped because its own protocol failed in `file` at `line` with `error`."""

    node: int
    file: str
    line: int
    error: str


class Paused(Event, frozen=True, gc=False, tag="paused"):
    """A node that is up stands still: nothing of it runs, and what comes for it waits."""

    node: int


class Resumed(Event, frozen=True, gc=False, tag="resumed"):
    """A paused node goes on. What has waited for it follows."""

    node: int


class Skewed(Event, frozen=True, gc=False, tag="skewed"):
    """A node's clock is `offset` seconds ahead, and so many of its seconds pass in a second of the lab: `rate`."""

    node: int
    rate: float
    offset: float


class Began(Event, frozen=True, gc=False, tag="began"):
    """A fault that goes on by itself began, a flap or a churn. fault: its command."""

    fault: str


class Calmed(Event, frozen=True, gc=False, tag="calmed"):
    """The first of the faults under way that are written so is over."""

    fault: str


class Severed(Event, frozen=True, gc=False, tag="severed"):
    """Messages between the node sets `a` and `b` are lost; `both`: in both directions, else from a to b."""

    a: str
    b: str
    both: bool


class Healed(Event, frozen=True, gc=False, tag="healed"):
    """Nothing is severed any more."""


class Shaped(Event, frozen=True, gc=False, omit_defaults=True, tag="shaped"):
    """The links between the node sets `a` and `b` now have these settings over the experiment's own.

    both: in both directions, else from a to b.
    """

    a: str
    b: str
    settings: tuple[str, ...]
    both: bool = True


class Held(Event, frozen=True, gc=False, tag="held"):
    """From now on messages to exactly these nodes are held: what arrives waits. nodes: a set; "none": nobody's."""

    nodes: str


class Sent(Event, frozen=True, gc=False, tag="sent"):
    """A message left a node and arrives at `due` unless something happens to it.

    kind: the message's type. size: bytes of its body. carries: the rumors whose update it holds.
    """

    id: int
    src: int
    dst: int
    due: float
    kind: str
    size: int
    carries: tuple[int, ...]
    body: msgspec.Raw


class Duplicated(Event, frozen=True, gc=False, tag="duplicated"):
    """The network made a second copy of message `of`, which is message `id` and arrives at `due`."""

    id: int
    of: int
    due: float


class Delayed(Event, frozen=True, gc=False, tag="delayed"):
    """A message in flight now arrives at `due`."""

    id: int
    due: float


class Delivered(Event, frozen=True, gc=False, tag="delivered"):
    """A message reached its node and was handled."""

    id: int


class Dropped(Event, frozen=True, gc=False, tag="dropped"):
    """A message will not arrive. why: "loss" (the link), "cut" (severed), "down" (nobody is there), or "command"."""

    id: int
    why: str


class Injected(Event, frozen=True, gc=False, tag="injected"):
    """A new rumor was given to a node, its source."""

    rumor: int
    node: int


class Learned(Event, frozen=True, gc=False, tag="learned"):
    """A node heard a rumor for the first time, from message `by`; None: not from a message."""

    node: int
    rumor: int
    by: int | None


class Retired(Event, frozen=True, gc=False, tag="retired"):
    """A node lost interest in a rumor: it knows it and no longer spreads it (removed)."""

    node: int
    rumor: int


class Shown(Event, frozen=True, gc=False, tag="shown"):
    """A node says what it wants seen: `name` now has `value`."""

    node: int
    name: str
    value: msgspec.Raw


class Believed(Event, frozen=True, gc=False, tag="believed"):
    """Node `node` now believes of `about` that it is in `state`, one of `replica.membership.STATES`.

    incarnation: the incarnation of `about` to which that belongs.
    """

    node: int
    about: int
    state: str
    incarnation: int


class Listed(Event, frozen=True, gc=False, tag="listed"):
    """Node `node` now believes the same of all nodes in the set `about`: at its start, or handed a whole list."""

    node: int
    about: str
    state: str
    incarnation: int


class Kept(Event, frozen=True, gc=False, tag="kept"):
    """A node now keeps these peers, in ascending order, in one of its views of the others."""

    node: int
    view: View
    peers: tuple[int, ...]


class Seeded(Event, frozen=True, gc=False, tag="seeded"):
    """A node now holds the version of that name of the keys k0 .. k(keys - 1), and nothing else."""

    node: int
    keys: int
    version: str


class Emptied(Event, frozen=True, gc=False, tag="emptied"):
    """A node holds nothing any more: its disk is lost, or is about to be restored."""

    node: int


class Placed(Event, frozen=True, gc=False, tag="placed"):
    """A key belongs on these nodes, in order of preference; one that is never placed belongs on all."""

    key: str
    nodes: tuple[int, ...]


class Versioned(Event, frozen=True, gc=False, tag="version"):
    """A version of a key is there for the first time, at `node`. name: by which later events mean it.

    value: None for a deletion; cut to its beginning if it is long. over: the versions that it has overwritten, those
    of them that no other of them has. clock: its causal history as (replica, writes) pairs where it has one, else
    empty. stamp: where the later one wins, (seconds, count, replica) by which that is decided.
    """

    node: int
    key: str
    name: str
    value: str | None
    over: tuple[str, ...]
    clock: tuple[tuple[int, int], ...]
    stamp: tuple[float, int, int] | None


class Stored(Event, frozen=True, gc=False, tag="stored"):
    """A node now holds these versions of a key, several if they are siblings, none if it knows nothing of the key.

    by: the message that brought it; None: not from a message.
    """

    node: int
    key: str
    versions: tuple[str, ...]
    by: int | None


class Requested(Event, frozen=True, gc=False, tag="requested"):
    """A client asks a node for something. what: "write", "delete" or "read". value: of a write, as in `Versioned`."""

    id: int
    node: int
    what: Literal["write", "delete", "read"]
    key: str
    value: str | None


class Answered(Event, frozen=True, gc=False, tag="answered"):
    """A client has got what it asked for. versions: those that its write made, or that its read returned."""

    id: int
    versions: tuple[str, ...]


class Refused(Event, frozen=True, gc=False, tag="refused"):
    """A client was told that its request has failed. A write may be on some nodes all the same."""

    id: int
    why: str


class Repairing(Event, frozen=True, gc=False, tag="repairing"):
    """Node `a` begins to compare what it holds with node `b`.

    keys, full: how many keys the one of the two holds that holds more, and the bytes that a copy of all of them would
    cost. fanout, depth: of the Merkle trees that are compared; 0 where there are none.
    """

    id: int
    a: int
    b: int
    keys: int
    full: int
    fanout: int
    depth: int


class Compared(Event, frozen=True, gc=False, tag="compared"):
    """One step of a repair: `node` has handled a message of it.

    level: of the tree nodes that it compared, 0 for the root; -1 for whatever is no comparison of hashes. differing:
    those of them that differ. keys: of how many keys the message brought a state. by: the
    message, which counts for the repair; None: there is none.
    """

    id: int
    node: int
    level: int
    differing: tuple[int, ...]
    keys: int
    by: int | None


class Repaired(Event, frozen=True, gc=False, tag="repaired"):
    """A repair is over. differing: in how many keys the two differed."""

    id: int
    differing: int


class Ended(Event, frozen=True, gc=False, tag="ended"):
    """The run is over. why: "converged", "quiescent", "time", "limit" or "stopped"."""

    why: str


AnyEvent = (
    Wired | Commanded | Killed | Departed | Rejoined | Crashed | Paused | Resumed | Skewed | Began | Calmed
    | Severed | Healed | Shaped | Held | Sent | Duplicated | Delayed | Delivered | Dropped | Injected | Learned
    | Retired | Shown | Believed | Listed | Kept | Seeded | Emptied | Placed | Versioned | Stored | Requested
    | Answered | Refused | Repairing | Compared | Repaired | Ended
)  # fmt: skip
