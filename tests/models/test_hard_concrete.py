"""Hard-concrete gates against their distribution function, drawn and in closed form."""

import math

import pytest
import torch
from scipy.integrate import quad

from neural_mastering.models.blocks import hard_concrete as hc

LOCATIONS = [-3.0, -1.0, 0.0, 1.7, 4.0]


def _below(gate: float, log_alpha: float) -> float:
    """P(stretched concrete ≤ gate): σ(β·logit((gate − γ)/(ζ − γ)) − ln α); the source's appendix A."""
    share = (gate - hc.STRETCH_LOW) / (hc.STRETCH_HIGH - hc.STRETCH_LOW)
    return 1.0 / (1.0 + math.exp(-(math.log(share / (1.0 - share)) * hc.TEMPERATURE - log_alpha)))


def _draws(log_alpha: float, count: int = 200_000) -> torch.Tensor:
    noise = torch.rand(count, dtype=torch.float64, generator=torch.Generator().manual_seed(1))[None]
    return hc.sample(torch.full_like(noise, log_alpha), noise)[0]


@pytest.mark.parametrize("log_alpha", LOCATIONS)
def test_draws_follow_the_distribution_function(log_alpha: float) -> None:
    draws = _draws(log_alpha)
    tolerance = 4.0 / math.sqrt(draws.numel())
    assert draws.eq(0).double().mean().item() == pytest.approx(_below(0.0, log_alpha), abs=tolerance)
    assert draws.eq(1).double().mean().item() == pytest.approx(1.0 - _below(1.0, log_alpha), abs=tolerance)
    for gate in (0.2, 0.5, 0.9):
        assert draws.le(gate).double().mean().item() == pytest.approx(_below(gate, log_alpha), abs=tolerance)
    expected = quad(lambda gate: 1.0 - _below(gate, log_alpha), 0.0, 1.0)[0]
    assert draws.mean().item() == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("log_alpha", LOCATIONS)
def test_open_probability_is_the_chance_of_a_gate_above_zero(log_alpha: float) -> None:
    value = hc.open_probability(torch.tensor([[log_alpha]], dtype=torch.float64)).item()
    assert value == pytest.approx(1.0 - _below(0.0, log_alpha), rel=1e-12)


def test_mean_gate_is_the_gate_of_median_noise_without_temperature() -> None:
    # 2.3979 = ln 11: σ = 11/12, stretched to exactly 1; its mirror image is exactly 0.
    values = hc.mean_gate(torch.tensor([[-math.log(11.0), 0.0, 1.0, math.log(11.0)]], dtype=torch.float64))
    expected = [0.0, 0.5, 1.2 / (1.0 + math.exp(-1.0)) - 0.1, 1.0]
    assert values[0].tolist() == pytest.approx(expected, abs=1e-12)
    assert hc.mean_gate(torch.tensor([[-2.41, 2.41]]))[0].tolist() == [0.0, 1.0]


def test_sample_is_differentiable() -> None:
    log_alpha = torch.tensor([[-1.0, 0.3, 1.0]], dtype=torch.float64, requires_grad=True)
    noise = torch.tensor([[0.5, 0.4, 0.3]], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda a: hc.sample(a, noise), (log_alpha,))
    assert torch.autograd.gradcheck(hc.mean_gate, (log_alpha,))
    assert torch.autograd.gradcheck(hc.open_probability, (log_alpha,))


def test_bounded_lets_only_the_way_back_through() -> None:
    logits = torch.tensor([[-5.0, -5.0, 0.5, 0.5, 6.0, 6.0]], requires_grad=True)
    bound = torch.full((6,), 2.0)
    values = hc.bounded(logits, bound)
    assert values[0].tolist() == [-2.0, -2.0, 0.5, 0.5, 2.0, 2.0]
    # A descent step goes against the gradient: +1 lowers the logit, −1 raises it.
    values.backward(torch.tensor([[1.0, -1.0, 1.0, -1.0, 1.0, -1.0]]))
    assert logits.grad is not None
    assert logits.grad[0].tolist() == [0.0, -1.0, 1.0, -1.0, 1.0, 0.0]
