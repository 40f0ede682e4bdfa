"""Feature-wise linear modulation."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class FiLM(nn.Module):
    """y = (1 + γ)·x + β, with one γ and one β for each item and channel, linear in a condition.

    γ and β are 0 at initialisation, so that the block starts as the identity. Nothing is normalised over
    time. Source: Perez, Strub, de Vries, Dumoulin, Courville, "FiLM: Visual Reasoning with a General
    Conditioning Layer", AAAI 2018, equation 2.
    """

    def __init__(self, condition_size: int, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(condition_size, 2 * channels)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(
        self, x: Float[Tensor, "batch channel time"], condition: Float[Tensor, "batch condition"]
    ) -> Float[Tensor, "batch channel time"]:
        """Scale and shift x by what the condition says; both are constant over time."""
        gamma, beta = self.linear(condition).to(x.dtype).unsqueeze(-1).chunk(2, dim=1)
        return torch.addcmul(x + beta, x, gamma)
