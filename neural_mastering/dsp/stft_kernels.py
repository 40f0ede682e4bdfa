"""Compiled loops of the fused multi-resolution distance: one row of a spectrogram at a time, in cache.

A row holds the bins 0 … N/2 of each channel, real and imaginary parts interleaved; `planes` holds Re L, Im L, Re R
and Im R, each a plane of its own, so that loops run on whole vector registers. The loops are small and touch few
arrays each, so that the compiler can prove that these do not overlap.

`no_type_check` keeps checkers of types at run time from wrapping what numba compiles.
"""

import math
from typing import no_type_check

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

# Without "nnan" and "ninf": a NaN in the audio must reach the loss.
_FAST = {"reassoc", "contract", "arcp", "nsz", "afn"}

_compiled = njit(nogil=True, cache=True, fastmath=_FAST, error_model="numpy")

_ZERO, _HALF, _ONE, _TWO = (np.float32(value) for value in (0.0, 0.5, 1.0, 2.0))
_ROOT2, _LN2 = np.float32(math.sqrt(2.0)), np.float32(math.log(2.0))
_THIRD, _FIFTH, _SEVENTH, _NINTH = (np.float32(1.0 / odd) for odd in (3, 5, 7, 9))


@intrinsic
@no_type_check
def _bits_of(typing_context, value):
    """The bit pattern of a float32."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(32))

    return types.int32(types.float32), generate


@intrinsic
@no_type_check
def _float_of(typing_context, bits):
    """The float32 of a bit pattern."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


@njit(inline="always")
@no_type_check
def _log(value):
    """Natural logarithm of a normal float32 ≥ 1: e·ln 2 + 2·artanh((m − 1)/(m + 1)) with m in (√½, √2].

    math.log is a function call for each number; this runs on whole vector registers.
    """
    bits = _bits_of(value)
    exponent = np.float32((bits >> np.int32(23)) - np.int32(127))
    mantissa = _float_of((bits & np.int32(0x7FFFFF)) | np.int32(0x3F800000))
    exponent = exponent + _ONE if mantissa > _ROOT2 else exponent
    mantissa = _HALF * mantissa if mantissa > _ROOT2 else mantissa
    x = (mantissa - _ONE) / (mantissa + _ONE)
    xx = x * x
    series = _ONE + xx * (_THIRD + xx * (_FIFTH + xx * (_SEVENTH + xx * _NINTH)))
    return exponent * _LN2 + _TWO * x * series


@_compiled
@no_type_check
def _deinterleave(pairs, real, imaginary):
    for k in range(real.shape[0]):
        real[k], imaginary[k] = pairs[2 * k], pairs[2 * k + 1]


@_compiled
@no_type_check
def _interleave(real, imaginary, pairs):
    for k in range(real.shape[0]):
        pairs[2 * k], pairs[2 * k + 1] = real[k], imaginary[k]


@_compiled
@no_type_check
def to_planes(channels, planes):
    """One or two channels; of one, the second pair of planes stays as it is."""
    for channel in range(channels.shape[0]):
        _deinterleave(channels[channel], planes[2 * channel], planes[2 * channel + 1])


@njit(inline="always")
@no_type_check
def power(planes, k, a, b):
    """|aL + bR|² of bin k."""
    real, imaginary = a * planes[0, k] + b * planes[2, k], a * planes[1, k] + b * planes[3, k]
    return real * real + imaginary * imaginary


@_compiled
@no_type_check
def sums(got, wanted, mix, floor):
    """Σ(P − T)², ΣT² and Σ|ln P − ln T| over views, frames and bins.

    got and wanted are (frame, channel, 2·bin), real and imaginary parts interleaved; mix is (view, 2).
    """
    squares, energy, logs = 0.0, 0.0, 0.0
    bins = got.shape[2] // 2
    p, t = np.zeros((4, bins), np.float32), np.zeros((4, bins), np.float32)
    for frame in range(got.shape[0]):
        to_planes(got[frame], p)
        to_planes(wanted[frame], t)
        for view in range(mix.shape[0]):
            a, b = mix[view, 0], mix[view, 1]
            row_squares, row_energy, row_logs = _ZERO, _ZERO, _ZERO
            for k in range(bins):
                pp, tt = power(p, k, a, b), power(t, k, a, b)
                pp, tt = floor if pp < floor else pp, floor if tt < floor else tt
                difference = math.sqrt(pp) - math.sqrt(tt)
                row_squares += difference * difference
                row_energy += tt
                row_logs += _log(pp / tt if pp > tt else tt / pp)
            squares += row_squares
            energy += row_energy
            logs += _HALF * row_logs
    return squares, energy, logs


