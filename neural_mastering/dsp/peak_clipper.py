"""A soft clipper for short peaks, in front of the limiter: at most some decibels, nothing below the ceiling.

With c the ceiling, r and m the released reduction and its running mean (`dsp.limiter`), D the depth in dB:

    clip level   T = c/(1 − r₂ ∗ box ∗ box),   r₂ = max(0, 1 − (1 − r)·10^(D·(1 − m/r)²/20))
    out          y = x + T·e(x/T),   e(v) = f(v) − v at 8 times the rate, averaged between its points
                 f(v) = v to 1, 1 + k − (1 + 2k − v)²/(4k) to 1 + 2k, then 1 + k      (odd, k = 0.05)

A short peak stands far above the running mean and is clipped by D at the most; under a sustained reduction m comes
up to r, the level rises to the peaks and the limiter does the work with its slow release. The change is computed
only where a sample comes near T, and is exactly 0 below it. Filters: `dsp.oversampling_filters`.
"""

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp import peak_kernels
from neural_mastering.dsp.interpolator import interpolator, oversampling
from neural_mastering.dsp.limiter import GainCurve, LimiterSettings
from neural_mastering.dsp.oversampling_filters import REACH, decimating_taps, interpolating_phases
from neural_mastering.dsp.peak_clipper_kernels import KNEE, clip_change
from neural_mastering.units import db_to_gain, gain_to_db

_FACTOR = 8
_CUTOFF = 0.4535  # the change ends below half the sample rate, where true-peak meters can read it


class PeakClipper:
    """Clips blocks (channel, time); the output is `latency_samples` behind.

    Args:
        ceiling_db: dBTP from which peaks are clipped.
        depth_db: the most that is taken off a peak, above 0.
        sample_rate: in Hz.
        channels: 1 or 2.
        settings: of the limiter behind it.
    """

    def __init__(
        self,
        ceiling_db: float,
        depth_db: float,
        sample_rate: int,
        channels: int,
        settings: LimiterSettings | None = None,
    ) -> None:
        settings = settings or LimiterSettings()
        late = settings.latency_samples(sample_rate)
        self.latency_samples = late + peak_kernels.FUTURE + REACH + peak_kernels.RUN
        self._ceiling = db_to_gain(ceiling_db)
        self._curve = GainCurve(self._ceiling, sample_rate, settings, spared_db=depth_db)
        self._grid = interpolator(oversampling(sample_rate))
        self._phases = np.ascontiguousarray(interpolating_phases(_FACTOR)[:, ::-1])
        self._taps = decimating_taps(_FACTOR, _CUTOFF)
        self._ahead = np.zeros((channels, peak_kernels.PAST))
        self._skip = late
        # from REACH samples before the first that has not been sent on
        self._audio = np.zeros((channels, REACH))
        self._change = np.zeros((channels, REACH))
        self._level = np.zeros(REACH)
        self._done = REACH  # first interval of these that was not clipped yet
        self._most = np.ones(1)

    @property
    def most_db(self) -> float:
        """The most that was taken off so far."""
        return gain_to_db(float(self._most[0]))

    def process(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """Clip what is ready."""
        self._audio = np.concatenate([self._audio, block], axis=1)
        ahead = np.concatenate([self._ahead, block], axis=1)
        count = ahead.shape[1] - peak_kernels.PAST - peak_kernels.FUTURE
        count -= count % peak_kernels.RUN
        if count <= 0:
            self._ahead = ahead
            return block[:, :0]
        peaks = np.empty(count)
        start = peak_kernels.PAST
        peak_kernels.interval_peaks(ahead, start, start + count, self._grid, self._ceiling, peaks)
        self._ahead = ahead[:, count:].copy()
        gain = self._curve.push(peaks)
        skipped = min(self._skip, gain.size)
        self._skip -= skipped
        self._level = np.concatenate([self._level, self._ceiling / gain[skipped:]])
        stop = max(self._level.size - 1, self._done)
        missing = stop + REACH + 1 - self._change.shape[1]
        self._change = np.pad(self._change, ((0, 0), (0, max(missing, 0))))
        clip_change(
            self._audio,
            self._level,
            self._done,
            stop,
            self._phases,
            self._taps,
            REACH,
            self._ceiling,
            self._change,
            self._most,
        )
        self._done = stop
        ready = max(stop - 2 * REACH, 0)
        out = self._audio[:, REACH : REACH + ready] + self._change[:, REACH : REACH + ready]
        self._audio, self._change = self._audio[:, ready:].copy(), self._change[:, ready:].copy()
        self._level, self._done = self._level[ready:].copy(), stop - ready
        return out

    def flush(self) -> NDArray[np.float64]:
        """The rest, with silence behind it."""
        rest = self._audio.shape[1] - REACH
        return self.process(np.zeros((len(self._audio), self.latency_samples + 1)))[:, :rest]


def clip_peaks(
    audio: NDArray[np.float64],
    ceiling_db: float,
    depth_db: float,
    sample_rate: int,
    settings: LimiterSettings | None = None,
) -> NDArray[np.float64]:
    """Clip the short peaks of audio (channel, time) in one shot.

    Examples:
        A single peak of +2 dB comes down to the ceiling and the width of the corner; a quiet signal is the same to
        the bit:

        >>> import numpy as np
        >>> click = np.zeros((1, 4_410))
        >>> click[0, 2_000:2_040] = 1.26 * np.hanning(40)
        >>> float(np.abs(clip_peaks(click, 0.0, 3.0, 44_100)).max()) <= 1.06
        True
        >>> bool((clip_peaks(0.5 * click, 0.0, 3.0, 44_100) == 0.5 * click).all())
        True
    """
    clipper = PeakClipper(ceiling_db, depth_db, sample_rate, len(audio), settings)
    return np.concatenate([clipper.process(np.ascontiguousarray(audio)), clipper.flush()], axis=1)


__all__ = ["KNEE", "PeakClipper", "clip_peaks"]
