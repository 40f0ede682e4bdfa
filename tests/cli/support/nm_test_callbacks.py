"""Callbacks that tests add to a run by YAML."""

import os
import signal
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback


class InterruptAt(Callback):
    """Presses Ctrl-C in the middle of a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_before_backward(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: torch.Tensor
    ) -> None:
        if trainer.global_step == self.step:
            os.kill(os.getpid(), signal.SIGINT)


class RecordItems(Callback):
    """Writes which items each process saw, and the loss of each step."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.lines: list[str] = []

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        for song, start in zip(batch["song"].tolist(), batch["start"].tolist(), strict=True):
            self.lines.append(f"train {trainer.global_step} {song} {start}")

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        for song, start in zip(batch["song"].tolist(), batch["start"].tolist(), strict=True):
            self.lines.append(f"val {trainer.current_epoch} {song} {start}")

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        with (Path(self.folder) / f"rank{trainer.global_rank}.txt").open("w") as file:
            file.write("\n".join(self.lines) + "\n")


class KillAt(Callback):
    """Ends every process of the run in the middle of a step, as when the machine is lost."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_before_backward(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: torch.Tensor
    ) -> None:
        if trainer.global_step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


class NoisyResidual(Callback):
    """Makes a residual that adds more noise with every step."""

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        generator = torch.Generator().manual_seed(trainer.global_step)
        with torch.no_grad():
            for weights in pl_module.model.residual_head.parameters():  # type: ignore[union-attr]
                weights += 0.05 * torch.randn(weights.shape, generator=generator)
