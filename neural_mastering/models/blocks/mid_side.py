"""Mono or stereo audio as mid and side."""

import torch
from jaxtyping import Float
from torch import Tensor

from neural_mastering.shapes import Audio


def mid_side(audio: Audio) -> Float[Tensor, "batch 2 time"]:
    """M = (L + R)/2 and S = (L − R)/2 as (batch, 2, time); a mono signal is its own M, with S = 0.

    Raises:
        ValueError: neither one nor two channels, or no samples.
    """
    if audio.ndim != 3 or audio.shape[1] not in (1, 2) or audio.shape[-1] == 0:
        raise ValueError(
            "expected audio (batch, channel, time) with 1 channel (mono) or 2 (left, right) and at least one "
            f"sample; got shape {tuple(audio.shape)}"
        )
    if audio.shape[1] == 1:
        return torch.cat((audio, torch.zeros_like(audio)), dim=1)
    left, right = audio[:, :1], audio[:, 1:]
    return torch.cat(((left + right) * 0.5, (left - right) * 0.5), dim=1)
