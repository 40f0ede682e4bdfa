"""Linear ridge regression, and its predictions of songs whose group it does not know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64s = NDArray[np.float64]


@dataclass(frozen=True)
class LinearRidge:
    """y(x) = m + x·W.

    Attributes:
        weights: (feature, output) W.
        mean: (output,) m.
    """

    weights: Float64s
    mean: Float64s

    def predict(self, features: Float64s) -> Float64s:
        """Outputs (row, output)."""
        return self.mean + features @ self.weights


def fit_linear_ridge(features: Float64s, outputs: Float64s, ridge: float) -> LinearRidge:
    """W = (XᵀX + λ·I)⁻¹·Xᵀ(Y − m), where m is the mean of Y.

    Args:
        features: X, (song, feature), standardised.
        outputs: Y, (song, output).
        ridge: λ, above 0.
    """
    mean = outputs.mean(axis=0)
    normal = features.T @ features + ridge * np.eye(features.shape[1])
    return LinearRidge(np.linalg.solve(normal, features.T @ (outputs - mean)), mean)


def predict_each_group(
    features: Float64s, outputs: Float64s, groups: NDArray[np.str_], ridge: float
) -> Float64s:
    """(song, output): each song predicted by a fit to the other groups; the mean where there is only one."""
    predicted = np.tile(outputs.mean(axis=0), (len(outputs), 1))
    for group in np.unique(groups):
        held = groups == group
        if not held.all():
            predicted[held] = fit_linear_ridge(features[~held], outputs[~held], ridge).predict(features[held])
    return predicted
