"""Waveshapers, oversampling and the DC blocker against plain computations."""

import numpy as np
import pytest
import scipy.integrate
import scipy.signal
import torch
from torch import Tensor

from neural_mastering.dsp import oversampling, saturation, waveshaper

RATE = 44_100.0


def _item(*values: float) -> list[Tensor]:
    return [torch.tensor([v], dtype=torch.float64) for v in values]


@pytest.mark.parametrize("corner", [1.0, 0.1, 0.02])
def test_the_mean_over_a_line_is_the_integral(corner: float) -> None:
    u = torch.tensor([[[-2.0, -0.9, 0.3, 0.3, 0.3000001, 1.5, -3.0]]], dtype=torch.float64)
    slope, offset, width, gain = _item(1.7, 0.2, corner, 0.6)
    got = waveshaper.soft_clip_change(u, slope, offset, width, gain)[0, 0].numpy()

    def f(v: float) -> float:
        return float(waveshaper.soft_clip(torch.tensor(v, dtype=torch.float64), width[0]))

    for m, (a, b) in enumerate(zip(u[0, 0, :-1].tolist(), u[0, 0, 1:].tolist(), strict=True)):
        mean, _ = scipy.integrate.quad(lambda t, a=a, b=b: f(1.7 * (a + (b - a) * t) + 0.2), 0, 1, limit=200)
        assert got[m] == pytest.approx(0.6 * (mean - f(0.2)) - 0.5 * (a + b), abs=1e-7)


def test_gradients_of_both_families() -> None:
    u = (2 * torch.randn(2, 2, 12, dtype=torch.float64)).requires_grad_()
    pairs = [
        torch.tensor(v, dtype=torch.float64).requires_grad_()
        for v in ([2.0, 0.7], [0.1, -0.4], [0.5, 0.05], [0.9, 1.3])
    ]
    assert torch.autograd.gradcheck(waveshaper.soft_clip_change, [u, *pairs], eps=1e-7, atol=1e-5)
    units = [
        torch.tensor(v, dtype=torch.float64).requires_grad_() for v in ([0.4, -0.6], [1.0, 2.5], [0.3, -0.2])
    ]
    slope, offset, _, gain = pairs
    assert torch.autograd.gradcheck(
        waveshaper.tanh_sum_change, [u, slope, offset, gain, *units], eps=1e-7, atol=1e-5
    )


def test_the_hard_end_clips_and_the_slope_at_rest_is_1() -> None:
    v = torch.linspace(-3, 3, 601, dtype=torch.float64)
    hard = waveshaper.soft_clip(v, torch.tensor(saturation.HARD_CORNER, dtype=torch.float64))
    assert float((hard - v.clamp(-1, 1)).abs().max()) < 0.011
    for shape in (0.0, 0.5, 1.0):
        slope, offset, corner, _ = saturation.soft_clip_parameters(*_item(0.0, shape, 0.0))
        small = waveshaper.soft_clip(1e-4 * slope + offset, corner)
        assert float(small) == pytest.approx(1e-4, rel=1e-3)


