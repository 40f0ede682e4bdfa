"""Where a delay lies, to a millisecond, over the whole song and a wide range of lags.

Windows along the song are correlated with phase transform weighting (GCC-PHAT; Knapp and Carter, "The
generalized correlation method for estimation of time delay", IEEE Trans. ASSP 24, 1976), which makes all
frequencies count alike, so that an equaliser changes little and a beat has no peak of its own. The
correlations of all windows are summed along straight lines delay + drift·time (a slant stack): a wrong beat
fits one passage and not the song.
"""

import math
from dataclasses import dataclass

import numpy as np
import scipy.fft
import soxr
from scipy.ndimage import uniform_filter1d

from neural_mastering.data.audit.side import Side, read_around

WINDOW_S = 8.0
MOST_WINDOWS = 12
REACH_S = 3.0
"""Lags to either side that are always searched; more by the difference of the lengths."""

LONGEST_REACH_S = 60.0
LARGEST_DRIFT_PPM = 400.0

_RATE_HZ = 11_025
_LOW_HZ, _HIGH_HZ = 60.0, 5_000.0
_BIN_S = 0.001
_FADE_S = 0.05
_LINE_FLOOR, _LINE_SPAN_HZ = 1.5, 50.0
_SILENT_POWER = 1e-8  # −80 dBFS
_APART_BINS = 12
_TIE, _EDGE_TIE = 0.9, 0.6
_EDGE_S, _AT_EDGE_S = 0.004, 0.01


@dataclass(frozen=True)
class Coarse:
    """A delay to a millisecond.

    Attributes:
        delay_s: at the start of the unmastered side; positive where the mastered side is late.
        drift: change of the delay in seconds a second.
        distinctness: 1 − second best over best sum of correlations; near 0 where the music repeats exactly,
            or where nothing fits.
        height: mean correlation along the line, 1 for equal signals.
    """

    delay_s: float
    drift: float
    distinctness: float
    height: float


