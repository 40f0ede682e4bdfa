"""What a system did to a song besides its tone: the shape of its curve, the notes, the crest of bands."""

import numpy as np
from scipy.signal import butter, sosfilt

from experiments.reference_matching.excerpts import RATE, Samples
from neural_mastering.dsp.third_octaves import BROAD, Float64s
from neural_mastering.units import gain_to_db

MIDDLES_HZ = 63.0 * 2.0 ** np.arange(8.0)
"""Middles of the third octaves whose crest is measured, 63 Hz to 8 kHz."""

QUIETEST_DB = -40.0
"""A band this far below the loudest is not heard, and its crest not counted."""

_HALF = 2.0 ** (1.0 / 6.0)


def curve_of(before_db: Float64s, after_db: Float64s, known: np.ndarray) -> Float64s:
    """What was done to the spectrum in the bands that count, less its mean, (band,)."""
    used = known & BROAD
    curve_db = (after_db - before_db)[used]
    return curve_db - curve_db.mean()


def jaggedness_db(curve_db: Float64s) -> float:
    """RMS of the third differences of a curve over third octaves; 0 for a parabola."""
    return float(np.sqrt(np.mean(np.diff(curve_db, 3) ** 2)))


class Crests:
    """Crest of third octaves of a song, and its change.

    Args:
        song: (channel, time).
    """

    def __init__(self, song: Samples) -> None:
        self.levels_db, self.crests_db = _crests(song)

    def largest_change_db(self, result: Samples) -> float:
        """Largest change of a band's crest between song and result."""
        heard = self.levels_db > self.levels_db.max() + QUIETEST_DB
        return float(np.abs(_crests(result)[1] - self.crests_db)[heard].max())


def _crests(audio: Samples) -> tuple[Float64s, Float64s]:
    mono = audio.mean(axis=0)
    bands: list[Samples] = [
        np.asarray(sosfilt(butter(4, (hz / _HALF, hz * _HALF), "bandpass", fs=RATE, output="sos"), mono))
        for hz in MIDDLES_HZ
    ]
    power = np.array([np.sqrt(np.mean(band**2)) for band in bands]) + 1e-12
    peak = np.array([np.abs(band).max() for band in bands]) + 1e-12
    levels_db: Float64s = gain_to_db(power)
    return levels_db, gain_to_db(peak) - levels_db
