"""How filled a song is and how its bands fluctuate: what an engineer hears and an equaliser leaves alone.

Both are about levels of a band less another level of the same band, so that a filter cancels out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import Block
from neural_mastering.dsp.real_fft import is_fast_size, rfft
from neural_mastering.units import db_to_power, power_to_db

Float64s = NDArray[np.float64]

WINDOW_S = 2_048 / 44_100
"""Of the spectrogram: Hann, half overlapped."""

LOW_HZ, OCTAVES, BANDS_PER_OCTAVE = 50.0, 8, 8
"""Bands from 50 Hz to 12.8 kHz."""

RANGES: tuple[tuple[str, float, float], ...] = (
    ("", 50.0, 12_800.0),
    ("_low", 50.0, 200.0),
    ("_middle", 200.0, 2_000.0),
    ("_presence", 2_000.0, 5_000.0),
    ("_high", 5_000.0, 12_800.0),
)
"""Ending of the name and edges in Hz of the ranges that are told apart."""

DENSE_DB = 12.0
"""A band sounds in a frame where its level is at most so far below its loud frames, the 90 % level."""

FLUCTUATION_WINDOW_S = 0.1

_SILENT_DB = 60.0
"""So far below the loudest moment, nothing is said to fluctuate or to be missing."""

_EMPTY_DB = 90.0
"""A band so far below the loudest one holds no music, such as above the edge of a lossy codec."""

_FRAMES_AT_ONCE = 128


@dataclass(frozen=True)
class Texture:
    """Of a song.

    Attributes:
        density: (range,) 0 to 1: share of bands and frames within 12 dB of the band's 90 % level.
        fluctuation_db: (range,) 90 % less 50 % of the range's level in windows of 100 ms.
    """

    density: Float64s = field(repr=False)
    fluctuation_db: Float64s = field(repr=False)


class TextureMeter:
    """Reads blocks (channel, time) of the mean of both channels; `finish` gives the texture.

    Args:
        sample_rate: in Hz; the windows' lengths follow, so that rates agree.
    """

    def __init__(self, sample_rate: float) -> None:
        self._size = _fast_even(WINDOW_S * sample_rate)
        self._hop_s = self._size / 2.0 / sample_rate
        self._window = np.hanning(self._size + 1)[:-1].astype(np.float32)
        self._edges_hz, self._starts = _bands(sample_rate, self._size)
        self._kept = np.zeros(0, dtype=np.float32)
        self._power: list[NDArray[np.float32]] = []

    def push(self, block: Block) -> None:
        """Read the next block."""
        self._kept = np.concatenate([self._kept, block.mean(axis=0, dtype=np.float32)])
        hop = self._size // 2
        count = max(len(self._kept) // hop - 1, 0)
        if not count:
            return
        frames = np.lib.stride_tricks.sliding_window_view(self._kept, self._size)[::hop]
        for start in range(0, count, _FRAMES_AT_ONCE):
            spectrum = rfft(frames[start : start + _FRAMES_AT_ONCE] * self._window)
            spectrum = spectrum[:, : self._starts[-1]]
            power = spectrum.real**2 + spectrum.imag**2
            self._power.append(np.add.reduceat(power, self._starts[:-1], axis=1))
        self._kept = self._kept[count * hop :].copy()

    def finish(self) -> Texture:
        """Of all blocks; a range in which nothing sounds counts as full and steady: density 1, 0 dB."""
        found = np.ones(len(RANGES)), np.zeros(len(RANGES))
        if self._power:
            power = np.concatenate(self._power).T.astype(np.float64)
            power = power[:, _heard(power.sum(axis=0))]
            if power.shape[1]:
                self._measure(power, *found)
        return Texture(*found)

    def _measure(self, power: Float64s, density: Float64s, fluctuation_db: Float64s) -> None:
        dense = _density(power)
        group = max(round(FLUCTUATION_WINDOW_S / self._hop_s), 1)
        for i, (_, low_hz, high_hz) in enumerate(RANGES):
            inside = (self._edges_hz[:-1] >= low_hz * 0.96) & (self._edges_hz[1:] <= high_hz * 1.04)
            known = dense[inside[: len(dense)]]
            if np.isfinite(known).any():
                density[i] = np.nanmean(known)
            fluctuation_db[i] = _fluctuation_db(power[inside].sum(axis=0), group)


def _density(power: Float64s) -> Float64s:
    """(band,) share of frames near the band's loud ones; NaN for a band that holds no music."""
    levels_db = power_to_db(power + 1e-30)
    loud_db = np.quantile(levels_db, 0.9, axis=1, keepdims=True)
    share = (levels_db > loud_db - DENSE_DB).mean(axis=1)
    return np.where(loud_db[:, 0] > loud_db.max() - _EMPTY_DB, share, np.nan)


def _fluctuation_db(power: Float64s, group: int) -> float:
    """90 less 50 % of the level in groups of frames; silence is left out."""
    whole = len(power) // group * group
    if not whole or not power.max() > 0.0:
        return 0.0
    means: Float64s = power[:whole].reshape(-1, group).mean(axis=1)
    levels_db = np.asarray(power_to_db(means + 1e-30))
    high, middle = np.quantile(levels_db[levels_db > levels_db.max() - _SILENT_DB], [0.9, 0.5])
    return float(high - middle)


def _heard(total: Float64s) -> slice:
    """From the first to the last frame that is not silent."""
    loudest = total.max(initial=0.0)
    held = np.flatnonzero((total > loudest * db_to_power(-_SILENT_DB)) & (total > 0.0))
    return slice(int(held[0]), int(held[-1]) + 1) if held.size else slice(0, 0)


def _bands(sample_rate: float, size: int) -> tuple[Float64s, NDArray[np.int_]]:
    """Edges (band + 1,) in Hz and the bins where bands start, each with one bin or more; none above Nyquist."""
    edges = LOW_HZ * 2.0 ** (np.arange(OCTAVES * BANDS_PER_OCTAVE + 1) / BANDS_PER_OCTAVE)
    bins = np.round(edges * size / sample_rate).astype(int)
    kept = [0]
    for i, (_, at) in enumerate(pairwise(bins.tolist()), start=1):
        if bins[kept[-1]] < at <= size // 2:
            kept.append(i)
    return edges[kept], bins[kept]


def _fast_even(samples: float) -> int:
    """The even size nearest to `samples` that the FFT is fast at."""
    nearest = 2 * round(samples / 2.0)
    return next(
        n for step in range(nearest) for n in (nearest + 2 * step, nearest - 2 * step) if is_fast_size(n)
    )
