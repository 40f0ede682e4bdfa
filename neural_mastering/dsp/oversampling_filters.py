"""The filters of `oversampling`: up by a whole factor and down again. This module needs no torch."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

REACH = 32
"""Samples of the low rate that each filter reaches to either side."""

_KAISER_BETA = 9.0


@lru_cache(maxsize=16)
def interpolating_phases(factor: int) -> NDArray[np.float64]:
    """Filters (factor, 2·REACH + 1) that give the values at the positions k/factor after a sample."""
    position = np.arange(-REACH, REACH + 1)[None, :] + np.arange(factor)[:, None] / factor
    taps = np.sinc(position) * _window(position / REACH)
    return taps / taps.sum(axis=1, keepdims=True)


@lru_cache(maxsize=16)
def decimating_taps(factor: int, cutoff: float = 0.5) -> NDArray[np.float64]:
    """An even low-pass (2·REACH·factor,) at the high rate, sum 1; −6 dB at `cutoff` of the low rate."""
    position = (np.arange(2 * REACH * factor) - REACH * factor + 0.5) / factor
    taps = np.sinc(2.0 * cutoff * position) * _window(position / REACH)
    return taps / taps.sum()


def _window(x: NDArray[np.float64]) -> NDArray[np.float64]:
    inside = np.i0(_KAISER_BETA * np.sqrt(np.clip(1.0 - x * x, 0.0, None))) / np.i0(_KAISER_BETA)
    return np.where(np.abs(x) <= 1.0, inside, 0.0)
