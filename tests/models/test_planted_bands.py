"""The adaptive head finds exactly the planted bands; one price, one schedule and one rate for all counts."""

import numpy as np
import pytest
import torch

from experiments.planted_bands import planted, training
from neural_mastering.models.eq_heads import EqControls
from neural_mastering.output import Gates


@pytest.mark.parametrize("count", [5, 6, 8, 10])
def test_what_is_planted_keeps_the_rules(count: int) -> None:
    for seed in range(50):
        truth = planted.plant(count, seed)
        octaves = np.log2(truth.frequency_hz.numpy())
        is_peak = np.array([kind == "peak" for kind in truth.kinds])
        assert len(truth.kinds) == count and is_peak.sum() <= 8
        assert list(truth.kinds) == sorted(truth.kinds, key=["low_shelf", "peak", "high_shelf"].index)
        assert np.all(np.diff(octaves[is_peak]) >= 1.0 - 1e-9) and np.all(np.diff(octaves) > 0.4)
        assert bool((truth.gain_db.abs() >= 4.0).all())
        assert bool(torch.isfinite(truth.curve_db(44_100.0)).all())


@pytest.mark.slow
@pytest.mark.parametrize("count", [5, 6, 8, 10])
def test_exactly_the_planted_number_is_found(count: int) -> None:
    """A guard with few seeds; the rate over many is in the experiment's README."""
    found = [training.find(planted.plant(count, seed), seed) for seed in range(2)]
    exact = [f.open_bands == count and f.rms_db <= 0.5 for f in found]
    assert all(exact), [(f.open_bands, round(f.rms_db, 2)) for f in found]


@pytest.mark.parametrize("objectives", [(0.2, 0.1), (0.1, 0.2)])
def test_the_start_with_the_lower_objective_counts(
    objectives: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of the two ways of judging it was; nothing of the truth is asked."""
    asked = []
    bands = torch.zeros(1, 0)
    controls = EqControls({}, {}, Gates(bands, bands, bands.bool()))

    def train(truth: object, seed: int, at_loudness: bool, steps: int) -> training.Found:
        asked.append((truth, seed, at_loudness, steps))
        return training.Found(0, 9.0, controls, objectives[at_loudness], at_loudness)

    monkeypatch.setattr(training, "train", train)
    truth = planted.plant(5, 0)
    assert training.find(truth, 3, 7).objective == 0.1
    assert asked == [(truth, 3, False, 7), (truth, 3, True, 7)]
