"""Convolution with long impulse responses by FFT."""

import torch
from scipy.fft import next_fast_len
from torch import Tensor


def fft_convolve(audio: Tensor, impulse_response: Tensor, length: int | None = None) -> Tensor:
    """Causal linear convolution y[n] = Σ_k h[k]·x[n − k], its first `length` samples.

    Args:
        audio: (batch, channel, time).
        impulse_response: (batch, tap), the same for all channels of an item.
        length: of the result; by default as long as the audio.
    """
    time, taps = audio.shape[-1], impulse_response.shape[-1]
    length = time if length is None else length
    # A circular result is wrong only where the tail wraps around, behind the samples that are kept.
    size = next_fast_len(max(time + taps - 1, length), real=True)
    spectrum = torch.fft.rfft(audio, n=size) * torch.fft.rfft(impulse_response, n=size).unsqueeze(1)
    return torch.fft.irfft(spectrum, n=size)[..., :length]
