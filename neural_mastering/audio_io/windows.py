"""A stream in windows that follow one another, at the sample rate of who listens."""

from collections.abc import Iterator

import numpy as np

from neural_mastering.audio_io.block import Block
from neural_mastering.audio_io.resample import Resampler, Samples


class StreamWindows:
    """Cuts a stream into windows (channel, time) in float32; the last one ends with the stream.

    Args:
        sample_rate: of the stream in Hz.
        target_hz: of the windows; soxr (VHQ) where it is another.
        window: length in samples at that rate; a shorter stream is one window.
    """

    def __init__(self, sample_rate: int, target_hz: float, window: int) -> None:
        self._rate, self._target_hz, self._window = sample_rate, target_hz, window
        self._resampler: Resampler | None = None
        self._parts: list[Samples] = []  # the last window and what follows it
        self._covered = 0  # samples of these that a window has covered

    def push(self, block: Block) -> Iterator[Samples]:
        """The windows that are complete with this block."""
        if self._resampler is None:
            self._resampler = Resampler(self._rate, self._target_hz, block.shape[0])
        yield from self._take(self._resampler.push(block.astype(np.float32)))

    def finish(self) -> Iterator[Samples]:
        """What is left when the stream has ended."""
        if self._resampler is not None:
            yield from self._take(self._resampler.finish())
        kept = np.concatenate(self._parts, axis=1) if self._parts else None
        if kept is not None and kept.shape[1] > self._covered:
            yield np.ascontiguousarray(kept[:, -self._window :])

    def _take(self, block: Samples) -> Iterator[Samples]:
        self._parts.append(block)
        held = sum(part.shape[1] for part in self._parts)
        if held - self._covered < self._window:
            return
        kept = np.concatenate(self._parts, axis=1)
        while kept.shape[1] - self._covered >= self._window:
            yield np.ascontiguousarray(kept[:, self._covered : self._covered + self._window])
            self._covered += self._window
        cut = max(self._covered - self._window, 0)
        self._parts, self._covered = [kept[:, cut:].copy()], self._covered - cut
