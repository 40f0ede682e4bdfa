"""Kernel ridge regression on features and on what a linear regression makes of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neural_mastering.normality.linear_ridge import LinearRidge, fit_linear_ridge, predict_each_group

Float64s = NDArray[np.float64]

CLIP = 3.5
"""Standardised features are clipped here: a song unlike all others is not extrapolated to."""


@dataclass(frozen=True)
class RegressionSettings:
    """Of the regression.

    Attributes:
        width: of the kernel in multiples of the root of the number of features.
        ridge: added to the diagonal of the kernel.
        linear_ridge: of the linear regression.
        hint_size: root mean square of the hints, relative to that of the features.
    """

    width: float = 1.9
    ridge: float = 0.2
    linear_ridge: float = 500.0
    hint_size: float = 0.8


@dataclass(frozen=True)
class KernelRidge:
    """y(x) = m + k(x)·W with kᵢ(x) = exp(−(‖x − xᵢ‖² + ‖q − qᵢ‖²)/(2·w²·d)), x standardised and clipped.

    The hint q(x) is a linear prediction of y. The hint of a known song comes from a fit that did not know its
    group, so that the kernel learns how far such predictions can be trusted (stacking; Wolpert, "Stacked
    generalization", 1992).

    Attributes:
        centre, scale: (feature,) mean and standard deviation by which features are standardised.
        hint: of standardised features.
        songs: (song, feature + output) standardised features and hints of the songs it knows.
        weights: (song, output) W.
        inverse: (song, song) of the kernel matrix with its ridge.
        mean: (output,) m.
        width: w.
        ridge: λ.
    """

    centre: Float64s
    scale: Float64s
    hint: LinearRidge
    songs: Float64s
    weights: Float64s
    inverse: Float64s
    mean: Float64s
    width: float
    ridge: float

    def kernel(self, features: Float64s) -> Float64s:
        """Similarity (row, song), 0 to 1, of features (row, feature) to each known song."""
        own = self.standardised(features)
        return gaussian_kernel(
            np.concatenate([own, self.hint.predict(own)], axis=1), self.songs, self.width, own.shape[1]
        )

    def standardised(self, features: Float64s) -> Float64s:
        """Features (row, feature) in standard deviations, clipped."""
        return np.clip((features - self.centre) / self.scale, -CLIP, CLIP)

    def predict(self, features: Float64s) -> Float64s:
        """Outputs (row, output)."""
        return self.mean + self.kernel(features) @ self.weights

    def novelty(self, features: Float64s) -> Float64s:
        """(row,) 1 − kᵀ(K + λ)⁻¹k: near 0 amid known songs, 1 far from all of them.

        The variance of the Gaussian process whose mean is `predict`, as part of the prior's (Rasmussen, Williams,
        "Gaussian Processes for Machine Learning", 2006, equation 2.26).
        """
        k = self.kernel(features)
        return 1.0 - np.einsum("ij,jk,ik->i", k, self.inverse, k)


def gaussian_kernel(one: Float64s, other: Float64s, width: float, size: int) -> Float64s:
    """exp(−‖a − b‖²/(2·w²·d)) for each row a of `one` and b of `other`; d is `size`."""
    square = (one**2).sum(1)[:, None] + (other**2).sum(1)[None] - 2.0 * one @ other.T
    similar = np.exp(-0.5 * np.maximum(square, 0.0) / (width**2 * size))
    return np.asarray(similar, dtype=np.float64)


def inverse_of(songs: Float64s, width: float, size: int, ridge: float) -> Float64s:
    """(K + λ·I)⁻¹ of the kernel between songs."""
    kernel = gaussian_kernel(songs, songs, width, size) + ridge * np.eye(len(songs))
    return np.asarray(np.linalg.inv(kernel), dtype=np.float64)


def fit_kernel_ridge(
    features: Float64s,
    outputs: Float64s,
    groups: NDArray[np.str_],
    settings: RegressionSettings | None = None,
) -> KernelRidge:
    """Fit to songs.

    Args:
        features: (song, feature).
        outputs: (song, output), of any level.
        groups: (song,) songs of one group are alike.
        settings: of the regression.
    """
    settings = settings or RegressionSettings()
    centre, scale = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-3)
    own = np.clip((features - centre) / scale, -CLIP, CLIP)
    size = own.shape[1]
    linear = fit_linear_ridge(own, outputs, settings.linear_ridge)
    hints = predict_each_group(own, outputs, groups, settings.linear_ridge)
    middle = hints.mean(axis=0)
    length = float(np.sqrt(((hints - middle) ** 2).sum(axis=1).mean() / size))
    factor = settings.hint_size / max(length, 1e-9)
    hint = LinearRidge(factor * linear.weights, factor * (linear.mean - middle))
    songs = np.concatenate([own, factor * (hints - middle)], axis=1)
    inverse = inverse_of(songs, settings.width, size, settings.ridge)
    mean = outputs.mean(axis=0)
    return KernelRidge(
        centre=centre,
        scale=scale,
        hint=hint,
        songs=songs,
        weights=inverse @ (outputs - mean),
        inverse=inverse,
        mean=mean,
        width=settings.width,
        ridge=settings.ridge,
    )
