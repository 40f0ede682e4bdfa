"""A term at the target's loudness: blind to a gain, and otherwise the term itself."""

import pytest
import torch
from torch import Tensor

from neural_mastering.dsp.loudness import integrated_loudness
from neural_mastering.losses import (
    AWeighted,
    LossTerm,
    LoudnessMatched,
    MultiResolutionSTFT,
    ParameterRegularization,
)
from neural_mastering.output import MasteringOutput

RATE = 44_100
TERMS = [MultiResolutionSTFT((2048, 512)), AWeighted(RATE)]


def _pair(dtype: torch.dtype = torch.float64, length: int = RATE) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    audio, target = (0.1 * torch.randn(2, 2, length, generator=generator, dtype=dtype) for _ in range(2))
    return audio, target


def _value(term: LossTerm, audio: Tensor, target: Tensor) -> Tensor:
    return term(MasteringOutput.of_audio(audio), target)


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("length", [RATE, 5_000])
def test_a_gain_of_either_item_costs_nothing(term: LossTerm, length: int) -> None:
    audio, target = _pair(length=length)
    matched = LoudnessMatched(term, RATE)
    gains = torch.tensor([0.1, 3.0], dtype=audio.dtype)[:, None, None]
    assert float(_value(matched, gains * target, target)) == pytest.approx(0.0, abs=1e-9)
    assert float(_value(matched, gains * audio, target)) == pytest.approx(
        float(_value(matched, audio, target))
    )
    assert float(_value(term, gains * target, target)) > 0.1


@pytest.mark.parametrize("term", TERMS)
def test_it_is_the_term_of_the_output_at_the_loudness_of_the_target(term: LossTerm) -> None:
    audio, target = _pair()
    difference = integrated_loudness(target, RATE) - integrated_loudness(0.2 * audio, RATE)
    by_hand = 0.2 * audio * (10.0 ** (difference / 20.0))[:, None, None]
    matched = _value(LoudnessMatched(term, RATE), 0.2 * audio, target)
    assert float(matched) == pytest.approx(float(_value(term, by_hand, target)), rel=1e-9)


@pytest.mark.parametrize("term", TERMS)
def test_the_gradient_has_no_part_along_the_audio(term: LossTerm) -> None:
    audio, target = _pair()
    leaf = audio.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(_value(LoudnessMatched(term, RATE), leaf, target), leaf)
    along = float((gradient * audio).sum())
    assert abs(along) < 1e-6 * float(gradient.norm() * audio.norm())
    direction = torch.randn(audio.shape, generator=torch.Generator().manual_seed(1), dtype=audio.dtype)
    step = 1e-6
    matched = LoudnessMatched(term, RATE)
    slope = (
        _value(matched, audio + step * direction, target) - _value(matched, audio - step * direction, target)
    ) / (2.0 * step)
    assert float(slope) == pytest.approx(float((gradient * direction).sum()), rel=0.01)


def test_a_silent_side_is_left_as_it_is() -> None:
    audio, target = _pair()
    term = TERMS[0]
    for left, right in ((0.0 * audio, target), (audio, 0.0 * target)):
        assert torch.equal(_value(LoudnessMatched(term, RATE), left, right), _value(term, left, right))


def test_a_regularizer_is_refused() -> None:
    with pytest.raises(ValueError, match="judges controls"):
        LoudnessMatched(ParameterRegularization(), RATE)
