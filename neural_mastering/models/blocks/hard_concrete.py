"""Gates that are exactly 0 or 1 most of the time and still have a gradient."""

import math
from typing import Any

import torch
from torch import Tensor

from neural_mastering.shapes import Bands

STRETCH_LOW, STRETCH_HIGH, TEMPERATURE = -0.1, 1.1, 2.0 / 3.0
"""γ, ζ and β of the source, section 4."""


def sample(log_alpha: Bands, noise: Bands) -> Bands:
    """Draw gates in [0, 1]: clamp(σ((ln u − ln(1−u) + ln α)/β)·(ζ − γ) + γ, 0, 1).

    Args:
        log_alpha: ln α, the gates' location; above 2.4 the gate without noise is 1, below −2.4 it is 0.
        noise: u, uniform in (0, 1).

    Source: Louizos, Welling, Kingma, "Learning sparse neural networks through L0 regularization",
    ICLR 2018, equations 10 and 11.
    """
    concrete = torch.sigmoid((torch.log(noise) - torch.log1p(-noise) + log_alpha) / TEMPERATURE)
    return _stretch(concrete)


def mean_gate(log_alpha: Bands) -> Bands:
    """The gate without noise: clamp(σ(ln α)·(ζ − γ) + γ, 0, 1). Source: as `sample`, equation 13.

    Examples:
        >>> import torch
        >>> mean_gate(torch.tensor([[-3.0, 0.0, 3.0]]))  # closed exactly, half open, open exactly
        tensor([[0.0000, 0.5000, 1.0000]])
    """
    return _stretch(torch.sigmoid(log_alpha))


def open_probability(log_alpha: Bands) -> Tensor:
    """Chance that a sampled gate is not exactly 0: σ(ln α − β·ln(−γ/ζ)). Source: as `sample`, equation 12."""
    return torch.sigmoid(log_alpha - TEMPERATURE * math.log(-STRETCH_LOW / STRETCH_HIGH))


def bounded(logits: Bands, bound: Tensor) -> Bands:
    """clamp(logits, −bound, bound) whose gradient is stopped only where a descent step would lead further out.

    A saturating map would leave a gate that was once sure of itself without a gradient, so that no price could
    close it again; a plain clamp would stop the way back as well.

    Args:
        logits: any values.
        bound: (band,), above 0.
    """
    return _Bounded.apply(logits, bound)


class _Bounded(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, bound: Tensor) -> Tensor:
        ctx.save_for_backward(logits, bound)
        return torch.minimum(torch.maximum(logits, -bound), bound)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        logits, bound = ctx.saved_tensors
        (gradient,) = gradients
        outwards = ((logits > bound) & (gradient < 0)) | ((logits < -bound) & (gradient > 0))
        return torch.where(outwards, 0.0, gradient), None


def _stretch(concrete: Bands) -> Bands:
    return (concrete * (STRETCH_HIGH - STRETCH_LOW) + STRETCH_LOW).clamp(0.0, 1.0)
