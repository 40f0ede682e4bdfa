"""How far from normal a mix may be by mistake: the size and the shape of the errors that a master undoes."""

from __future__ import annotations

import numpy as np

from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.errors import InputError

INTENSITIES_DB: dict[str, float] = {"gentle": 1.0, "balanced": 2.0, "strong": 3.5}
"""Root mean square size of the error over the bands, by name."""

DEFAULT_INTENSITY = "balanced"
LARGEST_DB = 6.0

SMOOTH_BANDS = 3.0
"""Standard length of the smooth part, in third octaves: mistakes of a mix are about an octave wide."""

TILT_SHARE = 0.55
"""Part of the variance that lies in the two common directions, bass and treble."""

_BASS_HZ, _TREBLE_HZ = 150.0, 4_000.0


def parse_intensity(text: str | float) -> float:
    """The size in dB that a name or a number means.

    Raises:
        InputError: neither a name nor a number from 0 to 6.
    """
    if isinstance(text, str) and text.strip().lower() in INTENSITIES_DB:
        return INTENSITIES_DB[text.strip().lower()]
    try:
        size_db = float(text)
    except ValueError:
        size_db = float("nan")
    if not 0.0 <= size_db <= LARGEST_DB:
        names = ", ".join(INTENSITIES_DB)
        raise InputError(f"--intensity {text}: expected {names}, or a number of dB from 0 to {LARGEST_DB:g}")
    return size_db


def error_covariance(size_db: float) -> Float64s:
    """Covariance (third, third) of the errors of a mix whose size is `size_db`, root mean square over the bands.

    A smooth part and the two directions in which mixes go wrong most often, bass and treble (first-order shelves):

        P = σ²·[(1 − a)·exp(−(Δ/λ)²/2) + a·(b·bᵀ + t·tᵀ)] + ε·I

    each normalised to a mean variance of 1 after its own mean over the bands is taken out.
    """
    band = np.arange(len(CENTRES_HZ))
    smooth = np.exp(-0.5 * ((band[:, None] - band[None, :]) / SMOOTH_BANDS) ** 2)
    bass = 1.0 / (1.0 + (CENTRES_HZ / _BASS_HZ) ** 2)
    treble = 1.0 / (1.0 + (_TREBLE_HZ / CENTRES_HZ) ** 2)
    directions = sum(np.outer(v - v.mean(), v - v.mean()) for v in (bass, treble))
    shape = (1.0 - TILT_SHARE) * _normalised(smooth) + TILT_SHARE * _normalised(directions)
    return size_db**2 * shape + 1e-4 * np.eye(len(band))


def _normalised(covariance: Float64s) -> Float64s:
    """The covariance of shapes less their mean, with a mean variance of 1."""
    size = len(covariance)
    centring = np.eye(size) - 1.0 / size
    centred = centring @ covariance @ centring
    return centred / (np.trace(centred) / size)
