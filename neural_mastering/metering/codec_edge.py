"""Where a song's spectrum ends like that of a lossy file."""

from __future__ import annotations

import numpy as np

from neural_mastering.dsp.third_octaves import Float64s
from neural_mastering.units import power_to_db

LOWEST_HZ, HIGHEST_HZ = 9_000.0, 18_500.0
"""Edges are looked for between these; codecs cut from 11 kHz (64 kbit/s) upwards."""

DROP_DB = 18.0
"""Fall across 400 Hz that no music has; what lies above stays as low."""

_BESIDE_HZ, _GAP_HZ = 600.0, 400.0
_SILENT_DB = -110.0  # below the loudest bin: nothing that could end


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
    relative: Float64s = power / power.max() + 1e-16
    levels_db = power_to_db(relative)
    total = np.concatenate([[0.0], np.cumsum(levels_db)])
    starts = np.flatnonzero((at_hz >= LOWEST_HZ) & (at_hz <= HIGHEST_HZ))
    starts = starts[(starts >= beside) & (starts + gap + beside < len(power))]
    if not starts.size:
        return None
    # means of decibels, so that a whistle is no edge
    below_db = (total[starts] - total[starts - beside]) / beside
    drop_db = below_db - (total[starts + gap + beside] - total[starts + gap]) / beside
    drop_db[below_db < _SILENT_DB] = 0.0
    best = int(drop_db.argmax())
    rest_db = float(levels_db[starts[best] + gap :].mean())
    if drop_db[best] < DROP_DB or below_db[best] - rest_db < 0.8 * DROP_DB:
        return None
    return float(at_hz[starts[drop_db > drop_db[best] - 3.0]].mean() + 0.5 * _GAP_HZ)
