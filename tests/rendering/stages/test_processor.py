"""Processors as stages of a stream: aligned, at any rate, as in the model."""

from typing import Any

import numpy as np
import pytest
import torch

from neural_mastering.controls import ChainControls, scaled, stage_spec
from neural_mastering.controls.catalogue import INPUT_LUFS
from neural_mastering.errors import InputError
from neural_mastering.processors import (
    Compressor,
    Limiter,
    MultibandCompressor,
    MultibandWidth,
    NeuralSaturation,
    Processor,
    Saturation,
    StereoWidth,
)
from neural_mastering.rendering.stages.base import run_stages
from neural_mastering.rendering.stages.build import build_stages
from neural_mastering.rendering.stages.processor import processor_stage

RATE = 48_000
KINDS: dict[str, list[type[Processor]]] = {
    "compressor": [Compressor, MultibandCompressor],
    "saturation": [Saturation, NeuralSaturation],
    "stereo": [StereoWidth, MultibandWidth],
    "chain_limiter": [Limiter],
}
CASES = [(name, kind) for name, kinds in KINDS.items() for kind in kinds]


def _audio(seconds: float = 0.5) -> np.ndarray:
    rng = np.random.default_rng(0)
    return 0.2 * rng.standard_normal((2, round(seconds * RATE)))


def _values(processor: Processor) -> dict[str, float | tuple[float, ...]]:
    controls = processor.controls(torch.full((1, processor.logit_count), 0.4))
    values: dict[str, float | tuple[float, ...]] = {
        key: tuple(v[0].tolist()) if v.ndim > 1 else float(v[0]) for key, v in controls.items()
    }
    return values | processor.settings() | ({INPUT_LUFS: -12.0} if processor.hears_level else {})


@pytest.mark.parametrize(("name", "kind"), CASES, ids=lambda v: getattr(v, "__name__", v))
def test_blocks_equal_one_shot_on_time(name: str, kind: type[Processor]) -> None:
    model_rate = kind.from_settings(44_100.0, {}) if kind is Compressor else kind()  # type: ignore[call-arg]
    values, audio = _values(model_rate), _audio()
    processor = kind.from_settings(float(RATE), {**model_rate.settings()}).eval()
    gain = 10 ** ((-18.0 + 12.0) / 20) if processor.hears_level else 1.0
    controls = {key: torch.tensor([values[key]], dtype=torch.float64) for key in processor.specs}
    with torch.no_grad():
        whole = processor(gain * torch.from_numpy(audio)[None], **controls)[0].numpy() / gain
    stage = processor_stage(stage_spec(name), values, RATE, 2)
    blocks = np.split(audio, [1, 5_000, 5_003, 20_000], axis=1)
    streamed = np.concatenate(list(run_stages([stage], blocks)), axis=1)
    assert np.abs(whole - audio).max() > 1e-3
    np.testing.assert_allclose(streamed, whole, atol=1e-9)


def test_a_chain_of_controls_is_rendered_in_order_with_the_limiter_last() -> None:
    controls = ChainControls(
        stages={
            "chain_limiter": _values(Limiter()),
            "compressor": _values(Compressor()),
            "stereo": _values(StereoWidth()),
        }
    )
    stages = build_stages(controls, RATE, 2)
    assert [stage.name for stage in stages] == ["compressor", "stereo", "chain_limiter"]


def test_strength_weakens_each_stage() -> None:
    controls = ChainControls(
        stages={
            "compressor": {"mix": 0.8},
            "stereo": {"width": 1.6, "bass_frequency_hz": 90.0, "bass_amount": 0.5},
        }
    )
    weaker = scaled(controls, 0.5).stages
    assert weaker["compressor"] == {"mix": 0.4}
    assert weaker["stereo"] == {"width": 1.3, "bass_frequency_hz": 90.0, "bass_amount": 0.25}
    assert "compressor" not in scaled(controls, {"compressor": 0.0}).stages


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ratio": None}, "'compressor': the key 'ratio' is missing: expected .*ratio"),
        ({INPUT_LUFS: None}, "needs input_lufs"),
        ({"speed": 1.0}, "'compressor': unknown key 'speed': expected .*ratio"),
    ],
)
def test_controls_that_do_not_fit_are_named(change: dict[str, float | None], words: str) -> None:
    values = {**_values(Compressor()), **change}
    with pytest.raises(InputError, match=words):
        processor_stage(stage_spec("compressor"), {k: v for k, v in values.items() if v is not None}, RATE, 2)


BAND = {
    "frequency_hz": (6_500.0,),
    "q": (2.0,),
    "threshold_db": (-20.0,),
    "range_db": (-6.0,),
    "attack_ms": (5.0,),
    "release_ms": (80.0,),
    "bands": 1.0,
    "design_rate_hz": 44_100.0,
    "input_lufs": -20.0,
}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"range_db": -6.0}, "range_db: expected a list of 1 numbers, one a band, got -6"),
        ({"range_db": (-6.0, -3.0)}, "range_db: expected a list of 1 numbers"),
        ({"range_db": (-20.0,)}, r"range_db: expected -12 to 6 db, got -20"),
        ({"frequency_hz": (30_000.0,)}, "frequency_hz: expected 60 to 16000 hz, got 30000"),
    ],
)
def test_a_value_that_the_device_cannot_take_is_explained(changed: dict[str, Any], message: str) -> None:
    processor_stage(stage_spec("dynamic_eq"), BAND, 44_100, 2)
    with pytest.raises(InputError, match=message):
        processor_stage(stage_spec("dynamic_eq"), {**BAND, **changed}, 44_100, 2)


def test_a_missing_setting_is_named() -> None:
    bands = {
        f"{part}_{key}": (v,) * 3 for part in ("mid", "side") for key, v in (("gain_db", 1.0), ("q", 0.7))
    }
    values = {
        "mid_frequency_hz": (100.0, 1e3, 8e3),
        "side_frequency_hz": (100.0, 1e3, 8e3),
        **bands,
        "design_rate_hz": 44_100.0,
    }
    processor_stage(stage_spec("mid_side_eq"), {**values, "bands": 3.0}, 44_100, 2)
    with pytest.raises(InputError, match="needs the setting bands"):
        processor_stage(stage_spec("mid_side_eq"), values, 44_100, 2)
