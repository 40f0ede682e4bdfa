"""A pair of cached files: what training reads from."""

from dataclasses import dataclass

import numpy as np

from neural_mastering.data.cached_audio import CachedAudio
from neural_mastering.data.errors import DataError
from neural_mastering.units import power_to_db


@dataclass(frozen=True)
class CachedSong:
    """Both sides of one song at the model's rate; lengths that differ by rounding are cut to the shorter.

    Attributes:
        name, group: as in its `SongPair`.
        input: the unmastered side.
        target: the mastered side.
    """

    name: str
    group: str
    input: CachedAudio
    target: CachedAudio

    @property
    def frames(self) -> int:
        """Samples per channel that both sides have."""
        return min(self.input.frames, self.target.frames)

    @property
    def is_released(self) -> bool:
        """Both sides are one file: a released track, whose input is made while training."""
        return self.input is self.target

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.frames / self.input.sample_rate

    def audible_starts(self, starts: np.ndarray, segment: int, silence_db: float) -> np.ndarray:
        """Those of the start samples whose segment has, on both sides, an RMS level above `silence_db`.

        The level, 10·log10 of the mean square over time and channels with full scale ±1, comes from the
        energy index and so counts the whole 0.1 s blocks that the segment touches.
        """
        level_db = side_level_db(self.target, starts, segment)
        if not self.is_released:
            level_db = np.minimum(level_db, side_level_db(self.input, starts, segment))
        return starts[level_db > silence_db]

    def check_audible(self, segment: int, silence_db: float) -> None:
        """Raise the DataError of `random_starts` where it would; one look at the middle settles most songs."""
        block = self.input.block_frames
        middle = (self.frames - segment) // (2 * block) * block
        sides = (self.target,) if self.is_released else (self.input, self.target)
        if any(segment_level_db(side, middle, segment) <= silence_db for side in sides):
            self.random_starts(segment, silence_db)

    def random_starts(self, segment: int, silence_db: float) -> np.ndarray:
        """All audible starts on the grid of the energy index: what a random crop is drawn from.

        Raises:
            DataError: the song is never above `silence_db` on both sides at once.
        """
        grid = np.arange(0, self.frames - segment + 1, self.input.block_frames, dtype=np.int64)
        return self._some(self.audible_starts(grid, segment, silence_db), silence_db)

    def fixed_starts(self, segment: int, silence_db: float) -> np.ndarray:
        """Segments one after another without the silent ones; the last one ends where the song ends.

        So every audible sample is covered, and only the last two segments may overlap.

        Raises:
            DataError: the song is never above `silence_db` on both sides at once.
        """
        starts = np.arange(0, self.frames - segment + 1, segment, dtype=np.int64)
        if starts[-1] + segment < self.frames:
            starts = np.append(starts, self.frames - segment)
        return self._some(self.audible_starts(starts, segment, silence_db), silence_db)

    def _some(self, starts: np.ndarray, silence_db: float) -> np.ndarray:
        if starts.size == 0:
            raise DataError(
                f"'{self.name}' is never above {silence_db:g} dBFS on both sides at once: is one side "
                "silent? Remove the pair, or lower silence_db"
            )
        return starts


def segment_level_db(side: CachedAudio, start: int, segment: int) -> float:
    """`side_level_db` of one segment that begins with a block of the index."""
    first = start // side.block_frames
    last = min((start + segment + side.block_frames - 1) // side.block_frames, len(side.block_energy))
    energy = float(side.block_energy[first:last].sum(dtype=np.float64))
    frames = min(last * side.block_frames, side.frames) - first * side.block_frames
    return power_to_db(energy / frames)


def side_level_db(side: CachedAudio, starts: np.ndarray, segment: int) -> np.ndarray:
    """RMS level in dBFS of segments that begin at `starts`, over the blocks of the index that they touch."""
    total = np.concatenate([[0.0], np.cumsum(side.block_energy, dtype=np.float64)])
    first = starts // side.block_frames
    last = np.minimum((starts + segment + side.block_frames - 1) // side.block_frames, total.size - 1)
    frames = np.minimum(last * side.block_frames, side.frames) - first * side.block_frames
    return power_to_db((total[last] - total[first]) / frames)
