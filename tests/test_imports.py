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


@pytest.mark.parametrize("arguments", [
    ["--help"], ["run", "--help"], ["export", "--help"], ["serve", "--help"], ["nonesuch"], ["--version"], ["recordings"],
])  # fmt: skip
def test_saying_how_it_is_used_loads_neither_screen_nor_graphs(arguments):
    script = f"""
import sys
from gossiplab.cli import run_command_line
try:
    run_command_line({arguments!r})
except SystemExit:
    pass
print("\\nLOADED", *({{"textual", "networkx", "numpy", "trio", "gossiplab.engine", "aiohttp"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split() == ["LOADED"]


@pytest.mark.parametrize("to", ["csv", "jsonl", "shiviz", "experiment"])
def test_exports_that_draw_nothing_load_no_screen(to):
    script = f"""
import sys
from gossiplab.cli import run_command_line
run_command_line(["export", "partition-and-heal", "--to", {to!r}])
print("\\nLOADED", *({{"textual"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split() == ["LOADED"]
