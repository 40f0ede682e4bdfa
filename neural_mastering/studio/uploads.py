"""Files that arrive from a page: streamed to the disk, hashed on the way, within limits."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from neural_mastering.errors import InputError

GIGABYTE = 1 << 30
_FLUSH_BYTES = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What one client may ask of the server.

    Attributes:
        upload_bytes: of one file.
        stall_s: how long an upload may send nothing.
        free_bytes: what an upload must leave on the disk.
        most_uploads: at the same time.
    """

    upload_bytes: int = 4 * GIGABYTE
    stall_s: float = 30.0
    free_bytes: int = GIGABYTE // 2
    most_uploads: int = 64


class TooLargeError(Exception):
    """More than this server takes."""


class StalledError(Exception):
    """A client that sends nothing for too long."""


class Upload:
    """One file on its way.

    Args:
        path: where it is written.
        limits: that hold for it.
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path, self._limits = path, limits

    async def receive(self, name: str, declared_bytes: int | None, chunks: AsyncIterator[bytes]) -> str:
        """Write what arrives; gives its SHA-256.

        Raises:
            TooLargeError: more than the limit, or than the disk holds; at once, where it is declared.
            StalledError: nothing arrived for too long.
            InputError: nothing arrived at all.
        """
        self._check(declared_bytes or 0, declared_bytes or 0)
        digest, size, waiting = hashlib.sha256(), 0, bytearray()
        with self.path.open("xb") as file:
            async for chunk in self._patient(chunks):
                size += len(chunk)
                waiting += chunk
                if len(waiting) >= _FLUSH_BYTES:
                    self._check(size, len(waiting))
                    await asyncio.to_thread(file.write, waiting)
                    digest.update(waiting)
                    waiting = bytearray()
            self._check(size, len(waiting))
            file.write(waiting)
            digest.update(waiting)
        if not size:
            raise InputError(f"{name} is empty (0 bytes): export it again")
        return digest.hexdigest()

    async def _patient(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        seconds = self._limits.stall_s
        while True:
            try:
                yield await asyncio.wait_for(anext(chunks), seconds)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise StalledError(f"nothing arrived for {seconds:g} s: send the file again") from None

    def _check(self, size: int, coming: int) -> None:
        limits = self._limits
        if size > limits.upload_bytes:
            raise TooLargeError(
                f"the file is larger than {limits.upload_bytes / GIGABYTE:g} GB: start nm-studio with a larger "
                "--max-upload-gb, or name the file on its command line"
            )
        if coming + limits.free_bytes > shutil.disk_usage(self.path.parent).free:
            raise TooLargeError("the disk is nearly full: free some space and send the file again")


@contextmanager
def receiving(folder: Path, limits: Limits) -> Iterator[Upload]:
    """An upload into a folder; what has not been taken away by the end is deleted.

    Raises:
        InputError: too many at the same time.
    """
    if sum(1 for _ in folder.glob("*.upload")) >= limits.most_uploads:
        raise InputError(f"{limits.most_uploads} uploads are under way already: send this one later")
    path = folder / f"{uuid.uuid4().hex}.upload"
    try:
        yield Upload(path, limits)
    finally:
        path.unlink(missing_ok=True)
