"""The differentiable limiter against the one that renders."""

import numpy as np
import pytest
import torch

from neural_mastering.dsp import limiter_training
from neural_mastering.dsp.limiter import LimiterSettings, limit
from neural_mastering.processors import Limiter

RATE = 44_100


def _drums(seconds: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    time = np.arange(round(seconds * RATE)) / RATE
    beat = np.exp(-(time % 0.25) / 0.03) * rng.standard_normal((2, time.size))
    return 0.4 * beat + 0.3 * np.sin(2 * np.pi * 997 * time) + 0.2 * np.sin(2 * np.pi * 9_876.5 * time)


@pytest.mark.parametrize(
    ("threshold", "release", "lookahead"), [(-6.0, 30.0, 5.0), (-12.0, 100.0, 1.0), (-3.0, 1.0, 0.0)]
)
def test_agrees_with_the_form_that_renders(threshold: float, release: float, lookahead: float) -> None:
    audio = _drums()
    _, exact = limit(audio, threshold, RATE, LimiterSettings(lookahead, release, recovery_ms=release))
    limiter = Limiter(RATE, lookahead)
    gain = limiter.gain(
        torch.from_numpy(audio)[None],
        threshold_db=torch.tensor([threshold]),
        release_ms=torch.tensor([release]),
    )
    assert exact.min() < 0.7
    difference = 20 * np.log10(gain[0].numpy() / exact)
    assert np.sqrt(np.mean(difference**2)) < 0.02
    assert np.quantile(np.abs(difference), 0.99) < 0.1


def test_gradients_reach_audio_threshold_and_release() -> None:
    settings = LimiterSettings(lookahead_ms=0.2)
    memory = limiter_training.memory_of(settings, RATE)
    audio = (0.4 * torch.randn(1, 2, memory.audio + 200, dtype=torch.float64)).requires_grad_()
    threshold, release = (torch.tensor([v], dtype=torch.float64, requires_grad=True) for v in (-6.0, 5.0))
    wanted, released = torch.zeros(1, memory.wanted), torch.zeros(1, memory.released)

    def gain(*leaves: torch.Tensor) -> torch.Tensor:
        curve, _, _ = limiter_training.gain_curve(
            *leaves, sample_rate=RATE, settings=settings, wanted_before=wanted, released_before=released
        )
        return (curve * torch.linspace(-1, 1, 200, dtype=torch.float64)).sum()

    leaves = [audio, threshold, release]
    assert torch.autograd.gradcheck(gain, leaves, eps=1e-7, atol=1e-5)
    assert all(bool(g.any()) for g in torch.autograd.grad(gain(*leaves), leaves))
