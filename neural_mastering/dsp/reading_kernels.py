"""Compiled loops over long signals and spectra that the metrics read; float64 sums.

`no_type_check` keeps checkers of types at run time from wrapping what numba compiles.
"""

import math
from typing import no_type_check

import numpy as np
from numba import njit

# Without "nnan" and "ninf": a NaN in the audio must reach the reading.
_compiled = njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "arcp", "nsz"}, error_model="numpy")

_ZERO, _HALF = np.float32(0.0), np.float32(0.5)


@_compiled
@no_type_check
def weighted_cells(x, cell, sections, out):
    """out[n] = Σ of squares of the K-weighted samples [n·cell, (n + 1)·cell) of x (time,), from rest.

    `sections` are those of `k_weighting.k_weighting_sections`; the second has the numerator 1, −2, 1.
    """
    b0, b1, b2, a1, a2 = sections[0, 0], sections[0, 1], sections[0, 2], sections[0, 4], sections[0, 5]
    c1, c2 = sections[1, 4], sections[1, 5]
    z0, z1, z2, z3 = 0.0, 0.0, 0.0, 0.0
    for place in range(out.shape[0]):
        energy = 0.0
        for n in range(place * cell, (place + 1) * cell):
            value = np.float64(x[n])
            y = b0 * value + z0
            z0 = b1 * value - a1 * y + z1
            z1 = b2 * value - a2 * y
            w = y + z2
            z2 = -2.0 * y - c1 * w + z3
            z3 = y - c2 * w
            energy += w * w
        out[place] = energy


@_compiled
@no_type_check
def magnitudes(spectra, out):
    """out (row, frame, bin) of left, right, mid and side, or of the one channel.

    spectra (channel, frame, 2·bin) have real and imaginary parts interleaved.
    """
    for frame in range(out.shape[1]):
        if spectra.shape[0] == 1:
            _lengths(spectra[0, frame], out[0, frame])
        else:
            _lengths(spectra[0, frame], out[0, frame])
            _lengths(spectra[1, frame], out[1, frame])
            _mid_and_side(spectra[0, frame], spectra[1, frame], out[2, frame], out[3, frame])


@_compiled
@no_type_check
def _lengths(pairs, out):
    for k in range(out.shape[0]):
        x, y = pairs[2 * k], pairs[2 * k + 1]
        out[k] = math.sqrt(x * x + y * y)


@_compiled
@no_type_check
def _mid_and_side(left, right, mid, side):
    for k in range(mid.shape[0]):
        x, y = left[2 * k] + right[2 * k], left[2 * k + 1] + right[2 * k + 1]
        mid[k] = _HALF * math.sqrt(x * x + y * y)
        x, y = left[2 * k] - right[2 * k], left[2 * k + 1] - right[2 * k + 1]
        side[k] = _HALF * math.sqrt(x * x + y * y)


@_compiled
@no_type_check
def weighted_differences(prediction, target, gains, weights, sums):
    """Add Σ w·|T − g·P| to sums[row, i] for each gain, and Σ w·T to the last column.

    prediction and target are (row, frame, bin), gains (gain,), weights (bin,), all float32; sums (row, gain + 1).
    """
    last = gains.shape[0]
    for row in range(target.shape[0]):
        for frame in range(target.shape[1]):
            p, t = prediction[row, frame], target[row, frame]
            for i in range(last):
                sums[row, i] += _weighted_difference(p, t, gains[i], weights)
            sums[row, last] += _weighted_difference(p, t, _ZERO, weights)


@_compiled
@no_type_check
def _weighted_difference(p, t, gain, weights):
    total = _ZERO
    for k in range(weights.shape[0]):
        total += weights[k] * abs(t[k] - gain * p[k])
    return np.float64(total)
