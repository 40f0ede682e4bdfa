"""Compiled loops over blocks of a long file with state carried over: biquads, K-weighted energy, sums, dither.

Audio is (channel, time) in float64 with 1 or 2 channels. `no_type_check` keeps checkers of types at run time from
wrapping what numba compiles.
"""

from typing import no_type_check

import numpy as np
from numba import njit

_compiled = njit(nogil=True, cache=True, fastmath={"contract"}, error_model="numpy")

SUM, SQUARES, PEAK, RUN, CLIPPED, CROSS, LAST = range(7)
"""Columns of the totals that `tally` adds up for each channel."""


@_compiled
@no_type_check
def cascade(x, sections, state, out):
    """Filter x by second-order sections (section, 6) with a0 = 1, in transposed direct form II.

    Args: state (channel, section, 2), carried over; out, of x's shape.
    """
    for n in range(x.shape[1]):
        for c in range(x.shape[0]):
            value = x[c, n]
            for s in range(sections.shape[0]):
                y = sections[s, 0] * value + state[c, s, 0]
                state[c, s, 0] = sections[s, 1] * value - sections[s, 4] * y + state[c, s, 1]
                state[c, s, 1] = sections[s, 2] * value - sections[s, 5] * y
                value = y
            out[c, n] = value


@njit(nogil=True, cache=True)  # rounds like scipy.signal.lfilter, which has no fused operations
@no_type_check
def dc_blocked(x, scale, pole, state, out):
    """y[n] = scale·(x[n] − x[n − 1]) + pole·y[n − 1] of each channel; state (channel,) is carried over."""
    for c in range(x.shape[0]):
        kept = state[c]
        for n in range(x.shape[1]):
            y = scale * x[c, n] + kept
            kept = -scale * x[c, n] + pole * y
            out[c, n] = y
        state[c] = kept


@_compiled
@no_type_check
def weighted_energy(x, start, stop, sections, state):
    """Σ of squares of the K-weighted samples [start, stop) of all channels; state (channel, 2, 2)."""
    b0, b1, b2, a1, a2 = sections[0, 0], sections[0, 1], sections[0, 2], sections[0, 4], sections[0, 5]
    c1, c2 = sections[1, 4], sections[1, 5]
    total = 0.0
    if x.shape[0] == 2:  # both in one loop hide each other's latency
        z0, z1, z2, z3 = state[0, 0, 0], state[0, 0, 1], state[0, 1, 0], state[0, 1, 1]
        r0, r1, r2, r3 = state[1, 0, 0], state[1, 0, 1], state[1, 1, 0], state[1, 1, 1]
        left, right = 0.0, 0.0
        for n in range(start, stop):
            value, other = x[0, n], x[1, n]
            y, s = b0 * value + z0, b0 * other + r0
            z0, r0 = b1 * value - a1 * y + z1, b1 * other - a1 * s + r1
            z1, r1 = b2 * value - a2 * y, b2 * other - a2 * s
            w, t = y + z2, s + r2
            z2, r2 = -2.0 * y - c1 * w + z3, -2.0 * s - c1 * t + r3
            z3, r3 = y - c2 * w, s - c2 * t
            left += w * w
            right += t * t
        state[0, 0, 0], state[0, 0, 1], state[0, 1, 0], state[0, 1, 1] = z0, z1, z2, z3
        state[1, 0, 0], state[1, 0, 1], state[1, 1, 0], state[1, 1, 1] = r0, r1, r2, r3
        return left + right
    for c in range(x.shape[0]):
        z0, z1, z2, z3 = state[c, 0, 0], state[c, 0, 1], state[c, 1, 0], state[c, 1, 1]
        energy = 0.0
        for n in range(start, stop):
            value = x[c, n]
            y = b0 * value + z0
            z0 = b1 * value - a1 * y + z1
            z1 = b2 * value - a2 * y
            w = y + z2
            z2 = -2.0 * y - c1 * w + z3
            z3 = y - c2 * w
            energy += w * w
        state[c, 0, 0], state[c, 0, 1], state[c, 1, 0], state[c, 1, 1] = z0, z1, z2, z3
        total += energy
    return total


