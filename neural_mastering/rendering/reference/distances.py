"""How far a song is from its references in each respect, in decibels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.third_octaves import BROAD, Float64s, broad_distance_db
from neural_mastering.rendering.reference.measured import SongMeasures


def tone_distance_db(song: SongMeasures, reference: SongMeasures, known: NDArray[np.bool_]) -> float:
    """RMS distance of the octave-smoothed spectra, level left out, 50 Hz to 12.5 kHz; NaN without a common band."""
    if not (known & BROAD).any():
        return float("nan")
    return broad_distance_db(song.profile.levels_db, reference.profile.levels_db, known)


def width_distance_db(song_db: Float64s, reference_db: Float64s) -> float:
    """Mean distance of side over mid, 50 Hz to 12.5 kHz; NaN where one has no side.

    Args:
        song_db, reference_db: (third,), NaN where there is no side.
    """
    apart = np.abs(reference_db - song_db)[BROAD]
    heard = np.isfinite(apart)
    return float(apart[heard].mean()) if heard.any() else float("nan")


def levels_distance_db(song_db: Float64s, reference_db: Float64s) -> float:
    """RMS distance of the quantiles of levels of 50 ms, NaN where one is too short.

    Args:
        song_db, reference_db: (quantile,).
    """
    return float(np.sqrt(np.mean((reference_db - song_db) ** 2)))


def loudness_distance_db(song: SongMeasures, reference: SongMeasures) -> float:
    """Distance of the integrated loudnesses in LU."""
    return abs(reference.profile.lufs - song.profile.lufs)
