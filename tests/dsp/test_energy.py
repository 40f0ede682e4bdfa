"""Energy shares against their definition."""

import pytest
import torch

from neural_mastering.dsp.energy import energy_share


def test_the_share_of_a_tenth_is_minus_20_db() -> None:
    whole = torch.randn(2, 2, 1000, dtype=torch.float64)
    shares = energy_share(0.1 * whole, whole)
    assert shares.tolist() == pytest.approx([0.01, 0.01], rel=1e-5)


def test_silence_is_finite() -> None:
    silence = torch.zeros(1, 2, 100)
    assert float(energy_share(silence, silence)) == 0.0
