"""Bundles: what is written comes back bit by bit, and nothing else is taken for one."""

import json
from pathlib import Path

import pytest
import torch

from neural_mastering.errors import InputError
from neural_mastering.models import (
    Analysis,
    Confidence,
    MasteringModel,
    build,
    bundled_models,
    default_model,
    find_bundle,
    load_bundle,
    load_model,
    read_bundle,
    write_bundle,
)
from neural_mastering.models.confidence import curves_db, estimate_confidence

RATE = 22_050
EQ = {
    "_target_": "neural_mastering.processors.ParametricEQ",
    "bands": 5,
    "sample_rate": RATE,
    "peaks_hz": [40, 9000],
}
CONFIG = {
    "_target_": "neural_mastering.models.MasteringModel",
    "encoder": {
        "_target_": "neural_mastering.models.encoders.LogMel",
        "z_size": 8,
        "sample_rate": RATE,
        "bands": 16,
        "channels": 4,
        "dilations": [1],
    },
    "eq_head": {
        "_target_": "neural_mastering.models.eq_heads.FixedBands",
        "z_size": 8,
        "hidden_size": 8,
        "eq": {**EQ, "high_shelf_hz": [3000, 10_000]},
        "gain": {"_target_": "neural_mastering.processors.Gain"},
    },
    "residual_head": {"_target_": "neural_mastering.models.residual_heads.NoResidual"},
}


@pytest.fixture(scope="module")
def model() -> MasteringModel:
    """A small model whose numbers are all its own."""
    made = build(CONFIG)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return made.eval()


@pytest.fixture
def written(model: MasteringModel, tmp_path: Path) -> Path:
    return write_bundle(model, CONFIG, tmp_path / "own.json", Confidence(0.5, 1.0), {"terms": "CC0"}).path


def test_round_trip_is_exact(model: MasteringModel, written: Path) -> None:
    back = load_model(written)
    assert back.state_dict().keys() == model.state_dict().keys()
    assert all(torch.equal(back.state_dict()[name], value) for name, value in model.state_dict().items())
    audio = 0.1 * torch.randn(1, 2, RATE, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert torch.equal(back(audio).audio, model(audio).audio)
    assert not back.training
    bundle = read_bundle(written)
    assert bundle.confidence == Confidence(0.5, 1.0) and bundle.about["terms"] == "CC0"


def test_the_same_model_gives_the_same_bytes(model: MasteringModel, written: Path, tmp_path: Path) -> None:
    again = write_bundle(model, CONFIG, tmp_path / "twice" / "own", Confidence(0.5, 1.0), {"terms": "CC0"})
    assert again.path.read_bytes() == written.read_bytes()
    assert again.weights.read_bytes() == written.with_suffix(".safetensors").read_bytes()


def test_nothing_is_unpickled(model: MasteringModel, written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("torch.load was called")

    monkeypatch.setattr(torch, "load", refuse)
    monkeypatch.setattr("pickle.load", refuse)
    monkeypatch.setattr("pickle.loads", refuse)
    with pytest.raises(AssertionError, match=r"torch\.load was called"):
        torch.load(written)
    loaded = load_model(written).state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in model.state_dict().items())


def test_either_file_names_the_bundle(written: Path) -> None:
    assert find_bundle(written.with_suffix(".safetensors")) == written
    assert find_bundle("no such name") is None
    load_model(str(written.with_suffix(".safetensors")))


def _changed(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_damaged_weights_are_refused(written: Path) -> None:
    weights = written.with_suffix(".safetensors")
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(InputError, match="SHA-256"):
        load_bundle(written)


def test_weights_of_another_shape_are_refused(written: Path) -> None:
    other = json.loads(written.read_text())["model"]
    other["encoder"]["z_size"] = other["eq_head"]["z_size"] = 6
    _changed(written, model=other)
    with pytest.raises(InputError, match="size mismatch"):
        load_bundle(written)


def test_foreign_code_is_refused(written: Path) -> None:
    _changed(written, model={"_target_": "os.system", "command": "true"})
    with pytest.raises(InputError, match="outside neural_mastering"):
        load_bundle(written)


def test_a_part_is_no_model(written: Path) -> None:
    _changed(written, model={"_target_": "neural_mastering.models.residual_heads.NoResidual"})
    with pytest.raises(InputError):
        load_bundle(written)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "something"}, "format"),
        ({"format_version": 99}, "version 99"),
        ({"confidence": {"scale": 2.0, "doubt_db": 0.0}}, "0 to 1"),
        ({"confidence": {"scales": 1.0}}, "incomplete"),
        ({"model": 3}, "incomplete"),
    ],
)
def test_other_json_is_refused(written: Path, change: dict[str, object], message: str) -> None:
    _changed(written, **change)
    with pytest.raises(InputError, match=message):
        load_model(written)


