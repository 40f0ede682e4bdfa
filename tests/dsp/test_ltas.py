"""Third-octave levels against scipy and closed forms."""

import numpy as np
import pytest
import scipy.signal
import torch

from neural_mastering.dsp.ltas import (
    interpolate_third_octaves,
    third_octave_centres_hz,
    third_octave_levels_db,
)

RATE = 44_100


def test_centres_are_the_exact_base_10_series() -> None:
    centres = third_octave_centres_hz()
    assert centres.numel() == 29
    np.testing.assert_allclose(centres[[0, 16, 28]].numpy(), [25.1189, 1000.0, 15848.93], rtol=1e-5)


@pytest.mark.parametrize("frequency_hz", [63.0, 1000.0, 10_000.0])
def test_a_sine_has_its_power_in_its_band(frequency_hz: float) -> None:
    time = torch.arange(4 * RATE, dtype=torch.float64) / RATE
    audio = (0.5 * torch.sin(2 * torch.pi * frequency_hz * time)).expand(1, 2, -1)
    levels = third_octave_levels_db(audio, RATE)[0]
    band = int((third_octave_centres_hz().log() - np.log(frequency_hz)).abs().argmin())
    assert int(levels.argmax()) == band
    assert float(levels[band]) == pytest.approx(10 * np.log10(0.5**2 / 2), abs=0.05)


def test_noise_agrees_with_scipys_welch() -> None:
    noise = np.random.default_rng(0).standard_normal((2, 10 * RATE)) * 0.1
    f, density = scipy.signal.welch(noise, RATE, "hann", 16_384, 8_192, detrend=False)  # pyright: ignore[reportArgumentType]
    mean = density.mean(axis=0)
    levels = third_octave_levels_db(torch.from_numpy(noise)[None], RATE)[0].numpy()
    for band, centre in enumerate(third_octave_centres_hz().double().numpy()):
        if centre < 500:  # where bins are narrow against the band, edges do not matter
            continue
        inside = (f >= centre * 10**-0.05) & (f < centre * 10**0.05)
        assert levels[band] == pytest.approx(10 * np.log10(mean[inside].sum() * (f[1] - f[0])), abs=0.1)


def test_silence_and_short_clips_are_finite() -> None:
    assert torch.isfinite(third_octave_levels_db(torch.zeros(1, 1, 100), RATE)).all()


def test_levels_do_not_depend_on_the_batch() -> None:
    audio = torch.randn(3, 2, RATE)
    torch.testing.assert_close(
        third_octave_levels_db(audio, RATE)[1:2], third_octave_levels_db(audio[1:2], RATE)
    )


def test_interpolation_is_linear_over_log_frequency_and_flat_beyond() -> None:
    centres = third_octave_centres_hz()
    curve = 3.0 * torch.log2(centres / 1000.0)
    at = torch.tensor([100.0, 777.0, 12_345.0])
    torch.testing.assert_close(
        interpolate_third_octaves(curve, at), 3.0 * torch.log2(at / 1000.0), atol=1e-4, rtol=0
    )
    ends = interpolate_third_octaves(curve, torch.tensor([0.0, 20_000.0]))
    torch.testing.assert_close(ends, curve[[0, -1]])
