"""nm-train for real, on a small folder of pairs."""

import csv
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from neural_mastering.models import load_model

Train = Callable[..., int]
NO_TABLE = "validation_table=false"
NO_TERMS = [
    f"loss.terms.{name}=null" for name in ("mr_stft", "a_weighted", "lufs", "regularization", "residual")
]


def _rows(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def _last(run: Path) -> dict[str, Any]:
    return torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)


@pytest.mark.parametrize("phase", ["1a", "1b", "1c"])
def test_a_run_folder_holds_everything(phase: str, nm_train: Train, small: list[str], capsys: Any) -> None:
    assert nm_train(f"+phase={phase}", *small, "trainer.max_epochs=2", "hydra.run.dir=run") == 0
    run = Path("run")
    for name in (
        "config.yaml",
        "metrics.csv",
        "checkpoints/best.ckpt",
        "checkpoints/last.ckpt",
        "validation.md",
        "unheard.md",
    ):
        assert (run / name).stat().st_size > 0
    assert (run / "plots" / f"{phase}_eq_curve.png").stat().st_size > 10_000
    table = capsys.readouterr().out
    for row in ("identity", "loudness only", "average EQ", f"phase {phase}"):
        assert row in table
    rows = json.loads((run / "validation.json").read_text())
    assert rows[0]["system"] == "identity" and all(r["objective"] > 0 for r in rows)

    # What the table says of the identity is what the log says of it.
    logged = [float(r["val/identity/loss"]) for r in _rows(run) if r.get("val/identity/loss")]
    assert logged[0] == pytest.approx(rows[0]["objective"], rel=1e-5)

    model = load_model(run)
    audio = 0.1 * torch.randn(1, 2, 22_050)
    with torch.no_grad():
        assert torch.isfinite(model(audio).audio).all()


@pytest.mark.parametrize("debug", [None, "last"])
def test_a_residual_that_learns_by_heart_is_not_chosen(
    debug: str | None, nm_train: Train, small: list[str], capsys: Any
) -> None:
    """A planted one: a callback makes the residual noisier with every step, as if it fitted its songs' noise."""
    harm = "+callbacks.harm={_target_: nm_test_callbacks.NoisyResidual}"
    settings = ["+phase=1b", *small, "trainer.max_epochs=2", "optimizer.lr=1e-9", harm, "hydra.run.dir=run"]
    if debug == "last":  # what choosing the last state would say of itself
        settings.append("callbacks.best.monitor=null")
    assert nm_train(*settings) == 0
    said = capsys.readouterr().out
    rows = {r["system"]: r["objective"] for r in json.loads(Path("run/unheard.json").read_text())["systems"]}
    scores = [float(r["val/selection"]) for r in _rows(Path("run")) if r.get("val/selection")]
    assert len(scores) == 3 and scores[0] < scores[1] and scores[0] < scores[2]
    if debug == "last":
        assert (
            rows["phase 1b"] > 1.1 * rows["identity"]
            and "Warning: phase 1b is worse than doing nothing" in said
        )
    else:
        assert rows["phase 1b"] == pytest.approx(rows["identity"], rel=1e-4)
        assert "best.ckpt" in [f.name for f in Path("run/checkpoints").iterdir()]


def test_a_run_that_no_longer_improves_stops(nm_train: Train, small: list[str], capsys: Any) -> None:
    settings = ["+phase=1a", *small, "trainer.max_epochs=9", "optimizer.lr=1e-12", "hydra.run.dir=run"]
    stop = ["callbacks.early_stopping.patience=2", "+callbacks.early_stopping.min_delta=1e-3"]
    assert nm_train(*settings, *stop) == 0
    assert "Stopped after epoch 2" in capsys.readouterr().out
    assert _last(Path("run"))["epoch"] == 1


def test_training_lowers_the_loss(nm_train: Train, small: list[str]) -> None:
    assert (
        nm_train("+phase=1a", *small, "trainer.max_epochs=8", "optimizer.lr=0.005", "hydra.run.dir=run") == 0
    )
    scores = {r["system"]: r["objective"] for r in json.loads(Path("run/validation.json").read_text())}
    assert scores["phase 1a"] < 0.5 * scores["identity"]


