"""A signal before the loudness stage: what it measures, and how loud a limiter would leave it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import no_type_check

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neural_mastering.audio_io.block import BLOCK_SAMPLES, Block
from neural_mastering.dsp import peak_kernels
from neural_mastering.dsp.clip_level import spared_share
from neural_mastering.dsp.limiter import HOLD, LimiterSettings
from neural_mastering.metering.cell_peaks import CellPeaks
from neural_mastering.metering.meter import HOP_MS, Meter, Readings, gated_loudness
from neural_mastering.units import db_to_gain

_CELLS_PER_HOP = 20
_EXCERPT_COUNT = 10
_STEPS_PER_CELL = 5


@dataclass(frozen=True)
class LimiterForecast:
    """A signal before the loudness stage.

    Attributes:
        readings: of all of it.
        cell_peaks: largest sample of every 5 ms.
        cell_samples: length of such a cell.
        sample: a short survey of excerpts from all over the song, and their audio (channel, time), on which the
            prediction can be checked; None for short songs.
    """

    readings: Readings
    cell_peaks: NDArray[np.float32]
    cell_samples: int
    sample: "tuple[LimiterForecast, NDArray[np.float32]] | None" = None

    def limited_lufs(
        self, gain_db: float, ceiling_db: float | None, settings: LimiterSettings, clip_db: float = 0.0
    ) -> float:
        """About the loudness after `gain_db`, a clipper of `clip_db` and a limiter.

        The gain curve is followed on the grid of peaks; what the clipper takes off a peak costs no loudness.
        """
        energy = self.readings.hop_energy
        if not energy.size:
            return -math.inf
        gain = db_to_gain(gain_db)
        if ceiling_db is None or self.readings.true_peak_db + gain_db <= ceiling_db:
            return gated_loudness(energy * gain * gain)
        rate = self.readings.sample_rate
        rates = settings.rates(rate * _STEPS_PER_CELL / self.cell_samples)
        held = settings.lookahead_ms / 1000.0 * rate + 2 * HOLD
        hold = max(round(held * _STEPS_PER_CELL / self.cell_samples), 1)
        hop = round(HOP_MS * rate / 1000.0)
        whole = np.zeros(self.cell_peaks.size * self.cell_samples // hop + 1)
        kept = np.zeros_like(whole)
        threshold = db_to_gain(ceiling_db) / gain
        _follow_cells(
            self.cell_peaks,
            threshold,
            rates,
            settings.recovery_exponent,
            math.log(db_to_gain(clip_db)),
            hold,
            self.cell_samples,
            hop,
            whole,
            kept,
        )
        share = kept / np.maximum(whole, 1e-300)
        share = np.pad(share, (0, max(energy.size + 3 - share.size, 0)), constant_values=1.0)
        blocks = np.convolve(share, np.full(4, 0.25), mode="valid")[: energy.size]
        return gated_loudness(energy * blocks * gain * gain)


def forecast(blocks: Iterator[Block], sample_rate: int, channels: int, frames: int = 0) -> LimiterForecast:
    """Meter a stream of about `frames` samples."""
    meter = Meter(sample_rate, channels)
    excerpts = _Excerpts(sample_rate, frames)
    cell = max(round(HOP_MS * sample_rate / 1000.0) // _CELLS_PER_HOP, 1)
    cells, position = CellPeaks(cell), 0
    for block in blocks:
        meter.push(block)
        excerpts.push(block, position)
        cells.push(block)
        position += block.shape[1]
    peaks32 = cells.finish()
    sample = excerpts.joined()
    checked = None
    if sample is not None:
        pieces = (sample[:, i : i + BLOCK_SAMPLES] for i in range(0, sample.shape[1], BLOCK_SAMPLES))
        checked = (
            forecast((np.ascontiguousarray(p, np.float64) for p in pieces), sample_rate, channels),
            sample,
        )
    return LimiterForecast(meter.finish(), peaks32, cell, checked)


class _Excerpts:
    """Two seconds from each of ten places, for songs that are much longer than that."""

    def __init__(self, sample_rate: int, frames: int) -> None:
        self._size = 2 * sample_rate
        is_long = frames > 4 * _EXCERPT_COUNT * self._size
        places = (np.arange(_EXCERPT_COUNT) + 0.5) / _EXCERPT_COUNT * frames if is_long else np.zeros(0)
        self._starts = [int(place) for place in places]
        self._parts: list[NDArray[np.float32]] = []

    def push(self, block: Block, position: int) -> None:
        for start in self._starts:
            first, last = max(start - position, 0), min(start + self._size - position, block.shape[1])
            if first < last:
                self._parts.append(block[:, first:last].astype(np.float32))

    def joined(self) -> NDArray[np.float32] | None:
        return np.concatenate(self._parts, axis=1) if self._parts else None


@njit(nogil=True, cache=True, error_model="numpy")
@no_type_check
def _follow_cells(peaks, threshold, rates, exponent, spared, hold, cell, hop, whole, kept):
    """Add each cell's power to its hop of 100 ms: all of it, and what a limiter's gain leaves.

    The limiter's release in `_STEPS_PER_CELL` steps a cell; a peak is held for `hold` of them.
    """
    slow, fast, toward = rates[0], rates[1], rates[2]
    fading, mean, held, left = 0.0, 0.0, 0.0, 0
    for i in range(peaks.size):
        wanted = 1.0 - threshold / peaks[i] if peaks[i] > threshold else 0.0
        share = 0.0
        for step in range(_STEPS_PER_CELL):
            if step == 1 and wanted > 0.0 and (wanted >= held or left == 0):
                held, left = wanted, hold
            if left == 0:
                held = 0.0
            else:
                left -= 1
            if fading > 0.0:
                short = max(1.0 - mean / fading, 0.0)
                power = peak_kernels.power_of(short, exponent)
                fading -= fading * (slow + (fast - slow) * power)
            fading = max(held, fading)
            mean += (fading - mean) * toward
            kept_gain = 1.0 - fading
            if spared > 0.0 and fading > 0.0:
                kept_gain = min(kept_gain * math.exp(spared * spared_share(fading, mean)), 1.0)
            share += kept_gain * kept_gain
        energy = float(peaks[i]) ** 2 + 1e-12
        whole[i * cell // hop] += energy
        kept[i * cell // hop] += energy * share / _STEPS_PER_CELL
