"""Pairs that are unlike all others, such as another engineer's master or one of another project.

Each pair is compared with what was predicted for it without its group. With r the RMS distance of its tone and s
the median distance of all, its weight as a draw from Student's t with ν degrees of freedom would be

    w = (ν + 1)/(ν + (r/s)²)

(Lange, Little, Taylor, "Robust statistical modeling using the t distribution", JASA 84, 1989, section 3). A pair
below `LEAST_WEIGHT` hardly counts, but would still bend curves and slopes, so it isn't learned from at all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neural_mastering.dsp.third_octaves import BROAD, Float64s
from neural_mastering.learning.cross_validation import HeldOut

DEGREES_OF_FREEDOM = 4.0
LEAST_WEIGHT = 0.2
"""At 4.6 times the median distance."""

LEAST_DISTANCE_DB = 1.0
"""A pair nearer than this is never left out, however well the others agree."""

MOST_LEFT_OUT = 0.1
"""Share of the pairs. Where more are unlike the others, the engineer varies."""

LEAST_SONGS = 10


def student_weights(distances: Float64s) -> Float64s:
    """(song,) (ν + 1)/(ν + (r/s)²), s the median of the distances r."""
    scale = max(float(np.median(distances)), 1e-9)
    return (DEGREES_OF_FREEDOM + 1.0) / (DEGREES_OF_FREEDOM + (distances / scale) ** 2)


def tone_distances(songs: Sequence[HeldOut], system: str) -> Float64s:
    """(song,) RMS distance in dB of each move from a system's, 50 Hz to 12.5 kHz."""
    differences = np.stack([song.curves[system] - song.pair.move.curve_db for song in songs])[:, BROAD]
    return np.sqrt((differences**2).mean(axis=1))


def outliers(songs: Sequence[HeldOut], system: str) -> list[int]:
    """Places of the pairs to leave out, the worst first.

    Args:
        songs: each predicted without its group.
        system: that predicted them.
    """
    if len(songs) < LEAST_SONGS:
        return []
    distances = tone_distances(songs, system)
    weights = student_weights(distances)
    far = [
        int(i)
        for i in np.argsort(weights, kind="stable")
        if weights[i] < LEAST_WEIGHT and distances[i] > LEAST_DISTANCE_DB
    ]
    return far if len(far) <= max(int(MOST_LEFT_OUT * len(songs)), 1) else []
