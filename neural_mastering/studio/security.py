"""Who may talk to the server: this computer, under its own name, with the token; and what a page may load.

- Host must be ours, so a foreign name that resolves to 127.0.0.1 (DNS rebinding) is refused.
- Origin and Sec-Fetch-Site must be ours where a browser sends them, so other pages can't post (CSRF). Other ports
  of this computer count as the same site for cookies, so SameSite alone does not keep them out.
- Everything needs the token: in the opened URL once, then in a cookie that scripts can't read, or as
  `Authorization: Bearer TOKEN` for programs.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; media-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
"""On every answer; an answer's own header wins."""


UPLOAD_PATH = "/songs"
"""Takes bodies of any size, and looks after it itself."""

LARGEST_BODY_BYTES = 8 << 20


@dataclass(frozen=True)
class Access:
    """Who may talk to the server.

    Attributes:
        token: that opens it.
        port: of the server.
    """

    token: str
    port: int

    @property
    def hosts(self) -> tuple[str, ...]:
        """What Host may be."""
        return f"127.0.0.1:{self.port}", f"localhost:{self.port}"

    @property
    def cookie(self) -> str:
        """Name of the cookie: browsers keep those of all ports of a host together."""
        return f"nm_studio_{self.port}"

    @property
    def url(self) -> str:
        """What a browser opens."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    def is_token(self, given: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(given.encode(), self.token.encode())


class Guard:
    """ASGI middleware that lets nothing pass which is not allowed."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no websockets here
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._refusal(scope)
        bodied = receive if scope["path"] == UPLOAD_PATH else _limited(receive)
        await (refused or self._app)(scope, bodied, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        access = self._access
        if headers.getlist("host") not in [[host] for host in access.hosts]:
            return _refuse("this server answers to 127.0.0.1 and localhost only")
        origins = [f"http://{host}" for host in access.hosts]
        if any(origin not in origins for origin in headers.getlist("origin")):
            return _refuse("another page may not use this server")
        is_front_door = scope["path"] == "/" and scope["method"] == "GET"
        if not is_front_door and headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return _refuse("another page may not use this server")
        if is_front_door and (given := _query(scope, "token")) is not None:
            return self._opened() if access.is_token(given) else _no_token()
        if not self._is_known(headers):
            return _no_token()
        return None

    def _opened(self) -> Response:
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(
            self._access.cookie, self._access.token, httponly=True, samesite="strict", path="/", max_age=None
        )
        return answer

    def _is_known(self, headers: Headers) -> bool:
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self._access.is_token(given.strip())
        return any(self._access.is_token(value) for value in _cookies(headers, self._access.cookie))


def _limited(receive: Receive) -> Receive:
    """Bodies other than uploads end at `LARGEST_BODY_BYTES`."""
    size = 0

    async def limited() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > LARGEST_BODY_BYTES:
            raise HTTPException(413, f"more than {LARGEST_BODY_BYTES >> 20} MB: too large for this request")
        return message

    return limited


def _cookies(headers: Headers, name: str) -> Iterable[str]:
    for line in headers.getlist("cookie"):
        jar: MutableMapping[str, Any] = SimpleCookie()
        try:
            jar = SimpleCookie(line)
        except CookieError:
            continue
        if name in jar:
            yield jar[name].value


def _query(scope: Scope, name: str) -> str | None:
    values = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True).get(name)
    return None if values is None else values[0]


def _refuse(text: str) -> Response:
    return JSONResponse({"error": text}, status_code=403)


def _no_token() -> Response:
    return JSONResponse(
        {"error": "open the address that nm-studio printed: it holds the token that this server asks for"},
        status_code=401,
    )
