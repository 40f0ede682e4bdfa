"""What one side is like by itself: loudness, peaks, clipping, DC, silence."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from neural_mastering.data.audit.side import ArraySide
from neural_mastering.dsp.loudness import gated_loudness, gated_range, k_weighted_energy
from neural_mastering.dsp.true_peak import true_peak_db
from neural_mastering.units import db_to_gain

SILENT_DBFS = -80.0
"""A side whose peak is lower is silent; so are its beginning and end up to the first sample above −60 dBFS."""

CLIPPED_RUN = 3
"""Samples of one value in a row, near the peak of the file, that count as clipped."""

_EDGE_DBFS = -60.0
_CHUNK_FRAMES = 1 << 18


@dataclass(frozen=True)
class Levels:
    """Readings of one side.

    Attributes:
        loudness_lufs, loudness_range_lu, true_peak_dbtp: BS.1770-5 and EBU Tech 3342; −inf on silence,
            NaN below 8 kHz.
        peak: largest |sample|, full scale 1.
        rms: root of the mean square over time and channels.
        clipped_samples: in runs of three or more equal values at 0.98 of the peak or more.
        dc_by_channel: offset of each channel. Music with uneven waves has a mean that comes and goes, so an
            offset counts only where nine tenths of all blocks of 0.5 s lie to one side of 0.
        leading_silence_s, trailing_silence_s: before the first and after the last sample above −60 dBFS.
    """

    loudness_lufs: float
    loudness_range_lu: float
    true_peak_dbtp: float
    peak: float
    rms: float
    clipped_samples: int
    dc_by_channel: tuple[float, ...]
    leading_silence_s: float
    trailing_silence_s: float

    @property
    def dc(self) -> float:
        """Largest |offset| of a channel."""
        return max(abs(mean) for mean in self.dc_by_channel)

    @property
    def silent(self) -> bool:
        """Whether there is nothing to hear."""
        return self.peak < db_to_gain(SILENT_DBFS)


def measure_levels(side: ArraySide) -> Levels:
    """Read the meters of one side, piece by piece."""
    samples, rate = side.samples, side.sample_rate
    threshold = db_to_gain(_EDGE_DBFS)
    peak, first, last = 0.0, side.frames, 0
    energy = 0.0
    for start in range(0, side.frames, _CHUNK_FRAMES):
        chunk = samples[start : start + _CHUNK_FRAMES]
        level = np.abs(chunk).max(axis=1)
        peak = max(peak, float(level.max()))
        energy += float(np.square(chunk, dtype=np.float64).sum())
        loud = np.flatnonzero(level > threshold)
        if loud.size:
            first, last = min(first, start + int(loud[0])), start + int(loud[-1]) + 1
    audio = torch.from_numpy(samples).T[None]
    loudness = spread = math.nan
    if rate >= 8_000:
        cells = k_weighted_energy(audio, rate, 100.0, 100.0)
        loudness = float(gated_loudness(_windows(cells, 4))[0])
        spread = float(gated_range(_windows(cells, 30))[0])
    return Levels(
        loudness,
        spread,
        float(true_peak_db(audio, rate)[0]),
        peak,
        math.sqrt(energy / samples.size),
        _clipped(samples, peak),
        _offsets(samples, rate),
        first / rate,
        (side.frames - last) / rate if last else side.frames / rate,
    )


def _windows(cells: torch.Tensor, count: int) -> torch.Tensor:
    """Mean energies of `count` cells in a row."""
    if cells.shape[-1] < count:
        return cells[:, :0]
    return cells.unfold(-1, count, 1).mean(dim=-1)


def _offsets(samples: np.ndarray, rate: int) -> tuple[float, ...]:
    """The median of the block means of each channel, where nine tenths of them have one sign; else 0."""
    starts = np.arange(0, max(1, len(samples) - rate // 4), max(1, rate // 2))
    means = np.stack([samples[start : start + rate // 2].mean(axis=0, dtype=np.float64) for start in starts])
    low, high = np.percentile(means, [5, 95], axis=0)
    shared = np.where((low > 0) | (high < 0), np.median(means, axis=0), 0.0)
    return tuple(shared.tolist())


def _clipped(samples: np.ndarray, peak: float) -> int:
    """Samples in flat tops."""
    if peak < 0.01:
        return 0
    count = 0
    for start in range(0, len(samples), _CHUNK_FRAMES):
        chunk = samples[start : start + _CHUNK_FRAMES + CLIPPED_RUN - 1]
        near = np.abs(chunk) >= 0.98 * peak
        if not near.any():
            continue
        same = near[1:] & (chunk[1:] == chunk[:-1])
        run = same[1:] & same[:-1]  # three equal ones in a row
        inside = np.zeros(chunk.shape, dtype=bool)
        for offset in range(CLIPPED_RUN):
            inside[offset : offset + len(run)] |= run
        count += int(inside[:_CHUNK_FRAMES].sum())
    return count
