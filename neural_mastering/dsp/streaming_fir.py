"""Convolution of a signal that comes in chunks."""

import torch
from torch import Tensor

from neural_mastering.dsp.fir import fft_convolve
from neural_mastering.shapes import Audio


def convolve_with_tail(audio: Audio, impulse: Tensor, tail: Tensor | None = None) -> tuple[Audio, Tensor]:
    """Causal convolution of one chunk, and what rings on (batch, channel, tap − 1) into the next.

    Args:
        audio: (batch, channel, time).
        impulse: (batch, tap).
        tail: from the chunk before, None at the start.
    """
    time, taps = audio.shape[-1], impulse.shape[-1]
    wet = fft_convolve(audio, impulse, time + taps - 1)
    if tail is not None:
        wet = wet + torch.nn.functional.pad(tail.to(wet.dtype), (0, time))
    return wet[..., :time], wet[..., time:]


def convolve_valid(audio: Audio, impulse: Tensor) -> Tensor:
    """The part of a convolution that has seen the whole of the impulse response: time − tap + 1 samples.

    Args:
        audio: (batch, channel, time), its first tap − 1 samples being history.
        impulse: (batch, tap).
    """
    return fft_convolve(audio, impulse)[..., impulse.shape[-1] - 1 :]
