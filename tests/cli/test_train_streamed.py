"""nm-train data=streamed in one, two and four processes: the same items, and a resume that changes nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("litdata", reason="the extra streamed is not installed")

SUPPORT = Path(__file__).parent / "support"
BATCH = 4  # over all processes
STEPS_AN_EPOCH, EPOCHS = 6, 2
SAVED, KILLED = 8, 9  # step 8 is the third of the second epoch
PLACES = {1: 0, 2: 2, 4: 1}
"""How many reading processes each of so many processes has."""
ROUNDING = {1: 0.0, 2: 0.0, 4: 1e-6}
"""Of weights below 1. DDP lays out its buckets anew after the first step of each start, and the place of a gradient
in its bucket decides in which order four of them are summed. A sum of two has no order."""

Start = Callable[..., Path]


@pytest.fixture(scope="module")
def library(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three songs of four windows to train on, one to validate with; a window is a chunk."""
    folder = tmp_path_factory.mktemp("packed")
    command = ["pack", str(pairs), "--out", str(folder / "library"), "--window-s", "0.75", "--chunk-mb", "1"]
    command += [
        "--validation-fraction",
        "0.2",
        "--test-fraction",
        "0.2",
        "--cache-dir",
        str(folder / "cache"),
        "-q",
    ]
    assert _process("data", *command) == (0, "")
    return folder / "library"


@pytest.fixture(scope="module")
def start(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Begin a run in so many processes; returns its folder, which records what each process sees."""

    def run(processes: int, workers: int, kill: bool = False) -> Path:
        folder = tmp_path_factory.mktemp(f"run{processes}")
        trainer = ["trainer=cpu"] if processes == 1 else ["trainer=ddp_cpu", f"trainer.devices={processes}"]
        settings = [
            "+phase=1c",
            *trainer,
            "data=streamed",
            f"data.root='file://{library}'",  # a URL: chunks come into the cache, which all processes share
            f"data.cache_dir='{folder / 'cache'}'",
            "data.max_cache_gb=0.005",  # of 14 MB: they also throw out each other's chunks
            "data.segment_s=0.5",
            f"data.batch_size={BATCH // processes}",
            f"data.num_workers={workers}",
            "data.passes=2",
            "+augment@data.augment=paired",
            f"trainer.max_epochs={EPOCHS}",
            "model/encoder=tcn",
            "model/residual_head=none",
            "z_size=16",
            "model.eq_head.hidden_size=16",
            "model.eq_head.dropout=0.1",
            "loss.terms.mr_stft=null",  # its gradient jumps: see test_two_processes_see_what_one_sees
            "loss.terms.a_weighted.weight=1.0",
            "validation_table=false",
            "callbacks.last.every_n_steps=4",
            f"hydra.run.dir='{folder}'",
            f"+callbacks.record={{_target_: nm_test_callbacks.RecordItems, folder: '{folder}'}}",
        ]
        if kill:
            settings.append(f"+callbacks.kill={{_target_: nm_test_callbacks.KillAt, step: {KILLED}}}")
        code, error = _process("train", *settings)
        assert code == (-signal.SIGKILL if kill else 0), error
        return folder

    return run


@pytest.fixture(scope="module")
def whole(start: Start) -> Callable[[int], Path]:
    """The run that nothing interrupts, of each number of processes, made once."""
    found: dict[int, Path] = {}

    def run(processes: int) -> Path:
        if processes not in found:
            found[processes] = start(processes, PLACES[processes])
        return found[processes]

    return run


def _process(tool: str, *arguments: str) -> tuple[int, str]:
    """nm-TOOL in a process of its own, which starts further ones for DDP: exit code, and the end of its errors."""
    environment = {**os.environ, "PYTHONPATH": str(SUPPORT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", f"neural_mastering.cli.{tool}", *arguments]
    result = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=600, check=False
    )
    return result.returncode, result.stderr[-3000:]


def _seen(folder: Path) -> list[set[str]]:
    """What each process saw: "train STEP SONG START" or "val EPOCH SONG START", none twice."""
    found = []
    for file in sorted(folder.glob("rank*.txt")):
        lines = file.read_text().splitlines()
        assert len(set(lines)) == len(lines)
        found.append(set(lines))
    return found


def _state(folder: Path) -> dict[str, Any]:
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)


def _after_the_kill(lines: set[str]) -> set[str]:
    """Step numbers count finished steps, so the first one after the checkpoint is SAVED + 1."""
    return {line for line in lines if line.startswith("train") and int(line.split()[1]) > SAVED}


@pytest.mark.slow
@pytest.mark.parametrize("processes", [2, 4])
def test_each_step_takes_the_items_that_one_process_takes(
    whole: Callable[[int], Path], processes: int
) -> None:
    alone, shared = _seen(whole(1)), _seen(whole(processes))
    assert len(alone) == 1 and len(shared) == processes
    assert sum(len(own) for own in shared) == len(set().union(*shared))  # none in two processes
    assert set().union(*shared) == alone[0]
    train = [line for line in alone[0] if line.startswith("train")]
    assert len(train) == BATCH * STEPS_AN_EPOCH * EPOCHS
    assert len(alone[0]) - len(train) == 4 * EPOCHS  # every validation window, once an epoch
    one, other = _state(whole(1)), _state(whole(processes))
    for name in ("model.eq_head.eq_logits.bias", "model.eq_head.gain_logits.bias"):
        assert one["state_dict"][name].abs().max() > 1e-4  # it has learned
    assert one["global_step"] == other["global_step"] == STEPS_AN_EPOCH * EPOCHS


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2, 4])
def test_a_run_killed_in_the_middle_of_an_epoch_ends_with_the_same_weights(
    whole: Callable[[int], Path], start: Start, processes: int
) -> None:
    run = start(processes, PLACES[processes], kill=True)
    saved = _state(run)
    assert saved["global_step"] == SAVED and not _seen(run)
    code, error = _process("train", f"resume={run}", "callbacks.kill=null")
    assert code == 0, error
    for own, again in zip(_seen(whole(processes)), _seen(run), strict=True):
        assert _after_the_kill(again) == _after_the_kill(own)
        assert len(_after_the_kill(own)) == BATCH // processes * (STEPS_AN_EPOCH * EPOCHS - SAVED)
    unbroken, resumed = _state(whole(processes)), _state(run)
    assert unbroken["global_step"] == resumed["global_step"] == STEPS_AN_EPOCH * EPOCHS
    for name, tensor in unbroken["state_dict"].items():
        difference = (resumed["state_dict"][name].double() - tensor.double()).abs().max()
        assert difference <= ROUNDING[processes], name
    before = saved["state_dict"]
    moved = [
        (tensor.double() - before[name].double()).abs().max()
        for name, tensor in unbroken["state_dict"].items()
    ]
    assert max(moved) > 1e2 * ROUNDING[4]  # in the steps since the kill
