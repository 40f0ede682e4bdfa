"""Parametric equaliser: peaking and shelving biquads in cascade, batched, exact and differentiable.

The responses are those of the RBJ Audio EQ Cookbook, in a closed form without differences of near-equal
numbers, so that float32 stays accurate at 20 Hz. With A = 10^(dB/40), α = sin ω0/(2Q), s = sin ω,
d = cos ω − cos ω0 = 2·sin((ω0+ω)/2)·sin((ω0−ω)/2), S = sin²(ω0/2)·cos²(ω/2), C = cos²(ω0/2)·sin²(ω/2) and
k = ½·√A·α·s:

    peak:        H = (d + jAαs) / (d + jαs/A)
    low shelf:   H = A·[(AS − C) + jk] / [(S − AC) + jk]
    high shelf:  H = A·[(S − AC) + jk] / [(AS − C) + jk]

Each band is computed as H − 1, which is exactly 0 at 0 dB, so that a band without gain is not there at all.
Source: R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients".
"""

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.fft import next_fast_len
from torch import Tensor
from torch.autograd.function import once_differentiable

from neural_mastering.dsp import rbj
from neural_mastering.dsp.compiled import can_compile_for
from neural_mastering.dsp.fir import fft_convolve
from neural_mastering.dsp.rbj import KINDS, Kind
from neural_mastering.shapes import Audio, Bands, Response, check_audio
from neural_mastering.units import NEPERS_PER_DB, gain_to_db


