"""Mean and covariance of songs that neither an odd song nor a band without sound distorts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.styles.profile import Spread

ORDINARY_SHARE = 0.975
"""Of normal songs, this many count fully; those beyond count less and less."""

PRIOR_SONGS = 60.0
"""How many songs the general covariance is worth beside the songs of a style.

From 3 to 20 songs of a package, 40 to 80 predict its other songs best (experiments/styles).
"""

PLAIN_SONGS = 5.0
"""The same for `plain_covariance`, which nobody measured."""

PRIOR_VALUES = 5.0
"""The same for the spread of a single number."""

LEAST_SHARE = 0.5
"""A band is known where this share of the songs has sound in it."""

MEASURED_VARIANCE_DB2 = 0.04
"""Of the measurement itself (0.2 dB); it keeps a covariance of few songs regular."""

_ITERATIONS, _CLOSE = 300, 1e-4


@dataclass(frozen=True)
class RobustFit:
    """A normal distribution fitted to songs.

    Attributes:
        mean: (band,).
        covariance: (band, band), positive definite.
        known: (band,) bands that enough songs have.
        weights: (song,) how far each was believed: 1 for an ordinary song, near 0 for one that is far out.
        distances: (song,) Mahalanobis distance squared over its expected value, about 1 for an ordinary song.
    """

    mean: Float64s
    covariance: Float64s
    known: NDArray[np.bool_]
    weights: Float64s
    distances: Float64s


def plain_covariance() -> Float64s:
    """Covariance (third, third) between songs where nothing was measured: 6 dB, smooth over two octaves."""
    band = np.arange(len(CENTRES_HZ))
    return 36.0 * np.exp(-0.5 * ((band[:, None] - band[None, :]) / 6.0) ** 2) + np.eye(len(band))


def robust_fit(
    values: Float64s, general: Float64s, share: Float64s | None = None, prior_songs: float = PRIOR_SONGS
) -> RobustFit:
    """Fit a normal distribution to ordinary songs: an M-estimate, with missing values by the EM algorithm.

    A song at the Mahalanobis distance δ with d observed bands counts w = min(1, q/δ²)², where q is the 97.5 %
    quantile of χ² with d degrees of freedom. With the scatter S around the weighted mean (missing bands by their
    conditional mean and covariance), and n songs:

        Σ = (S + k·Σ_general)/(n − 1 + k)

    so one song has the general covariance. S is divided by what the weights make of the covariance of normal songs.
    The iteration starts from medians and the general covariance, so a few alike songs far out do not hide each
    other; and distances count relative to their median where that is larger than expected, so at least half of the
    songs count fully.

    Source: R. J. A. Little, "Robust estimation of the mean and covariance matrix from data with missing values",
    Applied Statistics 37 (1988); the prior is that of an inverse Wishart distribution.

    Args:
        values: (song, band) in dB, NaN where a song has no sound.
        general: (band, band), positive definite.
        share: (song,) weight of each song in advance, any unit; None for equal ones.
        prior_songs: k.

    Raises:
        ValueError: no song, or one without any value.
    """
    observed = np.isfinite(values)
    if not len(values) or not observed.any(axis=1).all():
        raise ValueError("a fit needs songs, each with a value in some band")
    prior = np.ones(len(values)) if share is None else np.asarray(share, dtype=np.float64)
    songs = float(prior.sum() ** 2 / np.square(prior).sum())  # as many equal ones would tell as much
    prior = prior * (songs / prior.sum())
    mean = _column_medians(values)
    size = observed.sum(axis=1)
    limit = np.array([_chi2_quantiles(int(d))[0] for d in size])
    covariance = general.copy()
    distances, weights = np.ones(len(values)), np.ones(len(values))
    for _ in range(_ITERATIONS):
        filled, missing, distances = _expected(values, observed, mean, covariance, prior)
        # the covariance may be too narrow on the way, but half of the songs are ordinary always
        scale = max(weighted_median(distances / size, prior), 1.0)
        weights = np.minimum(1.0, limit * scale / np.maximum(distances, 1e-12)) ** 2
        total = prior * weights
        updated = total @ filled / total.sum()
        apart = filled - updated
        scatter = ((apart * total[:, None]).T @ apart) / _chi2_quantiles(int(np.median(size)))[1] + missing
        found = (scatter + prior_songs * general) / (songs - 1.0 + prior_songs)
        found = 0.5 * (found + found.T)
        change = max(float(np.abs(updated - mean).max()), float(np.abs(found - covariance).max()))
        mean, covariance = updated, found
        if change < _CLOSE:
            break
    # one song says nothing about the measurement either
    covariance = covariance + (MEASURED_VARIANCE_DB2 if songs > 1.0 else 0.0) * np.eye(len(mean))
    known = (observed * prior[:, None]).sum(axis=0) >= LEAST_SHARE * songs
    return RobustFit(mean, covariance, known, weights, distances / size)


def robust_spread(values: Float64s, general: Spread | None, share: Float64s | None = None) -> Spread | None:
    """Median of one number, and its spread by the median absolute deviation, with few songs near the general one.

        sd² = ((n − 1)·(1.4826·MAD)² + k·sd_general²)/(n − 1 + k)

    None without a value, or with one value and no general spread.
    """
    kept = np.isfinite(values)
    weight = (np.ones(values.size) if share is None else np.asarray(share, dtype=np.float64))[kept]
    count = float(weight.sum() ** 2 / np.square(weight).sum()) if weight.size else 0.0
    if count == 0.0 or (general is None and count < 2.0):
        return None
    middle = weighted_median(values[kept], weight)
    variance = (1.4826 * weighted_median(np.abs(values[kept] - middle), weight)) ** 2
    if general is not None:
        variance = ((count - 1.0) * variance + PRIOR_VALUES * general.sd**2) / (count - 1.0 + PRIOR_VALUES)
    return Spread(middle, max(math.sqrt(variance), 0.1))


def weighted_median(values: Float64s, weight: Float64s) -> float:
    """Where half of the weight lies below; the middle of two where it falls between them."""
    order = np.argsort(values, kind="stable")
    ordered, total = values[order], np.cumsum(weight[order]) / weight.sum()
    low = int(np.searchsorted(total, 0.5 - 1e-12))
    high = int(np.searchsorted(total, 0.5 + 1e-12))
    return float(0.5 * (ordered[low] + ordered[min(high, ordered.size - 1)]))


def _column_medians(values: Float64s) -> Float64s:
    """Median of what is finite in each column; 0 in an empty one."""
    columns = [column[np.isfinite(column)] for column in values.T]
    return np.array([np.median(column) if column.size else 0.0 for column in columns])


def _expected(
    values: Float64s, observed: NDArray[np.bool_], mean: Float64s, covariance: Float64s, prior: Float64s
) -> tuple[Float64s, Float64s, Float64s]:
    """Values with the missing ones at their conditional mean, their summed covariance, and δ² of each song."""
    filled, distances = np.where(observed, values, 0.0), np.zeros(len(values))
    total = np.zeros_like(covariance)
    patterns, which = np.unique(observed, axis=0, return_inverse=True)
    for number, has in enumerate(patterns):
        rows, lacks = np.flatnonzero(which.ravel() == number), ~has
        apart = values[np.ix_(rows, np.flatnonzero(has))] - mean[has]
        solved = np.linalg.solve(covariance[np.ix_(has, has)], apart.T).T
        distances[rows] = np.einsum("sb,sb->s", apart, solved)
        if lacks.any():
            cross = covariance[np.ix_(lacks, has)]
            filled[np.ix_(rows, np.flatnonzero(lacks))] = mean[lacks] + solved @ cross.T
            inner = covariance[np.ix_(lacks, lacks)] - cross @ np.linalg.solve(
                covariance[np.ix_(has, has)], cross.T
            )
            total[np.ix_(lacks, lacks)] += prior[rows].sum() * inner
    return filled, total, distances


@lru_cache(maxsize=64)
def _chi2_quantiles(bands: int) -> tuple[float, float]:
    """The limit q of ordinary songs, and what the weights make of the covariance of normal ones: E[w·χ²]/d.

    χ² by Wilson and Hilferty's approximation, the mean over 2000 quantiles.
    """
    normal = NormalDist()
    width = 2.0 / (9.0 * bands)
    at = [(i + 0.5) / 2000.0 for i in range(2000)] + [ORDINARY_SHARE]
    steps = np.array([normal.inv_cdf(share) for share in at])
    chi2 = bands * np.maximum(1.0 - width + steps * math.sqrt(width), 0.0) ** 3
    limit, chi2 = float(chi2[-1]), chi2[:-1]
    weight = np.minimum(1.0, limit / np.maximum(chi2, 1e-12)) ** 2
    return limit, float((weight * chi2).mean() / bands)
