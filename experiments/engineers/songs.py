"""Which songs are for learning, for tuning and for the test: whole packages apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Literal, NamedTuple

import yaml

from experiments.common.csv_files import read_rows
from experiments.common.paths import SOURCES
from neural_mastering.chance import seed_of

Part = Literal["train", "development", "test"]

TEST_SONGS = Path(__file__).with_name("test_songs.csv")
"""Columns package and song: chosen by `choose_test` before anything was learned, scored at the end."""

TEST_SONGS_A_PACKAGE = 4

DEVELOPMENT = (
    "openclonk-data",
    "freedink-data",
    "glob2-data",
    "lordsawar-data",
    "hex-a-hop-data",
    "pathological",
)
"""Packages to tune on, besides those that `sources.yaml` keeps for validation."""


class Song(NamedTuple):
    """A file of the pool."""

    package: str
    name: str
    path: Path

    @property
    def key(self) -> str:
        """Unique in the pool."""
        return f"{self.package}/{self.name}"


def pool_songs(music: Path) -> list[Song]:
    """Songs of MUSIC/manifest.csv (columns file, package) whose file is there, by package and name."""
    rows = read_rows(music / "manifest.csv")
    songs = {Song(row["package"], Path(row["file"]).stem, music / row["file"]) for row in rows}
    return sorted(song for song in songs if song.path.exists())


def songs_of(songs: Iterable[Song], part: Part) -> list[Song]:
    """Songs of one part; songs of the test's packages that are not on its list are in none."""
    sources = yaml.safe_load(SOURCES.read_text("utf-8"))
    if part == "test":
        listed = {(row["package"], row["song"]) for row in read_rows(TEST_SONGS)}
        return [song for song in songs if (song.package, song.name) in listed]
    tuned = {*sources["validation"], *DEVELOPMENT}
    return [
        song
        for song in songs
        if song.package not in sources["test"] and (song.package in tuned) == (part == "development")
    ]


def in_turn(songs: Sequence[Song], seed: int) -> list[Song]:
    """One song of each package in turn, packages and songs in the order of a hash of the seed and their names."""
    groups: dict[str, list[Song]] = {}
    for song in sorted(songs, key=lambda s: seed_of("song", seed, s.package, s.name)):
        groups.setdefault(song.package, []).append(song)
    packages = sorted(groups, key=lambda package: seed_of("package", seed, package))
    turns = zip_longest(*(groups[package] for package in packages))
    return [song for turn in turns for song in turn if song is not None]


def choose_test(listed: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """At most four songs of each package, those with the smallest hash of package and name.

    Args:
        listed: (package, song) that may be chosen.
    """
    ordered = sorted(set(listed), key=lambda row: seed_of("engineers test", *row))
    counts: dict[str, int] = {}
    chosen = []
    for package, song in ordered:
        counts[package] = counts.get(package, 0) + 1
        if counts[package] <= TEST_SONGS_A_PACKAGE:
            chosen.append((package, song))
    return sorted(chosen)
