"""The one-pass distances equal the plain function, gain by gain and group by group."""

import pytest
import torch

from neural_mastering.dsp import stft_fused, stft_totals
from neural_mastering.dsp.stft import multi_resolution_stft_distance
from neural_mastering.dsp.stft_resolution import View

GROUPS: list[tuple[View, ...]] = [("left", "right"), ("mid", "side")]
SIZES = (2048, 512, 256)


@pytest.mark.parametrize(("channels", "time"), [(2, 30_000), (1, 30_000), (2, 700), (2, 100)])
def test_equal_to_the_plain_function(channels: int, time: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stft_fused, "BLOCK_SAMPLES", 1 << 13)  # many blocks
    generator = torch.Generator().manual_seed(1)
    target = 0.1 * torch.randn(1, channels, time, generator=generator)
    prediction = 0.5 * target + 0.03 * torch.randn(1, channels, time, generator=generator)
    gains = [1.0, 1.7, 0.2]
    got = stft_totals.distances(prediction, target, gains, GROUPS, SIZES)
    for i, gain in enumerate(gains):
        for j, views in enumerate(GROUPS):
            wanted = multi_resolution_stft_distance(prediction * gain, target, SIZES, views=views)
            assert got[i][j] == pytest.approx(float(wanted), rel=2e-5)


def test_float64_takes_the_plain_path() -> None:
    target = 0.1 * torch.randn(1, 2, 3000, dtype=torch.float64)
    got = stft_totals.distances(0.5 * target, target, [2.0], [("left", "right")], SIZES)
    assert got[0][0] == pytest.approx(0.0, abs=1e-12)


def test_silence_against_silence_costs_nothing() -> None:
    silence = torch.zeros(1, 2, 5000)
    assert stft_totals.distances(silence, silence, [1.0, 2.0], GROUPS, SIZES) == [[0.0, 0.0], [0.0, 0.0]]
