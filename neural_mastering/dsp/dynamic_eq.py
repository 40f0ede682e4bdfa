"""Dynamic equaliser: a peaking band whose gain follows the level in the band.

With the band-pass p = BP(x) of `dsp.band_pass` and its level L in dB (mean square of the channels):

    depth      t = 1 − exp(−(L − threshold)/6 dB) above the threshold, 0 below
    smoothed   s[n] = s[n−1] + c·(t[n] − s[n−1])                           `envelope.smooth`
    output     y = x + (10^(range·s/20) − 1)·p

At a range of 0 dB the output is the input. At a constant s the band is the RBJ peaking filter of g = range·s dB
and Q·10^(−g/40): Q is that of the band-pass, which keeps its width, so that the curve of a cut is narrower than
an RBJ peak of the same Q, and that of a boost wider. Bands stand in series, each behind the one before, so that
their curves add up in dB; a sum of parallel cuts that overlap would turn the polarity around.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from neural_mastering.dsp import band_pass
from neural_mastering.dsp.compiled import can_compile_for
from neural_mastering.dsp.compressor import FLOOR_POWER, linked_power
from neural_mastering.dsp.envelope import coefficient, smooth
from neural_mastering.dsp.fir import fft_convolve
from neural_mastering.shapes import Audio, Frames, PerItem
from neural_mastering.units import NEPERS_PER_DB, power_to_db

SOFTNESS_DB = 6.0
"""How far over the threshold the depth reaches 63 %."""


def depth_of(power: Frames, threshold_dbfs: PerItem) -> Frames:
    """Depth (batch, time), 0 to below 1, that a steady power (batch, time) of the band asks for."""
    over_db = power_to_db(power.clamp(min=FLOOR_POWER)) - threshold_dbfs[:, None]
    return -torch.expm1(-over_db.clamp(min=0.0) / SOFTNESS_DB)


def smoothed_depth(
    power: Frames, threshold_dbfs: PerItem, attack_ms: PerItem, release_ms: PerItem, sample_rate: float
) -> Frames:
    """`envelope.smooth` of `depth_of`, from 0, in float64; differentiable once.

    Args:
        power: (batch, time), mean square of the band.
        threshold_dbfs: (batch,) in dBFS.
        attack_ms, release_ms: (batch,) time constants in ms.
        sample_rate: in Hz.
    """
    if not can_compile_for(power):
        return smooth(depth_of(power, threshold_dbfs), attack_ms, release_ms, sample_rate)
    rise, fall = coefficient(attack_ms, sample_rate), coefficient(release_ms, sample_rate)
    return _Depth.apply(power, threshold_dbfs.double(), rise, fall)


class _Depth(torch.autograd.Function):
    """Detector's curve and ballistics in one compiled pass: element by element they cost several times as much."""

    @staticmethod
    def forward(ctx: Any, power: Tensor, *controls: Tensor) -> Tensor:
        from neural_mastering.dsp import dynamic_eq_kernels  # loads numba

        inputs = [t.detach().contiguous() for t in (power, *controls)]
        out = torch.empty(power.shape, dtype=torch.float64)
        dynamic_eq_kernels.follow(FLOOR_POWER, SOFTNESS_DB, *(t.numpy() for t in (*inputs, out)))
        ctx.save_for_backward(*inputs, out)
        return out

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor, ...]:
        from neural_mastering.dsp import dynamic_eq_kernels  # loads numba

        *inputs, out = ctx.saved_tensors
        gradients = [torch.empty_like(t) for t in inputs]
        arrays = (*inputs, out, grad_outputs[0].contiguous(), *gradients)
        dynamic_eq_kernels.derivative(FLOOR_POWER, SOFTNESS_DB, *(t.numpy() for t in arrays))
        return tuple(gradients)


