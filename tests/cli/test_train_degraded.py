"""nm-train on released music that is degraded while training."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from neural_mastering.data.splits import read_splits

Train = Callable[..., int]
SPLITS = ("train", "validation", "test")


@pytest.fixture
def degraded(pairs: Path, small: list[str]) -> list[str]:
    """The small settings, with the masters of the pairs as released music."""
    kept = [setting for setting in small if setting != "data=paired" and not setting.startswith("data.root=")]
    return ["data=degraded", f"data.root='{pairs / 'mastered'}'", *kept]


def test_a_run_holds_its_splits_and_its_table(nm_train: Train, degraded: list[str], capsys: Any) -> None:
    assert (
        nm_train("+phase=1a", *degraded, "trainer.max_epochs=1", "hydra.run.dir=run", "data.preset=heavy")
        == 0
    )
    table = capsys.readouterr().out
    for row in ("identity", "loudness only", "average EQ", "phase 1a"):
        assert row in table
    rows = json.loads(Path("run/validation.json").read_text())
    assert all(row["objective"] > 0 for row in rows)
    splits = read_splits("run")
    assert [len(splits[name]) for name in SPLITS] == [3, 1, 1]
    assert read_splits("run/checkpoints/last.ckpt") == splits
    assert read_splits("run/checkpoints/best.ckpt") == splits


def test_an_interrupted_run_resumes_to_the_same_weights(
    nm_train: Train, degraded: list[str], capsys: Any
) -> None:
    settings = ["+phase=1a", *degraded, "trainer.max_epochs=2", "validation_table=false"]
    assert nm_train(*settings, "hydra.run.dir=whole") == 0
    stop = "+callbacks.stop={_target_: nm_test_callbacks.InterruptAt, step: 6}"
    assert nm_train(*settings, "hydra.run.dir=broken", stop) == 130
    assert nm_train("resume=broken", "callbacks.stop=null") == 0
    states = [
        torch.load(f"{name}/checkpoints/last.ckpt", weights_only=True)["state_dict"]
        for name in ("whole", "broken")
    ]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("data.preset=strong", "no preset 'strong'"),
        ("data.split_file=nowhere.json", "there is no nowhere.json"),
    ],
)
def test_mistakes_are_named(
    nm_train: Train, degraded: list[str], setting: str, words: str, capsys: Any
) -> None:
    assert nm_train("+phase=1a", *degraded, "trainer.max_epochs=1", "hydra.run.dir=run", setting) == 2
    said = capsys.readouterr()
    assert words in said.err and "Traceback" not in said.err
