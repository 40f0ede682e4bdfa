"""Unit conversions: known values, inverse pairs, floats, arrays and tensors alike; nobody else writes them."""

import ast
import doctest
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from neural_mastering import units
from neural_mastering.units import (
    DB_PER_NEPER,
    NEPERS_PER_DB,
    db_to_gain,
    db_to_power,
    gain_to_db,
    power_to_db,
    third_octave_hz,
    third_octave_number,
)

PACKAGE = Path(__file__).parents[1] / "neural_mastering"


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


def gradients_agree(convert: Callable[[Tensor], Tensor], values: Tensor) -> bool:
    return torch.autograd.gradcheck(convert, (values,))


def test_gradient_of_a_level() -> None:
    level_db = torch.tensor([-7.0, 3.0], dtype=torch.float64, requires_grad=True)
    assert gradients_agree(db_to_gain, level_db) and gradients_agree(db_to_power, level_db)


def test_arrays_agree_with_floats_and_tensors() -> None:
    levels = np.linspace(-140.0, 60.0, 401)
    for convert, scale in ((db_to_gain, 20.0), (db_to_power, 10.0)):
        exact = np.exp(levels * (math.log(10.0) / scale))
        np.testing.assert_allclose(convert(levels), exact, rtol=1e-13)
        np.testing.assert_allclose([convert(float(level)) for level in levels], exact, rtol=1e-13)
        np.testing.assert_allclose(convert(torch.from_numpy(levels)).numpy(), exact, rtol=1e-13)
    ratios = np.geomspace(1e-7, 1e3, 401)
    for convert, scale in ((gain_to_db, 20.0), (power_to_db, 10.0)):
        exact = np.log(ratios) * (scale / math.log(10.0))
        np.testing.assert_allclose(convert(ratios), exact, atol=1e-12)
        np.testing.assert_allclose([convert(float(ratio)) for ratio in ratios], exact, atol=1e-12)
        np.testing.assert_allclose(convert(torch.from_numpy(ratios)).numpy(), exact, atol=1e-12)


@pytest.mark.filterwarnings("error")
def test_silence_without_a_warning() -> None:
    assert (gain_to_db(np.zeros(2)) == -np.inf).all() and (power_to_db(np.zeros(2)) == -np.inf).all()
    assert power_to_db(0.0) == -math.inf and gain_to_db(-0.1) == -math.inf
    assert db_to_gain(-math.inf) == 0.0 and db_to_power(-math.inf) == 0.0
    assert math.isnan(gain_to_db(math.nan)) and math.isnan(db_to_gain(math.nan))


def test_types_are_kept() -> None:
    for convert in (db_to_gain, db_to_power, gain_to_db, power_to_db):
        assert type(convert(2)) is float and type(convert(2.0)) is float
        assert convert(np.ones(3, np.float32)).dtype == np.float32
        assert convert(torch.ones(3)).dtype == torch.float32
        assert convert(torch.ones(3, dtype=torch.float64)).dtype == torch.float64


def test_nepers() -> None:
    assert db_to_gain(DB_PER_NEPER) == pytest.approx(math.e, rel=1e-14)
    assert pytest.approx(1.0, rel=1e-15) == NEPERS_PER_DB * DB_PER_NEPER


def test_third_octaves() -> None:
    # exact mid-band frequencies of IEC 61260-1 (base ten), table 1
    exact = {14: 25.119, 20: 100.0, 25: 316.23, 30: 1000.0, 40: 10_000.0, 42: 15_849.0}
    for number, frequency_hz in exact.items():
        assert third_octave_hz(number) == pytest.approx(frequency_hz, rel=1e-5)
        assert third_octave_number(third_octave_hz(number)) == pytest.approx(number, abs=1e-12)


def test_gradient_of_a_ratio() -> None:
    ratio = torch.tensor([0.02, 3.0], dtype=torch.float64, requires_grad=True)
    assert gradients_agree(gain_to_db, ratio) and gradients_agree(power_to_db, ratio)


