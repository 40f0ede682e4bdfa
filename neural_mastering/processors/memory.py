"""The state of a processor as one tensor."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def pack(*parts: Tensor) -> Tensor:
    """Tensors (batch, …) as one (batch, n), in the widest of their types, without gradients."""
    wide = torch.float64 if any(part.dtype == torch.float64 for part in parts) else torch.float32
    return torch.cat([part.detach().flatten(1).to(wide) for part in parts], dim=1)


def unpack(state: Tensor, *shapes: Sequence[int]) -> list[Tensor]:
    """The tensors (batch, *shape) of `pack`."""
    sizes = [math.prod(shape) for shape in shapes]
    parts = state.split(sizes, dim=1)
    return [part.reshape(state.shape[0], *shape) for part, shape in zip(parts, shapes, strict=True)]
