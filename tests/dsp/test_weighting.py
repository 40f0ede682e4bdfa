"""Frequency weightings against the standards' tables and scipy."""

import numpy as np
import pytest
import torch
from scipy.signal import bilinear_zpk, zpk2sos

from neural_mastering.dsp.weighting import (
    A_POLES_HZ,
    a_weighting_db,
    a_weighting_gain,
    k_weighting_db,
    k_weighting_sections,
)

# IEC 61672-1, table 3: third octaves from 10 Hz to 20 kHz, at the exact frequencies 10^(k/10).
A_TABLE_DB = [
    *(-70.4, -63.4, -56.7, -50.5, -44.7, -39.4, -34.6, -30.2, -26.2, -22.5, -19.1, -16.1),
    *(-13.4, -10.9, -8.6, -6.6, -4.8, -3.2, -1.9, -0.8, 0.0, 0.6, 1.0, 1.2),
    *(1.3, 1.2, 1.0, 0.5, -0.1, -1.1, -2.5, -4.3, -6.6, -9.3),
]

# ITU-R BS.1770, tables 1 and 2 (48 kHz), and the same filter at other rates: shelf b and a, high-pass a.
K_TABLE = {
    44100: (
        (1.53084123005035, -2.65097999515473, 1.16907907992159),
        (-1.66365511325602, 0.71259542807323),
        (-1.98916967362980, 0.98919903578704),
    ),
    48000: (
        (1.53512485958697, -2.69169618940638, 1.19839281085285),
        (-1.69065929318241, 0.73248077421585),
        (-1.99004745483398, 0.99007225036621),
    ),
    88200: (
        (1.55751537557965, -2.90562707992635, 1.36133397747221),
        (-1.83091998796233, 0.84414226108785),
        (-1.99457751545034, 0.99458487587805),
    ),
    96000: (
        (1.55971422897580, -2.92674157825108, 1.37826120231582),
        (-1.84460946989011, 0.85584332293064),
        (-1.99501754472472, 0.99502375904092),
    ),
    192000: (
        (1.57222721509128, -3.04728305156155, 1.47797134097961),
        (-1.92220223060749, 0.92511773511683),
        (-1.99750722284070, 0.99750877835551),
    ),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_weighting_is_that_of_the_standard(dtype: torch.dtype) -> None:
    frequency_hz = torch.tensor([10.0 ** (k / 10.0) for k in range(10, 44)], dtype=dtype)
    assert len(A_TABLE_DB) == 34
    # the table is rounded to 0.1 dB
    torch.testing.assert_close(
        a_weighting_db(frequency_hz), torch.tensor(A_TABLE_DB, dtype=dtype), atol=0.06, rtol=0
    )


def test_a_weighting_is_the_analogue_filter_of_its_poles() -> None:
    p1, p2, p3, p4 = (2.0 * np.pi * p for p in A_POLES_HZ)
    frequency_hz = np.geomspace(5.0, 40_000.0, 50)
    poles = [-p1, -p1, -p2, -p3, -p4, -p4]
    w = 2.0 * np.pi * np.append(frequency_hz, 1000.0)
    response = w**4 / np.abs(np.prod(1j * w[:, None] - np.array(poles), axis=1))
    expected = 20.0 * np.log10(response[:-1] / response[-1])
    np.testing.assert_allclose(a_weighting_db(torch.from_numpy(frequency_hz)).numpy(), expected, atol=1e-9)


def test_a_weighting_at_0_hz_is_nothing_and_at_1_khz_exactly_one() -> None:
    assert a_weighting_gain(torch.tensor([0.0, 1000.0])).tolist() == [0.0, 1.0]
    assert a_weighting_db(torch.tensor([0.0, 1000.0])).tolist() == [-np.inf, 0.0]


@pytest.mark.parametrize("sample_rate", sorted(K_TABLE))
def test_k_weighting_coefficients_are_the_tables(sample_rate: int) -> None:
    shelf, high_pass = k_weighting_sections(sample_rate)
    shelf_b, shelf_a, high_pass_a = K_TABLE[sample_rate]
    np.testing.assert_allclose(shelf, [*shelf_b, 1.0, *shelf_a], atol=1e-13)
    np.testing.assert_allclose(high_pass, [1.0, -2.0, 1.0, 1.0, *high_pass_a], atol=1e-13)


@pytest.mark.parametrize("sample_rate", [44100, 48000, 96000])
def test_k_weighting_level_is_that_of_the_filter(sample_rate: int) -> None:
    frequency_hz = np.geomspace(5.0, 20_000.0, 40)
    shelf, high_pass = k_weighting_sections(sample_rate)
    z = np.exp(2j * np.pi * frequency_hz / sample_rate)  # polynomials in z, highest power first
    numerator = np.polyval(shelf[:3], z) * np.polyval(high_pass[:3], z)
    response = numerator / (np.polyval(shelf[3:], z) * np.polyval(high_pass[3:], z))
    level_db = k_weighting_db(torch.from_numpy(frequency_hz), sample_rate).numpy()
    np.testing.assert_allclose(level_db, 20.0 * np.log10(np.abs(response)), atol=1e-8)


def test_k_weighting_level_at_48_khz() -> None:
    frequency_hz = torch.tensor([25.0, 50.0, 100.0, 500.0, 997.0, 1500.0, 2000.0, 10_000.0])
    expected = torch.tensor([-10.39, -3.93, -1.13, 0.04, 0.691, 2.04, 3.07, 4.04])
    torch.testing.assert_close(k_weighting_db(frequency_hz, 48000), expected, atol=0.006, rtol=0)


@pytest.mark.parametrize("sample_rate", [44100, 192000])
def test_k_weighting_high_pass_is_the_bilinear_image_of_one_analogue_filter(sample_rate: int) -> None:
    f0, q = 38.13547087602444, 0.5003270373238773
    w0 = 2.0 * sample_rate * np.tan(np.pi * f0 / sample_rate)  # prewarped
    poles = np.roots([1.0, w0 / q, w0**2])
    sections = zpk2sos(*bilinear_zpk([0.0, 0.0], poles, 1.0, sample_rate))
    np.testing.assert_allclose(k_weighting_sections(sample_rate)[1, 3:], sections[0, 3:], atol=1e-10)


def test_k_weighting_refuses_a_rate_without_room_for_its_shelf() -> None:
    with pytest.raises(ValueError, match=r"8000 Hz or more; got 3000 Hz"):
        k_weighting_sections(3000)
