"""A small network for each stage of the chain."""

import torch
from torch import Tensor, nn

from neural_mastering.models.chain_heads.chain_head import ChainControlValues, ChainHead
from neural_mastering.processors import Chain, Processor
from neural_mastering.shapes import Latent, Logits

STRAIGHT_SPEED = 4.0
"""A straight map spreads its range over 10 logits where a sigmoid needs about 3: its numbers run faster."""


class StageHead(nn.Module):
    """z → logits of one processor: rest + speed·(linear of a hidden layer), where the last layer starts at 0."""

    rest: Tensor
    speed: Tensor

    def __init__(self, z_size: int, processor: Processor, hidden_size: int, dropout: float) -> None:
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(z_size, hidden_size), nn.GELU(), nn.Dropout(dropout))
        self.out = nn.Linear(hidden_size, processor.logit_count)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        # Beside the layer and not in its bias, which weight decay would draw away from rest.
        self.register_buffer("rest", processor.logits(processor.rest())[0], persistent=False)
        speeds = [
            STRAIGHT_SPEED if spec.reaches_ends else 1.0
            for spec in processor.specs.values()
            for _ in range(spec.size)
        ]
        self.register_buffer("speed", torch.tensor(speeds), persistent=False)

    def forward(self, z: Latent) -> Logits:
        """Logits (batch, control)."""
        return self.rest + self.speed * self.out(self.hidden(z)).float()


class GreyBoxChain(ChainHead):
    """One `StageHead` for each stage, so that stages can be frozen one by one (`heads.compressor`).

    Args:
        z_size: entries of the latent vector.
        chain: the stages.
        hidden_size: width of each stage's hidden layer.
        dropout: share of hidden units dropped in training.
    """

    def __init__(self, z_size: int, chain: Chain, hidden_size: int = 64, dropout: float = 0.0) -> None:
        super().__init__()
        self.chain = chain
        self.heads = nn.ModuleDict(
            {
                name: StageHead(z_size, processor, hidden_size, dropout)
                for name, processor in chain.processors.items()
            }
        )

    def forward(self, z: Latent) -> Logits:
        """Logits (batch, all controls)."""
        parts = [head(z) for head in self.heads.values()]
        return torch.cat(parts, dim=-1) if parts else z.new_zeros(z.shape[0], 0)

    def decode(self, logits: Logits) -> ChainControlValues:
        """Physical controls by stage."""
        processors = self.chain.processors
        parts = logits.split([p.logit_count for p in processors.values()], dim=-1)
        return {
            name: processor.controls(part)
            for (name, processor), part in zip(processors.items(), parts, strict=True)
        }
