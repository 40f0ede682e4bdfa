"""Waveshapers averaged between samples (antiderivative anti-aliasing), less the signal itself; differentiable.

See `saturation_kernels` for the equations. Each returns

    e[m] = gain·(mean of f(slope·u + offset) between u[m] and u[m+1] − f(offset)) − (u[m] + u[m+1])/2

the change that the shaper makes, with the signal averaged alike: where f is straight and gain·slope is 1,
e is 0. The loops run on the CPU in float64; tensors of other devices travel there and back.
Source: J. D. Parker, V. Zavalishin, E. Le Bivic, "Reducing the aliasing of nonlinear waveshaping using
continuous-time convolution", DAFx 2016.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from neural_mastering.dsp.threads import by_item
from neural_mastering.shapes import Audio, PerItem


def soft_clip(v: Tensor, corner: Tensor) -> Tensor:
    """f(v) = ½[√((v+1)² + w²) − √((v−1)² + w²)], w the width of the corner; ±1 at the most.

    Examples:
        >>> import torch
        >>> soft_clip(torch.tensor([0.0, 0.5, 1.0, 10.0]), torch.tensor(0.02))
        tensor([0.00, 0.50, 0.99, 1.00])
    """
    squared = corner.square()
    return 0.5 * (torch.sqrt((v + 1.0).square() + squared) - torch.sqrt((v - 1.0).square() + squared))


def soft_clip_change(u: Audio, slope: PerItem, offset: PerItem, corner: PerItem, gain: PerItem) -> Tensor:
    """e (batch, channel, time − 1) of `soft_clip`."""
    return _SoftClip.apply(u, *(p.double() for p in (slope, offset, corner, gain)))


def tanh_sum(v: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """f(v) = Σ a_i·tanh(b_i·v + c_i) for v of any shape."""
    return (a * torch.tanh(b * v.unsqueeze(-1) + c)).sum(dim=-1)


def tanh_sum_change(
    u: Audio, slope: PerItem, offset: PerItem, gain: PerItem, a: Tensor, b: Tensor, c: Tensor
) -> Tensor:
    """e (batch, channel, time − 1) of `tanh_sum`; a, b and c are (unit,), b above 0."""
    return _TanhSum.apply(u, *(p.double() for p in (slope, offset, gain, a, b, c)))


class _SoftClip(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, u: Tensor, *parameters: Tensor) -> Tensor:
        from neural_mastering.dsp.saturation_kernels import clip_average  # loads numba

        return _averaged(ctx, clip_average, u, *parameters)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor, ...]:
        from neural_mastering.dsp.saturation_kernels import clip_derivative  # loads numba

        inputs = [t.detach().cpu().contiguous() for t in ctx.saved_tensors]
        gradients = [torch.zeros_like(t) for t in inputs]
        arrays = _arrays(*inputs, *grad_outputs, *gradients)
        by_item(
            lambda part: clip_derivative(*(a[part] for a in arrays)), len(inputs[0]), inputs[0][0].numel()
        )
        return tuple(g.to(t.device) for g, t in zip(gradients, ctx.saved_tensors, strict=True))


class _TanhSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, u: Tensor, *parameters: Tensor) -> Tensor:
        from neural_mastering.dsp.saturation_kernels import sum_average  # loads numba

        return _averaged(ctx, sum_average, u, *parameters, shared=3)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor, ...]:
        from neural_mastering.dsp.saturation_kernels import sum_derivative  # loads numba

        inputs = [t.detach().cpu().contiguous() for t in ctx.saved_tensors]
        per_item = [torch.zeros_like(t) for t in inputs[:4]]
        per_unit = torch.zeros(3, inputs[4].numel(), dtype=torch.float64)
        sum_derivative(*_arrays(*inputs, *grad_outputs, *per_item, per_unit))
        gradients = (*per_item, *per_unit.unbind())
        return tuple(g.to(t.device) for g, t in zip(gradients, ctx.saved_tensors, strict=True))


def _averaged(
    ctx: Any, kernel: Callable[..., None], u: Tensor, *parameters: Tensor, shared: int = 0
) -> Tensor:
    """What the kernel makes of u between its samples; the inputs are kept for the derivative.

    The last `shared` parameters are the same for all items.
    """
    ctx.save_for_backward(u, *parameters)
    out = torch.empty_like(u[..., 1:], device="cpu", memory_format=torch.contiguous_format)
    arrays, result = _arrays(u, *parameters), out.numpy()
    own, common = arrays[: len(arrays) - shared], arrays[len(arrays) - shared :]
    by_item(lambda part: kernel(*(a[part] for a in own), *common, result[part]), len(u), u[0].numel())
    return out.to(u.device)


def _arrays(*tensors: Tensor) -> list[np.ndarray]:
    """For compiled loops; tensors that are on the CPU and contiguous share their memory with them."""
    return [t.detach().cpu().contiguous().numpy() for t in tensors]
