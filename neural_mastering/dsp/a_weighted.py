"""Relative distance of A-weighted spectrograms.

    distance = Σ w(f)·| |P| − |T| | / max(Σ w(f)·|T|, c)

P and T are the STFTs (periodic Hann, zero-padded at the ends) of the views of output and target; the sums run
over views, frequencies and frames of an item. w is the exact amplitude weight of IEC 61672-1. A common gain on
both sides changes nothing; 1 is the cost of silence in place of the target. c is the sum that a 1 kHz sine at
`floor_db` dBFS in one view would give, so that a silent target gives a finite value.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from neural_mastering.dsp.compiled import can_compile_for
from neural_mastering.dsp.stft_resolution import MIX, VIEWS, View
from neural_mastering.dsp.weighting import a_weighting_gain
from neural_mastering.shapes import Audio, PerItem, check_audio, check_same_shape
from neural_mastering.units import db_to_gain

_SMALLEST_MAGNITUDE = 1e-15  # its square is still a normal float32

FFT_SIZE, HOP, FLOOR_DB = 2048, 512, -60.0


def a_weighted_distance(
    audio: Audio,
    target: Tensor,
    sample_rate: float,
    fft_size: int = FFT_SIZE,
    hop: int = HOP,
    floor_db: float = FLOOR_DB,
    views: Sequence[View] = VIEWS,
) -> PerItem:
    """The distance of each item by itself, (batch,); mono audio has one view.

    The gradient with respect to `audio` is exact; there is none with respect to `target`, and no second
    derivative. The work is done in float32 at least, outside autocast.

    Args:
        audio, target: (batch, channel, time) of one shape, one or two channels.
        sample_rate: in Hz.
        fft_size: window length in samples, even.
        hop: between frames, in samples.
        floor_db: level of the quietest target that is told apart from silence.
        views: which signals are compared.

    Raises:
        ValueError: shapes that differ, neither mono nor stereo, an FFT size that is odd or below 4, no hop.

    Examples:
        >>> import torch
        >>> noise = 0.1 * torch.randn(1, 2, 44_100, generator=torch.Generator().manual_seed(0))
        >>> a_weighted_distance(0.5 * noise, noise, 44_100), a_weighted_distance(0.0 * noise, noise, 44_100)
        (tensor([0.500]), tensor([1.000]))
    """
    if fft_size < 4 or fft_size % 2 or hop < 1:
        raise ValueError(f"expected an even fft_size of 4 or more and a hop; got {fft_size} and {hop}")
    check_audio(audio)
    check_same_shape(audio, target)
    if audio.shape[1] not in (1, 2):
        raise ValueError(f"expected mono or stereo audio; got {audio.shape[1]} channels")
    with torch.autocast(audio.device.type, enabled=False):
        audio = audio if audio.dtype == torch.float64 else audio.float()
        window = torch.hann_window(fft_size, dtype=audio.dtype, device=audio.device)
        weight = bin_weights(sample_rate, fft_size).to(audio)
        mix = tuple(MIX[view] for view in views) if audio.shape[1] == 2 else ((1.0, 0.0),)
        wants_gradient = torch.is_grad_enabled() and audio.requires_grad
        if audio.dtype == torch.float32 and can_compile_for(audio):
            floor = floor_per_frame(fft_size, floor_db)
            return _FusedAWeighted.apply(audio, target.to(audio), weight, hop, floor, mix, wants_gradient)
        return _Distance.apply(
            audio,
            target.to(audio),
            window,
            weight,
            hop,
            floor_per_frame(fft_size, floor_db),
            mix,
            wants_gradient,
        )


def bin_weights(sample_rate: float, fft_size: int) -> Tensor:
    """w at the bins of a real FFT, (frequency,), float64."""
    return a_weighting_gain(torch.arange(fft_size // 2 + 1, dtype=torch.float64) * (sample_rate / fft_size))


def floor_per_frame(fft_size: int, floor_db: float = FLOOR_DB) -> float:
    """c for one frame: the sum of the magnitudes of a sine at `floor_db` dBFS."""
    # A sine of amplitude a puts a·Σ window/2 on its bin and as much again, in sum, on the bins beside it.
    return db_to_gain(floor_db) * torch.hann_window(fft_size, dtype=torch.float64).sum().item()


class _FusedAWeighted(torch.autograd.Function):
    """The distance and its gradient by compiled loops; the backward pass only scales."""

    @staticmethod
    def forward(
        ctx: Any,
        audio: Tensor,
        target: Tensor,
        weight: Tensor,
        hop: int,
        floor: float,
        mix: Sequence[tuple[float, float]],
        wants_gradient: bool,
    ) -> Tensor:
        from neural_mastering.dsp import a_weighted_fused  # loads numba

        values, gradient = a_weighted_fused.distance_and_gradient(
            audio.detach().numpy(),
            target.detach().numpy(),
            weight.numpy(),
            hop,
            floor,
            mix,
            wants_gradient,
            workers=torch.get_num_threads(),
        )
        if gradient is not None:
            ctx.save_for_backward(torch.from_numpy(gradient))
        return torch.from_numpy(values)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * grad_outputs[0][:, None, None], None, None, None, None, None, None


class _Distance(torch.autograd.Function):
    """The same in tensor operations: float64, and other devices."""

    @staticmethod
    def forward(
        ctx: Any,
        audio: Tensor,
        target: Tensor,
        window: Tensor,
        weight: Tensor,
        hop: int,
        floor: float,
        mix: Sequence[tuple[float, float]],
        wants_gradient: bool,
    ) -> Tensor:
        gradient = torch.zeros_like(audio) if wants_gradient else None
        values: list[Tensor] = []
        for item in range(audio.shape[0]):  # the spectra of one item may stay in a processor's cache
            predicted, wanted = (_spectra(side[item], window, hop) for side in (audio, target))
            distance, norm, slope = _compare(predicted, wanted, weight, mix, wants_gradient)
            norm = norm.clamp(min=floor * predicted.shape[1])
            values.append(distance / norm)
            if gradient is not None and slope is not None:
                gradient[item] = _spectra_transposed(slope, window, hop, audio.shape[-1]) / norm
        if gradient is not None:
            ctx.save_for_backward(gradient)
        return torch.stack(values)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * grad_outputs[0][:, None, None], None, None, None, None, None, None, None


def _compare(
    predicted: Tensor,
    wanted: Tensor,
    weight: Tensor,
    views: Sequence[tuple[float, float]],
    wants_slope: bool,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Σ w·| |P| − |T| |, Σ w·|T|, and the slope of the first along P; spectra (channel, frame, frequency)."""
    distance, norm = weight.new_zeros(()), weight.new_zeros(())
    # Real and imaginary parts by themselves: complex multiplication and abs take several times as long.
    slopes = [torch.zeros_like(predicted.real) for _ in range(2)] if wants_slope else []
    for left, right in views:
        parts = [_mix(part, left, right) for part in (predicted.real, predicted.imag)]
        magnitude = _magnitude(*parts)
        target = _magnitude(*(_mix(part, left, right) for part in (wanted.real, wanted.imag)))
        norm += (target.sum(dim=0) * weight).sum()
        difference = magnitude - target
        distance += (difference.abs().sum(dim=0) * weight).sum()
        if wants_slope:
            factor = difference.sign_().mul_(weight).div_(magnitude.clamp_(min=_SMALLEST_MAGNITUDE))
            for slope, part in zip(slopes, parts, strict=True):
                for channel, share in enumerate((left, right)[: len(slope)]):
                    if share:
                        slope[channel].addcmul_(factor, part, value=share)
    return distance, norm, torch.complex(*slopes) if wants_slope else None


