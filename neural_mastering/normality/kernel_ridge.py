"""Kernel ridge regression as numbers: standardised features, a Gaussian kernel, one weight vector a known song."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64s = NDArray[np.float64]

CLIP = 3.5
"""Standardised features are clipped here: a song unlike all others is not extrapolated to."""


@dataclass(frozen=True)
class KernelRidge:
    """y(x) = m + k(x)·W with kᵢ(x) = exp(−‖x − xᵢ‖²/(2·w²·d)), after standardising and clipping x.

    Attributes:
        centre, scale: (feature,) mean and standard deviation by which features are standardised.
        songs: (song, feature) standardised features of the songs it knows.
        weights: (song, output) W.
        ridges: (song,) what was added to the kernel matrix's diagonal.
        inverse: (song, song) of the kernel matrix with its ridges.
        mean: (output,) m.
        width: w.
    """

    centre: Float64s
    scale: Float64s
    songs: Float64s
    weights: Float64s
    ridges: Float64s
    inverse: Float64s
    mean: Float64s
    width: float

    def kernel(self, features: Float64s) -> Float64s:
        """Similarity (row, song), 0 to 1, of features (row, feature) to each known song."""
        return gaussian_kernel(self.standardised(features), self.songs, self.width)

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


def gaussian_kernel(one: Float64s, other: Float64s, width: float) -> Float64s:
    """exp(−‖a − b‖²/(2·w²·d)) for each row a of `one` and b of `other`, both with d columns."""
    square = (one**2).sum(1)[:, None] + (other**2).sum(1)[None] - 2.0 * one @ other.T
    similar = np.exp(-0.5 * np.maximum(square, 0.0) / (width**2 * one.shape[1]))
    return np.asarray(similar, dtype=np.float64)


def inverse_of(songs: Float64s, width: float, ridges: Float64s) -> Float64s:
    """(K + diag(ridges))⁻¹ of the kernel between songs."""
    return np.asarray(np.linalg.inv(gaussian_kernel(songs, songs, width) + np.diag(ridges)), dtype=np.float64)


def fit_kernel_ridge(
    features: Float64s, outputs: Float64s, importance: Float64s, width: float, ridge: float
) -> KernelRidge:
    """Fit to songs.

    Args:
        features: (song, feature).
        outputs: (song, output).
        importance: (song,) how much each counts, mean 1; its ridge is `ridge` / importance.
        width: of the kernel.
        ridge: of the regression.
    """
    centre = np.average(features, axis=0, weights=importance)
    scale = np.maximum(np.sqrt(np.average((features - centre) ** 2, axis=0, weights=importance)), 1e-3)
    songs = np.clip((features - centre) / scale, -CLIP, CLIP)
    mean = np.average(outputs, axis=0, weights=importance)
    ridges = ridge / importance
    inverse = inverse_of(songs, width, ridges)
    return KernelRidge(centre, scale, songs, inverse @ (outputs - mean), ridges, inverse, mean, width)
