"""Tone in third octaves as a loss, and what chooses a checkpoint by it."""

import pytest
import torch
from torch import Tensor

from neural_mastering.config.compose import compose
from neural_mastering.config.schema import validated
from neural_mastering.dsp.biquad import equalize
from neural_mastering.losses import LoudnessMatched, ThirdOctaves, WeightedSum
from neural_mastering.metrics import ltas_error
from neural_mastering.models import build
from neural_mastering.output import Gates, MasteringOutput

RATE = 44_100


def _noise(seed: int = 0) -> Tensor:
    return 0.1 * torch.randn(1, 2, 2 * RATE, generator=torch.Generator().manual_seed(seed))


def _selection(*choices: str) -> WeightedSum:
    selection = validated(compose(list(choices))).selection
    assert selection is not None
    built = build(selection, path="selection", packages=None)
    assert isinstance(built, WeightedSum)
    return built


@pytest.mark.parametrize("gain_db", [-7.5, 3.0])
def test_a_pure_gain_changes_the_tone_by_nothing_and_the_level_by_its_decibels(gain_db: float) -> None:
    target, selection = _noise(), _selection()
    values = selection.values(MasteringOutput.of_audio(target * 10.0 ** (gain_db / 20.0)), target)
    assert float(values["lufs"]) == pytest.approx(abs(gain_db), abs=1e-3)
    assert float(values["third_octaves"]) == pytest.approx(0.0, abs=1e-4)
    assert float(values["mr_stft"]) == pytest.approx(0.0, abs=1e-4)
    assert float(selection.total(values)) == pytest.approx(0.01 * abs(gain_db), abs=1e-3)
    assert sorted(selection.sound_without_level().terms) == ["mr_stft", "third_octaves"]


def test_the_loss_is_the_metric_of_tables() -> None:
    target = _noise()
    frequency, gain, q = (torch.tensor([[v]]) for v in (150.0, -6.0, 0.7))
    filtered = equalize(target, frequency, gain, q, RATE, ("low_shelf",))
    wanted = float(ltas_error(filtered, target, RATE))
    term = ThirdOctaves(RATE)
    assert float(term(MasteringOutput.of_audio(filtered), target)) == wanted > 1.0
    louder = float(LoudnessMatched(term, RATE)(MasteringOutput.of_audio(2.0 * filtered), target))
    quiet = float(LoudnessMatched(term, RATE)(MasteringOutput.of_audio(filtered), target))
    assert louder == pytest.approx(quiet, abs=1e-4)


def test_open_bands_have_a_price_where_gates_choose() -> None:
    """Else the checkpoint would come from before the gates close."""
    target = _noise()
    closed, opened = torch.zeros(1, 10), torch.ones(1, 10)
    scores = {}
    for name, gates in (("closed", closed), ("open", opened)):
        output = MasteringOutput(target, {}, {}, Gates(gates, gates, gates > 2.0))
        for phase in ("1b", "1c", "2_full"):
            selection = _selection(f"+phase={phase}")
            scores[phase, name] = float(selection.total(selection.values(output, target)))
    assert scores["1b", "open"] == scores["1b", "closed"]
    for phase in ("1c", "2_full"):
        assert scores[phase, "open"] - scores[phase, "closed"] == pytest.approx(10 * 0.02, abs=1e-5)
