"""Compiled polyphase filters of `oversampling`, and their adjoints; sums run in the type of the audio.

Each works on blocks that stay in the cache, one tap after another, so that neighbouring samples share vector
instructions and the order of the sum does not depend on where a chunk begins. Arrays are (item, row, time); a row
is a channel. `no_type_check` keeps checkers of types at run time from wrapping what numba compiles.
"""

from typing import no_type_check

import numpy as np
from numba import njit

_compiled = njit(nogil=True, cache=True, fastmath={"contract"}, error_model="numpy")
_BLOCK = 1024


@_compiled
@no_type_check
def _correlate_add(x, first, taps, out, count):
    """out[n] += Σ_i taps[i]·x[first + n + i], four taps at a time."""
    whole = taps.size - taps.size % 4
    for i in range(0, whole, 4):
        a, b, c, d = taps[i], taps[i + 1], taps[i + 2], taps[i + 3]
        seen = x[first + i : first + i + count + 3]
        x0, x1, x2, x3 = seen[:count], seen[1 : count + 1], seen[2 : count + 2], seen[3 : count + 3]
        for n in range(count):
            out[n] += a * x0[n] + b * x1[n] + c * x2[n] + d * x3[n]
    for i in range(whole, taps.size):
        a, x0 = taps[i], x[first + i : first + i + count]
        for n in range(count):
            out[n] += a * x0[n]


@_compiled
@no_type_check
def _spread_add(g, taps, out, first, count):
    """Adjoint of `_correlate_add`: out[first + n + i] += taps[i]·g[n]."""
    for i in range(taps.size):
        a, reached = taps[i], out[first + i : first + i + count]
        for n in range(count):
            reached[n] += a * g[n]


@_compiled
@no_type_check
def interpolate(x, taps, middle, out):
    """out[…, n, k] = Σ_i taps[k, i]·x[n + i] for k ≥ 1, and x[n + middle] for k = 0; out is (item, row, n, k)."""
    factor, kept = out.shape[3], out.shape[2]
    block = np.empty(_BLOCK, x.dtype)
    for item in range(x.shape[0]):
        for row in range(x.shape[1]):
            line, high = x[item, row], out[item, row]
            for start in range(0, kept, _BLOCK):
                count = min(_BLOCK, kept - start)
                for n in range(count):
                    high[start + n, 0] = line[start + n + middle]
                for k in range(1, factor):
                    block[:count] = 0.0
                    _correlate_add(line, start, taps[k], block, count)
                    for n in range(count):
                        high[start + n, k] = block[n]


@_compiled
@no_type_check
def interpolate_adjoint(upstream, taps, middle, by_x):
    """Adds to by_x, which must come in as zeros."""
    factor, kept = upstream.shape[3], upstream.shape[2]
    block = np.empty(_BLOCK, by_x.dtype)
    for item in range(by_x.shape[0]):
        for row in range(by_x.shape[1]):
            line, high = by_x[item, row], upstream[item, row]
            for start in range(0, kept, _BLOCK):
                count = min(_BLOCK, kept - start)
                for n in range(count):
                    line[start + n + middle] += high[start + n, 0]
                for k in range(1, factor):
                    for n in range(count):
                        block[n] = high[start + n, k]
                    _spread_add(block, taps[k], line, start, count)


@_compiled
@no_type_check
def decimate(high, taps, out):
    """out[…, m] = Σ_j Σ_r taps[r, j]·high[…, m + j, r]; high is (item, row, n, r), out must come in as zeros."""
    factor, length = taps.shape
    block = np.empty(_BLOCK + length, out.dtype)
    for item in range(out.shape[0]):
        for row in range(out.shape[1]):
            line = out[item, row]
            for start in range(0, line.size, _BLOCK):
                count = min(_BLOCK, line.size - start)
                for r in range(factor):
                    for n in range(count + length - 1):
                        block[n] = high[item, row, start + n, r]
                    _correlate_add(block, 0, taps[r], line[start : start + count], count)


@_compiled
@no_type_check
def decimate_adjoint(upstream, taps, by_high):
    """Adds to by_high (item, row, n, r), which must come in as zeros."""
    factor, length = taps.shape
    block = np.empty(_BLOCK + length, by_high.dtype)
    for item in range(upstream.shape[0]):
        for row in range(upstream.shape[1]):
            line = upstream[item, row]
            for start in range(0, line.size, _BLOCK):
                count = min(_BLOCK, line.size - start)
                for r in range(factor):
                    block[: count + length - 1] = 0.0
                    _spread_add(line[start : start + count], taps[r], block, 0, count)
                    for n in range(count + length - 1):
                        by_high[item, row, start + n, r] += block[n]
