"""The base of all chain heads: z → controls of the stages around the residual."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from neural_mastering.processors import Chain
from neural_mastering.shapes import Latent, Logits

ChainControlValues = dict[str, dict[str, Tensor]]
"""Physical controls by stage and name."""


class ChainHead(nn.Module, ABC):
    """Predicts all controls of a chain; at initialisation every stage is at rest and changes nothing."""

    chain: Chain

    @abstractmethod
    def forward(self, z: Latent) -> Logits:
        """Network numbers of all stages, one after the other; averages of these over windows are meaningful."""

    @abstractmethod
    def decode(self, logits: Logits) -> ChainControlValues:
        """Map logits to physical units."""
