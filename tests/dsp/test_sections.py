"""Responses of sections against scipy, and one curve for a band in torch, NumPy and as sections."""

import numpy as np
import pytest
import torch
from scipy.signal import butter, sosfreqz

from neural_mastering.dsp import biquad, rbj
from neural_mastering.dsp.biquad import Kind
from neural_mastering.dsp.k_weighting import k_weighting_sections
from neural_mastering.dsp.sections import sections_level_db, sections_response

RATE = 44_100
KINDS: tuple[Kind, ...] = ("low_shelf", "peak", "peak", "peak", "high_shelf")


def random_bands(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frequencies in Hz, gains in dB and Qs of one band of each of KINDS."""
    dice = np.random.default_rng(seed)
    q = np.exp(dice.uniform(np.log(0.3), np.log(6.0), len(KINDS)))
    q[[0, -1]] = np.minimum(q[[0, -1]], 1.0)
    return (
        np.exp(dice.uniform(np.log(25.0), np.log(18_000.0), len(KINDS))),
        dice.uniform(-12.0, 12.0, len(KINDS)),
        q,
    )


@pytest.mark.parametrize(
    "sections",
    [
        butter(7, 1_000.0, fs=RATE, output="sos"),
        butter(4, (200.0, 3_000.0), "bandpass", fs=RATE, output="sos"),
        k_weighting_sections(RATE),
        3.0 * rbj.sections(KINDS, *random_bands(0), RATE),  # a0 need not be 1
    ],
)
def test_response_equals_scipy(sections: np.ndarray) -> None:
    at_hz = np.linspace(10.0, 22_000.0, 700)
    expected = sosfreqz(sections / sections[:, 3:4], worN=at_hz, fs=RATE)[1]
    own = sections_response(sections, at_hz, RATE)
    np.testing.assert_allclose(own, expected, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(
        sections_level_db(sections, at_hz, RATE), 20.0 * np.log10(np.abs(expected)), atol=1e-7
    )


@pytest.mark.parametrize("seed", range(8))
def test_a_band_has_one_curve(seed: int) -> None:
    """The closed form in torch, the closed form in NumPy, and the coefficients of the cookbook."""
    bands = random_bands(seed)
    at_hz = np.concatenate([[0.0], np.geomspace(5.0, 22_049.0, 600)])
    in_numpy = rbj.level_db(KINDS, *bands, at_hz, RATE)
    frequency_hz, gain_db, q = (torch.from_numpy(column)[None] for column in bands)
    in_torch = biquad.response_db(frequency_hz, gain_db, q, torch.from_numpy(at_hz), RATE, KINDS)
    np.testing.assert_allclose(in_torch[0].numpy(), in_numpy, atol=1e-10)
    as_sections = sections_level_db(rbj.sections(KINDS, *bands, RATE), at_hz, RATE)
    np.testing.assert_allclose(as_sections, in_numpy, atol=1e-7)


def test_the_slowest_pole_is_that_of_the_polynomials() -> None:
    bands = random_bands(3)
    poles = [np.abs(np.roots(row[3:])).max() for row in rbj.sections(KINDS, *bands, RATE)]
    assert rbj.pole_radius(KINDS, *bands, RATE) == pytest.approx(max(poles), abs=1e-9)
    assert rbj.pole_radius((), [], [], [], RATE) == 0.0


@pytest.mark.filterwarnings("error")
def test_zeros_and_empty_cascades() -> None:
    assert sections_level_db([[0.5, 0.5, 0.0, 1.0, 0.0, 0.0]], [12_000.0], 24_000.0)[0] < -300.0
    assert sections_level_db([[0.0, 0.0, 0.0, 1.0, 0.0, 0.0]], [100.0], RATE)[0] == -np.inf
    assert not sections_level_db(np.zeros((0, 6)), [100.0, 200.0], RATE).any()
    with pytest.raises(ValueError, match=r"expected sections \(section, 6\), got shape \(6,\)"):
        sections_response(np.ones(6), [100.0], RATE)
