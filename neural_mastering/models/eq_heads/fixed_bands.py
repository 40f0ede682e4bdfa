"""An equaliser head whose bands are always on (phases 1A and 1B)."""

import torch
from torch import Tensor

from neural_mastering.models.eq_heads.eq_head import EqHead
from neural_mastering.output import Gates
from neural_mastering.processors import Gain, ParametricEQ
from neural_mastering.shapes import Bands, ItemSeeds, Logits


class FixedBands(EqHead):
    """All bands of the equaliser take part; see `EqHead` for the arguments."""

    def __init__(
        self, z_size: int, eq: ParametricEQ, gain: Gain, hidden_size: int = 256, dropout: float = 0.0
    ) -> None:
        super().__init__(z_size, eq, gain, hidden_size, dropout)

    def _gate_logits(self, features: Tensor) -> Logits:
        return features.new_zeros(features.shape[0], self.eq.bands)

    def _gates(self, logits: Bands, seeds: ItemSeeds | None) -> Gates:
        ones = torch.ones_like(logits)
        return Gates(values=ones, open_probability=ones, held=ones > 0)
