"""Compiled gain computer and ballistics in one pass, and their exact derivative; float64 inside.

`no_type_check` keeps checkers of types at run time from wrapping what numba compiles.
"""

from typing import no_type_check

from numba import njit

_compiled = njit(nogil=True, cache=True, fastmath={"contract"}, error_model="numpy")

SMALLEST_KNEE_DB = 1e-4


@_compiled
@no_type_check
def reduce(level, threshold, slope, knee, rise, fall, start, out):
    """out[n] = out[n−1] + c·(r[n] − out[n−1]) with r the static reduction of level[n], both in dB.

    level and out are (row, time), the rest (row,); c is rise where r is above out[n−1], else fall.
    """
    for row in range(level.shape[0]):
        t, s, half = threshold[row], slope[row], 0.5 * knee[row]
        bend = s / (2.0 * max(knee[row], SMALLEST_KNEE_DB))
        up, down, y = rise[row], fall[row], start[row]
        for n in range(level.shape[1]):
            over = level[row, n] - t
            if over >= half:
                wanted = s * over
            elif over > -half:
                wanted = bend * (over + half) * (over + half)
            else:
                wanted = 0.0
            step = wanted - y
            y += (up if step > 0.0 else down) * step
            out[row, n] = y


@_compiled
@no_type_check
def derivative(level, threshold, slope, knee, rise, fall, start, out, upstream, by_level, by_controls):
    """Adjoint of `reduce`: by_level (row, time) and by_controls (6, row) in the order of the controls."""
    for row in range(level.shape[0]):
        t, s, half = threshold[row], slope[row], 0.5 * knee[row]
        width = max(knee[row], SMALLEST_KNEE_DB)
        narrowed = 0.0 if knee[row] < SMALLEST_KNEE_DB else 1.0
        up, down = rise[row], fall[row]
        carried, to_threshold, to_slope, to_knee, to_rise, to_fall = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for n in range(level.shape[1] - 1, -1, -1):
            before = out[row, n - 1] if n > 0 else start[row]
            over = level[row, n] - t
            by_over, by_slope, by_knee = 0.0, 0.0, 0.0
            if over >= half:
                by_over, by_slope = s, over
            elif over > -half:
                inside = over + half
                by_over = s * inside / width
                by_slope = inside * inside / (2.0 * width)
                by_knee = s * (inside / (2.0 * width) - narrowed * inside * inside / (2.0 * width * width))
            step = s * by_slope - before
            carried += upstream[row, n]
            if step > 0.0:
                c = up
                to_rise += carried * step
            else:
                c = down
                to_fall += carried * step
            share = c * carried
            by_level[row, n] = share * by_over
            to_threshold -= share * by_over
            to_slope += share * by_slope
            to_knee += share * by_knee
            carried *= 1.0 - c
        by_controls[0, row], by_controls[1, row], by_controls[2, row] = to_threshold, to_slope, to_knee
        by_controls[3, row], by_controls[4, row], by_controls[5, row] = to_rise, to_fall, carried
