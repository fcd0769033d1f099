"""The lab in a browser, through textual-serve (the extra `web`). Imports textual_serve; the lab runs elsewhere.

Every visitor gets a lab of their own: textual-serve starts `gossiplab lab ...` for each page, as a process whose
screen goes to the page and whose keys come from it. It has no passwords, so it listens on this machine alone unless
told otherwise, and it takes no orders from pages that came from another site.
"""

import shlex
import socket
import sys

from aiohttp import web
from textual_serve.server import Server

from gossiplab.errors import UserError
from gossiplab.text import visible

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
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
    """textual-serve without its banner and its log, and with an eye on where requests come from."""

    def __init__(self, command: str, host: str, port: int) -> None:
        name = socket.gethostname() if host in _ANYWHERE else f"[{host}]" if ":" in host else host
        super().__init__(command, host, port, title="gossiplab", public_url=f"http://{name}:{port}")  # pyright: ignore[reportUnknownMemberType]  # its paths are of an unknown kind
        names = _LOOPBACK if name in _LOOPBACK else (name,)
        self._origins = {f"http://{each}:{port}" for each in names}

    def initialize_logging(self) -> None:
        """Part of Server: standard output is data."""

    async def on_startup(self, app: web.Application) -> None:
        """Part of Server."""
        print(
            f"gossiplab: the lab is at {self.public_url} for as long as this runs, Ctrl-C ends it.",
            file=sys.stderr,
            flush=True,
        )

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Part of Server: where keys come in."""
        # a browser says which site a page is from, and would let any page open in it press keys here
        origin = request.headers.get("Origin")
        if origin is not None and origin not in self._origins:
            raise web.HTTPForbidden(text="this page is not from gossiplab\n")
        return await super().handle_websocket(request)
