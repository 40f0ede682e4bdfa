"""Compiled parts of `masked_change`.

`no_type_check` keeps checkers of types at run time from wrapping what numba compiles.
"""

from typing import no_type_check

import numpy as np
from numba import njit

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_REACH = 2  # bins to either side over which the spectrum is smoothed
_FLOOR = 1e-6
_CUTOFF = 0.45  # of the sample rate: above it the limiter's detector reads peaks too low, and H is 0


@_compiled
@no_type_check
def masks(spectra):
    """H (frame, bin) of spectra: the power, summed over five bins, to 3/8 and over its largest; 0 near the top."""
    out = np.empty(spectra.shape, np.float32)
    count = spectra.shape[1]
    power = np.zeros(count + 2 * _REACH, np.float32)
    for f in range(spectra.shape[0]):
        for k in range(count):
            value = spectra[f, k]
            power[k + _REACH] = value.real * value.real + value.imag * value.imag
        largest = np.float32(1e-30)
        for k in range(count):
            total = np.float32(0.0)
            for i in range(2 * _REACH + 1):
                total += power[k + i]
            quarter = np.sqrt(np.sqrt(total))
            out[f, k] = quarter * np.sqrt(quarter)
            largest = max(largest, out[f, k])
        for k in range(count):
            heard = k <= 2.0 * _CUTOFF * (count - 1)
            out[f, k] = out[f, k] / largest + np.float32(_FLOOR) if heard else np.float32(0.0)
    return out


@_compiled
@no_type_check
def ascend(x, level, change, before, step, momentum, after):
    """One step of accelerated dual ascent: after[1] = λ, after[0] = z, from before[1], before[0] and change = H z.

    x and change are (channel, hop, time), level (hop, time), before and after (2, channel, hop, time).
    """
    for c in range(x.shape[0]):
        for h in range(x.shape[1]):
            for n in range(x.shape[2]):
                z, bound = before[0, c, h, n], level[h, n]
                y = x[c, h, n] - change[c, h, n]
                rise = 0.0
                if z > 0.0 or (z == 0.0 and y > bound):
                    rise = max(z + step * (y - bound), 0.0)
                elif z < 0.0 or y < -bound:
                    rise = min(z + step * (y + bound), 0.0)
                ahead = rise + momentum * (rise - before[1, c, h, n])
                after[1, c, h, n] = rise
                after[0, c, h, n] = ahead if ahead * rise > 0.0 else 0.0


@_compiled
@no_type_check
def largest_ratio(x, level, change):
    """By how much at the most a sample above the level was lowered, as a ratio; at least 1."""
    most = 1.0
    for c in range(x.shape[0]):
        for h in range(x.shape[1]):
            for n in range(x.shape[2]):
                before = abs(x[c, h, n])
                if before > level[h, n]:
                    most = max(most, before / max(abs(x[c, h, n] - change[c, h, n]), 1e-9))
    return most
