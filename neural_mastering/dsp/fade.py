"""Curves of fades."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neural_mastering.units import db_to_gain

Float64s = NDArray[np.float64]
FadeCurve = Literal["linear", "cosine", "exponential"]

EXPONENTIAL_RANGE_DB = 60.0
"""How far an exponential fade falls evenly in dB; what is left is taken off so that it ends in silence."""

FADE_CURVES: Mapping[str, str] = {
    "linear": "the gain changes evenly",
    "cosine": "half a cosine: slow at both ends",
    "exponential": "the level changes evenly in dB, over 60 dB",
}


def fade_gain(position: Float64s, curve: FadeCurve) -> Float64s:
    """Gain at positions from 0 (silence) to 1 (full level); constant beyond.

    Examples:
        >>> fade_gain(np.array([0.0, 0.5, 1.0]), "cosine")
        array([0. , 0.5, 1. ])
    """
    u = np.clip(position, 0.0, 1.0)
    if curve == "linear":
        return u
    if curve == "cosine":
        return 0.5 - 0.5 * np.cos(np.pi * u)
    lowest = db_to_gain(-EXPONENTIAL_RANGE_DB)
    return (db_to_gain(EXPONENTIAL_RANGE_DB * (u - 1.0)) - lowest) / (1.0 - lowest)
