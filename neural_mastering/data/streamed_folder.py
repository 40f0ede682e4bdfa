"""A library cut into windows and packed into LitData chunks, here or in an object store."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neural_mastering.atomic import Draft, replacing, write_text
from neural_mastering.data.errors import DataError
from neural_mastering.data.song import CachedSong

ABOUT = "about.json"
_FORMAT = 1
_TRIES = 5


@dataclass(frozen=True)
class StreamedSong:
    """A song of a packed library.

    Attributes:
        name, group: as in its `SongPair`.
        frames: samples per channel.
        lufs: integrated loudness of its target.
        sample_rate: in Hz.
    """

    name: str
    group: str
    frames: int
    lufs: float
    sample_rate: int

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate


def require_litdata() -> Any:
    """The module litdata.

    Raises:
        DataError: it is not installed.
    """
    try:
        import litdata  # pyright: ignore[reportMissingImports]  # an extra; loads torch
    except ModuleNotFoundError as error:
        raise DataError(
            "data=streamed needs LitData: install it with pip install 'neural-mastering[streamed]'"
        ) from error
    return litdata


def pack_songs(
    songs: Iterable[CachedSong],
    folder: Path,
    sample_rate: int,
    window_s: float = 12.0,
    chunk_mb: int = 64,
    silence_db: float = -60.0,
    done: Callable[[CachedSong], None] = lambda _: None,
) -> int:
    """Write songs as windows one after another; the last window of a song ends where the song ends.

    An item holds `input` (left out where both sides are one file) and `target`, (channel, time) as little-endian
    float32, and its song and start. The folder appears whole or not at all.

    Args:
        songs: in the order that the items will have; those shorter than a window are left out.
        folder: to write; must not exist.
        sample_rate: of the songs, in Hz.
        window_s: length of an item in seconds; crops are drawn within it.
        chunk_mb: size of a chunk in MB, the unit of a download.
        silence_db: windows with an RMS level below this (dBFS) on either side are left out.
        done: is told each song.

    Returns:
        How many items were written.

    Raises:
        DataError: LitData is not installed, or there is nothing to write.
    """
    require_litdata()
    from litdata.streaming.writer import BinaryWriter  # pyright: ignore[reportMissingImports]  # an extra; loads torch

    window = round(window_s * sample_rate)
    listed: list[dict[str, Any]] = []
    items = 0
    folder.parent.mkdir(parents=True, exist_ok=True)
    with Draft(folder) as draft:
        draft.mkdir()
        writer = BinaryWriter(str(draft), chunk_bytes=chunk_mb * 1_000_000)
        for song in songs:
            if song.frames < window:
                continue
            number = len(listed)
            listed.append(
                {
                    "name": song.name,
                    "group": song.group,
                    "frames": song.frames,
                    "lufs": song.target.lufs if np.isfinite(song.target.lufs) else None,
                }
            )
            starts = np.arange(0, song.frames - window + 1, window, dtype=np.int64)
            if starts[-1] + window < song.frames:
                starts = np.append(starts, song.frames - window)
            for start in song.audible_starts(starts, window, silence_db).tolist():
                writer.add_item(items, _item(song, number, start, window))
                items += 1
            done(song)
        if not items:
            raise DataError(f"no song is as long as a window of {window_s:g} s and audible: nothing to pack")
        writer.done()
        writer.merge()
        about = {"format": _FORMAT, "sample_rate": sample_rate, "window": window, "songs": listed}
        write_text(draft / ABOUT, json.dumps(about) + "\n")
    return items


def _item(song: CachedSong, number: int, start: int, window: int) -> dict[str, Any]:
    target = song.target.read(start, window)
    item = {"song": number, "start": start, "channels": len(target), "target": _bytes(target)}
    return item if song.is_released else item | {"input": _bytes(song.input.read(start, window))}


def _bytes(audio: np.ndarray) -> bytes:
    return np.ascontiguousarray(audio, "<f4").tobytes()


class StreamedFolder:
    """Items of a packed library by number; chunks come into a folder of this machine when they are needed.

    Several processes may share that folder. When it holds more than `most_bytes`, the chunks that were not used for
    longest go; who still needs one fetches it again.

    Args:
        place: folder or URL.
        cache: folder of this machine; not used where `place` is a folder.
        most_bytes: of chunks in the cache.

    Attributes:
        songs: of the library.
        window: length of an item in samples.
        sample_rate: in Hz.
        chunk_ends: (chunk,) number of items up to the end of each chunk.

    Raises:
        DataError: there is no packed library, or LitData is not installed.
    """

    def __init__(self, place: str, cache: Path, most_bytes: int) -> None:
        require_litdata()
        self.place, self._most_bytes = place, most_bytes
        self._is_here = "://" not in place
        self._folder = Path(place).expanduser() if self._is_here else cache
        self._dataset: Any = None
        if not self._is_here:
            for name in ("index.json", ABOUT):
                self._fetch(name)
        about = self._read(ABOUT)
        index = self._read("index.json")
        if about.get("format") != _FORMAT:
            raise DataError(f"{place} was packed by another version: pack it again")
        self.window, self.sample_rate = int(about["window"]), int(about["sample_rate"])
        self.songs = tuple(
            StreamedSong(
                str(song["name"]),
                str(song["group"]),
                int(song["frames"]),
                float("-inf") if song["lufs"] is None else float(song["lufs"]),
                self.sample_rate,
            )
            for song in about["songs"]
        )
        self._chunks = [(str(c["filename"]), int(c["chunk_bytes"])) for c in index["chunks"]]
        self.chunk_ends = np.cumsum([int(c["chunk_size"]) for c in index["chunks"]], dtype=np.int64)

    def __len__(self) -> int:
        return int(self.chunk_ends[-1])

    def __getitem__(self, number: int) -> Mapping[str, Any]:
        """An item as it was packed."""
        chunk = int(np.searchsorted(self.chunk_ends, number, side="right"))
        for left in reversed(range(_TRIES)):
            try:
                self._ensure(chunk)
                return self._opened()[number]
            except FileNotFoundError:  # another process made room at this very moment
                if not left:
                    raise
                time.sleep(0.05)
        raise AssertionError

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_dataset": None}  # each process opens its own

    def _opened(self) -> Any:
        if self._dataset is None:
            self._dataset = require_litdata().StreamingDataset(str(self._folder))
        return self._dataset

    def _read(self, name: str) -> dict[str, Any]:
        path = self._folder / name
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(
                f"{self.place} is no packed library ({name}: {error}): write one with nm-data pack"
            ) from error

    def _ensure(self, chunk: int) -> None:
        """The chunk's file is here."""
        if self._is_here:
            return
        name, size = self._chunks[chunk]
        path = self._folder / name
        try:
            if path.stat().st_size >= size:
                os.utime(path)
                return
        except FileNotFoundError:
            pass
        self._make_room(size)
        self._fetch(name)

    def _fetch(self, name: str) -> None:
        import fsspec  # an extra

        self._folder.mkdir(parents=True, exist_ok=True)
        place = f"{self.place.rstrip('/')}/{name}"
        try:
            with (
                fsspec.open(place, "rb") as source,
                replacing(self._folder / name) as draft,
                draft.open("wb") as out,
            ):
                shutil.copyfileobj(source, out, 1 << 20)  # pyright: ignore[reportArgumentType]
        except FileNotFoundError as error:
            raise DataError(f"{self.place} has no {name}: write a library with nm-data pack") from error

    def _make_room(self, size: int) -> None:
        """Remove the chunks that were not used for longest."""
        found = []
        for name, _ in self._chunks:
            try:
                stat = (self._folder / name).stat()
            except FileNotFoundError:
                continue
            found.append((stat.st_mtime_ns, stat.st_size, name))
        total = size + sum(own for _, own, _ in found)
        for _, own, name in sorted(found):
            if total <= self._most_bytes:
                return
            (self._folder / name).unlink(missing_ok=True)
            total -= own


def is_packed(place: str) -> bool:
    """Whether there is a packed library, in a folder or at a URL."""
    if "://" not in place:
        return (Path(place).expanduser() / ABOUT).exists()
    import fsspec  # an extra

    system, name = fsspec.core.url_to_fs(place)
    return bool(system.exists(f"{name}/{ABOUT}"))
