"""Compiled waveshapers with antiderivative anti-aliasing, and their derivatives; float64 inside.

A waveshaper f is averaged over the straight line between two neighbouring samples, (F(v₁) − F(v₀))/(v₁ − v₀) with F
its antiderivative. Two families have a closed F:

    clip   f(v) = ½[√((v+1)² + w²) − √((v−1)² + w²)]      F = ½[G(v+1) − G(v−1)],
           G(v) = ½[v·√(v² + w²) + w²·asinh(v/w)]         w is the width of the corner
    sum    f(v) = Σ a_i·tanh(b_i·v + c_i)                 F = Σ (a_i/b_i)·ln cosh(b_i·v + c_i)

Arrays are (item, row, time); a row is a channel. `no_type_check` keeps checkers of types at run time from wrapping
what numba compiles.
"""

import math
from typing import no_type_check

import numpy as np
from numba import njit

_compiled = njit(nogil=True, cache=True, fastmath={"contract"}, error_model="numpy")

_BLOCK = 1024

NEAR = 1e-5
"""Below this step the mean over a line is the value in its middle: the quotient would lose its digits."""


@_compiled
@no_type_check
def _clip(v, w2):
    return 0.5 * (math.sqrt((v + 1.0) ** 2 + w2) - math.sqrt((v - 1.0) ** 2 + w2))


@_compiled
@no_type_check
def _clip_slope(v, w2):
    return 0.5 * ((v + 1.0) / math.sqrt((v + 1.0) ** 2 + w2) - (v - 1.0) / math.sqrt((v - 1.0) ** 2 + w2))


@_compiled
@no_type_check
def _asinh_difference(v, r, q, w2):
    """asinh((v+1)/w) − asinh((v−1)/w) by one logarithm; r and q are √((v±1)² + w²). Even in v."""
    size = abs(v)
    if v < 0.0:
        r, q = q, r
    below = size - 1.0
    # (size−1) + q loses its digits below 1, where it is w²/(q − (size−1))
    ratio = (size + 1.0 + r) / (below + q) if below > 0.0 else (size + 1.0 + r) * (q - below) / w2
    return math.log(ratio)