def coarse_delay(before: Side, after: Side) -> Coarse | None:
    """The line delay + drift·time along which two sides of one rate correlate best; None for silence."""
    rate = before.sample_rate
    step = max(1, rate // _RATE_HZ)
    window = min(round(WINDOW_S * rate), before.frames)
    difference_s = abs(before.frames - after.frames) / rate
    reach_s = min(LONGEST_REACH_S, max(REACH_S, difference_s + 1.0))
    reach = math.ceil(reach_s * rate / step) * step
    count = min(MOST_WINDOWS, math.ceil(before.frames / window))
    starts = np.unique(np.linspace(0, before.frames - window, count).astype(int) // step * step)
    rows, centres = [], []
    for start in starts:
        pair = (
            read_around(before, int(start), window),
            read_around(after, int(start) - reach, window + 2 * reach),
        )
        if min(np.square(side).mean() for side in pair) < _SILENT_POWER:
            continue
        low = [_decimated(side, rate, step) for side in pair]
        for side in low:
            _fade_ends(side, round(_FADE_S * rate / step))
        rows.append(_envelope(low[0], low[1], reach // step, rate / step))
        centres.append((start + window / 2) / rate)
    if not rows:
        return None
    stack = _Stack(np.stack(rows), np.array(centres))
    return stack.best(_edge_lags_s(before, after))


def _decimated(audio: np.ndarray, rate: int, step: int) -> np.ndarray:
    if step == 1:
        return audio.copy()
    return soxr.resample(np.ascontiguousarray(audio.T), rate, rate / step, "LQ").T


def _fade_ends(audio: np.ndarray, frames: int) -> None:
    """Fade a window in and out, in place: hard ends are onsets, and would match where both windows end."""
    frames = min(frames, audio.shape[1] // 4)
    ramp = (0.5 - 0.5 * np.cos(np.pi * (np.arange(frames) + 0.5) / max(frames, 1))).astype(np.float32)
    audio[:, :frames] *= ramp
    audio[:, audio.shape[1] - frames :] *= ramp[::-1]


def _envelope(x: np.ndarray, y: np.ndarray, reach: int, rate: float) -> np.ndarray:
    """Largest |correlation| of each millisecond of lag, over the ways in which channels can be assigned."""
    size = int(scipy.fft.next_fast_len(y.shape[1] + x.shape[1], real=True) or 1)
    one, two = np.fft.rfft(x, size), np.fft.rfft(y, size)
    hz = np.arange(one.shape[1]) * (rate / size)
    band = ((hz > _LOW_HZ) & (hz < min(_HIGH_HZ, 0.45 * rate))).astype(np.float32)
    span = max(3, round(_LINE_SPAN_HZ * size / rate))
    scale = size / (2.0 * max(float(band.sum()), 1.0))

    def correlation(a: int, b: int) -> np.ndarray:
        cross = two[b] * np.conj(one[a])
        magnitude = np.abs(cross)
        # Between the lines of music that repeats exactly there is only what the ends of the windows leak, and that
        # matches where both windows end: lifted as PHAT does, it makes the ends of the range the best lags.
        floor = _LINE_FLOOR * uniform_filter1d(magnitude, span, mode="nearest") + 1e-20
        return np.fft.irfft(cross / (magnitude + floor) * band, size)[: 2 * reach + 1] * scale

    if len(x) == 1 and len(y) == 1:
        best = np.abs(correlation(0, 0))
    else:
        ll, rr = correlation(0, 0), correlation(len(x) - 1, len(y) - 1)
        lr, rl = correlation(0, len(y) - 1), correlation(len(x) - 1, 0)
        sums = (ll + rr, ll - rr, lr + rl, lr - rl)
        best = np.max(np.abs(sums), axis=0) / 2.0
    bins = 2 * round(reach / rate / _BIN_S) + 1
    edges = np.clip(
        np.round((np.arange(bins) - bins // 2 - 0.5) * _BIN_S * rate).astype(int) + reach, 0, best.size - 1
    )
    return np.maximum.reduceat(best, edges)


def _edge_lags_s(before: Side, after: Side) -> list[float]:
    """Lags at which both sides begin or end to sound together.

    Two files that begin with their first sample in the midst of sound say nothing.
    """
    lags = []
    for backwards in (False, True):
        one, two = (_onset_s(side, backwards) for side in (before, after))
        if one is None or two is None:
            continue
        lengths = [(side.frames if backwards else 0) / side.sample_rate for side in (before, after)]
        if abs(one - lengths[0]) > _AT_EDGE_S or abs(two - lengths[1]) > _AT_EDGE_S:
            lags.append(two - one)
    return lags


def _onset_s(side: Side, backwards: bool) -> float | None:
    """Time of the first (or last) sample above 1 % of the peak of the first (or last) 10 s."""
    frames = min(side.frames, 10 * side.sample_rate)
    start = side.frames - frames if backwards else 0
    level = np.abs(side.read(start, frames)).max(axis=0)
    loud = np.flatnonzero(level > max(0.01 * float(level.max()), 1e-5))
    if not loud.size:
        return None
    return float(start + loud[-1 if backwards else 0]) / side.sample_rate


class _Stack:
    """Correlation envelopes (window, lag bin), summed along lines."""

    def __init__(self, rows: np.ndarray, centres_s: np.ndarray) -> None:
        # a maximum over neighbours forgives what lies between two bins
        near = np.maximum(rows[:, 1:-1], np.maximum(rows[:, :-2], rows[:, 2:]))
        self._rows = np.pad(near, ((0, 0), (1, 1)))
        self._centres_s = centres_s
        self._middle = rows.shape[1] // 2

    def best(self, edge_lags_s: list[float]) -> Coarse:
        """The line of the largest sum; equally good ones are told apart by edges, then by the shorter delay."""
        span_s = float(np.ptp(self._centres_s))
        steps = math.ceil(LARGEST_DRIFT_PPM * 1e-6 * span_s / _BIN_S)
        drifts = np.arange(-steps, steps + 1) * (_BIN_S / span_s if span_s > 0 else 0.0)
        anchor_s = float(self._centres_s.mean())
        sums = np.zeros((drifts.size, self._rows.shape[1]))
        for i, drift in enumerate(drifts):
            for row, centre_s in zip(self._rows, self._centres_s, strict=True):
                sums[i] += _shifted(row, round(drift * (centre_s - anchor_s) / _BIN_S))
        sums /= len(self._rows)
        profile = sums.max(axis=0)
        lag = self._chosen(profile, edge_lags_s)
        apart = np.abs(np.arange(profile.size) - lag) > _APART_BINS
        second = float(profile[apart].max()) if apart.any() else 0.0
        height = float(profile[lag])
        # of the drifts that reach the height, the one in the middle
        equal = np.flatnonzero(sums[:, lag] > 0.98 * height)
        drift = float(drifts[equal].mean())
        delay_s = (lag - self._middle) * _BIN_S - drift * anchor_s
        return Coarse(delay_s, drift, max(0.0, 1.0 - second / max(height, 1e-9)), height)

    def _chosen(self, profile: np.ndarray, edge_lags_s: list[float]) -> int:
        peak = int(profile.argmax())
        rivals = np.flatnonzero(profile >= _EDGE_TIE * profile[peak])
        for edge_s in edge_lags_s if np.ptp(rivals) > _APART_BINS else ():
            at = edge_s / _BIN_S + self._middle
            near = rivals[np.abs(rivals - at) <= _EDGE_S / _BIN_S]
            if near.size:
                return int(near[profile[near].argmax()])
        ties = np.flatnonzero(profile >= _TIE * profile[peak])
        if np.ptp(ties) <= _APART_BINS:
            return peak
        nearest = ties[np.abs(ties - self._middle).argmin()]
        near = ties[np.abs(ties - nearest) <= 3]
        return int(near[profile[near].argmax()])


def _shifted(row: np.ndarray, by: int) -> np.ndarray:
    """row[n + by], zeros beyond its ends."""
    if by == 0:
        return row
    out = np.zeros_like(row)
    if by > 0:
        out[:-by] = row[by:]
    else:
        out[-by:] = row[:by]
    return out
