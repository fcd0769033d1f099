"""A protocol whose task lets nothing through: the command ends all the same, once all is said and recorded."""

import subprocess
import sys

from gossiplab.recording.reader import open_recording
from tests.cli.running import CHECKOUT, finish, start

THREAD = '''
import threading
from gossiplab import Protocol, every

class Threads(Protocol):
    """Leaves a thread behind that never ends."""

    @every(1.0)
    def begin(self):
        threading.Thread(target=threading.Event().wait).start()
'''
SOURCE = '''
import trio
from gossiplab import Protocol

class Swallow(Protocol):
    """Swallows whatever ends it."""

    async def run(self):
        while True:
            try:
                await trio.sleep(0.5)
            except BaseException:
                pass
'''


def test_the_command_ends_though_a_coroutine_cannot_be_closed(tmp_path):
    file, record = tmp_path / "swallow.py", tmp_path / "run.gossip"
    file.write_text(SOURCE)
    done = subprocess.run(
        [sys.executable, "-m", "gossiplab", "run", str(file), "--nodes", "1", "--until", "1", "--record", str(record)],
        cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert "had tasks that would not end with the node" in done.stderr
    assert "digest" in done.stdout
    assert open_recording(record).at(1.0).ended is not None


def test_the_command_ends_though_a_protocol_has_left_a_thread(tmp_path):
    file = tmp_path / "threads.py"
    file.write_text(THREAD)
    code, out, err = finish(start("run", file, "--nodes", 2, "--until", 1, "--no-record"))
    assert (code, err) == (0, "")
    assert "digest" in out
