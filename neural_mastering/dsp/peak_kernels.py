"""Compiled true-peak search on long signals: fine grids only where the signal may be near its limit.

A band-limited signal that reaches M somewhere is at least cos(π/4)·M on the grid of samples and midpoints nearby
(Duffin and Schaeffer 1938). So the midpoints, one filter of 48 taps, show where the whole grid of `interpolator` is
worth computing, and their curvature whether anything can be gained by it. `no_type_check` keeps checkers of types
at run time from wrapping what numba compiles.
"""

import math
from typing import no_type_check

import numpy as np
from numba import njit

from neural_mastering.dsp.interpolator import TAPS

PAST = TAPS // 2
"""Samples that must stand before the first interval, of which one is for the slope at its beginning."""
FUTURE = TAPS // 2 + 1
"""Samples that must stand from the end of the last interval on."""

_compiled = njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "arcp", "nsz"}, error_model="numpy")
_finite = njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
_HALVES = 0.70  # a little under cos(π/4), since a filter of 48 taps isn't ideal
RUN = 64
"""Intervals that are searched together. Streams search whole runs, so that any blocks give the same peaks."""

GROUP = 8
"""Intervals of which only the loudest needs its exact peak; the limiter's `HOLD` covers the others."""


@_compiled
@no_type_check
def interpolated(x, first, taps):
    """Σ taps·x from sample `first` on: the value between two samples."""
    total = 0.0
    for i in range(TAPS):
        total += taps[i] * x[first + i]
    return total


