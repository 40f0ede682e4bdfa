"""The grid on which tonal balance is described: third octaves from 25 Hz to 16 kHz."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neural_mastering.units import third_octave_hz

Float64s = NDArray[np.float64]

CENTRES_HZ: Float64s = third_octave_hz(np.arange(14.0, 43.0))
"""Exact base-10 third octaves from 25 Hz to 16 kHz (IEC 61260-1)."""

BROAD: NDArray[np.bool_] = (CENTRES_HZ > 49.0) & (CENTRES_HZ < 13_000.0)
"""The bands over which broad tone is compared: 50 Hz to 12.5 kHz."""


def octave_smoothed(levels_db: ArrayLike, known: NDArray[np.bool_] | None = None) -> Float64s:
    """Mean over one octave (three third octaves) of the bands that are known; others take their neighbours' mean.

    Args:
        levels_db: (third,).
        known: (third,) bands that hold a level; None for all.
    """
    levels = np.asarray(levels_db, dtype=np.float64)
    weight = np.ones(levels.size) if known is None else known.astype(np.float64)
    kernel = np.ones(3)
    total = np.convolve(np.where(weight > 0.0, levels, 0.0), kernel, mode="same")
    count = np.convolve(weight, kernel, mode="same")
    held = np.flatnonzero(count)
    if not held.size:
        return np.zeros(levels.size)
    return np.interp(np.arange(levels.size), held, total[held] / count[held])


def broad_distance_db(
    one_db: ArrayLike, other_db: ArrayLike, known: NDArray[np.bool_] | None = None
) -> float:
    """RMS difference of two octave-smoothed spectra less its mean, 50 Hz to 12.5 kHz; 0 without a common band."""
    difference = octave_smoothed(np.asarray(one_db) - np.asarray(other_db), known)
    used = BROAD if known is None else BROAD & known
    return float(difference[used].std()) if used.any() else 0.0
