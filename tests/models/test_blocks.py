import math

import numpy as np
import pytest
import scipy.signal
import torch
from torch.nn import functional as F

from neural_mastering.models.blocks import (
    DilatedStack,
    Downsample,
    FiLM,
    FrameNorm,
    TCNBlock,
    Upsample,
    low_pass_taps,
    mean_and_std,
    mid_side,
)


def test_film_is_the_identity_at_initialisation_and_then_its_equation():
    film = FiLM(3, 2)
    x, condition = torch.randn(4, 2, 5), torch.randn(4, 3)
    assert torch.equal(film(x, condition), x)
    torch.nn.init.normal_(film.linear.weight)
    torch.nn.init.normal_(film.linear.bias)
    numbers = condition @ film.linear.weight.T + film.linear.bias
    expected = (1.0 + numbers[:, :2, None]) * x + numbers[:, 2:, None]
    torch.testing.assert_close(film(x, condition), expected)


def test_mid_side_of_stereo_and_mono():
    left, right = torch.randn(2, 1, 9), torch.randn(2, 1, 9)
    stereo = mid_side(torch.cat((left, right), 1))
    torch.testing.assert_close(stereo[:, :1] + stereo[:, 1:], left)
    torch.testing.assert_close(stereo[:, :1] - stereo[:, 1:], right)
    assert torch.equal(mid_side(left), torch.cat((left, torch.zeros_like(left)), 1))
    assert torch.equal(mid_side(left), mid_side(torch.cat((left, left), 1)))


@pytest.mark.parametrize("shape", [(2, 3, 9), (2, 9), (2, 2, 0)])
@pytest.mark.usefixtures("unchecked")
def test_mid_side_refuses_what_is_not_mono_or_stereo(shape):
    with pytest.raises(ValueError, match="expected audio"):
        mid_side(torch.zeros(shape))


def test_pooling_agrees_with_numpy_and_has_a_gradient_for_one_frame():
    frames = torch.randn(3, 4, 50, dtype=torch.float64)
    pooled = mean_and_std(frames, floor=1e-6)
    array = frames.numpy()
    np.testing.assert_allclose(pooled, np.concatenate((array.mean(-1), array.std(-1)), -1), rtol=1e-10)
    single = torch.randn(2, 4, 1, requires_grad=True)
    mean_and_std(single).sum().backward()
    torch.testing.assert_close(single.grad, torch.ones(2, 4, 1))


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_low_pass_passes_below_and_stops_above_the_new_nyquist(factor):
    taps = low_pass_taps(factor).numpy()
    # Frequencies as fractions of the low rate's Nyquist frequency.
    at = np.linspace(0.0, factor, 20_001)
    _, response = scipy.signal.freqz(taps, worN=at * math.pi / factor)
    level = 20.0 * np.log10(np.abs(response) + 1e-12)
    assert np.abs(level[at <= 0.7]).max() < 0.02
    assert level[at >= 1.0].max() < -65.0
    np.testing.assert_allclose(taps, taps[::-1], atol=1e-17)


@pytest.mark.parametrize("time", [1, 3, 4, 5, 127, 128, 129, 1000])
@pytest.mark.parametrize("factor", [2, 4])
def test_both_directions_equal_upfirdn(factor, time):
    x = torch.randn(2, 3, time, dtype=torch.float64)
    taps = low_pass_taps(factor).numpy()
    reach = len(taps) // 2
    down = scipy.signal.upfirdn(taps, np.pad(x.numpy(), ((0, 0), (0, 0), (0, reach))), 1, 1)
    down = down[..., reach : reach + time : factor]
    np.testing.assert_allclose(Downsample(factor)(x), down, atol=1e-13)
    up = scipy.signal.upfirdn(factor * taps, x.numpy(), factor, 1)
    up = np.pad(up, ((0, 0), (0, 0), (0, factor)))[..., reach : reach + factor * time]
    np.testing.assert_allclose(Upsample(factor)(x), up, atol=1e-13)


def test_upsampling_is_the_adjoint_of_downsampling():
    x, y = torch.randn(1, 2, 400, dtype=torch.float64), torch.randn(1, 2, 100, dtype=torch.float64)
    forth = (Downsample(4)(x) * y).sum()
    back = (x * Upsample(4)(y)).sum() / 4.0
    torch.testing.assert_close(forth, back, rtol=1e-12, atol=0.0)


@pytest.mark.parametrize("fraction", [1.02, 1.5, 2.3, 3.9])
def test_a_tone_above_the_new_nyquist_is_60_db_down(fraction):
    at = torch.arange(8000, dtype=torch.float64)
    tone = torch.sin(at * (fraction * math.pi / 4.0))[None, None]
    kept = Downsample(4)(tone)[..., 100:-100]
    assert kept.abs().max() < 1e-3


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5, 0.69])
def test_interpolation_has_no_images_and_keeps_the_tone(fraction):
    at = torch.arange(8000, dtype=torch.float64)
    tone = torch.cos(at * (fraction * math.pi / 4.0) + 0.3)
    dense = Upsample(4)(tone[::4][None, None])[0, 0]
    assert (dense - tone)[400:-400].abs().max() < 1e-3


def test_resampling_stays_in_float32_under_autocast():
    x = torch.randn(2, 3, 300)
    with torch.autocast("cpu", torch.bfloat16):
        inside = Downsample(4)(x), Upsample(4)(x)
    assert torch.equal(inside[0], Downsample(4)(x))
    assert torch.equal(inside[1], Upsample(4)(x))


def test_a_rate_change_by_one_is_refused():
    with pytest.raises(ValueError, match="at least 2"):
        low_pass_taps(1)


def test_frame_norm_is_layer_norm_over_channels():
    x = torch.randn(2, 6, 7)
    norm = FrameNorm(6)
    torch.nn.init.normal_(norm.weight)
    centred = x - x.mean(1, keepdim=True)
    expected = centred / (centred.square().mean(1, keepdim=True) + 1e-5).sqrt() * norm.weight[:, None]
    torch.testing.assert_close(norm(x), expected, rtol=1e-5, atol=1e-6)


def test_tcn_block_equals_its_equation():
    block = TCNBlock(4, 3, 2)
    assert block.dilated.bias is not None and block.mix.bias is not None
    x = torch.randn(2, 4, 11)
    normed = F.pad(F.layer_norm(x.transpose(1, 2), (4,)).transpose(1, 2), (2, 2))
    hidden = sum(
        torch.einsum("oi,bit->bot", block.dilated.weight[:, :, k], normed[..., 2 * k : 2 * k + 11])
        for k in range(3)
    )
    hidden = F.gelu(hidden + block.dilated.bias[:, None])
    expected = x + torch.einsum("oi,bit->bot", block.mix.weight[..., 0], hidden) + block.mix.bias[:, None]
    torch.testing.assert_close(block(x), expected)


def test_receptive_field_of_a_dilated_stack():
    stack = DilatedStack(4, 3, (1, 4, 2)).double()
    x = torch.randn(1, 4, 41, dtype=torch.float64, requires_grad=True)
    stack(x)[0, :, 20].sum().backward()
    assert x.grad is not None
    seen = torch.nonzero(x.grad.abs().sum(1)[0]).flatten()
    assert (int(seen[0]), int(seen[-1])) == (20 - 7, 20 + 7)
    assert stack.receptive_field_frames == 15


def test_an_even_kernel_is_refused():
    with pytest.raises(ValueError, match="odd"):
        TCNBlock(4, 4, 1)
