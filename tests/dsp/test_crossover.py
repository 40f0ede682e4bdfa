"""The bands of the crossover: their sum, their slopes, their errors."""

import numpy as np
import pytest
import scipy.signal
import torch

from neural_mastering.dsp import crossover

RATE = 44_100.0


@pytest.mark.parametrize("crossovers", [(80.0,), (150.0, 2_500.0), (120.0, 1_000.0, 6_000.0)])
def test_the_sum_of_the_bands_is_the_delayed_signal(crossovers: tuple[float, ...]) -> None:
    late = crossover.latency_samples(crossovers, RATE)
    audio = torch.randn(1, 2, 4 * late)
    bands = crossover.split(audio, crossovers, RATE)
    assert bands.shape == (1, len(crossovers) + 1, 2, 2 * late)
    torch.testing.assert_close(bands.sum(dim=1), audio[..., late : 3 * late], atol=2e-6, rtol=0)


def test_the_magnitudes_are_flat_in_sum_and_those_of_linkwitz_and_riley() -> None:
    at_hz = np.geomspace(10.0, 22_000.0, 2_000)
    got = crossover.magnitudes((150.0, 2_500.0), at_hz, RATE)
    assert np.abs(20 * np.log10(got.sum(axis=0))).max() < 0.01
    low, high = (
        np.abs(scipy.signal.sosfreqz(scipy.signal.butter(2, f, k, fs=RATE, output="sos"), at_hz, fs=RATE)[1])
        ** 2
        for f, k in ((150.0, "lowpass"), (2_500.0, "highpass"))
    )
    np.testing.assert_allclose(got[0], low, atol=1e-9)
    np.testing.assert_allclose(got[2], (1 - low) * high, atol=1e-9)
    # 6 dB down at the crossover, 24 dB an octave below it
    at = crossover.magnitudes((1_000.0,), np.array([1_000.0, 62.5, 125.0]), RATE)[1]
    assert 20 * np.log10(at[0]) == pytest.approx(-6.02, abs=0.01)
    assert 20 * np.log10(at[2] / at[1]) == pytest.approx(24.0, abs=0.2)


def test_the_filters_have_these_magnitudes() -> None:
    crossovers = (150.0, 2_500.0)
    impulses = crossover.impulse_responses(crossovers, RATE)
    response = np.abs(np.fft.rfft(impulses, n=1 << 15))
    wanted = crossover.magnitudes(
        crossovers, np.asarray(np.fft.rfftfreq(1 << 15, 1 / RATE), np.float64), RATE
    )[:-1]
    np.testing.assert_allclose(response, wanted, atol=1e-4)
    np.testing.assert_allclose(impulses, impulses[:, ::-1], atol=1e-12)  # zero phase


@pytest.mark.parametrize("wrong", [(), (500.0, 100.0), (0.0, 100.0), (100.0, 30_000.0), (100.0, 100.0)])
def test_wrong_crossovers_are_named(wrong: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="crossovers must rise"):
        crossover.check_crossovers(wrong, RATE)
