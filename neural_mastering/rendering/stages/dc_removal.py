"""A high-pass below hearing that removes a DC offset."""

import math

import numpy as np

from neural_mastering.audio_io.block import Block
from neural_mastering.dsp import stream_kernels
from neural_mastering.metering.preflight import has_dc
from neural_mastering.rendering.stages.base import StreamStage

CORNER_HZ = 5.0


def dc_removal(channel_mean: tuple[float, ...], sample_rate: int) -> list[StreamStage]:
    """The stage for a song with such means of its channels: one where an offset is worth removing, else none."""
    return [DcRemovalStage(channel_mean, sample_rate)] if has_dc(channel_mean) else []


class DcRemovalStage(StreamStage):
    """y[n] = (1 + p)/2·(x[n] − x[n − 1]) + p·y[n − 1], p = exp(−2π·5 Hz/rate).

    It starts as if the offset had always been there, so that no step begins the song; −0.26 dB at 20 Hz.

    Args:
        offset: mean of each channel.
        sample_rate: in Hz.
    """

    name = "dc_removal"

    def __init__(self, offset: tuple[float, ...], sample_rate: int) -> None:
        pole = math.exp(-2.0 * math.pi * CORNER_HZ / sample_rate)
        scale = 0.5 * (1.0 + pole)
        self._scale, self._pole = scale, pole
        self._state = -scale * np.array(offset, dtype=np.float64)

    def process(self, block: Block) -> Block:
        """Filter."""
        out = np.empty_like(block)
        stream_kernels.dc_blocked(np.ascontiguousarray(block), self._scale, self._pole, self._state, out)
        return out
