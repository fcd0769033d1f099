"""The lab in a real browser: the stage is drawn there, and a key pressed there reaches the lab.

Needs the extra `web`, Playwright and a Chromium: one on PATH, Playwright's own, or the one that CHROMIUM names.
Left out where one of them is missing.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import pytest

from tests.cli.running import CHECKOUT

pytest.importorskip("textual_serve")
playwright = pytest.importorskip("playwright.sync_api")

_PATIENCE = 60.0  # s of real time
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture
def page():
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    with playwright.sync_playwright() as driver:
        if found is None and not Path(driver.chromium.executable_path).exists():
            pytest.skip("there is no Chromium here")
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": 1200, "height": 700})
        browser.close()


@pytest.fixture
def served(tmp_path):
    """A lab with 12 nodes behind an address, and the folder that it records to."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "gossiplab", "serve", "epidemic", "--nodes", "12", "--port", str(port)],
        cwd=CHECKOUT, env={**os.environ, "XDG_DATA_HOME": str(tmp_path)}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    said = process.stderr.readline()
    assert (
        said
        == f"gossiplab: the lab is at http://127.0.0.1:{port} for as long as this runs, Ctrl-C ends it.\n"
    )
    yield f"http://127.0.0.1:{port}", tmp_path / "gossiplab" / "recordings"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=_PATIENCE)
    assert process.returncode == 0


def test_the_stage_is_drawn_and_a_key_reaches_it(page, served):
    address, folder = served
    received = []

    def listen(socket):
        socket.on("framereceived", lambda frame: received.append(frame if isinstance(frame, bytes) else b""))

    page.on("websocket", listen)
    page.goto(address, wait_until="domcontentloaded")
    until(page, lambda: b"n11" in b"".join(received))
    (recording,) = folder.iterdir()

    def killed():
        # again and again: for a while the page shows a splash and takes no keys, and none before a click
        page.mouse.click(600, 350)
        page.keyboard.press("ArrowRight")
        page.keyboard.press("k")
        return '"command":"kill n' in recording.read_text()

    until(page, killed)
    page.close()


def until(page, what):
    give_up = perf_counter() + _PATIENCE
    while not what():
        assert perf_counter() < give_up, "it never came"
        page.wait_for_timeout(50)  # lets the browser work
