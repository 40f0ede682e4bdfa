"""The contract between training and mastering: what a model does is what its controls do, stream and all.

For every device in conf/processor, with each of its settings away from its default: the training path
(`MasteringModel.render`) equals the controls, taken through a bundle and a YAML file, rendered as a stream.
"""

import importlib
import inspect
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from neural_mastering.config.compose import compose
from neural_mastering.controls import load_controls, save_controls
from neural_mastering.models import MasteringModel, build, load_model, write_bundle
from neural_mastering.rendering.stages.base import run_stages
from neural_mastering.rendering.stages.build import build_stages
from neural_mastering.rendering.tone.from_model import decoded_controls

CONF = Path(__file__).parents[2] / "conf" / "processor"
NAMES = sorted(file.stem for file in CONF.glob("*.yaml"))
RATE = 44_100
PARTS = "neural_mastering.models"


def _locate(target: str) -> Any:
    module, _, name = target.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _changed(default: Any, annotation: Any) -> Any:
    """Another value of the same kind: numbers smaller, the other word of a choice, a number instead of none."""
    choices = typing.get_args(annotation)
    if isinstance(default, str):
        return next(choice for choice in choices if choice != default)
    if default is None and float in choices:
        return 80.0
    if isinstance(default, bool):
        return not default
    if isinstance(default, int):
        return default + 1
    if isinstance(default, float):
        return 0.5 * default
    if isinstance(default, (tuple, list)):
        return [0.5 * value for value in default]
    raise AssertionError(f"how is a setting of {default!r} changed? teach this test")


def _settings(name: str) -> dict[str, Any]:
    """The device's own settings, as its constructor has them, each at another value than its default."""
    config: Any = OmegaConf.to_container(compose([f"+processor@probe={name}"]).probe, resolve=True)
    constructor = _locate(config["_target_"]).__init__
    hints = typing.get_type_hints(constructor)
    found = {}
    for key, parameter in inspect.signature(constructor).parameters.items():
        if key in ("self", "sample_rate") or isinstance(config.get(key), dict):
            continue  # an engine is no setting of the sound
        default = parameter.default
        if isinstance(hints[key], types.UnionType) and default is not None:
            hints[key] = typing.get_args(hints[key])[0]
        found[key] = _changed(default, hints[key])
    return {"_target_": config["_target_"], "sample_rate": RATE, **found}


def _model_config(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = {
        "_target_": f"{PARTS}.MasteringModel",
        "encoder": {"_target_": f"{PARTS}.encoders.LogMel", "z_size": 8, "sample_rate": RATE},
        "eq_head": {
            "_target_": f"{PARTS}.eq_heads.FixedBands",
            "z_size": 8,
            "hidden_size": 8,
            "eq": {"_target_": "neural_mastering.processors.ParametricEQ", "bands": 4, "sample_rate": RATE},
            "gain": {"_target_": "neural_mastering.processors.Gain"},
        },
        "residual_head": {"_target_": f"{PARTS}.residual_heads.NoResidual"},
    }
    if name == "parametric_eq":
        config["eq_head"]["eq"] = settings
    elif name == "gain":
        config["eq_head"]["gain"] = {"_target_": settings["_target_"]}
    else:
        stage = _locate(settings["_target_"]).name
        config["chain_head"] = {
            "_target_": f"{PARTS}.chain_heads.GreyBoxChain",
            "z_size": 8,
            "hidden_size": 8,
            "chain": {
                "_target_": "neural_mastering.processors.Chain",
                "stages": {stage: settings},
                "after_residual": [stage] if name == "limiter" else [],
            },
        }
    return config


def _shaken(config: dict[str, Any], seed: int = 0) -> MasteringModel:
    torch.manual_seed(seed)
    model = build(config)
    assert isinstance(model, MasteringModel)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        for head in getattr(model.chain_head, "heads", {}).values():
            # a quarter of the range away from rest, so that amounts, ranges and widths are all well inside
            head.out.bias.add_(0.6)
    return model.eval()


def _music(seconds: float = 4.0) -> np.ndarray:
    rng = np.random.default_rng(3)
    time = np.arange(round(seconds * RATE)) / RATE
    beat = np.exp(-8.0 * (time % 0.5))
    tones = sum(0.1 * np.sin(2 * np.pi * f * time + f) for f in (82.0, 330.0, 1234.5, 6_800.0))
    return 0.25 * beat * rng.standard_normal((2, time.size)) + tones * np.array([[1.0], [0.8]])


def _blocks(audio: np.ndarray, size: int = 10_007) -> Iterator[np.ndarray]:
    for start in range(0, audio.shape[1], size):
        yield np.ascontiguousarray(audio[:, start : start + size])


@pytest.fixture(scope="module")
def audio() -> np.ndarray:
    return _music()


LOST = {  # settings that are lost on the way: step 2 of the great tidying turns these green
    "compressor": "reference_dbfs",
    "multiband_compressor": "reference_dbfs",
    "saturation": "render_hz",
    "neural_saturation": "render_hz",
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name,
            marks=pytest.mark.xfail(strict=True, reason=f"step 2: {LOST[name]} is lost")
            if name in LOST
            else (),
        )
        for name in NAMES
    ],
)
def test_what_is_trained_is_what_is_mastered(name: str, audio: np.ndarray, tmp_path: Path) -> None:
    config = _model_config(name, _settings(name))
    model = _shaken(config)
    write_bundle(model, config, tmp_path / "bundle.json")
    loaded = load_model(tmp_path / "bundle.json")
    tensor = torch.from_numpy(audio)[None]
    with torch.inference_mode():
        analysis = loaded.analyse(tensor.float())
        save_controls(decoded_controls(loaded, analysis), tmp_path / "song.yaml")
        trained = model.double().render(tensor, analysis).audio[0].numpy()
    controls = load_controls(tmp_path / "song.yaml")
    streamed = np.concatenate(list(run_stages(build_stages(controls, RATE, 2), _blocks(audio))), axis=1)
    assert streamed.shape == trained.shape
    change = np.linalg.norm(trained - audio)
    assert change > 0.01 * np.linalg.norm(audio), "the device does nothing here: the test would say nothing"
    assert np.linalg.norm(streamed - trained) < 1e-4 * change
