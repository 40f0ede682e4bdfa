"""Measuring many songs, several at a time; a broken file is reported, and the others go on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from neural_mastering.audio_io.reader import BY_FFMPEG
from neural_mastering.errors import InputError
from neural_mastering.notes import Note
from neural_mastering.styles.song import SongTone, measure_song_tone

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
        raise InputError(f"there are no audio files in {names}: expected WAV, FLAC, AIFF, OGG or MP3")
    return sorted(found.values())


def measure_files(
    paths: Sequence[Path], jobs: int = 1, done: Callable[[Measured], None] | None = None
) -> list[Measured]:
    """Measure each file in up to `jobs` processes; results in the order of the files.

    `done` is called with each result as it comes.

    Raises:
        InputError: a process died, as it does when memory runs out.
    """
    say = done or (lambda _: None)
    results: list[Measured] = []
    if jobs <= 1 or len(paths) <= 1:
        for path in paths:
            results.append(measure_or_note(path))
            say(results[-1])
        return results
    with _pool(min(jobs, len(paths))) as pool:
        futures = [pool.submit(measure_or_note, path) for path in paths]
        try:
            for future in as_completed(futures):
                say(future.result())
        except BrokenProcessPool as error:
            raise InputError(
                "a process was ended from outside, perhaps for want of memory: try fewer at once (--jobs 1)"
            ) from error
        return [future.result() for future in futures]


def measure_or_note(path: Path) -> Measured:
    """The song, or a note of kind "unreadable" about its file."""
    try:
        return measure_song_tone(path)
    except InputError as error:
        return Note("unreadable", str(error))


def default_jobs() -> int:
    """One process a core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    # fresh interpreters: forks of a process with threads can hang
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_start_worker)
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        processes = list((getattr(pool, "_processes", None) or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.terminate()
        raise


def _start_worker() -> None:
    """Ctrl-C is the main process's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
