"""From a data folder to split, cached songs."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from neural_mastering.data.audit.training import require_sound_pairs
from neural_mastering.data.cache import AudioCache
from neural_mastering.data.errors import DataError
from neural_mastering.data.library_index import LibraryIndex
from neural_mastering.data.music import find_music
from neural_mastering.data.pairing import SongPair, find_pairs
from neural_mastering.data.song_table import SongTable
from neural_mastering.data.splits import SPLITS, split_songs

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SongLibrary:
    """The songs of each split, sorted by name, at one sample rate: `CachedSong`, or `StreamedSong`."""

    root: Path
    sample_rate: int
    splits: Mapping[str, Sequence[Any]]

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
    stored_splits: Mapping[str, str] | None = None,
    released: bool = False,
    check: bool = True,
) -> SongLibrary:
    """Find the songs, split them by group, and resample into the cache what is not there yet.

    Songs shorter than `segment` samples are refused, or left out where `short_songs` is "skip"; nothing is
    ever padded with zeros. Splitting comes after leaving out. A file that has not changed since the last time
    is not opened, see `LibraryIndex`.

    Args:
        root: folder of pairs, or of released music.
        cache: of resampled files.
        segment: length of an item in samples.
        seed: of the splits.
        validation_fraction, test_fraction: see `split_groups`.
        short_songs: "refuse" or "skip".
        stored_splits: group → split, to be kept.
        released: `root` holds released music (`find_music`): both sides of a song are the track.
        check: refuse pairs that are not aligned, see `require_sound_pairs`.

    Raises:
        DataError: whatever `find_pairs`, `find_music`, `split_songs` and `AudioCache.fetch` find wrong; short
            songs.
    """
    index = LibraryIndex(Path(root), cache)
    pairs = _released(root, index) if released else find_pairs(root, index.probe)
    pairs = _long_enough(pairs, segment / cache.sample_rate, short_songs)
    names = split_songs(pairs, seed, validation_fraction, test_fraction, stored_splits)
    _log.info("%d songs in %s; cache in %s", len(pairs), root, cache.folder)
    sides = [(pair.unmastered,) if released else (pair.unmastered, pair.mastered) for pair in pairs]
    files = index.cached([file for song in sides for file in song])
    rows = np.arange(len(files.stems), dtype=np.int64).reshape(len(pairs), -1)
    rows = np.repeat(rows, 2, axis=1) if released else rows
    table = SongTable([pair.name for pair in pairs], [pair.group for pair in pairs], files, rows)
    if check and not released:
        keys = [f"{files.stems[before]}|{files.stems[after]}" for before, after in rows.tolist()]
        require_sound_pairs(Path(root), table, keys, cache.folder)
    place = {name: row for row, name in enumerate(table.names)}
    splits = {split: table.subset([place[name] for name in getattr(names, split)]) for split in SPLITS}
    return SongLibrary(Path(root), cache.sample_rate, splits)


def _released(root: str | Path, index: LibraryIndex) -> list[SongPair]:
    """Released tracks as pairs of twice the same file."""
    pairs = []
    for track in find_music(root):
        file = index.probe(track.path)
        pairs.append(SongPair(track.name, file, file, track.group, track.split))
    return pairs


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