def equalize(
    audio: Audio,
    frequency_hz: Bands,
    gain_db: Bands,
    q: Bands,
    sample_rate: float,
    kinds: Sequence[Kind] | None = None,
    taps: int | None = None,
) -> Audio:
    """Filter audio with a cascade of RBJ biquads: y = x + g ∗ x, where g is the impulse response of H − 1.

    Gradients reach the audio and every parameter. The work is done in float32 at least, outside autocast.

    Args:
        audio: (batch, channel, time); all channels of an item get the same curve.
        frequency_hz: (batch, band) centre (peak) or mid-slope (shelf) frequencies, 0 < f < sample_rate/2.
        gain_db: (batch, band); 0 dB makes a band exactly transparent.
        q: (batch, band) quality factors, > 0. Above 1 a shelf overshoots.
        sample_rate: in Hz.
        kinds: one of "low_shelf", "peak", "high_shelf" for each band; all peaks by default.
        taps: length of the impulse response; by default from `impulse_response_length` of these very
            parameters (an error below −110 dB). Give a length taken from the ranges of the controls to make
            an item's result independent of the rest of its batch.

    Raises:
        ValueError: no audio as above, shapes or kinds that do not fit, or, where `taps` is None, a frequency
            outside (0, sample_rate/2), a q not above 0, or numbers that are not finite.

    Examples:
        A peak of −6 dB at 1 kHz halves a sine of that frequency once the filter has settled:

        >>> import math
        >>> import torch
        >>> sine = torch.sin(2 * math.pi * 1_000 / 44_100 * torch.arange(44_100))[None, None]
        >>> frequency_hz, gain_db, q = torch.tensor([[1_000.0]]), torch.tensor([[-6.0206]]), torch.tensor([[1.0]])
        >>> equalize(sine, frequency_hz, gain_db, q, 44_100)[..., 22_050:].abs().max()
        tensor(0.500)

        A band at 0 dB changes no bit:

        >>> torch.equal(equalize(sine, frequency_hz, 0.0 * gain_db, q, 44_100), sine)
        True
    """
    check_audio(audio)
    kinds = _checked_kinds(frequency_hz, gain_db, q, kinds, audio.shape[0])
    with torch.autocast(audio.device.type, enabled=False):
        signal = audio if audio.dtype == torch.float64 else audio.float()
        frequency_hz, gain_db, q = (p.to(signal.dtype) for p in (frequency_hz, gain_db, q))
        if taps is None:
            _check_parameters(frequency_hz, gain_db, q, sample_rate)
            frequency, gain, quality = (p.detach().cpu().numpy() for p in (frequency_hz, gain_db, q))
            taps = impulse_response_length(frequency, gain, quality, sample_rate, kinds)
        bins = torch.arange(taps // 2 + 1, device=signal.device)
        grid_hz = bins.to(torch.float64 if signal.device.type == "cpu" else signal.dtype) * (
            sample_rate / taps
        )
        impulse = torch.fft.irfft(_deviation(frequency_hz, gain_db, q, grid_hz, sample_rate, kinds), n=taps)
        return (signal + fft_convolve(signal, impulse)).to(audio.dtype)


def response(
    frequency_hz: Bands,
    gain_db: Bands,
    q: Bands,
    at_hz: Tensor,
    sample_rate: float,
    kinds: Sequence[Kind] | None = None,
) -> Response:
    """Complex response of the cascade at the frequencies `at_hz` (frequency,), as (batch, frequency).

    Examples:
        A low shelf of 6.02 dB doubles what lies far below its frequency; at its frequency it has half the decibels:

        >>> import torch
        >>> frequency_hz, gain_db, q = torch.tensor([[100.0]]), torch.tensor([[6.0206]]), torch.tensor([[0.71]])
        >>> at_hz = torch.tensor([1.0, 100.0])
        >>> response(frequency_hz, gain_db, q, at_hz, 44_100, kinds=("low_shelf",)).abs()
        tensor([[2.000, 1.414]])
    """
    kinds = _checked_kinds(frequency_hz, gain_db, q, kinds, frequency_hz.shape[0])
    return 1.0 + _deviation(frequency_hz, gain_db, q, at_hz, sample_rate, kinds)


def response_db(
    frequency_hz: Bands,
    gain_db: Bands,
    q: Bands,
    at_hz: Tensor,
    sample_rate: float,
    kinds: Sequence[Kind] | None = None,
) -> Tensor:
    """Level of `response` in dB at the frequencies `at_hz` (frequency,), as (batch, frequency)."""
    return gain_to_db(response(frequency_hz, gain_db, q, at_hz, sample_rate, kinds).abs())


def impulse_response_length(
    frequency_hz: ArrayLike,
    gain_db: ArrayLike,
    q: ArrayLike,
    sample_rate: float,
    kinds: Sequence[Kind],
    floor_db: float = -110.0,
) -> int:
    """Samples until the slowest pole of any band has decayed to `floor_db`, rounded up to a fast FFT size.

    Arrays are (…, band). A boost makes the poles slow, a cut the zeros, so gains and their absolute values
    may both be given: with the ends of the controls' ranges this is a bound for every setting.
    """
    slowest = rbj.pole_radius(kinds, frequency_hz, gain_db, q, sample_rate)
    if not slowest < 1.0:
        raise ValueError("the equaliser's poles are not inside the unit circle: check frequencies and Q")
    # Several bands at once decay no slower than a polynomial times the slowest pole: 10 % covers it.
    samples = 1.1 * floor_db / gain_to_db(max(slowest, 1e-3))
    return cast(int, next_fast_len(max(256, math.ceil(samples)), real=True))


def _deviation(
    frequency_hz: Bands, gain_db: Bands, q: Bands, at_hz: Tensor, sample_rate: float, kinds: Sequence[Kind]
) -> Response:
    """H − 1 of the cascade, (batch, frequency)."""
    compiled = can_compile_for(frequency_hz)
    dtype = torch.float64 if compiled else frequency_hz.dtype
    w = at_hz.to(frequency_hz.device, dtype) * (2.0 * math.pi / sample_rate)
    w0 = frequency_hz.to(dtype) * (2.0 * math.pi / sample_rate)
    alpha = torch.sin(w0) / (2.0 * q.to(dtype))
    half_log = gain_db.to(dtype) * (0.5 * NEPERS_PER_DB)  # ln A
    if compiled:
        return _CompiledCascade.apply(w0, alpha, half_log, w, kinds, frequency_hz.dtype)
    return _cascade(w0, alpha, half_log, w, kinds)


def _cascade(w0: Bands, alpha: Bands, half_log: Bands, w: Tensor, kinds: Sequence[Kind]) -> Response:
    """H − 1 in tensor operations, on any device."""
    sin_w, sin_half, cos_half = torch.sin(w), torch.sin(w / 2.0) ** 2, torch.cos(w / 2.0) ** 2
    total: Tensor | None = None
    for band, kind in enumerate(kinds):
        w0_b, alpha_b, log_a = (p[:, band : band + 1] for p in (w0, alpha, half_log))
        if kind == "peak":
            d = 2.0 * torch.sin((w0_b + w) / 2.0) * torch.sin((w0_b - w) / 2.0)
            width = alpha_b * sin_w
            h = torch.complex(torch.zeros_like(width), width * (2.0 * torch.sinh(log_a))) / torch.complex(
                d, width * torch.exp(-log_a)
            )
        else:
            s = torch.sin(w0_b / 2.0) ** 2 * cos_half
            c = torch.cos(w0_b / 2.0) ** 2 * sin_half
            k = 0.5 * torch.exp(log_a / 2.0) * alpha_b * sin_w
            a, a_minus_1, a2_minus_1 = torch.exp(log_a), torch.expm1(log_a), torch.expm1(2.0 * log_a)
            if kind == "low_shelf":
                h = torch.complex(a2_minus_1 * s, k * a_minus_1) / torch.complex(s - a * c, k)
            else:
                h = torch.complex(-a2_minus_1 * c, k * a_minus_1) / torch.complex(a * s - c, k)
        total = h if total is None else total + h + total * h
    assert total is not None
    return total


class _CompiledCascade(torch.autograd.Function):
    """`_cascade` by compiled loops, with its analytic derivative with respect to ω0, α and ln A."""

    @staticmethod
    def forward(
        ctx: Any,
        w0: Tensor,
        alpha: Tensor,
        half_log: Tensor,
        w: Tensor,
        kinds: Sequence[Kind],
        dtype: torch.dtype,
    ) -> Tensor:
        from neural_mastering.dsp import biquad_kernels  # loads numba

        out = torch.empty(w0.shape[0], w.shape[0], dtype=torch.promote_types(dtype, torch.complex64))
        ctx.kinds = np.array([biquad_kernels.KIND_CODES[kind] for kind in kinds])
        ctx.grid = torch.stack([torch.sin(w), torch.sin(w / 2.0) ** 2, torch.cos(w / 2.0) ** 2]).numpy()
        w0, alpha, half_log = (p.detach().contiguous() for p in (w0, alpha, half_log))
        biquad_kernels.deviation(
            w0.numpy(), alpha.numpy(), half_log.numpy(), ctx.kinds, ctx.grid, out.numpy()
        )
        ctx.save_for_backward(w0, alpha, half_log, out)
        return out

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor | None, ...]:
        from neural_mastering.dsp import biquad_kernels  # loads numba

        w0, alpha, half_log, total = ctx.saved_tensors
        gradients = torch.empty(3, *w0.shape, dtype=torch.float64)
        biquad_kernels.derivatives(
            w0.numpy(),
            alpha.numpy(),
            half_log.numpy(),
            ctx.kinds,
            ctx.grid,
            total.numpy(),
            grad_outputs[0].resolve_conj().contiguous().numpy(),
            gradients.numpy(),
        )
        return *gradients, None, None, None