def render_band(
    audio: Audio,
    frequency_hz: PerItem,
    q: PerItem,
    threshold_dbfs: PerItem,
    range_db: PerItem,
    attack_ms: PerItem,
    release_ms: PerItem,
    sample_rate: float,
    taps: int,
) -> Audio:
    """One dynamic band on audio (batch, channel, time), float32 or float64, in the dtype of the audio.

    Differentiable with respect to everything. The band-pass is an impulse response of `taps` samples, whose
    length is best taken from the ranges of the controls (`biquad.impulse_response_length` at 0 dB), so that an
    item does not depend on its batch.

    Args:
        audio: (batch, channel, time).
        frequency_hz, q: (batch,) of the band-pass; frequencies between 0 and sample_rate/2.
        threshold_dbfs: (batch,) in dBFS of the band's mean square.
        range_db: (batch,) gain at full depth in dB.
        attack_ms, release_ms: (batch,) time constants of the depth in ms.
        sample_rate: in Hz.
        taps: length of the impulse response in samples.
    """
    wide = torch.float64 if audio.device.type == "cpu" else audio.dtype
    at_hz = torch.arange(taps // 2 + 1, device=audio.device, dtype=wide) * (sample_rate / taps)
    spectrum = band_pass.response(frequency_hz.to(wide), q.to(wide), at_hz, sample_rate)
    band = fft_convolve(audio, torch.fft.irfft(spectrum, n=taps).to(audio.dtype))
    power = linked_power(band, "mean_square")
    depth = smoothed_depth(power, threshold_dbfs.to(audio.dtype), attack_ms, release_ms, sample_rate)
    change = torch.expm1((NEPERS_PER_DB * range_db.to(audio.dtype))[:, None] * depth.to(audio.dtype))
    return audio + change[:, None] * band


def render_stream(
    audio: Audio,
    frequency_hz: Tensor,
    q: Tensor,
    threshold_dbfs: Tensor,
    range_db: Tensor,
    attack_ms: Tensor,
    release_ms: Tensor,
    design_rate_hz: float,
    sample_rate: float,
    memory: Tensor,
    depth: Tensor,
) -> tuple[Audio, Tensor, Tensor]:
    """Bands in series by a compiled loop, chunk by chunk, without gradients; on the CPU, float64.

    The same as `render_band` for each band at the design rate, where it keeps the curve of
    `band_pass.filter_at_rate` at other rates.

    Args:
        audio: (batch, channel, time), one or two channels.
        frequency_hz, q, threshold_dbfs, range_db, attack_ms, release_ms: (batch, band), as in `render_band`.
        design_rate_hz: the rate at which frequency and Q mean their curve.
        sample_rate: of the audio in Hz.
        memory: (batch, band, channel, 3) of the filters, zeros at the start.
        depth: (batch, band) after the sample before, zeros at the start.

    Returns:
        The audio, and memory and depth for the next chunk.
    """
    from neural_mastering.dsp import (  # loads numba
        dynamic_eq_kernels,
    )  # numba takes a second, which training need not wait for

    x = audio.detach().to("cpu", torch.float64).contiguous()
    memory, depth = (t.detach().to("cpu", torch.float64).clone() for t in (memory, depth))
    frequencies, qs = (t.detach().double().tolist() for t in (frequency_hz, q))
    rates = [coefficient(t.detach(), sample_rate) for t in (attack_ms, release_ms)]
    settings = torch.stack([threshold_dbfs.detach().double(), range_db.detach().double(), *rates], dim=-1)
    out = torch.empty_like(x)
    for item in range(x.shape[0]):
        filters = np.stack(
            [
                band_pass.filter_at_rate(f, quality, design_rate_hz, sample_rate)
                for f, quality in zip(frequencies[item], qs[item], strict=True)
            ]
        )
        dynamic_eq_kernels.stream(
            FLOOR_POWER,
            SOFTNESS_DB,
            x[item].numpy(),
            filters,
            settings[item].cpu().contiguous().numpy(),
            memory[item].numpy(),
            depth[item].numpy(),
            out[item].numpy(),
        )
    return out.to(audio), memory, depth
