"""Compiled attack/release smoothing and its exact derivative; float64 throughout.

`no_type_check` keeps checkers of types at run time from wrapping what numba compiles.
"""

from typing import no_type_check

from numba import njit

_compiled = njit(nogil=True, cache=True, fastmath={"contract"}, error_model="numpy")


@_compiled
@no_type_check
def smooth(x, attack, release, start, out):
    """out[n] = out[n−1] + c·(x[n] − out[n−1]), c = attack where x[n] is above out[n−1], else release.

    x and out are (row, time); attack, release and start are (row,).
    """
    for row in range(x.shape[0]):
        rise, fall, y = attack[row], release[row], start[row]
        for n in range(x.shape[1]):
            step = x[row, n] - y
            y += (rise if step > 0.0 else fall) * step
            out[row, n] = y


@_compiled
@no_type_check
def derivative(x, out, attack, release, start, upstream, by_x, by_attack, by_release, by_start):
    """Adjoint of `smooth`.

    From upstream (row, time) follow by_x (row, time) and by_attack, by_release, by_start (row,).
    """
    for row in range(x.shape[0]):
        rise, fall = attack[row], release[row]
        carried, rising, falling = 0.0, 0.0, 0.0
        for n in range(x.shape[1] - 1, -1, -1):
            before = out[row, n - 1] if n > 0 else start[row]
            step = x[row, n] - before
            carried += upstream[row, n]
            if step > 0.0:
                c = rise
                rising += carried * step
            else:
                c = fall
                falling += carried * step
            by_x[row, n] = c * carried
            carried *= 1.0 - c
        by_attack[row], by_release[row], by_start[row] = rising, falling, carried
