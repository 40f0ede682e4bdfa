"""The one function that every engine calls: work in, rows out."""

from __future__ import annotations

import os
import platform
import shutil
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from neural_mastering.batch.errors import ChangedError, NoSourceError, OtherVersionError, kind_of
from neural_mastering.batch.flatten import flatten
from neural_mastering.batch.sound_version import sound_version, versions
from neural_mastering.batch.storage import LocalCopy, fetch, is_url, stamp_of
from neural_mastering.batch.work import Row, Work, key_of
from neural_mastering.errors import InputError

_TRACE_LINES = 12


def run_work(work: Work) -> list[Row]:
    """Do the work; one row for each of its songs, in their order, whatever happens to them.

    Files are made in a folder of their own and take their places when all is well, so a process that is killed
    leaves nothing behind but that folder.
    """
    started = time.perf_counter()
    try:
        if sound_version() != work.version:
            raise OtherVersionError("this machine has another version than the one that planned the batch")
        with _scratch(work) as scratch:
            sources = [_source(work, place, scratch) for place in range(len(work.songs))]
            numbers = _does(work)(work, [source.path for source in sources], scratch)
            _check_unchanged(work)
    except Exception as error:
        # any failure of one song is its row; the others go on
        detail = (
            "".join(traceback.format_exception(error)[-_TRACE_LINES:])
            if kind_of(error) == "internal"
            else None
        )
        return failed_rows(
            work, kind_of(error), str(error) or type(error).__name__, time.perf_counter() - started, detail
        )
    seconds = (time.perf_counter() - started) / len(work.songs)
    return [
        base_row(work, place, "done", seconds)
        | {"content": source.content, "key": key_of(source.content, work.options, work.version)}
        | flatten({"versions": versions(), **own})
        for place, (source, own) in enumerate(zip(sources, numbers, strict=True))
    ]


def failed_rows(work: Work, kind: str, text: str, seconds: float, detail: str | None = None) -> list[Row]:
    """Rows of work that came to nothing."""
    said = {"error_kind": kind, "error": text, "error_detail": detail}
    return [base_row(work, place, "failed", seconds) | said for place in range(len(work.songs))]


def base_row(work: Work, place: int, status: str, seconds: float) -> Row:
    """What every row has."""
    song = work.songs[place]
    return {
        "id": song.id,
        "path": song.path,
        "name": work.names[place],
        "album": song.album,
        "isrc": song.isrc,
        "status": status,
        "seconds": seconds,
        "stamp": work.stamps[place],
        "options": work.options,
        "version": work.version,
        "error_kind": None,
        "error": None,
        "error_detail": None,
        "finished": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "host": platform.node(),
    }


def _does(work: Work) -> Callable[[Work, Sequence[Path], Path], list[dict[str, Any]]]:
    """What is done to a song of this kind. Loaded when needed: measuring needs no torch, evaluating does."""
    function = work.function or f"neural_mastering.batch.{work.kind}_song:{work.kind}_songs"
    module, _, name = function.partition(":")
    return getattr(import_module(module), name)


def _source(work: Work, place: int, scratch: Path) -> LocalCopy:
    location = work.songs[place].location
    if work.stamps[place] is None:
        raise NoSourceError(f"{work.songs[place].path} does not exist: put it there, or correct its row")
    folder = scratch / f"in{place}"
    if is_url(location):
        folder.mkdir()
    elif Path(location).is_dir():
        raise InputError(f"{work.songs[place].path} is a folder: give each song in it a row of its own")
    return fetch(location, folder, work.places.most_download_bytes)


def _check_unchanged(work: Work) -> None:
    for song, stamp in zip(work.songs, work.stamps, strict=True):
        if stamp_of(song.location) != stamp:
            raise ChangedError(
                f"{song.path} changed since this batch looked at it; it is tried again next time"
            )


@contextmanager
def _scratch(work: Work) -> Iterator[Path]:
    folder = scratch_folder(work, os.getpid())
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def scratch_folder(work: Work, process: int) -> Path:
    """Where a process makes the files of a unit of work."""
    return Path(work.places.scratch) / f"{platform.node()}-{process}-{work.id}"
