"""print(model) reads like a preset sheet, and its numbers are the model's."""

import math
import re

import pytest

from neural_mastering.models import MasteringModel
from neural_mastering.models.encoders import LogMel
from neural_mastering.models.eq_heads import AdaptiveBands
from neural_mastering.models.preset_sheet import control_lines, number, parameters_by_part
from neural_mastering.models.residual_heads import NoResidual
from neural_mastering.processors import Gain, ParametricEQ


@pytest.fixture(scope="module")
def model() -> MasteringModel:
    eq = ParametricEQ(bands=4)
    head = AdaptiveBands(16, eq, Gain(), max_bands=4, min_bands=2, hidden_size=8)
    return MasteringModel(LogMel(z_size=16), head, NoResidual())


def test_every_band_has_its_ranges_and_resting_values(model: MasteringModel) -> None:
    lines = control_lines(model.eq_head.eq)
    assert len(lines) == 4 * 3
    by_name = {(line.band, line.name): line for line in lines}
    low = by_name["low shelf", "frequency"]
    assert (low.low, low.high, low.unit) == (25.0, 250.0, "hz")
    assert low.rest == pytest.approx(math.sqrt(25.0 * 250.0), rel=1e-6)
    assert by_name["peak 1", "gain"].rest == 0.0 and by_name["high shelf", "q"].high == 1.0


def test_the_sheet_shows_them(model: MasteringModel) -> None:
    sheet = str(model)
    assert "frequency 79.1 Hz (25 to 250)" in sheet and "gain 0 dB (-24 to 24)" in sheet
    assert "gates choose 2 to 4 bands" in sheet and "listens at -23 LUFS" in sheet
    total = sum(parameter.numel() for parameter in model.parameters())
    assert f"{total:,} parameters" in sheet.splitlines()[0]
    assert sum(parameters_by_part(model).values()) == total
    counts = [int(n.replace(",", "")) for n in re.findall(r"([\d,]+) parameters", sheet)]
    assert sum(counts[1:]) == counts[0] == total
    assert len(sheet.splitlines()) < 20  # a sheet, and not the tree of modules


@pytest.mark.parametrize(
    ("value", "text"), [(79.06, "79.1"), (7348.5, "7,350"), (0.0, "0"), (-12.0, "-12"), (0.7071, "0.707")]
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text
