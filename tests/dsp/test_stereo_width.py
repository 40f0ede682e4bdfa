"""The side's high-pass against scipy's filter, and what stays as it is."""

import numpy as np
import pytest
import scipy.signal
import torch

from neural_mastering.dsp import stereo_width

RATE = 44_100.0


@pytest.mark.parametrize("frequency", [20.0, 107.0, 300.0])
def test_the_high_pass_is_that_of_butterworth(frequency: float) -> None:
    side = torch.randn(1, 1, 20_000, dtype=torch.float64)
    taps = stereo_width.high_pass_taps(20.0, RATE)
    change, _ = stereo_width.side_change(
        side, torch.ones(1), torch.tensor([frequency], dtype=torch.float64), torch.ones(1), RATE, taps
    )
    sections = scipy.signal.butter(2, frequency, "highpass", fs=RATE, output="sos")
    expected = scipy.signal.sosfilt(sections, side.numpy())
    np.testing.assert_allclose((side + change).numpy(), expected, atol=2e-4)


def test_the_mono_sum_stays() -> None:
    audio = torch.randn(2, 2, 5_000)
    wider = stereo_width.add_to_side(audio, torch.randn(2, 1, 5_000))
    torch.testing.assert_close(wider.sum(dim=1), audio.sum(dim=1), atol=1e-6, rtol=0)
    torch.testing.assert_close(stereo_width.side_of(audio)[:, 0], 0.5 * (audio[:, 0] - audio[:, 1]))
