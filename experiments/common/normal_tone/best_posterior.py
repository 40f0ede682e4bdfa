"""The best estimate of a mistake for someone who knows the family it comes from: the limit for any posterior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.third_octaves import BROAD

Float64s = NDArray[np.float64]

STEPS = np.linspace(1.0, 0.0, 11)
"""Parts of the best curve that a careful step may take."""

SPREAD_STEPS = np.linspace(-2.0, 2.0, 7)
SCALES = tuple(
    (float(scale), float(share))
    for scale, share in zip(
        2.0 * np.exp(0.7 * SPREAD_STEPS),
        np.exp(-0.5 * SPREAD_STEPS**2) / np.exp(-0.5 * SPREAD_STEPS**2).sum(),
        strict=True,
    )
)
"""Heavy tails for `best_posterior`: the median and the spread of `dsp.scale_mixture`, for a song as a whole."""


@dataclass(frozen=True)
class BestPosterior:
    """E[e | x] of songs x = t + e + level under t ~ N(μ, s·Σ), e drawn from a family of mistakes, by its draws.

        E[e | x] = Σⱼ wⱼ·eⱼ,  wⱼ ∝ Σₖ pₖ·N(x − μ − eⱼ; 0, aₖ·s·Σ), all in directions without level

    Attributes:
        draws: (draw, third) eⱼ in dB.
        weights: (song, draw) w, which add up to 1 for each song.
    """

    draws: Float64s
    weights: Float64s

    @property
    def curves_db(self) -> Float64s:
        """(song, third) −E[e | x], what an equaliser should do."""
        return -self.weights @ self.draws

    def careful_curves_db(self, most: float, worse_db: float = 0.05) -> Float64s:
        """(song, third) as much of `curves_db` as keeps the probability of harm below a bound.

        Args:
            most: probability with which the RMS error may grow by `worse_db`.
            worse_db: what counts as growth.
        """
        curves, shares = self.curves_db, []
        before = np.sqrt(mean_square(self.draws))
        for curve, weight in zip(curves, self.weights, strict=True):
            for share in STEPS:
                harmed = np.sqrt(mean_square(self.draws + share * curve)) > before + worse_db
                if weight[harmed].sum() <= most:
                    shares.append(share)
                    break
        return np.array(shares)[:, None] * curves


def best_posterior(
    gap_db: Float64s,
    covariance: Float64s,
    sizes: Float64s,
    draws: Float64s,
    scales: Sequence[tuple[float, float]] = ((1.0, 1.0),),
) -> BestPosterior:
    """Weights of the draws for each song.

    Args:
        gap_db: (song, third) x − μ, of any level.
        covariance: (third, third) Σ.
        sizes: (song,) s.
        draws: (draw, third) mistakes of the family.
        scales: (aₖ, pₖ) of a mixture over the size of the spread; one for a Gaussian.
    """
    directions = contrasts(len(covariance))
    whitening = np.linalg.solve(np.linalg.cholesky(directions @ covariance @ directions.T), directions)
    seen, mistakes = gap_db @ whitening.T, draws @ whitening.T
    square = (seen**2).sum(1)[:, None] + (mistakes**2).sum(1) - 2.0 * seen @ mistakes.T
    weights = np.full(square.shape, -np.inf)
    for scale, probability in scales:
        size = scale * sizes[:, None]
        density = np.log(probability) - 0.5 * (len(directions) * np.log(size) + square / size)
        weights = np.logaddexp(weights, density)
    weights = np.exp(weights - weights.max(axis=1, keepdims=True))
    return BestPosterior(draws, weights / weights.sum(axis=1, keepdims=True))


def contrasts(size: int) -> Float64s:
    """(size − 1, size) orthonormal rows that add up to 0: a spectrum in them has no level."""
    return np.linalg.svd(np.ones((1, size)))[2][1:]


def mean_square(curves_db: Float64s) -> Float64s:
    """(song,) over broad tone, less the mean over it."""
    return np.var(curves_db[:, BROAD], axis=1)
