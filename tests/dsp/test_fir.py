"""FFT convolution against scipy's direct one."""

import numpy as np
import pytest
import scipy.signal
import torch

from neural_mastering.dsp.fir import fft_convolve


@pytest.mark.parametrize(
    ("time", "taps", "length"), [(300, 40, None), (50, 200, None), (100, 30, 129), (64, 1, 20)]
)
def test_is_the_linear_convolution(time: int, taps: int, length: int | None) -> None:
    audio = torch.randn(2, 3, time, dtype=torch.float64)
    impulse = torch.randn(2, taps, dtype=torch.float64)
    got = fft_convolve(audio, impulse, length)
    kept = time if length is None else length
    assert got.shape == (2, 3, kept)
    for item in range(2):
        for channel in range(3):
            full = scipy.signal.convolve(audio[item, channel], impulse[item], method="direct")
            np.testing.assert_allclose(got[item, channel], full[:kept], atol=1e-12)


def test_a_result_longer_than_the_convolution_ends_in_silence() -> None:
    got = fft_convolve(torch.randn(1, 1, 50), torch.randn(1, 10), 80)
    assert got[..., 59:].abs().max() < 1e-5 and got[..., 58].abs() > 1e-5


@pytest.mark.parametrize("length", [None, 12, 70])
def test_gradcheck(length: int | None) -> None:
    audio = torch.randn(2, 2, 30, dtype=torch.float64).requires_grad_()
    impulse = torch.randn(2, 11, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda x, h: fft_convolve(x, h, length), (audio, impulse))
    assert torch.autograd.gradcheck(lambda x: fft_convolve(x, impulse.detach(), length), (audio,))
    assert torch.autograd.gradcheck(lambda h: fft_convolve(audio.detach(), h, length), (impulse,))
