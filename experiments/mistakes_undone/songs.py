"""Which songs are tested and which may be learned from: whole packages apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from experiments.common.csv_files import read_rows
from neural_mastering.chance import seed_of

TEST_SONGS = Path(__file__).parents[1] / "normality" / "test_songs.csv"
"""Written before anything was trained."""


class Song(NamedTuple):
    """A file of the pool."""

    package: str
    name: str
    path: Path


def pool_songs(music: Path, listed: Path = TEST_SONGS) -> tuple[list[Song], list[Song]]:
    """Songs of the test and songs of other packages, by package and name.

    Args:
        music: folder with manifest.csv (columns file and package) and the files.
        listed: the songs of the test (columns package and song). Every other song of their packages is left out.
    """
    rows = read_rows(listed)
    tested = {(row["package"], row["song"]) for row in rows}
    packages = {row["package"] for row in rows}
    songs = sorted({_song(music, row) for row in read_rows(music / "manifest.csv")})
    songs = [song for song in songs if song.path.exists()]
    return (
        [song for song in songs if (song.package, song.name) in tested],
        [song for song in songs if song.package not in packages],
    )


def chosen(songs: Sequence[Song], most: int | None = None) -> list[Song]:
    """One song of each package in turn, in the order of a hash of their names; at most so many of each."""
    groups: dict[str, list[Song]] = {}
    for song in sorted(songs, key=lambda s: seed_of("turn", s.package, s.name)):
        groups.setdefault(song.package, []).append(song)
    turns = zip_longest(*(groups[package][:most] for package in sorted(groups)))
    return [song for turn in turns for song in turn if song is not None]


def _song(music: Path, row: dict[str, str]) -> Song:
    return Song(row["package"], Path(row["file"]).stem, music / row["file"])
