"""nm-train on a GPU: each phase in each precision, resumed, and read again on a CPU."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from neural_mastering.models import load_model

SMALL = (
    "data.num_workers=0",
    "data.segment_s=2",
    "data.batch_size=2",
    "z_size=32",
    "optimizer.lr=0.003",
    "trainer.log_every_n_steps=1",
    "trainer.limit_train_batches=12",
    "callbacks.pictures.every_n_epochs=1000",
)
PRECISIONS = ("fp32", "bf16", "fp16")


def _train(folder: Path, device: torch.device, *arguments: str) -> None:
    trainer = "gpu" if device.type == "cuda" else "cpu"
    command = [sys.executable, "-m", "neural_mastering.cli.train", *arguments, f"trainer={trainer}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=500)
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-3_000:]


def _loads_and_masters(run: Path) -> None:
    with torch.no_grad():
        assert torch.isfinite(load_model(run)(0.1 * torch.randn(1, 2, 22_050)).audio).all()


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("phase", ["1a", "1b", "1c", "2"])
def test_a_phase_learns(phase: str, precision: str, device: torch.device, tmp_path: Path) -> None:
    if precision == "fp16" and device.type == "cpu":
        pytest.skip("float16 needs a GPU")
    start = [f"+phase={phase}", f"precision={precision}", *SMALL, "trainer.max_epochs=3", "hydra.run.dir=run"]
    _train(tmp_path, device, *start)
    rows = {
        row["system"]: row["objective"] for row in json.loads((tmp_path / "run/validation.json").read_text())
    }
    learned = rows[f"phase {phase}" if f"phase {phase}" in rows else list(rows)[-1]]
    assert math.isfinite(learned) and learned < rows["identity"]
    _loads_and_masters(tmp_path / "run")


def test_resuming_goes_on(device: torch.device, tmp_path: Path) -> None:
    start = ["+phase=1c", *SMALL, "trainer.max_epochs=2", "hydra.run.dir=run"]
    _train(tmp_path, device, *start)
    before = torch.load(tmp_path / "run/checkpoints/last.ckpt", weights_only=True)["global_step"]
    _train(tmp_path, device, "resume=run", "trainer.max_epochs=4")
    after = torch.load(tmp_path / "run/checkpoints/last.ckpt", weights_only=True)["global_step"]
    assert after == 2 * before
    _loads_and_masters(tmp_path / "run")
