"""The model of a link: what may be said about it."""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossiplab.errors import UserError
from gossiplab.link import Link, draw_latency, parse_settings


@pytest.mark.parametrize("latency, spread", [
    ("0", ("constant", 0.0, 0.0)), ("0.03", ("constant", 0.03, 0.03)), ("1e-3", ("constant", 0.001, 0.001)),
    ("0.01..0.05", ("uniform", 0.01, 0.05)), ("0..0", ("uniform", 0.0, 0.0)), ("1..2", ("uniform", 1.0, 2.0)),
    ("lognormal(0.03,0.5)", ("lognormal", 0.03, 0.5)), ("lognormal( 0.03 , 0.5 )", ("lognormal", 0.03, 0.5)),
    ("lognormal(1,0)", ("lognormal", 1.0, 0.0)), ("1000000", ("constant", 1e6, 1e6)),
])  # fmt: skip
def test_latencies(latency, spread):
    assert Link(latency=latency).spread() == spread


@pytest.mark.parametrize("latency", [
    "", "x", "-1", "+1", "nan", "inf", "1e400", "1e7", ".5", "5.", "0.1..", "..0.1", "0.1...0.2", "0.2..0.1", "0.1,0.2",
    "0.1-0.2", "0.1 s", " 0.1", "0.1\n", "normal(1,2)", "lognormal(0,1)", "lognormal(1,11)", "lognormal(1)",
    "lognormal(1,2,3)", "lognormal(nan,1)", "٣", "1_000", "0x10", "1" * 400,
])  # fmt: skip
def test_what_is_no_latency(latency):
    with pytest.raises(UserError, match="the link's latency"):
        Link(latency=latency)


@pytest.mark.parametrize("name", ["jitter", "loss", "duplicate", "reorder", "bandwidth"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0, -1e-300, 1e300])
def test_numbers_out_of_range(name, value):
    with pytest.raises(UserError, match=f"the link's {name} cannot be"):
        Link(**{name: value})
    with pytest.raises(UserError, match=f"the link's {name} cannot be"):
        parse_settings([f"{name}={value}"], Link())


@given(st.sampled_from(["jitter", "loss", "duplicate", "reorder"]), st.floats(0, 1), st.floats(0, 1))
def test_settings_change_what_they_name_and_nothing_else(name, value, loss):
    base = Link(latency="0.5", loss=loss)
    changed = parse_settings([f"{name}={value!r}"], base)
    for field in Link.__struct_fields__:
        assert getattr(changed, field) == (value if field == name else getattr(base, field))


@given(st.floats(0.001, 10), st.floats(0, 10), st.integers(0, 9))
def test_latencies_are_finite_and_not_negative(a, b, seed):
    rng = Random(seed)
    for spread in (("constant", a, a), ("uniform", a, a + b), ("lognormal", a, b)):
        latency = draw_latency(spread, rng)
        assert 0 <= latency < math.inf
        if spread[0] != "lognormal":
            assert spread[1] <= latency <= spread[2]