@pytest.mark.parametrize("shape", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("bias", [0.0, 0.4])
def test_a_wave_of_the_kept_amplitude_keeps_its_height(shape: float, bias: float) -> None:
    kept = 10 ** (saturation.KEPT_AMPLITUDE_DB / 20)
    for drive in (0.0, 12.0, 24.0):
        slope, offset, corner, gain = saturation.soft_clip_parameters(*_item(drive, shape, bias))
        top, bottom = (waveshaper.soft_clip(s * slope * kept + offset, corner) for s in (1, -1))
        assert float(gain * (top - bottom)) == pytest.approx(2 * kept, rel=1e-9)


@pytest.mark.parametrize("factor", [1, 2, 8])
def test_a_linear_change_passes_the_oversampler_on_time(factor: float) -> None:
    """The mean of neighbours, filtered up and down, is the signal itself but for the averaging's treble loss."""
    time = np.arange(4_000) / RATE
    audio = torch.from_numpy(np.sin(2 * np.pi * 1_000 * time))[None, None]
    out = oversampling.oversampled_change(audio, int(factor), lambda u: 0.5 * (u[..., 1:] + u[..., :-1]))
    late = oversampling.LATENCY_SAMPLES
    inside = slice(late, -late)
    expected = audio[..., late:-late] * np.cos(np.pi * 1_000 / (factor * RATE))
    np.testing.assert_allclose(out[..., inside].numpy(), expected[..., inside].numpy(), atol=5e-5)


def _changed(audio: Tensor, factor: int) -> Tensor:
    return oversampling.oversampled_change(audio, factor, lambda u: (0.5 * (u[..., 1:] + u[..., :-1])).tanh())


@pytest.mark.parametrize("factor", [1, 4])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 2e-6)])
def test_compiled_loops_equal_tensor_operations(
    factor: int, dtype: torch.dtype, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values and gradients, over more than one block of the loops."""
    audio = torch.randn(2, 2, 1_500, dtype=dtype, generator=torch.Generator().manual_seed(0))
    upstream = torch.randn(2, 2, 1_500 - oversampling.HISTORY_SAMPLES, dtype=dtype)
    found = []
    for compiled in (True, False):
        monkeypatch.setattr(oversampling, "can_compile_for", lambda _, compiled=compiled: compiled)
        leaf = audio.clone().requires_grad_()
        out = _changed(leaf, factor)
        (gradient,) = torch.autograd.grad(out, leaf, upstream)
        found.append((out.detach(), gradient))
    for loops, tensors in zip(*found, strict=True):
        assert loops.abs().max() > 0.5
        torch.testing.assert_close(loops, tensors, rtol=0.0, atol=tolerance)


def test_the_gradient_through_the_oversampler() -> None:
    audio = torch.randn(1, 2, oversampling.HISTORY_SAMPLES + 9, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda a: _changed(a, 2), [audio], eps=1e-6, atol=1e-7)


def test_the_filters_are_those_of_a_polyphase_resampler() -> None:
    """Up by zeros between samples and one long filter, down by every fourth sample: the plain way."""
    factor, reach = 4, oversampling.REACH
    audio = torch.randn(1, 1, 400, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    phases = oversampling.interpolating_phases(factor)
    long = np.zeros((2 * reach + 1) * factor)
    for k in range(factor):
        long[k::factor] = phases[k]
    long[0::factor] = np.eye(2 * reach + 1)[reach]
    stuffed = np.zeros(400 * factor)
    stuffed[::factor] = audio[0, 0].numpy()
    high = np.convolve(stuffed, long)[2 * reach * factor : 400 * factor]
    mean = 0.5 * (high[1:] + high[:-1])
    low = np.correlate(mean, oversampling.decimating_taps(factor), "valid")[::factor]
    out = oversampling.oversampled_change(audio, factor, lambda u: 0.5 * (u[..., 1:] + u[..., :-1]))
    np.testing.assert_allclose(out[0, 0].numpy(), low[: out.shape[-1]], atol=1e-12)


def test_the_dc_blocker_is_the_recursive_filter() -> None:
    impulse = saturation.dc_blocker_impulse(RATE)
    pole = np.exp(-2 * np.pi * saturation.DC_BLOCKER_HZ / RATE)
    unit = np.zeros(impulse.size)
    unit[0] = 1.0
    expected = scipy.signal.lfilter([(1 + pole) / 2, -(1 + pole) / 2], [1.0, -pole], unit)
    np.testing.assert_allclose(impulse, expected, atol=1e-12)
    assert abs(impulse.sum()) < 1e-5


def test_logarithms_in_vectors() -> None:
    from neural_mastering.dsp.saturation_kernels import _logarithms

    rng = np.random.default_rng(0)
    x = np.concatenate(
        [np.exp(rng.uniform(-600.0, 600.0, 5_000)), 1.0 + rng.uniform(-0.4, 0.6, 5_000), [1.0]]
    )
    found = x.copy()
    _logarithms(found, found.size)
    np.testing.assert_allclose(found, np.log(x), rtol=1e-15, atol=1e-17)
