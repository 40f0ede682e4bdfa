"""The interpolating filters of the true-peak meter and of the limiter: a windowed sinc, 48 taps a phase.

Kaiser window with β = 7: flat to 0.005 dB up to 0.45 of the sample rate. This module needs no torch.
"""

from functools import lru_cache

import numpy as np

TAPS = 48
"""Taps of each phase; a phase reads the samples n − 23 to n + 24 for a position between n and n + 1."""

WIDE_TAPS = 256
"""Of the filters that are flat to 0.49 of the sample rate, for a second look at the highest peaks."""

_KAISER_BETA = 7.0


def oversampling(sample_rate: float) -> int:
    """The factor by which the grid of the true-peak meter is finer than the samples: 8 up to 96 kHz, else 4."""
    return 8 if sample_rate <= 100_000 else 4


@lru_cache(maxsize=4)
def interpolator(factor: int, taps: int = TAPS) -> np.ndarray:
    """Filters (phase, tap) for the positions 1/factor … (factor − 1)/factor between two samples, float64."""
    tap = np.arange(taps) - (taps // 2 - 1)
    distance = tap[None, :] - (np.arange(1, factor) / factor)[:, None]
    window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1.0 - (distance / (taps / 2)) ** 2, 0.0, None)))
    filters = np.sinc(distance) * window
    return filters / filters.sum(axis=1, keepdims=True)
