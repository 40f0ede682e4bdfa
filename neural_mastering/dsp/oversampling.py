"""Run something between the samples: up by a whole factor, a change computed there, and down again.

Both filters are one Kaiser-windowed sinc that falls from 0.4535 to 0.5465 of the sample rate. The upper one has an
odd number of taps, the lower one an even number: the half sample (of the high rate) that the second adds is the one
that averaging between two samples takes away, so a change made by `waveshaper` comes out exactly on the samples.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from neural_mastering.dsp.compiled import can_compile_for
from neural_mastering.dsp.oversampling_filters import REACH, decimating_taps, interpolating_phases
from neural_mastering.dsp.streaming_fir import convolve_valid
from neural_mastering.dsp.threads import by_item, in_threads
from neural_mastering.shapes import Audio

LATENCY_SAMPLES = 2 * REACH
HISTORY_SAMPLES = 4 * REACH
"""What a chunk needs before it, of which the second half is latency."""


def oversampled_change(audio: Audio, factor: int, change: Callable[[Tensor], Tensor]) -> Tensor:
    """The change that a memoryless stage makes, computed at `factor` times the rate.

    Where no gradient is asked for, the signal between the samples is kept in float32, and the channels of a single
    item are computed in threads: they don't depend on each other.

    Args:
        audio: (batch, channel, time), its first HISTORY_SAMPLES being history.
        factor: 1 or more.
        change: u (batch, channel, n) at the high rate → (batch, channel, n − 1), the values between neighbours.

    Returns:
        (batch, channel, time − HISTORY_SAMPLES), for the samples audio[…, LATENCY : time − LATENCY].
    """
    if torch.is_grad_enabled():
        return _oversampled_change(audio, factor, change)
    kind, audio = audio.dtype, audio.float()
    if len(audio) > 1:
        return _oversampled_change(audio, factor, change).to(kind)
    infers = torch.is_inference_mode_enabled()  # which threads don't inherit

    def changed(channel: int) -> Tensor:
        with torch.inference_mode(infers), torch.no_grad():
            return _oversampled_change(audio[:, channel : channel + 1], factor, change)

    channels = in_threads(changed, range(audio.shape[1]), torch.get_num_threads())
    return torch.cat(list(channels), dim=1).to(kind)


def _oversampled_change(audio: Audio, factor: int, change: Callable[[Tensor], Tensor]) -> Tensor:
    time = audio.shape[-1]
    high = _Interpolated.apply(audio, factor) if can_compile_for(audio) else _interpolated(audio, factor)
    changed = change(high[..., : high.shape[-1] - factor + 1])
    needed = (time - HISTORY_SAMPLES + 2 * REACH - 1) * factor
    rows = changed[..., :needed].unflatten(-1, (-1, factor))
    return _Decimated.apply(rows) if can_compile_for(audio) else _decimated(rows)


def _interpolated(audio: Audio, factor: int) -> Tensor:
    """(batch, channel, (time − 2·REACH)·factor): phase 0 is the signal, the others are one convolution each."""
    phases = torch.from_numpy(interpolating_phases(factor)).to(audio)
    # FFTs, since the derivative of a direct convolution with one channel is slow
    between = [convolve_valid(audio, taps.expand(audio.shape[0], -1)) for taps in phases[1:]]
    return torch.stack([audio[..., REACH : audio.shape[-1] - REACH], *between], dim=-1).flatten(-2)


def _decimated(rows: Tensor) -> Tensor:
    """out[m] = Σ_j Σ_r taps[j, r]·rows[m + j, r]: a correlation for each phase r."""
    batch, factor = rows.shape[0], rows.shape[-1]
    taps = torch.from_numpy(decimating_taps(factor)).to(rows).unflatten(0, (-1, factor))
    parts = [convolve_valid(rows[..., r], taps[:, r].flip(0).expand(batch, -1)) for r in range(factor)]
    return torch.stack(parts).sum(dim=0)


class _Interpolated(torch.autograd.Function):
    """`_interpolated` by compiled loops."""

    @staticmethod
    def forward(ctx: Any, audio: Tensor, factor: int) -> Tensor:
        from neural_mastering.dsp.oversampling_kernels import interpolate  # loads numba

        ctx.factor, ctx.time = factor, audio.shape[-1]
        out = audio.new_empty(*audio.shape[:-1], audio.shape[-1] - 2 * REACH, factor)
        x, taps, high = _array(audio), _phase_rows(factor, out.dtype), out.numpy()
        by_item(lambda part: interpolate(x[part], taps, REACH, high[part]), *_size(audio))
        return out.flatten(-2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        from neural_mastering.dsp.oversampling_kernels import interpolate_adjoint  # loads numba

        upstream = grad_outputs[0].unflatten(-1, (-1, ctx.factor))
        by_audio = upstream.new_zeros(*upstream.shape[:2], ctx.time)
        high, taps, by_x = _array(upstream), _phase_rows(ctx.factor, upstream.dtype), by_audio.numpy()
        by_item(lambda part: interpolate_adjoint(high[part], taps, REACH, by_x[part]), *_size(upstream))
        return by_audio, None


class _Decimated(torch.autograd.Function):
    """`_decimated` by compiled loops."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        from neural_mastering.dsp.oversampling_kernels import decimate  # loads numba

        ctx.shape = rows.shape
        out = rows.new_zeros(*rows.shape[:2], rows.shape[2] - 2 * REACH + 1)
        high, taps, low = _array(rows), _tap_rows(rows.shape[-1], rows.dtype), out.numpy()
        by_item(lambda part: decimate(high[part], taps, low[part]), *_size(rows))
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        from neural_mastering.dsp.oversampling_kernels import decimate_adjoint  # loads numba

        upstream = grad_outputs[0]
        by_rows = upstream.new_zeros(ctx.shape)
        low, taps, by_high = _array(upstream), _tap_rows(ctx.shape[-1], upstream.dtype), by_rows.numpy()
        by_item(lambda part: decimate_adjoint(low[part], taps, by_high[part]), *_size(by_rows))
        return by_rows


def _size(tensor: Tensor) -> tuple[int, int]:
    """Items, and numbers of one."""
    return len(tensor), tensor[0].numel()


def _array(tensor: Tensor) -> NDArray[np.floating[Any]]:
    return tensor.detach().contiguous().numpy()


@lru_cache(maxsize=16)
def _phase_rows(factor: int, dtype: torch.dtype) -> NDArray[np.floating[Any]]:
    """Taps (factor, 2·REACH + 1) of the interpolation in the order of the samples."""
    return torch.from_numpy(interpolating_phases(factor)[:, ::-1].copy()).to(dtype).numpy()


@lru_cache(maxsize=16)
def _tap_rows(factor: int, dtype: torch.dtype) -> NDArray[np.floating[Any]]:
    """Taps (factor, 2·REACH) of the decimation, a row for each phase."""
    return torch.from_numpy(decimating_taps(factor).reshape(-1, factor).T.copy()).to(dtype).numpy()
