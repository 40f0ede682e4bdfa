"""Levels of third octaves at equal loudness: what is left when two songs are turned up to the same loudness."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.gaussian import Gaussian
from neural_mastering.dsp.k_weighting import k_weighting_sections
from neural_mastering.dsp.sections import sections_level_db
from neural_mastering.dsp.third_octaves import CENTRES_HZ, Float64s
from neural_mastering.units import NEPERS_PER_DB, db_to_power, power_to_db

K_WEIGHTING_DB: Float64s = sections_level_db(k_weighting_sections(48_000.0), CENTRES_HZ, 48_000.0)
"""(third,) of BS.1770 at the centres."""


def at_equal_loudness(levels_db: Float64s, known: NDArray[np.bool_]) -> Float64s:
    """Levels (third,) less their K-weighted sum: L_b − 10·log10 Σ 10^((L_b + K_b)/10) over the known bands."""
    return levels_db - power_to_db(float(_powers(levels_db, known).sum()))


def tone_at_equal_loudness(tone: Gaussian, known: NDArray[np.bool_]) -> Gaussian:
    """A distribution of levels as that of levels at equal loudness, over the bands that are also in `known`.

    With the share a of each band in the loudness of the mean, C = I − 1·aᵀ and c = ln 10/10:

        Σ' = C·Σ·Cᵀ,   μ' = μ − L(μ) − ½·c·(Σ_b a_b·Σ_bb − aᵀ·Σ·a)

    the second-order mean of the loudness L, which is above the loudness of the mean: single songs have peaks where
    their mean is smooth.
    """
    known = known & tone.known
    share = _powers(tone.mean, known)
    share = share / share.sum()
    turn = np.eye(len(share)) - np.outer(np.ones(len(share)), share)
    kept = np.where(np.outer(known, known), tone.covariance, 0.0)
    peaks_db = NEPERS_PER_DB * float(share @ np.diag(kept) - share @ kept @ share)
    return Gaussian(
        at_equal_loudness(tone.mean, known) - peaks_db,
        np.asarray(turn @ kept @ turn.T, dtype=np.float64),
        known,
    )


def _powers(levels_db: Float64s, known: NDArray[np.bool_]) -> Float64s:
    return np.where(known, db_to_power(np.where(known, levels_db, 0.0) + K_WEIGHTING_DB), 0.0)
