"""Integrated loudness of audio that comes in pieces, so that memory does not grow with its length."""

import math

import numpy as np
import torch

from neural_mastering.data.degradation import kernels
from neural_mastering.dsp.k_weighting import LOWEST_RATE_HZ, k_weighting_sections
from neural_mastering.dsp.loudness import gated_loudness

_CELLS_PER_BLOCK = 4  # 400 ms windows every 100 ms


class LoudnessMeter:
    """Gated loudness after BS.1770 of pieces one after another; see `dsp.loudness.integrated_loudness`.

    Args:
        sample_rate: in Hz; below 8 kHz, where the K-weighting is not defined, the reading is NaN.
        channels: 1 or 2.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._measures = sample_rate >= LOWEST_RATE_HZ
        if self._measures:
            self._sections = np.ascontiguousarray(k_weighting_sections(sample_rate)[:, [0, 1, 2, 4, 5]])
        self._filters = np.zeros((2, channels, 2))
        self._cell = round(0.1 * sample_rate)
        self._filled = 0
        self._sums: list[np.ndarray] = []
        self._open = 0.0

    def add(self, audio: np.ndarray) -> None:
        """The next piece (channel, time); left as it is."""
        if not self._measures or not audio.shape[1]:
            return
        weighted = np.array(audio, dtype=np.float64, order="C")
        kernels.cascade(weighted, self._sections, self._filters)
        cells = np.zeros(weighted.shape[1] // self._cell + 2)
        cells[0] = self._open
        complete = kernels.cell_energies(weighted, self._cell, self._filled, cells)
        self._filled = (self._filled + weighted.shape[1]) % self._cell
        self._open = float(cells[complete])
        self._sums.append(cells[:complete])

    def integrated_lufs(self) -> float:
        """Loudness of all pieces so far; −inf for silence and for less than 400 ms."""
        if not self._measures:
            return math.nan
        cells = np.concatenate(self._sums) if self._sums else np.zeros(0)
        if len(cells) < _CELLS_PER_BLOCK:
            return -math.inf
        total = np.concatenate([[0.0], np.cumsum(cells)])
        blocks = (total[_CELLS_PER_BLOCK:] - total[:-_CELLS_PER_BLOCK]) / (_CELLS_PER_BLOCK * self._cell)
        return float(gated_loudness(torch.from_numpy(blocks)[None])[0])


def k_weighted_power(audio: np.ndarray, sample_rate: int) -> float:
    """Mean over time of the K-weighted power of audio (channel, time), summed over channels; ungated."""
    sections = np.ascontiguousarray(k_weighting_sections(sample_rate)[:, [0, 1, 2, 4, 5]])
    return kernels.energy(audio, sections) / audio.shape[1]