def test_missing_or_unreadable_files_are_named(written: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no .*none\.json"):
        load_model(tmp_path / "none.json")
    (tmp_path / "text.json").write_text("not json")
    with pytest.raises(InputError, match="JSON"):
        load_model(tmp_path / "text.json")
    written.with_suffix(".safetensors").unlink()
    with pytest.raises(InputError, match="weights"):
        load_model(written)


def test_files_that_are_no_safetensors_are_refused(written: Path) -> None:
    import hashlib

    weights = written.with_suffix(".safetensors")
    weights.write_bytes(b"nothing of the kind")
    _changed(written, weights_sha256=hashlib.sha256(b"nothing of the kind").hexdigest())
    with pytest.raises(InputError, match="safetensors"):
        load_bundle(written)


def test_confidence_follows_its_equation() -> None:
    assert Confidence().of(0.7, 0.0) == 1.0 and Confidence().of(0.0, 0.0) == 1.0
    assert Confidence(0.8, 3.0).of(3.0, 0.0) == pytest.approx(0.4)
    assert Confidence(1.0, 2.0).of(1.0, 2.0) == pytest.approx(1.0 / 9.0)
    assert Confidence(0.8, 3.0).of(0.0, 0.0) == 0.0
    with pytest.raises(InputError):
        Confidence(0.5, -1.0)


def test_trust_in_equal_and_in_opposite_windows(model: MasteringModel) -> None:
    """Two windows at one level: curves c and c differ by nothing; c and −c have nothing in common."""
    audio = 0.1 * torch.randn(1, 2, RATE, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        one = model.analyse(audio)
    curve = curves_db(model, one.logits)[0]
    size = float(curve.square().mean().sqrt())
    alone, same = (estimate_confidence(Confidence(), model, windows) for windows in ([one], [one, one]))
    assert alone.windows == 1 and same.windows == 2 and alone.confidence == same.confidence == 1.0
    assert alone.move_db == pytest.approx(size) and alone.spread_db == pytest.approx(0.0, abs=1e-6)
    against = estimate_confidence(Confidence(), model, [one, _with_gains_inverted(model, one)])
    assert against.move_db == pytest.approx(0.0, abs=0.02 * size)
    assert against.spread_db == pytest.approx(size, rel=0.02)
    assert against.confidence < 1e-3


def _with_gains_inverted(model: MasteringModel, analysis: Analysis) -> Analysis:
    from dataclasses import replace

    eq = analysis.logits.eq.clone()
    bands = model.eq_head.eq.bands
    names = [key for key, spec in model.eq_head.eq.specs.items() for _ in range(spec.size)]
    places = [i for i, name in enumerate(names) if name == "gain_db"]
    assert len(places) == bands
    eq[:, places] = -eq[:, places]  # gains are symmetric about logit 0
    return replace(analysis, logits=replace(analysis.logits, eq=eq))


def test_bundled_models_load_and_stay_small() -> None:
    found = bundled_models()
    assert default_model() in found
    for name, path in found.items():
        size = path.stat().st_size + path.with_suffix(".safetensors").stat().st_size
        assert size <= 10e6
        bundled, bundle = load_model(name), read_bundle(path)
        assert bundled.sample_rate == 44_100.0 and bundle.about["terms"]
        assert sum(p.numel() for p in bundled.parameters()) < 1_000_000
