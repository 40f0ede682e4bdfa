"""Compiled loops over time: biquads in cascade and the expander. Float64, with state, so pieces equal one shot.

`no_type_check` keeps checkers of types at run time from wrapping what numba compiles.
"""

import math
from typing import no_type_check

from numba import njit

_compiled = njit(nogil=True, cache=True, error_model="numpy")

POWER_FLOOR = 1e-20  # −200 dB


@_compiled
@no_type_check
def cascade(audio, sections, state):
    """Filter audio (channel, time) in place by sections (section, 5: b0, b1, b2, a1, a2), transposed form II.

    `state` (section, channel, 2) is where the last call stopped, and is updated.
    """
    channels, time = audio.shape
    for s in range(sections.shape[0]):
        b0, b1, b2, a1, a2 = sections[s]
        if channels == 2:  # both at once: neither waits for the other's last sample
            u1, u2, v1, v2 = state[s, 0, 0], state[s, 0, 1], state[s, 1, 0], state[s, 1, 1]
            for n in range(time):
                x, w = audio[0, n], audio[1, n]
                y, z = b0 * x + u1, b0 * w + v1
                u1, v1 = b1 * x - a1 * y + u2, b1 * w - a1 * z + v2
                u2, v2 = b2 * x - a2 * y, b2 * w - a2 * z
                audio[0, n], audio[1, n] = y, z
            state[s, 0, 0], state[s, 0, 1], state[s, 1, 0], state[s, 1, 1] = u1, u2, v1, v2
        else:
            for c in range(channels):
                u1, u2 = state[s, c, 0], state[s, c, 1]
                for n in range(time):
                    x = audio[c, n]
                    y = b0 * x + u1
                    u1 = b1 * x - a1 * y + u2
                    u2 = b2 * x - a2 * y
                    audio[c, n] = y
                state[s, c, 0], state[s, c, 1] = u1, u2


@_compiled
@no_type_check
def expander_gain_db(level_db, upward, downward, knee_db):
    """Static curve; `upward` and `downward` are (threshold_db, ratio, limit_db)."""
    gain = 0.0
    for direction in range(2):
        threshold, ratio, limit = upward if direction == 0 else downward
        over = level_db - threshold if direction == 0 else threshold - level_db
        if over > -0.5 * knee_db:
            if over < 0.5 * knee_db:
                over = (over + 0.5 * knee_db) ** 2 / (2.0 * knee_db)
            change = min((ratio - 1.0) * over, limit)
            gain += change if direction == 0 else -change
    return gain


@_compiled
@no_type_check
def expand(audio, reference_db, upward, downward, knee_db, coefficients, state):
    """Expand audio (channel, time) in place, all channels by one gain.

    `coefficients` are the one-pole factors of the detector, the attack and the release; `state` (2,) holds the
    detector's power and the gain in dB.
    """
    detector, attack, release = coefficients
    power, gain = state[0], state[1]
    channels, time = audio.shape
    step = math.log(10.0) / 20.0
    # Between these powers the curve is 0, which needs no logarithm.
    quiet, loud = 0.0, math.inf
    if downward[1] > 1.0:
        quiet = 10.0 ** (0.1 * (reference_db + downward[0] + 0.5 * knee_db))
    if upward[1] > 1.0:
        loud = 10.0 ** (0.1 * (reference_db + upward[0] - 0.5 * knee_db))
    for n in range(time):
        now = 0.0
        for c in range(channels):
            now += audio[c, n] * audio[c, n]
        power = now + detector * (power - now)
        wanted = 0.0
        if power < quiet or power > loud:
            level_db = 10.0 * math.log10(power + POWER_FLOOR) - reference_db
            wanted = expander_gain_db(level_db, upward, downward, knee_db)
        gain = wanted + (attack if wanted > gain else release) * (gain - wanted)
        factor = math.exp(step * gain)
        for c in range(channels):
            audio[c, n] *= factor
    state[0], state[1] = power, gain


@_compiled
@no_type_check
def cell_energies(audio, cell, filled, out):
    """Add the squares of audio (channel, time) to consecutive cells of `cell` samples in `out`.

    `filled` samples of out[0] are there already; returns how many cells are complete.
    """
    channels, time = audio.shape
    index = 0
    for n in range(time):
        for c in range(channels):
            out[index] += audio[c, n] * audio[c, n]
        filled += 1
        if filled == cell:
            index, filled = index + 1, 0
    return index


@_compiled
@no_type_check
def energy(audio, sections):
    """Sum of the squares of audio (channel, time) after a cascade of two sections, from rest."""
    b0, b1, b2, a1, a2 = sections[0]
    d0, d1, d2, c1, c2 = sections[1]
    total = 0.0
    for c in range(audio.shape[0]):
        u1, u2, v1, v2, part = 0.0, 0.0, 0.0, 0.0, 0.0
        for n in range(audio.shape[1]):
            x = audio[c, n]
            y = b0 * x + u1
            u1 = b1 * x - a1 * y + u2
            u2 = b2 * x - a2 * y
            z = d0 * y + v1
            v1 = d1 * y - c1 * z + v2
            v2 = d2 * y - c2 * z
            part += z * z
        total += part
    return total
