"""Compiled loops of the fused multi-resolution distance: one row of a spectrogram at a time, in cache.

A row holds the FFT Z of left + j·right, real and imaginary parts interleaved; `planes` holds Re L, Im L, Re R
and Im R of the bins 0 … N/2, each a plane of its own, so that loops run on whole vector registers. The loops
are small and touch few arrays each, so that the compiler can prove that these do not overlap.

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
def _deinterleave_backwards(pairs, real, imaginary):
    last = 2 * real.shape[0] - 2
    for k in range(real.shape[0]):
        real[k], imaginary[k] = pairs[last - 2 * k], pairs[last - 2 * k + 1]


@_compiled
@no_type_check
def _interleave(real, imaginary, pairs):
    for k in range(real.shape[0]):
        pairs[2 * k], pairs[2 * k + 1] = real[k], imaginary[k]


@_compiled
@no_type_check
def _interleave_backwards(real, imaginary, pairs):
    last = 2 * real.shape[0] - 2
    for k in range(real.shape[0]):
        pairs[last - 2 * k], pairs[last - 2 * k + 1] = real[k], imaginary[k]


@_compiled
@no_type_check
def _half_sum_and_difference(a, b):
    """a, b ← (a + b)/2, (b − a)/2."""
    for k in range(a.shape[0]):
        x, y = a[k], b[k]
        a[k], b[k] = _HALF * (x + y), _HALF * (y - x)


@_compiled
@no_type_check
def _unpack_row(row, planes):
    """Z to planes: L[k] = (Z[k] + Z*[N−k])/2 and R[k] = (Z[k] − Z*[N−k])/(2j)."""
    half = row.shape[0] // 2
    _deinterleave(row[: half + 2], planes[0], planes[1])
    _deinterleave_backwards(row[half:], planes[3, 1:], planes[2, 1:])
    planes[3, 0], planes[2, 0] = planes[0, 0], planes[1, 0]
    _half_sum_and_difference(planes[0], planes[3])
    _half_sum_and_difference(planes[2], planes[1])


@_compiled
@no_type_check
def _pack_row(planes, row):
    """Planes of one-sided derivatives to the Z whose inverse FFT is the derivative of the samples.

    Bins between 0 and N/2 are split evenly between k and N−k. The planes are used up.
    """
    half = row.shape[0] // 2
    middle = half // 2
    ends = planes[0, 0], planes[2, 0], planes[0, middle], planes[2, middle]
    _half_sum_and_difference(planes[3], planes[0])
    _half_sum_and_difference(planes[1], planes[2])
    _interleave(planes[0], planes[1], row[: half + 2])
    _interleave_backwards(planes[3, 1:], planes[2, 1:], row[half:])
    row[0], row[1], row[half], row[half + 1] = ends


@njit(inline="always")
@no_type_check
def _power(planes, k, a, b):
    """|aL + bR|² of bin k."""
    real, imaginary = a * planes[0, k] + b * planes[2, k], a * planes[1, k] + b * planes[3, k]
    return real * real + imaginary * imaginary


@_compiled
@no_type_check
def sums(got, wanted, mix, floor):
    """Σ(P − T)², ΣT² and Σ|ln P − ln T| over views, frames and bins."""
    squares, energy, logs = 0.0, 0.0, 0.0
    bins = got.shape[1] // 4 + 1
    p, t = np.empty((4, bins), np.float32), np.empty((4, bins), np.float32)
    for frame in range(got.shape[0]):
        _unpack_row(got[frame], p)
        _unpack_row(wanted[frame], t)
        for view in range(mix.shape[0]):
            a, b = mix[view, 0], mix[view, 1]
            row_squares, row_energy, row_logs = _ZERO, _ZERO, _ZERO
            for k in range(bins):
                pp, tt = _power(p, k, a, b), _power(t, k, a, b)
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
def spectral_gradient(got, wanted, mix, floor, per_difference, per_log):
    """Replace Z of the prediction by the spectrum whose inverse FFT is the derivative of its frames.

    With the derivative c·V of a view, c real, that of L is (Σ a²c)·L + (Σ abc)·R, and that of R likewise.
    """
    bins = got.shape[1] // 4 + 1
    p, t = np.empty((4, bins), np.float32), np.empty((4, bins), np.float32)
    aa, ab, bb = np.empty(bins, np.float32), np.empty(bins, np.float32), np.empty(bins, np.float32)
    for frame in range(got.shape[0]):
        _unpack_row(got[frame], p)
        _unpack_row(wanted[frame], t)
        aa[:], ab[:], bb[:] = _ZERO, _ZERO, _ZERO
        for view in range(mix.shape[0]):
            a, b = mix[view, 0], mix[view, 1]
            for k in range(bins):
                pp, tt = _power(p, k, a, b), _power(t, k, a, b)
                heard = _ZERO if pp < floor else _ONE
                pp, tt = floor if pp < floor else pp, floor if tt < floor else tt
                sign = per_log if pp > tt else (-per_log if pp < tt else _ZERO)
                c = heard * (per_difference * (_ONE - math.sqrt(tt / pp)) + sign / pp)
                aa[k] += a * a * c
                ab[k] += a * b * c
                bb[k] += b * b * c
        _mix_planes(aa, ab, bb, p[0], p[2])
        _mix_planes(aa, ab, bb, p[1], p[3])
        _pack_row(p, got[frame])


@_compiled
@no_type_check
def _mix_planes(aa, ab, bb, left, right):
    for k in range(aa.shape[0]):
        x, y = left[k], right[k]
        left[k], right[k] = aa[k] * x + ab[k] * y, ab[k] * x + bb[k] * y


@_compiled
@no_type_check
def overlap_add(frames, window, step, out):
    """out[f·step + n] += window[n]·frames[f, n]."""
    for frame in range(frames.shape[0]):
        row, part = frames[frame], out[frame * step : frame * step + frames.shape[1]]
        for n in range(row.shape[0]):
            part[n] += window[n] * row[n]
