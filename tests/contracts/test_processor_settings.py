"""Every setting of every device in conf/processor survives `settings()` and `from_settings`."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from torch import Tensor

from neural_mastering.config.compose import compose
from neural_mastering.dsp.reference_level import REFERENCE_DBFS
from neural_mastering.models import build
from neural_mastering.processors import (
    Compressor,
    MultibandCompressor,
    NeuralSaturation,
    Processor,
    Saturation,
)
from neural_mastering.processors.saturation import RENDER_HZ

FOLDER = Path(__file__).parents[2] / "conf" / "processor"
RATE = 44_100.0

NO_SETTINGS = {"_target_", "defaults", "sample_rate", "engine"}
OTHER: dict[str, Any] = {
    "bands": 4,
    "crossovers_hz": [200.0, 2_000.0],
    "design_rate_hz": 48_000.0,
    "gain_range_db": 9.0,
    "high_shelf_hz": [4_000.0, 16_000.0],
    "link": "max",
    "lookahead_ms": 2.0,
    "low_shelf_hz": [30.0, 200.0],
    "overlap": 0.1,
    "peaks_hz": [50.0, 12_000.0],
    "q_high": 4.0,
    "q_low": 0.6,
    "range_db": 12.0,
    "reference_dbfs": -24.0,
    "render_hz": 88_200.0,
    "shelf_q_high": 0.9,
    "sidechain_hz": 100.0,
    "training_hz": 44_100.0,
    "units": 6,
}
"""A value other than the default for each setting."""

RANGES = {
    "gain_range_db",
    "high_shelf_hz",
    "low_shelf_hz",
    "overlap",
    "peaks_hz",
    "q_high",
    "q_low",
    "range_db",
    "shelf_q_high",
}
"""Settings that bound the controls: the same controls in physical units sound the same."""

TRAINING_ONLY = {"training_hz"}


@lru_cache
def _config(name: str) -> dict[str, Any]:
    found = OmegaConf.to_container(compose([f"+processor@probe={name}"]).probe, resolve=True)
    assert isinstance(found, dict)
    return {str(key): value for key, value in found.items()}


CASES = [
    (file.stem, key)
    for file in sorted(FOLDER.glob("*.yaml"))
    for key in OmegaConf.load(file)
    if isinstance(key, str) and key not in NO_SETTINGS
]


def _device(config: dict[str, Any]) -> Processor:
    made = build(config)
    assert isinstance(made, Processor)
    return made.eval()


def _sound(processor: Processor, controls: dict[str, Tensor]) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    noise = 0.2 * torch.randn(1, 2, 6_000, dtype=torch.float64, generator=generator)
    with torch.no_grad():
        return processor(noise, **controls)


def _controls(processor: Processor) -> dict[str, Tensor]:
    return {
        key: spec.to_physical(torch.full((1, spec.bands) if spec.bands else (1,), 0.7, dtype=torch.float64))
        for key, spec in processor.specs.items()
    }


@pytest.mark.parametrize(("name", "key"), CASES)
def test_a_setting_survives(name: str, key: str) -> None:
    """Through plain numbers, as a controls file keeps them, to a device that sounds the same."""
    assert key in OTHER, f"give the setting '{key}' of {name} a value in OTHER"
    default = _config(name)
    assert default[key] != OTHER[key]
    processor = _device({**default, key: OTHER[key]})
    settings = json.loads(json.dumps(processor.settings()))
    rebuilt = type(processor).from_settings(RATE, settings).eval()
    assert rebuilt.settings() == processor.settings()
    controls = _controls(processor)
    expected = _sound(processor, controls)
    torch.testing.assert_close(_sound(rebuilt, controls), expected, rtol=0, atol=1e-12)

    unset = _device(default)
    if any(control.shape[1:] != _controls(unset)[k].shape[1:] for k, control in controls.items()):
        return  # another number of bands
    change = float((_sound(unset, controls) - expected).abs().max())
    if key in RANGES:
        assert change < 1e-5
    elif key in TRAINING_ONLY:
        assert change == 0.0
    else:
        assert change > 1e-5


def test_each_device_has_a_case_unless_it_has_no_setting() -> None:
    assert {file.stem for file in FOLDER.glob("*.yaml")} - {name for name, _ in CASES} == {"stereo_width"}


def test_settings_of_older_files_mean_the_defaults() -> None:
    compressor = Compressor.from_settings(RATE, {"sidechain_hz": 0.0, "link_max": 0.0})
    multiband = MultibandCompressor.from_settings(RATE, {"crossovers_hz": (150.0, 2_500.0), "link_max": 0.0})
    assert compressor.settings()["reference_dbfs"] == multiband.settings()["reference_dbfs"] == REFERENCE_DBFS
    curve = {"unit_weight": (1.0,), "unit_slope": (1.0,), "unit_centre": (0.0,)}
    for shaper in (Saturation.from_settings(RATE, {}), NeuralSaturation.from_settings(RATE, curve)):
        assert shaper.settings()["render_hz"] == RENDER_HZ