@_compiled
@no_type_check
def tally(x, clip_at, totals):
    """Add the readings of x (channel, time) to totals (channel, 7).

    These are: sum, sum of squares, peak, open run of one value at full scale or above, samples in such runs of
    three or more, the product of the channels, and the last sample. Runs count where they lie at the channel's
    peak, within a hundredth: a float signal above full scale may rest anywhere.
    """
    channels = x.shape[0]
    for c in range(channels):
        total, squares, peak = totals[c, 0], totals[c, 1], totals[c, 2]
        run, clipped, cross, last = totals[c, 3], totals[c, 4], totals[c, 5], totals[c, 6]
        for n in range(x.shape[1]):
            value = x[c, n]
            total += value
            squares += value * value
            cross += value * x[channels - 1 - c, n]
            size = abs(value)
            if size >= clip_at:
                run = run + 1.0 if value == last else 1.0
                if size > 1.01 * peak:
                    clipped = 0.0
                if run >= 3.0 and 1.01 * size >= peak:
                    clipped += 3.0 if run == 3.0 else 1.0
            else:
                run = 0.0
            peak = max(peak, size)
            last = value
        totals[c, 0], totals[c, 1], totals[c, 2] = total, squares, peak
        totals[c, 3], totals[c, 4], totals[c, 5], totals[c, 6] = run, clipped, cross, last


@_compiled
@no_type_check
def _uniform(counter):
    """A number in [0, 1) from a counter (splitmix64): the same for a sample however the file is cut up."""
    z = counter * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.float64(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@_compiled
@no_type_check
def quantise(x, position, bits, dither, seed, shift, steps, stored):
    """Round x (channel, time) to whole steps of 2^(1 − bits); returns how many samples clipped.

    With `dither`, the difference of two uniform numbers of one step each is added first (TPDF, 2 steps wide).

    Args: position, of the first sample in its file; shift, by how many bits the steps are moved up in `steps`,
        (time · channel,) int32; stored, of x's shape: the values of the steps.
    """
    channels = x.shape[0]
    scale, step = 2.0 ** (bits - 1), 2.0 ** (1 - bits)
    clipped = 0
    for c in range(channels):
        for n in range(x.shape[1]):
            value = x[c, n] * scale
            if dither:
                counter = np.uint64(2) * np.uint64((position + n) * channels + c) + np.uint64(
                    seed
                ) * np.uint64(0xD1342543DE82EF95)
                value += _uniform(counter) - _uniform(counter + np.uint64(1))
            value = np.floor(value + 0.5)
            clipped += value > scale  # full scale itself is half a step away
            clipped += value < -scale
            stored[c, n] = max(min(value, scale - 1.0), -scale) * step
    if channels == 2:
        for n in range(x.shape[1]):
            steps[2 * n] = np.int32(stored[0, n] * scale) << shift
            steps[2 * n + 1] = np.int32(stored[1, n] * scale) << shift
    else:
        for n in range(x.shape[1]):
            steps[n] = np.int32(stored[0, n] * scale) << shift
    return clipped


@_compiled
@no_type_check
def planes(samples, scale, out):
    """out (channel, time) = scale · samples (time · channel,), which alternate between the channels."""
    if out.shape[0] == 2:
        for n in range(out.shape[1]):
            out[0, n] = samples[2 * n] * scale
            out[1, n] = samples[2 * n + 1] * scale
    else:
        for n in range(out.shape[1]):
            out[0, n] = samples[n] * scale


@_compiled
@no_type_check
def alternating(x, out):
    """out (time · channel,) = x (channel, time), sample by sample from each channel, rounded to out's type."""
    if x.shape[0] == 2:
        for n in range(x.shape[1]):
            out[2 * n] = x[0, n]
            out[2 * n + 1] = x[1, n]
    else:
        for n in range(x.shape[1]):
            out[n] = x[0, n]
