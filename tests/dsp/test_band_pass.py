"""The band-pass against RBJ's coefficients, the peaking filter it makes, and its curve at other rates."""

import math

import numpy as np
import pytest
import torch
from scipy.signal import sosfreqz

from neural_mastering.dsp import band_pass, rbj

RATE = 44_100.0
FREQUENCIES_HZ = (60.0, 250.0, 1_000.0, 2_000.0, 4_000.0, 6_000.0, 8_000.0, 11_000.0, 14_000.0, 16_000.0)
QS = (0.5, 1.0, 2.0, 8.0)


def _by_book(frequency: float, q: float, rate: float) -> np.ndarray:
    """BPF with constant 0 dB peak gain, from the cookbook."""
    w0 = 2.0 * math.pi * frequency / rate
    alpha = math.sin(w0) / (2.0 * q)
    return np.array([[alpha, 0.0, -alpha, 1.0 + alpha, -2.0 * math.cos(w0), 1.0 - alpha]]) / (1.0 + alpha)


def _of(coefficients: np.ndarray, at_hz: np.ndarray, rate: float) -> np.ndarray:
    powers = np.exp(-2j * np.pi * np.outer(at_hz / rate, np.arange(4)))
    return (powers @ coefficients[:4]) / (powers @ coefficients[4:])


@pytest.mark.parametrize("frequency", FREQUENCIES_HZ)
@pytest.mark.parametrize("q", QS)
def test_the_closed_form_is_that_of_the_cookbook(frequency: float, q: float) -> None:
    at_hz = np.geomspace(10.0, 22_000.0, 300)
    _, expected = sosfreqz(_by_book(frequency, q, RATE), at_hz, fs=RATE)
    f, quality = (torch.tensor([value], dtype=torch.float64) for value in (frequency, q))
    closed = band_pass.response(f, quality, torch.from_numpy(at_hz), RATE)[0].numpy()
    np.testing.assert_allclose(closed, expected, atol=1e-9)
    at_design = band_pass.filter_at_rate(frequency, q, RATE, RATE)
    np.testing.assert_allclose(_of(at_design, at_hz, RATE), expected, atol=1e-9)


@pytest.mark.parametrize("gain_db", [-12.0, -3.0, 6.0])
def test_added_to_its_input_it_is_a_peaking_filter(gain_db: float) -> None:
    at_hz, q = np.geomspace(10.0, 22_000.0, 300), 1.3
    band = _of(band_pass.filter_at_rate(3_000.0, q, RATE, RATE), at_hz, RATE)
    made = 1.0 + (10.0 ** (gain_db / 20.0) - 1.0) * band
    section = rbj.sections(["peak"], [3_000.0], [gain_db], [q * 10.0 ** (-gain_db / 40.0)], RATE)
    _, peak = sosfreqz(section, at_hz, fs=RATE)
    np.testing.assert_allclose(made, peak, atol=1e-9)


@pytest.mark.parametrize(
    ("design", "rate", "high_hz", "allowed_db"),
    [
        (RATE, 48_000.0, 16_000.0, 0.1),
        (RATE, 88_200.0, 16_000.0, 0.1),
        (RATE, 96_000.0, 16_000.0, 0.1),
        (RATE, 192_000.0, 16_000.0, 0.1),
        (RATE, 32_000.0, 12_800.0, 1.0),
        (RATE, 22_050.0, 8_820.0, 1.5),
        (RATE, 8_000.0, 3_200.0, 1.5),
        (48_000.0, 44_100.0, 16_000.0, 0.35),
        (96_000.0, 44_100.0, 16_000.0, 1.3),
        (48_000.0, 96_000.0, 16_000.0, 0.1),
    ],
)
def test_the_curve_stays_at_other_rates(
    design: float, rate: float, high_hz: float, allowed_db: float
) -> None:
    at_hz = np.geomspace(20.0, high_hz, 500)
    worst = 0.0
    for frequency in (f for f in FREQUENCIES_HZ if f <= rate / 2.0):
        for q in QS:
            coefficients = band_pass.filter_at_rate(frequency, q, design, rate)
            assert np.abs(np.roots(coefficients[4:])).max() < 1.0
            wanted = _of(band_pass.filter_at_rate(frequency, q, design, design), at_hz, design)
            there = _of(coefficients, at_hz, rate)
            for gain in (10 ** (-12 / 20), 10 ** (6 / 20)):
                level = 20 * np.log10(np.abs((1 + (gain - 1) * there) / (1 + (gain - 1) * wanted)))
                worst = max(worst, float(np.abs(level).max()))
    assert worst < allowed_db


def test_a_band_far_above_the_nyquist_frequency_is_left_out() -> None:
    found = band_pass.filter_at_rate(7_000.0, 1.0, RATE, 8_000.0)
    assert found.tolist() == [0.0] * 4 + [1.0] + [0.0] * 3


@pytest.mark.parametrize(("frequency", "q"), [(0.0, 1.0), (23_000.0, 1.0), (1_000.0, 0.0)])
def test_impossible_filters_are_refused(frequency: float, q: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 22050 Hz and a Q above 0"):
        band_pass.filter_at_rate(frequency, q, RATE, 48_000.0)
