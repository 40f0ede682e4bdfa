"""Loudness over time as a page draws it."""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from neural_mastering.metering.meter import BLOCK_MS, HOP_MS, SHORT_TERM_MS, Readings

QUIETEST_LUFS = -70.0
"""Anything below is drawn as silence."""


class LoudnessLines(TypedDict):
    """Points every `hop_s`, None for silence; the first windows end at `short_term_s` and `momentary_s`."""

    hop_s: float
    short_term_s: float
    momentary_s: float
    short_term: list[float | None]
    momentary: list[float | None]


def loudness_over_time(readings: Readings) -> LoudnessLines:
    """Short-term (3 s) and momentary (400 ms) loudness of a song in LUFS, to a hundredth."""
    return {
        "hop_s": HOP_MS / 1000.0,
        "short_term_s": SHORT_TERM_MS / 1000.0,
        "momentary_s": BLOCK_MS / 1000.0,
        "short_term": _points(readings.short_term_lufs),
        "momentary": _points(readings.momentary_lufs),
    }


def _points(lufs: NDArray[np.float64]) -> list[float | None]:
    return [round(value, 2) if value >= QUIETEST_LUFS else None for value in lufs.tolist()]
