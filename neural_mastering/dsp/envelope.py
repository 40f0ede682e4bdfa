"""Attack and release: a one-pole smoother with two time constants, exact, with its exact gradient.

    y[n] = y[n−1] + c·(x[n] − y[n−1])      c = 1 − exp(−1/(attack·rate)) where x[n] > y[n−1], else of the release

The recursion and its derivative are compiled loops in float64 on the CPU, the items of a batch in parallel; tensors
of other devices travel there and back. A sample waits for the one before it: nothing a GPU would do faster.

Source: C. Yu et al., "Differentiable all-pole filters for time-varying audio systems", DAFx 2024, section 4.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from neural_mastering.dsp.threads import by_item
from neural_mastering.shapes import Frames, PerItem


def coefficient(time_ms: Tensor, sample_rate: float) -> Tensor:
    """1 − exp(−1/(time·rate)): the share of a step that is covered in one sample; 63 % are in `time_ms`."""
    return -torch.expm1(-1000.0 / (time_ms.double() * sample_rate))


def smooth(
    target: Frames, attack_ms: PerItem, release_ms: PerItem, sample_rate: float, start: PerItem | None = None
) -> Frames:
    """Follow `target` (row, time) upwards with the attack, downwards with the release; float64.

    Differentiable once, with respect to all tensors. The last column is the `start` of the next chunk.

    Args:
        target: (row, time).
        attack_ms, release_ms: (row,) time constants in ms, above 0.
        sample_rate: in Hz.
        start: (row,) value before the first sample, 0 by default.

    Examples:
        A step is covered to 1 − 1/e after the attack time:

        >>> import torch
        >>> follower = smooth(torch.ones(1, 44_100), torch.tensor([10.0]), torch.tensor([100.0]), 44_100)
        >>> follower[0, 440], follower[0, -1]
        (tensor(0.632, dtype=torch.float64), tensor(1.000, dtype=torch.float64))
    """
    x = target.double()
    start = x.new_zeros(x.shape[0]) if start is None else start.double()
    rise, fall = coefficient(attack_ms, sample_rate), coefficient(release_ms, sample_rate)
    return _Smooth.apply(*(t.cpu() for t in (x, rise, fall, start))).to(x.device)


class _Smooth(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, rise: Tensor, fall: Tensor, start: Tensor) -> Tensor:
        from neural_mastering.dsp import envelope_kernels  # loads numba

        x, rise, fall, start = (t.detach().contiguous() for t in (x, rise, fall, start))
        out = torch.empty_like(x)
        arrays = [t.numpy() for t in (x, rise, fall, start, out)]
        by_item(lambda part: envelope_kernels.smooth(*(a[part] for a in arrays)), *x.shape)
        ctx.save_for_backward(x, out, rise, fall, start)
        return out

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Tensor, ...]:
        from neural_mastering.dsp import envelope_kernels  # loads numba

        saved = ctx.saved_tensors
        x, _, rise, fall, start = saved
        gradients = [torch.empty_like(t) for t in (x, rise, fall, start)]
        upstream = grad_outputs[0].contiguous()
        arrays = [t.numpy() for t in (*saved, upstream, *gradients)]
        by_item(lambda part: envelope_kernels.derivative(*(a[part] for a in arrays)), *x.shape)
        return tuple(gradients)
