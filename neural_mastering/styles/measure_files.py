"""Measuring many songs, several at a time; a broken file is reported, and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from neural_mastering.audio_io.reader import BY_FFMPEG
from neural_mastering.errors import InputError
from neural_mastering.notes import Note
from neural_mastering.styles.song import SongTone, measure_song_tone
from neural_mastering.worker_pool import run_jobs

SUFFIXES = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".opus", ".mp3", *BY_FFMPEG)

Measured = SongTone | Note
"""A song, or why a file could not be measured."""


def find_songs(places: Sequence[str | Path]) -> list[Path]:
    """Audio files of folders (with the folders in them) and files, sorted, each once.

    Raises:
        InputError: a place that does not exist, or no audio file in any of them.
    """
    found: dict[Path, Path] = {}
    for place in map(Path, places):
        if place.is_dir():
            inside = (p for p in sorted(place.rglob("*")) if p.suffix.lower() in SUFFIXES)
            for path in inside:
                if path.is_file() and not any(part.startswith(".") for part in path.relative_to(place).parts):
                    found.setdefault(path.resolve(), path)
        elif place.is_file():
            found.setdefault(place.resolve(), place)
        else:
            raise InputError(f"{place} does not exist: give a folder of finished songs, or songs")
    if not found:
        names = " and ".join(str(place) for place in places) or "the list"
        raise InputError(f"there are no audio files in {names}: expected WAV, FLAC, AIFF, OGG, Opus or MP3")
    return sorted(found.values())


def measure_files(
    paths: Sequence[Path], jobs: int = 1, done: Callable[[Measured], None] | None = None
) -> list[Measured]:
    """Measure each file in up to `jobs` processes; results in the order of the files.

    `done` is called with each result as it comes.

    Raises:
        InputError: a process died, as it does when memory runs out.
    """
    return run_jobs(measure_or_note, paths, jobs, done)


def measure_or_note(path: Path) -> Measured:
    """The song, or a note of kind "unreadable" about its file."""
    try:
        return measure_song_tone(path)
    except InputError as error:
        return Note("unreadable", str(error))