@pytest.mark.parametrize("step", [7, 10], ids=["in the middle of an epoch", "at its end"])
@pytest.mark.parametrize("phase", ["1c"])
def test_an_interrupted_run_resumes_to_the_same_result(
    step: int, phase: str, nm_train: Train, small: list[str], capsys: Any
) -> None:
    settings = [
        f"+phase={phase}",
        *small,
        "trainer.max_epochs=3",
        "model/residual_head=none",
        "model.eq_head.dropout=0.1",
        NO_TABLE,
        "+augment@data.augment=paired",
        "callbacks.last.every_n_steps=3",
    ]
    assert nm_train(*settings, "hydra.run.dir=whole") == 0
    stop = f"+callbacks.stop={{_target_: nm_test_callbacks.InterruptAt, step: {step - 1}}}"
    assert nm_train(*settings, "hydra.run.dir=broken", stop) == 130
    assert "nm-train resume=" in capsys.readouterr().out
    assert _last(Path("broken"))["global_step"] == step
    assert nm_train("resume=broken", "callbacks.stop=null") == 0

    whole, resumed = _last(Path("whole")), _last(Path("broken"))
    assert whole["global_step"] == resumed["global_step"] == 15
    for name, tensor in whole["state_dict"].items():
        assert torch.equal(tensor, resumed["state_dict"][name]), name
    moments = [c["optimizer_states"][0]["state"] for c in (whole, resumed)]
    for index, state in moments[0].items():
        assert torch.equal(state["exp_avg"], moments[1][index]["exp_avg"])

    columns = ["step", "train/loss_step", "val/loss", "val/open_bands"]
    logged = [[tuple(r.get(c, "") for c in columns) for r in _rows(Path(f))] for f in ("whole", "broken")]
    assert set(logged[0]) == set(logged[1]) and len(logged[0]) == len(logged[1])


def test_two_runs_with_one_seed_are_equal_and_another_seed_is_not(nm_train: Train, small: list[str]) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert (
            nm_train(
                "+phase=1c", *small, "trainer.max_epochs=1", NO_TABLE, f"hydra.run.dir={name}", f"seed={seed}"
            )
            == 0
        )
    states = [_last(Path(name))["state_dict"] for name in "abc"]
    assert all(torch.equal(states[0][k], states[1][k]) for k in states[0])
    assert any(not torch.equal(states[0][k], states[2][k]) for k in states[0])


def test_warm_start_says_what_it_took(nm_train: Train, small: list[str], capsys: Any) -> None:
    assert nm_train("+phase=1a", *small, "trainer.max_epochs=1", NO_TABLE, "hydra.run.dir=first") == 0
    trained = load_model("first/checkpoints/last.ckpt").state_dict()
    capsys.readouterr()
    frozen = "callbacks.freeze.parts={encoder: -1, eq_head: 1}"
    settings = ["+phase=1b", *small, "trainer.max_epochs=1", NO_TABLE, "hydra.run.dir=second", frozen]
    assert nm_train(*settings, "init_from=first/checkpoints/last.ckpt") == 0
    said = capsys.readouterr()
    assert re.search(r"took \d+ tensors: encoder \(\d+\), eq_head", said.out + said.err)
    assert "residual_head" in said.out + said.err
    state = load_model("second/checkpoints/last.ckpt").state_dict()
    # Frozen parts are exactly those of the first run; the new part has moved.
    for name, tensor in trained.items():
        assert torch.equal(state[name], tensor), name
    fresh = [n for n in state if n.startswith("residual_head") and n not in trained]
    assert any(bool(state[n].abs().sum() > 0) for n in fresh)

    # A run that started from another one can be resumed, and does not start from it again.
    assert nm_train("resume=second", "trainer.max_epochs=2", "callbacks.freeze.parts=null") == 0
    assert _last(Path("second"))["global_step"] == 10
    resumed = load_model("second/checkpoints/last.ckpt").state_dict()
    assert any(not torch.equal(resumed[name], tensor) for name, tensor in trained.items())

    assert nm_train(*settings, "init_from=nowhere") == 2
    assert "nowhere does not exist" in capsys.readouterr().err
    assert (
        nm_train(
            "+phase=1c", *small, "trainer.max_epochs=1", NO_TABLE, "hydra.run.dir=third", "init_from=first"
        )
        == 0
    )
    assert "its shape is" in "".join(capsys.readouterr())


