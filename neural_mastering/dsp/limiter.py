"""Look-ahead true-peak limiter: a gain curve, smooth to both sides, that keeps the signal below a ceiling.

With p[n] the true peak between the samples n and n + 1 of the loudest channel and c the ceiling:

    wanted      q[n] = max(0, 1 − c/p[n])                        reduction that the interval needs
    held        h[n] = max(q[n − W + 1 … n])                     running maximum
    released    r[n] = max(h[n], r[n − 1]·(1 − a_release − (a_recovery − a_release)·(1 − m[n − 1]/r[n − 1])ᵉ))
    its mean    m[n] = m[n − 1] + a_sustain·(r[n] − m[n − 1])       a = 1 − exp(−1/(time·rate))
    smoothed    s = r ∗ box ∗ box                                two means, together S samples long
    out         y[n] = x[n]·(1 − s[n + D])

Every r inside the window of s at the time of a peak is at least q, so the mean is, too: the curve reaches the
needed reduction before the peak and holds it over the interpolator's main taps (`HOLD` samples to either side),
where a changing gain would move the peak between the samples. W = S + 2·HOLD + 1 and D = S − 1 + HOLD.

A short peak stands far above the running mean m of the reduction and is followed by a fast recovery; under a
steady tone m comes up to r and the release is slow, so that the gain doesn't follow the wave. Where recovery and
release are equal, the release is exponential.

The crest of a bass note is no short peak: it stays above the ceiling for milliseconds, and a gain that recovers
between two crests adds harmonics. So a_recovery is at most 1/(k·w), with w the samples for which the peak that
rules r stayed above the ceiling without a gap of more than 0.35 ms and k = `recovery_widths`.

The means are sums of whole numbers (steps of 2⁻⁴⁰), so the curve doesn't depend on how the signal is cut into
blocks, and it is exactly 1 where nothing has to be reduced. Peaks are those of `true_peak.true_peak_db`: the same
kernel, the same grid, the same refinement.
"""

from dataclasses import dataclass
from typing import no_type_check

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neural_mastering.dsp import peak_kernels
from neural_mastering.dsp.interpolator import interpolator, oversampling
from neural_mastering.units import db_to_gain

HOLD = 12
"""Samples to either side of a peak over which the reduction is held."""

_STEPS = 2.0**40
_GAP_MS = 0.35
_compiled = njit(nogil=True, cache=True, error_model="numpy")


@dataclass(frozen=True)
class LimiterSettings:
    """Times of the limiter: settings, not controls that a model learns.

    Attributes:
        lookahead_ms: length of the smoothing window; the reduction starts this long before the peak.
        release_ms: time constant with which a sustained reduction fades.
        recovery_ms: time constant with which the reduction of a short peak fades.
        sustain_ms: time constant of the running mean that tells one from the other.
        recovery_exponent: e; the smaller, the faster the release between the two.
        recovery_widths: least time constant of the recovery, as a multiple of the time for which the peak stayed
            above the ceiling.
    """

    lookahead_ms: float = 1.5
    release_ms: float = 300.0
    recovery_ms: float = 1.0
    sustain_ms: float = 150.0
    recovery_exponent: float = 2.0
    recovery_widths: float = 0.0

    def boxes(self, sample_rate: float) -> tuple[int, int]:
        """Lengths in samples of the two means."""
        window = max(round(self.lookahead_ms * sample_rate / 1000.0), 3)
        return (window + 1) // 2, window + 1 - (window + 1) // 2

    def rates(self, sample_rate: float) -> NDArray[np.float64]:
        """Shares per sample: of the release, of the recovery, of the running mean."""
        times_ms = np.array([self.release_ms, min(self.recovery_ms, self.release_ms), self.sustain_ms])
        return -np.expm1(-1000.0 / (times_ms * sample_rate))

    def latency_samples(self, sample_rate: float) -> int:
        """How far the curve looks ahead: D of the module's text."""
        return sum(self.boxes(sample_rate)) - 2 + HOLD


DRIVEN = LimiterSettings(lookahead_ms=1.0, release_ms=1000.0, sustain_ms=300.0, recovery_exponent=1.5)
"""For songs that are driven hard: nearer to the song, and cleaner under steady tones once it has settled."""


class GainCurve:
    """The gain curve from interval peaks, block by block.

    Args:
        threshold: linear.
        sample_rate: in Hz.
        settings: times.
    """

    def __init__(self, threshold: float, sample_rate: float, settings: LimiterSettings | None = None) -> None:
        settings = settings or LimiterSettings()
        first, second = settings.boxes(sample_rate)
        self.threshold = threshold
        self._rates = settings.rates(sample_rate)
        # of each group of intervals only the loudest has its peak, see `peak_kernels.interval_peaks`
        gap = max(_GAP_MS * sample_rate / 1000.0, 2.0 * peak_kernels.GROUP - 1.0)
        self._shape = np.array([settings.recovery_exponent, settings.recovery_widths, gap])
        hold = first + second - 1 + 2 * HOLD + 1
        self._queue_at, self._queue = np.zeros(hold + 1, np.int64), np.zeros(hold + 1)
        self._first, self._second = np.zeros(first, np.int64), np.zeros(second, np.int64)
        self._counts, self._released = np.zeros(10, np.int64), np.zeros(2)

    def push(self, peaks: NDArray[np.float64]) -> NDArray[np.float64]:
        """Gains (time,) for the intervals' peaks (time,), late by `LimiterSettings.latency_samples`."""
        gain = np.empty(peaks.size)
        _follow(
            peaks,
            self.threshold,
            self._rates,
            self._shape,
            self._queue_at,
            self._queue,
            self._first,
            self._second,
            self._counts,
            self._released,
            gain,
        )
        return gain


