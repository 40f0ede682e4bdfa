"""Fades at both ends of a song."""

import numpy as np

from neural_mastering.audio_io.block import Block
from neural_mastering.dsp.fade import fade_gain
from neural_mastering.rendering.edits import Fade
from neural_mastering.rendering.stages.base import StreamStage


class FadeStage(StreamStage):
    """Starts and ends in silence.

    Args:
        fade_in, fade_out: None for none.
        frames: samples of the song.
        sample_rate: in Hz.
    """

    name = "fade"

    def __init__(self, fade_in: Fade | None, fade_out: Fade | None, frames: int, sample_rate: int) -> None:
        self._in, self._out = fade_in, fade_out
        self._last, self._rate = frames - 1, sample_rate
        self._position = 0

    def process(self, block: Block) -> Block:
        """Scale the samples that lie in a fade: the first and the last one of the song are 0."""
        at = self._position + np.arange(block.shape[1], dtype=np.float64)
        self._position += block.shape[1]
        gain = np.ones(block.shape[1])
        if self._in is not None:
            gain = gain * fade_gain(at / (self._in.seconds * self._rate), self._in.curve)
        if self._out is not None:
            left = np.maximum(self._last - at, 0.0)
            gain = gain * fade_gain(left / (self._out.seconds * self._rate), self._out.curve)
        return block * gain


def fade_stages(
    fade_in: Fade | None, fade_out: Fade | None, frames: int, sample_rate: int
) -> list[StreamStage]:
    """The stage, where there is anything to do."""
    if fade_in is None and fade_out is None:
        return []
    return [FadeStage(fade_in, fade_out, frames, sample_rate)]
