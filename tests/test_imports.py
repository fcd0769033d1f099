"""What a module loads when it is imported: the lab knows no screen, and a protocol author pays for nothing else."""

import subprocess
import sys

import pytest

SCREEN = {"textual", "rich", "cyclopts"}
HEAVY = {"networkx", "numpy"}


@pytest.mark.parametrize("module, unwanted", [
    ("gossiplab", SCREEN | HEAVY | {"gossiplab.engine", "gossiplab.world", "gossiplab.recording", "trio"}),
    ("gossiplab.engine.lab", SCREEN | HEAVY | {"gossiplab.world", "gossiplab.recording", "trio.testing", "pytest"}),
    ("gossiplab.world.world", SCREEN | HEAVY | {"gossiplab.engine", "trio"}),
    ("gossiplab.recording.reader", SCREEN | HEAVY | {"gossiplab.engine", "trio"}),
])  # fmt: skip
def test_imports(module, unwanted):
    script = f"import sys, {module}; print(*({unwanted!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
