"""The base of all loss terms."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from neural_mastering.output import MasteringOutput
from neural_mastering.shapes import Audio


class LossTerm(nn.Module, ABC):
    """One named part of an objective: (MasteringOutput, target) → scalar, lower is better.

    Finite, with finite gradients, on silence, mono-compatible material and short clips.
    """

    @abstractmethod
    def forward(self, output: MasteringOutput, target: Audio) -> Tensor:
        """The term's value, a scalar: a mean over the items of the batch, each independent of the others."""
