"""Soft limits: small moves stay, large ones stay below the limit, order stays."""

import numpy as np
import pytest

from neural_mastering.dsp.soft_limit import KNEE, soft_limited


@pytest.mark.parametrize("knee", [4.0, KNEE])
def test_values_of_the_formula(knee: float) -> None:
    curve = np.array([-30.0, -6.0, -2.0, 0.0, 1.0, 6.0, 9.0])
    direct = curve / (1.0 + np.abs(curve / 6.0) ** knee) ** (1.0 / knee)
    np.testing.assert_allclose(soft_limited(curve, 6.0, knee), direct, atol=1e-12)


def test_ends() -> None:
    assert np.array_equal(soft_limited([1e-300, -1e300, np.finfo(float).max], 6.0).round(9), [0.0, -6.0, 6.0])
    assert soft_limited(3.0, 6.0) == pytest.approx(3.0, abs=0.01)


def test_it_rises_with_the_curve_and_with_the_limit() -> None:
    curve = np.linspace(-40.0, 40.0, 2_001)
    assert np.all(np.diff(soft_limited(curve, 6.0)) >= 0.0)
    sizes = np.stack([np.abs(soft_limited(curve, limit)) for limit in (3.0, 6.0, 12.0)])
    assert np.all(np.diff(sizes, axis=0) >= 0.0)
    assert np.all(sizes[1] <= 6.0) and np.all(sizes <= np.abs(curve) + 1e-12)