@_compiled
@no_type_check
def sums_by_gain(got, wanted, mix, gains, floor, totals):
    """Add what `sums` gives for gain·got to totals (gain, view, 3), each view by itself; gains (gain,) float32."""
    bins = got.shape[2] // 2
    p, t = np.zeros((4, bins), np.float32), np.zeros((4, bins), np.float32)
    pp, tt = np.empty(bins, np.float32), np.empty(bins, np.float32)
    for frame in range(got.shape[0]):
        to_planes(got[frame], p)
        to_planes(wanted[frame], t)
        for view in range(mix.shape[0]):
            a, b = mix[view, 0], mix[view, 1]
            for k in range(bins):
                level = power(t, k, a, b)
                tt[k] = floor if level < floor else level
            for k in range(bins):
                pp[k] = power(p, k, a, b)
            energy = _ZERO
            for k in range(bins):
                energy += tt[k]
            for i in range(gains.shape[0]):
                squares, logs = _compared(pp, tt, gains[i] * gains[i], floor)
                totals[i, view, 0] += squares
                totals[i, view, 1] += energy
                totals[i, view, 2] += logs


@_compiled
@no_type_check
def _compared(powers, wanted, gain, floor):
    """Σ(P − T)² and Σ|ln P − ln T| of powers, those of the prediction times `gain`."""
    squares, logs = _ZERO, _ZERO
    for k in range(powers.shape[0]):
        p, t = gain * powers[k], wanted[k]
        p = floor if p < floor else p
        difference = math.sqrt(p) - math.sqrt(t)
        squares += difference * difference
        logs += _log(p / t if p > t else t / p)
    return squares, _HALF * logs


@_compiled
@no_type_check
def spectral_gradient(got, wanted, mix, floor, per_difference, per_log):
    """Replace spectra of the prediction by those whose inverse FFTs, unscaled, are the derivative of its frames.

    With the derivative c·V of a view, c real, that of L is (Σ a²c)·L + (Σ abc)·R, and that of R likewise.
    """
    bins = got.shape[2] // 2
    p, t = np.zeros((4, bins), np.float32), np.zeros((4, bins), np.float32)
    mixed = np.empty((3, bins), np.float32)
    for frame in range(got.shape[0]):
        to_planes(got[frame], p)
        to_planes(wanted[frame], t)
        mixed[:] = _ZERO
        for view in range(mix.shape[0]):
            a, b = mix[view, 0], mix[view, 1]
            for k in range(bins):
                pp, tt = power(p, k, a, b), power(t, k, a, b)
                heard = _ZERO if pp < floor else _ONE
                pp, tt = floor if pp < floor else pp, floor if tt < floor else tt
                sign = per_log if pp > tt else (-per_log if pp < tt else _ZERO)
                c = heard * (per_difference * (_ONE - math.sqrt(tt / pp)) + sign / pp)
                mixed[0, k] += a * a * c
                mixed[1, k] += a * b * c
                mixed[2, k] += b * b * c
        apply_to_planes(mixed, p, got[frame])


@_compiled
@no_type_check
def apply_to_planes(mixed, planes, channels):
    """Half of mixed[0]·L + mixed[1]·R and of mixed[1]·L + mixed[2]·R to the channels; the planes are used up."""
    # an inverse real FFT counts bins between 0 and N/2 twice
    for part in range(3):
        ends = mixed[part]
        for k in range(ends.shape[0]):
            ends[k] *= _HALF
        ends[0] *= _TWO
        ends[-1] *= _TWO
    _mix_planes(mixed[0], mixed[1], mixed[2], planes[0], planes[2])
    _mix_planes(mixed[0], mixed[1], mixed[2], planes[1], planes[3])
    for channel in range(channels.shape[0]):
        _interleave(planes[2 * channel], planes[2 * channel + 1], channels[channel])


@_compiled
@no_type_check
def _mix_planes(aa, ab, bb, left, right):
    for k in range(aa.shape[0]):
        x, y = left[k], right[k]
        left[k], right[k] = aa[k] * x + ab[k] * y, ab[k] * x + bb[k] * y


@_compiled
@no_type_check
def overlap_add(frames, window, hop, out):
    """out[c, f·hop + n] += window[n]·frames[f, c, n]."""
    for channel in range(frames.shape[1]):
        for frame in range(frames.shape[0]):
            row, start = frames[frame, channel], frame * hop
            part = out[channel, start : start + frames.shape[2]]
            for n in range(row.shape[0]):
                part[n] += window[n] * row[n]