def _mix(part: Tensor, left: float, right: float) -> Tensor:
    if right == 0.0:
        return part[0]
    return part[1] if left == 0.0 else torch.add(part[0] * left, part[1], alpha=right)


def _magnitude(real: Tensor, imaginary: Tensor) -> Tensor:
    return real.square().addcmul_(imaginary, imaginary).sqrt_()


def _spectra(audio: Tensor, window: Tensor, hop: int) -> Tensor:
    """STFT (channel, frame, frequency) of (channel, time); frame i is centred on sample i·hop."""
    size = window.numel()
    return torch.fft.rfft(functional.pad(audio, (size // 2, size // 2)).unfold(-1, size, hop) * window)


def _spectra_transposed(slope: Tensor, window: Tensor, hop: int, time: int) -> Tensor:
    """The transpose of `_spectra` as a real linear map: Re Σ_k slope_k·e^{2πikn/N}, windowed and added up."""
    size, frames = window.numel(), slope.shape[1]
    slope[..., 1:-1] *= 0.5  # irfft counts these bins twice
    pieces = torch.fft.irfft(slope, n=size, norm="forward") * window
    length = size + (frames - 1) * hop
    padded = functional.fold(pieces.transpose(1, 2), (1, length), (1, size), stride=(1, hop)).flatten(1)
    inside = padded[:, size // 2 : size // 2 + time]
    return functional.pad(inside, (0, time - inside.shape[-1]))
