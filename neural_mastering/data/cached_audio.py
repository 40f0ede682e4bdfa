"""Resampled audio in the cache: read by seeking, with an index of its energy."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neural_mastering.data.errors import DataError

BLOCK_S = 0.1
"""Length of the blocks of the energy index."""

BYTES_PER_SAMPLE = 4


@dataclass(frozen=True)
class CachedAudio:
    """One file at the model's rate, as interleaved little-endian float32 without a header.

    Attributes:
        path: of the samples.
        frames: samples per channel.
        channels: 1 or 2.
        sample_rate: in Hz.
        block_energy: (block,) sum of squares over time and mean over channels, of consecutive blocks of
            `block_frames`; the last block may be shorter.
    """

    path: Path
    frames: int
    channels: int
    sample_rate: int
    block_energy: np.ndarray

    @property
    def block_frames(self) -> int:
        """Samples in a block of the energy index."""
        return block_frames(self.sample_rate)

    def read(self, start: int, frames: int) -> np.ndarray:
        """Samples start … start + frames as a writable float32 array (channel, time).

        Raises:
            DataError: the range leaves the file, or the cache has been removed or cut short meanwhile.
        """
        if start < 0 or frames < 0 or start + frames > self.frames:
            raise DataError(
                f"samples {start} to {start + frames} lie outside {self.path} ({self.frames} samples)"
            )
        width = self.channels * BYTES_PER_SAMPLE
        try:
            flat = np.fromfile(self.path, dtype="<f4", count=frames * self.channels, offset=start * width)
        except OSError as error:
            raise DataError(f"the cached file {self.path} cannot be read ({error}): start again") from error
        if flat.size != frames * self.channels:
            raise DataError(f"the cached file {self.path} has been cut short: delete it and start again")
        return np.ascontiguousarray(flat.reshape(frames, self.channels).T)


def block_frames(sample_rate: int) -> int:
    """Samples in a block of the energy index at a sample rate."""
    return max(1, round(BLOCK_S * sample_rate))
