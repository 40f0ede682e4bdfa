"""A clipper of short peaks, in front of the limiter, whose change lies where the song masks it.

Clipping is the smallest change of the wave that keeps it below a level, and spreads over all frequencies. This one
makes the change that is smallest where the song is loud, per bin of a short-time spectrum with the window w:

    minimise Σ |E_k|²/H_k   so that |x − e| ≤ T,     H = S^(3/8)/max S^(3/8),   S = |X|² of the frame ∗ 5 bins

With multipliers λ (λ > 0 at a crest, λ < 0 at a trough, 0 where the level is not reached) the solution is e = H λ,
that is, frames of λ·w filtered by H, times w, added up. λ comes from `ASCENTS` accelerated steps of dual ascent
(Beck & Teboulle 2009): λ ← z + μ·(|x − H z| − T), kept at its sign. What they leave is the limiter's.

T is the ceiling for peaks that stand out, and rises where the reduction is sustained (`dsp.clip_level`): there the
limiter does the work, which keeps steady tones clean.
"""

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp import peak_kernels
from neural_mastering.dsp.clip_level import ClipLevel
from neural_mastering.dsp.interpolator import interpolator, oversampling
from neural_mastering.dsp.masked_change import MaskedChange
from neural_mastering.units import db_to_gain, gain_to_db


class PeakClipper:
    """Clips blocks (channel, time); the output is `latency_samples` behind.

    Args:
        ceiling_db: dBTP from which peaks are clipped.
        depth_db: the most that is taken off a peak, above 0.
        sample_rate: in Hz.
        channels: 1 or 2.
    """

    def __init__(self, ceiling_db: float, depth_db: float, sample_rate: int, channels: int) -> None:
        self._change = MaskedChange(sample_rate, channels)
        self._hop = self._change.hop
        self._ceiling = db_to_gain(ceiling_db)
        self._follower = ClipLevel(self._ceiling, depth_db, sample_rate)
        self._grid = interpolator(oversampling(sample_rate))
        self._ahead = np.zeros((channels, peak_kernels.PAST))
        self._skip = late = self._follower.latency_samples
        self._audio = np.zeros((channels, 0))  # what has not been changed yet
        self._waiting = np.zeros((channels, 0))  # what has been, but for the last steps
        self._level = np.zeros(0)
        self._early = self._change.latency_samples
        self.latency_samples = late + peak_kernels.FUTURE + peak_kernels.RUN + self._hop + self._early

    @property
    def most_db(self) -> float:
        """The most that was taken off a peak so far."""
        return gain_to_db(self._change.most)

    def process(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """Clip what is ready."""
        self._audio = np.concatenate([self._audio, block], axis=1)
        self._follow(block)
        count = self._level.size // self._hop * self._hop
        if count == 0:
            return block[:, :0]
        audio, level = self._audio[:, :count], self._level[:count]
        self._audio, self._level = self._audio[:, count:].copy(), self._level[count:].copy()
        change = self._change.push(audio, level)
        early = min(self._early, change.shape[1])
        self._early -= early
        change = change[:, early:]
        self._waiting = np.concatenate([self._waiting, audio], axis=1)
        out = self._waiting[:, : change.shape[1]] - change
        self._waiting = self._waiting[:, change.shape[1] :].copy()
        return out

    def flush(self) -> NDArray[np.float64]:
        """The rest, with silence behind it."""
        rest = self._audio.shape[1] + self._waiting.shape[1]
        return self.process(np.zeros((len(self._audio), self.latency_samples + self._hop)))[:, :rest]

    def _follow(self, block: NDArray[np.float64]) -> None:
        """Add to the level what the peaks of the block decide."""
        ahead = np.concatenate([self._ahead, block], axis=1)
        count = ahead.shape[1] - peak_kernels.PAST - peak_kernels.FUTURE
        count -= count % peak_kernels.RUN
        if count <= 0:
            self._ahead = ahead
            return
        peaks = np.empty(count)
        start = peak_kernels.PAST
        peak_kernels.interval_peaks(ahead, start, start + count, self._grid, self._ceiling, peaks)
        self._ahead = ahead[:, count:].copy()
        level = self._follower.push(peaks)
        skipped = min(self._skip, level.size)
        self._skip -= skipped
        self._level = np.concatenate([self._level, level[skipped:]])


def clip_peaks(
    audio: NDArray[np.float64], ceiling_db: float, depth_db: float, sample_rate: int
) -> NDArray[np.float64]:
    """Clip the short peaks of audio (channel, time) in one shot.

    Examples:
        A single peak of +2 dB comes down to the ceiling; a quiet signal is the same to the bit:

        >>> import numpy as np
        >>> click = np.zeros((1, 4_410))
        >>> click[0, 2_000:2_040] = 1.26 * np.hanning(40)
        >>> float(np.abs(clip_peaks(click, 0.0, 3.0, 44_100)).max()) <= 1.06
        True
        >>> bool((clip_peaks(0.5 * click, 0.0, 3.0, 44_100) == 0.5 * click).all())
        True
    """
    clipper = PeakClipper(ceiling_db, depth_db, sample_rate, len(audio))
    return np.concatenate([clipper.process(np.ascontiguousarray(audio)), clipper.flush()], axis=1)
