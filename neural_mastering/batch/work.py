"""A unit of work: a song, or the songs of an album, and everything that decides what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from neural_mastering.batch.song import Song

Kind = Literal["master", "measure", "evaluate"]
Row = dict[str, Any]
"""A row of the results: names of columns with numbers, texts, and lists of either."""


@dataclass(frozen=True)
class Places:
    """Where files go.

    Attributes:
        masters: folder or URL.
        scratch: folder of this machine for what is being made.
        reports: folder for a report a song; None for none.
        most_download_bytes: of one source.
    """

    masters: str
    scratch: str
    reports: str | None = None
    most_download_bytes: int = 4_000_000_000


@dataclass(frozen=True)
class Work:
    """What a worker is given; it can be pickled and means the same on every machine.

    Attributes:
        kind: what is done to the songs.
        songs: one, or an album in its order.
        names: of the masters, without suffix, in the order of the songs.
        stamps: of the sources when the work was planned.
        settings: of the batch with what the rows say, as plain data; see `rendering.settings.Settings`.
        options: digest of the settings and of the files that they name.
        version: `sound_version` of the machine that planned.
        places: where files go.
        time_limit_s: for all of it.
        function: "module:name" of what is done to the songs; None takes that of the kind.
    """

    kind: Kind
    songs: tuple[Song, ...]
    names: tuple[str, ...]
    stamps: tuple[str | None, ...]
    settings: Mapping[str, Any]
    options: str
    version: str
    places: Places
    time_limit_s: float = 3600.0
    function: str | None = None

    @property
    def id(self) -> str:
        """That of its first song: names its scratch folder."""
        return self.songs[0].id


def key_of(content: str, options: str, version: str) -> str:
    """The key of a unit of work: equal keys, equal masters."""
    return f"{content}-{options}-{version}"
