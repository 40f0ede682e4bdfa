"""Keeps the equaliser's moves small and its bands of ordinary width."""

import torch
from torch import Tensor

from neural_mastering.losses.loss_term import LossTerm
from neural_mastering.output import MasteringOutput
from neural_mastering.shapes import Audio


class ParameterRegularization(LossTerm):
    """mean |gain_dB| + q_weight·mean (Q − 1)², both over the open bands of each item, then over items.

    0 for systems without an equaliser.
    """

    regularizer = True

    def __init__(self, q_weight: float = 0.1) -> None:
        super().__init__()
        self.q_weight = q_weight

    def forward(self, output: MasteringOutput, target: Audio) -> Tensor:
        """See the class; the target plays no part."""
        if output.gates is None:
            return target.new_zeros(())
        eq, is_open = output.controls["eq"], output.gates.is_open
        cost = eq["gain_db"].abs() + self.q_weight * (eq["q"] - 1.0).square()
        count = is_open.sum(dim=-1).clamp(min=1)
        return (torch.where(is_open, cost, 0.0).sum(dim=-1) / count).mean()
