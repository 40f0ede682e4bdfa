"""From a data folder to split, cached songs."""

import logging
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from neural_mastering.data.cache import AudioCache
from neural_mastering.data.errors import DataError
from neural_mastering.data.pairing import SongPair, find_pairs
from neural_mastering.data.song import Song
from neural_mastering.data.splits import split_songs

_log = logging.getLogger(__name__)

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class SongLibrary:
    """The songs of each split, sorted by name, at one sample rate."""

    root: Path
    sample_rate: int
    splits: Mapping[str, tuple[Song, ...]]

    def summary(self) -> dict[str, Any]:
        """Names, groups and lengths by split, as plain containers for a log or a run folder."""
        return {
            "root": str(self.root),
            "sample_rate": self.sample_rate,
            "splits": {
                split: [
                    {"name": song.name, "group": song.group, "duration_s": round(song.duration_s, 3)}
                    for song in songs
                ]
                for split, songs in self.splits.items()
            },
        }


def open_library(
    root: str | Path,
    cache: AudioCache,
    segment: int,
    seed: int,
    validation_fraction: float = 0.2,
    test_fraction: float = 0.1,
    short_songs: Literal["refuse", "skip"] = "refuse",
) -> SongLibrary:
    """Find the pairs, split them by song, and resample into the cache what is not there yet.

    Songs shorter than `segment` samples are refused, or left out where `short_songs` is "skip"; nothing is
    ever padded with zeros. Splitting comes after leaving out.

    Raises:
        DataError: whatever `find_pairs`, `split_songs` and `AudioCache.fetch` find wrong; short songs.
    """
    pairs = _long_enough(find_pairs(root), segment / cache.sample_rate, short_songs)
    names = split_songs(pairs, seed, validation_fraction, test_fraction)
    files = [side for pair in pairs for side in (pair.unmastered, pair.mastered)]
    _log.info("%d songs in %s; cache in %s", len(pairs), root, cache.folder)
    # Decoding and resampling run outside the interpreter's lock.
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        cached = list(pool.map(cache.fetch, files))
    songs = {
        pair.name: Song(pair.name, pair.group, before, after)
        for pair, before, after in zip(pairs, cached[::2], cached[1::2], strict=True)
    }
    splits = {split: tuple(songs[name] for name in getattr(names, split)) for split in SPLITS}
    return SongLibrary(Path(root), cache.sample_rate, splits)


def _long_enough(pairs: list[SongPair], segment_s: float, short_songs: str) -> list[SongPair]:
    if short_songs not in ("refuse", "skip"):
        raise DataError(f"short_songs must be 'refuse' or 'skip', got '{short_songs}'")
    # A rounding error of one sample must not turn down a file cut to exactly the segment's length.
    lengths = {pair.name: min(pair.unmastered.duration_s, pair.mastered.duration_s) for pair in pairs}
    short = {name: length for name, length in lengths.items() if length < segment_s}
    if not short:
        return pairs
    listed = ", ".join(f"'{name}' ({length:.2f} s)" for name, length in list(short.items())[:5])
    if len(short) > 5:
        listed += f" and {len(short) - 5} more"
    if short_songs == "refuse":
        raise DataError(
            f"shorter than a segment of {segment_s:g} s: {listed}. Remove them, set short_songs=skip "
            f"to leave them out, or set segment_s to at most {min(short.values()):.2f}"
        )
    _log.warning("left out, shorter than a segment of %g s: %s", segment_s, listed)
    kept = [pair for pair in pairs if pair.name not in short]
    if not kept:
        raise DataError(
            f"every song is shorter than a segment of {segment_s:g} s: {listed}. Set a smaller segment_s"
        )
    return kept
