"""Terms that judge controls: values by hand, what they count, where their gradients go."""

import math

import pytest
import torch
from torch import Tensor

from neural_mastering.losses.gate_sparsity import GateSparsity
from neural_mastering.losses.loss_term import LossTerm
from neural_mastering.losses.parameter_regularization import ParameterRegularization
from neural_mastering.losses.residual_share import ResidualShare
from neural_mastering.output import Gates, MasteringOutput

AUDIO = torch.zeros(2, 2, 8)


def _output(gain_db: Tensor, q: Tensor, values: Tensor, probability: Tensor, held: Tensor) -> MasteringOutput:
    eq = {"frequency_hz": torch.full_like(gain_db, 1_000.0), "gain_db": gain_db, "q": q}
    gates = Gates(values=values, open_probability=probability, held=held)
    return MasteringOutput(AUDIO, {}, {"eq": eq, "gain": {"gain_db": torch.zeros(2)}}, gates)


def _example() -> MasteringOutput:
    return _output(
        gain_db=torch.tensor([[2.0, -4.0, 0.0], [0.0, 0.0, 6.0]]),
        q=torch.tensor([[1.0, 3.0, 5.0], [0.5, 5.0, 2.0]]),
        values=torch.tensor([[1.0, 0.5, 0.0], [0.0, 0.0, 1.0]]),
        probability=torch.tensor([[0.9, 0.6, 0.1], [0.2, 0.3, 0.8]]),
        held=torch.tensor([[True, False, False], [False, False, True]]),
    )


def test_parameter_regularization_is_a_mean_over_the_open_bands_of_each_item() -> None:
    first = ((2.0 + 4.0) + 0.1 * (0.0 + 4.0)) / 2
    second = 6.0 + 0.1 * 1.0
    assert ParameterRegularization()(_example(), AUDIO).item() == pytest.approx((first + second) / 2)
    assert ParameterRegularization(q_weight=0.0)(_example(), AUDIO).item() == pytest.approx((3.0 + 6.0) / 2)


def test_closed_bands_are_free_and_without_any_the_cost_is_zero() -> None:
    output = _output(
        torch.ones(2, 3), 2 * torch.ones(2, 3), torch.zeros(2, 3), torch.zeros(2, 3), torch.zeros(2, 3) > 0
    )
    assert ParameterRegularization()(output, AUDIO).item() == 0.0


def test_gate_sparsity_counts_expected_gates_beyond_the_held_ones() -> None:
    expected = ((0.9 + 0.6 + 0.1 - 1) + (0.2 + 0.3 + 0.8 - 1)) / 2
    assert GateSparsity()(_example(), AUDIO).item() == pytest.approx(expected)


def test_gate_sparsity_presses_on_every_gate_alike() -> None:
    probability = torch.full((2, 3), 0.5, requires_grad=True)
    held = torch.tensor([[True, True, False], [False, False, False]])
    output = _output(torch.ones(2, 3), torch.ones(2, 3), torch.ones(2, 3), probability, held)
    (gradient,) = torch.autograd.grad(GateSparsity()(output, AUDIO), probability)
    torch.testing.assert_close(gradient, torch.full((2, 3), 0.5))


def test_bands_that_are_always_on_have_no_price() -> None:
    ones = torch.ones(2, 3)
    assert GateSparsity()(_output(ones, ones, ones, ones, ones > 0), AUDIO).item() == 0.0


def test_residual_share_is_an_energy_ratio() -> None:
    audio = torch.randn(2, 2, 4_000)
    residual = torch.stack([0.1 * audio[0], 0.01 * audio[1]])
    output = MasteringOutput(audio, {}, residual=residual)
    assert ResidualShare()(output, AUDIO).item() == pytest.approx((1e-2 + 1e-4) / 2, rel=1e-4)
    level_db = 10 * math.log10(
        ResidualShare()(MasteringOutput(audio[:1], {}, residual=residual[:1]), AUDIO).item()
    )
    assert level_db == pytest.approx(-20.0, abs=1e-3)


@pytest.mark.parametrize("term", [ParameterRegularization(), GateSparsity(), ResidualShare()])
def test_a_system_without_controls_costs_nothing_and_is_not_judged(term: LossTerm) -> None:
    assert term.regularizer
    assert term(MasteringOutput.of_audio(AUDIO), AUDIO).item() == 0.0
