"""The fit of bands to a curve."""

import numpy as np
import pytest

from neural_mastering.controls import Bands, band_fit
from neural_mastering.dsp import rbj

DESIGN_HZ = 44_100.0


def test_bands_are_found_again() -> None:
    """Planted truth: the fit comes back to the bands that made a curve, from a start nearby."""
    kinds = ("low_shelf", "peak", "peak", "high_shelf")
    truth = Bands(
        kinds, np.array([90.0, 400.0, 2_500.0, 8_000.0]), np.array([3.0, -4.0, 2.0, -3.0]), np.full(4, 0.8)
    )
    start = Bands(kinds, np.array([70.0, 500.0, 2_000.0, 9_000.0]), np.zeros(4), np.full(4, 0.7))
    low = Bands(kinds, start.frequency_hz / 2.0, np.full(4, -12.0), np.full(4, 0.5))
    high = Bands(kinds, start.frequency_hz * 1.8, np.full(4, 12.0), np.full(4, 1.5))
    at_hz = np.geomspace(20.0, 20_000.0, 100)
    found = band_fit.fit(truth.level_db(at_hz, DESIGN_HZ), at_hz, DESIGN_HZ, start, low, high, steps=300)
    assert np.abs(found.level_db(at_hz, DESIGN_HZ) - truth.level_db(at_hz, DESIGN_HZ)).max() < 0.01
    assert found.gain_db == pytest.approx(truth.gain_db, abs=0.05)
    assert found.frequency_hz == pytest.approx(truth.frequency_hz, rel=0.02)


def test_the_fit_stays_in_its_ranges() -> None:
    start = Bands(("peak",), np.array([1_000.0]), np.zeros(1), np.ones(1))
    low = Bands(("peak",), np.array([800.0]), np.full(1, -2.0), np.full(1, 0.5))
    high = Bands(("peak",), np.array([1_250.0]), np.full(1, 2.0), np.full(1, 2.0))
    at_hz = np.geomspace(100.0, 10_000.0, 50)
    wanted = rbj.level_db(["peak"], [3_000.0], [9.0], [4.0], at_hz, DESIGN_HZ)
    found = band_fit.fit(wanted, at_hz, DESIGN_HZ, start, low, high)
    assert 800.0 <= found.frequency_hz[0] <= 1_250.000001 and -2.0 <= found.gain_db[0] <= 2.0
    assert 0.5 <= found.q[0] <= 2.000001
