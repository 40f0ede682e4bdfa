"""A small folder of pairs and a way to run nm-train inside the test process."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from neural_mastering.cli.train import main
from neural_mastering.dsp.biquad import equalize

RATE = 44_100
SUPPORT = Path(__file__).parent / "support"


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five songs of 3 s: noise with a beat and a tone; the master is 3 dB louder with less bass."""
    root = tmp_path_factory.mktemp("my pairs (v2)")
    rng = np.random.default_rng(0)
    time = np.arange(3 * RATE) / RATE
    for side in ("unmastered", "mastered"):
        (root / side).mkdir()
    for number in range(5):
        noise = 0.05 * rng.standard_normal((2, time.size)) * (0.3 + 0.7 * (np.sin(2 * np.pi * 2 * time) > 0))
        tone = 0.05 * np.sin(2 * np.pi * (80 + 40 * number) * time)
        song = torch.from_numpy(noise + tone)[None].float()
        frequency, gain, q = (torch.tensor([[v]]) for v in (150.0, -6.0, 0.7))
        master = 1.41 * equalize(song, frequency, gain, q, RATE, ("low_shelf",))
        for side, audio in (("unmastered", song), ("mastered", master)):
            soundfile.write(root / side / f"söng {number}.wav", audio[0].T.numpy(), RATE, subtype="PCM_24")
    return root


@pytest.fixture(scope="session")
def small(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Overrides for runs of a second or two; an epoch has 3 songs · 3 crops / 2 → 5 steps."""
    return [
        "data=paired",
        f"data.root='{pairs}'",
        f"data.cache_dir='{tmp_path_factory.mktemp('cache')}'",
        "data.segment_s=1",
        "data.batch_size=2",
        "data.num_workers=0",
        "data.validation_fraction=0.2",
        "data.test_fraction=0.2",
        "z_size=16",
        "model.eq_head.hidden_size=16",
        "trainer.log_every_n_steps=1",
        "loss.terms.mr_stft.term.term.fft_sizes=[2048,512]",
    ]


@pytest.fixture
def nm_train(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """Run nm-train with arguments in an empty folder; returns the exit code."""
    from hydra.core.global_hydra import GlobalHydra

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(SUPPORT)
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    monkeypatch.setenv("WANDB_MODE", "offline")

    def run(*arguments: str) -> int:
        GlobalHydra.instance().clear()
        monkeypatch.setattr(sys, "argv", ["nm-train", *arguments])
        monkeypatch.setenv("HYDRA_FULL_ERROR", "0")
        try:
            main()
        except SystemExit as stop:
            return int(stop.code or 0)
        return 0

    return run
