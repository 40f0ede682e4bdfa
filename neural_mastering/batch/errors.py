"""Why a song failed, as a kind: what decides whether the next run tries it again."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from neural_mastering.batch.storage import DownloadSizeError, StorageError
from neural_mastering.errors import InputError, UnwritableError

KINDS = {
    "input": "the song or its row can't be used",
    "missing": "there is no such file",
    "too_large": "the download is larger than allowed",
    "changed": "the file changed while it was read",
    "storage": "a store could not be read or written",
    "disk_full": "no space was left",
    "system": "a file could not be written, or the operating system refused it",
    "memory": "the song needed more memory than allowed",
    "timeout": "the song took longer than allowed",
    "version": "a machine has another version of this program",
    "died": "the process ended without an answer, twice",
    "internal": "an error of this program",
}
"""What can go wrong."""

PASSING = ("missing", "changed", "storage", "disk_full", "system", "version", "died")
"""Kinds that another run tries again unasked; the others would fail again and wait for `--retry failed`."""


class NoSourceError(InputError):
    """There is no such source."""


class ChangedError(InputError):
    """A source is not what it was when the work was planned."""


class OtherVersionError(InputError):
    """The machine that does the work has another version than the one that planned it."""


_OWN_KINDS: tuple[tuple[type[InputError], str], ...] = (
    (NoSourceError, "missing"),
    (ChangedError, "changed"),
    (OtherVersionError, "version"),
    (DownloadSizeError, "too_large"),
    (StorageError, "storage"),
    (UnwritableError, "system"),
)


def kind_of(error: BaseException) -> str:
    """The kind of an error, by what it is and what caused it."""
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
            return "disk_full"
        if isinstance(cause, UnwritableError) and cause.is_full:
            return "disk_full"
        if isinstance(cause, MemoryError):
            return "memory"
    for own, kind in _OWN_KINDS:
        if isinstance(error, own):
            return kind
    if isinstance(error, InputError):
        return "input"
    return "system" if isinstance(error, OSError) else "internal"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
