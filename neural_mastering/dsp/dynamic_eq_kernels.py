"""The dynamic equaliser as one compiled loop, and the depth of a band with its exact derivative, in float64.

`no_type_check` keeps checkers of types at run time from wrapping what numba compiles.
"""

import math
from typing import no_type_check

from numba import njit

_compiled = njit(nogil=True, cache=True, fastmath={"contract"}, error_model="numpy")

_DB_OF_POWER = 10.0 / math.log(10.0)
_LN_OF_GAIN_DB = math.log(10.0) / 20.0
_SILENT_DEPTH = 1e-20


@_compiled
@no_type_check
def _target(floor, softness_db, power, threshold_db, audible):
    """Depth that a steady power asks for; `audible` is the threshold as a power."""
    power = max(power, floor)
    if power <= audible:
        return 0.0
    over_db = _DB_OF_POWER * math.log(power) - threshold_db
    return max(-math.expm1(-over_db / softness_db), 0.0)


@_compiled
@no_type_check
def follow(floor, softness_db, power, threshold_db, attack, release, out):
    """Depth (row, time) of power (row, time); the threshold and the shares of a step are (row,)."""
    for row in range(power.shape[0]):
        rise, fall, threshold, share = attack[row], release[row], threshold_db[row], 0.0
        audible = 10.0 ** (threshold / 10.0)
        for n in range(power.shape[1]):
            step = _target(floor, softness_db, power[row, n], threshold, audible) - share
            share += (rise if step > 0.0 else fall) * step
            out[row, n] = share


@_compiled
@no_type_check
def derivative(
    floor,
    softness_db,
    power,
    threshold_db,
    attack,
    release,
    out,
    upstream,
    by_power,
    by_threshold,
    by_attack,
    by_release,
):
    """Adjoint of `follow`: by_power (row, time) and the others (row,) from upstream (row, time)."""
    for row in range(power.shape[0]):
        rise, fall, threshold = attack[row], release[row], threshold_db[row]
        audible = 10.0 ** (threshold / 10.0)
        carried, rising, falling, lower = 0.0, 0.0, 0.0, 0.0
        for n in range(power.shape[1] - 1, -1, -1):
            before = out[row, n - 1] if n > 0 else 0.0
            target = _target(floor, softness_db, power[row, n], threshold, audible)
            step = target - before
            carried += upstream[row, n]
            if step > 0.0:
                c = rise
                rising += carried * step
            else:
                c = fall
                falling += carried * step
            by_power[row, n] = 0.0
            if target > 0.0:
                by_level = c * carried * (1.0 - target) / softness_db
                lower += by_level
                if power[row, n] > floor:
                    by_power[row, n] = by_level * _DB_OF_POWER / power[row, n]
            carried *= 1.0 - c
        by_threshold[row], by_attack[row], by_release[row] = -lower, rising, falling


@_compiled
@no_type_check
def stream(floor, softness_db, x, filters, settings, memory, depth, out):
    """Each band in turn on x (channel, time), into out.

    filters (band, 8) are those of `band_pass.filter_at_rate`; settings (band, 4) are the threshold in dBFS, the
    range in dB and the shares of a step for attack and release. The filters' memory (band, channel, 3) and the
    depth (band,) are carried over; softness_db is the constant of the depth's curve.
    """
    channels = x.shape[0]
    for c in range(channels):
        for n in range(x.shape[1]):
            out[c, n] = x[c, n]
    for b in range(filters.shape[0]):
        b0, b1, b2, b3 = filters[b, 0], filters[b, 1], filters[b, 2], filters[b, 3]
        a1, a2, a3 = filters[b, 5], filters[b, 6], filters[b, 7]
        threshold_db, range_db, rise, fall = settings[b, 0], settings[b, 1], settings[b, 2], settings[b, 3]
        audible = 10.0 ** (threshold_db / 10.0)
        left = memory[b, 0]
        right = memory[b, channels - 1]
        l0, l1, l2 = left[0], left[1], left[2]
        r0, r1, r2 = right[0], right[1], right[2]
        share = depth[b]
        for n in range(x.shape[1]):
            value = out[0, n]
            first = b0 * value + l0
            l0 = b1 * value - a1 * first + l1
            l1 = b2 * value - a2 * first + l2
            l2 = b3 * value - a3 * first
            power = first * first
            second = first
            if channels == 2:
                value = out[1, n]
                second = b0 * value + r0
                r0 = b1 * value - a1 * second + r1
                r1 = b2 * value - a2 * second + r2
                r2 = b3 * value - a3 * second
                power = 0.5 * (power + second * second)
            step = _target(floor, softness_db, power, threshold_db, audible) - share
            share += (rise if step > 0.0 else fall) * step
            if share > _SILENT_DEPTH:
                change = math.expm1(_LN_OF_GAIN_DB * range_db * share)
                out[0, n] += change * first
                if channels == 2:
                    out[1, n] += change * second
            else:
                share = 0.0
        left[0], left[1], left[2] = l0, l1, l2
        if channels == 2:
            right[0], right[1], right[2] = r0, r1, r2
        depth[b] = share
