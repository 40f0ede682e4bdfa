"""What a stream measures against its ceiling."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from neural_mastering.audio_io.block import Block
from neural_mastering.metering.meter import Meter, Readings
from neural_mastering.metering.wide_peak import WidePeakMeter
from neural_mastering.rendering.delivery.loop import LOOK_DB


@dataclass(frozen=True)
class CeilingReading:
    """A stream and its ceiling.

    Attributes:
        readings: of the whole stream.
        over_db: how far its true peak passes the ceiling, negative below it; −inf for silence or without a ceiling.
        clipped_samples: beyond full scale, which integers would clip.
    """

    readings: Readings
    over_db: float
    clipped_samples: int


def read_ceiling(
    blocks: Iterable[Block], sample_rate: int, channels: int, ceiling_db: float
) -> CeilingReading:
    """Measure a stream (channel, time) by the meters of the delivery; `ceiling_db` is inf without one."""
    meter = Meter(sample_rate, channels)
    wide = WidePeakMeter(sample_rate, channels, ceiling_db) if math.isfinite(ceiling_db) else None
    clipped = 0
    for block in blocks:
        if not block.shape[1]:
            continue
        meter.push(block)
        clipped += int(np.count_nonzero(np.abs(block) > 1.0))
        if wide is not None:
            wide.push(block)
    readings = meter.finish()
    peak_db = readings.true_peak_db
    if wide is not None:
        peak_db = max(peak_db, wide.finish() - LOOK_DB)
    return CeilingReading(readings, peak_db - ceiling_db, clipped)
