"""Compiled part of `peak_clipper`: the change that clipping makes, between the samples, only where there is any.

`no_type_check` keeps checkers of types at run time from wrapping what numba compiles.
"""

from typing import no_type_check

import numpy as np
from numba import njit

_compiled = njit(nogil=True, cache=True, error_model="numpy")

KNEE = 0.05
"""Half the width of the corner, of the clip level; the output stays below 1 + KNEE of it."""

_NEAR = 0.7  # samples below this share of the level have no peak beside them, but for tones above rate/4
_STEP = 1e-5


@_compiled
@no_type_check
def _change(v):
    """e(v) = f(v) − v."""
    over = abs(v) - 1.0
    if over <= 0.0:
        return 0.0
    e = -over * over / (4.0 * KNEE) if over < 2.0 * KNEE else KNEE - over
    return e if v > 0.0 else -e


@_compiled
@no_type_check
def _sum(v):
    """∫ e from 0 to v; even in v."""
    over = abs(v) - 1.0
    if over <= 0.0:
        return 0.0
    if over < 2.0 * KNEE:
        return -over * over * over / (12.0 * KNEE)
    beyond = over - KNEE
    return -0.5 * beyond * beyond - KNEE * KNEE / 6.0


@_compiled
@no_type_check
def clip_change(x, level, start, stop, phases, taps, reach, floor, change, most):
    """Add to change (channel, time) what clipping x at level (time,) changes in the intervals [start, stop).

    phases (factor, 2·reach + 1) interpolates, taps (2·reach·factor,) goes down again; most[0] is raised to the
    largest ratio by which a point was lowered. Intervals with both samples below 0.7·level are not looked at.
    """
    factor = phases.shape[0]
    high = np.empty(factor + 1)
    for c in range(x.shape[0]):
        line, out = x[c], change[c]
        for n in range(start, stop):
            loudest = max(abs(line[n]), abs(line[n + 1]))
            if loudest < _NEAR * floor or loudest < _NEAR * min(level[n], level[n + 1]):
                continue
            high[0], high[factor] = line[n], line[n + 1]
            for k in range(1, factor):
                total = 0.0
                for i in range(2 * reach + 1):
                    total += phases[k, i] * line[n - reach + i]
                high[k] = total
            slope = (level[n + 1] - level[n]) / factor
            before, at = high[0] / level[n], level[n]
            for k in range(factor):
                after = high[k + 1] / (level[n] + (k + 1) * slope)
                if abs(before) > 1.0 or abs(after) > 1.0:
                    if abs(after - before) < _STEP:
                        mean = _change(0.5 * (before + after))
                    else:
                        mean = (_sum(after) - _sum(before)) / (after - before)
                    if abs(after) > 1.0:
                        most[0] = max(most[0], after / (after + _change(after)))
                    mean *= at + 0.5 * slope
                    for i in range(n - reach + 1, n + reach + 1):
                        out[i] += mean * taps[(n - i + reach) * factor + k]
                before, at = after, at + slope
