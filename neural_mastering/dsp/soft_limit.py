"""Soft limits for curves in decibels: small moves stay as they are, large ones approach a limit."""

import numpy as np
from numpy.typing import ArrayLike

from neural_mastering.dsp.third_octaves import Float64s

KNEE = 8.0
"""Firmness of the knee: half of the limit passes to 0.05 %, the limit itself becomes 0.92 of it."""


def soft_limited(curve_db: ArrayLike, limit_db: float, knee: float = KNEE) -> Float64s:
    """Limit the size of each value, with a firm knee and no corner.

        y = c / (1 + |c/L|^p)^(1/p)

    |y| is smaller than |c| and than L, has the sign of c, and rises with |c| and with L.

    Args:
        curve_db: of any shape, finite.
        limit_db: L, above 0.
        knee: p, above 0; larger is firmer.

    >>> soft_limited([0.0, 3.0, -60.0], 6.0).round(2)
    array([ 0.,  3., -6.])
    """
    curve = np.asarray(curve_db, dtype=np.float64)
    size = np.maximum(np.abs(curve) / limit_db, 1e-30)
    # the larger of the two sizes is taken out, so that no power overflows
    larger, smaller = np.maximum(size, 1.0), np.minimum(size, 1.0)
    return np.asarray(curve / (larger * (1.0 + (smaller / larger) ** knee) ** (1.0 / knee)))
