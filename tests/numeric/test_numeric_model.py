"""Models as numbers: what numpy computes is what torch computes."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from neural_mastering.audio_io.block import blocks_of
from neural_mastering.errors import InputError
from neural_mastering.models import Confidence, MasteringModel, build, load_model, read_bundle, write_bundle
from neural_mastering.models.describe import describe
from neural_mastering.numeric.bundle_file import bundled_models
from neural_mastering.numeric.description import description_of
from neural_mastering.numeric.model import NumericModel, load_numeric
from neural_mastering.rendering.tone.from_model import listen
from neural_mastering.rendering.tone.from_numbers import NumericListener

DEMO = Path(__file__).parents[2] / "neural_mastering" / "assets" / "demo"
RATE, LUFS = 44_100, -15.0
CURVE_HZ = np.geomspace(30.0, 15_000.0, 64)
CONFIG: dict[str, Any] = dict(read_bundle(bundled_models()["modest-eq-2"]).model)
ADAPTIVE = copy.deepcopy(CONFIG)
ADAPTIVE["eq_head"] |= {
    "_target_": "neural_mastering.models.eq_heads.AdaptiveBands",
    "max_bands": 8,
    "min_bands": 3,
    "eq": {**CONFIG["eq_head"]["eq"], "bands": 8},
}
DEEP = copy.deepcopy(CONFIG)
DEEP["encoder"] |= {"dilations": [1, 2, 4], "z_size": 16, "bands": 40, "fft_size": 2048, "hop": 512}
DEEP["eq_head"] |= {"z_size": 16, "hidden_size": 24}


def _random(config: dict[str, Any]) -> MasteringModel:
    model = build(config).eval()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return model


def _numeric(model: MasteringModel) -> NumericModel:
    content = describe(model)
    assert content is not None
    description = description_of(json.loads(json.dumps(content)))
    assert description is not None
    return NumericModel(description, {name: value.numpy() for name, value in model.state_dict().items()})


def _excerpts() -> list[np.ndarray]:
    songs = [
        soundfile.read(DEMO / f"{name}.ogg", frames=5 * RATE)[0].T for name in ("s3_rock", "s4_orchestral")
    ]
    noise = 0.05 * np.random.default_rng(0).standard_normal((2, RATE))
    # mono, shorter than a frame, and silence
    return [*songs, noise, noise[:1], noise[:, :900], np.zeros((2, RATE))]


MODELS = {
    **{name: lambda name=name: load_model(name) for name in bundled_models()},
    "random": lambda: _random(CONFIG),
    "gates": lambda: _random(ADAPTIVE),
    "deep": lambda: _random(DEEP),
}


@pytest.mark.parametrize("name", MODELS)
def test_logits_and_curves_are_those_of_torch(name: str) -> None:
    model = MODELS[name]()
    numeric = _numeric(model)
    for audio in _excerpts():
        with torch.inference_mode():
            expected = model.analyse(torch.from_numpy(audio).float()[None], lufs=torch.tensor([LUFS]))
            controls = model.eq_controls(expected)
        window = numeric.analyse_window(audio)
        logits = numeric.logits([window], LUFS)
        assert window.lufs == pytest.approx(float(expected.lufs), abs=1e-4)
        for key in ("eq", "gain", "gates"):
            np.testing.assert_allclose(getattr(logits, key), getattr(expected.logits, key).numpy(), atol=1e-5)
        bands = numeric.bands(logits)
        with torch.inference_mode():
            curve = model.eq_head.eq.response_db(torch.from_numpy(CURVE_HZ).float(), **controls.eq)[0]
        np.testing.assert_allclose(bands.level_db(CURVE_HZ, RATE), curve.numpy(), atol=0.01)
        np.testing.assert_array_equal(bands.gain_db == 0.0, controls.eq["gain_db"][0].numpy() == 0.0)
        assert numeric.gain_db(logits) == pytest.approx(float(controls.gain["gain_db"][0]), abs=1e-4)


def test_a_branch_of_zeros_is_left_out() -> None:
    model = _random(CONFIG)
    assert _numeric(model).description.reads_frames
    with torch.no_grad():
        pooled = model.encoder.get_submodule("pooled.1")
        pooled.get_parameter("weight").zero_()
    numeric = _numeric(model)
    assert not numeric.description.reads_frames
    audio = _excerpts()[0]
    with torch.inference_mode():
        expected = model.analyse(torch.from_numpy(audio).float()[None], lufs=torch.tensor([LUFS])).logits.eq
    np.testing.assert_allclose(
        numeric.logits([numeric.analyse_window(audio)], LUFS).eq, expected.numpy(), atol=1e-5
    )


def test_gates_of_both_kinds_occur() -> None:
    """So that the comparison above says something about them."""
    model = _random(ADAPTIVE)
    with torch.no_grad():
        gates = model.eq_head.get_submodule("gate_logits")
        gates.get_parameter("weight").mul_(0.01)
        gates.get_parameter("bias").copy_(torch.tensor([2.0, -4.0] * 4))
    numeric, audio = _numeric(model), _excerpts()[0]
    gains = numeric.bands(numeric.logits([numeric.analyse_window(audio)], LUFS)).gain_db
    with torch.inference_mode():
        analysis = model.analyse(torch.from_numpy(audio).float()[None], lufs=torch.tensor([LUFS]))
        expected = model.eq_controls(analysis).eq["gain_db"][0].numpy()
    assert np.count_nonzero(gains) == 4
    np.testing.assert_allclose(gains, expected, atol=1e-4)


@pytest.mark.parametrize("name", bundled_models())
def test_a_bundle_carries_the_description_of_its_model(name: str) -> None:
    expected = json.loads(json.dumps(describe(load_model(name))))
    assert read_bundle(bundled_models()[name]).operations == expected


@pytest.mark.parametrize(
    "change",
    [
        {"residual_head": {"_target_": "neural_mastering.models.residual_heads.WaveUNet", "z_size": 128}},
        {
            "conditioning": {
                "_target_": "neural_mastering.models.conditioning.StyleConditioning",
                "z_size": 128,
            }
        },
    ],
    ids=["residual", "style"],
)
def test_what_only_torch_runs_is_not_described(change: dict[str, Any]) -> None:
    assert describe(build({**CONFIG, **change})) is None


@pytest.mark.parametrize("block", [65_536, 7_001])
def test_a_song_gets_the_controls_that_torch_would_give_it(block: int) -> None:
    """Twelve seconds with silence in them, from a stream: windows, pooling, confidence."""
    song = np.tile(soundfile.read(DEMO / "s1_electronic.ogg", frames=6 * RATE)[0].T, 2)
    song[:, : 5 * RATE] = 0.0
    model, confidence = load_model("modest-eq-2"), Confidence(0.9, 2.0)
    expected = listen(model, "m", blocks_of(song), RATE, LUFS, confidence)
    listener = NumericListener(_numeric(model), "m", confidence, RATE)
    for part in blocks_of(song, block):
        listener.push(part)
    found = listener.tone(LUFS)
    assert expected.confidence is not None and found.confidence is not None
    assert found.confidence.windows == expected.confidence.windows == 2
    assert found.confidence.confidence == pytest.approx(expected.confidence.confidence, abs=1e-5)
    assert found.controls.gain_db == expected.controls.gain_db == 0.0
    difference = found.controls.eq.level_db(CURVE_HZ, RATE) - expected.controls.eq.level_db(CURVE_HZ, RATE)
    assert np.abs(difference).max() < 1e-3


def test_other_versions_and_damaged_descriptions(tmp_path: Path) -> None:
    path = write_bundle(_random(CONFIG), CONFIG, tmp_path / "own.json").path
    content = json.loads(path.read_text())
    assert load_numeric(read_bundle(path)) is not None
    content["operations"]["version"] = 2
    path.write_text(json.dumps(content))
    assert load_numeric(read_bundle(path)) is None  # torch takes it
    content["operations"]["version"] = 1
    content["operations"]["steps"][0]["op"] = "attention"
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="attention"):
        load_numeric(read_bundle(path))
