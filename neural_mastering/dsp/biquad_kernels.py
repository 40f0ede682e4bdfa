"""Compiled cascade of RBJ biquads on a frequency grid, and its analytic derivative; float64 inside.

Symbols as in `dsp.biquad`, with a = ln A. For a peak, p = αs·A and m = αs/A, so that H = (d + jp)/(d + jm).
For a shelf, X = (AS − C) + jk and Y = (S − AC) + jk, so that H = A·X/Y (low) or A·Y/X (high). The derivatives
of ln H, with all differences of near-equal numbers worked out on paper:

    peak        ∂/∂ω0 = −j·αs·(A − 1/A)·sin ω0 / [(d + jp)(d + jm)]
                ∂/∂α  = j·s·d·(A − 1/A) / [(d + jp)(d + jm)]
                ∂/∂a  = jp/(d + jp) + jm/(d + jm)
    low shelf   ∂/∂ω0 = sin ω0·[−(A² − 1)·s²/8 + jk(A − 1)·cos ω/2] / (XY)
                ∂/∂α  = (jk/α)(1 − A)(S + C) / (XY)
                ∂/∂a  = 1 + (AS + jk/2)/X + (AC − jk/2)/Y
    high shelf  the same, all but the 1 with the other sign

`no_type_check` keeps checkers of types at run time from wrapping what numba compiles.
"""

import math
from typing import no_type_check

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float64s = NDArray[np.float64]

# Without "nnan" and "ninf": a NaN in a parameter must reach the audio.
_compiled = njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "arcp", "nsz"}, error_model="numpy")

PEAK, LOW_SHELF, HIGH_SHELF = 0, 1, 2
KIND_CODES = {"peak": PEAK, "low_shelf": LOW_SHELF, "high_shelf": HIGH_SHELF}


@_compiled
@no_type_check
def deviation(w0: Float64s, alpha: Float64s, a: Float64s, kinds, grid, out) -> None:
    """out (batch, frequency, complex) ← H − 1 of the cascade; parameters (batch, band), grid (3, frequency).

    The rows of the grid are sin ω, sin²(ω/2) and cos²(ω/2).
    """
    sin_w, sin2, cos2 = grid[0], grid[1], grid[2]
    real, imaginary = np.empty(sin_w.shape[0]), np.empty(sin_w.shape[0])
    for item in range(w0.shape[0]):
        real[:], imaginary[:] = 0.0, 0.0
        for band in range(w0.shape[1]):
            s0 = math.sin(0.5 * w0[item, band]) ** 2
            c0 = math.cos(0.5 * w0[item, band]) ** 2
            up = math.exp(a[item, band])
            if kinds[band] == PEAK:
                _peak(s0, alpha[item, band], a[item, band], sin_w, sin2, real, imaginary)
            elif kinds[band] == LOW_SHELF:
                squared, minus_1 = math.expm1(2.0 * a[item, band]), math.expm1(a[item, band])
                k = 0.5 * math.sqrt(up) * alpha[item, band]
                _shelf(s0, -up * c0, squared * s0, 0.0, k, minus_1, sin_w, sin2, cos2, real, imaginary)
            else:
                squared, minus_1 = math.expm1(2.0 * a[item, band]), math.expm1(a[item, band])
                k = 0.5 * math.sqrt(up) * alpha[item, band]
                _shelf(up * s0, -c0, 0.0, -squared * c0, k, minus_1, sin_w, sin2, cos2, real, imaginary)
        for i in range(sin_w.shape[0]):
            out[item, i] = complex(real[i], imaginary[i])


@_compiled
@no_type_check
def _peak(s0, alpha, a, sin_w, sin2, real, imaginary):
    n, m = alpha * 2.0 * math.sinh(a), alpha * math.exp(-a)
    for i in range(sin_w.shape[0]):
        d, width = 2.0 * (s0 - sin2[i]), m * sin_w[i]
        scale = n * sin_w[i] / (d * d + width * width)
        re, im = scale * width, scale * d
        x, y = real[i], imaginary[i]
        real[i] = x + re + (x * re - y * im)
        imaginary[i] = y + im + (x * im + y * re)