def test_examples_in_docstrings() -> None:
    result = doctest.testmod(units)
    assert result.attempted >= 7 and not result.failed


def test_units_start_without_torch_and_numpy() -> None:
    code = (
        "import sys, neural_mastering.units as u\n"
        "u.gain_to_db(u.db_to_gain(-3.0))\n"
        "print(sorted({'torch', 'numpy'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def _value(node: ast.AST) -> float | None:
    """The number that a literal is, its sign left out."""
    if isinstance(node, ast.UnaryOp):
        return _value(node.operand)
    is_number = isinstance(node, ast.Constant) and type(node.value) in (int, float)
    return float(node.value) if is_number else None  # type: ignore[union-attr]


def _name(call: ast.AST) -> str:
    if not isinstance(call, ast.Call):
        return ""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _is_decibel_exponent(node: ast.AST) -> bool:
    """x / 20, x / 10, x / 40, or a product with 0.05, 0.1, 0.025."""
    if isinstance(node, ast.UnaryOp):
        return _is_decibel_exponent(node.operand)
    if not isinstance(node, ast.BinOp):
        return False
    if isinstance(node.op, ast.Div):
        return _value(node.right) in (10.0, 20.0, 40.0)
    return isinstance(node.op, ast.Mult) and bool(
        {_value(node.left), _value(node.right)} & {0.025, 0.05, 0.1}
    )


def conversions(source: str) -> Iterator[int]:
    """Lines of a module that convert decibels by hand."""
    for node in ast.walk(ast.parse(source)):
        found = False
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            found = _value(node.left) == 10.0 and _is_decibel_exponent(node.right)
        elif _name(node) in ("pow", "power", "float_power"):
            base, *rest = node.args  # type: ignore[attr-defined]
            found = _value(base) == 10.0 and bool(rest) and _is_decibel_exponent(rest[0])
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            for factor, other in ((node.left, node.right), (node.right, node.left)):
                logs = any(_name(part) == "log10" for part in ast.walk(other))
                found |= _value(factor) in (10.0, 20.0) and logs
        elif _name(node) == "log":
            found = any(_value(argument) == 10.0 for argument in node.args)  # type: ignore[attr-defined]
        elif isinstance(node, ast.Constant) and type(node.value) is float:
            found = any(
                math.isclose(node.value, known, rel_tol=1e-3) for known in (NEPERS_PER_DB, DB_PER_NEPER)
            )
        if found:
            yield node.lineno  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "line",
    [
        "gain = 10.0 ** (level_db / 20.0)",
        "power = 10 ** (-0.1 * level_db)",
        "gain = torch.pow(10.0, gain_db / 20.0)",
        "level = 20 * np.log10(np.abs(x))",
        "level = -10.0 * float(torch.log10(power.mean()))",
        "level = 20.0 * ratio.log10()",
        "a = torch.exp(gain_db * (math.log(10.0) / 40.0))",
        "level = 8.6859 * x.log()",
    ],
)
def test_a_conversion_by_hand_is_found(line: str) -> None:
    assert set(conversions(line)) == {1}


@pytest.mark.parametrize(
    "line", ["step = 10.0 ** digits", "mel = 2595.0 * log10(1.0 + f / 700.0)", "x = y ** 0.5", "t = x / 20.0"]
)
def test_other_arithmetic_is_not(line: str) -> None:
    assert not list(conversions(line))


def test_decibels_are_converted_in_one_place() -> None:
    """Compiled kernels may keep their own arithmetic: numba can't call `units`."""
    found = []
    for file in sorted(PACKAGE.rglob("*.py")):
        name = file.relative_to(PACKAGE).as_posix()
        if name != "units.py" and not name.endswith("kernels.py"):
            found += [f"{name}:{line}" for line in conversions(file.read_text(encoding="utf-8"))]
    assert not found, f"use neural_mastering.units instead: {', '.join(found)}"
