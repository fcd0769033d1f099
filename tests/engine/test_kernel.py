"""How the kernel waits until everybody waits, held against trio's own way, which may not be imported at run time."""

import asyncio

import pytest
import trio.testing

from gossiplab.engine.kernel import Kernel
from gossiplab.recording.tape import Tape
from tests.engine.test_determinism import CASES, _as_guest, _digest, _header
from tests.helpers import bytes_of, lab_of


async def _settle_by_trio(kernel):
    await trio.testing.wait_all_tasks_blocked()
    kernel._woken = False


def _as_guest_bytes(case):
    pieces = []
    header = _header(case)
    asyncio.run(_as_guest(lab_of(header, Tape(header, pieces.append))))
    return b"".join(pieces)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    "run", [lambda case: bytes_of(_header(case)), _as_guest_bytes], ids=["alone", "guest"]
)
def test_settling_is_what_trio_calls_all_tasks_blocked(case, run, monkeypatch):
    ours = run(case)
    monkeypatch.setattr(Kernel, "settle", _settle_by_trio)
    assert _digest(run(case)) == _digest(ours)
