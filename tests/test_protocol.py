"""What protocol authors write: parameters, names of handlers, and mistakes that would go unnoticed."""

import math
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossiplab import Message, Protocol, every, param
from gossiplab.errors import ProtocolError, UserError
from gossiplab.experiment import make_experiment
from gossiplab.plan import plan
from gossiplab.protocol import handler_name, resolve_params
from tests.helpers import header_of, specimen


class Typed(Protocol):
    """One parameter of each type."""

    flag = param(True, doc="a bool")
    count = param(3, low=1, high=10, doc="an int")
    seconds = param(0.5, low=0.1, unit="s", doc="a float")
    word = param("a", choices=("a", "b"), doc="a str")
    text = param("free", doc="any str")
    signed = param(0.0, low=-math.inf)


@pytest.mark.parametrize("name, given, read", [
    ("flag", "true", True), ("flag", "False", False), ("flag", True, True), ("count", "7", 7), ("count", 7.0, 7),
    ("count", "1e1", 10), ("seconds", "2", 2.0), ("seconds", 2, 2.0), ("seconds", "1e-1", 0.1), ("word", "b", "b"),
    ("text", "whatever it is", "whatever it is"), ("signed", "-3", -3.0),
])  # fmt: skip
def test_parameters_are_read(name, given, read):
    value = resolve_params(Typed, {name: given})[name]
    assert value == read
    assert type(value) is type(read)


@pytest.mark.parametrize("name, given", [
    ("flag", "yes"), ("flag", 1), ("flag", ""), ("flag", None), ("count", "0"), ("count", "11"), ("count", "2.5"),
    ("count", 2.5), ("count", True), ("count", ""), ("count", "x"), ("count", "nan"), ("count", "inf"), ("count", "-1"),
    ("count", 10**400), ("count", "9" * 400), ("count", [3]), ("count", None), ("seconds", "0"), ("seconds", "nan"),
    ("seconds", "inf"), ("seconds", math.inf), ("seconds", math.nan), ("seconds", "1e400"), ("seconds", 10**400),
    ("seconds", "1e300"), ("signed", "-inf"), ("signed", -(10**400)), ("word", "c"), ("word", ""), ("word", 1),
    ("word", "A"), ("nonesuch", "1"), ("", "1"),
])  # fmt: skip
def test_parameters_out_of_range(name, given):
    with pytest.raises(UserError) as caught:
        resolve_params(Typed, {name: given})
    assert repr(name)[1:-1] in str(caught.value)


@given(
    st.dictionaries(
        st.sampled_from(["flag", "count", "seconds", "word", "text"]), st.text() | st.integers() | st.floats()
    )
)
def test_whatever_is_given_is_read_or_refused_and_reading_again_changes_nothing(given):
    try:
        values = resolve_params(Typed, given)
    except UserError:
        return
    assert resolve_params(Typed, values) == values
    assert values["count"] in range(1, 11)


def test_a_plan_says_everything_and_planning_again_changes_nothing():
    header = header_of("chatter", nodes=3, params={"period": 2}, at=["03.50  kill   n0,n1"])
    experiment = header.experiment
    assert experiment.params["fanout"] == 1
    assert experiment.params["period"] == 2.0
    assert experiment.at == ("0 inject n0", "3.5 kill n0-n1")
    assert plan(experiment, specimen("chatter")) == header


def test_a_lab_without_nodes_gets_no_rumor():
    assert header_of("chatter", nodes=0, at=["1 kill all"]).experiment.at == ("1 kill none",)


def test_inject_without_rumors_is_refused():
    with pytest.raises(UserError, match=r"Sequences spreads no rumors: leave out `inject n0`\."):
        header_of("sequences", at=["1 inject n0"])


@pytest.mark.parametrize("kind, name", [
    ("Ping", "on_ping"), ("PullRequest", "on_pull_request"), ("IHave", "on_i_have"), ("ACK", "on_ack"),
    ("TCPSegment", "on_tcp_segment"), ("Push2", "on_push2"), ("ping", "on_ping"),
])  # fmt: skip
def test_names_of_handlers(kind, name):
    assert handler_name(kind) == name


# mistakes that would go unnoticed --------------------------------------------------------------------


def refused(body, says):
    with pytest.raises(ProtocolError, match=says):
        type("Mine", (Protocol,), body)


async def waits(self, *_):
    """Something async."""


def plain(self, *_):
    """Something else."""


