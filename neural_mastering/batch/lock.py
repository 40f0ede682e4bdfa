"""One run at a time for a folder of results; the system lets go when a process ends, however it ends."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neural_mastering.errors import InputError

_FOLDER, _MERGE = ".lock", ".merge"


@contextmanager
def locked(out: Path, shard: tuple[int, int] | None = None) -> Iterator[None]:
    """Hold the folder alone, or, for a shard, beside other shards of the same division but not the same one twice.

    Raises:
        InputError: another run holds it.
    """
    with _flock(out / _FOLDER, shared=shard is not None, waits=False, out=out):
        if shard is None:
            yield
            return
        with _flock(out / f"{_FOLDER}-{shard[0]}-{shard[1]}", shared=False, waits=False, out=out):
            yield


@contextmanager
def merging(out: Path) -> Iterator[None]:
    """Wait until no other shard rewrites the table of results."""
    with _flock(out / _MERGE, shared=False, waits=True, out=out):
        yield


@contextmanager
def _flock(path: Path, *, shared: bool, waits: bool, out: Path) -> Iterator[None]:
    # a lock is no content: the file stays empty, and nobody reads it
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
            fcntl.flock(descriptor, mode if waits else mode | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise InputError(
                    f"{out} can't be locked ({error.strerror}): put it on another file system"
                ) from error
            raise InputError(
                f"another nm-batch works in {out}: wait for it, or choose another folder with -o"
            ) from error
        yield
    finally:
        os.close(descriptor)