def test_a_bundled_model_is_a_start(nm_train: Train, small: list[str], capsys: Any) -> None:
    recipe = ["+experiment=bundled", "init_from=modest-eq-2", "callbacks.freeze.parts={encoder: -1}"]
    own = [
        setting.replace("mr_stft.term.term", "mr_stft.term")  # its terms are not at matched loudness
        for setting in small
        if "z_size" not in setting and "hidden_size" not in setting
    ]
    assert nm_train(*recipe, *own, "trainer.max_epochs=1", NO_TABLE, "hydra.run.dir=tuned") == 0
    said = "".join(capsys.readouterr())
    assert "modest-eq-2.json" in said and "skipped" not in said and "starts fresh" not in said
    tuned, bundled = (
        load_model("tuned/checkpoints/last.ckpt").state_dict(),
        load_model("modest-eq-2").state_dict(),
    )
    assert tuned.keys() == bundled.keys()
    for name, tensor in bundled.items():
        assert torch.equal(tuned[name], tensor) == name.startswith("encoder"), name


def test_a_sweep_returns_the_metric_of_each_job(nm_train: Train, small: list[str]) -> None:
    sweep = [
        "-m",
        "+phase=1c",
        *small,
        "trainer.max_epochs=1",
        NO_TABLE,
        "model/residual_head=none",
        "hydra.sweep.dir=sweep",
    ]
    assert nm_train(*sweep, "model/encoder=tcn,log_mel", "model.eq_head.max_bands=6,7") == 0
    encoders = {load_model(f"sweep/{i}").encoder.__class__.__name__ for i in range(4)}
    bands = [load_model(f"sweep/{i}").eq_head.eq.bands for i in range(4)]
    assert encoders == {"TCN", "LogMel"} and sorted(bands) == [6, 6, 7, 7]


def test_optuna_minimises_the_metric(nm_train: Train, small: list[str]) -> None:
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper", reason="extra optuna is not installed")
    arguments = [
        "-m",
        "+phase=1c",
        "+sweep=optuna",
        *small,
        "trainer.max_epochs=1",
        NO_TABLE,
        "hydra.sweep.dir=sweep",
    ]
    assert nm_train(*arguments, "hydra.sweeper.n_trials=2", "model/residual_head=none") == 0
    results = Path("sweep/optimization_results.yaml").read_text()
    best = float(re.search(r"best_value: ([\d.]+)", results).group(1))  # type: ignore[union-attr]
    scores = [
        min(float(r["val/selection"]) for r in _rows(Path(f"sweep/{i}")) if r.get("val/selection"))
        for i in range(2)
    ]
    assert best == pytest.approx(min(scores), rel=1e-6)


def test_a_sweep_over_phases_and_resuming_phase_2(nm_train: Train, small: list[str]) -> None:
    settings = ["model/residual_head=none", "trainer.max_epochs=1", NO_TABLE]
    assert nm_train("-m", "+phase=1a,2", *small, *settings, "hydra.sweep.dir=sweep") == 0
    names = [yaml.safe_load(Path(f"sweep/{i}/config.yaml").read_text())["phase_name"] for i in range(2)]
    assert names == ["1a", "2"]
    assert nm_train("resume=sweep/1", "trainer.max_epochs=2") == 0
    assert _last(Path("sweep/1"))["epoch"] == 1 and len(_rows(Path("sweep/1"))) > 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["phase=1c"], "type +phase=1c"),
        (["experiment=demo"], "type +experiment=demo"),
        (["+phase=1z"], "1a"),
        (["+phase=1a", "optimzer.lr=1"], "did you mean optimizer.lr"),
        (["+phase=1a", "optimizer.lrr=1"], "did you mean optimizer.lr"),
        (["+phase=1a", "model/encoder=tnc"], "tcn"),
        (["-m", "+phase=1c,2", "model.eq_head.open_steps=9"], "write ++model.eq_head.open_steps"),
        (["data=paired"], "data.root=VALUE"),
        (["data=paired", "data.root=/nowhere/at all"], "/nowhere/at all"),
        (["resume=/nowhere"], "no run of nm-train is there"),
        (["metric=val/nothing", "+phase=1a", "SMALL"], "val/nothing"),
        (["+phase=1a", "precision=fp16"], "float16 needs a GPU"),
        (["+phase=1a", *NO_TERMS], "the objective has no terms"),
        (["+phase=1a", "model.eq_head.eq.peaks_hz=[40,30000]"], "half the sample rate"),
    ],
)  # fmt: skip
def test_mistakes_get_an_answer_and_no_traceback(
    arguments: list[str], words: str, nm_train: Train, small: list[str], capsys: Any
) -> None:
    expanded = [
        part for a in arguments for part in ([*small, "trainer.max_epochs=1"] if a == "SMALL" else [a])
    ]
    assert nm_train(*expanded, "hydra.run.dir=run") != 0
    said = capsys.readouterr()
    assert words in said.err
    assert "Traceback" not in said.err + said.out
    assert "Error executing job" not in said.err + said.out


