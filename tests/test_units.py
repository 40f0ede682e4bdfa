"""Decibels and ratios are inverse pairs with the right constants."""

import math

import pytest
import torch

from neural_mastering import units


def test_known_values() -> None:
    assert units.db_to_gain(20.0) == pytest.approx(10.0) and units.gain_to_db(0.5) == pytest.approx(-6.020599913)
    assert units.gain_to_db(0.0) == -math.inf
    assert float(units.power_to_db(torch.tensor(2.0, dtype=torch.float64))) == pytest.approx(3.010299957)


def test_pairs_are_inverse() -> None:
    levels = torch.linspace(-100, 40, 50, dtype=torch.float64)
    torch.testing.assert_close(units.gain_to_db(units.db_to_gain(levels)), levels)
    torch.testing.assert_close(units.power_to_db(units.db_to_power(levels)), levels)
    torch.testing.assert_close(units.db_to_gain(levels) ** 2, units.db_to_power(levels))
    assert units.db_to_gain(-3.0) == pytest.approx(float(units.db_to_gain(torch.tensor(-3.0))))
