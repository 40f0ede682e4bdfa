"""Numbers of the tables: means with intervals over songs, and how many songs end worse."""

import numpy as np
from numpy.typing import NDArray

LEAST = 1e-6
"""Differences up to this are rounding."""


def interval(values: NDArray[np.float64], digits: int = 2) -> str:
    """Mean [95 % bootstrap interval over songs]."""
    dice = np.random.default_rng(0)
    means = values[dice.integers(len(values), size=(2_000, len(values)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{values.mean():.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def worse(errors: NDArray[np.float64], nothing: NDArray[np.float64]) -> str:
    """For each column of (song, error) the number of songs with a larger error than with nothing."""
    return " / ".join(str(count) for count in (errors > nothing + LEAST).sum(axis=0))
