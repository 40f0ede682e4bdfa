"""Server-sent events that end with the server: a page that is still open keeps nobody waiting."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator

from fastapi.responses import StreamingResponse


class EventStreams:
    """Answers that go on until their messages end, or until `close`."""

    def __init__(self) -> None:
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End all of them."""
        self._closing.set()

    def response(self, messages: AsyncGenerator[str, None]) -> StreamingResponse:
        """An answer of messages, each with its empty line."""
        return StreamingResponse(self._until_closed(messages), media_type="text/event-stream")

    async def _until_closed(self, messages: AsyncGenerator[str, None]) -> AsyncIterator[str]:
        closing = asyncio.ensure_future(self._closing.wait())
        following: asyncio.Future[str | None] | None = None
        try:
            while not self._closing.is_set():
                following = asyncio.ensure_future(anext(messages, None))
                await asyncio.wait({following, closing}, return_when=asyncio.FIRST_COMPLETED)
                if not following.done() or (message := following.result()) is None:
                    return
                yield message
        finally:
            closing.cancel()
            if following is not None and following.cancel():
                with contextlib.suppress(asyncio.CancelledError):
                    await following
            await messages.aclose()