@_compiled
@no_type_check
def _midpoints(x, first, count, taps, out):
    """out[j] = Σ taps·x from sample first + j on, for taps that are the same from both ends.

    The inner loop runs over samples, so that it becomes vector instructions.
    """
    for j in range(count):
        out[j] = 0.0
    for i in range(0, TAPS // 2, 4):
        a, b, c, d = taps[i], taps[i + 1], taps[i + 2], taps[i + 3]
        low = x[first + i : first + i + count + 3]
        high = x[first + TAPS - 4 - i : first + TAPS - 1 - i + count]
        for j in range(count):
            outer = a * (low[j] + high[j + 3]) + b * (low[j + 1] + high[j + 2])
            out[j] += outer + c * (low[j + 2] + high[j + 1]) + d * (low[j + 3] + high[j])


@_finite
@no_type_check
def largest(x, start, stop):
    """The largest |x| of the samples [start, stop), which must be numbers."""
    peak = 0.0
    for n in range(start, stop):
        peak = max(peak, abs(x[n]))
    return peak


@_compiled
@no_type_check
def _norm(taps):
    total = 0.0
    for i in range(TAPS):
        total += abs(taps[i])
    return total


@_compiled
@no_type_check
def _fine(x, n, phases, refine_above):
    """Largest |value| from sample n to n + 1 on the grid; maxima above a bound are refined by a parabola."""
    count = phases.shape[0]
    at = abs(x[n])
    peak = max(at, abs(x[n + 1]))
    before = abs(interpolated(x, n - TAPS // 2, phases[count - 1]))
    for k in range(count + 1):
        after = abs(x[n + 1]) if k == count else abs(interpolated(x, n - TAPS // 2 + 1, phases[k]))
        peak = max(peak, at)
        if at >= before and at >= after and at >= refine_above:
            curvature = 2.0 * at - before - after
            if curvature > 0.0:
                peak = max(peak, at + (after - before) ** 2 / (8.0 * curvature))
        before, at = at, after
    return peak


@_compiled
@no_type_check
def _reach(a, b, c, loudest):
    """How far |f| may rise above three neighbouring grid points: (half-grid bound, bound by their curvature).

    For a sine the excess over the grid is a quarter of the second difference or less, at any frequency and phase;
    half of it leaves room for sums of sines.
    """
    return min(0.31 * loudest, 0.5 * abs(a - 2.0 * b + c) + 1e-12)


@_compiled
@no_type_check
def raise_peak(x, start, stop, phases, peak):
    """The larger of `peak` and the true peak of x (time,) over the intervals [start, stop)."""
    factor = phases.shape[0] + 1
    middle = phases[factor // 2 - 1]
    bound = _norm(middle)
    near = math.cos(math.pi / (2.0 * factor))
    peak = max(peak, largest(x, start, stop))
    halves = np.empty(RUN)
    for first in range(start, stop, RUN):
        last = min(first + RUN, stop)
        loudest = largest(x, first - TAPS // 2 + 1, last + TAPS // 2)
        if loudest * bound < _HALVES * peak or loudest == 0.0:
            continue
        _midpoints(x, first - TAPS // 2 + 1, last - first, middle, halves)
        if max(largest(halves, 0, last - first), largest(x, first, last + 1)) < _HALVES * peak:
            continue
        for n in range(first, last):
            between = halves[n - first]
            value = max(abs(x[n]), max(abs(x[n + 1]), abs(between)))
            if value >= _HALVES * peak and value + _reach(x[n], between, x[n + 1], 2.0 * peak) >= peak:
                peak = max(peak, _fine(x, n, phases, near * peak))
    return peak


@_compiled
@no_type_check
def raise_wide_peak(x, start, stop, phases, wide, floor, peak):
    """The larger of `peak` and the largest |value| by the filters of `wide` over the intervals [start, stop).

    Only intervals are looked at whose peak by `phases` is at least `floor`.
    """
    factor, taps = wide.shape[0] + 1, wide.shape[1]
    middle = phases[factor // 2 - 1]
    for n in range(start, stop):
        left, right = abs(x[n]), abs(x[n + 1])
        if max(left, right) < _HALVES * floor:
            continue
        between = interpolated(x, n - TAPS // 2 + 1, middle)
        value = max(abs(between), max(left, right))
        if value + _reach(x[n], between, x[n + 1], 2.0 * floor) < floor:
            continue
        if _fine(x, n, phases, math.inf) < floor:
            continue
        for k in range(factor - 1):
            total = 0.0
            for i in range(taps):
                total += wide[k, i] * x[n - taps // 2 + 1 + i]
            peak = max(peak, abs(total))
    return peak


@_compiled
@no_type_check
def interval_peaks(x, start, stop, phases, floor, out):
    """out[n − start] ≈ true peak of the loudest channel of x (channel, time) between samples n and n + 1.

    Exact (or too high by 10⁻⁴ of it) for the loudest of each group of `GROUP` intervals where that is above
    `floor`; the others may be lower than they are, down to 0.
    """
    factor = phases.shape[0] + 1
    middle = phases[factor // 2 - 1]
    bound = _norm(middle)
    near = math.cos(math.pi / (2.0 * factor)) * floor
    between = np.empty(RUN)
    halves, reach = np.empty(GROUP), np.empty(GROUP)
    for n in range(stop - start):
        out[n] = 0.0
    for c in range(x.shape[0]):
        channel = x[c]
        for first in range(start, stop, RUN):
            last = min(first + RUN, stop)
            loudest = largest(channel, first - TAPS // 2 + 1, last + TAPS // 2)
            # every phase is bounded by its norm; the midpoint's is the largest
            if loudest * bound < floor:
                continue
            _midpoints(channel, first - TAPS // 2 + 1, last - first, middle, between)
            for group in range(first, last, GROUP):
                count = min(GROUP, last - group)
                best = 0.0
                for i in range(count):
                    n = group + i
                    middle_value = between[n - first]
                    halves[i] = max(abs(middle_value), max(abs(channel[n]), abs(channel[n + 1])))
                    reach[i] = _reach(channel[n], middle_value, channel[n + 1], 2.0 * max(loudest, halves[i]))
                    best = max(best, halves[i])
                least = max(floor, best)
                for i in range(count):
                    if halves[i] + reach[i] < least:
                        continue
                    n = group + i
                    if reach[i] < 1e-4 * halves[i]:
                        peak = halves[i] + reach[i]
                    else:
                        peak = _fine(channel, n, phases, near)
                    out[n - start] = max(out[n - start], peak)
                    least = max(least, peak)


@_compiled
@no_type_check
def power_of(base, exponent):
    """base^exponent for a base of 0 or more; the usual exponents 1.5 and 2 without the general power."""
    if exponent == 2.0:
        return base * base
    if exponent == 1.5:
        return base * math.sqrt(base)
    return base**exponent


@_compiled
@no_type_check
def largest_per_cell(x, position, cell, out):
    """out[(position + n) // cell] = the largest |x| of any channel (channel, time) there; `out` is raised."""
    for c in range(x.shape[0]):
        start = 0
        while start < x.shape[1]:
            i = (position + start) // cell
            stop = min((i + 1) * cell - position, x.shape[1])
            out[i] = max(out[i], largest(x[c], start, stop))
            start = stop


@no_type_check
def padded(x: np.ndarray) -> np.ndarray:
    """x (channel, time) between as many zeros as the kernels read beside it."""
    return np.pad(x, ((0, 0), (PAST, FUTURE)))
