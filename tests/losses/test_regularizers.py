"""Regularisers against hand-computed values."""

import pytest
import torch

from neural_mastering.losses import GateSparsity, ParameterRegularization, ResidualShare
from neural_mastering.output import Gates, MasteringOutput

AUDIO = torch.ones(2, 2, 100)
VALUES = torch.tensor([[1.0, 0.0, 0.5], [1.0, 1.0, 0.0]])
PROBABILITY = torch.tensor([[0.9, 0.2, 0.7], [0.8, 0.6, 0.1]])
HELD = torch.tensor([[True, False, False], [True, True, False]])
EQ = {
    "frequency_hz": torch.full((2, 3), 1000.0),
    "gain_db": torch.tensor([[-4.0, 100.0, 2.0], [1.0, -3.0, 50.0]]),
    "q": torch.tensor([[1.0, 9.0, 3.0], [2.0, 1.0, 9.0]]),
}
OUTPUT = MasteringOutput(AUDIO, {}, {"eq": EQ}, Gates(VALUES, PROBABILITY, HELD), 0.1 * AUDIO)


def test_parameters_count_over_open_bands_only() -> None:
    # item 0: bands 0 and 2: (4 + 0 + 2 + 0.1·4)/2 = 3.2; item 1: bands 0 and 1: (1 + 0.1·1 + 3)/2 = 2.05
    assert float(ParameterRegularization(q_weight=0.1)(OUTPUT, AUDIO)) == pytest.approx((3.2 + 2.05) / 2)


def test_sparsity_is_the_expected_count_beyond_the_held_bands() -> None:
    assert float(GateSparsity()(OUTPUT, AUDIO)) == pytest.approx((0.2 + 0.7 + 0.1) / 2)


def test_residual_share_is_a_power_ratio() -> None:
    assert float(ResidualShare()(OUTPUT, AUDIO)) == pytest.approx(0.01)
