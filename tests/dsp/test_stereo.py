"""Width and correlation against closed forms."""

import math

import numpy as np
import pytest
import torch

from neural_mastering.dsp.stereo import mid_side, stereo_correlation, stereo_width_db

TIME = torch.arange(44_100, dtype=torch.float64) / 44_100


def _pair(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    return torch.stack([left, right])[None]


def test_mid_and_side_give_left_and_right_back() -> None:
    audio = torch.randn(2, 2, 100, dtype=torch.float64)
    mid, side = mid_side(audio).unbind(1)
    torch.testing.assert_close(torch.stack([mid + side, mid - side], 1), audio)


@pytest.mark.parametrize("width", [0.1, 0.5, 1.0, 3.0])
def test_width_is_the_side_factor_of_orthogonal_mid_and_side(width: float) -> None:
    mid, side = torch.sin(2 * math.pi * 100 * TIME), torch.sin(2 * math.pi * 300 * TIME)
    audio = _pair(mid + width * side, mid - width * side)
    assert float(stereo_width_db(audio)) == pytest.approx(20 * math.log10(width), abs=1e-6)


@pytest.mark.parametrize("phase", [0.0, 0.3, math.pi / 2, 2.5, math.pi])
def test_correlation_of_two_sines_is_the_cosine_of_their_phase(phase: float) -> None:
    audio = _pair(torch.sin(2 * math.pi * 100 * TIME), 0.2 * torch.sin(2 * math.pi * 100 * TIME + phase))
    assert float(stereo_correlation(audio)) == pytest.approx(math.cos(phase), abs=1e-9)


def test_correlation_equals_numpy_on_centred_noise() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 5000))
    a, b = a - a.mean(), b + 0.5 * a
    b = b - b.mean()
    got = stereo_correlation(_pair(torch.from_numpy(a), torch.from_numpy(b)))
    assert float(got) == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-12)


def test_mono_antiphase_and_silence_have_finite_readings() -> None:
    tone = torch.sin(2 * math.pi * 100 * TIME)
    audio = torch.cat(
        [_pair(tone, tone), _pair(tone, -tone), _pair(tone, 0 * tone), _pair(0 * tone, 0 * tone)]
    )
    torch.testing.assert_close(stereo_width_db(audio), torch.tensor([-60.0, 60.0, 0.0, -60.0]).double())
    torch.testing.assert_close(stereo_correlation(audio), torch.tensor([1.0, -1.0, 0.0, 1.0]).double())


def test_mono_files_are_refused(unchecked: None) -> None:
    with pytest.raises(ValueError, match="two channels"):
        stereo_width_db(torch.zeros(1, 1, 10))
