"""Every part of encoder and heads hears the audio losses, in each phase.

Outputs start at zero, so the first step cannot reach what lies behind them: gradients are judged after three
optimiser steps, without regularisers, summed over four batches.
"""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from neural_mastering.config.compose import compose
from neural_mastering.config.run import build_model
from neural_mastering.config.schema import validated
from neural_mastering.dsp.biquad import equalize
from neural_mastering.losses import WeightedSum
from neural_mastering.models import MasteringModel, build

RATE = 44_100
SMALL = ["loss.terms.mr_stft.term.term.fft_sizes=[2048,512]"]


def _batches(count: int, seed: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Coloured noise of different levels; the target is 3 dB louder with an EQ that the input does not have."""
    generator = torch.Generator().manual_seed(seed)
    for number in range(count):
        level = 0.02 + 0.1 * torch.rand(2, 1, 1, generator=generator)
        noise = torch.randn(2, 2, RATE, generator=generator)
        audio = level * (noise + 0.9 * noise.roll(1, dims=-1))
        frequency, gain, q = (
            torch.tensor([[120.0, 900.0, 5_000.0]] * 2),
            torch.tensor([[4.0, -5.0, 6.0]] * 2),
            0.8,
        )
        target = 1.41 * equalize(audio, frequency, gain, torch.full_like(gain, q), RATE)
        yield audio, target, torch.arange(2) + 2 * number


def _audio_loss(
    model: MasteringModel, objective: WeightedSum, batch: tuple[Tensor, Tensor, Tensor]
) -> Tensor:
    audio, target, seeds = batch
    return objective.audio_total(objective.values(model(audio, seeds), target))


def _after_three_steps(phase: str, encoder: str) -> tuple[MasteringModel, WeightedSum]:
    config = validated(compose([f"+phase={phase}", f"model/encoder={encoder}", *SMALL]))
    model, objective = build_model(config.model), build(config.loss, packages=None)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in _batches(3, seed=1):
        optimizer.zero_grad()
        objective(model(batch[0], batch[2]), batch[1], step=10_000).backward()
        optimizer.step()
    return model, objective


@pytest.mark.parametrize("encoder", ["log_mel", "tcn"])
@pytest.mark.parametrize("phase", ["1a", "1b", "1c"])
def test_audio_losses_reach_every_parameter(phase: str, encoder: str) -> None:
    model, objective = _after_three_steps(phase, encoder)
    if phase == "1c":
        _past_the_open_steps(model)
    model.zero_grad()
    for batch in _batches(4, seed=2):
        _audio_loss(model, objective, batch).backward()
    gradients = {name: p.grad for name, p in model.named_parameters()}
    missing = [name for name, gradient in gradients.items() if gradient is None]
    assert not missing, f"without a gradient: {missing}"
    norms = {name: float(gradient.norm()) for name, gradient in gradients.items() if gradient is not None}
    total = sum(norm**2 for norm in norms.values()) ** 0.5
    assert 0 < total < float("inf")
    dead = {name: norm for name, norm in norms.items() if not norm > 1e-8 * total}
    assert not dead, f"below 1e-8 of the global norm {total:.3g}: {dead}"


@pytest.mark.parametrize("phase", ["1a", "1b", "1c"])
def test_gradients_agree_with_finite_differences(phase: str) -> None:
    """Along random directions in the space of all parameters of a part, in float64."""
    model, objective = _after_three_steps(phase, "log_mel")
    model.double().eval()
    batch = next(_batches(1, seed=3))
    batch = (batch[0][..., : RATE // 2].double(), batch[1][..., : RATE // 2].double(), batch[2])
    model.zero_grad()
    _audio_loss(model, objective, batch).backward()
    generator = torch.Generator().manual_seed(4)
    parts = {"encoder": model.encoder, "eq_head": model.eq_head, "residual_head": model.residual_head}
    for name, part in parts.items():
        parameters = [p for p in part.parameters() if p.grad is not None and float(p.grad.norm()) > 0]
        if not parameters:
            assert name == "residual_head" and phase == "1a"
            continue
        directions = [torch.randn(p.shape, generator=generator, dtype=p.dtype) for p in parameters]
        # Along the gradient itself plus noise, so that the slope is not lost in rounding.
        directions = [
            d * p.grad.norm() / d.norm() + p.grad for d, p in zip(directions, parameters, strict=True)
        ]  # type: ignore[union-attr]
        slope = sum(float((d * p.grad).sum()) for d, p in zip(directions, parameters, strict=True))
        size = sum(float(d.square().sum()) for d in directions) ** 0.5
        step = 1e-7 / size
        values = []
        with torch.no_grad():
            for sign in (1.0, -2.0):
                for d, p in zip(directions, parameters, strict=True):
                    p.add_(sign * step * d)
                values.append(float(_audio_loss(model, objective, batch)))
            for d, p in zip(directions, parameters, strict=True):
                p.add_(step * d)
        assert (values[0] - values[1]) / (2 * step) == pytest.approx(slope, rel=2e-2), name


def _past_the_open_steps(model: MasteringModel) -> None:
    """Gates must be judged while they are drawn, not while all are held open at the start of training."""
    step = getattr(model.eq_head, "step", None)
    if isinstance(step, Tensor):
        step.fill_(1_000_000)
