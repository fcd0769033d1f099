"""The lab in a browser: who gets the page and may press keys in it, and how it ends. Needs the extra `web`."""

import asyncio
import signal
import socket
import time
from contextlib import suppress

import pytest

from tests.cli.running import finish, start

pytest.importorskip("textual_serve")
aiohttp = pytest.importorskip("aiohttp")

_OWN = [("127.0.0.1", ""), ("localhost", ""), ("192.0.2.7", ""), ("[2001:db8::1]", ""), ("LocalHost", ""),
        ("127.0.0.1", "http://127.0.0.1:{port}"), ("192.0.2.7", "http://192.0.2.7:{port}")]  # fmt: skip
_STRANGE = [("127.0.0.1", "http://example.org"), ("127.0.0.1", "null"), ("127.0.0.1", "http://192.0.2.7:{port}"),
            ("127.0.0.1", "http://127.0.0.1:1"), ("127.0.0.1", "https://127.0.0.1:{port}"),
            ("example.org", "http://example.org:{port}"), ("localhost.example.org", "")]  # fmt: skip


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """The port at which a lab is served, until Ctrl-C: it must end then though a page is open."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = str(tmp_path_factory.mktemp("data"))
    process = start("serve", "rumor", "--nodes", 5, "--port", port, env={"XDG_DATA_HOME": folder})
    assert f"http://127.0.0.1:{port}" in process.stderr.readline()
    try:
        _wait_for(port)
        yield port
        drawn, kinds = asyncio.run(_until_closed(port, process))
        assert drawn
        assert aiohttp.WSMsgType.PING not in kinds  # nobody waited for the page to fail
        assert finish(process) == (0, "", "")
    finally:
        process.kill()
        process.communicate()


def _wait_for(port):
    """Until somebody listens."""
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
    raise AssertionError("nobody listens")


async def _until_closed(port, process):
    """Whether a page gets to see the lab, and what it gets while the server ends then, by kind."""
    drawn, kinds = False, set()
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{port}/ws", autoping=False) as page,
    ):
        async for message in page:
            if drawn:
                kinds.add(message.type)
            elif message.type == aiohttp.WSMsgType.BINARY:
                process.send_signal(signal.SIGINT)
                drawn = True
            elif message.type == aiohttp.WSMsgType.PING:
                await page.pong(message.data)  # on a slow machine: the page lives, until it is to fail
    return drawn, kinds


def _ask(port, path, host, origin):
    """The status and the text of an answer."""

    async def ask():
        headers = {"Host": f"{host}:{port}", **({"Origin": origin.format(port=port)} if origin else {})}
        if path == "/ws":
            headers |= {
                "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            }  # fmt: skip
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}{path}", headers=headers) as answer,
        ):
            return answer.status, "" if answer.status == 101 else await answer.text()

    return asyncio.run(ask())


@pytest.mark.parametrize("host, origin", _OWN)
def test_a_page_is_had_by_any_address_and_asks_for_all_else_there(port, host, origin):
    status, text = _ask(port, "/", host, origin)
    assert status == 200
    assert f'"ws://{host.lower()}:{port}/ws"' in text.lower()
    assert f"http://{host.lower()}:{port}/static/" in text.lower()
    assert "https://" not in text  # nothing from elsewhere
    assert _ask(port, "/ws", host, origin)[0] == 101


@pytest.mark.parametrize("host, origin", _STRANGE)
def test_pages_of_other_sites_press_no_keys(port, host, origin):
    assert _ask(port, "/ws", host, origin) == (403, "this page is not from gossiplab\n")


def test_a_name_that_is_not_this_machines_is_told_what_to_do(port):
    status, text = _ask(port, "/", "lab.example.org", "")
    assert status == 403
    assert "open it by its address, or start gossiplab serve with --host lab.example.org" in text
