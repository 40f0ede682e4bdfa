"""Numbers of a system: error energy removed, songs made worse, the worst tenth; intervals over packages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neural_mastering.dsp.third_octaves import Float64s

DRAWS = 4_000
WORSE_DB = 0.05


def removed(before_db: Float64s, after_db: Float64s) -> float:
    """1 − Σ after² / Σ before²: 1 where every mistake is undone, 0 where nothing is done.

    Args:
        before_db, after_db: (song,) RMS of the mistake before and of what is left of it.
    """
    return float(1.0 - (after_db**2).sum() / (before_db**2).sum())


def removed_interval(
    before_db: Float64s, after_db: Float64s, packages: Sequence[str], other_db: Float64s | None = None
) -> tuple[float, float]:
    """95 % percentile interval of `removed`, or of its difference to another system's; whole packages are drawn.

    Args:
        before_db, after_db: as in `removed`.
        packages: (song,).
        other_db: (song,) what the other system leaves of the same mistakes.
    """
    labels, index = np.unique(np.asarray(packages), return_inverse=True)

    def total(values: Float64s) -> Float64s:
        return np.bincount(index, values**2, labels.size).astype(np.float64)

    counts = np.random.default_rng(0).multinomial(
        labels.size, np.full(labels.size, 1.0 / labels.size), size=DRAWS
    )
    kept = counts @ total(after_db)
    compared = counts @ total(before_db if other_db is None else other_db)
    low, high = np.quantile((compared - kept) / (counts @ total(before_db)), [0.025, 0.975])
    return float(low), float(high)


def share_worse(before_db: Float64s, after_db: Float64s) -> float:
    """Share of songs whose RMS error grew by more than 0.05 dB."""
    return float((after_db > before_db + WORSE_DB).mean())


def worst_tenth(before_db: Float64s, after_db: Float64s) -> float:
    """Mean of after / before over the tenth of songs where it is largest."""
    ratio = np.sort(after_db / before_db)
    return float(ratio[-max(len(ratio) // 10, 1) :].mean())
