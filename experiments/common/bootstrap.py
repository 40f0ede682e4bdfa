"""Bootstrap intervals of the studies; `evaluation.statistics` has that of a mean over groups of songs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DRAWS = 2_000


def mean_interval(values: NDArray[np.float64], seed: int = 0) -> tuple[float, float]:
    """95 % percentile interval of the mean over songs, which are drawn independently."""
    rng = np.random.default_rng(seed)
    means = values[rng.integers(len(values), size=(DRAWS, len(values)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def median_interval(values: NDArray[np.float64], groups: Sequence[str], seed: int = 0) -> tuple[float, float]:
    """95 % percentile interval of the median over songs; whole groups are drawn."""
    labels, index = np.unique(np.asarray(groups), return_inverse=True)
    parts = [values[index == i] for i in range(labels.size)]
    rng = np.random.default_rng(seed)
    medians = [
        np.median(np.concatenate([parts[i] for i in rng.integers(0, labels.size, labels.size)]))
        for _ in range(DRAWS)
    ]
    low, high = np.quantile(medians, [0.025, 0.975])
    return float(low), float(high)
