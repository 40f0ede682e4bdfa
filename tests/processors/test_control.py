"""Ranges and their maps."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neural_mastering.processors import Control

finite = st.floats(-1e4, 1e4, allow_nan=False)


@given(low=finite, span=st.floats(1e-2, 1e4), unit=st.floats(0.0, 1.0))
def test_linear_maps_are_inverse(low: float, span: float, unit: float) -> None:
    control = Control("x", "db", low, low + span)
    u = torch.tensor([unit], dtype=torch.float64)
    physical = control.to_physical(u)
    assert low - 1e-6 <= float(physical) <= low + span + 1e-6
    torch.testing.assert_close(control.to_unit(physical), u, atol=1e-6, rtol=0)


@given(low=st.floats(1e-2, 1e3), ratio=st.floats(1.01, 1e3), unit=st.floats(0.0, 1.0))
def test_log_maps_are_inverse_and_geometric(low: float, ratio: float, unit: float) -> None:
    control = Control("frequency", "hz", low, low * ratio, "log")
    u = torch.tensor([unit], dtype=torch.float64)
    physical = control.to_physical(u)
    assert float(physical) == pytest.approx(low * ratio**unit, rel=1e-9)
    torch.testing.assert_close(control.to_unit(physical), u, atol=1e-6, rtol=0)


def test_the_middle_of_a_log_range_is_its_geometric_mean() -> None:
    control = Control("frequency", "hz", (20.0, 200.0), (200.0, 20_000.0), "log")
    middle = control.to_physical(torch.full((1, 2), 0.5))
    torch.testing.assert_close(middle, torch.tensor([[math.sqrt(20 * 200), math.sqrt(200 * 20_000)]]))


def test_keys_carry_the_unit() -> None:
    assert Control("gain", "db", -1, 1).key == "gain_db" and Control("q", "", 0.5, 5.0).key == "q"
    assert Control("gain", "db", -1, 1).size == 1 and Control("gain", "db", (-1.0, -2.0), (1.0, 2.0)).size == 2


@pytest.mark.parametrize(
    ("low", "high", "scale", "words"),
    [
        (1.0, 1.0, "linear", "low < high"),
        (0.0, 1.0, "log", "above 0"),
        ((1.0, 2.0), (3.0,), "linear", "2 low ends but 1"),
        (0.0, math.inf, "linear", "finite"),
    ],
)
def test_impossible_ranges_are_refused(low: float, high: float, scale: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Control("x", "db", low, high, scale)  # type: ignore[arg-type]
