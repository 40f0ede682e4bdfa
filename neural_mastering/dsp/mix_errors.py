"""The errors that a master undoes: how a mix differs from the finished song by mistake, as a covariance."""

from __future__ import annotations

import numpy as np

from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s

SMOOTH_BANDS = 3.0
"""Standard length of the smooth part, in third octaves: mistakes of a mix are about an octave wide."""

TILT_SHARE = 0.55
"""Part of the variance that lies in the two common directions, bass and treble."""

_BASS_HZ, _TREBLE_HZ = 150.0, 4_000.0


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
    directions = np.outer(bass, bass) + np.outer(treble, treble)
    shape = (1.0 - TILT_SHARE) * _normalised(smooth) + TILT_SHARE * _normalised(directions)
    return size_db**2 * shape + 1e-4 * np.eye(len(band))


def _normalised(covariance: Float64s) -> Float64s:
    """The covariance of shapes less their mean, with a mean variance of 1."""
    size = len(covariance)
    centring = np.eye(size) - 1.0 / size
    centred = centring @ covariance @ centring
    return centred / (np.trace(centred) / size)
