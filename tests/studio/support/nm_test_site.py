"""The studio's static files and a song's samples over HTTP on this computer, under the studio's content policy."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
from numpy.typing import NDArray

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "media-src 'self'; worker-src 'self'"
)
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
_PAGE = """<!doctype html>
<html lang="en"><title>engine</title><body>
<div id="player"><div class="test" hidden></div></div>
<script src="/static/engine/listening.js"></script><script type="module" src="/page.js"></script>
</body></html>
"""


@dataclass
class Site:
    """A running server; `song` is (channel, time).

    Attributes:
        url: of its page.
        song: what /pcm serves.
    """

    url: str = ""
    song: NDArray[np.float32] | None = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A tab that goes away closes its connections; nothing to say."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, site: Site, *arguments: object) -> None:
        self.site = site
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        if where.path == "/":
            self._send(_PAGE.encode(), "text/html")
        elif where.path == "/page.js":
            self._send(Path(__file__).with_name("engine_page.js").read_bytes(), "text/javascript")
        elif where.path == "/static/engine/listening.js":
            self._send(
                files("neural_mastering.reporting").joinpath("listening.js").read_bytes(), "text/javascript"
            )
        elif where.path == "/favicon.ico":  # none, and no error in the log
            self._send(b"", "image/x-icon")
        elif where.path == "/pcm":
            asked = {key: int(values[0]) for key, values in parse_qs(where.query).items()}
            assert self.site.song is not None
            part = self.site.song[:, asked["start"] : asked["start"] + asked["frames"]]
            self._send(np.ascontiguousarray(part.T, dtype="<f4").tobytes(), "application/octet-stream")
        elif where.path.startswith("/static/") and ".." not in where.path:
            file = files("neural_mastering.studio").joinpath(where.path[1:])
            if file.is_file():
                self._send(file.read_bytes(), _TYPES["." + where.path.rpartition(".")[2]])
            else:
                self.send_error(404)
        else:
            self.send_error(404)

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(body)


@contextlib.contextmanager
def serve() -> Iterator[Site]:
    """A site on a free port until the block ends."""
    site = Site()
    server = _Server(("127.0.0.1", 0), partial(_Handler, site))
    site.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
