"""No residual."""

import torch

from neural_mastering.models.residual_heads.residual_head import ResidualHead
from neural_mastering.shapes import Audio, Latent


class NoResidual(ResidualHead):
    """Adds nothing: the null object of phase 1A."""

    receptive_field_samples = 0
    stride_samples = 1

    def forward(self, audio: Audio, z: Latent) -> Audio:
        """Zeros of the audio's shape."""
        return torch.zeros_like(audio)
