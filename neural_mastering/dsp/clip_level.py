"""The level at which the clipper in front of the limiter clips: the ceiling for peaks that stand out, else higher.

    held      h[n] = max(q[n − W … n + W]),   q = max(0, 1 − c/p)       p: true peaks of the intervals
    released  r and its running mean m, as in `dsp.limiter` with the settings `DRIVEN`
    level     T = c/(1 − max(0, 1 − (1 − r)·10^(D·s/20))),   s = (1 − m/r − 0.2)/0.2 in 0 … 1

A peak that stands above the running mean of the reduction is spared D dB of it. Under a sustained reduction, as of
steady tones, m comes up to r, s is 0, and nothing is clipped.
"""

import math
from typing import no_type_check

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neural_mastering.dsp import peak_kernels
from neural_mastering.dsp.limiter import DRIVEN
from neural_mastering.units import NEPERS_PER_DB

_HOLD_MS = 1.5
_STANDS_OUT = 0.2
_compiled = njit(nogil=True, cache=True, error_model="numpy")


class ClipLevel:
    """The level from interval peaks, block by block.

    Args:
        ceiling: linear.
        depth_db: the most that a peak may be above the level.
        sample_rate: in Hz.

    Attributes:
        latency_samples: how far the level is behind the peaks.
    """

    def __init__(self, ceiling: float, depth_db: float, sample_rate: float) -> None:
        self.latency_samples = max(round(_HOLD_MS * sample_rate / 1000.0), 1)
        self._ceiling, self._spared = ceiling, NEPERS_PER_DB * depth_db
        self._rates, self._exponent = DRIVEN.rates(sample_rate), DRIVEN.recovery_exponent
        room = 2 * self.latency_samples + 2
        self._queue_at, self._queue = np.zeros(room, np.int64), np.zeros(room)
        self._counts, self._released = np.zeros(3, np.int64), np.zeros(2)

    def push(self, peaks: NDArray[np.float64]) -> NDArray[np.float64]:
        """Levels (time,) for the intervals' peaks (time,), late by `latency_samples`."""
        level = np.empty(peaks.size)
        _follow(
            peaks,
            self._ceiling,
            self._rates,
            self._exponent,
            self._spared,
            self._queue_at,
            self._queue,
            self._counts,
            self._released,
            level,
        )
        return level


@_compiled
@no_type_check
def spared_share(reduction, mean):
    """s: how much of the depth a reduction is spared whose running mean is known."""
    return min(max((1.0 - mean / reduction) / _STANDS_OUT - 1.0, 0.0), 1.0)


@_compiled
@no_type_check
def _follow(peaks, ceiling, rates, exponent, spared, queue_at, queue, counts, released, level):
    room = queue.size
    head, size, now = counts[0], counts[1], counts[2]
    fading, mean = released[0], released[1]
    slow, fast, toward = rates[0], rates[1], rates[2]
    for n in range(peaks.size):
        now += 1
        if size > 0 and queue_at[head] <= now - (room - 1):
            head = (head + 1) % room
            size -= 1
        if peaks[n] > ceiling:
            wanted = 1.0 - ceiling / peaks[n]
            while size > 0 and queue[(head + size - 1) % room] <= wanted:
                size -= 1
            tail = (head + size) % room
            queue_at[tail], queue[tail] = now, wanted
            size += 1
        held = queue[head] if size > 0 else 0.0
        if fading > held:
            short = max(1.0 - mean / fading, 0.0)
            share = peak_kernels.power_of(short, exponent)
            fading = max(held, fading - fading * (slow + (fast - slow) * share))
        else:
            fading = held
        if fading < 1e-6:
            fading = 0.0
        mean += (fading - mean) * toward
        if mean < 1e-6:
            mean = 0.0
        kept = 1.0 - fading
        if fading > 0.0:
            kept = min(kept * math.exp(spared * spared_share(fading, mean)), 1.0)
        level[n] = ceiling / kept
    counts[0], counts[1], counts[2] = head, size, now
    released[0], released[1] = fading, mean
