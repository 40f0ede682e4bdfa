"""The adaptive head finds exactly the planted bands; one price, one schedule and one rate for all counts."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

FOLDER = Path(__file__).parents[2] / "experiments" / "planted_bands"


def _load(name: str) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


planted, run = _load("planted"), _load("run")


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
    found = [run.find(planted.plant(count, seed), seed) for seed in range(2)]
    exact = [f.open_bands == count and f.rms_db <= 0.5 for f in found]
    assert all(exact), [(f.open_bands, round(f.rms_db, 2)) for f in found]


@pytest.mark.parametrize("objectives", [(0.2, 0.1), (0.1, 0.2)])
def test_the_start_with_the_lower_objective_counts(
    objectives: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of the two ways of judging it was; nothing of the truth is asked."""
    asked = []

    def train(truth: object, seed: int, at_loudness: bool, steps: int) -> object:
        asked.append((truth, seed, at_loudness, steps))
        return run.Found(0, 9.0, None, objectives[at_loudness], at_loudness)

    monkeypatch.setattr(run, "train", train)
    truth = planted.plant(5, 0)
    assert run.find(truth, 3, 7).objective == 0.1
    assert asked == [(truth, 3, False, 7), (truth, 3, True, 7)]
