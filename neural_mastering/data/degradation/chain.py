"""Applies a degradation to audio, piece by piece.

    y = 10^(gain_db/20) · lowpass · EQ · width · expander(x)

This undoes mastering in reverse: its last stages first. The expander reads the power of all channels together
and moves them by one gain, so it leaves the stereo picture alone. With x the audio, one-pole averages
p ← p + (1 − c)·(new − p), c = exp(−1/(τ·rate)), and L the track's integrated loudness:

    p = average of Σ_c x_c² with τ = 10 ms                 level = 10·log10(p) − L
    g* = (R_up − 1)·over(level − T_up) − (R_down − 1)·over(T_down − level)   each at most its limit
    g = average of g* with τ = attack where g* > g, else release             x ← x·10^(g/20)

over(u) is max(u, 0) with a parabola across the 6 dB around 0 (a soft knee). p begins at the mean power of the
first 50 ms and g at its static value, so that nothing fades in. A steady sine settles on the static curve.
The low-pass is a second-order Butterworth (RBJ, Q = √½). All of it is causal and runs in float64.
"""

import math

import numpy as np

from neural_mastering.data.degradation import kernels
from neural_mastering.data.degradation.parameters import Degradation
from neural_mastering.dsp import rbj
from neural_mastering.units import power_to_db

KNEE_DB = 6.0
DETECTOR_MS = 10.0
PRIMING_MS = 50.0


class DegradationChain:
    """The chain without its last gain, with state: pieces one after another equal one shot.

    Args:
        degradation: with `sample_rate` and `reference_lufs`, see `Degradation.at_rate`.
        channels: 1 or 2.
    """

    def __init__(self, degradation: Degradation, channels: int) -> None:
        rate = degradation.sample_rate
        self.degradation = degradation
        self._sections = equalizer_sections(degradation)
        self._filters = np.zeros((len(self._sections), channels, 2))
        self._expands = max(degradation.upward.ratio, degradation.downward.ratio) > 1.0
        self._upward, self._downward = (
            (float(e.threshold_db), float(e.ratio), float(e.limit_db))
            for e in (degradation.upward, degradation.downward)
        )
        self._poles = tuple(
            math.exp(-1_000.0 / (ms * rate))
            for ms in (DETECTOR_MS, degradation.attack_ms, degradation.release_ms)
        )
        self._expander: np.ndarray | None = None

    def expand(self, audio: np.ndarray) -> np.ndarray:
        """The expander alone, on the next piece (channel, time), float64, in place."""
        if self._expands and audio.shape[1]:
            if self._expander is None:
                self._expander = self._primed(audio)
            kernels.expand(
                audio,
                float(self.degradation.reference_lufs),
                self._upward,
                self._downward,
                KNEE_DB,
                self._poles,
                self._expander,
            )
        return audio

    def colour(self, audio: np.ndarray) -> np.ndarray:
        """Width, equaliser and low-pass, on the next piece (channel, time), float64, in place."""
        if self.degradation.width != 1.0 and audio.shape[0] == 2:
            mid, side = 0.5 * (audio[0] + audio[1]), 0.5 * self.degradation.width * (audio[0] - audio[1])
            np.add(mid, side, out=audio[0])
            np.subtract(mid, side, out=audio[1])
        if len(self._sections):
            kernels.cascade(audio, self._sections, self._filters)
        return audio

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        """The next piece (channel, time), float64, changed in place."""
        return self.colour(self.expand(audio))

    def _primed(self, audio: np.ndarray) -> np.ndarray:
        first = audio[:, : max(1, round(PRIMING_MS * self.degradation.sample_rate / 1_000.0))]
        power = float(np.square(first).sum(axis=0).mean())
        level_db = power_to_db(power + kernels.POWER_FLOOR) - self.degradation.reference_lufs
        return np.array([power, kernels.expander_gain_db(level_db, self._upward, self._downward, KNEE_DB)])


def equalizer_sections(degradation: Degradation) -> np.ndarray:
    """Bands and low-pass as float64 rows [b0, b1, b2, a1, a2], (section, 5)."""
    rate, bands = degradation.sample_rate, degradation.bands
    frequency_hz, gain_db, q = (
        [getattr(b, name) for b in bands] for name in ("frequency_hz", "gain_db", "q")
    )
    rows = rbj.sections([band.kind for band in bands], frequency_hz, gain_db, q, rate)[:, [0, 1, 2, 4, 5]]
    if degradation.lowpass_hz is None:
        return rows
    w0 = 2.0 * math.pi * degradation.lowpass_hz / rate
    alpha, cosine = math.sin(w0) / math.sqrt(2.0), math.cos(w0)
    half = 0.5 * (1.0 - cosine)
    lowpass = np.array([half, 2.0 * half, half, -2.0 * cosine, 1.0 - alpha]) / (1.0 + alpha)
    return np.vstack([rows, lowpass])
