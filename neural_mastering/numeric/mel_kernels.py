"""Compiled sums of spectra in mel bands; `no_type_check` keeps run-time checkers of types from wrapping them."""

from typing import no_type_check

import numpy as np
from numba import njit

_compiled = njit(nogil=True, cache=True, fastmath={"contract", "reassoc"}, error_model="numpy")


@_compiled
@no_type_check
def band_powers(mid, side, weights, first, width, at, out):
    """Σ|M|², Σ|S|² and Σ Re(M·S*) of each band into out (3, band, frame), from frame `at` on.

    mid, side are spectra (frame, bin); weights (band, most) of the width (band,) bins from first (band,) on.
    """
    products = np.empty((3, mid.shape[1]))
    for frame in range(mid.shape[0]):
        for k in range(mid.shape[1]):
            a, b = mid[frame, k].real, mid[frame, k].imag
            c, d = side[frame, k].real, side[frame, k].imag
            products[0, k] = a * a + b * b
            products[1, k] = c * c + d * d
            products[2, k] = a * c + b * d
        for band in range(weights.shape[0]):
            m, s, x = 0.0, 0.0, 0.0
            for i in range(width[band]):
                w, k = weights[band, i], first[band] + i
                m += w * products[0, k]
                s += w * products[1, k]
                x += w * products[2, k]
            out[0, band, at + frame], out[1, band, at + frame], out[2, band, at + frame] = m, s, x


@_compiled
@no_type_check
def hop_levels(signal, hop, peak, power):
    """Largest |M| + |S| and mean of M² + S² of each complete hop of signal (2, time)."""
    for i in range(peak.size):
        high, total = 0.0, 0.0
        for n in range(i * hop, (i + 1) * hop):
            m, s = np.float64(signal[0, n]), np.float64(signal[1, n])
            high = max(high, abs(m) + abs(s))
            total += m * m + s * s
        peak[i], power[i] = high, total / hop
