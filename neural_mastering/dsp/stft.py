"""Multi-resolution distance of magnitude spectra, of the channels and of their mid and side.

For one item, with magnitudes P (prediction) and T (target) ≥ a floor, over all views, frames and bins of one
resolution:

    distance = ‖T − P‖_F / max(‖T‖_F, ‖silence‖_F) + mean |ln P − ln T|

and the result is the mean over the resolutions. Frames are centred, with reflected edges and a periodic Hann
window of `fft_size` samples.

Sources: S. Ö. Arik, H. Jun, G. Diamos, "Fast spectrogram inversion using multi-head convolutional neural
networks", IEEE Signal Processing Letters 26(1), 2019, section III (spectral convergence, log magnitude);
R. Yamamoto, E. Song, J.-M. Kim, "Parallel WaveGAN", ICASSP 2020, section 2.2 (several resolutions).
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from neural_mastering.dsp.compiled import can_compile_for
from neural_mastering.dsp.stft_resolution import (
    FFT_SIZES,
    MIX,
    VIEWS,
    FloorReference,
    Resolution,
    View,
    resolution,
)
from neural_mastering.shapes import Audio, PerItem

Engine = Literal["auto", "fused", "torch"]


def multi_resolution_stft_distance(
    prediction: Audio,
    target: Audio,
    fft_sizes: Sequence[int] = FFT_SIZES,
    hop_ratio: float = 0.25,
    views: Sequence[View] = VIEWS,
    floor_db: float = -100.0,
    floor_reference: FloorReference = "sine",
    silence_db: float = -60.0,
    engine: Engine = "auto",
) -> PerItem:
    """Spectral convergence plus log-magnitude distance, for each item by itself, (batch,).

    The first derivative with respect to `prediction` is exact; there is none with respect to `target`, and no
    second one. With `views=("left", "right")`, one item, a target louder than `silence_db` and
    `floor_db=-80, floor_reference="bin"` it equals `auraloss.freq.MultiResolutionSTFTLoss` 0.4.0.

    Args:
        prediction: (batch, channel, time). The work is done in float32 at least, outside autocast.
        target: of the same shape.
        fft_sizes: even, in samples; those longer than the audio are left out, and audio shorter than the
            shortest is padded with zeros at its end.
        hop_ratio: step from frame to frame, as a fraction of the FFT size.
        views: which signals are compared, of "left", "right", "mid" = (L + R)/2 and "side" = (L − R)/2;
            mono audio has one view.
        floor_db: magnitudes below count as this level, so that silence stays finite.
        floor_reference: 0 dB of `floor_db` is a full-scale sine ("sine": magnitude fft_size/4, the same
            acoustical level in every resolution) or a magnitude of 1 ("bin").
        silence_db: RMS level, re full scale, below which a target no longer scales the convergence; without
            it the ratio of something to nothing would drown all other items.
        engine: "fused" (numba; float32 on a CPU), "torch" (anything), or "auto": fused where that can be.

    Raises:
        ValueError: shapes that differ or are not (batch, 1 or 2, time), unknown views, odd FFT sizes, a hop
            of 0, or the fused engine where it cannot be.

    Examples:
        Half the amplitude costs ½ in spectral convergence and ln 2 in log magnitude, at every resolution:

        >>> import torch
        >>> noise = 0.1 * torch.randn(1, 2, 44_100, generator=torch.Generator().manual_seed(0))
        >>> multi_resolution_stft_distance(0.5 * noise, noise)
        tensor([1.193])
    """
    _check(prediction, target, fft_sizes, hop_ratio, views)
    with torch.autocast(prediction.device.type, enabled=False):
        dtype = torch.promote_types(torch.promote_types(prediction.dtype, target.dtype), torch.float32)
        prediction, target = prediction.to(dtype), target.detach().to(device=prediction.device, dtype=dtype)
        if (missing := min(fft_sizes) - prediction.shape[-1]) > 0:
            prediction, target = (torch.nn.functional.pad(x, (0, missing)) for x in (prediction, target))
        resolutions = [
            resolution(size, hop_ratio, floor_db, floor_reference, silence_db)
            for size in fft_sizes
            if size <= prediction.shape[-1]
        ]
        mix = [MIX[view] for view in views] if prediction.shape[1] == 2 else [(1.0, 0.0)]
        if _use_fused(engine, prediction):
            wants_gradient = torch.is_grad_enabled() and prediction.requires_grad
            return _Fused.apply(prediction, target, resolutions, mix, wants_gradient)
        parts = [_distance(prediction, target, resolution, mix) for resolution in resolutions]
        return torch.stack(parts).mean(dim=0)


def _distance(
    prediction: Audio, target: Audio, resolution: Resolution, mix: Sequence[tuple[float, float]]
) -> PerItem:
    with torch.no_grad():
        wanted = _magnitudes(target, resolution, mix)
        scale = torch.linalg.vector_norm(wanted, dim=(1, 2, 3))
        silence = math.sqrt(resolution.silence_power * wanted[0].numel())
    got = _magnitudes(prediction, resolution, mix)
    convergence = torch.linalg.vector_norm(wanted - got, dim=(1, 2, 3)) / scale.clamp(min=silence)
    return convergence + (got.log() - wanted.log()).abs().mean(dim=(1, 2, 3))


def _magnitudes(audio: Audio, resolution: Resolution, mix: Sequence[tuple[float, float]]) -> Tensor:
    """Magnitudes (batch, view, frequency, frame), at least the floor."""
    batch, channels, time = audio.shape
    size = resolution.fft_size
    window = torch.hann_window(size, dtype=audio.dtype, device=audio.device)
    spectra = torch.stft(
        audio.reshape(batch * channels, time), size, resolution.hop, window=window, return_complex=True
    ).unflatten(0, (batch, channels))
    left, right = spectra[:, 0], spectra[:, -1]
    powers = [_power(left * a + right * b if a and b else left * a if a else right * b) for a, b in mix]
    return torch.stack(powers, dim=1).clamp(min=resolution.floor_power).sqrt()


def _power(spectrum: Tensor) -> Tensor:
    return spectrum.real.square() + spectrum.imag.square()


class _Fused(torch.autograd.Function):
    """The distance and its gradient in one go; the backward pass only scales."""

    @staticmethod
    def forward(
        ctx: Any,
        prediction: Tensor,
        target: Tensor,
        resolutions: Sequence[Resolution],
        mix: Sequence[tuple[float, float]],
        wants_gradient: bool,
    ) -> Tensor:
        from neural_mastering.dsp import stft_fused  # loads numba

        values, gradient = stft_fused.distance_and_gradient(
            prediction.detach().numpy(),
            target.numpy(),
            resolutions,
            mix,
            wants_gradient,
            workers=torch.get_num_threads(),
        )
        if gradient is not None:
            ctx.save_for_backward(torch.from_numpy(gradient))
        return torch.from_numpy(values).to(prediction.dtype)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * grad_outputs[0][:, None, None], None, None, None, None


def _use_fused(engine: Engine, audio: Tensor) -> bool:
    if engine == "torch":
        return False
    possible = audio.dtype == torch.float32 and can_compile_for(audio)
    if engine == "fused" and not possible:
        raise ValueError(
            "the fused engine needs float32 audio on a CPU and numba's compiler switched on; got "
            f"{audio.dtype} on {audio.device}: use engine='auto'"
        )
    return possible


def _check(
    prediction: Tensor, target: Tensor, fft_sizes: Sequence[int], hop_ratio: float, views: Sequence[View]
) -> None:
    if prediction.shape != target.shape or prediction.ndim != 3 or prediction.shape[1] not in (1, 2):
        raise ValueError(
            "prediction and target must share one shape (batch, 1 or 2 channels, time); got "
            f"{tuple(prediction.shape)} and {tuple(target.shape)}"
        )
    if not fft_sizes or any(size < 4 or size % 2 for size in fft_sizes):
        raise ValueError(f"fft_sizes must be even numbers of at least 4 samples; got {list(fft_sizes)}")
    if not 0.0 < hop_ratio <= 1.0:
        raise ValueError(f"hop_ratio must lie in (0, 1]; got {hop_ratio}")
    unknown = [view for view in views if view not in VIEWS]
    if unknown or not views:
        raise ValueError(f"views must be some of {', '.join(VIEWS)}; got {list(views)}")
