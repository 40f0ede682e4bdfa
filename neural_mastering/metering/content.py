"""The content of a song as an equaliser and a level leave it: who plays how, not how loud each region is.

A filter adds a constant to the level of a narrow band, so all that is said here is about levels of bands less their
own mean, about the order of bins inside a third octave, or about side against mid. `content_features` holds the
formulas.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from neural_mastering.audio_io.block import Block
from neural_mastering.dsp import spectrum_kernels
from neural_mastering.dsp.real_fft import is_fast_size, rfft
from neural_mastering.metering.content_features import (
    LOW_HZ,
    OCTAVES,
    THIRDS,
    Envelopes,
    Float64s,
    LongSpectrum,
    content_features,
    third_edges_hz,
)
from neural_mastering.metering.row_store import RowStore

SHORT_S, LONG_S = 2_048 / 44_100, 16_384 / 44_100
"""Windows of the envelopes and of the fine spectrum, half overlapped."""

SHORTEST_S = 4.5
LOWEST_RATE_HZ = 24_000
"""Below this, the highest octave, up to 11.3 kHz, is missing."""

_FRAMES_AT_ONCE = 64


@dataclass(frozen=True)
class Content:
    """Content features of a song.

    Attributes:
        names: of the features.
        values: (feature,), finite.
        seconds: length that was measured.
    """

    names: tuple[str, ...]
    values: Float64s = field(repr=False)
    seconds: float = 0.0

    def __getitem__(self, name: str) -> float:
        return float(self.values[self.names.index(name)])


class ContentMeter:
    """Reads blocks (channel, time); `finish` gives the features.

    Args:
        sample_rate: in Hz; the windows' lengths follow, so that rates agree.
        channels: 1 or 2.
    """

    def __init__(self, sample_rate: float, channels: int) -> None:
        self._rate, self._channels = float(sample_rate), channels
        self._short, self._long = (_fast_size(seconds * sample_rate) for seconds in (SHORT_S, LONG_S))
        self._short_window = np.hanning(self._short + 1)[:-1].astype(np.float32)
        self._long_window = np.hanning(self._long + 1)[:-1].astype(np.float32)
        self._kept = np.zeros((2, 0), dtype=np.float32)
        self._kept_long = np.zeros(0, dtype=np.float32)
        self._weights = _octave_weights(self._rate, self._short)
        self._long_starts = np.round(third_edges_hz() * self._long / self._rate).astype(int)
        self._mid, self._side = RowStore(OCTAVES, np.float32), RowStore(OCTAVES, np.float32)
        self._flatness, self._third_power = RowStore(THIRDS, np.float64), RowStore(THIRDS, np.float64)
        self._bins = np.zeros(int(self._long_starts[-1]))
        self._frames = 0

    @property
    def _is_possible(self) -> bool:
        return self._rate >= LOWEST_RATE_HZ

    def push(self, block: Block) -> None:
        """Read the next block."""
        self._frames += block.shape[1]
        if not self._is_possible:
            return
        signal = np.empty((2, block.shape[1]), np.float32)
        spectrum_kernels.mid_side(block, signal)
        self._kept = np.concatenate([self._kept, signal], axis=1)
        self._kept_long = np.concatenate([self._kept_long, signal[0]])
        self._envelopes()
        self._fine()

    def finish(self) -> Content | None:
        """The features of all blocks so far; None for less than 4.5 s, silence, or a rate below 24 kHz."""
        seconds = self._frames / self._rate
        if seconds < SHORTEST_S or not self._is_possible or not self._flatness:
            return None
        envelopes = Envelopes(
            frame_rate_hz=2.0 * self._rate / self._short,
            mid=self._mid.columns(),
            side=self._side.columns(),
        )
        fine = LongSpectrum(
            at_hz=np.arange(len(self._bins)) * self._rate / self._long,
            power=self._bins,
            flatness_db=self._flatness.columns(),
            third_power=self._third_power.columns(),
        )
        features = content_features(envelopes, fine, is_stereo=self._channels == 2)
        return None if features is None else Content(tuple(features), np.array([*features.values()]), seconds)

    def _envelopes(self) -> None:
        """Powers of mid and side in each octave, frame by frame."""
        hop, upper = self._short // 2, self._weights.shape[0]
        count = max(self._kept.shape[1] // hop - 1, 0)
        if not count:
            return
        frames = np.lib.stride_tricks.sliding_window_view(self._kept, self._short, axis=1)[:, ::hop]
        for start in range(0, count, _FRAMES_AT_ONCE):
            part = frames[:, start : start + _FRAMES_AT_ONCE] * self._short_window
            spectra = rfft(part)
            power = np.empty((*spectra.shape[:-1], upper), np.float32)
            for spectrum, squares in zip(spectra, power, strict=True):
                spectrum_kernels.powers(spectrum, squares)
            self._mid.append(power[0] @ self._weights)
            self._side.append(power[1] @ self._weights)
        self._kept = self._kept[:, count * hop :].copy()

    def _fine(self) -> None:
        """Bins of long windows of the mid: their sum, and how flat each third octave is."""
        starts, hop = self._long_starts, self._long // 2
        count = max(len(self._kept_long) // hop - 1, 0)
        for index in range(count):
            frame = self._kept_long[index * hop : index * hop + self._long] * self._long_window
            squares = np.empty((1, len(self._bins)), np.float32)
            spectrum_kernels.powers(rfft(frame)[None], squares)
            power = squares[0].astype(np.float64)
            self._bins += power
            width = np.diff(starts)
            total = np.add.reduceat(power, starts[:-1])
            mean = np.maximum(total / width, 1e-30)
            inside = power[starts[0] :] / np.repeat(mean, width)
            self._third_power.append(total[None])
            flatness = np.add.reduceat(np.log(inside + 1e-6), starts[:-1] - starts[0]) / width
            self._flatness.append(flatness[None])
        self._kept_long = self._kept_long[count * hop :].copy()


def _fast_size(samples: float) -> int:
    """The even size nearest to `samples` that the FFT is fast at."""
    nearest = 2 * round(samples / 2.0)
    sizes = (nearest + 2 * step * sign for step in range(nearest) for sign in (1, -1))
    return next(size for size in sizes if size > 0 and is_fast_size(size))


def _octave_weights(sample_rate: float, size: int) -> NDArray[np.float32]:
    """Weights (bin, octave): a bin that lies across an edge counts with its part inside."""
    edges = LOW_HZ * 2.0 ** np.arange(OCTAVES + 1)
    width = sample_rate / size
    bins = np.arange(int(np.ceil(edges[-1] / width + 0.5)) + 1) * width
    overlap = np.minimum(edges[None, 1:], bins[:, None] + width / 2.0) - np.maximum(
        edges[None, :-1], bins[:, None] - width / 2.0
    )
    return np.clip(overlap / width, 0.0, 1.0).astype(np.float32)
