"""One row of a manifest."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Song:
    """A song as its manifest names it.

    Attributes:
        id: 16 hexadecimal digits, of path, ISRC, and how often the same two came before; the row of the results.
        path: as the manifest spells it.
        location: absolute path, or URL.
        target, style: instead of those of the batch; None keeps them.
        reference: location of the song whose sound is matched, or, for `evaluate`, of the finished master.
        album: songs of one album get one gain; None for a single.
        isrc, title: name the master; None takes the name of the file.
    """

    id: str
    path: str
    location: str
    target: str | None = None
    style: str | None = None
    reference: str | None = None
    album: str | None = None
    isrc: str | None = None
    title: str | None = None
