"""An equaliser head that learns which bands to switch on (phase 1C)."""

import math

import torch
from torch import Tensor, nn

from neural_mastering.chance import uniform
from neural_mastering.models.blocks import hard_concrete
from neural_mastering.models.eq_heads.eq_head import EqHead
from neural_mastering.output import Gates
from neural_mastering.processors import Gain, ParametricEQ
from neural_mastering.shapes import Bands, ItemSeeds, Logits


class AdaptiveBands(EqHead):
    """Hard-concrete gates choose `min_bands` to `max_bands` bands for each item.

    The `min_bands` most probable gates of an item are held open, in training as at evaluation (value 1, with
    the gradient of the noise-free gate), so that fewer can't happen; a penalty counts only the others
    (`losses.GateSparsity`). In training the others carry hard-concrete noise; at evaluation a gate whose
    chance to be open is below one half is closed, and its band is removed exactly.

    Args:
        max_bands: must equal `eq.bands`.
        min_bands: bands that are always open.
        initial_log_alpha: ln α of all gates at the start; 2 means open in 97 % of draws.

    See `EqHead` for the others.
    """

    def __init__(
        self,
        z_size: int,
        eq: ParametricEQ,
        gain: Gain,
        max_bands: int = 10,
        min_bands: int = 5,
        hidden_size: int = 256,
        dropout: float = 0.0,
        initial_log_alpha: float = 2.0,
        log_alpha_bound: float = 3.0,
    ) -> None:
        if eq.bands != max_bands:
            raise ValueError(f"max_bands is {max_bands} but the equaliser has {eq.bands} bands")
        if not 0 <= min_bands <= max_bands:
            raise ValueError(f"min_bands must lie between 0 and max_bands = {max_bands}, got {min_bands}")
        super().__init__(z_size, eq, gain, hidden_size, dropout)
        self.min_bands, self.log_alpha_bound = min_bands, log_alpha_bound
        self.gate_logits = nn.Linear(hidden_size, max_bands)
        nn.init.zeros_(self.gate_logits.weight)
        nn.init.constant_(
            self.gate_logits.bias, log_alpha_bound * math.atanh(initial_log_alpha / log_alpha_bound)
        )

    def _gate_logits(self, features: Tensor) -> Logits:
        return self.gate_logits(features)

    def _gates(self, logits: Bands, seeds: ItemSeeds | None) -> Gates:
        log_alpha = self.log_alpha_bound * torch.tanh(logits / self.log_alpha_bound)
        probability = hard_concrete.open_probability(log_alpha)
        mean = hard_concrete.mean_gate(log_alpha)
        held = torch.zeros_like(logits, dtype=torch.bool)
        held.scatter_(-1, logits.detach().topk(self.min_bands, dim=-1).indices, True)
        if self.training:
            noise = torch.rand_like(logits) if seeds is None else uniform(seeds, logits.shape[-1])
            values = hard_concrete.sample(log_alpha, noise.clamp(1e-6, 1.0 - 1e-6))
        else:
            values = torch.where(probability >= 0.5, mean, torch.zeros_like(mean))
        values = torch.where(held, 1.0 + mean - mean.detach(), values)
        return Gates(values=values, open_probability=probability, held=held)
