"""Spreads with a sharp core and heavy tails: most songs lie nearer the mean than a Gaussian says."""

from __future__ import annotations

import numpy as np

from neural_mastering.dsp.third_octaves import Float64s

SONG_SPREAD, DIRECTION_SPREAD = 0.5, 0.5
"""Standard deviations of the natural logarithm of the scale, of a song as a whole and of each direction in it."""

MEDIAN = 2.0
"""Of both scales, in parts of the variance. The likeliest is 1; with 2, as much of mistakes of 2 dB is undone
on training packages, fewer songs get worse, and finished songs are moved less (experiments/normality)."""

_POINTS, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_SHARES = np.asarray(_WEIGHTS / _WEIGHTS.sum())


def observed_covariance(gap: Float64s, covariance: Float64s, error: Float64s, offset: float) -> Float64s:
    """The covariance C' that makes the Gaussian posterior of an error that of a scale mixture.

    A gap g = r + e is seen. The error is e ~ N(0, P). In the directions uₖ in which P and C are both diagonal, with
    variances 1 and λₖ, the rest is rₖ ~ N(0, s·sₖ·λₖ): s is common to all, sₖ belongs to the direction, and both
    are log-normal. Then

        E[eₖ | g] = wₖ·gₖ,  wₖ = E[1/(1 + s·sₖ·λₖ) | g]

    and C' has λ'ₖ = 1/wₖ − 1. A direction in which the gap is large gets a smaller share of it, one in which it is
    small a larger share; a song that is unlike all others gets less everywhere.

    Args:
        gap: (band,), of any level.
        covariance: C, (band, band).
        error: P, (band, band), positive definite.
        offset: standard deviation of a constant in r of which nothing is known; it tells nothing about s.
    """
    half = np.linalg.cholesky(error)
    whitened = np.linalg.solve(half, np.linalg.solve(half, covariance + offset**2).T)
    variances, directions = np.linalg.eigh(0.5 * (whitened + whitened.T))
    variances = np.maximum(variances, 1e-9)
    square = (directions.T @ np.linalg.solve(half, gap)) ** 2
    song = MEDIAN * np.exp(SONG_SPREAD * _POINTS)
    scale = song[:, None] * np.exp(DIRECTION_SPREAD * _POINTS)
    total = 1.0 + variances[:, None, None] * scale  # (direction, song's scale, own scale)
    likelihood = -0.5 * (np.log(total) + square[:, None, None] / total) + np.log(_SHARES)
    most = likelihood.max(axis=2, keepdims=True)
    own = np.exp(likelihood - most)
    of_song = (np.log(own.sum(axis=2)) + most[:, :, 0])[:-1].sum(axis=0)  # the last direction is the level
    of_song = np.exp(of_song - of_song.max()) * _SHARES
    share = (own / total).sum(axis=2) / own.sum(axis=2) @ (of_song / of_song.sum())
    basis = half @ directions
    return (basis * (1.0 / share - 1.0)) @ basis.T
