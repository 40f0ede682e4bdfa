"""Prediction of spectra from features by regressions that don't know a song's package, and how good they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.third_octaves import BROAD, CENTRES_HZ
from neural_mastering.normality.kernel_ridge import CLIP, RegressionSettings, fit_kernel_ridge
from neural_mastering.normality.linear_ridge import fit_linear_ridge

Float64s = NDArray[np.float64]
Bools = NDArray[np.bool_]


def shapes(levels_db: Float64s, filled: Bools) -> Float64s:
    """Levels (song, third) less the mean over the bands of broad tone that are filled; NaN at others."""
    known = np.where(filled & BROAD, levels_db, np.nan)
    return np.where(filled, levels_db - np.nanmean(known, axis=1, keepdims=True), np.nan)


def gaussian_of(values: Float64s, weights: Float64s, rounds: int = 15) -> tuple[Float64s, Float64s, Float64s]:
    """Mean, covariance and completed values of rows with gaps (expectation–maximisation for a Gaussian)."""
    share = weights / weights.sum()
    known = np.isfinite(values)
    mean = np.nanmean(values, axis=0)
    mean = np.where(np.isfinite(mean), mean, 0.0)
    filled = np.where(known, values, mean)
    covariance = np.eye(values.shape[1]) * 25.0
    patterns, which = np.unique(known, axis=0, return_inverse=True)
    for _ in range(rounds):
        extra = np.zeros_like(covariance)
        for pattern, k in enumerate(patterns):
            if k.all():
                continue
            rows, gap = np.flatnonzero(which.ravel() == pattern), ~k
            inner = covariance[np.ix_(k, k)] + 1e-3 * np.eye(int(k.sum()))
            gain = np.linalg.solve(inner, covariance[np.ix_(k, gap)]).T
            filled[np.ix_(rows, gap)] = mean[gap] + (values[np.ix_(rows, k)] - mean[k]) @ gain.T
            rest = covariance[np.ix_(gap, gap)] - gain @ covariance[np.ix_(k, gap)]
            extra[np.ix_(gap, gap)] += share[rows].sum() * rest
        mean = share @ filled
        centred = filled - mean
        covariance = (centred * share[:, None]).T @ centred + extra + 1e-3 * np.eye(len(mean))
    return mean, covariance, filled


def out_of_package(
    features: Float64s,
    targets: Float64s,
    package: NDArray[np.str_],
    settings: RegressionSettings | None = None,
    folds: int = 0,
) -> tuple[Float64s, Float64s, Float64s]:
    """Predictions, novelty and plain means of each song by fits that don't know its package."""
    predicted, novelty, plain = (np.zeros(targets.shape) for _ in range(3))
    novelty = np.zeros(len(targets))
    for group in folds_of(package, folds):
        held = np.isin(package, group)
        if held.all():
            continue
        model = fit_kernel_ridge(features[~held], targets[~held], package[~held], settings)
        predicted[held], novelty[held] = model.predict(features[held]), model.novelty(features[held])
        plain[held] = model.mean
    return predicted, novelty, plain


def folds_of(package: NDArray[np.str_], folds: int) -> list[list[str]]:
    """Packages in groups, one each (0) or dealt out by falling size."""
    names, count = np.unique(package, return_counts=True)
    if not folds:
        return [[str(n)] for n in names]
    order = names[np.argsort(-count, kind="stable")]
    return [[str(n) for n in order[i::folds]] for i in range(folds)]


def r_squared(predicted: Float64s, plain: Float64s, shape: Float64s) -> float:
    """1 − error energy over that of the plain mean, over known bands of broad tone, each less its mean."""

    def energy(guess: Float64s) -> float:
        rest = np.where(np.isfinite(shape), shape - guess, np.nan)[:, BROAD]
        rest = rest - np.nanmean(rest, axis=1, keepdims=True)
        return float(np.nansum(rest**2))

    return 1.0 - energy(predicted) / energy(plain)


def rms_db(predicted: Float64s, shape: Float64s) -> float:
    rest = np.where(np.isfinite(shape), shape - predicted, np.nan)[:, BROAD]
    rest = rest - np.nanmean(rest, axis=1, keepdims=True)
    return float(np.sqrt(np.nanmean(rest**2)))


def tilt_only(predicted: Float64s, plain: Float64s) -> Float64s:
    """The plain mean with the predicted slope over the bands of broad tone."""
    x = np.log2(CENTRES_HZ)
    x = x - x[BROAD].mean()
    slope = (predicted - plain)[:, BROAD] @ x[BROAD] / (x[BROAD] @ x[BROAD])
    return plain + slope[:, None] * x


def ridge_out_of_package(
    features: Float64s, targets: Float64s, package: NDArray[np.str_], ridge: float = 300.0
) -> Float64s:
    """Predictions of each song by linear ridge regressions that don't know its package."""
    predicted = np.zeros(targets.shape)
    for group in np.unique(package):
        held = package == group
        centre, scale = features[~held].mean(axis=0), features[~held].std(axis=0) + 1e-3
        known, new = (np.clip((features[rows] - centre) / scale, -CLIP, CLIP) for rows in (~held, held))
        predicted[held] = fit_linear_ridge(known, targets[~held], ridge).predict(new)
    return predicted
