"""The lab in a browser, through textual-serve (the extra `web`). Imports textual_serve; the lab runs elsewhere.

Every visitor gets a lab of their own: textual-serve starts `gossiplab lab ...` for each page, as a process whose
screen goes to the page and whose keys come from it. It has no passwords, so it listens on this machine alone unless
told otherwise, and it takes no orders from pages that came from another site.
"""

import asyncio
import re
import shlex
import socket
import sys
from copy import copy
from ipaddress import ip_address
from typing import Any

from aiohttp import web
from textual_serve.server import Server

from gossiplab.errors import UserError
from gossiplab.text import visible

_ELSEWHERE = re.compile(r"<link[^>]*https://[^>]*>")  # a font from another site, which the page does without
_ANYWHERE = ("0.0.0.0", "::", "")  # noqa: S104  # recognized, not bound to


def serve(arguments: list[str], host: str, port: int) -> int:
    """Serve labs until Ctrl-C. Returns the exit code.

    arguments: those of `gossiplab lab`, or none for the demo. Raises UserError when the address is not to be had.
    """
    if not 0 < port < 65536:
        raise UserError(f"the port cannot be {port}: give a number from 1 to 65535.")
    try:
        # asked for beforehand: textual-serve answers a port that is taken with a traceback
        family = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family[0], socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(family[4])
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no host's name"
        raise UserError(
            f"the lab cannot be served at {visible(host, 100)}, port {port}: {why}; choose others with --host and --port."
        ) from None
    words = ["lab", *arguments] if arguments else []
    _Server(shlex.join([sys.executable, "-m", "gossiplab", *words]), host, port).serve()
    return 0


class _Server(Server):
    """textual-serve without its banner and its log, with an eye on where requests come from, and a quick end.

    A page is given to whoever asks for it by an address, or by a name that this machine is known to have: a site
    whose name was made to mean this machine would be taken for the lab's own by the browser. All else that the page
    asks for it asks for by the same name, so that any of them will do.
    """

    def __init__(self, command: str, host: str, port: int) -> None:
        anywhere = host in _ANYWHERE
        name = socket.gethostname() if anywhere else f"[{host}]" if ":" in host else host
        super().__init__(command, host, port, title="gossiplab", public_url=f"http://{name}:{port}")  # pyright: ignore[reportUnknownMemberType]  # its paths are of an unknown kind
        self._names = {"localhost", name.lower(), *((socket.getfqdn().lower(),) if anywhere else ())}
        self._pages = set[asyncio.Task[object]]()

    def initialize_logging(self) -> None:
        """Part of Server: standard output is data."""

    async def on_startup(self, app: web.Application) -> None:
        """Part of Server."""
        print(
            f"gossiplab: the lab is at {self.public_url} for as long as this runs, Ctrl-C ends it.",
            file=sys.stderr,
            flush=True,
        )

    async def on_shutdown(self, app: web.Application) -> None:
        """Part of Server: what is open would otherwise be waited for until its next heartbeat."""
        for page in self._pages:
            page.cancel()

    async def handle_index(self, request: web.Request) -> Any:
        """Part of Server: the page."""
        if not self._known(request):
            raise web.HTTPForbidden(
                text=f"gossiplab does not know this machine by that name: open it by its address, or start gossiplab serve with --host {request.url.host}\n"
            )
        here = copy(self)
        here.public_url = f"http://{request.host}"
        page = await Server.handle_index(here, request)
        if isinstance(page, web.Response):
            page.text = _ELSEWHERE.sub("", page.text or "")
        return page

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Part of Server: where keys come in."""
        # a browser says which site a page is from, and would let any page open in it press keys here
        origin = request.headers.get("Origin")
        if not self._known(request) or origin not in (None, f"http://{request.host}"):
            raise web.HTTPForbidden(text="this page is not from gossiplab\n")
        page = asyncio.current_task()
        assert page is not None  # a handler is one
        self._pages.add(page)
        try:
            return await super().handle_websocket(request)
        finally:
            self._pages.discard(page)

    def _known(self, request: web.Request) -> bool:
        """Whether the name that a request was sent to is one of this machine's."""
        host = request.url.host or ""
        try:
            return bool(ip_address(host))
        except ValueError:
            return host.lower() in self._names
