"""The curve of a word: third octaves in dB, and what "strength 1" means.

The sources hold no decibels (SocialEQ) or amounts for demonstration (SAFE), so the size is our choice: strength 1
is 1.5 dB RMS over the third octaves from 50 Hz to 16 kHz, where the sources say something. Below 50 Hz a curve
keeps its value at 50 Hz.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s

HEARD: NDArray[np.bool_] = CENTRES_HZ > 49.0
"""Third octaves from 50 Hz on: mean, RMS and errors of curves are taken over these."""

UNIT_RMS_DB = 1.5
"""RMS of a word's curve at strength 1."""

MOST_DB = 4.0
"""No point of a combined curve goes further."""


def rms_db(curve_db: ArrayLike) -> float:
    """Root mean square of a curve (third,) in dB over the heard third octaves."""
    return float(np.sqrt(np.mean(np.asarray(curve_db, dtype=np.float64)[HEARD] ** 2)))


def centred(curve_db: ArrayLike) -> Float64s:
    """The curve (third,) with mean 0 over the heard third octaves: tone without level."""
    curve = np.asarray(curve_db, dtype=np.float64)
    return curve - curve[HEARD].mean()


def unit_shape(curve: ArrayLike) -> Float64s:
    """A curve (third,) of any unit as the shape of strength 1: mean 0, 1.5 dB RMS, constant below 50 Hz.

    Raises:
        ValueError: a curve without any shape, or with the wrong number of points.
    """
    values = np.asarray(curve, dtype=np.float64)
    if values.shape != CENTRES_HZ.shape or not np.isfinite(values).all():
        raise ValueError(f"expected {len(CENTRES_HZ)} finite third octaves, got shape {values.shape}")
    shape = centred(np.where(HEARD, values, values[HEARD][0]))
    size = rms_db(shape)
    if size < 1e-9:
        raise ValueError("the curve is flat: it has no shape")
    return shape * (UNIT_RMS_DB / size)


def correlation(a: ArrayLike, b: ArrayLike) -> float:
    """Correlation of two curves (third,) over the heard third octaves."""
    return float(np.corrcoef(np.asarray(a)[HEARD], np.asarray(b)[HEARD])[0, 1])
