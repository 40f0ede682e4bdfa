"""The base of all loss terms."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from neural_mastering.output import MasteringOutput
from neural_mastering.shapes import Audio


class LossTerm(nn.Module, ABC):
    """One named part of an objective: (MasteringOutput, target) → scalar, lower is better.

    Finite, with finite gradients, on silence, mono-compatible material and short clips.

    Attributes:
        regularizer: True for a term that judges controls and not the sound; it trains the model but is left
            out of validation scores, which must be comparable with those of systems without controls.
        level_only: True for a term that judges the level and nothing else.
    """

    regularizer: bool = False
    level_only: bool = False

    @abstractmethod
    def forward(self, output: MasteringOutput, target: Audio) -> Tensor:
        """The term's value, a scalar: a mean over the items of the batch, each independent of the others."""
