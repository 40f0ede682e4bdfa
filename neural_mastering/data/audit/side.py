"""One side of a pair as something to read windows from."""

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import soxr


@runtime_checkable
class Side(Protocol):
    """Audio that is read by seeking; a `CachedAudio` is one."""

    @property
    def frames(self) -> int:
        """Samples per channel."""
        ...

    @property
    def channels(self) -> int:
        """1 or 2."""
        ...

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        ...

    def read(self, start: int, frames: int) -> np.ndarray:
        """Samples start … start + frames, which must lie inside, as float32 (channel, time)."""
        ...


@dataclass(frozen=True)
class ArraySide:
    """Samples (time, channel) in memory, or a map of a file."""

    samples: np.ndarray
    sample_rate: int

    @property
    def frames(self) -> int:
        """Samples per channel."""
        return self.samples.shape[0]

    @property
    def channels(self) -> int:
        """1 or 2."""
        return self.samples.shape[1]

    def read(self, start: int, frames: int) -> np.ndarray:
        """Samples start … start + frames as float32 (channel, time)."""
        return np.ascontiguousarray(self.samples[start : start + frames].T, dtype=np.float32)


@dataclass(frozen=True)
class ResampledSide:
    """Another side at another rate, converted window by window; sample 0 stays at the same time."""

    source: Side
    sample_rate: int

    _MARGIN = 4096

    @property
    def frames(self) -> int:
        """Samples per channel at the new rate."""
        return self.source.frames * self.sample_rate // self.source.sample_rate

    @property
    def channels(self) -> int:
        """1 or 2."""
        return self.source.channels

    def read(self, start: int, frames: int) -> np.ndarray:
        """Samples start … start + frames at the new rate as float32 (channel, time)."""
        divisor = math.gcd(self.source.sample_rate, self.sample_rate)
        step_in, step_out = self.source.sample_rate // divisor, self.sample_rate // divisor
        # Both grids share every step-th sample: windows begin on one of these.
        first = max(0, (start - self._MARGIN) // step_out)
        last = (start + frames + self._MARGIN) // step_out + 1
        begin = min(first * step_in, self.source.frames)
        end = min(last * step_in, self.source.frames)
        piece = soxr.resample(
            self.source.read(begin, end - begin).T, self.source.sample_rate, self.sample_rate, "HQ"
        )
        skipped = start - first * step_out
        return fitted(np.ascontiguousarray(piece.T[:, skipped : skipped + frames]), frames)


def fitted(audio: np.ndarray, frames: int) -> np.ndarray:
    """Audio (channel, time) with zeros behind it, up to `frames` samples; for correlation only."""
    missing = frames - audio.shape[1]
    return np.pad(audio, ((0, 0), (0, missing))) if missing > 0 else audio


def read_around(side: Side, start: int, frames: int) -> np.ndarray:
    """Samples start … start + frames, zeros where the side has none; for correlation only."""
    first, last = max(start, 0), min(start + frames, side.frames)
    if last <= first:
        return np.zeros((side.channels, frames), dtype=np.float32)
    piece = side.read(first, last - first)
    if last - first == frames:
        return piece
    return np.pad(piece, ((0, 0), (first - start, start + frames - last)))