@pytest.mark.parametrize("name", ["on_ping", "setup", "rejoin", "leave", "on_inject"])
def test_a_handler_that_nobody_would_await(name):
    refused({name: waits}, f"Mine.{name} cannot be async: write def")


def test_a_round_that_nobody_would_await():
    refused({"gossip": every(1.0)(cast(Any, waits))}, "Mine.gossip cannot be async")


def yields(self, *_):
    """Half a method."""
    yield 1


@pytest.mark.parametrize("name", ["on_ping", "setup", "leave"])
def test_a_handler_that_would_never_begin(name):
    refused({name: yields}, f"Mine.{name} cannot yield")
    refused({"gossip": every(1.0)(cast(Any, yields))}, "Mine.gossip cannot yield")


def test_a_run_that_does_not_wait():
    refused({"run": plain}, "Mine.run has to wait: write async def run")


def test_an_init_that_nobody_calls():
    refused({"__init__": plain}, r"Mine.__init__ is never called: make the state of a node in setup\(self\)")


@pytest.mark.parametrize("name", ["id", "now", "random", "peers", "send", "setup", "run", "params"])
def test_a_parameter_whose_name_is_taken(name):
    refused({name: param(1)}, f"Mine.{name} cannot be a parameter")


def test_a_default_out_of_range():
    with pytest.raises(UserError, match="the parameter count cannot be 5"):
        type("Mine", (Protocol,), {"count": param(5, high=3)})


def test_parameters_and_rounds_are_inherited_and_replaced():
    class Base(Protocol):
        """A base."""

        period = param(1.0)
        other = param(2)

        @every("period")
        def gossip(self):
            """A round."""

    class Child(Base):
        """A child."""

        period = param(3.0)

        @every(0.5, phase="aligned")
        def gossip(self):
            """Another round."""

        @every("period")
        def more(self):
            """One more."""

    assert {name: each.default for name, each in Child.params.items()} == {"period": 3.0, "other": 2}
    assert Base.params["period"].default == 1.0
    assert [(each.name, each.period) for each in Child.rounds] == [("gossip", 0.5), ("more", "period")]
    assert [(each.name, each.period) for each in Base.rounds] == [("gossip", "period")]
    assert not Child.spreads_rumors


def test_messages_are_immutable_and_typed():
    class Ping(Message):
        """A ping."""

        number: int

    with pytest.raises(AttributeError):
        Ping(1).number = 2  # pyright: ignore[reportAttributeAccessIssue]
    assert Ping(1) == Ping(number=1)


# experiments -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fields, says", [
    ({"nodes": -1}, "-1 nodes"), ({"nodes": 10**6}, "from 0 to 100000"), ({"nodes": 10**30}, "from 0 to 100000"),
    ({"nodes": 1.5}, "nodes"), ({"nodes": "3"}, "nodes"), ({"nodes": True}, "nodes"), ({"nodes": None}, "nodes"),
    ({"seed": -1}, "seed"), ({"seed": 2**63}, "seed"), ({"until": math.nan}, "until"), ({"until": math.inf}, "until"),
    ({"until": -1}, "until"), ({"until": "soon"}, "quiescent"), ({"until": ""}, "quiescent"), ({"until": []}, "until"),
    ({"limit": math.nan}, "limit"), ({"limit": -1}, "limit"), ({"limit": 1e300}, "limit"), ({"at": "3 heal"}, "at"),
    ({"at": [3]}, "at"), ({"link": 3}, "link"), ({"link": {"loss": 2}}, "loss"), ({"link": {"los": 2}}, "los"),
    ({"params": []}, "params"), ({"params": {"x": [1]}}, "params"), ({"nonesuch": 1}, "nonesuch"), ({"topology": 3}, "topology"),
])  # fmt: skip
def test_what_is_no_experiment(fields, says):
    with pytest.raises(UserError, match=says):
        make_experiment({"protocol": "chatter", **fields})


@pytest.mark.parametrize("latency", [0, 0.1, 1e-5, 3])
def test_a_latency_may_be_a_number(latency):
    experiment = make_experiment({"protocol": "chatter", "link": {"latency": latency, "loss": 0.5}})
    assert experiment.link.spread() == ("constant", latency, latency)
    assert experiment.link.loss == 0.5


def test_an_experiment_needs_a_protocol():
    with pytest.raises(UserError, match="protocol"):
        make_experiment({})
