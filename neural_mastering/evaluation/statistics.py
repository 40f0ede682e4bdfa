"""Means with intervals where songs come in groups.

Songs of one album or artist are alike, so they are not independent draws: the cluster bootstrap draws whole groups
with replacement and takes the mean over all songs of the drawn groups. Source: A. C. Davison, D. V. Hinkley,
"Bootstrap Methods and their Application", Cambridge University Press, 1997, section 3.8.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 4000
LEVEL = 0.95
FEW_GROUPS = 10
"""With fewer groups the intervals are narrower than they should be."""


@dataclass(frozen=True)
class SongStatistic:
    """A statistic of songs.

    Attributes:
        mean, median: over songs with a value.
        low, high: ends of the 95 % cluster-bootstrap interval of the mean; NaN with fewer than two groups.
        songs, groups: how many have a value.
    """

    mean: float
    median: float
    low: float
    high: float
    songs: int
    groups: int


def estimate(
    values: Sequence[float], groups: Sequence[str], seed: int = 0, draws: int = DRAWS
) -> SongStatistic:
    """Mean and median over songs, with an interval over groups.

    Args:
        values: one a song; NaN where it has none.
        groups: of the same songs.
        seed: of the draws; the same draws serve all statistics with the same groups.
        draws: bootstrap samples.
    """
    numbers = np.asarray(values, dtype=np.float64)
    known = np.isfinite(numbers)
    numbers, names = numbers[known], [g for g, k in zip(groups, known, strict=True) if k]
    if numbers.size == 0:
        return SongStatistic(math.nan, math.nan, math.nan, math.nan, 0, 0)
    low, high = cluster_interval(numbers, names, seed, draws)
    return SongStatistic(
        float(numbers.mean()), float(np.median(numbers)), low, high, numbers.size, len(set(names))
    )


def cluster_interval(
    values: NDArray[np.float64], groups: Sequence[str], seed: int = 0, draws: int = DRAWS
) -> tuple[float, float]:
    """Percentile interval of the mean over songs; (NaN, NaN) with fewer than two groups."""
    labels, index = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)
    if labels.size < 2:
        return math.nan, math.nan
    sums = np.bincount(index, weights=values, minlength=labels.size)
    counts = np.bincount(index, minlength=labels.size)
    drawn = np.random.default_rng(seed).multinomial(
        labels.size, np.full(labels.size, 1.0 / labels.size), size=draws
    )
    means = (drawn @ sums) / (drawn @ counts)
    low, high = np.quantile(means, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    return float(low), float(high)
