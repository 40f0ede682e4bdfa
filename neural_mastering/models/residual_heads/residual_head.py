"""The base of all residual heads."""

from abc import ABC, abstractmethod

from torch import nn

from neural_mastering.shapes import Audio, Latent


class ResidualHead(nn.Module, ABC):
    """What the white box can't do: a signal to add, computed from the audio it is added to and from z.

    Attributes:
        receptive_field_samples: how far an output sample sees to either side (0: no network).
        stride_samples: chunks of a streamed signal must start at multiples of this.
    """

    receptive_field_samples: int
    stride_samples: int

    @abstractmethod
    def forward(self, audio: Audio, z: Latent) -> Audio:
        """The residual, of the audio's shape; exactly 0 at initialisation."""
