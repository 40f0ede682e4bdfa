"""Compiled parts of the limiter's training form, each with its derivative; float64 throughout.

`no_type_check` keeps checkers of types at run time from wrapping what numba compiles.
"""

from typing import no_type_check

import numpy as np
from numba import njit

from neural_mastering.dsp.interpolator import TAPS
from neural_mastering.dsp.peak_kernels import interpolated

_compiled = njit(nogil=True, cache=True, fastmath={"contract"}, error_model="numpy")
_RUN = 64


@_compiled
@no_type_check
def interval_peaks(x, start, phases, floor, out, channel_of, phase_of):
    """out[item, n] = largest |value| of any channel on the grid from sample start + n to the next one.

    x is (item, channel, time), phases (factor − 1, tap). Intervals of an item that stay below floor[item] may
    be given as 0. channel_of and phase_of say where the value was found: 0 is the sample, factor the next
    one.
    """
    factor = phases.shape[0] + 1
    bound = 0.0
    for k in range(factor - 1):
        total = 0.0
        for i in range(TAPS):
            total += abs(phases[k, i])
        bound = max(bound, total)
    for item in range(x.shape[0]):
        for first in range(0, out.shape[1], _RUN):
            last = min(first + _RUN, out.shape[1])
            for n in range(first, last):
                out[item, n], channel_of[item, n], phase_of[item, n] = 0.0, 0, 0
            for c in range(x.shape[1]):
                line = x[item, c]
                loudest = 0.0
                for i in range(start + first - TAPS // 2 + 1, start + last + TAPS // 2):
                    loudest = max(loudest, abs(line[i]))
                if loudest * bound < floor[item]:
                    continue
                for n in range(first, last):
                    at = start + n
                    for k in range(factor + 1):
                        if k == 0:
                            value = abs(line[at])
                        elif k == factor:
                            value = abs(line[at + 1])
                        else:
                            value = abs(interpolated(line, at - TAPS // 2 + 1, phases[k - 1]))
                        if value > out[item, n]:
                            out[item, n], channel_of[item, n], phase_of[item, n] = value, c, k


@_compiled
@no_type_check
def interval_peaks_derivative(x, start, phases, channel_of, phase_of, upstream, by_x):
    """Adjoint of `interval_peaks` with respect to x; by_x must come in as zeros."""
    factor = phases.shape[0] + 1
    for item in range(x.shape[0]):
        for n in range(upstream.shape[1]):
            h = upstream[item, n]
            if h == 0.0:
                continue
            line, out = x[item, channel_of[item, n]], by_x[item, channel_of[item, n]]
            k, at = phase_of[item, n], start + n
            if k == 0:
                out[at] += h * np.sign(line[at])
            elif k == factor:
                out[at + 1] += h * np.sign(line[at + 1])
            else:
                taps = phases[k - 1]
                h *= np.sign(interpolated(line, at - TAPS // 2 + 1, taps))
                for i in range(TAPS):
                    out[at - TAPS // 2 + 1 + i] += h * taps[i]


@_compiled
@no_type_check
def hold_and_release(wanted, hold, decay, start, out, source):
    """out[item, n] = max(wanted[item, n … n + hold − 1], out[item, n − 1]·decay[item]).

    wanted is (item, time + hold − 1), its first hold − 1 being history; start (item,) is out before the
    first sample. source is the index into `wanted` that decided, or −1 where the release did.
    """
    queue = np.empty(hold + 1, np.int64)
    for item in range(wanted.shape[0]):
        head, size = 0, 0
        fading = start[item]
        for m in range(wanted.shape[1]):
            if size > 0 and queue[head] <= m - hold:
                head = (head + 1) % (hold + 1)
                size -= 1
            value = wanted[item, m]
            if value > 0.0:
                while size > 0 and wanted[item, queue[(head + size - 1) % (hold + 1)]] <= value:
                    size -= 1
                queue[(head + size) % (hold + 1)] = m
                size += 1
            n = m - hold + 1
            if n < 0:
                continue
            fading *= decay[item]
            source[item, n] = -1
            if size > 0 and wanted[item, queue[head]] >= fading:
                fading = wanted[item, queue[head]]
                source[item, n] = queue[head]
            out[item, n] = fading


@_compiled
@no_type_check
def hold_and_release_derivative(out, source, decay, start, upstream, by_wanted, by_decay):
    """Adjoint of `hold_and_release` with respect to wanted (which must come in as zeros) and decay."""
    for item in range(out.shape[0]):
        carried, total = 0.0, 0.0
        for n in range(out.shape[1] - 1, -1, -1):
            carried += upstream[item, n]
            if source[item, n] >= 0:
                by_wanted[item, source[item, n]] += carried
                carried = 0.0
            else:
                total += carried * (out[item, n - 1] if n > 0 else start[item])
                carried *= decay[item]
        by_decay[item] = total
