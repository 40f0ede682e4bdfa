"""Compiled passes over blocks and spectra; `no_type_check` keeps run-time checkers of types from wrapping them."""

from typing import no_type_check

from numba import njit

_compiled = njit(nogil=True, cache=True, fastmath={"contract"}, error_model="numpy")


@_compiled
@no_type_check
def mid_side(x, out):
    """out (2, time) = half the sum and half the difference of the channels of x (channel, time)."""
    left, right = x[0], x[x.shape[0] - 1]
    for n in range(x.shape[1]):
        out[0, n] = 0.5 * (left[n] + right[n])
        out[1, n] = 0.5 * (left[n] - right[n])


@_compiled
@no_type_check
def powers(spectra, out):
    """out (frame, bin) = |spectra|² of the first bins of each frame."""
    for frame in range(out.shape[0]):
        line, squares = spectra[frame], out[frame]
        for k in range(out.shape[1]):
            squares[k] = line[k].real * line[k].real + line[k].imag * line[k].imag


@_compiled
@no_type_check
def windowed(x, window, out):
    """out (channel, time) = x (channel, time) · window (time,), rounded to out's type."""
    for c in range(x.shape[0]):
        for n in range(window.size):
            out[c, n] = x[c, n] * window[n]


@_compiled
@no_type_check
def add_powers(spectra, total):
    """total (bin,) += Σ |spectra|² over the channels of spectra (channel, bin)."""
    for c in range(spectra.shape[0]):
        line = spectra[c]
        for k in range(total.size):
            total[k] += line[k].real * line[k].real + line[k].imag * line[k].imag
