"""Convolution with long impulse responses by FFT."""

from typing import Any

import torch
from scipy.fft import next_fast_len
from torch import Tensor
from torch.autograd.function import once_differentiable


def fft_convolve(audio: Tensor, impulse_response: Tensor, length: int | None = None) -> Tensor:
    """Causal linear convolution y[n] = Σ_k h[k]·x[n − k], its first `length` samples.

    Differentiable once, with respect to both.

    Args:
        audio: (batch, channel, time).
        impulse_response: (batch, tap), the same for all channels of an item.
        length: of the result; by default as long as the audio.
    """
    return _Convolution.apply(audio, impulse_response, audio.shape[-1] if length is None else length)


class _Convolution(torch.autograd.Function):
    """Written out since the derivative of a real FFT costs a complex one of the full size in autograd."""

    @staticmethod
    def forward(ctx: Any, audio: Tensor, impulse_response: Tensor, length: int) -> Tensor:
        time, taps = audio.shape[-1], impulse_response.shape[-1]
        # A circular result is wrong only where the tail wraps around, behind the samples that are kept.
        ctx.size = next_fast_len(max(time + taps - 1, length), real=True)
        ctx.time, ctx.taps = time, taps
        audio_spectrum = torch.fft.rfft(audio, n=ctx.size)
        response = torch.fft.rfft(impulse_response, n=ctx.size).unsqueeze(1)
        needs_audio, needs_response, _ = ctx.needs_input_grad
        ctx.save_for_backward(audio_spectrum if needs_response else None, response if needs_audio else None)
        return torch.fft.irfft(audio_spectrum * response, n=ctx.size)[..., :length]

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor | None, ...]:
        audio_spectrum, response = ctx.saved_tensors
        upstream = torch.fft.rfft(grad_outputs[0], n=ctx.size)
        for_audio, for_response = None, None
        if audio_spectrum is not None:
            correlation = (upstream * audio_spectrum.conj()).sum(dim=1)
            for_response = torch.fft.irfft(correlation, n=ctx.size)[..., : ctx.taps]
        if response is not None:
            for_audio = torch.fft.irfft(upstream.mul_(response.conj()), n=ctx.size)[..., : ctx.time]
        return for_audio, for_response, None
