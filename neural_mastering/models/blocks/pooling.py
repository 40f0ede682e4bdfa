"""Pooling of a whole clip into one vector."""

import torch
from jaxtyping import Float
from torch import Tensor


def mean_and_std(
    frames: Float[Tensor, "batch channel frame"], floor: float = 1e-3
) -> Float[Tensor, "batch 2*channel"]:
    """Mean over time and, so that dynamics survive, √(variance + floor²), in float32.

    The floor keeps the gradient finite where a channel doesn't move, a single frame included.
    """
    frames = frames if frames.dtype == torch.float64 else frames.float()
    variance, mean = torch.var_mean(frames, dim=-1, correction=0)
    return torch.cat((mean, torch.sqrt(variance + floor**2)), dim=-1)
