import numpy as np
import pytest
import torch

from neural_mastering.dsp.mel import hz_to_mel, mel_filterbank, mel_to_hz

# The 40 mel frequencies from 0 to 11,025 Hz in the documentation of librosa.mel_frequencies.
LIBROSA_40 = [
    0.0, 85.317, 170.635, 255.952, 341.269, 426.586, 511.904, 597.221, 682.538, 767.855,
    853.173, 938.49, 1024.856, 1119.114, 1222.042, 1334.436, 1457.167, 1591.187, 1737.532, 1897.337,
    2071.84, 2262.393, 2470.47, 2697.686, 2945.799, 3216.731, 3512.582, 3835.643, 4188.417, 4573.636,
    4994.285, 5453.621, 5955.205, 6502.92, 7101.009, 7754.107, 8467.272, 9246.028, 10096.408, 11025.0,
]  # fmt: skip


def test_slaney_scale_agrees_with_published_values():
    top = float(hz_to_mel(torch.tensor([11_025.0], dtype=torch.float64)))
    frequencies = mel_to_hz(torch.linspace(0.0, top, 40, dtype=torch.float64))
    np.testing.assert_allclose(frequencies, LIBROSA_40, atol=6e-4)


def test_htk_scale_in_closed_form():
    # 1 kHz is 1000 mel by definition; 700 Hz doubles the argument of the logarithm.
    mel = hz_to_mel(torch.tensor([0.0, 700.0, 1000.0, 6300.0], dtype=torch.float64), "htk")
    np.testing.assert_allclose(mel, [0.0, 781.172839, 999.985538, 2595.0], rtol=1e-7)


@pytest.mark.parametrize("scale", ["slaney", "htk"])
def test_scales_invert(scale):
    at_hz = torch.linspace(0.0, 22_050.0, 997, dtype=torch.float64)
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(at_hz, scale), scale), at_hz, rtol=1e-12, atol=1e-9)


def test_triangles_have_area_one_or_height_one():
    area = mel_filterbank(16_384, 44_100.0, 40, 20.0, 20_000.0)
    np.testing.assert_allclose(area.sum(1) * 44_100.0 / 16_384, 1.0, rtol=2e-3)
    height = mel_filterbank(16_384, 44_100.0, 40, 20.0, 20_000.0, unit_area=False)
    assert height.max() <= 1.0
    # Neighbouring triangles add up to 1 between the first and the last centre.
    low, high = (float(mel) for mel in hz_to_mel(torch.tensor([20.0, 20_000.0])))
    edges = mel_to_hz(torch.linspace(low, high, 42))
    at_hz = torch.arange(8193) * (44_100.0 / 16_384)
    inside = (at_hz > edges[1]) & (at_hz < edges[-2])
    np.testing.assert_allclose(height.sum(0)[inside], 1.0, rtol=1e-12)


@pytest.mark.parametrize("scale", ["slaney", "htk"])
def test_filter_bank_against_interpolation(scale):
    bank = mel_filterbank(2048, 32_000.0, 24, 50.0, 15_000.0, scale)
    ends = hz_to_mel(torch.tensor([50.0, 15_000.0], dtype=torch.float64), scale)
    edges = mel_to_hz(torch.linspace(float(ends[0]), float(ends[1]), 26, dtype=torch.float64), scale).numpy()
    at_hz = np.fft.rfftfreq(2048, 1.0 / 32_000.0)
    expected = [
        np.interp(at_hz, edges[b : b + 3], [0.0, 2.0 / (edges[b + 2] - edges[b]), 0.0]) for b in range(24)
    ]
    np.testing.assert_allclose(bank, expected, atol=1e-15)


def test_impossible_banks_are_refused():
    with pytest.raises(ValueError, match="too narrow"):
        mel_filterbank(512, 44_100.0, 128)
    with pytest.raises(ValueError, match="half the sample rate"):
        mel_filterbank(512, 44_100.0, 10, 20.0, 30_000.0)
