"""Where a song's spectrum ends like that of a lossy file."""

from __future__ import annotations

import numpy as np

from neural_mastering.dsp.third_octaves import Float64s
from neural_mastering.units import power_to_db

LOWEST_HZ, HIGHEST_HZ = 9_000.0, 19_500.0
"""Edges are looked for between these; codecs cut from 11 kHz (64 kbit/s) upwards."""

DROP_DB = 18.0
"""Fall across 400 Hz that no music has; what lies above stays as low."""

_BESIDE_HZ, _GAP_HZ = 600.0, 400.0
_SILENT_DB = -90.0  # below the loudest: nothing that could end


def codec_edge_hz(at_hz: Float64s, power: Float64s) -> float | None:
    """The frequency above which there is suddenly nothing; None for a spectrum that ends smoothly, or not at all.

    Args:
        at_hz: frequencies of the bins, rising evenly.
        power: long-term power of each, in any unit.
    """
    if len(at_hz) < 2 or at_hz[-1] < LOWEST_HZ or not power.any():
        return None
    spacing_hz = float(at_hz[1] - at_hz[0])
    beside, gap = (max(round(hz / spacing_hz), 1) for hz in (_BESIDE_HZ, _GAP_HZ))
    total = np.concatenate([[0.0], np.cumsum(power)])
    last = len(power) - beside - gap
    starts = np.flatnonzero((at_hz[:last] >= LOWEST_HZ) & (at_hz[:last] <= HIGHEST_HZ)) if last > 0 else []
    starts = np.array([i for i in starts if i >= beside], dtype=int)
    if not starts.size:
        return None
    floor = power.max() * 1e-16
    below = (total[starts] - total[starts - beside]) / beside + floor
    above = (total[starts + gap + beside] - total[starts + gap]) / beside + floor
    drop_db = power_to_db(below) - power_to_db(above)
    drop_db[power_to_db(below / power.max()) < _SILENT_DB] = 0.0
    found = int(starts[int(drop_db.argmax())])
    if drop_db.max() < DROP_DB:
        return None
    rest = power[found + gap :].mean() + floor
    stays_low = power_to_db(below[int(drop_db.argmax())] / rest) > 0.8 * DROP_DB
    return float(at_hz[found] + 0.5 * _GAP_HZ) if stays_low else None
