"""Residual blocks of dilated convolutions over frames."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

FrameFeatures = Float[Tensor, "batch _ frame"]


class FrameNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each frame by itself; frames don't see one another."""

    def forward(self, input: FrameFeatures) -> FrameFeatures:
        """Normalise (batch, channel, frame) over channels."""
        return super().forward(input.transpose(1, 2)).transpose(1, 2)


class TCNBlock(nn.Module):
    """y = x + W·φ(K ∗ norm(x)): a dilated convolution K, a GELU and a 1×1 convolution beside the stream x.

    Only the branch is normalised, and that per frame: the stream keeps how loud and quiet frames differ, and
    the receptive field stays finite. "Same" zero padding.
    Source: Bai, Kolter, Koltun, "An Empirical Evaluation of Generic Convolutional and Recurrent Networks for
    Sequence Modeling", 2018, section 3; here non-causal and pre-normalised.
    """

    def __init__(self, channels: int, kernel_size: int, dilation: int) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd for symmetric padding, got {kernel_size}")
        self.norm = FrameNorm(channels)
        self.dilated = nn.Conv1d(
            channels, channels, kernel_size, dilation=dilation, padding=dilation * (kernel_size // 2)
        )
        self.mix = nn.Conv1d(channels, channels, 1)

    def forward(self, x: FrameFeatures) -> FrameFeatures:
        """Frames to as many frames."""
        return x + self.mix(torch.nn.functional.gelu(self.dilated(self.norm(x))))


class DilatedStack(nn.Sequential):
    """One `TCNBlock` for each dilation."""

    def __init__(self, channels: int, kernel_size: int, dilations: Sequence[int]) -> None:
        super().__init__(*(TCNBlock(channels, kernel_size, dilation) for dilation in dilations))
        self.receptive_field_frames = 1 + (kernel_size - 1) * sum(dilations)
