"""The exported graph computes what the description says, in another runtime."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from neural_mastering.cli.bundle import app
from neural_mastering.errors import InputError
from neural_mastering.models import CHECKPOINT_KEY, build, read_bundle
from neural_mastering.numeric.bundle_file import bundled_models
from neural_mastering.numeric.model import load_numeric

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

CONFIG: dict[str, Any] = dict(read_bundle(bundled_models()["modest-eq-2"]).model)


def _checkpoint(path: Path, config: dict[str, Any]) -> Path:
    model = build(config)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    state = {f"model.{name}": value for name, value in model.state_dict().items()}
    torch.save({"state_dict": state, CHECKPOINT_KEY: {"model": config, "version": "0"}}, path)
    return path


def test_onnxruntime_gets_the_same_controls(tmp_path: Path) -> None:
    run = _checkpoint(tmp_path / "last.ckpt", CONFIG)
    done = CliRunner().invoke(app, [str(run), "-o", str(tmp_path / "own.json"), "--onnx"])
    assert done.exit_code == 0, done.output
    model = load_numeric(read_bundle(tmp_path / "own.json"))
    assert model is not None and model.description.reads_frames
    audio = 0.1 * np.random.default_rng(0).standard_normal((2, 44_100))
    windows = [model.analyse_window(audio), model.analyse_window(0.3 * audio[::-1].copy())]
    expected = model.logits(windows, -15.0)
    session = onnxruntime.InferenceSession(tmp_path / "own.onnx", providers=["CPUExecutionProvider"])
    centre, scale = model.description.level
    given = {
        "long_term": np.stack([window.long_term for window in windows]),
        "frames": np.stack([window.frames for window in windows]),
        "level": np.full((2, 1), (-15.0 - centre) / scale),
    }
    names = [output.name for output in session.get_outputs()]
    found = dict(
        zip(names, session.run(None, {k: v.astype(np.float32) for k, v in given.items()}), strict=True)
    )
    np.testing.assert_allclose(found["eq_logits"], expected.eq, atol=1e-5)
    np.testing.assert_allclose(found["gain_logits"], expected.gain, atol=1e-5)
    for row in range(2):
        bands = model.bands(expected, row)
        np.testing.assert_allclose(found["frequency_hz"][row], bands.frequency_hz, rtol=1e-4)
        np.testing.assert_allclose(found["gain_db"][row], bands.gain_db, atol=1e-4)
        np.testing.assert_allclose(found["q"][row], bands.q, rtol=1e-4)


def test_what_has_no_operations_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    residual = {"_target_": "neural_mastering.models.residual_heads.WaveUNet", "z_size": 128}
    run = _checkpoint(tmp_path / "last.ckpt", {**CONFIG, "residual_head": residual})
    done = CliRunner().invoke(app, [str(run), "-o", str(tmp_path / "own.json"), "--onnx"])
    assert isinstance(done.exception, InputError) and "--onnx" in str(done.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]