def limit(
    audio: NDArray[np.float64],
    ceiling_db: float,
    sample_rate: float,
    settings: LimiterSettings | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Limit audio (channel, time) in one shot; returns the result and the gain curve (time,).

    The channels share one curve. The signal is zero before its first and after its last sample.

    Examples:
        A full-scale sine keeps its ceiling of −1 dBTP; a quiet one is left alone to the bit:

        >>> import numpy as np
        >>> import torch
        >>> from neural_mastering.dsp.true_peak import true_peak_db
        >>> sine = np.sin(2 * np.pi * 1_000 / 44_100 * np.arange(44_100))[None]
        >>> limited, gain = limit(sine, -1.0, 44_100)
        >>> true_peak_db(torch.from_numpy(limited)[None], 44_100)
        tensor([-1.00], dtype=torch.float64)
        >>> quiet, gain = limit(0.5 * sine, -1.0, 44_100)
        >>> bool((quiet == 0.5 * sine).all()), gain.min()
        (True, np.float64(1.0))
    """
    settings = settings or LimiterSettings()
    time, late = audio.shape[1], settings.latency_samples(sample_rate)
    threshold = db_to_gain(ceiling_db)
    x = np.ascontiguousarray(np.pad(peak_kernels.padded(audio), ((0, 0), (0, late))))
    peaks = np.empty(time + late)
    phases = interpolator(oversampling(sample_rate))
    peak_kernels.interval_peaks(
        x, peak_kernels.PAST, peak_kernels.PAST + time + late, phases, threshold, peaks
    )
    gain = GainCurve(threshold, sample_rate, settings).push(peaks)[late:]
    return audio * gain, gain


@_compiled
@no_type_check
def _follow(peaks, threshold, rates, shape, queue_at, queue, first, second, counts, released, gain):
    room, hold = queue.size, queue.size - 1
    head, size, now = counts[0], counts[1], counts[2]
    at_first, at_second, sum_first, sum_second = counts[3], counts[4], counts[5], counts[6]
    last, stay, wide = counts[7], counts[8], counts[9]
    fading, mean = released[0], released[1]
    slow, fast, toward = rates[0], rates[1], rates[2]
    exponent, least, gap = shape[0], shape[1], shape[2]
    whole = 1.0 / (_STEPS * first.size * second.size)
    for n in range(peaks.size):
        now += 1
        peak = peaks[n]
        if peak <= threshold and size == 0 and fading == 0.0 and sum_first == 0 and sum_second == 0:
            gain[n] = 1.0
            mean = mean - mean * toward if mean > 1e-6 else 0.0
            continue
        if size > 0 and queue_at[head] <= now - hold:
            head = (head + 1) % room
            size -= 1
        if peak > threshold:
            wanted = 1.0 - threshold / peak
            while size > 0 and queue[(head + size - 1) % room] <= wanted:
                size -= 1
            tail = (head + size) % room
            queue_at[tail], queue[tail] = now, wanted
            size += 1
            stay = now - last + stay if now - last <= gap else 1
            last = now
            if wanted >= fading or (stay > wide and wanted >= 0.5 * fading):
                wide = stay
        held = queue[head] if size > 0 else 0.0
        if fading > held:
            short = max(1.0 - mean / fading, 0.0)
            recovery = fast
            if least > 0.0:
                recovery = max(min(fast, 1.0 / (least * wide)), slow)
            share = peak_kernels.power_of(short, exponent)
            fading = max(held, fading - fading * (slow + (recovery - slow) * share))
        else:
            fading = held
        if fading < 1e-6:
            fading = 0.0
        mean += (fading - mean) * toward
        steps = np.int64(np.ceil(fading * _STEPS))
        sum_first += steps - first[at_first]
        first[at_first] = steps
        at_first = (at_first + 1) % first.size
        sum_second += sum_first - second[at_second]
        second[at_second] = sum_first
        at_second = (at_second + 1) % second.size
        gain[n] = 1.0 - sum_second * whole
    counts[0], counts[1], counts[2] = head, size, now
    counts[3], counts[4], counts[5], counts[6] = at_first, at_second, sum_first, sum_second
    counts[7], counts[8], counts[9] = last, stay, wide
    released[0], released[1] = fading, mean
