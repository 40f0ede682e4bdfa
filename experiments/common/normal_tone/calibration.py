"""How wrong a prediction is on a package it does not know: covariance of its errors, and growth with novelty.

Songs of one package share their errors, so the songs are many and the packages few. A covariance of all residuals
would fit these packages and be too sure of itself on the next. So part of it is taken from a smooth model, and its
size is measured on each package with a covariance that does not know this package.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.common.normal_tone.regression import gaussian_of
from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.third_octaves import BROAD
from neural_mastering.normality.normal_tone import SMALLEST

Float64s = NDArray[np.float64]

SHRINK, LENGTH_BANDS = 0.6, 4.0
"""Part of the smooth model in a covariance, and the third octaves over which its correlation falls to 1/e."""

ROOM = 1.5
"""A song's covariance is at most this multiple of that of all songs: a prediction is no worse than none."""


@dataclass(frozen=True)
class Calibration:
    """Errors of a prediction: N(0, covariance · clip(floor + slope · novelty, SMALLEST, largest))."""

    covariance: Float64s
    floor: float
    slope: float
    largest: float

    def size(self, novelty: Float64s) -> Float64s:
        """By what the covariance is multiplied."""
        return np.clip(self.floor + self.slope * novelty, SMALLEST, self.largest)

    def gaussians(self, predicted: Float64s, novelty: Float64s) -> list[Gaussian]:
        """A statement for each song."""
        sizes = self.size(novelty)
        return [
            Gaussian.of(mean, size * self.covariance) for mean, size in zip(predicted, sizes, strict=True)
        ]


def shrunk(covariance: Float64s) -> Float64s:
    """(1 − a)·C + a·M, where M has C's variances and correlations exp(−Δ/λ) of bands Δ apart."""
    band = np.arange(len(covariance))
    deviation = np.sqrt(np.diag(covariance))
    smooth = np.exp(-np.abs(band[:, None] - band) / LENGTH_BANDS) * np.outer(deviation, deviation)
    return (1.0 - SHRINK) * covariance + SHRINK * smooth


def calibrate(
    residual: Float64s, novelty: Float64s, package: NDArray[np.str_], general: Float64s
) -> Calibration:
    """From errors (song, third), NaN where a band is unknown, on packages that the regression did not know.

    Args:
        residual: finished songs less predictions.
        novelty: (song,).
        package: (song,).
        general: (third, third) covariance of all songs.
    """
    covariance = shrunk(_covariance(residual))
    distance = distances(residual, package)
    columns = np.stack([np.ones_like(novelty), novelty], axis=1)
    (floor, slope), *_ = np.linalg.lstsq(columns, distance, rcond=None)
    if slope <= 0.0:
        floor, slope = distance.mean(), 0.0
    largest = ROOM * np.trace(general[np.ix_(BROAD, BROAD)]) / np.trace(covariance[np.ix_(BROAD, BROAD)])
    return Calibration(covariance, float(floor), float(slope), float(largest))


def distances(residual: Float64s, package: NDArray[np.str_]) -> Float64s:
    """(song,) squared Mahalanobis length by the number of bands, under the covariance of the other packages."""
    found = np.zeros(len(residual))
    for each in np.unique(package):
        own = package == each
        found[own] = mean_square_z(residual[own], shrunk(_covariance(residual[~own])))
    return found


def mean_square_z(residual: Float64s, covariance: Float64s) -> Float64s:
    """(song,) squared Mahalanobis length of the known bands by their number: 1 on average where calibrated."""
    found = []
    for row in residual:
        known = np.isfinite(row)
        part = covariance[np.ix_(known, known)] + 1e-2 * np.eye(int(known.sum()))
        found.append(row[known] @ np.linalg.solve(part, row[known]) / known.sum())
    return np.array(found)


def coverage(residual: Float64s, statements: list[Gaussian]) -> dict[str, float]:
    """Share of the known bands of broad tone within 1 and 2 sigma, and the mean square of z."""
    z = residual[:, BROAD] / np.stack([s.sigma for s in statements])[:, BROAD]
    z = z[np.isfinite(z)]
    return {
        "within_1": float((np.abs(z) < 1.0).mean()),
        "within_2": float((np.abs(z) < 2.0).mean()),
        "mean_square": float((z**2).mean()),
    }


def _covariance(residual: Float64s) -> Float64s:
    return gaussian_of(residual, np.ones(len(residual)), rounds=8)[1]