def test_a_sweep_with_several_devices_is_refused(nm_train: Train, small: list[str], capsys: Any) -> None:
    assert nm_train("-m", "+phase=1a", *small, "trainer=ddp_cpu", "seed=0,1", "hydra.sweep.dir=sweep") == 2
    assert "several devices" in capsys.readouterr().err


def test_bf16_trains_and_keeps_the_dsp_in_float32(nm_train: Train, small: list[str]) -> None:
    assert (
        nm_train("+phase=1c", *small, "trainer.max_epochs=1", "precision=bf16", NO_TABLE, "hydra.run.dir=run")
        == 0
    )
    values = [float(r["val/loss"]) for r in _rows(Path("run")) if r.get("val/loss")]
    identity = [float(r["val/identity/loss"]) for r in _rows(Path("run")) if r.get("val/identity/loss")]
    assert 0 < values[-1] < 1.2 * identity[-1]


@pytest.mark.parametrize("debug", ["smoke", "overfit"])
def test_debug_layers(debug: str, nm_train: Train, small: list[str]) -> None:
    epochs = ["trainer.max_epochs=10"] if debug == "overfit" else []
    kept = [s for s in small if not s.startswith(("data.batch_size", "data.num_workers"))]
    assert nm_train("+phase=1a", f"+debug={debug}", *kept, *epochs, NO_TABLE, "hydra.run.dir=run") == 0
    steps = {int(r["step"]) for r in _rows(Path("run")) if r.get("train/loss_step")}
    assert len(steps) == (1 if debug == "smoke" else 10)


def test_offline_dashboards(nm_train: Train, small: list[str]) -> None:
    pytest.importorskip("wandb", reason="extra wandb is not installed")
    settings = [
        "+phase=1c",
        *small,
        "trainer.max_epochs=1",
        NO_TABLE,
        "hydra.run.dir=run",
        "callbacks.clips.count=1",
    ]
    assert nm_train(*settings, "logger=[wandb,tensorboard]", "logger.wandb.offline=true") == 0
    offline = list(Path("run").glob("wandb/offline-run-*"))
    assert len(offline) == 1
    media = {p.suffix for p in offline[0].rglob("media/**/*") if p.is_file()}
    assert media >= {".png", ".flac"}
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator("run/tensorboard").Reload()
    tags = events.Tags()
    assert {"train/gradient_norm", "val/loss", "val/identity/loss", "val/open_bands", "val/mr_stft"} <= set(
        tags["scalars"]
    )
    assert any(tag.startswith("lr-") for tag in tags["scalars"])
    assert "eq/curve" in tags["images"] and "clip0/2_after" in tags["audio"]


def _in_a_process(*arguments: str) -> None:
    """nm-train in a process of its own (which starts further ones for DDP), with the tests' callbacks."""
    support = str(Path(__file__).parent / "support")
    environment = {**os.environ, "PYTHONPATH": support, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "neural_mastering.cli.train", *arguments]
    result = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=400, check=False
    )
    assert result.returncode == 0, result.stderr[-3000:]


# The log-magnitude part of the MR-STFT is left out of what two runs must agree on: its gradient 1/|Y| jumps where
# one bin meets its target's or the floor, so that weights 1e-8 apart can have gradients several per cent apart
# (docs/training.md). The A-weighted distance has the same inputs and bounded gradients.
SMOOTH = ["loss.terms.mr_stft=null", "loss.terms.a_weighted.weight=1.0"]


