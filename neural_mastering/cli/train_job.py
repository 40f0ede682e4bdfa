"""One training job, from the composed configuration to the table of results."""

import json
import logging
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.utilities.rank_zero import rank_zero_only
from omegaconf import DictConfig, OmegaConf

from neural_mastering.atomic import write_text
from neural_mastering.config.run import Run, best_model, build_run, fit
from neural_mastering.config.schema import freeze, validated
from neural_mastering.errors import InputError
from neural_mastering.evaluation.baselines import AverageEq, Identity, LoudnessOnly, Model, System
from neural_mastering.evaluation.comparison import Row, compare
from neural_mastering.evaluation.unheard import HeldOutSongs, unheard_songs, verdict
from neural_mastering.evaluation.validation_table import FOOTNOTE, table_rows
from neural_mastering.reporting.table import markdown_table, print_table
from neural_mastering.training.memory import keep_freed_memory

AVERAGE_EQ_SEGMENTS = 1_000
"""More training segments than these, evenly spread, change an average no more."""


def run_job(config: DictConfig) -> float:
    """Validate, freeze, build, fit, compare; returns the metric."""
    _refuse_several_devices_in_a_sweep(config)
    _refuse_float16_on_a_cpu(config)
    _quiet_lightning()
    keep_freed_memory()
    checked = validated(config)
    if checked.learning is not None:
        from neural_mastering.cli.learn_job import learn_from  # only for this experiment

        return learn_from(checked)
    run = build_run(checked)
    if run.trainer.is_global_zero:
        freeze(OmegaConf.create(asdict(checked)), Path(checked.run_dir) / "config.yaml")
    try:
        metric = fit(run)
    except SystemExit as stop:  # Lightning's answer to Ctrl-C
        if run.trainer.interrupted and run.trainer.is_global_zero:
            print(f"Stopped. To continue: nm-train resume={checked.run_dir}")
        raise SystemExit(130) from stop
    finally:
        _finish_loggers(run)
    if checked.validation_table:
        compare_and_report(run)
    if run.trainer.is_global_zero:
        _say_if_stopped_early(run)
        print(f"run folder: {checked.run_dir}")
    return metric


@rank_zero_only
def compare_and_report(run: Run) -> list[Row]:
    """Print the table of baselines and the trained model on validation; write it to the run folder."""
    model = best_model(run)
    rate = model.sample_rate
    training = run.data.evaluation_dataset("train").spread(AVERAGE_EQ_SEGMENTS)
    average = AverageEq(rate).fit((item["input"][None], item["target"][None]) for item in training)
    systems = [Identity(), LoudnessOnly(rate), average, Model(f"phase {run.config.phase_name}", model)]
    rows = compare(systems, run.data.evaluation_dataset("validation"), run.task.objective.cpu())
    texts = table_rows(rows)
    print_table(texts, f"validation: {rows[0].songs} songs, lower is better", FOOTNOTE)
    write_text(run.folder / "validation.md", markdown_table(texts) + "\n" + FOOTNOTE + "\n")
    write_text(run.folder / "validation.json", json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    _judge_on_unheard_songs(run, systems, unheard_songs(run.data))
    return rows


def _judge_on_unheard_songs(run: Run, systems: Sequence[System], held_out: HeldOutSongs) -> None:
    """Tone at the target's loudness on songs that the model did not learn from, and what follows from it."""
    objective = (run.task.selection or run.task.objective).cpu().sound_without_level()
    rows = compare(systems, held_out.segments, objective)
    sentences = verdict(rows, held_out)
    texts = table_rows(rows)
    print_table(texts, f"{held_out.title}: {rows[0].songs} songs at the target's loudness, lower is better")
    print("\n".join(sentences))
    write_text(run.folder / "unheard.md", markdown_table(texts) + "\n" + "\n".join(sentences) + "\n")
    content = {"songs_of": held_out.split, "sentences": sentences, "systems": [asdict(row) for row in rows]}
    write_text(run.folder / "unheard.json", json.dumps(content, indent=2) + "\n")


def _say_if_stopped_early(run: Run) -> None:
    for callback in run.trainer.callbacks:  # pyright: ignore[reportAttributeAccessIssue]
        if isinstance(callback, EarlyStopping) and callback.wait_count >= callback.patience:
            print(
                f"Stopped after epoch {callback.stopped_epoch + 1}: the last {callback.patience} validations "
                "brought no better one (callbacks.early_stopping.patience)."
            )


def _refuse_several_devices_in_a_sweep(config: DictConfig) -> None:
    hydra_config = HydraConfig.get()
    devices = config.trainer.get("devices", 1)
    strategy = str(config.trainer.get("strategy", "auto"))
    if hydra_config.mode == RunMode.MULTIRUN and (devices not in (1, "1", [0]) or strategy.startswith("ddp")):
        raise InputError(
            f"a sweep with several devices in one job does not work (trainer.devices={devices}): Hydra's jobs and "
            "Lightning's processes get in each other's way. Give each job one device (trainer=gpu), or run the "
            "settings one by one without -m"
        )


def _refuse_float16_on_a_cpu(config: DictConfig) -> None:
    if config.trainer.get("accelerator") == "cpu" and str(config.trainer.get("precision", "")).startswith(
        "16"
    ):
        raise InputError(
            "float16 needs a GPU (a CPU would silently train in bfloat16): use precision=bf16 or trainer=gpu"
        )


def _finish_loggers(run: Run) -> None:
    """Close W&B's run, so that the next job of a sweep starts its own."""
    from lightning.pytorch.loggers import WandbLogger  # loads Lightning and W&B

    for logger in run.trainer.loggers:
        if isinstance(logger, WandbLogger):
            logger.experiment.finish()


def _quiet_lightning() -> None:
    """Leave out Lightning's advice that does not apply here."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for message in (
        ".*does not have many workers.*",
        ".*number of training batches.*smaller than the logging interval.*",
        ".*Checkpoint directory .* exists and is not empty.*",
        ".*Experiment logs directory .* exists and is not empty.*",
        ".*`isinstance\\(treespec, LeafSpec\\)` is deprecated.*",
    ):
        warnings.filterwarnings("ignore", message)
