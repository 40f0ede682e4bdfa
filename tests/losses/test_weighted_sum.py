"""Sums, ramps and what validation leaves out."""

import pytest
import torch
from torch import Tensor

from neural_mastering.losses import LossTerm, WeightedSum, WeightedTerm
from neural_mastering.output import MasteringOutput


class _Constant(LossTerm):
    def __init__(self, value: float, regularizer: bool = False) -> None:
        super().__init__()
        self.value, self.regularizer = value, regularizer

    def forward(self, output: MasteringOutput, target: Tensor) -> Tensor:
        return target.new_tensor(self.value)


AUDIO = torch.zeros(1, 2, 8)
OUTPUT = MasteringOutput.of_audio(AUDIO)


def test_the_sum_is_weighted() -> None:
    objective = WeightedSum(
        {"a": WeightedTerm(_Constant(2.0), 0.5), "b": WeightedTerm(_Constant(3.0), 0.1), "c": None}
    )
    assert float(objective(OUTPUT, AUDIO)) == pytest.approx(2.0 * 0.5 + 3.0 * 0.1)


@pytest.mark.parametrize(("step", "share"), [(0, 0.0), (10, 0.0), (15, 0.25), (30, 1.0), (99, 1.0)])
def test_a_ramp_is_linear_after_its_delay(step: int, share: float) -> None:
    objective = WeightedSum({"a": WeightedTerm(_Constant(1.0), 4.0, delay_steps=10, ramp_steps=20)})
    assert float(objective(OUTPUT, AUDIO, step=step)) == pytest.approx(4.0 * share)
    assert float(objective(OUTPUT, AUDIO)) == 4.0


def test_a_weight_of_zero_silences_even_nan() -> None:
    objective = WeightedSum(
        {"a": WeightedTerm(_Constant(1.0), 1.0), "b": WeightedTerm(_Constant(float("nan")), 0.0)}
    )
    assert float(objective(OUTPUT, AUDIO)) == 1.0


def test_validation_counts_only_what_judges_the_sound() -> None:
    terms = {"a": WeightedTerm(_Constant(1.0), 1.0), "b": WeightedTerm(_Constant(5.0, regularizer=True), 1.0)}
    objective = WeightedSum(terms)
    values = objective.values(OUTPUT, AUDIO)
    assert float(objective.audio_total(values)) == 1.0 and float(objective.total(values)) == 6.0


@pytest.mark.parametrize("terms", [{}, {"a": None}])
def test_an_empty_objective_is_refused(terms: dict[str, None]) -> None:
    with pytest.raises(ValueError, match="no terms"):
        WeightedSum(terms)


@pytest.mark.parametrize("name", ["parameters", "train", "a.b", ""])
def test_a_name_that_no_module_can_have_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="can't have this name"):
        WeightedSum({name: WeightedTerm(_Constant(1.0), 1.0)})


def test_negative_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        WeightedTerm(_Constant(1.0), -1.0)
