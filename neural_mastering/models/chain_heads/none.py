"""No chain."""

from neural_mastering.models.chain_heads.chain_head import ChainControlValues, ChainHead
from neural_mastering.processors import Chain
from neural_mastering.shapes import Latent, Logits


class NoChain(ChainHead):
    """No stages and no logits: the null object of phase 1."""

    def __init__(self) -> None:
        super().__init__()
        self.chain = Chain()

    def forward(self, z: Latent) -> Logits:
        """No numbers, (batch, 0)."""
        return z.new_zeros(z.shape[0], 0)

    def decode(self, logits: Logits) -> ChainControlValues:
        """No controls."""
        return {}
