"""Cells of the tables: means with intervals over songs, and how many songs end worse."""

import numpy as np
from numpy.typing import NDArray

from experiments.common.bootstrap import mean_interval

LEAST = 1e-6
"""Differences up to this are rounding."""


def interval(values: NDArray[np.float64], digits: int = 2) -> str:
    """Mean [95 % bootstrap interval over songs]."""
    low, high = mean_interval(values)
    return f"{values.mean():.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def worse(errors: NDArray[np.float64], nothing: NDArray[np.float64]) -> str:
    """For each column of (song, error) the number of songs with a larger error than with nothing."""
    return " / ".join(str(count) for count in (errors > nothing + LEAST).sum(axis=0))
