"""Songs that are unlike the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_SONGS = 20
"""Fewer say little about what is usual."""

_TO_SIGMA = 1.4826  # of a normal distribution's median absolute deviation


@dataclass(frozen=True)
class Outlier:
    """A value far from the others.

    Attributes:
        row: of the song.
        column: of the value.
        value: as it is.
        deviations: from the median, in robust standard deviations.
    """

    row: int
    column: str
    value: float
    deviations: float


def outliers(
    columns: Mapping[str, NDArray[np.float64]], floors: Mapping[str, float], beyond: float = 4.0
) -> list[Outlier]:
    """Values more than `beyond` robust standard deviations from their column's median, the furthest first.

    z = (x − median) / max(1.4826 · median|x − median|, floor)

    Args:
        columns: (song,) each; values that are not finite are left out.
        floors: by column the least standard deviation, so that a column without spread has no outliers.
        beyond: deviations.
    """
    found = []
    for name, values in columns.items():
        finite = np.isfinite(values)
        if int(finite.sum()) < LEAST_SONGS:
            continue
        median = float(np.median(values[finite]))
        spread = _TO_SIGMA * float(np.median(np.abs(values[finite] - median)))
        deviations = (values - median) / max(spread, floors.get(name, 1e-9))
        for row in np.flatnonzero(finite & (np.abs(deviations) > beyond)):
            found.append(Outlier(int(row), name, float(values[row]), float(deviations[row])))
    return sorted(found, key=lambda item: -abs(item.deviations))
