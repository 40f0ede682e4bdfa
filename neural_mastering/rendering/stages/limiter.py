"""The look-ahead true-peak limiter as a stage of a stream."""

import numpy as np

from neural_mastering.audio_io.block import Block
from neural_mastering.dsp import peak_kernels
from neural_mastering.dsp.interpolator import interpolator, oversampling
from neural_mastering.dsp.limiter import GainCurve, LimiterSettings
from neural_mastering.rendering.stages.base import StreamStage
from neural_mastering.units import db_to_gain, gain_to_db

POINT_MS = 100.0
"""Spacing of the recorded gain reduction."""


class LimiterStage(StreamStage):
    """`dsp.limiter.limit` in blocks, with the largest reduction of every 100 ms on record.

    Args:
        ceiling_db: true peak that the output keeps, dBTP.
        sample_rate: in Hz.
        channels: 1 or 2.
        settings: look-ahead and release.
    """

    name = "limiter"

    def __init__(
        self, ceiling_db: float, sample_rate: int, channels: int, settings: LimiterSettings | None = None
    ) -> None:
        settings = settings or LimiterSettings()
        self._late = settings.latency_samples(sample_rate)
        self.latency_samples = self._late + peak_kernels.FUTURE + peak_kernels.RUN - 1
        self._threshold = db_to_gain(ceiling_db)
        self._curve = GainCurve(self._threshold, sample_rate, settings)
        self._phases = interpolator(oversampling(sample_rate))
        self._ahead = np.zeros((channels, peak_kernels.PAST))  # read by the interpolator
        self._delayed = np.zeros((channels, 0))  # waiting for their gain
        self._skip = self._late  # gains that belong to before the first sample
        self._point = max(round(POINT_MS * sample_rate / 1000.0), 1)
        self._lowest: list[float] = []
        self._position = 0

    @property
    def reduction_db(self) -> np.ndarray:
        """Largest reduction of each 100 ms so far, as positive numbers."""
        return np.array([0.0 - gain_to_db(gain) for gain in self._lowest])

    def process(self, block: Block) -> Block:
        """Limit; the output is `latency_samples` behind."""
        self._delayed = np.concatenate([self._delayed, block], axis=1)
        ahead = np.concatenate([self._ahead, block], axis=1)
        count = ahead.shape[1] - peak_kernels.PAST - peak_kernels.FUTURE
        count -= count % peak_kernels.RUN
        if count <= 0:
            self._ahead = ahead
            return self._delayed[:, :0]
        peaks = np.empty(count)
        start = peak_kernels.PAST
        peak_kernels.interval_peaks(ahead, start, start + count, self._phases, self._threshold, peaks)
        self._ahead = ahead[:, count:].copy()
        gain = self._curve.push(peaks)
        skipped = min(self._skip, gain.size)
        self._skip -= skipped
        gain = gain[skipped:]
        out = self._delayed[:, : gain.size] * gain
        self._delayed = self._delayed[:, gain.size :].copy()
        self._record(gain)
        return out

    def flush(self) -> Block | None:
        """The rest, with silence behind it."""
        rest = self._delayed.shape[1]
        if not rest:
            return None
        out = self.process(np.zeros((self._delayed.shape[0], self.latency_samples)))
        return out[:, :rest]

    def _record(self, gain: np.ndarray) -> None:
        start = 0
        while start < gain.size:
            inside = self._position % self._point
            stop = min(start + self._point - inside, gain.size)
            lowest = float(gain[start:stop].min())
            if inside == 0:
                self._lowest.append(lowest)
            else:
                self._lowest[-1] = min(self._lowest[-1], lowest)
            self._position += stop - start
            start = stop
