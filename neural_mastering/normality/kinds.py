"""Kinds of music by content: a softmax over standardised features, which says "unsure" where it is flat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64s = NDArray[np.float64]


@dataclass(frozen=True)
class KindModel:
    """p(kind) = softmax(W·x + b) of standardised features x.

    Attributes:
        names: of the kinds.
        weights: (kind, feature), already divided by the temperature that calibrates it.
        bias: (kind,).
    """

    names: tuple[str, ...]
    weights: Float64s
    bias: Float64s

    def softmax(self, standardised: Float64s) -> Float64s:
        """(…, kind) of features (…, feature)."""
        scores = standardised @ self.weights.T + self.bias
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return np.asarray(scores / scores.sum(axis=-1, keepdims=True))

    def probabilities(self, standardised: Float64s) -> dict[str, float]:
        """Of each kind and of "unsure", summing to 1.

        With the entropy H of the softmax p over n kinds and c = 1 − (H/ln n)², each kind keeps c·p; "unsure" is
        1 − c.
        """
        p = self.softmax(standardised)
        entropy = float(-(p * np.log(np.maximum(p, 1e-12))).sum() / np.log(len(p)))
        found = {name: float(value * (1.0 - entropy**2)) for name, value in zip(self.names, p, strict=True)}
        return found | {"unsure": 1.0 - sum(found.values())}
