"""Unit conversions: known values, inverse pairs, floats and tensors alike."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neural_mastering.units import db_to_gain, db_to_power, gain_to_db, power_to_db


@pytest.mark.parametrize(
    ("level_db", "gain"), [(0.0, 1.0), (20.0, 10.0), (-40.0, 0.01), (6.020599913279624, 2.0)]
)
def test_amplitude_levels(level_db: float, gain: float) -> None:
    assert db_to_gain(level_db) == pytest.approx(gain, rel=1e-12)
    assert gain_to_db(gain) == pytest.approx(level_db, abs=1e-12)
    tensor = torch.tensor([level_db], dtype=torch.float64)
    assert db_to_gain(tensor).item() == pytest.approx(gain, rel=1e-12)
    assert db_to_power(tensor).item() == pytest.approx(gain**2, rel=1e-12)


@given(st.floats(-120.0, 60.0))
def test_pairs_are_inverse(level_db: float) -> None:
    assert gain_to_db(db_to_gain(level_db)) == pytest.approx(level_db, abs=1e-9)
    tensor = torch.tensor([level_db], dtype=torch.float64)
    assert gain_to_db(db_to_gain(tensor)).item() == pytest.approx(level_db, abs=1e-9)
    assert power_to_db(db_to_power(tensor)).item() == pytest.approx(level_db, abs=1e-9)


def test_silence_is_minus_infinity() -> None:
    assert gain_to_db(0.0) == -math.inf
    assert gain_to_db(torch.zeros(1)).item() == -math.inf
    assert power_to_db(torch.zeros(1)).item() == -math.inf


def test_gradient_of_a_level() -> None:
    level_db = torch.tensor([-7.0, 3.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda level: db_to_gain(level), (level_db,))
    assert torch.autograd.gradcheck(db_to_power, (level_db,))
