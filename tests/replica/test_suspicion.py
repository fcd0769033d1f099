"""How long a suspicion lasts, with confirmations and without."""

import pytest

from gossiplab.replica.suspicion import Suspicion, suspicion_minimum


@pytest.mark.parametrize(
    "nodes, confirmations, expected, seconds",
    [  # K = 2 as in lan; minimum 4 s for n = 10, maximum 24 s; log 2 / log 3 = 0.6309
        (10, 0, 2, 24.0), (10, 1, 2, 11.381), (10, 2, 2, 4.0), (10, 0, 0, 4.0), (100, 0, 2, 48.0), (100, 2, 2, 8.0),
    ],
)  # fmt: skip
def test_a_suspicion_shrinks_with_confirmations(nodes, confirmations, expected, seconds):
    low = suspicion_minimum(4, nodes, 1.0)
    suspicion = Suspicion(99, 5.0, expected, low, 6 * low)
    for by in range(confirmations):
        assert not suspicion.confirm(99)  # who began it does not confirm it
        assert suspicion.confirm(by)
        assert not suspicion.confirm(by)
    assert suspicion.lasts == pytest.approx(seconds, abs=1e-9)
    assert suspicion.ends == 5.0 + suspicion.lasts
    assert not suspicion.confirm(50) or confirmations < expected
