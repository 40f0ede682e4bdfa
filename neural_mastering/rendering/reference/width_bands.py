"""Widths of neighbouring bands, and the ones that bring the side of a song closest to what is wanted."""

from __future__ import annotations

import numpy as np

from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.units import db_to_gain, gain_to_db

_STEPS_DB = (3.0, 1.5, 0.8, 0.4, 0.2, 0.1)
_ROUNDS = 8
_REST_PRICE = 1e-3  # keeps a width at 1 where nothing is compared


def band_shares(crossovers_hz: Float64s) -> Float64s:
    """(band, third) amplitude of each band in the middle of each third octave; they add up to 1.

    The low part of a fourth-order Linkwitz–Riley crossover at fₓ has the amplitude 1/(1 + (f/fₓ)⁴), and the high
    part, in phase with it, the rest (Linkwitz, "Active Crossover Networks for Noncoincident Drivers", 1976).

    Args:
        crossovers_hz: rising frequencies, (band − 1,).
    """
    above = 1.0 - 1.0 / (1.0 + (CENTRES_HZ / crossovers_hz[:, None]) ** 4)
    edges = np.concatenate([np.ones((1, CENTRES_HZ.size)), above, np.zeros((1, CENTRES_HZ.size))])
    return edges[:-1] - edges[1:]


def closest_widths(wanted_db: Float64s, shares: Float64s, low: Float64s, high: Float64s) -> Float64s:
    """Widths w within bounds with the smallest Σ |20·log10(Σₖ wₖ·aₖ(f)) − wanted(f)| over third octaves.

    Between two bands the side gets a mean of their widths, so a band's own median is not the best for it. The
    widths begin at 1 and move one at a time by smaller and smaller steps, each as long as it helps.

    Args:
        wanted_db: (third,) change of the side; NaN where nothing is compared.
        shares: a, (band, third), see `band_shares`.
        low, high: (band,) bounds, with 1 between them.
    """
    compared = np.isfinite(wanted_db)
    wanted, part = wanted_db[compared], shares[:, compared]

    def cost(widths_db: Float64s) -> float:
        apart = gain_to_db(db_to_gain(widths_db) @ part) - wanted
        return float(np.abs(apart).sum() + _REST_PRICE * np.abs(widths_db).sum())

    low_db, high_db = gain_to_db(low), gain_to_db(high)
    best: Float64s = np.zeros(len(shares))
    least = cost(best)
    for step_db in _STEPS_DB:
        for _ in range(_ROUNDS):
            before = least
            for band in range(len(best)):
                for signed_db in (-step_db, step_db):
                    moved = best.copy()
                    moved[band] = np.clip(moved[band] + signed_db, low_db[band], high_db[band])
                    found = cost(moved)
                    if found < least:
                        best, least = moved, found
            if least == before:
                break
    return np.asarray(db_to_gain(best), dtype=np.float64)