@pytest.mark.slow
def test_two_processes_see_what_one_sees(small: list[str], tmp_path: Path) -> None:
    """DDP on CPU (gloo): the same items a step, every validation segment once, the same losses and weights."""
    small = [setting for setting in small if "mr_stft" not in setting]
    runs, states = {}, {}
    for name, trainer, batch in (("one", "cpu", 4), ("two", "ddp_cpu", 2)):
        folder = tmp_path / name
        folder.mkdir()
        record = f"+callbacks.record={{_target_: nm_test_callbacks.RecordItems, folder: '{folder}'}}"
        settings = [
            f"trainer={trainer}",
            f"data.batch_size={batch}",
            "trainer.max_epochs=3",
            NO_TABLE,
            record,
        ]
        settings += [f"hydra.run.dir='{folder}'", "model/encoder=tcn", *SMOOTH]
        _in_a_process("+phase=1c", *small, *settings)
        seen = [line for file in sorted(folder.glob("rank*.txt")) for line in file.read_text().splitlines()]
        runs[name] = (sorted(seen), _rows(folder), len(list(folder.glob("rank*.txt"))))
        states[name] = _last(folder)["state_dict"]
    assert runs["one"][2] == 1 and runs["two"][2] == 2
    assert runs["one"][0] == runs["two"][0]
    for column, tolerance in (("val/loss", 1e-5), ("val/a_weighted", 1e-5), ("val/identity/loss", 1e-6)):
        values = [[float(r[column]) for r in runs[name][1] if r.get(column)] for name in ("one", "two")]
        assert len(values[0]) == 4  # before the first step, and after each epoch
        assert values[0] == pytest.approx(values[1], rel=tolerance), column
    # Adam divides by the gradient's size, so weights whose gradient is all rounding may part by steps of 1e-3.
    for name in ("model.eq_head.eq_logits.bias", "model.eq_head.gain_logits.bias"):
        torch.testing.assert_close(states["one"][name], states["two"][name], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_two_processes_resume_where_they_stopped(small: list[str], tmp_path: Path) -> None:
    """DDP: one epoch, then a resume for the second, ends with the very weights of two epochs in one go."""
    settings = ["+phase=1c", *small, "trainer=ddp_cpu", "data.batch_size=2", NO_TABLE]
    for name, epochs in (("whole", 2), ("broken", 1)):
        _in_a_process(*settings, f"trainer.max_epochs={epochs}", f"hydra.run.dir='{tmp_path / name}'")
    _in_a_process(f"resume={tmp_path / 'broken'}", "trainer.max_epochs=2")
    whole, resumed = _last(tmp_path / "whole"), _last(tmp_path / "broken")
    assert whole["global_step"] == resumed["global_step"] > 0
    for name, tensor in whole["state_dict"].items():
        assert torch.equal(tensor, resumed["state_dict"][name]), name


@pytest.mark.slow
def test_submitit_runs_a_sweep_in_processes_of_its_own(small: list[str], tmp_path: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs the extra submitit")
    sweep = ["-m", "+phase=1a", "+sweep=submitit_local", f"hydra.sweep.dir='{tmp_path}'"]
    _in_a_process(*sweep, *small, "model.eq_head.hidden_size=8,12", "trainer.max_epochs=1", NO_TABLE)
    assert (tmp_path / ".submitit").is_dir()
    for job, width in (("0", 8), ("1", 12)):
        logits = _last(tmp_path / job)["state_dict"]["model.eq_head.eq_logits.weight"]
        assert logits.shape[1] == width
        losses = [float(row["val/loss"]) for row in _rows(tmp_path / job) if row.get("val/loss")]
        assert losses and all(map(math.isfinite, losses))


def test_a_run_goes_on_on_another_machine(nm_train: Train, small: list[str]) -> None:
    """Groups that name the machine become their keys; what is trained can't be exchanged."""
    assert nm_train("+phase=1a", *small, "trainer.max_epochs=1", "hydra.run.dir=run", NO_TABLE) == 0
    resumed = ("resume=run", "trainer.max_epochs=2", NO_TABLE)
    assert nm_train(*resumed, "trainer=cpu", "precision=bf16") == 0
    trainer = yaml.safe_load(Path("run/.hydra/config.yaml").read_text())["trainer"]
    assert (trainer["precision"], trainer["accelerator"], trainer["max_epochs"]) == ("bf16-mixed", "cpu", 2)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("trainer=tpu", "trainer=tpu: expected one of cpu, ddp, ddp_cpu, gpu"),
        ("data=demo", "data=demo can't be given to a run that is resumed"),
        ("model/encoder=tcn", "model/encoder=tcn can't be given to a run that is resumed"),
    ],
)
def test_a_resumed_run_keeps_what_it_trains(
    choice: str, message: str, nm_train: Train, small: list[str], capsys: Any
) -> None:
    assert nm_train("+phase=1a", *small, "trainer.max_epochs=1", "hydra.run.dir=run", NO_TABLE) == 0
    assert nm_train("resume=run", choice) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
