"""Songs in a folder of music, which may have one folder a group (album, artist, game)."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

LOSSLESS = (".flac", ".wav")
AUDIO = (*LOSSLESS, ".ogg")


def songs_below(folder: Path) -> list[Path]:
    """Songs at any depth, sorted by path."""
    return sorted(path for path in folder.rglob("*") if path.suffix in AUDIO)


def songs_by_group(music: Path, endings: Sequence[str] = LOSSLESS) -> dict[str, list[Path]]:
    """Songs in each folder of a folder, both sorted by name."""
    return {
        folder.name: sorted(file for file in folder.iterdir() if file.suffix.lower() in endings)
        for folder in sorted(music.iterdir())
        if folder.is_dir()
    }


def in_turn(groups: Mapping[str, Sequence[Path]], names: Sequence[str], count: int) -> list[Path]:
    """At most so many songs, one of each named group in turn."""
    rounds = zip_longest(*(groups[name] for name in names))
    return [song for songs in rounds for song in songs if song is not None][:count]
