"""A second look at the highest peaks of a stream, with filters that reach nearer to half the sample rate.

The meter's filters are flat to 0.45 of the sample rate. Where a song has much above that (synthesizers at
44.1 kHz), meters with longer filters read up to some tenths of a decibel more. So peaks near the ceiling are read
again, with 256 taps instead of 48: flat to 0.49 of the sample rate.
"""

import math

import numpy as np

from neural_mastering.audio_io.block import Block
from neural_mastering.dsp import peak_kernels
from neural_mastering.dsp.interpolator import WIDE_TAPS, interpolator, oversampling
from neural_mastering.units import db_to_gain, gain_to_db

NEAR_DB = 0.5
"""Peaks that the meter reads this far below the ceiling, or less, are looked at."""

_PAST, _FUTURE = WIDE_TAPS // 2, WIDE_TAPS // 2 + 1


class WidePeakMeter:
    """Reads blocks (channel, time); `finish` gives the highest peak in dBTP, −inf where none is near the ceiling.

    Args:
        sample_rate: in Hz.
        channels: 1 or 2.
        ceiling_db: dBTP.
    """

    def __init__(self, sample_rate: int, channels: int, ceiling_db: float) -> None:
        factor = oversampling(sample_rate)
        self._phases, self._wide = interpolator(factor), interpolator(factor, WIDE_TAPS)
        self._floor = db_to_gain(ceiling_db - NEAR_DB)
        self._tail = np.zeros((channels, _PAST + _FUTURE))
        self._peak = 0.0

    def push(self, block: Block) -> None:
        """Read the next block."""
        joined = np.concatenate([self._tail, block], axis=1)
        for channel in joined:
            self._peak = peak_kernels.raise_wide_peak(
                channel, _PAST, len(channel) - _FUTURE, self._phases, self._wide, self._floor, self._peak
            )
        self._tail = joined[:, joined.shape[1] - _PAST - _FUTURE :].copy()

    def finish(self) -> float:
        """The reading of all blocks so far; the look is used up."""
        self.push(np.zeros((len(self._tail), _PAST + _FUTURE)))
        return gain_to_db(self._peak) if self._peak > 0.0 else -math.inf
