"""Tests of a difference over songs that come in groups, and their correction for many metrics."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DRAWS = 20_000
FEW_GROUPS = 14
"""Up to so many groups, all patterns of signs are counted."""


def cluster_p(difference: NDArray[np.float64], groups: Sequence[str], seed: int = 0) -> float:
    """Two-sided p of a mean of 0: the signs of whole groups are drawn anew (all of them where there are few)."""
    labels, index = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.bincount(index, weights=difference, minlength=labels.size)
    if labels.size <= FEW_GROUPS:
        signs = 1 - 2 * ((np.arange(2**labels.size)[:, None] >> np.arange(labels.size)) & 1)
    else:
        signs = np.random.default_rng(seed).choice([-1, 1], size=(DRAWS, labels.size))
    return float(np.mean(np.abs(signs @ sums) >= abs(sums.sum()) - 1e-12))


def holm(p: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values. Source: S. Holm, Scandinavian Journal of Statistics 6(2), 1979, pp. 65–70."""
    order = np.argsort(p)
    adjusted, running = [0.0] * len(p), 0.0
    for rank, i in enumerate(order):
        running = max(running, min(1.0, (len(p) - rank) * p[i]))
        adjusted[int(i)] = running
    return adjusted
