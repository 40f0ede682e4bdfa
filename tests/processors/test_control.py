"""The map of a control: inverse in both directions, its ends, its scale, its refusals."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neural_mastering.processors import Control
from neural_mastering.processors.control import Scale

SCALES: tuple[Scale, ...] = ("linear", "log")


@st.composite
def controls(draw: st.DrawFn) -> Control:
    scale: Scale = draw(st.sampled_from(SCALES))
    low = draw(st.floats(1e-3, 1e3) if scale == "log" else st.floats(-1e3, 1e3))
    span = draw(st.floats(1e-2, 1e4))
    return Control("amount", "db", low, low + span, scale)


@given(controls(), st.floats(0.0, 1.0))
def test_to_unit_undoes_to_physical(control: Control, unit: float) -> None:
    tensor = torch.tensor([unit], dtype=torch.float64)
    physical = control.to_physical(tensor)
    assert isinstance(control.low, float) and isinstance(control.high, float)
    slack = 1e-9 * (abs(control.low) + abs(control.high))
    assert control.low - slack <= physical.item() <= control.high + slack
    assert control.to_unit(physical).item() == pytest.approx(unit, abs=1e-6)


@given(controls())
def test_ends_and_order(control: Control) -> None:
    low, high = control.to_physical(torch.tensor([0.0, 1.0], dtype=torch.float64)).tolist()
    assert low == pytest.approx(control.low) and high == pytest.approx(control.high)
    steps = control.to_physical(torch.linspace(0, 1, 50, dtype=torch.float64)).diff()
    assert bool((steps > 0).all())


def test_the_middle_of_a_log_range_is_its_geometric_mean() -> None:
    half = torch.tensor([0.5], dtype=torch.float64)
    assert Control("frequency", "hz", 20.0, 20_000.0, "log").to_physical(half).item() == pytest.approx(
        math.sqrt(20 * 20_000)
    )
    assert Control("gain", "db", -6.0, 12.0).to_physical(half).item() == pytest.approx(3.0)


def test_each_band_has_its_own_range() -> None:
    control = Control("frequency", "hz", (20.0, 200.0), (100.0, 2_000.0), "log")
    units = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    expected = torch.tensor([[20.0, 2_000.0], [100.0, 200.0]], dtype=torch.float64)
    torch.testing.assert_close(control.to_physical(units), expected)
    assert control.bands == control.size == 2


def test_keys_carry_the_unit() -> None:
    assert Control("frequency", "hz", 1.0, 2.0).key == "frequency_hz"
    assert Control("q", "", 1.0, 2.0).key == "q"


@pytest.mark.parametrize(
    ("low", "high", "scale", "message"),
    [
        (2.0, 1.0, "linear", "low < high"),
        (0.0, math.inf, "linear", "finite"),
        (0.0, 1.0, "log", "above 0"),
        ((1.0, 2.0), (3.0,), "linear", "2 low ends but 1 high ends"),
    ],
)
def test_impossible_ranges_are_refused(low: float, high: float, scale: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Control("x", "", low, high, scale)  # type: ignore[arg-type]
