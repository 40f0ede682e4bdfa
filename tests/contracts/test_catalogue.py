"""The contract of the catalogue: each row fits the devices that it names, and its neutral values do nothing."""

import importlib

import numpy as np
import pytest
import torch

from neural_mastering.controls import CATALOGUE, StageSpec, stage_spec
from neural_mastering.controls.catalogue import INPUT_LUFS, STAGE_NAMES, Value, stage_of_model
from neural_mastering.errors import InputError
from neural_mastering.processors import Processor
from neural_mastering.rendering.stages.base import run_stages
from neural_mastering.rendering.stages.processor import processor_stage

RATE = 44_100


def _kind(path: str) -> type[Processor]:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


FORMS = [(spec, _kind(path)) for spec in CATALOGUE for _, path in spec.devices]
forms = pytest.mark.parametrize(("spec", "kind"), FORMS, ids=[f"{s.name}-{k.__name__}" for s, k in FORMS])


def _values(kind: type[Processor], logit: float = 0.4) -> dict[str, Value]:
    """Controls and settings of a device as a controls file has them, away from rest."""
    device = kind()  # type: ignore[call-arg]
    controls = device.controls(torch.full((1, device.logit_count), logit))
    values: dict[str, Value] = {
        key: tuple(value[0].tolist()) if value.ndim > 1 else float(value[0])
        for key, value in controls.items()
    }
    return values | device.settings() | ({INPUT_LUFS: -14.0} if device.hears_level else {})


def _at_rest(spec: StageSpec, values: dict[str, Value]) -> dict[str, Value]:
    """The values with every neutral control at its neutral value, in each band."""
    resting = dict(values)
    for key, neutral in spec.neutral.items():
        if key in values:
            value = values[key]
            resting[key] = (neutral,) * len(value) if isinstance(value, tuple) else neutral
    return resting


def _audio() -> np.ndarray:
    return 0.2 * np.random.default_rng(0).standard_normal((2, RATE // 4))


@forms
def test_a_row_names_the_controls_of_its_devices(spec: StageSpec, kind: type[Processor]) -> None:
    device = kind()  # type: ignore[call-arg]
    assert kind.name == spec.model_name and stage_of_model(kind.name) is spec
    assert set(device.specs) <= set(spec.controls), "a control without a title"
    assert set(spec.neutral) & set(device.specs), "no control whose neutral value is known"


@pytest.mark.parametrize("spec", CATALOGUE, ids=lambda spec: spec.name)
def test_titles_and_factors_are_of_controls_that_exist(spec: StageSpec) -> None:
    devices = [kind() for row, kind in FORMS if row is spec]  # type: ignore[call-arg]
    known = {key for device in devices for key in (*device.specs, *device.settings())}
    assert set(spec.controls) <= known
    assert {*spec.neutral, *spec.idle_gain} <= {key for device in devices for key in device.specs}
    assert spec.devices[-1][0] == "" and all(key for key, _ in spec.devices[:-1])
    assert stage_spec(spec.name) is spec


@forms
def test_its_own_values_choose_a_device(spec: StageSpec, kind: type[Processor]) -> None:
    """Values of this form are rendered as by this form: the one that streams is the one that they came from."""
    values, audio = _values(kind), _audio()
    stage = processor_stage(spec, values, RATE, 2)
    streamed = np.concatenate(list(run_stages([stage], [audio])), axis=1)
    device = kind.from_settings(float(RATE), kind().settings()).eval()  # type: ignore[call-arg]
    gain = 10.0 ** ((-18.0 + 14.0) / 20.0) if device.hears_level else 1.0
    controls = {key: torch.tensor([values[key]], dtype=torch.float64) for key in device.specs}
    with torch.no_grad():
        expected = device(gain * torch.from_numpy(audio)[None], **controls)[0].numpy() / gain
    assert np.abs(expected - audio).max() > 1e-4
    np.testing.assert_allclose(streamed, expected, atol=1e-9)


@forms
def test_neutral_values_do_nothing(spec: StageSpec, kind: type[Processor]) -> None:
    values, audio = _values(kind), _audio()
    assert not spec.is_idle(values)
    resting = _at_rest(spec, values)
    assert spec.is_idle(resting)
    stage = processor_stage(spec, resting, RATE, 2)
    out = np.concatenate(list(run_stages([stage], [audio])), axis=1)
    np.testing.assert_allclose(out, audio, atol=1e-12)


@forms
def test_a_weaker_stage_does_less(spec: StageSpec, kind: type[Processor]) -> None:
    values, audio = _values(kind), _audio()
    changes = []
    for share in (0.25, 0.5, 1.0):
        stage = processor_stage(spec, spec.weakened(values, share), RATE, 2)
        out = np.concatenate(list(run_stages([stage], [audio])), axis=1)
        changes.append(float(np.linalg.norm(out - audio)))
    assert 0.0 < changes[0] < changes[1] < changes[2]
    np.testing.assert_allclose(changes[1] / changes[2], 0.5, atol=0.15)


def test_names_are_told_apart() -> None:
    assert len(set(STAGE_NAMES)) == len(STAGE_NAMES) == len({spec.model_name for spec in CATALOGUE})
    assert not {"eq", "gain", "residual", "limiter"} & set(STAGE_NAMES), "names that --skip has for others"
    with pytest.raises(InputError, match=r"'reverb'.*expected one of compressor"):
        stage_spec("reverb")
    with pytest.raises(InputError, match=r"'reverb' without a row in controls/catalogue\.py"):
        stage_of_model("reverb")
