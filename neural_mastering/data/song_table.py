"""Ten thousand songs as columns of numbers; a `CachedSong` is made when it is asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np

from neural_mastering.data.cached_audio import CachedAudio
from neural_mastering.data.song import CachedSong


class EnergyFile:
    """The block energies of many files one after another, as float32 on disk, mapped and not read.

    A copy that goes to another process takes the path along and not the numbers.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def array(self) -> np.ndarray:
        """All of them; the system reads what is touched and may forget it again."""
        if self.path.stat().st_size == 0:
            return np.zeros(0, dtype=np.float32)
        return np.asarray(np.memmap(self.path, "<f4", "r"))

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path}


@dataclass(frozen=True)
class CachedFiles:
    """Entries of the cache.

    Attributes:
        folder: of the cache.
        sample_rate: of all of them, in Hz.
        stems: file names of the samples, without suffix.
        numbers: (file, 4) int64: frames, channels, first block, blocks.
        lufs: (file,) integrated loudness.
        energies: where the blocks are.
    """

    folder: Path
    sample_rate: int
    stems: list[str]
    numbers: np.ndarray
    lufs: np.ndarray
    energies: EnergyFile

    def __getitem__(self, index: int) -> CachedAudio:
        """One entry."""
        frames, channels, first, blocks = self.numbers[index].tolist()
        energy = self.energies.array[first : first + blocks]
        path = self.folder / f"{self.stems[index]}.f32"
        return CachedAudio(path, frames, channels, self.sample_rate, energy, float(self.lufs[index]))


class SongTable(Sequence[CachedSong]):
    """Songs in order; each is built from its row on access.

    Args:
        names, groups: of the songs.
        files: the cache entries that the rows point to.
        rows: (song, 2) int64, which files are a song's input and target.
    """

    def __init__(
        self, names: Sequence[str], groups: Sequence[str], files: CachedFiles, rows: np.ndarray
    ) -> None:
        self.names, self.groups = list(names), list(groups)
        self._files, self._rows = files, rows

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> CachedSong: ...
    @overload
    def __getitem__(self, index: slice) -> "SongTable": ...
    def __getitem__(self, index: int | slice) -> "CachedSong | SongTable":
        if isinstance(index, slice):
            return self.subset(range(*index.indices(len(self))))
        before, after = self._rows[index].tolist()
        target = self._files[after]
        source = target if before == after else self._files[before]
        return CachedSong(self.names[index], self.groups[index], source, target)

    def __iter__(self) -> Iterator[CachedSong]:
        return (self[index] for index in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, SongTable)
            and self.names == other.names
            and self._files is other._files
            and np.array_equal(self._rows, other._rows)
        )

    __hash__ = None  # type: ignore[assignment]

    def subset(self, indices: Sequence[int]) -> "SongTable":
        """Some of the songs."""
        names, groups = ([column[i] for i in indices] for column in (self.names, self.groups))
        return SongTable(names, groups, self._files, self._rows[list(indices)].reshape(-1, 2))
