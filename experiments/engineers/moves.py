"""What an engineer does to a song, in physical units, and the tone curve that follows in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from experiments.engineers.hearing import CENTRES_HZ, Float64s, centred
from neural_mastering.dsp import rbj

RATE_HZ = 44_100.0
"""At which the curves of equalisers are stated."""

_POINTS = 9


class Band(NamedTuple):
    """An RBJ filter."""

    kind: rbj.Kind
    frequency_hz: float
    gain_db: float
    q: float = 0.7


@dataclass(frozen=True)
class Settings:
    """Of an engineer's chain, in its order.

    Attributes:
        bands: of the equaliser.
        curve_db: (third,) of a linear-phase equaliser; none for the most engineers.
        ratio: of the compressor; 1 is off.
        threshold_db: of the compressor over the song's loudness.
        drive_db: into a soft clipper; 0 is off.
        side_db: gain of L − R.
        loudness_lufs: of the master.
        limited: whether a limiter works at −1 dBTP; else a gain alone sets the loudness.
    """

    bands: tuple[Band, ...] = ()
    curve_db: Float64s | None = None
    ratio: float = 1.0
    threshold_db: float = 0.0
    drive_db: float = 0.0
    side_db: float = 0.0
    loudness_lufs: float = -14.0
    limited: bool = False

    @property
    def changes_dynamics(self) -> bool:
        """Its masters must be rendered to know their level, range and tone."""
        return self.limited or self.ratio > 1.0 or self.drive_db > 0.0


def tone_db(settings: Settings) -> Float64s:
    """(third,) curve of the equalisers: mean power in each third octave, less the mean of 50 Hz to 12.5 kHz."""
    within = 10.0 ** (np.linspace(-0.05, 0.05, _POINTS) * (1.0 - 1.0 / _POINTS))
    at_hz = np.minimum(CENTRES_HZ[:, None] * within, 0.499 * RATE_HZ).ravel()
    level = np.zeros(len(at_hz))
    if settings.curve_db is not None:
        level += curve_at(at_hz, settings.curve_db)
    if settings.bands:
        kinds, frequency, gain, q = (list(column) for column in zip(*settings.bands, strict=True))
        level += rbj.level_db(kinds, frequency, gain, q, at_hz, RATE_HZ)
    return centred(10.0 * np.log10((10.0 ** (level / 10.0)).reshape(-1, _POINTS).mean(axis=1)))


def curve_at(at_hz: Float64s, curve_db: Float64s) -> Float64s:
    """A curve (third,) between its bands: linear over the logarithm of frequency, constant outside."""
    return np.interp(np.log(np.maximum(at_hz, 1.0)), np.log(CENTRES_HZ), curve_db)
