"""The simple answers: what all songs measure, as one Gaussian, as a corridor, as one curve for all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from experiments.common.mistakes import mean_correction
from experiments.mistakes_undone.spectra import Spectra, centred
from neural_mastering.controls import ChainControls
from neural_mastering.dsp.gaussian import Gaussian, combine
from neural_mastering.dsp.soft_limit import soft_limited
from neural_mastering.dsp.third_octaves import BROAD, Float64s
from neural_mastering.metering.profile import Profile
from neural_mastering.rendering.reference.fit import fit_curve
from neural_mastering.styles.intensity import error_covariance
from neural_mastering.styles.move import LARGEST_DB, OFFSET_DB

ROUNDS = 30
CORRIDOR = (10.0, 90.0)


def gaussian_of(spectra: Spectra) -> Gaussian:
    """Mean and covariance of the songs' spectra by expectation–maximisation; bands without sound are unknown."""
    levels, filled = spectra.levels_db, spectra.filled
    mean = np.array([levels[filled[:, k], k].mean() for k in range(levels.shape[1])])
    covariance = np.diag([levels[filled[:, k], k].var() + 0.25 for k in range(levels.shape[1])])
    for _ in range(ROUNDS):
        completed, spread = np.empty_like(levels), np.zeros_like(covariance)
        for i, (level, known) in enumerate(zip(levels, filled, strict=True)):
            missing = ~known
            completed[i] = level
            if missing.any():
                gain = np.linalg.solve(covariance[np.ix_(known, known)], covariance[np.ix_(known, missing)]).T
                completed[i, missing] = mean[missing] + gain @ (level - mean)[known]
                spread[np.ix_(missing, missing)] += (
                    covariance[np.ix_(missing, missing)] - gain @ covariance[np.ix_(known, missing)]
                )
        mean = completed.mean(axis=0)
        covariance = ((completed - mean).T @ (completed - mean) + spread) / len(levels)
        covariance += 0.01 * np.eye(len(mean))
    return Gaussian.of(mean, covariance)


def plain_posterior(tone: Gaussian, intensity_db: float) -> Callable[[Profile], ChainControls]:
    """The posterior mean of the mistake, less than 6 dB, with one Gaussian for all songs."""
    prior = error_covariance(intensity_db)

    def controls(song: Profile) -> ChainControls:
        said = Gaussian(tone.mean - song.levels_db, tone.covariance, song.filled)
        held = np.flatnonzero(song.filled)
        curve = combine(prior, [said], OFFSET_DB).mean
        curve = np.interp(np.arange(len(curve)), held, curve[held])
        return fitted(soft_limited(centred(curve, song.filled), LARGEST_DB), song.filled)

    return controls


def corridor(spectra: Spectra) -> Callable[[Profile], ChainControls]:
    """Whatever lies outside the 10–90 % range of songs goes to its edge, band by band."""
    held = np.where(spectra.filled, spectra.levels_db, np.nan)
    low, high = np.nanpercentile(held, CORRIDOR, axis=0)

    def controls(song: Profile) -> ChainControls:
        level = centred(song.levels_db, song.filled)
        move = np.where(song.filled, np.clip(level, low, high) - level, 0.0)
        return fitted(move - move[BROAD].mean(), song.filled)

    return controls


def average_eq(spectra: Spectra) -> Callable[[Profile], ChainControls]:
    """The same curve for every song: the mean correction of mistakes drawn for the training songs."""
    curve = mean_correction(sorted(set(spectra.packages)))
    chosen = fitted(curve, np.ones(len(curve), dtype=bool))
    return lambda song: chosen


def fitted(curve_db: Float64s, filled: np.ndarray) -> ChainControls:
    """The parametric equaliser of a curve."""
    return ChainControls(eq=fit_curve(curve_db, filled))
