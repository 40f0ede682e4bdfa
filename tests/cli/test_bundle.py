"""nm-bundle: from a run to two files, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from neural_mastering.cli.bundle import app
from neural_mastering.errors import InputError
from neural_mastering.models import CHECKPOINT_KEY, Confidence, build, default_model, load_model, read_bundle
from neural_mastering.models.bundle import find_bundle

pytestmark = pytest.mark.xdist_group("bundle")  # what all of them need is made once


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What nm-train leaves: the bundled model's configuration with fresh weights."""
    found = find_bundle(default_model() or "")
    assert found is not None
    config: Any = dict(read_bundle(found).model)
    state = {f"model.{name}": value for name, value in build(config).state_dict().items()}
    path = tmp_path_factory.mktemp("run") / "last.ckpt"
    torch.save({"state_dict": state, CHECKPOINT_KEY: {"model": config, "version": "0"}}, path)
    return path


def test_a_run_becomes_a_bundle(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "about.json").write_text('{"terms": "CC0"}')
    options = ["--scale", "0.5", "--doubt-db", "2", "--about", str(tmp_path / "about.json")]
    done = CliRunner().invoke(app, [str(checkpoint), "-o", str(tmp_path / "mine.json"), *options])
    assert done.exit_code == 0, done.output
    bundle = read_bundle(tmp_path / "mine.json")
    assert bundle.confidence == Confidence(0.5, 2.0) and bundle.about == {"terms": "CC0"}
    own, source = load_model(tmp_path / "mine.json").state_dict(), load_model(checkpoint).state_dict()
    assert all(torch.equal(own[name], value) for name, value in source.items())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "mine.ckpt"], "ends in .json"),
        (["-o", "there.json"], "--overwrite"),
        (["-o", "new.json", "--about", "list.json"], "expected a JSON object"),
        (["-o", "new.json", "--scale", "2"], "0 to 1"),
    ],
)
def test_mistakes_write_nothing(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.json").write_text("{}")
    Path("list.json").write_text(json.dumps([1]))
    done = CliRunner().invoke(app, [str(checkpoint), *arguments])
    assert isinstance(done.exception, InputError) and message in str(done.exception)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["list.json", "there.json"]


def test_a_learned_engineer_needs_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text('{"format": "neural_mastering engineer"}')
    done = CliRunner().invoke(app, [str(tmp_path), "-o", str(tmp_path / "mine.json")])
    assert isinstance(done.exception, InputError) and "nm-master --model" in str(done.exception)
    assert not (tmp_path / "mine.json").exists()