@_compiled
@no_type_check
def _shelf(d_s, d_c, n_s, n_c, k, minus_1, sin_w, sin2, cos2, real, imaginary):
    """Real parts d_s·cos² + d_c·sin² (denominator) and n_s·cos² + n_c·sin² (numerator of H − 1)."""
    for i in range(sin_w.shape[0]):
        kk = k * sin_w[i]
        d_re = d_s * cos2[i] + d_c * sin2[i]
        n_re, n_im = n_s * cos2[i] + n_c * sin2[i], kk * minus_1
        scale = 1.0 / (d_re * d_re + kk * kk)
        re, im = (n_re * d_re + n_im * kk) * scale, (n_im * d_re - n_re * kk) * scale
        x, y = real[i], imaginary[i]
        real[i] = x + re + (x * re - y * im)
        imaginary[i] = y + im + (x * im + y * re)


@_compiled
@no_type_check
def derivatives(w0: Float64s, alpha: Float64s, a: Float64s, kinds, grid, total, upstream, out) -> None:
    """out (3, batch, band) ← Re Σ conj(upstream)·∂(H − 1)/∂(ω0, α, a), with `total` = H − 1."""
    sin_w, sin2, cos2 = grid[0], grid[1], grid[2]
    real, imaginary = np.empty(sin_w.shape[0]), np.empty(sin_w.shape[0])
    for item in range(w0.shape[0]):
        for i in range(sin_w.shape[0]):
            h, g = total[item, i], upstream[item, i]
            re, im = 1.0 + h.real, h.imag
            real[i], imaginary[i] = g.real * re + g.imag * im, g.real * im - g.imag * re
        for band in range(w0.shape[1]):
            angle, width, log_a = w0[item, band], alpha[item, band], a[item, band]
            if kinds[band] == PEAK:
                sums = _peak_sums(angle, width, log_a, sin_w, sin2, real, imaginary)
            else:
                sign = 1.0 if kinds[band] == LOW_SHELF else -1.0
                sums = _shelf_sums(angle, width, log_a, sign, sin_w, sin2, cos2, real, imaginary)
            out[0, item, band], out[1, item, band], out[2, item, band] = sums


@_compiled
@no_type_check
def _peak_sums(w0, alpha, a, sin_w, sin2, real, imaginary):
    s0, sin_w0, rise = math.sin(0.5 * w0) ** 2, math.sin(w0), 2.0 * math.sinh(a)
    up, down = alpha * math.exp(a), alpha * math.exp(-a)
    by_w0, by_alpha, by_a = 0.0, 0.0, 0.0
    for i in range(sin_w.shape[0]):
        s, u, v = sin_w[i], real[i], imaginary[i]
        d, p, m = 2.0 * (s0 - sin2[i]), up * s, down * s
        over_p, over_m = 1.0 / (d * d + p * p), 1.0 / (d * d + m * m)
        # Re[(u + jv)·j/((d + jp)(d + jm))]
        common = (u * d * (p + m) - v * (d * d - p * m)) * over_p * over_m
        by_w0 += s * common
        by_alpha += s * d * common
        by_a += u * (p * p * over_p + m * m * over_m) - v * d * (p * over_p + m * over_m)
    return -alpha * rise * sin_w0 * by_w0, rise * by_alpha, by_a


@_compiled
@no_type_check
def _shelf_sums(w0, alpha, a, sign, sin_w, sin2, cos2, real, imaginary):
    s0, c0, sin_w0 = math.sin(0.5 * w0) ** 2, math.cos(0.5 * w0) ** 2, math.sin(w0)
    up, minus_1, squared = math.exp(a), math.expm1(a), math.expm1(2.0 * a)
    k_per_s = 0.5 * math.sqrt(up) * alpha
    by_w0, by_alpha, by_a, plain = 0.0, 0.0, 0.0, 0.0
    for i in range(sin_w.shape[0]):
        u, v, sine = real[i], imaginary[i], sin_w[i]
        s, c, k = s0 * cos2[i], c0 * sin2[i], k_per_s * sine
        x, y = up * s - c, s - up * c
        over_x, over_y = 1.0 / (x * x + k * k), 1.0 / (y * y + k * k)
        both = over_x * over_y
        # 1/(XY) = (e + jf), times (u + jv)
        e, f = (x * y - k * k) * both, -k * (x + y) * both
        g, h = u * e - v * f, u * f + v * e
        by_w0 += -0.125 * squared * sine * sine * g - 0.5 * minus_1 * k * (cos2[i] - sin2[i]) * h
        by_alpha += sine * (s + c) * h
        plain += u
        half = 0.5 * k
        re = (up * s * x + half * k) * over_x + (up * c * y - half * k) * over_y
        im = (half * x - up * s * k) * over_x - (half * y + up * c * k) * over_y
        by_a += u * re - v * im
    by_alpha *= 0.5 * math.sqrt(up) * minus_1
    return sign * sin_w0 * by_w0, sign * by_alpha, plain + sign * by_a
