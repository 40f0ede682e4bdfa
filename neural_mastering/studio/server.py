"""The server: bound to this computer only, its address printed once it answers, gone when it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import socket
import sys
import webbrowser

import uvicorn

from neural_mastering.errors import InputError
from neural_mastering.studio.app import create_app
from neural_mastering.studio.security import Access
from neural_mastering.studio.workspace import Workspace

HOST = "127.0.0.1"
_GRACE_S = 1


class AnnouncedServer(uvicorn.Server):
    """Says where it is when it answers."""

    def __init__(
        self, config: uvicorn.Config, workspace: Workspace, access: Access, opens_browser: bool
    ) -> None:
        super().__init__(config)
        self._workspace, self._access, self._opens_browser = workspace, access, opens_browser

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and print the address as the only line on standard output."""
        await super().startup(sockets)
        if self.started:
            print(self._access.url, flush=True)
            if self._opens_browser:
                await asyncio.to_thread(webbrowser.open, self._access.url)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, also while pages are open and answers on their way: that they are cut off is no error."""
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        self._workspace.streams.close()
        await super().shutdown(sockets)


def serve(workspace: Workspace, port: int, opens_browser: bool) -> None:
    """Serve until a signal stops it.

    Args:
        workspace: what is served.
        port: to listen on; 0 for any that is free.
        opens_browser: open the page.

    Raises:
        InputError: the port is taken.
    """
    listener = _listening(port)
    access = Access(secrets.token_urlsafe(32), listener.getsockname()[1])
    config = uvicorn.Config(
        create_app(workspace, access),
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=_GRACE_S,
    )
    with contextlib.suppress(KeyboardInterrupt), listener:
        AnnouncedServer(config, workspace, access, opens_browser).run(sockets=[listener])
    print("nm-studio: stopped; everything is saved", file=sys.stderr)


def _listening(port: int) -> socket.socket:
    # asyncio turns Nagle's algorithm off, which costs 40 ms an answer, only where the protocol is named
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform != "win32":  # there, it would let a second server take the port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except (OSError, OverflowError) as error:
        listener.close()
        detail = getattr(error, "strerror", None) or error
        raise InputError(
            f"--port {port} can't be used ({detail}): leave it out for any that is free"
        ) from error
    return listener
