"""What a batch is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from neural_mastering.batch.song import Song
from neural_mastering.batch.work import Kind
from neural_mastering.errors import InputError

Retry = Literal["passing", "failed", "none"]


@dataclass(frozen=True)
class SongLimits:
    """Of one song.

    Attributes:
        time_s: after this long its process is ended; an album has as much for each of its songs.
        memory_bytes: of its process; 0 for any. Kept on Linux.
        download_bytes: of a source elsewhere.
    """

    time_s: float = 1800.0
    memory_bytes: int = 4_000_000_000
    download_bytes: int = 4_000_000_000


@dataclass(frozen=True)
class BatchRequest:
    """What a batch is asked for.

    Attributes:
        kind: "master", "measure" or "evaluate".
        songs: of the whole manifest, whatever part of it is this run's.
        out: folder for the table, the masters and the page.
        settings: as `rendering.settings.Settings` names them, and `controls` and `export`; plain data.
        masters: folder or URL; None puts them in `out`.
        scratch: folder of this machine for what is being made; None takes one in `out`.
        reports: whether each master gets its report.
        shard: (i, n) does the i-th of n parts, from 1; None does all.
        retry: which failures are tried again: those that may pass, all, none.
        any_version: what another version has done counts as done.
        limits: of one song.
        function: "module:name" of what is done to a song; None takes that of the kind, another one is for tests.
    """

    kind: Kind
    songs: tuple[Song, ...]
    out: Path
    settings: Mapping[str, Any] = field(default_factory=dict)
    masters: str | None = None
    scratch: Path | None = None
    reports: bool = False
    shard: tuple[int, int] | None = None
    retry: Retry = "passing"
    any_version: bool = False
    limits: SongLimits = field(default_factory=SongLimits)
    function: str | None = None

    @property
    def masters_place(self) -> str:
        """Folder or URL of the masters."""
        return str(self.out / "masters") if self.masters is None else self.masters


def parse_shard(text: str | None) -> tuple[int, int] | None:
    """Of the text "2/8", (2, 8).

    Raises:
        InputError: not two whole numbers, the first from 1 to the second.
    """
    if text is None:
        return None
    first, _, second = text.partition("/")
    if not (first.isascii() and first.isdecimal() and second.isascii() and second.isdecimal()):
        raise InputError(f"--shard {text}: expected I/N, such as 1/8")
    shard = int(first), int(second)
    if not 1 <= shard[0] <= shard[1]:
        raise InputError(f"--shard {text}: expected I from 1 to N, such as 1/8 to 8/8")
    return shard
