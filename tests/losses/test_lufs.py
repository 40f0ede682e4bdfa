"""The loudness distance against pyloudnorm and closed forms."""

import math

import numpy as np
import pyloudnorm
import pytest
import torch
from torch import Tensor

from neural_mastering.losses.lufs import Lufs
from neural_mastering.output import MasteringOutput


def noise(*shape: int, seed: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def loss(term: Lufs, audio: Tensor, target: Tensor) -> Tensor:
    return term(MasteringOutput.of_audio(audio), target)


@pytest.mark.parametrize("channels", [1, 2])
def test_value_is_the_mean_difference_of_pyloudnorm(channels: int) -> None:
    audio, target = noise(3, channels, 88200, seed=0), noise(3, channels, 88200, seed=1)
    audio *= torch.tensor([0.1, 1.0, 3.0])[:, None, None]
    target[..., 40000:] *= 0.05
    meter = pyloudnorm.Meter(44100, filter_class="DeMan")

    def peer(batch: Tensor) -> np.ndarray:
        return np.array([meter.integrated_loudness(item.double().numpy().T) for item in batch])

    expected = np.abs(peer(audio) - peer(target)).mean()
    assert loss(Lufs(44100), audio, target).item() == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("length", [500, 8000, 17639, 17640, 44100])
def test_a_gain_costs_its_decibels_at_any_length(length: int) -> None:
    target = noise(2, 2, length, seed=2)
    gains = torch.tensor([10.0 ** (3.0 / 20.0), 10.0 ** (-1.0 / 20.0)])[:, None, None]
    assert loss(Lufs(44100), target * gains, target).item() == pytest.approx(2.0, abs=1e-3)


def test_silence_costs_the_way_to_the_floor_and_nothing_against_itself() -> None:
    sound, silence = noise(1, 2, 44100, seed=3), torch.zeros(1, 2, 44100)
    term = Lufs(44100, floor_lufs=-70.0)
    level = loss(term, sound, silence).item() - 70.0
    assert level == pytest.approx(
        pyloudnorm.Meter(44100, filter_class="DeMan").integrated_loudness(sound[0].double().numpy().T),
        abs=0.02,
    )
    assert loss(term, silence, sound).item() == pytest.approx(level + 70.0)
    for audio, target in ((silence, silence), (silence, sound), (silence[..., :99], silence[..., :99])):
        leaf = audio.clone().requires_grad_()
        value = loss(term, leaf, target)
        value.backward()
        assert math.isfinite(value.item())
        assert leaf.grad is not None and torch.count_nonzero(leaf.grad) == 0


def test_a_step_down_the_gradient_comes_closer() -> None:
    target = noise(1, 2, 44100, seed=4)
    audio = (0.5 * noise(1, 2, 44100, seed=5)).requires_grad_()
    before = loss(Lufs(44100), audio, target)
    (gradient,) = torch.autograd.grad(before, audio)
    step = before.detach() / gradient.square().sum()
    assert loss(Lufs(44100), audio - 0.5 * step * gradient, target) < 0.6 * before


def test_gradcheck() -> None:
    target, base = (noise(2, 2, 6400, seed=s, dtype=torch.float64) for s in (6, 7))
    directions = noise(4, 2, 2, 6400, seed=8, dtype=torch.float64)
    term = Lufs(8000)

    def value(amount: Tensor) -> Tensor:
        return loss(term, 1.5 * base + torch.einsum("k,kbct->bct", amount, directions), target)

    amount = torch.tensor([0.1, -0.2, 0.3, 0.05], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(value, (amount,), eps=1e-6, atol=1e-7)
