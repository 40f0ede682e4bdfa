"""The change of a wave that keeps it below a level and lies where the wave itself masks it; see `peak_clipper`."""

import numpy as np
from numpy.typing import NDArray

from neural_mastering.dsp.masked_change_kernels import ascend, largest_ratio, masks
from neural_mastering.dsp.real_fft import irfft, rfft

STEPS = (3.0, 1.3, 1.3, 1.0)
"""μ of each step of dual ascent: a long one from 0, which needs no spectrum, then shorter ones, with momentum."""

ASCENTS = len(STEPS)

_FRAME_S = 1024 / 46_000
_LEAST_FRAME = 64


def frame_samples(sample_rate: float) -> int:
    """Length of a frame: the power of two nearest to 22 ms (1024 at 44.1 and 48 kHz).

    >>> frame_samples(22_050), frame_samples(44_100), frame_samples(48_000), frame_samples(96_000)
    (512, 1024, 1024, 2048)
    """
    return max(1 << round(float(np.log2(_FRAME_S * sample_rate))), _LEAST_FRAME)


def hop_samples(sample_rate: float) -> int:
    """Half a frame: frames begin at its multiples."""
    return frame_samples(sample_rate) // 2


class MaskedChange:
    """The change e of a signal, hop by hop; `latency_samples` behind it.

    Each step needs the frames to both sides of a hop, so it runs one hop behind the step before it.

    Args:
        sample_rate: in Hz.
        channels: of the signal.

    Attributes:
        hop: half a frame; signals come in multiples of it.
        latency_samples: how far the change is behind.
        most: the largest ratio by which a sample above the level was lowered so far.
    """

    def __init__(self, sample_rate: float, channels: int) -> None:
        size = frame_samples(sample_rate)
        self.hop = hop_samples(sample_rate)
        self.latency_samples = ASCENTS * self.hop
        self.most = 1.0
        self._window = np.sin(np.pi * np.arange(size) / size).astype(np.float32)
        kept = ASCENTS + 1  # hops that the next call needs again
        self._audio = np.zeros((channels, kept, self.hop))
        self._level = np.ones((kept, self.hop))
        # z and λ of each step
        self._steps = [np.zeros((2, channels, kept, self.hop)) for _ in range(ASCENTS)]
        self._masks = np.zeros((channels, kept, self.hop + 1), np.float32)
        self._has_mask = np.zeros((channels, kept), np.bool_)

    def push(self, audio: NDArray[np.float64], level: NDArray[np.float64]) -> NDArray[np.float64]:
        """The change (channel, time) that has become ready: as long as the audio, `latency_samples` before it.

        Args:
            audio: (channel, time), whole hops.
            level: (time,) that |audio − change| should not pass.
        """
        new, kept = audio.shape[1] // self.hop, ASCENTS + 1
        shape = (len(audio), new, self.hop)
        self._audio = np.concatenate([self._audio, audio.reshape(shape)], axis=1)
        self._level = np.concatenate([self._level, level.reshape(new, self.hop)])
        self._steps = [np.pad(step, ((0, 0), (0, 0), (0, new), (0, 0))) for step in self._steps]
        self._masks = np.pad(self._masks, ((0, 0), (0, new), (0, 0)))
        self._has_mask = np.pad(self._has_mask, ((0, 0), (0, new)))
        momentum = 1.0
        change = np.zeros(shape)
        for number, step in enumerate(self._steps):
            hops = slice(kept - number, kept - number + new)
            following = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum * momentum))
            before = self._steps[number - 1] if number else np.zeros_like(step)
            if number:
                change = self._masked(before[0], hops)
            ascend(
                self._audio[:, hops],
                self._level[hops],
                change,
                before[:, :, hops],
                STEPS[number],
                (momentum - 1.0) / following,
                step[:, :, hops],
            )
            momentum = following
        ready = slice(kept - ASCENTS, kept - ASCENTS + new)
        change = self._masked(self._steps[-1][1], ready)
        self.most = max(self.most, largest_ratio(self._audio[:, ready], self._level[ready], change))
        self._audio, self._level = self._audio[:, new:].copy(), self._level[new:].copy()
        self._steps = [step[:, :, new:].copy() for step in self._steps]
        self._masks, self._has_mask = self._masks[:, new:].copy(), self._has_mask[:, new:].copy()
        return change.reshape(audio.shape)

    def _masked(self, multipliers: NDArray[np.float64], hops: slice) -> NDArray[np.float64]:
        """H λ of some hops (channel, hop, time) of the multipliers; frame f holds the hops f and f + 1."""
        sounding = np.any(multipliers[:, hops.start - 1 : hops.stop + 1], axis=2)
        active = np.zeros((len(multipliers), self._masks.shape[1]), np.bool_)
        active[:, hops.start - 1 : hops.stop] = sounding[:, :-1] | sounding[:, 1:]
        change = np.zeros((len(multipliers), hops.stop - hops.start, self.hop))
        channel, frame = np.nonzero(active)
        if channel.size == 0:
            return change
        self._find_masks(*np.nonzero(active & ~self._has_mask))
        spectra = rfft(self._frames(multipliers, channel, frame) * self._window)
        filtered = irfft(spectra * self._masks[channel, frame], 2 * self.hop) * self._window
        both = np.zeros((len(multipliers), hops.stop - hops.start + 1, 2, self.hop), np.float32)
        both[channel, frame - hops.start + 1] = filtered.reshape(-1, 2, self.hop)
        return (both[:, :-1, 1] + both[:, 1:, 0]).astype(np.float64)

    def _find_masks(self, channel: NDArray[np.intp], frame: NDArray[np.intp]) -> None:
        """H of frames that have none yet."""
        if channel.size == 0:
            return
        frames = self._frames(self._audio, channel, frame) * np.square(self._window)
        self._masks[channel, frame] = masks(rfft(frames))
        self._has_mask[channel, frame] = True

    @staticmethod
    def _frames(
        signal: NDArray[np.float64], channel: NDArray[np.intp], frame: NDArray[np.intp]
    ) -> NDArray[np.float32]:
        halves = (signal[channel, frame], signal[channel, frame + 1])
        return np.concatenate(halves, axis=1).astype(np.float32)
