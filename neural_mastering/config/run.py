"""Builds everything that one training run needs, and runs it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.utilities.rank_zero import rank_zero_only

from neural_mastering.config.schema import TrainConfig, make
from neural_mastering.data import PairedDataModule
from neural_mastering.data.audio_file import name_some
from neural_mastering.data.splits import write_splits
from neural_mastering.errors import InputError
from neural_mastering.models import MasteringModel, build, model_state, read_checkpoint, warm_start
from neural_mastering.models.checkpoint import read_weights
from neural_mastering.training.csv_logger import ResumableCSVLogger
from neural_mastering.training.task import MasteringTask


@dataclass(frozen=True)
class Run:
    """The built parts of a run."""

    config: TrainConfig
    task: MasteringTask
    data: PairedDataModule
    trainer: pl.Trainer
    csv: ResumableCSVLogger

    @property
    def folder(self) -> Path:
        """Where everything is written."""
        return Path(self.config.run_dir)


def build_model(config: Mapping[str, Any]) -> MasteringModel:
    """Build a model from the plain `model` node of a configuration; its parts may come from any package."""
    model = build(config, packages=None)
    if not isinstance(model, MasteringModel):
        raise InputError(f"model._target_ must be a MasteringModel, got {type(model).__name__}")
    return model


def build_run(config: TrainConfig) -> Run:
    """Instantiate data, model, objective, callbacks, loggers and trainer.

    Raises:
        InputError: parts that can't be built, or an `init_from` that does not fit.
    """
    pl.seed_everything(config.seed, workers=True, verbose=False)
    model = build_model(config.model)
    if config.init_from and not config.resume:  # a run that is resumed started from it already
        _warm_start(model, config.init_from)
    task = MasteringTask(
        model,
        objective=build(config.loss, path="loss", packages=None),
        optimizer=make(config.optimizer),
        scheduler=make(config.scheduler),
        model_config=config.model,
        metric=config.metric,
        seed=config.seed,
        selection=build(config.selection, path="selection", packages=None) if config.selection else None,
    )
    data = make(config.data)
    csv = ResumableCSVLogger(config.run_dir)
    loggers = [csv, *(make(node) for node in (config.logger or {}).values() if node)]
    callbacks = [make(node) for node in (config.callbacks or {}).values() if node]
    trainer = make(config.trainer, callbacks=callbacks, logger=loggers, default_root_dir=config.run_dir)
    return Run(config=config, task=task, data=data, trainer=trainer, csv=csv)


def fit(run: Run) -> float:
    """Train, resuming from the run's last checkpoint when the configuration says so; return the metric.

    Raises:
        InputError: nothing to resume from, or a metric that is never logged.
    """
    resume_from: Path | None = None
    if run.config.resume:
        resume_from, step = _newest_checkpoint(Path(run.config.resume) / "checkpoints")
        if run.trainer.is_global_zero:
            run.csv.keep_until(step)
        _say(f"Resuming {run.config.resume} after step {step}.")
        if (Path(run.config.resume) / "splits.json").is_file():
            run.data.keep_splits(Path(run.config.resume) / "splits.json")
            _refuse_other_songs(run)
    if run.trainer.is_global_zero:
        write_splits(run.folder, run.data.summary())
    run.trainer.fit(
        run.task,
        datamodule=run.data,
        ckpt_path=None if resume_from is None else str(resume_from),
        weights_only=True,
    )
    return _metric(run)


def _newest_checkpoint(folder: Path) -> tuple[Path, int]:
    """`last.ckpt`, or `best.ckpt` where that one is damaged, with its step.

    Raises:
        InputError: there is no last.ckpt, or neither can be read.
    """
    if not (folder / "last.ckpt").is_file():
        raise InputError(f"nothing to resume: {folder / 'last.ckpt'} does not exist")
    for name in ("last.ckpt", "best.ckpt"):
        file = folder / name
        if not file.is_file():
            continue
        try:
            step = int(torch.load(file, map_location="cpu", weights_only=True)["global_step"])
        except Exception as error:  # torch raises many types for a broken file
            _say(f"{file} is damaged ({type(error).__name__}): it was cut off, or is no checkpoint")
            continue
        return file, step
    raise InputError(f"nothing to resume: no checkpoint in {folder} can be read")


def _refuse_other_songs(run: Run) -> None:
    """A run goes on with the songs that it began with.

    Raises:
        InputError: some were added or removed.
    """
    before = json.loads((Path(str(run.config.resume)) / "splits.json").read_text(encoding="utf-8"))
    names = [
        {f"{split}/{song['name']}" for split, songs in summary["splits"].items() for song in songs}
        for summary in (before, run.data.summary())
    ]
    changes = [
        f"{sign}{name}"
        for sign, some in (("-", names[0] - names[1]), ("+", names[1] - names[0]))
        for name in sorted(some)
    ]
    if changes:
        raise InputError(
            f"the songs are not those that the run began with ({name_some(changes)}): restore them, or start a new "
            f"run with init_from={run.config.resume}"
        )


def best_model(run: Run) -> MasteringModel:
    """The model of the best checkpoint, or as it is now if none was written."""
    for callback in run.trainer.checkpoint_callbacks:
        if isinstance(callback, ModelCheckpoint) and callback.best_model_path:
            contents = read_checkpoint(callback.best_model_path)
            run.task.model.load_state_dict(model_state(contents))
            break
    return run.task.model.cpu().eval()


def _metric(run: Run) -> float:
    for callback in run.trainer.checkpoint_callbacks:
        if isinstance(callback, ModelCheckpoint) and callback.best_model_score is not None:
            return float(callback.best_model_score)
    values = run.trainer.callback_metrics
    if run.config.metric not in values:
        raise InputError(
            f"metric={run.config.metric} has no value: no validation ran (trainer.check_val_every_n_epoch?)"
        )
    return float(values[run.config.metric])


def _warm_start(model: MasteringModel, source: str) -> None:
    file, weights = read_weights(source)
    try:
        report = warm_start(model, weights)
    except ValueError as error:
        raise InputError(f"init_from={source}: {error}") from error
    _say(f"Starting from {file}:\n{report}")


@rank_zero_only
def _say(message: str) -> None:
    print(message, flush=True)
