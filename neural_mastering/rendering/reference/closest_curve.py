"""The smooth curve within limits that brings a broad tone closest to what is wanted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.third_octaves import BROAD, Float64s, octave_smoothed

ROUGHNESS_PRICE = 0.4
"""Cost of a decibel of third differences of the curve, relative to a decibel of distance from what is wanted."""

_LEVEL_PRICE, _SLOPE_PRICE = 0.02, 0.02  # keep the level near 0, and the curve flat where nothing is known


def closest_curve(wanted_db: Float64s, known: NDArray[np.bool_], largest_db: float) -> Float64s:
    """The curve c within ±L whose octave-smoothed shape is closest to what is wanted.

        min ‖S·c − w‖² + λ²·‖Δ³c‖² + small prices on level and slope,  −L ≤ c ≤ L

    with S the smoothing over one octave less the mean over the known bands of broad tone, so that the level of the
    curve is free. w is smooth already: a curve equal to w would be smoothed once more where the tone is compared.

    Args:
        wanted_db: w, (third,); of any level.
        known: (third,) bands that are compared.
        largest_db: L, above 0.
    """
    from scipy.optimize import lsq_linear  # half a second, which not every start shall wait for

    size = len(wanted_db)
    used = known & BROAD if (known & BROAD).any() else known
    if not used.any():
        return np.zeros(size)
    unit = np.eye(size)
    centring = np.eye(int(used.sum())) - 1.0 / used.sum()
    smoothing = np.stack([octave_smoothed(band * known, known) for band in unit], axis=1)[used]
    rows = [
        centring @ smoothing,
        ROUGHNESS_PRICE * np.diff(unit, 3, axis=0),
        _LEVEL_PRICE * unit,
        _SLOPE_PRICE * np.diff(unit, axis=0),
    ]
    target = np.zeros(sum(len(row) for row in rows))
    target[: used.sum()] = centring @ wanted_db[used]
    return np.asarray(lsq_linear(np.concatenate(rows), target, bounds=(-largest_db, largest_db)).x)