@_compiled
@no_type_check
def _logarithms(x, count):
    """x[i] = ln x[i] for i < count and normal numbers above 0, to 2 units in the last place, in vectors.

    With x = 2^e·m, 1/√2 < m ≤ √2 and f = (m − 1)/(m + 1): ln x = e·ln 2 + 2·(f + f³/3 + f⁵/5 + …).
    """
    bits = x.view(np.int64)
    for i in range(count):
        exponent = (bits[i] >> 52) - 1023
        bits[i] = (bits[i] & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000
        m = x[i]
        is_high = m > 1.4142135623730951
        m = 0.5 * m if is_high else m
        whole = np.float64(exponent) + (1.0 if is_high else 0.0)
        f = (m - 1.0) / (m + 1.0)
        g = f * f
        series = 1.0 / 19.0 + g * (1.0 / 21.0)
        series = 1.0 / 15.0 + g * (1.0 / 17.0 + g * series)
        series = 1.0 / 11.0 + g * (1.0 / 13.0 + g * series)
        series = 1.0 / 7.0 + g * (1.0 / 9.0 + g * series)
        series = 1.0 / 3.0 + g * (1.0 / 5.0 + g * series)
        x[i] = whole * 0.6931471805599453 + 2.0 * (f + f * g * series)


@_compiled
@no_type_check
def clip_average(u, slope, offset, width, gain, out):
    """out[…, m] = gain·(mean of f(slope·u + offset) over [u[m], u[m+1]] − f(offset)) − (u[m] + u[m+1])/2.

    In blocks that stay in the cache, one step of the formula after the other, so that each is done in vectors.
    """
    v, r, q = np.empty(_BLOCK + 1), np.empty(_BLOCK + 1), np.empty(_BLOCK + 1)
    log = np.empty(_BLOCK + 1)
    for item in range(u.shape[0]):
        s, b, w, g = slope[item], offset[item], width[item], gain[item]
        w2 = w * w
        rest = _clip(b, w2)
        for row in range(u.shape[1]):
            for start in range(0, u.shape[2] - 1, _BLOCK):
                count = min(_BLOCK, u.shape[2] - 1 - start)
                line, result = u[item, row, start : start + count + 1], out[item, row, start : start + count]
                for m in range(count + 1):
                    x = s * np.float64(line[m]) + b
                    v[m] = x
                    r[m], q[m] = math.sqrt((x + 1.0) ** 2 + w2), math.sqrt((x - 1.0) ** 2 + w2)
                for m in range(count + 1):
                    # as `_asinh_difference`; both quotients, so that there is no branch
                    size, is_up = abs(v[m]), v[m] >= 0.0
                    far, near = (r[m] if is_up else q[m]), (q[m] if is_up else r[m])
                    below, top = size - 1.0, size + 1.0 + far
                    outside, inside = top / (below + near), top * (near - below) / w2
                    log[m] = outside if below > 0.0 else inside
                _logarithms(log, count + 1)
                for m in range(count + 1):
                    log[m] = 0.5 * ((v[m] + 1.0) * r[m] - (v[m] - 1.0) * q[m] + w2 * log[m])
                for m in range(count):
                    mean = 0.5 * (log[m + 1] - log[m]) / (v[m + 1] - v[m])
                    result[m] = g * (mean - rest) - 0.5 * (np.float64(line[m]) + np.float64(line[m + 1]))
                for m in range(count):
                    if abs(v[m + 1] - v[m]) < NEAR:
                        mean = _clip(0.5 * (v[m] + v[m + 1]), w2)
                        result[m] = g * (mean - rest) - 0.5 * (np.float64(line[m]) + np.float64(line[m + 1]))


@_compiled
@no_type_check
def clip_derivative(u, slope, offset, width, gain, upstream, by_u, by_slope, by_offset, by_width, by_gain):
    """Adjoint of `clip_average`; by_u must come in as zeros."""
    for item in range(u.shape[0]):
        s, b, w, g = slope[item], offset[item], width[item], gain[item]
        w2 = w * w
        rest, rest_slope = _clip(b, w2), _clip_slope(b, w2)
        rest_w = 0.5 * w * (1.0 / math.sqrt((b + 1.0) ** 2 + w2) - 1.0 / math.sqrt((b - 1.0) ** 2 + w2))
        to_slope, to_offset, to_width, to_gain = 0.0, 0.0, 0.0, 0.0
        for row in range(u.shape[1]):
            u0 = np.float64(u[item, row, 0])
            v0 = s * u0 + b
            r0, q0 = math.sqrt((v0 + 1.0) ** 2 + w2), math.sqrt((v0 - 1.0) ** 2 + w2)
            a0 = _asinh_difference(v0, r0, q0, w2)
            f0 = 0.5 * ((v0 + 1.0) * r0 - (v0 - 1.0) * q0 + w2 * a0)
            for m in range(u.shape[2] - 1):
                u1 = np.float64(u[item, row, m + 1])
                v1 = s * u1 + b
                r1, q1 = math.sqrt((v1 + 1.0) ** 2 + w2), math.sqrt((v1 - 1.0) ** 2 + w2)
                a1 = _asinh_difference(v1, r1, q1, w2)
                f1 = 0.5 * ((v1 + 1.0) * r1 - (v1 - 1.0) * q1 + w2 * a1)
                step = v1 - v0
                h = np.float64(upstream[item, row, m])
                if abs(step) < NEAR:
                    middle = 0.5 * (v0 + v1)
                    mean = _clip(middle, w2)
                    by_v0 = 0.5 * _clip_slope(middle, w2)
                    by_v1 = by_v0
                    high, low = math.sqrt((middle + 1.0) ** 2 + w2), math.sqrt((middle - 1.0) ** 2 + w2)
                    by_w = 0.5 * w * (1.0 / high - 1.0 / low)
                else:
                    mean = 0.5 * (f1 - f0) / step
                    by_v0 = (mean - 0.5 * (r0 - q0)) / step
                    by_v1 = (0.5 * (r1 - q1) - mean) / step
                    by_w = 0.5 * w * (a1 - a0) / step
                by_u[item, row, m] += h * (g * s * by_v0 - 0.5)
                by_u[item, row, m + 1] += h * (g * s * by_v1 - 0.5)
                to_slope += h * g * (by_v0 * u0 + by_v1 * u1)
                to_offset += h * g * (by_v0 + by_v1 - rest_slope)
                to_width += h * g * (by_w - rest_w)
                to_gain += h * (mean - rest)
                u0, v0, r0, q0, a0, f0 = u1, v1, r1, q1, a1, f1
        by_slope[item], by_offset[item], by_width[item], by_gain[item] = (
            to_slope,
            to_offset,
            to_width,
            to_gain,
        )


@_compiled
@no_type_check
def _tanh_and_log_cosh(x):
    size = abs(x)
    e = math.exp(-2.0 * size)
    value = (1.0 - e) / (1.0 + e)
    return (value if x >= 0.0 else -value), size + math.log1p(e) - math.log(2.0)


@_compiled
@no_type_check
def sum_average(u, slope, offset, gain, a, b, c, out):
    """As `clip_average` for f(v) = Σ a_i·tanh(b_i·v + c_i); a, b and c are (unit,), the same for all items."""
    units = a.size
    primitive = np.empty(units)
    for item in range(u.shape[0]):
        s, bias, g = slope[item], offset[item], gain[item]
        rest = 0.0
        for i in range(units):
            rest += a[i] * _tanh_and_log_cosh(b[i] * bias + c[i])[0]
        for row in range(u.shape[1]):
            before = np.float64(u[item, row, 0])
            v0 = s * before + bias
            for i in range(units):
                primitive[i] = _tanh_and_log_cosh(b[i] * v0 + c[i])[1]
            for m in range(u.shape[2] - 1):
                after = np.float64(u[item, row, m + 1])
                v1 = s * after + bias
                step, mean = v1 - v0, 0.0
                for i in range(units):
                    value = _tanh_and_log_cosh(b[i] * v1 + c[i])[1]
                    if abs(step) < NEAR:
                        mean += a[i] * _tanh_and_log_cosh(b[i] * 0.5 * (v0 + v1) + c[i])[0]
                    else:
                        mean += a[i] * (value - primitive[i]) / (b[i] * step)
                    primitive[i] = value
                out[item, row, m] = g * (mean - rest) - 0.5 * (before + after)
                before, v0 = after, v1


@_compiled
@no_type_check
def sum_derivative(u, slope, offset, gain, a, b, c, upstream, by_u, by_slope, by_offset, by_gain, by_units):
    """Adjoint of `sum_average`; by_u (of u's shape) and by_units (3, unit) must come in as zeros."""
    units = a.size
    log0, tanh0 = np.empty(units), np.empty(units)
    rest_tanh = np.empty(units)
    for item in range(u.shape[0]):
        s, bias, g = slope[item], offset[item], gain[item]
        rest, rest_slope = 0.0, 0.0
        for i in range(units):
            rest_tanh[i] = _tanh_and_log_cosh(b[i] * bias + c[i])[0]
            rest += a[i] * rest_tanh[i]
            rest_slope += a[i] * b[i] * (1.0 - rest_tanh[i] ** 2)
        to_slope, to_offset, to_gain = 0.0, 0.0, 0.0
        for row in range(u.shape[1]):
            u0 = np.float64(u[item, row, 0])
            v0 = s * u0 + bias
            for i in range(units):
                tanh0[i], log0[i] = _tanh_and_log_cosh(b[i] * v0 + c[i])
            for m in range(u.shape[2] - 1):
                u1 = np.float64(u[item, row, m + 1])
                v1 = s * u1 + bias
                step, h = v1 - v0, np.float64(upstream[item, row, m])
                mean, by_v0, by_v1 = 0.0, 0.0, 0.0
                for i in range(units):
                    tanh1, log1 = _tanh_and_log_cosh(b[i] * v1 + c[i])
                    if abs(step) < NEAR:
                        middle = 0.5 * (v0 + v1)
                        unit = _tanh_and_log_cosh(b[i] * middle + c[i])[0]
                        bend = 1.0 - unit * unit
                        at_v0, at_v1, by_b, by_c = 0.5 * b[i] * bend, 0.5 * b[i] * bend, middle * bend, bend
                    else:
                        unit = (log1 - log0[i]) / (b[i] * step)
                        at_v0, at_v1 = (unit - tanh0[i]) / step, (tanh1 - unit) / step
                        by_b = ((v1 * tanh1 - v0 * tanh0[i]) / step - unit) / b[i]
                        by_c = (tanh1 - tanh0[i]) / (b[i] * step)
                    mean += a[i] * unit
                    by_v0 += a[i] * at_v0
                    by_v1 += a[i] * at_v1
                    rest_bend = 1.0 - rest_tanh[i] ** 2
                    by_units[0, i] += h * g * (unit - rest_tanh[i])
                    by_units[1, i] += h * g * a[i] * (by_b - bias * rest_bend)
                    by_units[2, i] += h * g * a[i] * (by_c - rest_bend)
                    tanh0[i], log0[i] = tanh1, log1
                by_u[item, row, m] += h * (g * s * by_v0 - 0.5)
                by_u[item, row, m + 1] += h * (g * s * by_v1 - 0.5)
                to_slope += h * g * (by_v0 * u0 + by_v1 * u1)
                to_offset += h * g * (by_v0 + by_v1 - rest_slope)
                to_gain += h * (mean - rest)
                u0, v0 = u1, v1
        by_slope[item], by_offset[item], by_gain[item] = to_slope, to_offset, to_gain