def _checked_kinds(
    frequency_hz: Tensor, gain_db: Tensor, q: Tensor, kinds: Sequence[Kind] | None, batch: int
) -> Sequence[Kind]:
    shape = tuple(frequency_hz.shape)
    if len(shape) != 2 or shape[1] == 0 or tuple(gain_db.shape) != shape or tuple(q.shape) != shape:
        raise ValueError(
            "frequency_hz, gain_db and q must share one shape (batch, band); got "
            f"{shape}, {tuple(gain_db.shape)} and {tuple(q.shape)}"
        )
    if shape[0] != batch:
        raise ValueError(f"audio has {batch} items but the parameters have {shape[0]}")
    if kinds is None:
        return ("peak",) * shape[1]
    if len(kinds) != shape[1]:
        raise ValueError(f"{len(kinds)} kinds for {shape[1]} bands")
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise ValueError(f"unknown kind {unknown[0]!r}: expected one of {', '.join(KINDS)}")
    return kinds


def _check_parameters(frequency_hz: Tensor, gain_db: Tensor, q: Tensor, sample_rate: float) -> None:
    low, high = (float(v) for v in torch.aminmax(frequency_hz.detach()))
    if not (low > 0.0 and high < sample_rate / 2.0):
        raise ValueError(
            f"frequencies must lie between 0 and {sample_rate / 2:g} Hz (half the sample rate); "
            f"got {low:g} to {high:g} Hz"
        )
    if not bool((q.detach() > 0.0).all() and q.isfinite().all() and gain_db.isfinite().all()):
        raise ValueError("q must be finite and above 0 (0.3 to 10 is usual), gain_db finite")
